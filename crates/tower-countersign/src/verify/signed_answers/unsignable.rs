use std::fmt;

use crate::BoxError;

/// Why a response cannot be signed.
#[derive(Debug)]
pub(super) enum Unsignable {
    TooLarge { limit: u64 },
    Late,
    Trailers,
    Broken(BoxError),
    Grpc,
    Informational,
    NoKey,
    Signer(countersign::SignError),
}

impl fmt::Display for Unsignable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit } => write!(
                f,
                "answer: expected a body of at most {limit} bytes, found a longer one \
                 (see AnswerSigning::with_max_bytes)"
            ),
            Self::Late => f.write_str(
                "answer: expected the whole body before the deadline, found none by then \
                 (see AnswerSigning::with_deadline)",
            ),
            Self::Trailers => f.write_str(
                "answer: expected a body without trailers, which no signature covers, found some",
            ),
            Self::Broken(error) => {
                let error = error.to_string();
                write!(
                    f,
                    "answer: expected the end of the body, found the error \"{}\"",
                    countersign::Escaped::text(&error)
                )
            }
            Self::Grpc => f.write_str(
                "answer: expected one that can be signed, found a gRPC response \
                 (see AnswerSigning::insecure_unsigned_for)",
            ),
            Self::Informational => f.write_str(
                "answer: expected one that can be signed, found an upgrade \
                 (see AnswerSigning::insecure_unsigned_for)",
            ),
            Self::NoKey => f.write_str(
                "answer: expected a key for a caller with a public key, found none \
                 (see AnswerSigning::with_service_key)",
            ),
            Self::Signer(error) => write!(f, "answer: {error}"),
        }
    }
}
