//! What a verifier makes of heads in each dialect, and that it reads what the signer writes.

mod draft;
mod gateways;
mod signer;

use http::{HeaderName, HeaderValue, Method, Request, request::Parts};

use super::{CavageSignSettings, CavageVerifySettings};
use crate::{
    Algorithm, CallerKey, CallerKeys, ConfigErrorKind, ContentTypeRule, Coverage, NonceRule,
    RejectionKind, Scheme, Secret, SignErrorKind, Signer, SigningKey, Timestamp, Verified,
    Verifier, VerifierBuilder,
};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);
const DATE: &str = "Fri, 02 Jan 2026 03:04:05 GMT";
const BODY: &[u8] = b"{\"userId\":123}";

fn secret() -> SigningKey {
    SigningKey::cavage_hmac_sha256(&Secret::from_text("correct horse battery staple").unwrap())
}

fn seed() -> SigningKey {
    SigningKey::cavage_ed25519(&Secret::from_bytes(&[7, 1, 9, 3, 5, 2, 8, 6].repeat(4))).unwrap()
}

fn verifier(settings: CavageVerifySettings) -> Verifier {
    builder(settings).build().unwrap()
}

fn builder(settings: CavageVerifySettings) -> VerifierBuilder {
    Verifier::builder()
        .expected_hosts(["a"])
        .accept_only(settings)
}

fn post(target: &str) -> Parts {
    let request = Request::post(target)
        .header("host", "a")
        .header("content-type", "application/json")
        .header("content-length", BODY.len());
    request.body(()).unwrap().into_parts().0
}

fn judge(
    verifier: &Verifier,
    key: &SigningKey,
    parts: &Parts,
    body: &[u8],
) -> Result<Verified, RejectionKind> {
    judge_with(
        verifier,
        CallerKey::new("1", key.verifying_key()).unwrap(),
        parts,
        body,
    )
}

fn judge_with(
    verifier: &Verifier,
    key: CallerKey,
    parts: &Parts,
    body: &[u8],
) -> Result<Verified, RejectionKind> {
    let keys = CallerKeys::new("billing", [key]).unwrap();
    let judge = || {
        let unverified = verifier.parse(parts, NOW)?;
        unverified.authenticate(&keys, NOW)?.finish_with(body, NOW)
    };
    judge().map_err(|rejection| rejection.kind())
}

/// Signs `text`, and sends it with these parameters besides the signature.
fn sent(parts: &mut Parts, key: &SigningKey, header: &'static str, parameters: &str, text: &str) {
    use base64ct::{Base64, Encoding as _};
    let signature = Base64::encode_string(&key.sign_message(text.as_bytes()));
    let value = format!("{parameters},signature=\"{signature}\"");
    parts
        .headers
        .insert(header, HeaderValue::try_from(value).unwrap());
}

fn get(headers: &[(&'static str, &str)]) -> Parts {
    let mut request = Request::get("/p?q=1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}
