use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use toml::Spanned;

use super::{
    Policy,
    condition::{Attribute, Bound, Condition, Test, range},
    contradiction::ensure_possible,
    methods::KnownMethods,
    path_pattern::PathPattern,
    position::Misplaced,
    principal::Membership,
    resource::{Methods, Resource},
    statement::{Effect, Statement, StatementId, duplicate},
};
use crate::{
    document::{Position, toml_date},
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
    /// [statements.when]
    /// coverage = ["request"]
    /// source_cidr = ["10.0.0.0/8"]
    /// not_after = 2027-01-01T00:00:00Z
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
    /// let allows = |method, path| {
    ///     policy.evaluate(&PolicyRequest::new(&audit, method, path)).is_allowed()
    /// };
    /// assert!(allows("GET", "/api/account/7"));
    /// assert!(!allows("DELETE", "/api/account/7"));
    /// assert!(!allows("GET", "/api/account/7/keys"));
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// | key of the file | value |
    /// |---|---|
    /// | `groups`, `accounts` | tables of name to callers, at least one caller each |
    /// | `extension_methods` | further methods for statements, such as `PURGE`; optional |
    /// | `statements` | the statements, at least one |
    ///
    /// A caller may be in any number of groups, and in one account. Methods known without
    /// `extension_methods` are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS and TRACE.
    ///
    /// | key of `statements` | value |
    /// |---|---|
    /// | `id` | the name in the log: 1 to 128 characters of visible ASCII and space |
    /// | `effect` | `"allow"` or `"deny"` |
    /// | `callers` | names, `"group:…"`, `"account:…"`, or `"*"` for everyone |
    /// | `methods` | methods, case-sensitive, or `"*"` alone |
    /// | `paths` | patterns, matched byte for byte, as below |
    /// | `when` | further conditions, all of which must hold; optional |
    ///
    /// HEAD is not GET, even if a router sends both to one handler. In `paths`, `*` matches any run
    /// of characters within a segment, including none. `**`, as a whole segment, matches any number
    /// of segments, including none: `/api/**` also matches `/api`.
    ///
    /// | key of `when` | holds if |
    /// |---|---|
    /// | `scheme` | the signature is in one of these [schemes](crate::Scheme) |
    /// | `coverage` | it covers one of these: `"request"`, `"partial"`, `"body-only"` |
    /// | `key_version` | the key has one of these labels |
    /// | `source_cidr` | the request comes from one of these addresses or ranges |
    /// | `route` | the router matched one of these routes, as the application writes them |
    /// | `not_before` | the time is this TOML date-time with an offset, or later |
    /// | `not_after` | the time is earlier than this TOML date-time with an offset |
    ///
    /// All values are lists of at least one, except the two dates. Host bits in a range are
    /// ignored. Routes are not patterns.
    ///
    /// # Errors
    ///
    /// Every error begins with its line and column, and names the statement by its `id`.
    ///
    /// - [`ConfigErrorKind::File`] if the text is not TOML of this form, for a key that is not in
    ///   these tables, and for a date without an offset.
    /// - [`ConfigErrorKind::Policy`] for a statement, or a part of one, that no request can match:
    ///   as a deny it would protect nothing. Examples are an unknown method, such as `ANY`, which
    ///   is written `*`, or one in lower case; a path that is not in plain form (see [`Policy`]) or
    ///   has braces; a value that no request can have, such as the range `0.0.0.0/32` or the route
    ///   `/api/*`; and conditions that exclude each other.
    /// - [`ConfigErrorKind::Policy`] also for an empty list or `when`, a group or an account that
    ///   is unknown, listed twice or without callers, a duplicate `id`, and a text without
    ///   statements.
    /// - [`ConfigErrorKind::Name`] for an invalid caller's name. This includes one that begins with
    ///   a misspelling of `group:` or `account:`, such as `groups:finance`.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| wrong_toml(text, &error))?;
        file.read().map_err(|wrong| wrong.located_in(text))
    }
}

/// A mistake and its offset in the text.
type Wrong = Misplaced<usize>;

fn at(span: Range<usize>) -> impl Fn(ConfigError) -> Wrong {
    move |error| Misplaced {
        error,
        place: span.start,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    groups: BTreeMap<String, Spanned<Vec<String>>>,
    #[serde(default)]
    accounts: BTreeMap<String, Spanned<Vec<String>>>,
    extension_methods: Option<List>,
    statements: Vec<Entry>,
}

type List = Spanned<Vec<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    effect: EntryEffect,
    callers: List,
    methods: List,
    paths: List,
    when: Option<Spanned<When>>,
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
    scheme: Option<List>,
    coverage: Option<List>,
    key_version: Option<List>,
    source_cidr: Option<List>,
    route: Option<List>,
    not_before: Option<Spanned<toml::value::Datetime>>,
    not_after: Option<Spanned<toml::value::Datetime>>,
}

