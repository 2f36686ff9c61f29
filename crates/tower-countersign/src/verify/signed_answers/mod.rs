//! Signs the responses to verified requests.

mod answering;
mod collect;
mod settings;
mod unsignable;

pub(super) use self::answering::Answering;
pub use self::settings::AnswerSigning;
