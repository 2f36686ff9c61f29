use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Policy,
    condition::{Attribute, Bound, Condition, Test, Text, range},
    path_pattern::PathPattern,
    principal::Membership,
    resource::{Methods, Resource},
    statement::{Effect, Statement, StatementId},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    timestamp::Timestamp,
};

impl Policy {
    /// Reads a policy from a TOML text.
    ///
    /// ```
    /// use countersign::{KeyId, Policy, PolicyRequest};
    ///
    /// let policy = Policy::from_toml(r#"
    /// [groups]
    /// finance = ["billing", "audit"]
    ///
    /// [accounts]
    /// partner = ["warehouse"]
    ///
    /// [[statements]]
    /// id = "finance reads accounts"
    /// effect = "allow"
    /// callers = ["group:finance", "account:partner"]
    /// methods = ["GET", "HEAD"]
    /// paths = ["/api/account/*"]
    ///
    /// [[statements]]
    /// id = "billing closes accounts from inside"
    /// effect = "allow"
    /// callers = ["billing"]
    /// methods = ["DELETE"]
    /// paths = ["/api/account/*"]
    /// when = { coverage = ["request"], source_cidr = ["10.0.0.0/8"], not_after = 2027-01-01T00:00:00Z }
    ///
    /// [[statements]]
    /// id = "nobody asks for keys"
    /// effect = "deny"
    /// callers = ["*"]
    /// methods = ["*"]
    /// paths = ["/api/account/*/keys/**"]
    /// "#)?;
    ///
    /// let audit = KeyId::new("audit")?;
    /// let allows = |method, path| policy.evaluate(&PolicyRequest::new(&audit, method, path)).is_allowed();
    /// assert!(allows("GET", "/api/account/7"));
    /// assert!(!allows("DELETE", "/api/account/7"));
    /// assert!(!allows("GET", "/api/account/7/keys"));
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of `statements` | value |
    /// |---|---|
    /// | `id` | its name, which the log says |
    /// | `effect` | `"allow"` or `"deny"` |
    /// | `callers` | names, `"group:…"`, `"account:…"`, or `"*"` for everyone |
    /// | `methods` | methods with their case, or `"*"` alone. HEAD is not GET, also where a router hands it to the same handler |
    /// | `paths` | patterns, matched byte for byte: `*` is any run of characters within a segment, also none; `**`, a segment by itself, is any number of segments, also none (`/api/**` is `/api` as well) |
    /// | `when` | further conditions, all of which must hold; may be left out |
    ///
    /// | key of `when` | holds if |
    /// |---|---|
    /// | `scheme` | the signature is in one of these [schemes](crate::Scheme) |
    /// | `coverage` | it binds one of these: `"request"`, `"partial"`, `"body-only"` |
    /// | `key_version` | it is by a key with one of these labels |
    /// | `source_cidr` | the request comes from one of these addresses or ranges |
    /// | `route` | the router matched one of these routes, as the application wrote them |
    /// | `not_before`, `not_after` | the time is this one or later; is earlier than this one. A TOML date-time with an offset |
    ///
    /// All are lists but the two dates.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::File`] if the text is not TOML of this form, and for any key that is not in these tables;
    /// [`ConfigErrorKind::Policy`] for a statement that says nothing (no caller, no path, no condition in `when`), that no
    /// request could match, or whose id is another's, for a group or an account that is not listed, and for a text without
    /// statements; [`ConfigErrorKind::Name`] for a name that is none.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| wrong_toml(text, &error))?;
        let mut membership = Membership::new();
        for (name, callers) in &file.groups {
            membership = membership.with_group(name, callers)?;
        }
        for (name, callers) in &file.accounts {
            membership = membership.with_account(name, callers)?;
        }
        let statements = file.statements.into_iter().map(|entry| {
            let id = StatementId::new(&entry.id)?;
            let place = format!("statement {id}");
            entry
                .into_statement(id, &membership)
                .map_err(|error| error.within(place))
        });
        let statements = statements.collect::<Result<Vec<_>, _>>()?;
        Self::build(statements, &membership, String::new())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    groups: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    accounts: BTreeMap<String, Vec<String>>,
    statements: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    effect: EntryEffect,
    callers: Vec<String>,
    methods: Vec<String>,
    paths: Vec<String>,
    when: Option<When>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EntryEffect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    scheme: Option<Vec<String>>,
    coverage: Option<Vec<String>>,
    key_version: Option<Vec<String>>,
    source_cidr: Option<Vec<String>>,
    route: Option<Vec<String>>,
    not_before: Option<toml::value::Datetime>,
    not_after: Option<toml::value::Datetime>,
}

