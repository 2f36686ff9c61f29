//! A vector for each rule of each dialect: one that is accepted, or refused by that rule alone.

use http::{HeaderName, HeaderValue, Request, request::Parts};

use super::{
    dialect_suites::{Case, Keys, suites, verify},
    parse,
    rules::{Bytes, Choice, Content, Counts, KeyIdForm, NonceForm, ParamSet, TargetUri, Times},
    structured_field,
};
use crate::{
    Algorithm, KeyState, MessageSignaturesVerifySettings as Settings, RequestHead, Secret,
    SigningKey, Timestamp, UriScheme, Verifier, VerifyingKey,
    families::{Credentials, Decides, SignedOver},
    scheme::AlgorithmSet,
};

const CREATED: i64 = 1_767_323_045;

/// A request before it is signed.
#[derive(Clone)]
struct Draft {
    uri: &'static str,
    headers: Vec<(&'static str, String)>,
    body: &'static str,
    label: &'static str,
    components: Vec<&'static str>,
    params: Vec<(&'static str, String)>,
    key: Algorithm,
    digest_bytes: Bytes,
    signature_bytes: Bytes,
    /// Seconds after `created`.
    age: i64,
    /// A second signature, under this label.
    again: Option<&'static str>,
}

fn signing_key(algorithm: Algorithm) -> Option<SigningKey> {
    let bytes: Vec<u8> = (100..148).collect();
    let secret = Secret::from_bytes(&bytes[..32]);
    Some(match algorithm {
        Algorithm::HmacSha256 => SigningKey::message_hmac_sha256(&secret),
        Algorithm::Ed25519 => SigningKey::message_ed25519(&secret).unwrap(),
        Algorithm::EcdsaP256Sha256 => SigningKey::message_ecdsa_p256_sha256(&secret).unwrap(),
        Algorithm::EcdsaP384Sha384 => {
            SigningKey::message_ecdsa_p384_sha384(&Secret::from_bytes(&bytes)).unwrap()
        }
        // The keys of RSA only verify. The suites hold signatures of others.
        Algorithm::RsaPssSha512 | Algorithm::RsaV15Sha256 => return None,
    })
}

impl Draft {
    /// Returns a request that the dialect accepts.
    fn of(dialect: &str) -> Self {
        let settings_param = |name, value: &str| (name, format!("\"{value}\""));
        let times = [
            ("created", CREATED.to_string()),
            ("expires", (CREATED + 300).to_string()),
        ];
        let nonce = settings_param("nonce", "KXYnfEfJ0PBRZXQyVXfVQA");
        let mut draft = Self {
            uri: "https://a.example/x?q=1",
            headers: vec![("content-type", "text/plain".to_owned())],
            body: "content",
            label: "sig1",
            components: vec![
                "@method",
                "@target-uri",
                "@authority",
                "content-type",
                "content-digest",
            ],
            params: vec![],
            key: Algorithm::Ed25519,
            digest_bytes: Bytes::Base64,
            signature_bytes: Bytes::Base64,
            age: 1,
            again: None,
        };
        let [created, expires] = times;
        let alg = settings_param("alg", "ed25519");
        match dialect {
            "curl" => {
                draft.components =
                    vec!["@method", "@authority", "@path", "@query", "content-digest"];
                draft.params = vec![created, settings_param("keyid", "a \\\"b"), alg];
            }
            "web_bot_auth" => {
                let agent = "sig1=\"https://agent.test/keys\"".to_owned();
                draft.headers.push(("signature-agent", agent));
                draft.components = vec!["@authority", "signature-agent\";key=\"sig1"];
                let key = draft.signing_key().verifying_key();
                let keyid = settings_param("keyid", &key.thumbprint().unwrap());
                draft.params = vec![
                    created,
                    expires,
                    keyid,
                    settings_param("tag", "web-bot-auth"),
                ];
            }
            adcp => {
                let tag = match adcp {
                    "adcp_webhook" => "adcp/webhook-signing/v1",
                    _ => "adcp/request-signing/v1",
                };
                let keyid = settings_param("keyid", "a key");
                draft.params = vec![
                    created,
                    expires,
                    nonce,
                    keyid,
                    alg,
                    settings_param("tag", tag),
                ];
                if adcp != "adcp_request_3_2" {
                    draft.signature_bytes = Bytes::Base64Url;
                }
                if adcp == "adcp_request_3_1" {
                    draft.digest_bytes = Bytes::Base64Url;
                }
            }
        }
        draft
    }

    fn signing_key(&self) -> SigningKey {
        signing_key(self.key).unwrap()
    }

    fn set(&mut self, name: &'static str, value: String) {
        match self.params.iter_mut().find(|(known, _)| *known == name) {
            Some(param) => param.1 = value,
            None => self.params.push((name, value)),
        }
    }

    /// Signs the draft with our own key.
    fn sign(&self, id: String, settings: &Settings) -> Case {
        let mut parts = self.unsigned();
        let components = self.components.iter().map(|name| format!("\"{name}\""));
        let components = components.collect::<Vec<_>>().join(" ");
        let params = self
            .params
            .iter()
            .map(|(name, value)| format!(";{name}={value}"));
        let list = format!("({components}){}", params.collect::<String>());
        // Without a date or a key id there is no reader that makes a base.
        let signature = self.base(&parts, &list, settings).map_or_else(
            || vec![0; 64],
            |base| self.signing_key().sign_message(base.as_bytes()).to_vec(),
        );
        let mut another = signature.clone();
        another.reverse();
        let signatures = [(Some(self.label), signature), (self.again, another)];
        for (label, signature) in signatures {
            let Some(label) = label else { continue };
            let signature =
                structured_field::byte_sequence([label, "="], &signature, self.signature_bytes);
            append(&mut parts, "signature-input", &format!("{label}={list}"));
            append(&mut parts, "signature", &signature.unwrap());
        }
        let key = self.signing_key().verifying_key();
        let body = self.body.as_bytes().to_vec();
        Case {
            id,
            parts: Some((parts, body)),
            now: Timestamp::from_unix_seconds(CREATED + self.age),
            expected: String::new(),
            identifier: None,
            change: |settings| settings,
            keys: self.keys(&key),
            seen: Vec::new(),
        }
    }

    fn unsigned(&self) -> Parts {
        let request = Request::post(self.uri).header("host", "a.example").body(());
        let (mut parts, ()) = request.unwrap().into_parts();
        for (name, value) in &self.headers {
            append(&mut parts, name, value);
        }
        if self.components.contains(&"content-digest") {
            let digest = crate::PayloadDigest::of(self.body.as_bytes());
            let value = super::content_digest::format(digest, self.digest_bytes);
            parts.headers.insert("content-digest", value.unwrap());
        }
        let length = HeaderValue::from(self.body.len());
        parts.headers.insert("content-length", length);
        parts
    }

    /// Returns the text to sign, as a reader without rules makes it.
    fn base(&self, parts: &Parts, list: &str, settings: &Settings) -> Option<String> {
        let mut parts = parts.clone();
        append(&mut parts, "signature-input", &format!("sig1={list}"));
        append(&mut parts, "signature", "sig1=:AAAA:");
        let lenient = Settings {
            key_id_form: KeyIdForm::Text,
            content: Content::SignedIfCovered,
            digest_bytes: self.digest_bytes,
            target_uri: settings.target_uri,
            scheme: settings.scheme,
            structured_fields: settings.structured_fields.clone(),
            ..Settings::strict().insecure_require_only([])
        };
        let verifier = Verifier::builder()
            .accept_only(lenient.clone())
            .expected_hosts(["a.example"])
            .build()
            .unwrap();
        let now = Timestamp::from_unix_seconds(CREATED);
        let head = RequestHead::from(&parts);
        let parsed = parse::parse(&lenient, head, verifier.requirements(), now).ok()?;
        match parsed.signed_over {
            SignedOver::Head {
                credentials: Credentials::MessageSignatures(credentials),
                ..
            } => Some(credentials.base.as_str().to_owned()),
            _ => None,
        }
    }

    fn keys(&self, key: &VerifyingKey) -> Keys {
        let keyid = self.params.iter().find(|(name, _)| *name == "keyid");
        let keyid = keyid.map(|(_, text)| text.trim_matches('"').replace("\\\"", "\""));
        let keyid = keyid.unwrap_or_default();
        let agent = format!("https://agent.test/keys {keyid}");
        let entry = || (key.clone(), KeyState::Active);
        Keys::from([(keyid.clone(), entry()), (agent, entry())])
    }
}

fn append(parts: &mut Parts, name: &str, value: &str) {
    let name = HeaderName::try_from(name).unwrap();
    parts
        .headers
        .append(name, HeaderValue::from_str(value).unwrap());
}

/// The accepted draft of a dialect, and one that breaks each rule.
fn own(dialect: &str, settings: &Settings) -> Vec<Case> {
    let good = Draft::of(dialect);
    let mut drafts = vec![("good".to_owned(), good.clone())];
    let mut add = |name: String, change: &dyn Fn(&mut Draft)| {
        let mut draft = good.clone();
        change(&mut draft);
        drafts.push((name, draft));
    };
    for at in 0..good.components.len() {
        add(format!("without {}", good.components[at]), &|draft| {
            draft.components.remove(at);
        });
    }
    for at in 0..good.params.len() {
        add(format!("without {}", good.params[at].0), &|draft| {
            draft.params.remove(at);
        });
    }
    for age in [-59, -61, -86_000, 301, 299, 359, 361, 650, 90_000] {
        add(format!("{age} s old"), &|draft| draft.age = age);
    }
    for life in [1, 149, 299, 301, 90_000] {
        add(format!("valid for {life} s"), &|draft| {
            draft.set("expires", (CREATED + life).to_string());
        });
    }
    for algorithm in Algorithm::ALL
        .iter()
        .filter(|one| signing_key(**one).is_some())
    {
        add(format!("signed with {algorithm}"), &|draft| {
            draft.key = *algorithm;
            if draft.params.iter().any(|(name, _)| *name == "alg") {
                draft.set("alg", format!("\"{algorithm}\""));
            }
        });
    }
    for label in ["another", "sig2"] {
        add(format!("label {label}"), &|draft| draft.label = label);
    }
    add("two labels".to_owned(), &|draft| {
        draft.again = Some("another");
    });
    add("two other labels".to_owned(), &|draft| {
        (draft.label, draft.again) = ("b", Some("c"));
    });
    for (name, value) in [
        ("tag", "\"another\""),
        ("nonce", "\"a nonce\""),
        ("keyid", "\"a b\""),
        ("keyid", "\"billing\""),
    ] {
        add(format!("{name} {value}"), &|draft| {
            draft.set(name, value.to_owned());
        });
    }
    add("base64url".to_owned(), &|draft| {
        draft.signature_bytes = Bytes::Base64Url;
    });
    add("base64".to_owned(), &|draft| {
        draft.signature_bytes = Bytes::Base64;
    });
    add("a digest in base64url".to_owned(), &|draft| {
        draft.digest_bytes = Bytes::Base64Url;
    });
    add("a digest in base64".to_owned(), &|draft| {
        draft.digest_bytes = Bytes::Base64;
    });
    add("a URI with a second form".to_owned(), &|draft| {
        draft.uri = "https://a.example/%7ea/./b?q=1";
        for component in &mut draft.components {
            if *component == "@path" {
                *component = "@target-uri";
            }
        }
        if !draft.components.contains(&"@target-uri") {
            draft.components.push("@target-uri");
        }
    });
    add("no scheme in the request".to_owned(), &|draft| {
        draft.uri = "/x?q=1";
    });
    add("a default port".to_owned(), &|draft| draft.uri = "/x?q=1");
    add("no query".to_owned(), &|draft| {
        draft.uri = "https://a.example/x";
        draft.components.retain(|name| *name != "@query");
    });
    add("no body, and its type".to_owned(), &|draft| {
        draft.body = "";
        let of_body = ["content-type", "content-digest"];
        draft.components.retain(|name| !of_body.contains(name));
    });
    add("an encoded body".to_owned(), &|draft| {
        draft.headers.push(("content-encoding", "gzip".to_owned()));
    });
    add("no agent".to_owned(), &|draft| {
        draft.headers.retain(|(name, _)| *name != "signature-agent");
        draft
            .components
            .retain(|name| !name.starts_with("signature-agent"));
    });
    let signed = drafts.into_iter();
    signed
        .map(|(name, draft)| draft.sign(format!("own: {name}"), settings))
        .collect()
}

#[test]
fn the_own_vector_of_each_dialect_is_accepted() {
    for (name, settings, _) in suites() {
        let cases = own(name, &settings());
        let found = verify(settings(), &cases[0]);
        assert!(found.is_ok(), "{name}: {found:?}");
    }
}

type Change = (String, Box<dyn Fn(Settings) -> Settings>);

/// Every field of the settings with another value.
fn changes(settings: &Settings) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut add = |name: String, change: Box<dyn Fn(Settings) -> Settings>| {
        changes.push((name, change));
    };
    for at in 0..settings.required.len() {
        let name = settings.required[at].component.to_string();
        add(
            format!("required without {name}"),
            Box::new(move |mut settings| {
                settings.required.remove(at);
                settings
            }),
        );
    }
    macro_rules! other {
        ($field:ident: $($value:expr),+) => {
            $(add(
                format!("{}: {:?}", stringify!($field), $value),
                Box::new(|mut settings| {
                    settings.$field = $value;
                    settings
                }),
            );)+
        };
    }
    other!(tag: None::<Box<str>>, Some(Box::<str>::from("another")));
    other!(choice: Choice::OnlyOne, Choice::Label("another"));
    for (name, one) in [
        ("created", ParamSet::CREATED),
        ("expires", ParamSet::EXPIRES),
        ("nonce", ParamSet::NONCE),
        ("keyid", ParamSet::KEYID),
        ("alg", ParamSet::ALG),
    ] {
        add(
            format!("params: {name}"),
            Box::new(move |mut settings| {
                settings.params = settings.params.toggled(one);
                settings
            }),
        );
    }
    if let Times::Stated {
        longest,
        ahead,
        grace,
    } = settings.times
    {
        let halved = |longest, ahead, grace| Times::Stated {
            longest,
            ahead,
            grace,
        };
        for (name, times) in [
            ("longest, shorter", halved(longest / 2, ahead, grace)),
            ("longest, longer", halved(longest * 40_000, ahead, grace)),
            ("ahead, longer", halved(longest, ahead * 10, grace)),
            ("grace", halved(longest, ahead, grace + longest)),
        ] {
            add(
                format!("times: {name}"),
                Box::new(move |mut settings| {
                    settings.times = times;
                    settings
                }),
            );
        }
    }
    // Where every signature has a nonce, nobody has to decide.
    if ParamSet::NONCE.first_not_in(settings.params).is_some() {
        other!(nonce: Decides::Key, Decides::NotAsked);
    }
    other!(nonce_form: NonceForm::Text, NonceForm::Base64Url);
    other!(key_id_form: KeyIdForm::Name, KeyIdForm::Text, KeyIdForm::Thumbprint);
    // The keys of RSA only verify; the suite of Web Bot Auth has a signature of another's.
    let signs = |one: &&Algorithm| signing_key(**one).is_some();
    for one in Algorithm::ALL.iter().filter(signs) {
        let one = *one;
        add(
            format!("algorithms: {one}"),
            Box::new(move |mut settings| {
                let all = Algorithm::ALL.iter().copied();
                let toggled =
                    all.filter(|other| settings.algorithms.contains(*other) != (*other == one));
                settings.algorithms = AlgorithmSet::of(&toggled.collect::<Vec<_>>());
                settings
            }),
        );
    }
    other!(agent: None::<HeaderName>);
    other!(content: Content::Signed, Content::SignedIfCovered, Content::NeverCovered);
    other!(content_type: Decides::Key, Decides::NotAsked);
    other!(signature_bytes: Bytes::Base64, Bytes::Base64Url);
    other!(digest_bytes: Bytes::Base64, Bytes::Base64Url);
    other!(counts: Counts::WhatBinds, Counts::WhatIsListed);
    other!(target_uri: TargetUri::AsSent, TargetUri::Normalized);
    other!(scheme: None::<UriScheme>, Some(UriScheme::Http));
    changes
}

/// A rule that no vector notices would not be tested.
#[test]
fn some_vector_notices_each_rule_of_each_dialect() {
    let mut unnoticed = Vec::new();
    for (name, settings, mut cases) in suites() {
        // Without the shared vectors, few rules have a case.
        if cases.is_empty() {
            eprintln!("{name}: shared vectors: not present, not run");
            continue;
        }
        cases.extend(own(name, &settings()));
        let outcomes = |change: &dyn Fn(Settings) -> Settings| -> Vec<String> {
            let words = cases
                .iter()
                .map(|case| match verify(change(settings()), case) {
                    Ok(key_id) => key_id,
                    Err((kind, is_known)) => format!("{kind:?} {is_known}"),
                });
            words.collect()
        };
        let own = outcomes(&|settings| settings);
        let plain = format!("{:?}", settings());
        for (rule, change) in changes(&settings()) {
            let is_another = format!("{:?}", change(settings())) != plain;
            if is_another && outcomes(&*change) == own {
                unnoticed.push(format!("{name}: {rule}"));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
