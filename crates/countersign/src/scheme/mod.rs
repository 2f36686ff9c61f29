//! The identity of the schemes: their names and fixed properties.
//!
//! Parsing and signing are in the module of the scheme's family.

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
