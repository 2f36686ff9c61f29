//! Signed requests as records, and the files of keys that fit them.

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

use countersign::{
    DrfVerifySettings, MessageSignaturesSignSettings, MessageSignaturesVerifySettings,
    PayloadDigest, Scheme, Secret, SigV4Credentials, SigV4SignSettings, SigV4VerifySettings,
    Signer, SigningKey, StandardWebhooksVerifySettings, Timestamp, Verifier, VerifierBuilder,
};
use http::{Method, Request, request::Parts};

use crate::program::NOW;

pub(crate) const HOST: &str = "user-service.internal:8081";
pub(crate) const BODY: &str = r#"{"b": 1, "a": [2, 3]}"#;
pub(crate) const HEX: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

/// The schemes, as files of keys name them.
pub(crate) const SCHEMES: [&str; 6] = [
    "HMAC-SHA256",
    "ED25519",
    "AWS4-HMAC-SHA256",
    "RFC 9421",
    "X-HMAC-SHA256",
    "Standard-Webhooks",
];

/// A file that is removed when it is dropped.
pub(crate) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    pub(crate) fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-cli-{}-{count}-{name}", process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, content).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A signed request, before it is written as a record.
pub(crate) struct Signed {
    pub(crate) parts: Parts,
    pub(crate) body: Vec<u8>,
}

impl Signed {
    /// Signs the usual request in a scheme, at [`NOW`].
    pub(crate) fn in_scheme(scheme: &str) -> Self {
        Self::at(scheme, HOST, NOW)
    }

    /// Signs the usual request for a host.
    pub(crate) fn at(scheme: &str, host: &str, now: Timestamp) -> Self {
        let secret = Secret::from_hex(HEX).unwrap();
        let signer = match scheme {
            "HMAC-SHA256" => Signer::new("billing", SigningKey::hmac_sha256(&secret), [host]),
            "ED25519" => Signer::new("billing", SigningKey::ed25519(&secret).unwrap(), [host]),
            "AWS4-HMAC-SHA256" => {
                let key = SigningKey::sigv4(&secret);
                let credentials = SigV4Credentials::new("billing", key).unwrap();
                let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials);
                Signer::sigv4(settings.unwrap(), [host])
            }
            "RFC 9421" => {
                let key = SigningKey::message_hmac_sha256(&secret);
                let settings = MessageSignaturesSignSettings::new("billing", key);
                Signer::message_signatures(settings.unwrap(), [host])
            }
            "X-HMAC-SHA256" => Signer::drf(SigningKey::drf(&secret), [host]),
            "Standard-Webhooks" => {
                Signer::standard_webhooks([SigningKey::standard_webhooks(&secret)], [host])
            }
            other => panic!("no scheme {other}"),
        };
        let request = Request::post(format!("http://{host}/api/items?b=2&a=1"))
            .header("content-type", "application/json")
            .body(())
            .unwrap();
        let (mut parts, ()) = request.into_parts();
        let body = BODY.as_bytes().to_vec();
        let payload: countersign::Payload<'_> = match scheme {
            "X-HMAC-SHA256" | "Standard-Webhooks" => body.as_slice().into(),
            _ => PayloadDigest::of(&body).into(),
        };
        let signature = signer.unwrap().sign(&parts, payload, now).unwrap();
        signature.apply(&mut parts);
        Self { parts, body }
    }

    /// Writes the request as HTTP/1.1 has it.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let parts = &self.parts;
        let target = parts.uri.path_and_query().unwrap();
        let mut text = format!("{} {target} HTTP/1.1\r\n", parts.method).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
            text.extend_from_slice(b"\r\n");
        };
        if !parts.headers.contains_key("host") {
            line("host", parts.uri.authority().unwrap().as_str().as_bytes());
        }
        for (name, value) in &parts.headers {
            line(name.as_str(), value.as_bytes());
        }
        line("content-length", self.body.len().to_string().as_bytes());
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&self.body);
        text
    }
}

impl Signed {
    /// Writes the request without the length of its body.
    pub(crate) fn without_length(&self) -> String {
        let raw = String::from_utf8(self.raw()).unwrap();
        let (before, rest) = raw.split_once("content-length: ").unwrap();
        let (_, after) = rest.split_once("\r\n").unwrap();
        [before, after].concat()
    }
}

/// The file of keys of the service, for a scheme.
pub(crate) fn keys(scheme: &str) -> TemporaryFile {
    let key = match scheme {
        "ED25519" => {
            let key = SigningKey::ed25519(&Secret::from_hex(HEX).unwrap()).unwrap();
            let verifying = key.verifying_key();
            let public = verifying.public_key().unwrap();
            let hex: String = public
                .iter()
                .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            format!("ed25519_public_key_hex = \"{hex}\"")
        }
        _ => format!("secret_hex = \"{HEX}\""),
    };
    let text = format!(
        "[[callers]]\nname = \"billing\"\n\n[[callers.keys]]\nversion = \"2026\"\nscheme = \
         \"{scheme}\"\n{key}\n"
    );
    TemporaryFile::new("callers.toml", text)
}

/// The settings of the service, for a scheme. `route` is the target of schemes that sign the body.
pub(crate) fn verifier(scheme: &str, route: &str) -> VerifierBuilder {
    let builder = Verifier::builder();
    match scheme {
        "HMAC-SHA256" => builder,
        "ED25519" => builder.accept_only(Scheme::Ed25519),
        "AWS4-HMAC-SHA256" => {
            builder.accept_only(SigV4VerifySettings::new("eu-central-1", "user-service").unwrap())
        }
        "RFC 9421" => builder.accept_only(MessageSignaturesVerifySettings::new()),
        "X-HMAC-SHA256" => {
            let settings = DrfVerifySettings::for_caller("billing").unwrap();
            builder.accept_only(settings.with_route(Method::POST, route).unwrap())
        }
        "Standard-Webhooks" => {
            let settings = StandardWebhooksVerifySettings::for_caller("billing").unwrap();
            builder.accept_only(settings.with_route(Method::POST, route).unwrap())
        }
        other => panic!("no scheme {other}"),
    }
}
