//! The identity of the schemes: their names and fixed properties.
//!
//! Parsing and signing are in the module of the scheme's family.

mod algorithm;
mod algorithm_set;
mod content_type_rule;
mod definition;
mod identity;
mod nonce_rule;

pub use self::{
    algorithm::Algorithm, content_type_rule::ContentTypeRule, identity::Scheme,
    nonce_rule::NonceRule,
};
pub(crate) use self::{algorithm_set::AlgorithmSet, definition::Definition};
