//! Reads the two variables of the article: JSON objects of name to hexadecimal key.

use std::env;

use zeroize::Zeroizing;

use super::secrets_json::{Role, parse_secrets};
use crate::{
    error::{ConfigError, ConfigErrorKind, nearest},
    key::{CallerKey, SigningKey, VerifyingKey},
    key_id::KeyId,
    keyring::{Keyring, KeyringBuilder},
    sign::Signer,
};

const SERVICE_NAME: &str = "SERVICE_NAME";
const SERVICE_SECRETS: &str = "SERVICE_SECRETS";
const ROTATING_SERVICE_SECRETS: &str = "ROTATING_SERVICE_SECRETS";

// The expected values of the variables. No example holds a valid key.
const NAME: &str = "the name of this service, such as billing";
const CALLERS: &str = concat!(
    "a JSON object of caller to hexadecimal key, such as ",
    r#"{"billing":"<output of openssl rand -hex 32>"}"#
);
const TARGETS: &str = concat!(
    "a JSON object of target to hexadecimal key, such as ",
    r#"{"user-service":"<output of openssl rand -hex 32>"}"#
);

impl Keyring {
    /// Reads the callers of this service from `SERVICE_SECRETS` and, if set,
    /// `ROTATING_SERVICE_SECRETS`.
    ///
    /// Each variable holds a JSON object of caller name to key, `{"billing":"<64 hexadecimal
    /// digits>"}`. A caller in both variables has two keys, versions `primary` and `rotating`, and
    /// both verify. The same key in both variables is one key. A caller may be in the rotating
    /// variable only. Generate keys with `openssl rand -hex 32`.
    ///
    /// All keys allow [three headers](CallerKey::insecure_three_headers), because the article's
    /// clients send no nonce. A request with a covered nonce is protected from replay nevertheless.
    ///
    /// On the calling side, the same variable names *targets*: see
    /// [`Signer::from_env`](crate::Signer::from_env). A process that calls and is called must read
    /// one of the two from another variable or from TOML. Otherwise it would sign with its callers'
    /// keys, and its requests could be sent back to it.
    /// [`ensure_distinct_from`](Self::ensure_distinct_from) refuses that.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Variable`] if `SERVICE_SECRETS` is not set, or if a variable is not a
    /// JSON object of strings or holds a name twice. Otherwise as [`KeyringBuilder::build`], with
    /// the names of the variable and the caller. No error holds a key.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().callers_from_env()?.build()
    }

    /// Like [`from_env`](Self::from_env), from the text of the two variables.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_service_secrets(
        primary: &str,
        rotating: Option<&str>,
    ) -> Result<Self, ConfigError> {
        add_both(Self::builder(), primary, rotating)?.build()
    }
}

impl KeyringBuilder {
    /// Adds the callers that [`Keyring::from_env`] reads, for a service that also has keys from
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// As [`Keyring::from_env`], except for errors that only [`build`](Self::build) finds.
    pub fn callers_from_env(self) -> Result<Self, ConfigError> {
        let primary = read_variable(SERVICE_SECRETS, CALLERS)?;
        let rotating = match env::var_os(ROTATING_SERVICE_SECRETS) {
            Some(_) => Some(read_variable(ROTATING_SERVICE_SECRETS, CALLERS)?),
            None => None,
        };
        add_both(self, &primary, rotating.as_deref().map(String::as_str))
    }
}

impl Signer {
    /// Makes the signer for one target from `SERVICE_NAME` and `SERVICE_SECRETS`.
    ///
    /// On the calling side, `SERVICE_SECRETS` is a JSON object of *target* name to key: this
    /// service signs with `SERVICE_SECRETS[target]` as `SERVICE_NAME`. The rotating variable is
    /// never read: only a callee has two keys at a time.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Variable`] if a variable is not set, has the wrong form, or has no such
    /// target. Otherwise as [`new`](Self::new). No error holds a key.
    pub fn from_env(target: &str, authority: &str) -> Result<Self, ConfigError> {
        let caller = read_variable(SERVICE_NAME, NAME)?;
        let secrets = read_variable(SERVICE_SECRETS, TARGETS)?;
        Self::from_service_secrets(&caller, &secrets, target, authority)
    }

