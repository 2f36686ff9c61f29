//! The identity of the schemes: their names, and what is fixed for each.
//!
//! How a scheme is read and written is in its family's room.

mod algorithm;
mod content_type_rule;
mod definition;
mod identity;
mod nonce_rule;

pub(crate) use self::definition::Definition;
pub use self::{
    algorithm::Algorithm, content_type_rule::ContentTypeRule, identity::Scheme,
    nonce_rule::NonceRule,
};
