//! One verifier with several schemes. Each request is verified in one scheme, and a failure in it
//! is final.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::similar_names,
    clippy::too_many_lines,
    reason = "a test that cannot be set up fails by panicking"
)]

use countersign::{
    CallerKey, CavageSignSettings, CavageVerifySettings, DrfVerifySettings, KeyStore, Keyring,
    MessageSignaturesSignSettings, MessageSignaturesVerifySettings, RejectionKind, Scheme, Secret,
    SigV4Credentials, SigV4SignSettings, SigV4VerifySettings, Signer, SigningKey,
    StandardWebhooksVerifySettings, Verified, Verifier,
};
use http::{HeaderValue, Method, Request, request::Parts};
use tests::keys::NOW;

const HOST: &str = "user-service.internal";
const REGION: &str = "eu-central-1";
const SERVICE: &str = "user-service";
const BODY: &[u8] = b"{\"userId\":123}";

/// A caller with a key for each of four schemes.
struct Caller {
    hmac: SigningKey,
    sigv4: SigningKey,
    message: SigningKey,
    cavage: SigningKey,
    drf: SigningKey,
    webhook: SigningKey,
}

impl Caller {
    fn new() -> Self {
        let secret = || Secret::generate().unwrap();
        Self {
            hmac: SigningKey::hmac_sha256(&secret()),
            sigv4: SigningKey::sigv4(&secret()),
            message: SigningKey::message_hmac_sha256(&secret()),
            cavage: SigningKey::cavage_hmac_sha256(&secret()),
            drf: SigningKey::drf(&secret()),
            webhook: SigningKey::standard_webhooks(&secret()),
        }
    }

    fn keys(&self) -> Keyring {
        let key = |version, key: &SigningKey| CallerKey::new(version, key.verifying_key()).unwrap();
        Keyring::builder()
            .caller("billing", key("hmac", &self.hmac))
            .caller("billing", key("sigv4", &self.sigv4))
            .caller("billing", key("message", &self.message))
            .caller("billing", key("cavage", &self.cavage))
            .caller("django", key("drf", &self.drf))
            .caller("sender", key("webhook", &self.webhook))
            .build()
            .unwrap()
    }

    fn signer(&self, scheme: Scheme) -> Signer {
        match scheme {
            Scheme::SigV4 => {
                let credentials = SigV4Credentials::new("billing", self.sigv4.clone()).unwrap();
                let settings = SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap();
                Signer::sigv4(settings.with_nonce(), [HOST]).unwrap()
            }
            Scheme::MessageSignatures => {
                let settings =
                    MessageSignaturesSignSettings::new("billing", self.message.clone()).unwrap();
                Signer::message_signatures(settings, [HOST]).unwrap()
            }
            Scheme::Cavage => {
                let settings = CavageSignSettings::new("billing", self.cavage.clone()).unwrap();
                Signer::cavage(settings, [HOST]).unwrap()
            }
            Scheme::Drf => Signer::drf(self.drf.clone(), [HOST]).unwrap(),
            Scheme::StandardWebhooks => {
                Signer::standard_webhooks([self.webhook.clone()], [HOST]).unwrap()
            }
            _ => Signer::new("billing", self.hmac.clone(), [HOST]).unwrap(),
        }
    }
}

const ALL: [Scheme; 6] = [
    Scheme::HmacSha256,
    Scheme::SigV4,
    Scheme::MessageSignatures,
    Scheme::Cavage,
    Scheme::Drf,
    Scheme::StandardWebhooks,
];

fn accepting(schemes: &[Scheme]) -> Verifier {
    let mut builder = Verifier::builder().expected_hosts([HOST]);
    let mut first = true;
    for scheme in schemes {
        let accepted = match scheme {
            Scheme::SigV4 => SigV4VerifySettings::new(REGION, SERVICE).unwrap().into(),
            Scheme::MessageSignatures => MessageSignaturesVerifySettings::new().into(),
            Scheme::Cavage => CavageVerifySettings::new().into(),
            Scheme::Drf => DrfVerifySettings::for_caller("django")
                .unwrap()
                .with_route(Method::POST, "/api/echo")
                .unwrap()
                .into(),
            Scheme::StandardWebhooks => StandardWebhooksVerifySettings::for_caller("sender")
                .unwrap()
                .with_route(Method::POST, "/api/echo")
                .unwrap()
                .into(),
            other => countersign::AcceptedScheme::from(*other),
        };
        builder = if first {
            builder.accept_only(accepted)
        } else {
            builder.accept(accepted)
        };
        first = false;
    }
    builder.build().unwrap()
}

fn post() -> Parts {
    let uri = format!("http://{HOST}/api/echo");
    Request::post(uri).body(()).unwrap().into_parts().0
}

fn signed(signer: &Signer) -> Parts {
    let mut parts = post();
    signer.sign(&parts, BODY, NOW).unwrap().apply(&mut parts);
    parts
}

