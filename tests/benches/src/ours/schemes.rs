//! This project in each of the schemes beside `HMAC-SHA256`.

use crate::{
    case::Case,
    schemes::{Operation, Scheme, Subject},
};

/// The case of this subject, once there is one.
pub fn case(subject: Subject) -> Option<Case> {
    match subject.operation {
        Operation::Sign => sign(subject.scheme, subject.body_len),
        Operation::Verify => verify(subject.scheme, subject.body_len),
    }
}

/// Signs the head for a body of so many bytes and sets the headers.
fn sign(scheme: Scheme, _body_len: usize) -> Option<Case> {
    match scheme {
        Scheme::SigV4
        | Scheme::SigV4Presigned
        | Scheme::Drf
        | Scheme::StandardWebhooks
        | Scheme::HmacMessages
        | Scheme::Ed25519Messages => None,
    }
}

/// Verifies head and body of what the lower bound has signed.
fn verify(scheme: Scheme, _body_len: usize) -> Option<Case> {
    match scheme {
        Scheme::SigV4
        | Scheme::SigV4Presigned
        | Scheme::Drf
        | Scheme::StandardWebhooks
        | Scheme::HmacMessages
        | Scheme::Ed25519Messages => None,
    }
}
