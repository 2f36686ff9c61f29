//! What the tests of SigV4 share: settings, keys, and a forger that signs without the crate
//! whatever it is given.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file is a crate of its own and uses a part"
)]

use std::time::Duration;

use countersign::{
    CallerKey, KeyStore, Keyring, PayloadDigest, Rejection, Secret, SigV4Credentials,
    SigV4Presigned, SigV4SignSettings, SigV4VerifySettings, Signer, SigningKey, Timestamp,
    Verified, Verifier, VerifyingKey,
};
use tests::keys::NOW;

use crate::message::{Message, hmac_sha256};

pub const HOST: &str = "user-service.internal";
pub const REGION: &str = "eu-central-1";
pub const SERVICE: &str = "user-service";
pub const KEY_ID: &str = "AKIDBILLING";
pub const SECRET: &str = "correct/Horse+battery/Staple+0123456789";
pub const OTHER_SECRET: &str = "another/Horse+battery/Staple+0123456789";
/// [`NOW`] as in `x-amz-date`.
pub const DATE: &str = "20260102T030405Z";

pub fn key(secret: &str) -> VerifyingKey {
    VerifyingKey::sigv4(&Secret::from_text(secret).unwrap())
}

pub fn caller_key(key: VerifyingKey) -> CallerKey {
    CallerKey::new("1", key)
        .unwrap()
        .with_key_id(KEY_ID)
        .unwrap()
}

pub fn keyring_of(key: CallerKey) -> Keyring {
    Keyring::builder().caller("billing", key).build().unwrap()
}

pub fn keyring() -> Keyring {
    keyring_of(caller_key(key(SECRET)))
}

pub fn verify_settings() -> SigV4VerifySettings {
    SigV4VerifySettings::new(REGION, SERVICE)
        .unwrap()
        .with_presigned(SigV4Presigned::new())
}

pub fn verifier(verify_settings: SigV4VerifySettings) -> Verifier {
    Verifier::builder()
        .accept_only(verify_settings)
        .expected_hosts([HOST])
        .keep_evidence()
        .build()
        .unwrap()
}

pub fn settings() -> SigV4SignSettings {
    let key = SigningKey::sigv4(&Secret::from_text(SECRET).unwrap());
    let credentials = SigV4Credentials::new(KEY_ID, key).unwrap();
    SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap()
}

pub fn signer() -> Signer {
    Signer::sigv4(settings(), [HOST]).unwrap()
}

pub fn signed(message: Message, signer: &Signer, now: Timestamp) -> Message {
    let parts = message.parts().unwrap();
    let signature = signer
        .sign(&parts, PayloadDigest::of(&message.body), now)
        .unwrap();
    let mut message = message;
    for (name, value) in signature.headers() {
        message.append(name.as_str(), value);
    }
    message
}

pub fn presigned(message: Message, signer: &Signer, seconds: u64, now: Timestamp) -> Message {
    let parts = message.parts().unwrap();
    let digest = PayloadDigest::of(&message.body);
    let uri = signer
        .presign(&parts, digest, Duration::from_secs(seconds), now)
        .unwrap();
    let mut message = message;
    message.target = uri.path_and_query().unwrap().to_string();
    message
}

/// The request through the whole chain. What the `http` types refuse is refused as malformed.
pub fn judge_with(
    message: &Message,
    verifier: &Verifier,
    keys: &Keyring,
    now: Timestamp,
) -> Result<Verified, Rejection> {
    let Some(parts) = message.parts() else {
        return Err(Rejection::new(
            countersign::RejectionKind::Malformed,
            "no HTTP",
        ));
    };
    let unverified = verifier.parse(&parts, now)?;
    let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
    unverified
        .authenticate(&found, now)?
        .finish_with(&message.body, now)
}

/// `accept`, or the code of the refusal.
pub fn code_with(
    message: &Message,
    verify_settings: SigV4VerifySettings,
    keys: &Keyring,
    now: Timestamp,
) -> &'static str {
    judge_with(message, &verifier(verify_settings), keys, now)
        .map_or_else(|rejection| rejection.kind().code(), |_| "accept")
}

pub fn code(message: &Message) -> &'static str {
    code_with(message, verify_settings(), &keyring(), NOW)
}

/// Signs without the crate: the canonical request is put together from what it is told, right or
/// wrong.
#[derive(Clone, Debug)]
pub struct Forger {
    pub path: String,
    pub query: String,
    pub list: String,
    pub payload: String,
    pub date: String,
    pub scope: String,
}

impl Forger {
    /// For a message whose path and query are canonical.
    pub fn of(message: &Message, list: &str) -> Self {
        let (path, query) = message
            .target
            .split_once('?')
            .unwrap_or((&message.target, ""));
        Self {
            path: path.to_owned(),
            query: query.to_owned(),
            list: list.to_owned(),
            payload: PayloadDigest::of(&message.body).to_string(),
            date: DATE.to_owned(),
            scope: format!("{}/{REGION}/{SERVICE}/aws4_request", &DATE[..8]),
        }
    }

    pub fn signature(&self, message: &Message) -> String {
        let mut canonical = format!("{}\n{}\n{}\n", message.method, self.path, self.query);
        for name in self.list.split(';') {
            let values: Vec<_> = message
                .headers
                .iter()
                .filter(|(known, _)| known == name)
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                .collect();
            canonical.extend([format!("{name}:{}\n", values.join(","))]);
        }
        canonical.extend([format!("\n{}\n{}", self.list, self.payload)]);
        let hash = PayloadDigest::of(canonical.as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", self.date, self.scope);
        let secret = format!("AWS4{SECRET}").into_bytes();
        let key = self
            .scope
            .split('/')
            .fold(secret, |key, part| hmac_sha256(&key, part.as_bytes()));
        base16ct::lower::encode_string(&hmac_sha256(&key, text.as_bytes()))
    }

    /// The message with the signature in the header. `x-amz-date` must be there already, or not be
    /// meant to be.
    pub fn sign(&self, message: &Message) -> Message {
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/{}, SignedHeaders={}, Signature={}",
            self.scope,
            self.list,
            self.signature(message)
        );
        message.clone().with("authorization", value)
    }
}

/// A GET that the forger is to sign.
pub fn unsigned(target: &str) -> Message {
    Message::new("GET", target, HOST, b"").with("x-amz-date", DATE)
}

/// Signed by the forger with host and date covered, the path encoded once more and the query as
/// sent.
pub fn forged(message: &Message) -> Message {
    let mut forger = Forger::of(message, "host;x-amz-date");
    forger.path = forger.path.replace('%', "%25");
    forger.sign(message)
}