fn judge(verifier: &Verifier, keys: &Keyring, parts: &Parts) -> Result<Verified, RejectionKind> {
    let verified = verifier.parse(parts, NOW).and_then(|unverified| {
        let found = keys.try_lookup(unverified.key_id()).unwrap().unwrap();
        unverified.authenticate(&found, NOW)?.finish_with(BODY, NOW)
    });
    verified.map_err(|rejection| rejection.kind())
}

#[test]
fn each_accepted_scheme_is_taken_and_says_which_it_was() {
    let caller = Caller::new();
    let (verifier, keys) = (accepting(&ALL), caller.keys());
    for scheme in ALL {
        let parts = signed(&caller.signer(scheme));
        let verified = judge(&verifier, &keys, &parts)
            .unwrap_or_else(|kind| panic!("{scheme}: refused as {kind:?}"));
        assert_eq!(verified.scheme(), scheme);
    }
}

#[test]
fn a_scheme_that_is_not_accepted_is_no_signature() {
    let caller = Caller::new();
    let keys = caller.keys();
    for accepted in ALL {
        let verifier = accepting(&[accepted]);
        for scheme in ALL.into_iter().filter(|scheme| *scheme != accepted) {
            let parts = signed(&caller.signer(scheme));
            let found = judge(&verifier, &keys, &parts).map(|_| ());
            assert_eq!(
                found,
                Err(RejectionKind::MissingSignature),
                "{scheme} where {accepted} is accepted"
            );
        }
    }
}

/// Source: mauth V1 fallback; MinIO CVE-2026-40344 (credentials in two places).
#[test]
fn two_signatures_in_two_accepted_schemes_are_refused_though_both_hold() {
    let caller = Caller::new();
    let (verifier, keys) = (accepting(&ALL), caller.keys());
    for one in ALL {
        for other in ALL.into_iter().filter(|other| *other != one) {
            let mut parts = signed(&caller.signer(one));
            let second = signed(&caller.signer(other));
            let mut overwritten = false;
            for (name, value) in &second.headers {
                overwritten |= name == "authorization" && parts.headers.contains_key(name);
                if !parts.headers.contains_key(name) {
                    parts.headers.insert(name, value.clone());
                }
            }
            if overwritten {
                // Both use `Authorization`, and two values of it are refused as well.
                parts
                    .headers
                    .append("authorization", second.headers["authorization"].clone());
            }
            let found = judge(&verifier, &keys, &parts).map(|_| ());
            assert_eq!(found, Err(RejectionKind::Malformed), "{one} and {other}");
        }
    }
}

