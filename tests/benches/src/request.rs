//! The one request that everything is measured with, and the key that it is signed with.

use std::time::SystemTime;

use countersign::{
    Algorithm, CallerKey, Keyring, MessageSignaturesSignSettings, MessageSignaturesVerifySettings,
    PayloadDigest, Secret, Signer, SigningKey, Verifier,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, request::Parts};

use crate::ours;

/// The caller.
pub const CALLER: &str = "billing";

/// The authority that the request is for.
pub const HOST: &str = "user-service.internal:8081";

/// Path and query.
pub const TARGET: &str = "/api/v1/accounts/123/transfers?dry_run=false&currency=EUR&limit=25";

/// The key, in hexadecimal digits.
pub const KEY: &str = "9f4c1f0b7a5d3e8821c6b4d2f0a19e7735d8c2b1a4f6e0937d5c8b2a1e4f6079";

/// The access key of SigV4.
pub const SIGV4_ACCESS_KEY: &str = "CSIDBILLING2026AB";

/// Its secret, of the length that AWS gives its own.
pub const SIGV4_SECRET: &str = "v3Kq8ZrT1xWm5NcB7yHd0PgLs2JfUa9EoRiQ4tXk";

/// The region of its scope.
pub const SIGV4_REGION: &str = "eu-central-1";

/// The service of its scope.
pub const SIGV4_SERVICE: &str = "user-service";

/// The secret of the Django article's scheme, which is text.
pub const DRF_SECRET: &str = "y7Fq-2nVwR8sKd0LxT4mZbJh6UcGpE1a";

/// The secret of Standard Webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_n0wfC3pdPoghxrTS8KGedzXYwrGk9uCTfVyLKh5PYHk=";

/// The id of the one webhook.
pub const WEBHOOK_ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

/// The nonce of RFC 9421, as random ones look: 128 bits in base64.
pub const MESSAGE_NONCE: &str = "q83vEjRWeJCrze8SNFZ4kA==";

/// Which headers a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// `host;x-date;x-content-sha256`, as the seed receivers know it. No nonce.
    Three,
    /// What a signer covers by default: those three, `x-nonce` and `content-type`.
    Default,
}

impl Layout {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Three => "three headers",
            Self::Default => "default layout",
        }
    }

    /// The signer of this layout.
    pub fn signer(self) -> Signer {
        let signer = Signer::new(CALLER, SigningKey::hmac_sha256(&secret()), [HOST]).unwrap();
        match self {
            Self::Three => signer.insecure_three_headers(),
            Self::Default => signer,
        }
    }

    /// The keys that verify this layout.
    pub fn keyring(self) -> Keyring {
        let key = SigningKey::hmac_sha256(&secret()).verifying_key();
        let key = CallerKey::new("2026-01", key).unwrap();
        let key = match self {
            Self::Three => key.insecure_three_headers(),
            Self::Default => key,
        };
        Keyring::builder().caller(CALLER, key).build().unwrap()
    }
}

/// A signer in RFC 9421: `@method @authority @path @query content-type content-digest`.
pub fn message_signer() -> Signer {
    let key = SigningKey::message_hmac_sha256(&secret());
    let settings = MessageSignaturesSignSettings::new(CALLER, key).unwrap();
    Signer::message_signatures(settings, [HOST]).unwrap()
}

/// What verifies it.
pub fn message_verifier() -> Verifier {
    let settings = MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256);
    let builder = Verifier::builder().accept_only(settings);
    builder.build().unwrap()
}

/// The keys that verify it.
pub fn message_keyring() -> Keyring {
    let key = SigningKey::message_hmac_sha256(&secret()).verifying_key();
    let key = CallerKey::new("2026-01", key).unwrap();
    Keyring::builder().caller(CALLER, key).build().unwrap()
}

/// The request, signed in RFC 9421.
pub fn message_signed(body: &[u8]) -> Parts {
    let mut parts = unsigned(body.len());
    let now = SystemTime::now().into();
    let signature = message_signer().sign(&parts, PayloadDigest::of(body), now);
    signature.unwrap().apply(&mut parts);
    parts
}

/// The signature base of such a request.
pub fn message_base(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let keeping = message_verifier().to_builder().keep_evidence();
    let proven = ours::verify(&keeping.build().unwrap(), &message_keyring(), parts, body);
    let proven = proven.unwrap();
    proven.evidence().unwrap().canonical_request().into()
}

/// The key.
pub fn secret() -> Secret {
    Secret::from_hex(KEY).unwrap()
}

/// A body of so many bytes.
pub fn body(len: usize) -> Vec<u8> {
    (b' '..=b'~').cycle().take(len).collect()
}

/// The head before it is signed: eight headers, and room for four more as a map that grew by
/// insertion has it.
pub fn unsigned(body_len: usize) -> Parts {
    let mut headers = HeaderMap::with_capacity(12);
    for (name, value) in [
        ("host", HOST),
        ("user-agent", "billing/1.4.2"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("x-request-id", "4c1c7c6e-6f0b-4f0e-9d0d-2a8f5b6c7d8e"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("accept-encoding", "gzip, br"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers.insert(HeaderName::from_static("content-length"), body_len.into());
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::POST;
    parts.uri = Uri::from_static(TARGET);
    parts.headers = headers;
    parts
}
