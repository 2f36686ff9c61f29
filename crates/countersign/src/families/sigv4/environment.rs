//! AWS credentials from the environment.

use std::env;

use zeroize::Zeroizing;

use super::{
    provider::SigV4Credentials,
    static_credentials::{Part, StaticCredentials},
};
use crate::error::{ConfigError, ConfigErrorKind};

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

impl SigV4Credentials {
    /// Reads credentials from AWS's standard variables, once: a process does not see its
    /// environment change.
    ///
    /// | variable | holds |
    /// |---|---|
    /// | `AWS_ACCESS_KEY_ID` | the access key id; must be set |
    /// | `AWS_SECRET_ACCESS_KEY` | its secret; must be set |
    /// | `AWS_SESSION_TOKEN` | the token of temporary credentials; unset for others |
    /// | `AWS_CREDENTIAL_EXPIRATION` | their expiry (RFC 3339); not known if unset |
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "Static credentials" and "Environment variables
    /// support". `aws configure export-credentials --format env` sets the last variable.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Variable`] if a variable is missing, empty or not UTF-8. Otherwise as
    /// [`new`](Self::new) and [the rule for texts](crate::Secret#the-text-of-a-key). Errors name
    /// the variable and never hold a secret.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| match env::var(name) {
            Ok(value) => Ok(Some(Zeroizing::new(value))),
            Err(env::VarError::NotPresent) => Ok(None),
            // The error itself would show the value.
            Err(env::VarError::NotUnicode(_)) => Err(variable(name, "not UTF-8")),
        })
    }

    fn from_variables(
        read: impl Fn(&str) -> Result<Option<Zeroizing<String>>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let optional = |name| match read(name)? {
            Some(value) if value.is_empty() => {
                Err(variable(name, "expected a value, found an empty one"))
            }
            value => Ok(value),
        };
        let required =
            |name| optional(name)?.ok_or_else(|| variable(name, "expected a value, found none"));
        StaticCredentials {
            access_key_id: required(ACCESS_KEY_ID)?,
            secret_access_key: required(SECRET_ACCESS_KEY)?,
            session_token: optional(SESSION_TOKEN)?,
            expiration: optional(EXPIRATION)?,
        }
        .read()
        .map_err(|(part, error)| {
            error.within(match part {
                Part::AccessKeyId => ACCESS_KEY_ID,
                Part::SecretAccessKey => SECRET_ACCESS_KEY,
                Part::SessionToken => SESSION_TOKEN,
                Part::Expiration => EXPIRATION,
            })
        })
    }
}

fn variable(name: &str, problem: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Variable, format!("{name}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    const ID: &str = "AKIDBILLING";
    const SECRET: &str = "correct/Horse+battery/Staple+0123456789";

    fn read(variables: &[(&str, &str)]) -> Result<SigV4Credentials, String> {
        let credentials = SigV4Credentials::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            Ok(found.map(|(_, value)| Zeroizing::new((*value).to_owned())))
        });
        credentials.map_err(|error| error.to_string())
    }

    #[test]
    fn the_four_variables_are_read() {
        let credentials = read(&[
            (ACCESS_KEY_ID, ID),
            (SECRET_ACCESS_KEY, SECRET),
            (SESSION_TOKEN, "token//+=="),
            (EXPIRATION, "2026-01-02T03:04:05+00:00"),
        ])
        .unwrap();
        assert_eq!(credentials.access_key_id(), &ID);
        assert_eq!(credentials.session_token.unwrap().as_str(), "token//+==");
        let end = Timestamp::from_unix_seconds(1_767_323_045);
        assert_eq!(credentials.expires_at, Some(end));

        let long_lived = read(&[(ACCESS_KEY_ID, ID), (SECRET_ACCESS_KEY, SECRET)]).unwrap();
        assert!(long_lived.session_token.is_none());
        assert_eq!(long_lived.expires_at, None);
    }

    #[test]
    fn what_is_missing_or_was_added_is_named_without_the_secret() {
        let quoted = format!("\"{SECRET}\"");
        let complete = [(ACCESS_KEY_ID, ID), (SECRET_ACCESS_KEY, SECRET)];
        for (variables, expected) in [
            (
                vec![],
                "AWS_ACCESS_KEY_ID: expected a value, found none".to_owned(),
            ),
            (
                vec![(ACCESS_KEY_ID, ID), (SECRET_ACCESS_KEY, "")],
                "AWS_SECRET_ACCESS_KEY: expected a value, found an empty one".to_owned(),
            ),
            (
                vec![(ACCESS_KEY_ID, ID)],
                "AWS_SECRET_ACCESS_KEY: expected a value, found none".to_owned(),
            ),
            (
                [&complete[..], &[(SESSION_TOKEN, "")]].concat(),
                "AWS_SESSION_TOKEN: expected a value, found an empty one".to_owned(),
            ),
            (
                vec![(ACCESS_KEY_ID, ID), (SECRET_ACCESS_KEY, &quoted)],
                "AWS_SECRET_ACCESS_KEY: expected the key alone, found a text that is enclosed in \
                 quotes".to_owned(),
            ),
            (
                vec![(ACCESS_KEY_ID, "AKID\n"), (SECRET_ACCESS_KEY, SECRET)],
                "AWS_ACCESS_KEY_ID: expected the key alone, found a text that ends in a line \
                 end".to_owned(),
            ),
            (
                vec![(ACCESS_KEY_ID, SECRET), (SECRET_ACCESS_KEY, ID)],
                "AWS_SECRET_ACCESS_KEY: weak key: expected at least 32 bytes, found 11".to_owned(),
            ),
            (
                [&complete[..], &[(SESSION_TOKEN, "a token")]].concat(),
                "AWS_SESSION_TOKEN: expected visible ASCII characters, found none or \
                 others".to_owned(),
            ),
            (
                [&complete[..], &[(EXPIRATION, "tomorrow")]].concat(),
                "AWS_CREDENTIAL_EXPIRATION: expected a date-time of RFC 3339 with an offset, found \
                 another text".to_owned(),
            ),
        ] {
            let error = read(&variables).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.contains("Horse"), "{error}");
        }
    }
}
