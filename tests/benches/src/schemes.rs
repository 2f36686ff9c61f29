//! The schemes beside `HMAC-SHA256`: the groups of each, with the lower bound of its work.

use std::{collections::HashMap, rc::Rc};

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use http::{
    Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use sha2::{Digest, Sha256};

use crate::{
    case::{Case, Group},
    groups::{BOUND, HASH, KIB, MIB, NAIVE, OURS, size},
    lower_bound::{self, drf, message_signatures, sigv4, standard_webhooks},
    naive, ours, request,
};

const BACKEND: &str = "ed25519-dalek alone";

/// The seconds that a presigned request is good for.
pub const EXPIRES_IN: u64 = 900;

/// One way to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// AWS SigV4 in headers, every header covered, the key of the day at hand.
    SigV4,
    /// AWS SigV4 in the query of a GET without a body. Only verified.
    SigV4Presigned,
    /// Timestamp and body, as the Django article has it.
    Drf,
    /// Standard Webhooks, `v1`.
    StandardWebhooks,
    /// RFC 9421, hmac-sha256, with a content digest and a given nonce.
    HmacMessages,
    /// RFC 9421, ed25519, with a content digest and a given nonce.
    Ed25519Messages,
}

/// One side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Into the headers of a request.
    Sign,
    /// Head and body.
    Verify,
}

/// What one group does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// How.
    pub scheme: Scheme,
    /// Which side.
    pub operation: Operation,
    /// The length of the body.
    pub body_len: usize,
}

impl Scheme {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SigV4 => "SigV4",
            Self::SigV4Presigned => "SigV4 presigned",
            Self::Drf => "DRF",
            Self::StandardWebhooks => "Standard Webhooks",
            Self::HmacMessages => "RFC 9421 hmac-sha256",
            Self::Ed25519Messages => "RFC 9421 ed25519",
        }
    }
}

