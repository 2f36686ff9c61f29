//! Reads policies in the form of API Gateway's resource policies.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};

use super::{
    Policy,
    contradiction::ensure_possible,
    execute_api::ExecuteApi,
    json_condition::conditions,
    json_values::{OneOrMany, Unique},
    position::{Misplaced, Steps},
    principal::Principal,
    resource::Resource,
    resource_name::ParsedResource,
    statement::{Effect, Statement, StatementId, duplicate},
    unreachable::UnreachableStatement,
};
use crate::{
    document::Position,
    error::{ConfigError, ConfigErrorKind},
};

impl Policy {
    /// Reads a policy from JSON, in the form of API Gateway's resource policies. `api` names this
    /// service and the accounts of the policy.
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
    /// | element | accepted values |
    /// |---|---|
    /// | `Version` | `2012-10-17` |
    /// | `Id` | any text; not used |
    /// | `Statement` | one statement, or a list of at least one |
    /// | `Sid` | 1 to 128 visible ASCII characters or spaces; default: `statement 1` and so on |
    /// | `Effect` | `Allow`, `Deny` |
    /// | `Principal` | `"*"`, or an object with `AWS`, `Caller` or both |
    /// | `AWS` | `*`, an account, or a caller of an account, as below |
    /// | `Caller` | an addition of this crate: names, `group:…` and `account:…`, as in TOML |
    /// | `Action` | `execute-api:Invoke`, `execute-api:*` or `*` |
    /// | `Resource` | a pattern of request names, as below |
    /// | `Condition` | the operators and keys of the next table |
    ///
    /// `AWS` accepts only accounts that `api` lists: by number, or as `arn:aws:iam::ACCOUNT:root`.
    /// A caller that is listed in an account is `arn:aws:iam::ACCOUNT:user/NAME` or `role/NAME`.
    ///
    /// `Resource` is `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`, the same from
    /// `API` on, `execute-api:/STAGE/METHOD/path`, or `*`. A `*` matches any run of characters,
    /// including slashes, and `?` any one character.
    ///
    /// | operators | keys |
    /// |---|---|
    /// | `IpAddress`, `NotIpAddress` | `aws:SourceIp`: addresses and ranges |
    /// | `DateGreaterThan`, `DateGreaterThanEquals` | `aws:CurrentTime`, in RFC 3339 |
    /// | `DateLessThan`, `DateLessThanEquals` | `aws:CurrentTime`, in RFC 3339 |
    /// | `StringEquals`, `StringNotEquals` | the `countersign:` keys |
    /// | `StringLike`, `StringNotLike` | the `countersign:` keys |
    ///
    /// The `countersign:` keys are `countersign:Scheme`, `countersign:Coverage`,
    /// `countersign:KeyVersion` and `countersign:Route`. Host bits in a range such as
    /// `192.0.2.0/24` are ignored.
    ///
    /// `Action`, `Resource`, `AWS`, `Caller` and the values of a key are one text or a list of at
    /// least one. Names of elements and operators are case-sensitive, names of keys are not.
    ///
    /// Several values of a key are alternatives. Several keys and operators must all hold. A `Not…`
    /// operator holds if no value matches. In IAM, a `Not…` operator also holds if the request's
    /// value is unknown. Here, an unknown value makes every condition of an `Allow` fail and every
    /// condition of a `Deny` hold.
    ///
    /// # Resources that no request can match
    ///
    /// A statement that no request to this service can match is refused: as a `Deny` it would
    /// protect nothing. The same applies to each resource of a list. Refused are:
    ///
    /// - another region, account, API or stage than that of `api`, unless the document is
    ///   [shared](ExecuteApi::with_shared_documents). In a shared document, the resource is kept
    ///   out, and [`unreachable`](Self::unreachable) lists it;
    /// - another service or partition, a missing part, and a slash in place of a colon or the
    ///   reverse;
    /// - an unknown method: `ANY`, which is written `*`, a method in lower case, and one that is
    ///   neither standard nor [added](ExecuteApi::with_extension_methods);
    /// - a path that is not in plain form (see [`Policy`]), with braces, or with a query.
    ///
    /// As in IAM, a `*` also matches slashes: `API/*/GET/pets` matches a POST of `/x/GET/pets` too.
    /// Write the stage to prevent that.
    ///
    /// For the checks above, a `*` for the API or the stage matches only that part.
    /// `execute-api:/*/ANY/login` is refused, although `GET /ANY/login` would match it. For such a
    /// path, write the method as well: `execute-api:/*/*/ANY/login`. Only a `*` before a segment
    /// that cannot be a method also matches the method: `execute-api:/*/pets`.
    ///
    /// # Errors
    ///
    /// Every error begins with its line and column, and names the statement by its `Sid` or
    /// position.
    ///
    /// - [`ConfigErrorKind::File`] if the text is not JSON of this form. This includes an element
    ///   that is not in these tables, such as `NotPrincipal`, `NotAction` or `NotResource`, an
    ///   element that is duplicate or null, and an empty list.
    /// - [`ConfigErrorKind::Policy`] for an unknown operator, key or action, an operator of another
    ///   key, a policy variable, or an account or caller that `api` does not list.
    /// - [`ConfigErrorKind::Policy`] also for a value that no request can have, conditions that
    ///   exclude each other, two statements with one name, and a document without a statement about
    ///   this service.
    /// - [`ConfigErrorKind::Name`] for a `Caller` that is not a valid name.
    pub fn from_json(text: &str, api: &ExecuteApi) -> Result<Self, ConfigError> {
        let document = serde_json::from_str(text).map_err(|error| wrong_json(&error))?;
        read(document, api).map_err(|wrong| wrong.located_in(text))
    }
}

