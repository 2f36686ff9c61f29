//! The tables of a TOML file that holds keys.

use serde::Deserialize;
use toml::Spanned;
use zeroize::Zeroizing;

use super::toml_text::parse;
use crate::{error::ConfigError, key::KeyState};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) callers: Vec<Spanned<Caller>>,
    #[serde(default)]
    pub(super) targets: Vec<Spanned<Target>>,
    pub(super) derived: Option<Derived>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    pub(super) name: String,
    #[serde(default)]
    pub(super) keys: Vec<Spanned<Key>>,
    pub(super) public_key_jwks: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) version: String,
    pub(super) scheme: Option<String>,
    #[serde(rename = "key_id")]
    pub(super) id: Option<Zeroizing<String>>,
    pub(super) secret_hex: Option<Zeroizing<String>>,
    pub(super) secret_base64: Option<Zeroizing<String>>,
    pub(super) secret_text: Option<Zeroizing<String>>,
    pub(super) secret_jwk: Option<Zeroizing<String>>,
    pub(super) ed25519_public_key_hex: Option<String>,
    pub(super) public_key_jwk: Option<String>,
    pub(super) public_key_pem: Option<String>,
    pub(super) algorithm: Option<String>,
    #[serde(default)]
    pub(super) state: State,
    pub(super) not_before: Option<toml::value::Datetime>,
    pub(super) not_after: Option<toml::value::Datetime>,
    pub(super) nonce: Option<Nonce>,
    #[serde(default)]
    pub(super) insecure_three_headers: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) caller: Option<String>,
    pub(super) authorities: Vec<String>,
    pub(super) secret_hex: Option<Zeroizing<String>>,
    pub(super) secret_base64: Option<Zeroizing<String>>,
    pub(super) secret_text: Option<Zeroizing<String>>,
    pub(super) ed25519_seed_hex: Option<Zeroizing<String>>,
    #[serde(default)]
    pub(super) keys: Vec<Spanned<TargetKey>>,
    #[serde(default)]
    pub(super) covering: Vec<String>,
    pub(super) signed_host: Option<String>,
    #[serde(default)]
    pub(super) insecure_three_headers: bool,
    #[serde(default)]
    pub(super) unsigned: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetKey {
    pub(super) version: String,
    pub(super) secret_hex: Option<Zeroizing<String>>,
    pub(super) secret_base64: Option<Zeroizing<String>>,
    pub(super) secret_text: Option<Zeroizing<String>>,
    pub(super) ed25519_seed_hex: Option<Zeroizing<String>>,
    #[serde(default)]
    pub(super) state: State,
    pub(super) not_before: Option<toml::value::Datetime>,
    pub(super) not_after: Option<toml::value::Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Derived {
    pub(super) callee: String,
    pub(super) allow: Option<Vec<String>>,
    pub(super) deny: Option<Vec<String>>,
    #[serde(default)]
    pub(super) roots: Vec<Spanned<Root>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Root {
    pub(super) version: String,
    pub(super) secret_hex: Option<Zeroizing<String>>,
    pub(super) secret_base64: Option<Zeroizing<String>>,
    pub(super) secret_text: Option<Zeroizing<String>>,
    #[serde(default)]
    pub(super) state: State,
    pub(super) not_before: Option<toml::value::Datetime>,
    pub(super) not_after: Option<toml::value::Datetime>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    #[default]
    Active,
    AcceptOnly,
    Revoked,
}

impl From<State> for KeyState {
    fn from(state: State) -> Self {
        match state {
            State::Active => Self::Active,
            State::AcceptOnly => Self::AcceptOnly,
            State::Revoked => Self::Revoked,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Nonce {
    Required,
    Optional,
}

impl File {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        parse(text)
    }
}
