//! Credentials from the answers of AWS endpoints.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    provider::SigV4Credentials,
    static_credentials::{Part, StaticCredentials},
};
use crate::error::{ConfigError, ConfigErrorKind};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: Option<String>,
    access_key_id: Option<Zeroizing<String>>,
    secret_access_key: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
    expiration: Option<Zeroizing<String>>,
}

impl SigV4Credentials {
    /// Parses the JSON answer of an AWS endpoint: the container credentials endpoint of ECS and
    /// EKS, or the instance metadata service of EC2 (IMDS).
    ///
    /// Requires the members `AccessKeyId`, `SecretAccessKey`, `Token` and `Expiration`: these
    /// credentials are always temporary. `Code`, if present, must be `Success`. Ignores other
    /// members. For a provider that asks such an endpoint, see
    /// [`CredentialsProvider`](crate::CredentialsProvider#endpoints).
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "Container credential provider" and "IMDS
    /// credential provider".
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Key`] if the text is not such an object. Otherwise as [`new`](Self::new)
    /// and [the rule for texts](crate::Secret#the-text-of-a-key). Errors name the member and never
    /// hold a secret.
    pub fn from_endpoint_json(json: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: String| ConfigError::new(ConfigErrorKind::Key, problem);
        // The parser's error text may quote the input.
        let answer: Answer = serde_json::from_str(json).map_err(|error| {
            wrong(format!(
                "expected a JSON object of credentials, found something else (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        if answer.code.is_some_and(|code| code != "Success") {
            return Err(wrong("Code: expected Success, found another".to_owned()));
        }
        let required = |name: &str, value: Option<Zeroizing<String>>| {
            value.ok_or_else(|| wrong(format!("{name}: expected a value, found none")))
        };
        StaticCredentials {
            access_key_id: required("AccessKeyId", answer.access_key_id)?,
            secret_access_key: required("SecretAccessKey", answer.secret_access_key)?,
            session_token: Some(required("Token", answer.token)?),
            expiration: Some(required("Expiration", answer.expiration)?),
        }
        .read()
        .map_err(|(part, error)| {
            error.within(match part {
                Part::AccessKeyId => "AccessKeyId",
                Part::SecretAccessKey => "SecretAccessKey",
                Part::SessionToken => "Token",
                Part::Expiration => "Expiration",
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    const COMPLETE: &str = r#"{
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-02T00:00:00Z",
        "AccessKeyId": "ASIABILLING", "SecretAccessKey": "correct/Horse+battery/Staple+0123456789",
        "Token": "token//+==", "Expiration": "2026-01-02T03:04:05Z"
    }"#;

    /// Source: the example answers in AWS's documentation of both endpoints. The container answer
    /// has a `RoleArn` and no `Code`.
    #[test]
    fn the_answers_of_both_endpoints_are_read() {
        let of_a_container = COMPLETE.replace(r#""Code": "Success""#, r#""RoleArn": "arn""#);
        for json in [COMPLETE, &of_a_container] {
            let credentials = SigV4Credentials::from_endpoint_json(json).unwrap();
            assert_eq!(credentials.access_key_id(), &"ASIABILLING");
            assert_eq!(
                credentials.expires_at(),
                Some(Timestamp::from_unix_seconds(1_767_323_045))
            );
            assert_eq!(credentials.session_token.unwrap().as_str(), "token//+==");
        }
    }

    #[test]
    fn refuses_what_is_no_answer_and_shows_no_secret() {
        for (json, expected) in [
            (
                "not found".to_owned(),
                "expected a JSON object of credentials, found something else (line 1, column 2)",
            ),
            (
                COMPLETE.replace("Success", "Failed"),
                "Code: expected Success, found another",
            ),
            (
                COMPLETE.replace("\"Token\"", "\"SessionToken\""),
                "Token: expected a value, found none",
            ),
            (
                COMPLETE.replace("\"Expiration\"", "\"Expires\""),
                "Expiration: expected a value, found none",
            ),
            (
                COMPLETE.replace("token//", "token "),
                "Token: expected visible ASCII characters, found none or others",
            ),
            (
                COMPLETE.replace("6789\"", "6789\\n\""),
                "SecretAccessKey: expected the key alone, found a text that ends in a line end",
            ),
        ] {
            let error = SigV4Credentials::from_endpoint_json(&json).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