impl Subject {
    /// Every one, in the order in which they are printed.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for scheme in [
            Scheme::SigV4,
            Scheme::Drf,
            Scheme::StandardWebhooks,
            Scheme::HmacMessages,
            Scheme::Ed25519Messages,
        ] {
            for operation in [Operation::Sign, Operation::Verify] {
                for body_len in [0, KIB, MIB] {
                    all.push(Self {
                        scheme,
                        operation,
                        body_len,
                    });
                }
            }
        }
        all.push(Self {
            scheme: Scheme::SigV4Presigned,
            operation: Operation::Verify,
            body_len: 0,
        });
        all
    }

    /// The name of its group.
    pub fn name(self) -> String {
        let operation = match self.operation {
            Operation::Sign => "sign",
            Operation::Verify => "verify",
        };
        format!(
            "{operation} {}, body of {}",
            self.scheme.name(),
            size(self.body_len)
        )
    }

    /// The cases, and the claims about ours.
    pub fn group(self) -> Group {
        let mut cases = vec![self.bound()];
        cases.extend(self.naive());
        if self.body_len == MIB {
            let body = request::body(MIB);
            cases.push(Case::repeated(HASH, move || Sha256::digest(&body)));
        }
        cases.extend(self.backend());
        let ours = ours::schemes::case(self);
        let is_measured = ours.is_some();
        cases.extend(ours);
        let group = Group::new(self.name(), cases);
        if is_measured {
            self.claims(group)
        } else {
            group
        }
    }

    /// The limits are those of the budget that was set before there was anything to measure.
    fn claims(self, group: Group) -> Group {
        match (self.scheme, self.operation, self.body_len) {
            (Scheme::SigV4, Operation::Sign, KIB) => group.at_most(OURS, 1.53, BOUND),
            (Scheme::SigV4, Operation::Verify, KIB) => group.at_most(OURS, 1.51, BOUND),
            (Scheme::HmacMessages, Operation::Sign, KIB) => group.at_most(OURS, 1.85, BOUND),
            (Scheme::HmacMessages, Operation::Verify, KIB) => group.at_most(OURS, 2.14, BOUND),
            (Scheme::Ed25519Messages, _, KIB) => group.at_most_more(OURS, 1500.0, BACKEND),
            // Beside the hash, a signature is more than a twentieth.
            (Scheme::Ed25519Messages, _, MIB) => group,
            (_, _, MIB) => group.at_most(OURS, 1.05, HASH),
            _ => group,
        }
    }

    fn bound(self) -> Case {
        match self.operation {
            Operation::Sign => self.bound_sign(),
            Operation::Verify => self.bound_verify(),
        }
    }

    fn bound_sign(self) -> Case {
        let len = self.body_len;
        let body = request::body(len);
        match self.scheme {
            Scheme::SigV4 | Scheme::SigV4Presigned => {
                let mut key = sigv4::Key::new(request::SIGV4_SECRET);
                signing(len, move |parts| {
                    sigv4::sign(&mut key, request::SIGV4_ACCESS_KEY, parts, &body).unwrap();
                })
            }
            Scheme::Drf => {
                let key = drf_key();
                signing(len, move |parts| drf::sign(&key, parts, &body).unwrap())
            }
            Scheme::StandardWebhooks => {
                let key = webhook_key();
                signing(len, move |parts| {
                    standard_webhooks::sign(&key, request::WEBHOOK_ID, parts, &body).unwrap();
                })
            }
            Scheme::HmacMessages | Scheme::Ed25519Messages => {
                let key = message_key(self.scheme);
                signing(len, move |parts| {
                    let (caller, nonce) = (request::CALLER, request::MESSAGE_NONCE);
                    message_signatures::sign(&key, caller, nonce, parts, &body).unwrap();
                })
            }
        }
    }

    fn bound_verify(self) -> Case {
        let body = request::body(self.body_len);
        let parts = signed(self.scheme, &body);
        let verify: Box<dyn FnMut() -> bool> = match self.scheme {
            Scheme::SigV4 => {
                let keys = sigv4_keys();
                Box::new(move || sigv4::verify(&keys, &parts, &body))
            }
            Scheme::SigV4Presigned => {
                let keys = sigv4_keys();
                Box::new(move || sigv4::verify_presigned(&keys, &parts))
            }
            Scheme::Drf => {
                let key = drf_key();
                Box::new(move || drf::verify(&key, &parts, &body))
            }
            Scheme::StandardWebhooks => {
                let key = webhook_key();
                Box::new(move || standard_webhooks::verify(&key, &parts, &body))
            }
            Scheme::HmacMessages | Scheme::Ed25519Messages => {
                let key = message_key(self.scheme).public();
                let keys = HashMap::from([(request::CALLER.to_string(), key)]);
                Box::new(move || message_signatures::verify(&keys, &parts, &body))
            }
        };
        verifying(BOUND, verify)
    }

    fn naive(self) -> Option<Case> {
        let len = self.body_len;
        let body: Rc<[u8]> = request::body(len).into();
        let parts = signed(self.scheme, &body);
        let case = match (self.scheme, self.operation) {
            (Scheme::Drf, Operation::Sign) => Case::consuming(
                NAIVE,
                move || request::unsigned(len),
                move |parts| naive::drf::sign(request::DRF_SECRET, parts, &body).unwrap(),
            ),
            (Scheme::Drf, Operation::Verify) => verifying(NAIVE, move || {
                naive::drf::verify(request::DRF_SECRET, &parts, &body).is_ok()
            }),
            (Scheme::StandardWebhooks, Operation::Sign) => Case::consuming(
                NAIVE,
                move || request::unsigned(len),
                move |parts| {
                    let (secret, id) = (request::WEBHOOK_SECRET, request::WEBHOOK_ID);
                    naive::standard_webhooks::sign(secret, id, parts, &body).unwrap();
                },
            ),
            (Scheme::StandardWebhooks, Operation::Verify) => verifying(NAIVE, move || {
                naive::standard_webhooks::verify(request::WEBHOOK_SECRET, &parts, &body).is_ok()
            }),
            (
                Scheme::SigV4
                | Scheme::SigV4Presigned
                | Scheme::HmacMessages
                | Scheme::Ed25519Messages,
                _,
            ) => return None,
        };
        Some(case)
    }

    /// The signature of a text as long as a signature base, and nothing else.
    fn backend(self) -> Option<Case> {
        let Scheme::Ed25519Messages = self.scheme else {
            return None;
        };
        let key = ed25519_key();
        let text = request::body(400);
        Some(match self.operation {
            Operation::Sign => Case::repeated(BACKEND, move || key.sign(&text)),
            Operation::Verify => {
                let signature = key.sign(&text);
                let key = key.verifying_key();
                verifying(BACKEND, move || {
                    key.verify_strict(&text, &signature).is_ok()
                })
            }
        })
    }
}