fn read(document: Document, api: &ExecuteApi) -> Result<Policy, Misplaced<Steps>> {
    if document.version != "2012-10-17" {
        let error = wrong(format!(
            "Version: expected 2012-10-17, found {:?}",
            document.version
        ));
        return Err(Misplaced::from(error).in_member("Version"));
    }
    let entries = document.statement;
    let at = |place: usize, wrong: Misplaced<Steps>| {
        wrong
            .in_element(entries.place(place))
            .in_member("Statement")
    };
    let mut ids = Vec::new();
    for (place, (_, entry)) in entries.placed().enumerate() {
        let id = entry
            .id(place)
            .map_err(|error| at(place, Misplaced::from(error).in_member("Sid")))?;
        ids.push(id);
    }
    if let Some((place, error)) = duplicate(&ids) {
        return Err(at(place, Misplaced::from(error).in_member("Sid")));
    }
    let (mut statements, mut unreachable) = (Vec::new(), Vec::new());
    for (place, ((_, entry), id)) in entries.placed().zip(ids).enumerate() {
        let read = entry.read(&id, api, &mut unreachable);
        let read = read.map_err(|wrong| at(place, wrong.within(id.described())))?;
        statements.extend(read);
    }
    let mut policy = Policy::build(statements, api.membership(), api.prefix())?;
    policy.unreachable = unreachable;
    Ok(policy)
}

/// Quotes the parser's message: a policy holds no key.
fn wrong_json(error: &serde_json::Error) -> ConfigError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let place = format!(" at line {line} column {column}");
    let message = message.strip_suffix(&place).unwrap_or(&message);
    ConfigError::new(
        ConfigErrorKind::File,
        format!("expected a policy: {message}"),
    )
    .within(Position { line, column })
}

fn wrong(problem: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Policy, problem)
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

/// An element may be omitted. A null element is ambiguous and refused.
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

/// `"*"`, or an object with kinds of principals.
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
            aws: Some(OneOrMany::one(text.to_owned())),
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
    /// Returns the name of the statement at this position. An empty `Sid` counts as none, as in
    /// IAM.
    fn id(&self, place: usize) -> Result<StatementId, ConfigError> {
        match self.sid.as_deref() {
            None | Some("") => Ok(StatementId::of_place(place.saturating_add(1))),
            Some(sid) => StatementId::new(sid, "Sid"),
        }
    }

    /// Returns the statement, if any request to this service can match it.
    fn read(
        &self,
        id: &StatementId,
        api: &ExecuteApi,
        unreachable: &mut Vec<UnreachableStatement>,
    ) -> Result<Option<Statement>, Misplaced<Steps>> {
        let action = self.action.read(check_action);
        action.map_err(|wrong| wrong.in_member("Action"))?;
        let principals = self.principal.0.read(api);
        let principals = principals.map_err(|wrong| wrong.in_member("Principal"))?;
        let conditions = conditions(self.condition.as_ref()).and_then(|conditions| {
            ensure_possible(&conditions)?;
            Ok(conditions)
        });
        let conditions =
            conditions.map_err(|wrong| wrong.within("Condition").in_member("Condition"))?;
        let (mut patterns, mut foreign) = (Vec::new(), Vec::new());
        for (place, text) in self.resource.placed() {
            let at = |error| {
                Misplaced::from(error)
                    .in_element(place)
                    .in_member("Resource")
            };
            match api.resource(text).map_err(at)? {
                ParsedResource::Reachable(pattern) => patterns.push(pattern),
                ParsedResource::Foreign(other) if api.takes_shared_documents() => {
                    foreign.push((text, other));
                }
                ParsedResource::Overlapping(pattern, _) if api.takes_shared_documents() => {
                    patterns.push(pattern);
                }
                ParsedResource::Foreign(other) | ParsedResource::Overlapping(_, other) => {
                    return Err(at(wrong(format!(
                        "Resource {text:?}: {other}: no request to this service can match it, and \
                         the document was not said to be shared by several APIs"
                    ))));
                }
            }
        }
        let kept_out = patterns.is_empty();
        let denies = matches!(self.effect, EntryEffect::Deny);
        let foreign = foreign
            .into_iter()
            .map(|(text, foreign)| UnreachableStatement {
                statement: id.clone(),
                denies,
                kept_out,
                resource: text.clone(),
                why: foreign.why,
                expected: foreign.expected,
                found: foreign.found,
            });
        unreachable.extend(foreign);
        if kept_out {
            return Ok(None);
        }
        Ok(Some(Statement {
            id: id.clone(),
            effect: match self.effect {
                EntryEffect::Allow => Effect::Allow,
                EntryEffect::Deny => Effect::Deny,
            },
            principals,
            resource: Resource::Names(patterns),
            conditions,
        }))
    }
}

fn check_action(action: &str) -> Result<(), ConfigError> {
    let invoke = ["*", "execute-api:*", "execute-api:Invoke"];
    if invoke
        .iter()
        .any(|known| known.eq_ignore_ascii_case(action))
    {
        return Ok(());
    }
    Err(wrong(format!(
        "Action: expected execute-api:Invoke, execute-api:* or *, found {action:?}"
    )))
}

impl PrincipalKinds {
    fn read(&self, api: &ExecuteApi) -> Result<Vec<Principal>, Misplaced<Steps>> {
        let mut principals = Vec::new();
        if let Some(names) = &self.aws {
            let read = names.read(|text| api.principal(text));
            let read = read.map_err(|wrong| wrong.within("Principal: AWS").in_member("AWS"))?;
            principals.extend(read);
        }
        if let Some(names) = &self.caller {
            let read = names.read(|name| api.membership().principal(name));
            let read =
                read.map_err(|wrong| wrong.within("Principal: Caller").in_member("Caller"))?;
            principals.extend(read);
        }
        Ok(principals)
    }
}
