//! Policies in the shape of API Gateway's resource policies.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use wildmatch::WildMatch;

use super::{
    Policy,
    condition::{Attribute, Bound, Condition, Test, Text, range},
    execute_api::ExecuteApi,
    json_values::{OneOrMany, Unique},
    principal::Principal,
    resource::Resource,
    statement::{Effect, Statement, StatementId},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    timestamp::Timestamp,
};

impl Policy {
    /// Reads a policy from JSON, in the shape that API Gateway has for resource policies. `api` says what the policy calls
    /// this service and whom it means by accounts.
    ///
    /// ```
    /// use countersign::{ExecuteApi, KeyId, Membership, Policy, PolicyRequest};
    ///
    /// let api = ExecuteApi::new("eu-west-1", "222222222222", "Api-Id", "prod")?
    ///     .with_membership(Membership::new().with_account("111111111111", ["billing"])?);
    /// let policy = Policy::from_json(
    ///     r#"{
    ///         "Version": "2012-10-17",
    ///         "Statement": [{
    ///             "Effect": "Allow",
    ///             "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
    ///             "Action": "execute-api:Invoke",
    ///             "Resource": "arn:aws:execute-api:eu-west-1:222222222222:Api-Id/*"
    ///         }]
    ///     }"#,
    ///     &api,
    /// )?;
    /// let allows = |caller: &str| {
    ///     let caller = KeyId::new(caller).unwrap();
    ///     policy.evaluate(&PolicyRequest::new(&caller, "GET", "/pets")).is_allowed()
    /// };
    /// assert!(allows("billing"));
    /// assert!(!allows("audit"));
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | element | what is taken |
    /// |---|---|
    /// | `Version` | `2012-10-17` |
    /// | `Sid` | may be left out: then the statement is called by its place, `statement 1` |
    /// | `Effect` | `Allow`, `Deny` |
    /// | `Principal` | `"*"`, or an object with `AWS` (`*`; an account, by its number or `arn:aws:iam::ACCOUNT:root`; a caller that is listed in an account, `arn:aws:iam::ACCOUNT:user/NAME` or `role/NAME`) and `Caller`, which is ours: names, `group:…`, `account:…` as in TOML |
    /// | `Action` | `execute-api:Invoke`, `execute-api:*` or `*` |
    /// | `Resource` | `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`, the same from `API` on, `execute-api:/STAGE/METHOD/path`, or `*`. `*` is any run of characters, slashes among them, and `?` any one |
    /// | `Condition` | the operators and keys of the next table |
    ///
    /// | operators | keys |
    /// |---|---|
    /// | `IpAddress`, `NotIpAddress` | `aws:SourceIp` |
    /// | `DateGreaterThan`, `DateGreaterThanEquals`, `DateLessThan`, `DateLessThanEquals` | `aws:CurrentTime`, in RFC 3339 |
    /// | `StringEquals`, `StringNotEquals`, `StringLike`, `StringNotLike` | `countersign:Scheme`, `countersign:Coverage`, `countersign:KeyVersion`, `countersign:Route` |
    ///
    /// As in IAM a `*` for the stage goes on over the method: `API/*/GET/pets` is also a POST of `/x/GET/pets`. Write the stage
    /// out.
    ///
    /// Several values of a key are alternatives, several keys and operators must all hold, and a `Not…` operator holds if no
    /// value matches. Where the value of a request is not known, IAM lets a `Not…` operator hold; here no condition of an
    /// `Allow` does, and every one of a `Deny`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not JSON of this shape, and for every element that is not in these tables,
    /// such as `NotPrincipal`, that stands twice or that is null; [`ConfigErrorKind::Policy`] for an operator or key that is not in them,
    /// a policy variable, an account that `api` does not list, a resource that is no request's to any API, such as one with
    /// its method in lower case, and as [`from_toml`](Self::from_toml). A resource of another API, stage or region is taken,
    /// and matches nothing here.
    pub fn from_json(text: &str, api: &ExecuteApi) -> Result<Self, ConfigError> {
        let document: Document = serde_json::from_str(text).map_err(|error| {
            ConfigError::new(ConfigErrorKind::File, format!("expected a policy: {error}"))
        })?;
        if document.version != "2012-10-17" {
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                format!("Version: expected 2012-10-17, found {:?}", document.version),
            ));
        }
        let entries = document.statement.0.into_iter().zip(1_u32..);
        let statements = entries.map(|(mut entry, place)| {
            let id = entry.sid.take();
            let id = StatementId::new(&id.unwrap_or_else(|| format!("statement {place}")))?;
            let within = format!("statement {id}");
            entry
                .into_statement(id, api)
                .map_err(|error| error.within(within))
        });
        let statements = statements.collect::<Result<Vec<_>, _>>()?;
        Self::build(statements, api.membership(), api.prefix())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Document {
    version: String,
    #[serde(rename = "Id", default, deserialize_with = "some")]
    _id: Option<String>,
    statement: OneOrMany<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Entry {
    #[serde(default, deserialize_with = "some")]
    sid: Option<String>,
    effect: EntryEffect,
    principal: EntryPrincipal,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
    #[serde(default, deserialize_with = "some")]
    condition: Option<Unique<Unique<OneOrMany<String>>>>,
}

/// An element may be left out. One that is null says neither that it is there nor that it is not.
fn some<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

#[derive(Clone, Copy, Deserialize)]
enum EntryEffect {
    Allow,
    Deny,
}

/// `"*"`, or an object of the kinds of principals.
struct EntryPrincipal(PrincipalKinds);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalKinds {
    #[serde(rename = "AWS", default, deserialize_with = "some")]
    aws: Option<OneOrMany<String>>,
    #[serde(rename = "Caller", default, deserialize_with = "some")]
    caller: Option<OneOrMany<String>>,
}

impl<'de> Deserialize<'de> for EntryPrincipal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PrincipalVisitor)
    }
}