    /// Like [`from_env`](Self::from_env), from the text of the two variables.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_service_secrets(
        caller: &str,
        secrets: &str,
        target: &str,
        authority: &str,
    ) -> Result<Self, ConfigError> {
        KeyId::new(caller).map_err(|error| error.within(SERVICE_NAME))?;
        let secrets = parse_secrets(Role::Target, SERVICE_SECRETS, secrets)?;
        let secret = secrets.iter().find(|(name, _)| *name == target);
        let Some((_, secret)) = secret else {
            let names: Vec<&str> = secrets.iter().map(|(name, _)| name.as_str()).collect();
            return Err(no_such_target(target, &names));
        };
        let key = SigningKey::hmac_sha256(secret);
        key.ensure_strong()
            .map_err(|error| error.within(format_args!("{SERVICE_SECRETS}: target {target}")))?;
        Self::new(caller, key, [authority])
    }
}

fn no_such_target(target: &str, names: &[&str]) -> ConfigError {
    let known = if names.is_empty() {
        "none".to_owned()
    } else {
        format!("keys for {}", names.join(", "))
    };
    let near = match nearest(target, names.iter().copied()) {
        Some(near) => format!(" (did you mean {near}?)"),
        None => String::new(),
    };
    ConfigError::new(
        ConfigErrorKind::Variable,
        format!("{SERVICE_SECRETS}: expected a key for target {target:?}, found {known}{near}"),
    )
}

fn add_both(
    builder: KeyringBuilder,
    primary: &str,
    rotating: Option<&str>,
) -> Result<KeyringBuilder, ConfigError> {
    let builder = add(builder, SERVICE_SECRETS, "primary", primary)?;
    match rotating {
        Some(rotating) => add(builder, ROTATING_SERVICE_SECRETS, "rotating", rotating),
        None => Ok(builder),
    }
}

fn add(
    mut builder: KeyringBuilder,
    variable: &str,
    version: &str,
    json: &str,
) -> Result<KeyringBuilder, ConfigError> {
    for (name, secret) in parse_secrets(Role::Caller, variable, json)? {
        let key = VerifyingKey::hmac_sha256(&secret);
        key.ensure_strong()
            .map_err(|error| error.within(format_args!("{variable}: caller {name}")))?;
        let key = CallerKey::new(version, key)?;
        builder = builder.caller(name.as_str(), key.insecure_three_headers());
    }
    Ok(builder)
}

/// Reads a variable. `expected` describes its value.
fn read_variable(name: &str, expected: &str) -> Result<Zeroizing<String>, ConfigError> {
    env::var(name)
        .map(Zeroizing::new)
        .map_err(|error| unreadable(name, expected, &error))
}