/// A case that verifies one request again and again.
pub fn verifying(name: &'static str, mut verify: impl FnMut() -> bool + 'static) -> Case {
    Case::repeated(name, move || assert!(verify()))
}

fn signing(len: usize, sign: impl FnMut(&mut Parts) + 'static) -> Case {
    Case::consuming(BOUND, move || request::unsigned(len), sign)
}

/// The request, signed by the lower bound.
pub fn signed(scheme: Scheme, body: &[u8]) -> Parts {
    let mut parts = request::unsigned(body.len());
    let (caller, nonce) = (request::CALLER, request::MESSAGE_NONCE);
    match scheme {
        Scheme::SigV4 => {
            let mut key = sigv4::Key::new(request::SIGV4_SECRET);
            sigv4::sign(&mut key, request::SIGV4_ACCESS_KEY, &mut parts, body)
        }
        Scheme::SigV4Presigned => {
            parts.method = Method::GET;
            parts.headers.remove(CONTENT_TYPE);
            parts.headers.remove(CONTENT_LENGTH);
            let mut key = sigv4::Key::new(request::SIGV4_SECRET);
            let access_key = request::SIGV4_ACCESS_KEY;
            sigv4::presign(&mut key, access_key, EXPIRES_IN, &mut parts)
        }
        Scheme::Drf => drf::sign(&drf_key(), &mut parts, body),
        Scheme::StandardWebhooks => {
            standard_webhooks::sign(&webhook_key(), request::WEBHOOK_ID, &mut parts, body)
        }
        Scheme::HmacMessages | Scheme::Ed25519Messages => {
            message_signatures::sign(&message_key(scheme), caller, nonce, &mut parts, body)
        }
    }
    .unwrap();
    parts
}

/// The keys of the bound that verifies SigV4.
pub fn sigv4_keys() -> HashMap<String, sigv4::Key> {
    let key = sigv4::Key::new(request::SIGV4_SECRET);
    HashMap::from([(request::SIGV4_ACCESS_KEY.to_string(), key)])
}

/// The key of the Django article's scheme.
pub fn drf_key() -> lower_bound::Key {
    lower_bound::key(request::DRF_SECRET.as_bytes())
}

/// The key of Standard Webhooks.
pub fn webhook_key() -> lower_bound::Key {
    let secret = request::WEBHOOK_SECRET.strip_prefix("whsec_").unwrap();
    lower_bound::key(&Base64::decode_vec(secret).unwrap())
}

/// The key that signs messages in this scheme.
pub fn message_key(scheme: Scheme) -> message_signatures::Key {
    if scheme == Scheme::Ed25519Messages {
        return message_signatures::Key::Ed25519(ed25519_key());
    }
    let secret = hex::decode(request::KEY).unwrap();
    message_signatures::Key::Hmac(lower_bound::key(&secret))
}

fn ed25519_key() -> SigningKey {
    let seed = hex::decode(request::KEY).unwrap();
    SigningKey::from_bytes(&seed.try_into().unwrap())
}