impl File {
    fn read(self) -> Result<Policy, Wrong> {
        let mut membership = Membership::new();
        for (name, callers) in &self.groups {
            let with = membership.with_group(name, callers.get_ref());
            membership = with.map_err(at(callers.span()))?;
        }
        for (name, callers) in &self.accounts {
            let with = membership.with_account(name, callers.get_ref());
            membership = with.map_err(at(callers.span()))?;
        }
        let mut known = KnownMethods::default();
        if let Some(methods) = &self.extension_methods {
            for method in some("extension_methods", methods)? {
                let with = known.with_extensions([method.get_ref()]);
                known = with.map_err(at(method.span()))?;
            }
        }
        let mut ids = Vec::new();
        for entry in &self.statements {
            let id = StatementId::new(entry.id.get_ref(), "id");
            ids.push(id.map_err(at(entry.id.span()))?);
        }
        if let Some((place, error)) = duplicate(&ids) {
            let second = self.statements.get(place);
            let span = second.map_or(0..0, |entry| entry.id.span());
            return Err(at(span)(error));
        }
        let mut statements = Vec::new();
        for (entry, id) in self.statements.into_iter().zip(ids) {
            let described = id.described();
            let statement = entry.read(id, &membership, &known);
            statements.push(statement.map_err(|wrong| wrong.within(described))?);
        }
        Policy::build(statements, &membership, String::new()).map_err(at(0..0))
    }
}

impl Entry {
    fn read(
        self,
        id: StatementId,
        membership: &Membership,
        known: &KnownMethods,
    ) -> Result<Statement, Wrong> {
        let principals = read("callers", &self.callers, |name| membership.principal(name))?;
        let listed = self.methods.get_ref().len();
        let methods = read("methods", &self.methods, |method| {
            Methods::check(method, listed, known).map(|()| method.to_owned())
        })?;
        let paths = read("paths", &self.paths, PathPattern::parse)?;
        let conditions = match self.when {
            None => Vec::new(),
            Some(when) => {
                let span = when.span();
                let conditions = when.into_inner().read(&span)?;
                ensure_possible(&conditions)
                    .map_err(|error| error.within("when"))
                    .map_err(at(span))?;
                conditions
            }
        };
        Ok(Statement {
            id,
            effect: match self.effect {
                EntryEffect::Allow => Effect::Allow,
                EntryEffect::Deny => Effect::Deny,
            },
            principals,
            resource: Resource::Paths {
                methods: Methods::of(methods),
                paths,
            },
            conditions,
        })
    }
}

impl When {
    fn read(self, span: &Range<usize>) -> Result<Vec<Condition>, Wrong> {
        let mut conditions = Vec::new();
        for (name, attribute, texts) in [
            ("scheme", Attribute::Scheme, self.scheme),
            ("coverage", Attribute::Coverage, self.coverage),
            ("key_version", Attribute::KeyVersion, self.key_version),
            ("route", Attribute::Route, self.route),
        ] {
            if let Some(texts) = texts {
                let texts = read(name, &texts, |text| {
                    attribute
                        .text(text, false)
                        .map_err(|error| error.within(name))
                })?;
                conditions.push(Condition::new(Test::Text(attribute, texts)));
            }
        }
        if let Some(ranges) = self.source_cidr {
            let ranges = read("source_cidr", &ranges, |text| {
                range(text).map_err(|error| error.within("source_cidr"))
            })?;
            conditions.push(Condition::new(Test::Source(ranges)));
        }
        let not_before = self
            .not_before
            .map(|date| parse_timestamp("not_before", &date));
        let not_after = self.not_after.as_ref();
        let until = not_after.map(|date| parse_timestamp("not_after", date));
        let (from, until) = (not_before.transpose()?, until.transpose()?);
        if let (Some(from), Some(until), Some(date)) = (from, until, not_after)
            && from >= until
        {
            return Err(at(date.span())(ConfigError::new(
                ConfigErrorKind::Policy,
                "not_after: expected a time later than not_before",
            )));
        }
        for (bound, time) in [(Bound::From, from), (Bound::Before, until)] {
            if let Some(time) = time {
                conditions.push(Condition::new(Test::Time(bound, vec![time])));
            }
        }
        if conditions.is_empty() {
            return Err(at(span.clone())(nothing("when")));
        }
        Ok(conditions)
    }
}

/// Reads each value of a list with at least one value.
fn read<R>(
    name: &str,
    list: &List,
    read: impl Fn(&str) -> Result<R, ConfigError>,
) -> Result<Vec<R>, Wrong> {
    some(name, list)?
        .iter()
        .map(|value| read(value.get_ref()).map_err(at(value.span())))
        .collect()
}

/// Refuses an empty list, which could mean "none" or "any".
fn some<'l>(name: &str, list: &'l List) -> Result<&'l [Spanned<String>], Wrong> {
    match list.get_ref().as_slice() {
        [] => Err(at(list.span())(nothing(name))),
        values => Ok(values),
    }
}

fn nothing(name: &str) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Policy,
        format!("{name}: expected at least one, found none"),
    )
}

fn parse_timestamp(name: &str, date: &Spanned<toml::value::Datetime>) -> Result<Timestamp, Wrong> {
    toml_date(name, date.get_ref()).map_err(at(date.span()))
}

/// Quotes the parser's message: a policy holds no key. Only its first line, because the others draw
/// the text.
fn wrong_toml(text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let message = error.message();
    ConfigError::new(ConfigErrorKind::File, message).within(Position::of(text, start))
}