impl Entry {
    fn into_statement(
        self,
        id: StatementId,
        membership: &Membership,
    ) -> Result<Statement, ConfigError> {
        let callers = some("callers", self.callers)?;
        let methods = some("methods", self.methods)?;
        let paths = some("paths", self.paths)?;
        Ok(Statement {
            id,
            effect: match self.effect {
                EntryEffect::Allow => Effect::Allow,
                EntryEffect::Deny => Effect::Deny,
            },
            principals: callers
                .iter()
                .map(|name| membership.principal(name))
                .collect::<Result<_, _>>()?,
            resource: Resource::Paths {
                methods: Methods::parse(&methods)?,
                paths: paths
                    .iter()
                    .map(|path| PathPattern::parse(path))
                    .collect::<Result<_, _>>()?,
            },
            conditions: self
                .when
                .map(When::into_conditions)
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

impl When {
    fn into_conditions(self) -> Result<Vec<Condition>, ConfigError> {
        let mut conditions = Vec::new();
        for (name, attribute, texts) in [
            ("scheme", Attribute::Scheme, self.scheme),
            ("coverage", Attribute::Coverage, self.coverage),
            ("key_version", Attribute::KeyVersion, self.key_version),
            ("route", Attribute::Route, self.route),
        ] {
            if let Some(texts) = texts {
                let texts = some(name, texts)?.into_iter();
                let texts = texts.map(|text| Text::Exactly(text.into())).collect();
                conditions.push(Condition::new(attribute.any_of(texts)?));
            }
        }
        if let Some(ranges) = self.source_cidr {
            let ranges = some("source_cidr", ranges)?;
            let ranges = ranges.iter().map(|text| range(text));
            conditions.push(Condition::new(Test::Source(
                ranges.collect::<Result<_, _>>()?,
            )));
        }
        let not_before = self.not_before.map(|date| moment("not_before", date));
        let not_after = self.not_after.map(|date| moment("not_after", date));
        let (not_before, not_after) = (not_before.transpose()?, not_after.transpose()?);
        if let (Some(from), Some(until)) = (not_before, not_after)
            && from >= until
        {
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                "not_after: expected a time later than not_before",
            ));
        }
        for (bound, moment) in [(Bound::From, not_before), (Bound::Before, not_after)] {
            if let Some(moment) = moment {
                conditions.push(Condition::new(Test::Time(bound, vec![moment])));
            }
        }
        some("when", conditions)
    }
}

/// Refuses an empty list: it reads as "none" here and as "any" there.
fn some<T>(name: &str, values: Vec<T>) -> Result<Vec<T>, ConfigError> {
    if values.is_empty() {
        return Err(ConfigError::new(
            ConfigErrorKind::Policy,
            format!("{name}: expected at least one, found none"),
        ));
    }
    Ok(values)
}

fn moment(name: &str, date: toml::value::Datetime) -> Result<Timestamp, ConfigError> {
    let text = date.to_string();
    let moment = text.parse::<jiff::Timestamp>().map_err(|_| {
        let message = format!("{name}: expected a date-time with an offset, found {text}");
        ConfigError::new(ConfigErrorKind::File, message)
    })?;
    Ok(Timestamp::from_unix_micros(moment.as_microsecond()))
}

/// A policy holds no key: the parser may say what it found. Its first line is enough; the others draw the text.
fn wrong_toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().map_or(0, |span| span.start);
    let breaks = text.bytes().take(before).filter(|byte| *byte == b'\n');
    let line = breaks.count().saturating_add(1);
    ConfigError::new(
        ConfigErrorKind::File,
        format!("line {line}: {}", error.message()),
    )
}
