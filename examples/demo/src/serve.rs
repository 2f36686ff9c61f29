//! Keeps both services running, and prints calls to try.

use std::{io, pin::pin};

use tower_countersign::BoxError;
use tracing_subscriber::EnvFilter;

use crate::{
    print,
    services::{CALLER, Services},
};

/// Runs both services until Ctrl-C. Logs each refusal and its reason on standard error.
pub(crate) async fn until_interrupted(services: &Services) -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("info"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // The watch starts with the first poll.
    tokio::select! {
        biased;
        _ = &mut interrupted => return Ok(()),
        () = std::future::ready(()) => {}
    }
    print(&lines(services))?;
    interrupted.await?;
    Ok(())
}

/// Returns shell lines with the addresses and the key of this run.
fn lines(services: &Services) -> String {
    let users = services.users.authority();
    let billing = services.billing.authority();
    let key = services.key.hex();
    format!(
        r#"
Both services are up. Try, in another terminal:

# Anyone may ask whether it is well.
curl -i http://{users}/healthz

# Not signed: 401 missing_signature.
curl -i http://{users}/api/account/7

# Billing signs what it asks: 201 for an active account, 409 for a suspended one.
curl -i -H 'content-type: application/json' -d '{{"account":7,"amount_cents":1200}}' http://{billing}/invoices
curl -i -H 'content-type: application/json' -d '{{"account":13,"amount_cents":1200}}' http://{billing}/invoices

# Signed with openssl: 200. The last command alone, once more: 401 replayed.
KEY={key}
HOST={users}
TARGET=/api/account/7
DATE=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')
NONCE=$(openssl rand -hex 16)
BODY_HASH=$(printf '' | openssl dgst -sha256 -r | cut -d ' ' -f 1)
NAMES='host;x-date;x-content-sha256;x-nonce'
SIGNATURE=$(printf '%s\n%s\nhost:%s\nx-date:%s\nx-content-sha256:%s\nx-nonce:%s\n\n%s\n%s' \
  GET "$TARGET" "$HOST" "$DATE" "$BODY_HASH" "$NONCE" "$NAMES" "$BODY_HASH" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -r | cut -d ' ' -f 1)
curl -i -H "x-date: $DATE" -H "x-content-sha256: $BODY_HASH" -H "x-nonce: $NONCE" \
  -H "authorization: HMAC-SHA256 credential={CALLER}, signed-headers=$NAMES, signature=$SIGNATURE" \
  "http://$HOST$TARGET"

Ctrl-C ends. Refusals and their reasons follow.

"#
    )
}