struct PrincipalVisitor;

impl<'de> Visitor<'de> for PrincipalVisitor {
    type Value = EntryPrincipal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"*\", or an object with AWS or Caller")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EntryPrincipal, E> {
        if text != "*" {
            return Err(E::invalid_value(Unexpected::Str(text), &self));
        }
        Ok(EntryPrincipal(PrincipalKinds {
            aws: Some(OneOrMany(vec![text.to_owned()])),
            caller: None,
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EntryPrincipal, A::Error> {
        let kinds = PrincipalKinds::deserialize(MapAccessDeserializer::new(map))?;
        if kinds.aws.is_none() && kinds.caller.is_none() {
            return Err(de::Error::invalid_length(0, &self));
        }
        Ok(EntryPrincipal(kinds))
    }
}

impl Entry {
    fn into_statement(self, id: StatementId, api: &ExecuteApi) -> Result<Statement, ConfigError> {
        for action in &self.action.0 {
            let invoke = ["*", "execute-api:*", "execute-api:Invoke"];
            if !invoke
                .iter()
                .any(|known| known.eq_ignore_ascii_case(action))
            {
                return Err(ConfigError::new(
                    ConfigErrorKind::Policy,
                    format!(
                        "Action: expected execute-api:Invoke, execute-api:* or *, found {action:?}"
                    ),
                ));
            }
        }
        let patterns = self.resource.0.iter().map(|text| api.resource(text));
        let patterns = patterns.collect::<Result<_, _>>()?;
        Ok(Statement {
            id,
            effect: match self.effect {
                EntryEffect::Allow => Effect::Allow,
                EntryEffect::Deny => Effect::Deny,
            },
            principals: self.principal.0.into_principals(api)?,
            resource: Resource::Names(patterns),
            conditions: conditions(self.condition)?,
        })
    }
}

impl PrincipalKinds {
    fn into_principals(self, api: &ExecuteApi) -> Result<Vec<Principal>, ConfigError> {
        let names = |kind: Option<OneOrMany<String>>| kind.map(|names| names.0).unwrap_or_default();
        let aws = names(self.aws).into_iter();
        let callers = names(self.caller).into_iter();
        aws.map(|text| api.principal(&text))
            .chain(callers.map(|name| api.membership().principal(&name)))
            .collect()
    }
}

fn conditions(
    operators: Option<Unique<Unique<OneOrMany<String>>>>,
) -> Result<Vec<Condition>, ConfigError> {
    let mut conditions = Vec::new();
    for (operator, keys) in operators.map(|operators| operators.0).unwrap_or_default() {
        for (key, values) in keys.0 {
            let condition = condition(&operator, &key, &values.0)
                .map_err(|error| error.within(format_args!("Condition: {operator} {key}")))?;
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

/// What is not known here is refused: a condition that is left out lets through what it was to keep out.
fn condition(operator: &str, key: &str, values: &[String]) -> Result<Condition, ConfigError> {
    let key = key.to_ascii_lowercase();
    if let ("IpAddress" | "NotIpAddress", "aws:sourceip") = (operator, &*key) {
        let ranges = values.iter().map(|text| range(text));
        let test = Test::Source(ranges.collect::<Result<_, _>>()?);
        return Ok(either(test, operator == "NotIpAddress"));
    }
    let bound = match operator {
        "DateGreaterThan" => Some(Bound::After),
        "DateGreaterThanEquals" => Some(Bound::From),
        "DateLessThan" => Some(Bound::Before),
        "DateLessThanEquals" => Some(Bound::Until),
        _ => None,
    };
    if let (Some(bound), "aws:currenttime") = (bound, &*key) {
        let moments = values.iter().map(|text| moment(text));
        let moments = moments.collect::<Result<_, _>>()?;
        return Ok(Condition::new(Test::Time(bound, moments)));
    }
    let like = match operator {
        "StringEquals" | "StringNotEquals" => Some(false),
        "StringLike" | "StringNotLike" => Some(true),
        _ => None,
    };
    let attribute = match &*key {
        "countersign:scheme" => Some(Attribute::Scheme),
        "countersign:coverage" => Some(Attribute::Coverage),
        "countersign:keyversion" => Some(Attribute::KeyVersion),
        "countersign:route" => Some(Attribute::Route),
        _ => None,
    };
    let (Some(like), Some(attribute)) = (like, attribute) else {
        return Err(ConfigError::new(
            ConfigErrorKind::Policy,
            "expected an operator and a key that the documentation lists together",
        ));
    };
    if values.iter().any(|value| value.contains("${")) {
        return Err(ConfigError::new(
            ConfigErrorKind::Policy,
            "expected no policy variable: none is known here",
        ));
    }
    let texts = values.iter().map(|value| {
        if like {
            Text::Like(WildMatch::new(value))
        } else {
            Text::Exactly(value.as_str().into())
        }
    });
    let test = attribute.any_of(texts.collect())?;
    Ok(either(test, operator.starts_with("StringNot")))
}

fn either(test: Test, negated: bool) -> Condition {
    if negated {
        Condition::negated(test)
    } else {
        Condition::new(test)
    }
}

fn moment(text: &str) -> Result<Timestamp, ConfigError> {
    let moment = text.parse::<jiff::Timestamp>().map_err(|_| {
        ConfigError::new(
            ConfigErrorKind::Policy,
            format!("expected a date in RFC 3339, found {text:?}"),
        )
    })?;
    Ok(Timestamp::from_unix_micros(moment.as_microsecond()))
}