fn unreadable(name: &str, expected: &str, error: &env::VarError) -> ConfigError {
    let problem = match error {
        env::VarError::NotPresent => format!("not set, expected {expected}"),
        // The error's own text would show the value.
        env::VarError::NotUnicode(_) => "not UTF-8".to_owned(),
    };
    ConfigError::new(ConfigErrorKind::Variable, format!("{name}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::KeyStore;
    use crate::scheme::Scheme;

    const OLD: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
    const NEW: &str = "c8df51469c308a59bfbd48a3e0bdd228ca922d6032035f5ef6e4ad45f473a9f3";

    fn object(members: &[(&str, &str)]) -> String {
        let members: Vec<_> = members
            .iter()
            .map(|(name, hex)| format!("\"{name}\":\"{hex}\""))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    fn versions(keys: &Keyring, caller: &str) -> Vec<String> {
        let found = keys.try_lookup(caller).unwrap().unwrap();
        found
            .keys_for(Scheme::HmacSha256, caller)
            .map(|key| key.version().to_string())
            .collect()
    }

    #[test]
    fn a_caller_in_both_variables_has_two_keys() {
        let keys =
            Keyring::from_service_secrets(&object(&[("a", OLD)]), Some(&object(&[("a", NEW)])))
                .unwrap();
        assert_eq!(versions(&keys, "a"), ["primary", "rotating"]);
    }

    #[test]
    fn the_same_key_in_both_variables_is_one_key() {
        let primary = object(&[("a", OLD)]);
        let rotating = object(&[("a", &OLD.to_uppercase())]);
        let keys = Keyring::from_service_secrets(&primary, Some(&rotating)).unwrap();
        assert_eq!(versions(&keys, "a"), ["primary"]);
    }

    #[test]
    fn a_caller_in_the_rotating_variable_alone_is_valid() {
        let keys =
            Keyring::from_service_secrets(&object(&[("a", OLD)]), Some(&object(&[("b", NEW)])))
                .unwrap();
        assert_eq!(versions(&keys, "b"), ["rotating"]);
        let keys = Keyring::from_service_secrets("{}", Some(&object(&[("b", NEW)]))).unwrap();
        assert_eq!(keys.len(), 1);
    }

    /// Source: an error about a target called it a caller.
    #[test]
    fn errors_of_a_signer_name_targets_and_the_variable() {
        let secrets = object(&[("user-service", OLD), ("orders", NEW)]);
        let weak = "00".repeat(32);
        for (caller, secrets, target, expected) in [
            (
                "billing",
                secrets.clone(),
                "user-servce",
                "SERVICE_SECRETS: expected a key for target \"user-servce\", found keys for \
                user-service, orders (did you mean user-service?)",
            ),
            (
                "billing",
                "{}".to_owned(),
                "orders",
                "SERVICE_SECRETS: expected a key for target \"orders\", found none",
            ),
            (
                "billing",
                object(&[("a", &format!("{OLD}\\n"))]),
                "a",
                "SERVICE_SECRETS: target a: expected the key alone, found a text that ends in a \
                line end",
            ),
            (
                "billing",
                object(&[("a", OLD), ("a", NEW)]),
                "a",
                "SERVICE_SECRETS: target a: listed twice",
            ),
            (
                "billing",
                object(&[("a", &weak)]),
                "a",
                "SERVICE_SECRETS: target a: weak key: expected at least 8 different byte values, \
                found 1",
            ),
            (
                "billing",
                object(&[("a,b", OLD)]),
                "a",
                "SERVICE_SECRETS: target name \"a,b\": expected 1 to 128 visible ASCII characters \
                without = , ; \" \\",
            ),
            (
                "billing\n",
                secrets,
                "orders",
                "SERVICE_NAME: caller name \"billing\\n\": expected 1 to 128 visible ASCII \
                characters without = , ; \" \\",
            ),
        ] {
            let error = Signer::from_service_secrets(caller, &secrets, target, "user-service:8081");
            assert_eq!(error.unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_a_variable_holds_instead_of_an_object_is_named() {
        let good = object(&[("a", OLD)]);
        for (text, found) in [
            (String::new(), "an empty value"),
            (format!("\u{feff}{good}"), "a byte order mark"),
            (format!("'{good}'"), "quotes around it"),
            (format!("{good}}}"), "another form of one"),
            ("[]".to_owned(), "something else"),
        ] {
            let error = Keyring::from_service_secrets(&text, None)
                .unwrap_err()
                .to_string();
            let expected = format!(
                "SERVICE_SECRETS: expected a JSON object of caller to hexadecimal key, found \
                {found} (line 1, column "
            );
            assert!(error.starts_with(&expected), "{error}");
        }
        let padded = format!(" {good}\r\n");
        assert!(Keyring::from_service_secrets(&padded, None).is_ok());
    }

    /// Source: a new user read "not set" but not the expected value.
    #[test]
    fn an_unset_variable_is_named_with_an_example_that_does_not_load() {
        for (expected, role) in [(CALLERS, Role::Caller), (TARGETS, Role::Target)] {
            let error = unreadable(SERVICE_SECRETS, expected, &env::VarError::NotPresent);
            let text = error.to_string();
            let (start, example) = text.split_once(", such as ").unwrap();
            assert_eq!(
                start,
                format!(
                    "SERVICE_SECRETS: not set, expected a JSON object of {role} to hexadecimal key"
                )
            );
            let error = parse_secrets(role, SERVICE_SECRETS, example).unwrap_err();
            let found = "found a text that is enclosed in angle brackets, as placeholders are";
            assert!(error.to_string().ends_with(found), "{error}");
        }
        let error = unreadable(SERVICE_NAME, NAME, &env::VarError::NotPresent);
        assert_eq!(
            error.to_string(),
            "SERVICE_NAME: not set, expected the name of this service, such as billing"
        );
    }

    #[test]
    fn refuses_what_is_wrong_and_names_it_without_the_key() {
        let short = &OLD[..62];
        for (name, primary, rotating, kind, part) in [
            (
                "not JSON",
                "secret-ish".into(),
                None,
                ConfigErrorKind::Variable,
                "SERVICE_SECRETS",
            ),
            (
                "empty text",
                String::new(),
                None,
                ConfigErrorKind::Variable,
                "SERVICE_SECRETS",
            ),
            (
                "an array",
                "[]".into(),
                None,
                ConfigErrorKind::Variable,
                "SERVICE_SECRETS",
            ),
            (
                "a number",
                "{\"a\":12345678}".into(),
                None,
                ConfigErrorKind::Variable,
                "column",
            ),
            (
                "null",
                "{\"a\":null}".into(),
                None,
                ConfigErrorKind::Variable,
                "column",
            ),
            (
                "trailing text",
                format!("{} x", object(&[("a", OLD)])),
                None,
                ConfigErrorKind::Variable,
                "column",
            ),
            (
                "no callers",
                "{}".into(),
                None,
                ConfigErrorKind::Keyring,
                "at least one caller",
            ),
            (
                "a name twice",
                object(&[("a", OLD), ("a", NEW)]),
                None,
                ConfigErrorKind::Variable,
                "caller a: listed twice",
            ),
            (
                "a name twice, equal",
                object(&[("a", OLD), ("a", OLD)]),
                None,
                ConfigErrorKind::Variable,
                "caller a",
            ),
            (
                "a name twice, escaped",
                format!("{{\"a\":\"{OLD}\",\"\\u0061\":\"{NEW}\"}}"),
                None,
                ConfigErrorKind::Variable,
                "caller a",
            ),
            (
                "empty value",
                object(&[("a", "")]),
                None,
                ConfigErrorKind::Key,
                "caller a",
            ),
            (
                "odd text",
                object(&[("a", &OLD[1..])]),
                None,
                ConfigErrorKind::Key,
                "caller a",
            ),
            (
                "not hex",
                object(&[("a", &"zz".repeat(32))]),
                None,
                ConfigErrorKind::Key,
                "caller a",
            ),
            (
                "short",
                object(&[("a", short)]),
                None,
                ConfigErrorKind::WeakKey,
                "SERVICE_SECRETS: caller a: weak key",
            ),
            (
                "zeroes",
                object(&[("a", &"00".repeat(32))]),
                None,
                ConfigErrorKind::WeakKey,
                "caller a",
            ),
            (
                "no name",
                object(&[("", OLD)]),
                None,
                ConfigErrorKind::Name,
                "SERVICE_SECRETS",
            ),
            (
                "a comma in a name",
                object(&[("a,b", OLD)]),
                None,
                ConfigErrorKind::Name,
                "a,b",
            ),
            (
                "one key for two",
                object(&[("a", OLD), ("b", OLD)]),
                None,
                ConfigErrorKind::SharedKey,
                "caller b",
            ),
            (
                "one key for two, padded",
                object(&[("a", OLD), ("b", &format!("{OLD}00"))]),
                None,
                ConfigErrorKind::SharedKey,
                "caller b",
            ),
            (
                "rotating to another's key",
                object(&[("a", OLD)]),
                Some(object(&[("b", OLD)])),
                ConfigErrorKind::SharedKey,
                "caller b",
            ),
            (
                "rotating is not JSON",
                object(&[("a", OLD)]),
                Some("{".into()),
                ConfigErrorKind::Variable,
                "ROTATING_SERVICE_SECRETS",
            ),
            (
                "rotating is empty",
                object(&[("a", OLD)]),
                Some(String::new()),
                ConfigErrorKind::Variable,
                "ROTATING_SERVICE_SECRETS",
            ),
        ] {
            let error = Keyring::from_service_secrets(&primary, rotating.as_deref()).unwrap_err();
            let text = format!("{error} {error:?}");
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert!(text.contains(part), "{name}: {error}");
            for secret in [OLD, NEW, short, "12345678", "secret-ish", "zzzz"] {
                assert!(!text.contains(secret), "{name}: {error}");
            }
        }
    }
}