/// A proxy signs the requests that it forwards, with a different tag.
#[test]
fn signatures_with_another_tag_than_the_one_that_is_set_are_no_second_signature() {
    let (caller, proxy) = (Caller::new(), Caller::new());
    let keys = caller.keys();
    let accepting = |settings| {
        Verifier::builder()
            .expected_hosts([HOST])
            .accept(settings)
            .build()
            .unwrap()
    };
    let tagged = accepting(
        MessageSignaturesVerifySettings::new()
            .with_tag("svc-v1")
            .unwrap(),
    );
    let untagged = accepting(MessageSignaturesVerifySettings::new());
    // The signature fields of these callers, each with its tag.
    let fields = |signatures: &[(&Caller, Option<&str>)]| {
        let mut found = Vec::new();
        for (number, (by, tag)) in signatures.iter().enumerate() {
            let settings =
                MessageSignaturesSignSettings::new("billing", by.message.clone()).unwrap();
            let mut settings = settings.with_label(&format!("s{number}")).unwrap();
            if let Some(tag) = tag {
                settings = settings.with_tag(tag).unwrap();
            }
            let parts = signed(&Signer::message_signatures(settings, [HOST]).unwrap());
            for name in ["signature-input", "signature", "content-digest"] {
                found.push((name, parts.headers[name].clone()));
            }
        }
        found
    };
    let with = |mut parts: Parts, fields: Vec<(&'static str, HeaderValue)>| {
        for (name, value) in fields {
            // One digest is enough, because all signatures cover the same body.
            if name != "content-digest" || !parts.headers.contains_key(name) {
                parts.headers.append(name, value);
            }
        }
        parts
    };
    let (ours, others) = ((&caller, Some("svc-v1")), (&proxy, Some("proxy")));
    let (malformed, missing) = (
        Err(RejectionKind::Malformed),
        Err(RejectionKind::MissingSignature),
    );
    let native = || signed(&caller.signer(Scheme::HmacSha256));
    let native_is_taken = Ok(Scheme::HmacSha256);
    let without = |mut parts: Parts, name: &str| {
        parts.headers.remove(name);
        parts
    };
    for (name, parts, by_tagged, by_untagged) in [
        (
            "beside another's",
            with(native(), fields(&[others])),
            native_is_taken,
            malformed,
        ),
        (
            "beside another's without a tag",
            with(native(), fields(&[(&proxy, None)])),
            native_is_taken,
            malformed,
        ),
        (
            "beside two others",
            with(native(), fields(&[others, (&proxy, Some("svc-v2"))])),
            native_is_taken,
            malformed,
        ),
        (
            "beside ours",
            with(native(), fields(&[ours])),
            malformed,
            malformed,
        ),
        (
            "beside another's and ours",
            with(native(), fields(&[others, ours])),
            malformed,
            malformed,
        ),
        (
            "beside one with our tag that is wrong",
            with(native(), fields(&[(&proxy, Some("svc-v1"))])),
            malformed,
            malformed,
        ),
        (
            "beside half of another's",
            without(with(native(), fields(&[others])), "signature"),
            malformed,
            malformed,
        ),
        (
            "beside the other half of another's",
            without(with(native(), fields(&[others])), "signature-input"),
            native_is_taken,
            native_is_taken,
        ),
        (
            "another's alone",
            with(post(), fields(&[others])),
            missing,
            Err(RejectionKind::InvalidSignature),
        ),
        (
            "another's and ours",
            with(post(), fields(&[others, ours])),
            Ok(Scheme::MessageSignatures),
            malformed,
        ),
    ] {
        for (verifier, expected) in [(&tagged, by_tagged), (&untagged, by_untagged)] {
            let found = judge(verifier, &keys, &parts).map(|verified| verified.scheme());
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn a_signature_that_fails_is_final_whatever_else_is_accepted() {
    let (caller, stranger) = (Caller::new(), Caller::new());
    let (verifier, keys) = (accepting(&ALL), caller.keys());
    for scheme in ALL {
        let parts = signed(&stranger.signer(scheme));
        let found = judge(&verifier, &keys, &parts).map(|_| ());
        assert_eq!(found, Err(RejectionKind::InvalidSignature), "{scheme}");
    }
}

/// The same secret bytes give different keys in different schemes. A signature in one scheme never
/// verifies in another.
#[test]
fn a_key_of_one_scheme_verifies_nothing_in_another() {
    let secret = Secret::from_hex(tests::keys::SECRET).unwrap();
    let caller = Caller {
        hmac: SigningKey::hmac_sha256(&secret),
        sigv4: SigningKey::sigv4(&secret),
        message: SigningKey::message_hmac_sha256(&secret),
        cavage: SigningKey::cavage_hmac_sha256(&secret),
        drf: SigningKey::drf(&secret),
        webhook: SigningKey::standard_webhooks(&secret),
    };
    let verifier = accepting(&ALL);
    for held in ALL {
        let key = match held {
            Scheme::SigV4 => &caller.sigv4,
            Scheme::MessageSignatures => &caller.message,
            Scheme::Cavage => &caller.cavage,
            Scheme::Drf => &caller.drf,
            Scheme::StandardWebhooks => &caller.webhook,
            _ => &caller.hmac,
        };
        let name = match held {
            Scheme::Drf => "django",
            Scheme::StandardWebhooks => "sender",
            _ => "billing",
        };
        let key = CallerKey::new("1", key.verifying_key()).unwrap();
        let keys = Keyring::builder().caller(name, key).build().unwrap();
        for scheme in ALL {
            let parts = signed(&caller.signer(scheme));
            let found = judge(&verifier, &keys, &parts).map(|verified| verified.scheme());
            let expected = if scheme == held {
                Ok(scheme)
            } else {
                Err(RejectionKind::InvalidSignature)
            };
            assert_eq!(found, expected, "{scheme} with a key for {held}");
        }
    }
}

/// The nonce rule is the same everywhere: a covered `x-nonce` is a nonce.
#[test]
fn one_nonce_is_one_replay_identity_in_every_scheme_that_has_x_nonce() {
    let caller = Caller::new();
    let (verifier, keys) = (accepting(&ALL), caller.keys());
    let nonce = countersign::Nonce::new("6f1c0d5e2b7a49838d21a6b0c4e5f713").unwrap();
    let identity = |scheme| {
        let mut parts = post();
        let signer = caller.signer(scheme);
        let signature = signer.sign_with_nonce(&parts, BODY, nonce.clone(), NOW);
        signature.unwrap().apply(&mut parts);
        let verified = judge(&verifier, &keys, &parts).unwrap();
        assert_eq!(verified.nonce(), Some(nonce.as_str()), "{scheme}");
        verified.replay_key("audience").unwrap()
    };
    assert_eq!(identity(Scheme::HmacSha256), identity(Scheme::SigV4));
    assert_eq!(identity(Scheme::HmacSha256), identity(Scheme::Cavage));
    // If the header is not covered, anyone could have added it.
    for scheme in [Scheme::HmacSha256, Scheme::SigV4] {
        let mut parts = post();
        let signer = match scheme {
            Scheme::SigV4 => {
                let credentials = SigV4Credentials::new("billing", caller.sigv4.clone()).unwrap();
                let settings = SigV4SignSettings::new(REGION, SERVICE, credentials).unwrap();
                Signer::sigv4(settings, [HOST]).unwrap()
            }
            _ => caller.signer(scheme).insecure_three_headers(),
        };
        signer.sign(&parts, BODY, NOW).unwrap().apply(&mut parts);
        let nonce = HeaderValue::from_str(nonce.as_str()).unwrap();
        parts.headers.insert("x-nonce", nonce);
        let found = judge(&verifier, &keys, &parts).map(|_| ());
        assert_eq!(found, Err(RejectionKind::InsufficientCoverage), "{scheme}");
    }
}
