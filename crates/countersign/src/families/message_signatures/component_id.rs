use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use http::HeaderName;
use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{ItemVisitor, ParameterVisitor},
};

use super::{
    derived_component::{DerivedComponent, DerivedSet},
    structured_field::{AtMostTwo, Text, Unreadable, is_plain_text},
};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Reason, reason},
    wire::ByteSet,
};

/// Identifies one line of the signature base: a header field or a derived part of the request (RFC
/// 9421 section 2).
///
/// Written as in `Signature-Input`:
///
/// ```
/// use countersign::ComponentId;
///
/// let member: ComponentId = r#""example-dict";key="a""#.parse()?;
/// assert_eq!(member.to_string(), r#""example-dict";key="a""#);
/// assert_eq!(ComponentId::METHOD.to_string(), r#""@method""#);
/// assert_eq!(r#""@path""#.parse::<ComponentId>()?, ComponentId::PATH);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// Two identifiers are equal if name and parameters are equal, in any order of the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ComponentId<'c>(Component<'c>, ReqFlag);

/// The kind of message whose components are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageKind {
    Request,
    /// A response. `req` marks the components of its request (RFC 9421 section 2.4).
    Response,
}

/// The number of parameters before a `req`. The identifier is signed as sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReqFlag {
    Absent,
    Behind(usize),
}

/// The order of parameters makes no difference (RFC 9421 section 2).
impl PartialEq for ReqFlag {
    fn eq(&self, other: &Self) -> bool {
        matches!(self, Self::Absent) == matches!(other, Self::Absent)
    }
}

impl Eq for ReqFlag {}

impl Hash for ReqFlag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        matches!(self, Self::Absent).hash(state);
    }
}

/// The two kinds of components.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Component<'c> {
    Derived(DerivedComponent<'c>),
    Field {
        /// In lower case.
        name: Cow<'c, str>,
        form: FieldForm<'c>,
    },
}

/// The covered form of a field's value (RFC 9421 sections 2.1.1 to 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum FieldForm<'c> {
    /// As sent, lines joined by `, `.
    Plain,
    /// `sf`: parsed as a structured field and serialized again.
    Structured,
    /// `bs`: each line as a byte sequence.
    ByteSequence,
    /// `key`: one member of a dictionary.
    Member { key: Cow<'c, str>, sf: SfFlag },
}

/// Position of a `sf` beside `key`, which implies it. The identifier is signed as sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum SfFlag {
    Absent,
    BeforeKey,
    BehindKey,
}

/// The order of parameters makes no difference (RFC 9421 section 2).
impl PartialEq for SfFlag {
    fn eq(&self, other: &Self) -> bool {
        matches!(self, Self::Absent) == matches!(other, Self::Absent)
    }
}

impl Eq for SfFlag {}

impl Hash for SfFlag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        matches!(self, Self::Absent).hash(state);
    }
}

impl ComponentId<'static> {
    /// `"@method"`: the method.
    pub const METHOD: Self = Self::derived(DerivedComponent::Method);
    /// `"@authority"`: the authority in lower case, without the default port of the scheme.
    pub const AUTHORITY: Self = Self::derived(DerivedComponent::Authority);
    /// `"@path"`: the path as sent.
    pub const PATH: Self = Self::derived(DerivedComponent::Path);
    /// `"@query"`: the query as sent, with its `?`. The value of an absent query is `?`.
    pub const QUERY: Self = Self::derived(DerivedComponent::Query);
    /// `"@target-uri"`: scheme, authority, path and query.
    pub const TARGET_URI: Self = Self::derived(DerivedComponent::TargetUri);
    /// `"@scheme"`: `http` or `https`.
    pub const SCHEME: Self = Self::derived(DerivedComponent::Scheme);
    /// `"@request-target"`: path and query in one.
    pub const REQUEST_TARGET: Self = Self::derived(DerivedComponent::RequestTarget);
    /// `"content-digest"`: the field that binds the body (RFC 9530).
    pub const CONTENT_DIGEST: Self = Self::field("content-digest");
    pub(super) const CONTENT_TYPE: Self = Self::field("content-type");
    pub(super) const CONTENT_ENCODING: Self = Self::field("content-encoding");

    /// `"@status"`: the status code of a response.
    pub(super) const STATUS: Self = Self::derived(DerivedComponent::Status);

    const fn derived(derived: DerivedComponent<'static>) -> Self {
        Self(Component::Derived(derived), ReqFlag::Absent)
    }

    pub(super) const fn field(name: &'static str) -> Self {
        Self(
            Component::Field {
                name: Cow::Borrowed(name),
                form: FieldForm::Plain,
            },
            ReqFlag::Absent,
        )
    }

    /// `"@query-param";name="…"`: the value of one query parameter. Percent-encodes `name` by RFC
    /// 9421 section 2.2.8.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if `name` is no possible percent-encoded name.
    pub fn query_param(name: &str) -> Result<Self, ConfigError> {
        if is_plain_text(name) {
            let name = Cow::Owned(name.to_owned());
            Ok(Self(
                Component::Derived(DerivedComponent::QueryParam(name)),
                ReqFlag::Absent,
            ))
        } else {
            Err(refused("expected a percent-encoded name"))
        }
    }

    /// `"…";key="…"`: one member of a dictionary field.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Coverage`] if `key` is no valid dictionary key.
    pub fn member(field: &HeaderName, key: &str) -> Result<Self, ConfigError> {
        if KeyRef::from_str(key).is_err() {
            return Err(refused("expected a key of a dictionary"));
        }
        Ok(Self(
            Component::Field {
                name: Cow::Owned(field.as_str().to_owned()),
                form: FieldForm::Member {
                    key: Cow::Owned(key.to_owned()),
                    sf: SfFlag::Absent,
                },
            },
            ReqFlag::Absent,
        ))
    }
}

impl<'c> ComponentId<'c> {
    pub(super) fn component(&self) -> &Component<'c> {
        &self.0
    }

    /// Creates the identifier of the `Signature-Input` member under this label.
    pub(super) fn signature_input(label: &'c str) -> Self {
        Self(
            Component::Field {
                name: Cow::Borrowed("signature-input"),
                form: FieldForm::Member {
                    key: Cow::Borrowed(label),
                    sf: SfFlag::Absent,
                },
            },
            ReqFlag::Absent,
        )
    }

    /// Returns the component of the request that a response answers.
    pub(super) fn of_request(self) -> Self {
        Self(self.0, ReqFlag::Behind(0))
    }

    pub(super) fn is_of_request(&self) -> bool {
        self.1 != ReqFlag::Absent
    }

    /// Refuses a component that messages of this kind do not have.
    fn ensure_of(self, kind: MessageKind) -> Result<Self, &'static str> {
        let is_status = matches!(self.0, Component::Derived(DerivedComponent::Status));
        match (kind, &self.0, self.is_of_request()) {
            (MessageKind::Request, Component::Derived(_), _) if is_status => Err(NOT_OF_A_REQUEST),
            (MessageKind::Request, Component::Derived(_), true) => {
                Err("component: a derived component with a parameter it does not have")
            }
            (MessageKind::Request, Component::Field { .. }, true) => Err(UNKNOWN_PARAMETER),
            (MessageKind::Response, Component::Derived(_), of_request)
                if of_request == is_status =>
            {
                Err("component: expected @status without req, and req with any other derived one")
            }
            _ => Ok(self),
        }
    }

    /// Returns the set of this derived component; empty for a field and for a query parameter.
    pub(super) fn derived_set(&self) -> DerivedSet {
        match &self.0 {
            Component::Derived(derived) => derived.itself(),
            Component::Field { .. } => DerivedSet::default(),
        }
    }

    /// Returns the name of the field if the whole field is covered as sent.
    pub(super) fn plain_field(&self) -> Option<&str> {
        match &self.0 {
            Component::Field {
                name,
                form: FieldForm::Plain,
            } => Some(name),
            Component::Field { .. } | Component::Derived(_) => None,
        }
    }

    /// Returns whether the component belongs to this field, in any form.
    pub(super) fn is_of_field(&self, field: &HeaderName) -> bool {
        match &self.0 {
            Component::Field { name, .. } => name == field.as_str(),
            Component::Derived(_) => false,
        }
    }

    /// Returns the name of the component's field, in any form.
    pub(super) fn field_name(&self) -> Option<&str> {
        match &self.0 {
            Component::Field { name, .. } => Some(name),
            Component::Derived(_) => None,
        }
    }

    /// Creates the identifier of a name without parameters.
    #[inline]
    pub(super) fn plain(name: &'c str) -> Result<Self, &'static str> {
        if name.starts_with('@') {
            return DerivedComponent::plain(name)
                .map(|derived| Self(Component::Derived(derived), ReqFlag::Absent));
        }
        Self::of_field(name, FieldForm::Plain, ReqFlag::Absent)
    }

    /// Creates the identifier of a name with its parameters in order.
    fn from_parts(
        name: &'c str,
        parameters: AtMostTwo<'c>,
        req: ReqFlag,
    ) -> Result<Self, &'static str> {
        if name.starts_with('@') {
            return DerivedComponent::from_parts(name, parameters)
                .map(|derived| Self(Component::Derived(derived), req));
        }
        let sf = ("sf", Text::True);
        let member = |key, sf| {
            let key = Cow::Borrowed(key);
            FieldForm::Member { key, sf }
        };
        let form = match parameters {
            [None, _] => FieldForm::Plain,
            [Some(only), None] if only == sf => FieldForm::Structured,
            [Some(("bs", Text::True)), None] => FieldForm::ByteSequence,
            [Some(("key", Text::Plain(key))), None] => member(key, SfFlag::Absent),
            [Some(first), Some(("key", Text::Plain(key)))] if first == sf => {
                member(key, SfFlag::BeforeKey)
            }
            [Some(("key", Text::Plain(key))), Some(second)] if second == sf => {
                member(key, SfFlag::BehindKey)
            }
            _ => return Err(UNKNOWN_PARAMETER),
        };
        Self::of_field(name, form, req)
    }

    fn of_field(name: &'c str, form: FieldForm<'c>, req: ReqFlag) -> Result<Self, &'static str> {
        if name.is_empty() || !name.bytes().all(|byte| FIELD_NAME_BYTES.has(byte)) {
            return Err("component: expected a field name in lower case");
        }
        let name = Cow::Borrowed(name);
        Ok(Self(Component::Field { name, form }, req))
    }

    fn into_owned(self) -> ComponentId<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let component = match self.0 {
            Component::Derived(derived) => Component::Derived(derived.into_owned()),
            Component::Field { name, form } => Component::Field {
                name: owned(name),
                form: match form {
                    FieldForm::Plain => FieldForm::Plain,
                    FieldForm::Structured => FieldForm::Structured,
                    FieldForm::ByteSequence => FieldForm::ByteSequence,
                    FieldForm::Member { key, sf } => FieldForm::Member {
                        key: owned(key),
                        sf,
                    },
                },
            },
        };
        ComponentId(component, self.1)
    }

    /// Returns the reason for a faulty value, with the component's name.
    #[cold]
    pub(super) fn refusal(&self, problem: &'static str) -> Reason {
        reason!("component {}: {}", Escaped::text(&self.shown()), problem)
    }

    /// Returns the component for a log: as listed, without the quotation marks.
    #[cold]
    pub(super) fn shown(&self) -> String {
        let mut text = String::new();
        self.write_to(&mut text);
        text.replace('"', "")
    }

    /// Returns the component for a log, unless it is covered.
    pub(super) fn shown_unless(&self, is_covered: bool) -> Option<String> {
        (!is_covered).then(|| self.shown())
    }

    /// Writes the identifier as in a line of the signature base (RFC 9421 section 2.5).
    pub(super) fn write_to(&self, text: &mut String) {
        let mut written: usize = 0;
        let mut next = |text: &mut String| {
            if matches!(self.1, ReqFlag::Behind(place) if place == written) {
                text.push_str(";req");
            }
            written = written.saturating_add(1);
        };
        match &self.0 {
            Component::Derived(derived) => {
                text.push_str(derived.quoted());
                next(text);
                if let DerivedComponent::QueryParam(name) = derived {
                    text.extend([";name=\"", name, "\""]);
                    next(text);
                }
            }
            Component::Field { name, form } => {
                text.extend(["\"", name, "\""]);
                next(text);
                match form {
                    FieldForm::Plain => {}
                    FieldForm::Structured => {
                        text.push_str(";sf");
                        next(text);
                    }
                    FieldForm::ByteSequence => {
                        text.push_str(";bs");
                        next(text);
                    }
                    FieldForm::Member { key, sf } => {
                        if matches!(sf, SfFlag::BeforeKey) {
                            text.push_str(";sf");
                            next(text);
                        }
                        text.extend([";key=\"", key, "\""]);
                        next(text);
                        if matches!(sf, SfFlag::BehindKey) {
                            text.push_str(";sf");
                            next(text);
                        }
                    }
                }
            }
        }
    }
}

/// A whole field, as sent.
impl From<HeaderName> for ComponentId<'static> {
    fn from(name: HeaderName) -> Self {
        Self(
            Component::Field {
                name: Cow::Owned(name.as_str().to_owned()),
                form: FieldForm::Plain,
            },
            ReqFlag::Absent,
        )
    }
}

impl FromStr for ComponentId<'static> {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Parser::new(text)
            .parse_item_with_visitor(ComponentVisitor {
                of: MessageKind::Request,
                then: |found: Found<'_>| found.map(ComponentId::into_owned),
            })
            .map_err(|_| refused("expected a name in quotes and its parameters"))?
            .map_err(refused)
    }
}

impl fmt::Display for ComponentId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_to(&mut text);
        f.write_str(&text)
    }
}

pub(super) const NOT_OF_A_REQUEST: &str = "component: expected a derived component of a request";

const UNKNOWN_PARAMETER: &str = "component: expected sf, bs or key and no other parameter";

/// The result of parsing one item of a component list.
pub(super) type Found<'de> = Result<ComponentId<'de>, &'static str>;

/// Parses one item as an identifier and passes it to a function.
pub(super) struct ComponentVisitor<F> {
    pub(super) of: MessageKind,
    pub(super) then: F,
}

/// Visits the parameters of an item whose name has been parsed.
struct ParametersVisitor<'de, F> {
    of: MessageKind,
    name: Text<'de>,
    parameters: Result<AtMostTwo<'de>, &'static str>,
    req: ReqFlag,
    then: F,
}

impl<'de, T, F: FnOnce(Found<'de>) -> T> ItemVisitor<'de> for ComponentVisitor<F> {
    type Out = T;
    type Error = Unreadable;

    fn bare_item(
        self,
        name: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = T>, Self::Error> {
        Ok(ParametersVisitor {
            of: self.of,
            name: Text::of(&name),
            parameters: Ok([None, None]),
            req: ReqFlag::Absent,
            then: self.then,
        })
    }
}

impl<'de, T, F: FnOnce(Found<'de>) -> T> ParameterVisitor<'de> for ParametersVisitor<'de, F> {
    type Out = T;
    type Error = Unreadable;

    fn parameter(
        &mut self,
        key: &'de KeyRef,
        value: BareItemFromInput<'de>,
    ) -> Result<(), Self::Error> {
        if let Ok(known) = &mut self.parameters {
            if key.as_str() == "req" {
                let before = known.iter().flatten().count();
                match (self.req, Text::of(&value)) {
                    (ReqFlag::Absent, Text::True) => self.req = ReqFlag::Behind(before),
                    _ => self.parameters = Err("component: expected req once and without a value"),
                }
                return Ok(());
            }
            match known.iter_mut().find(|free| free.is_none()) {
                Some(free) => *free = Some((key.as_str(), Text::of(&value))),
                None => self.parameters = Err("component: more parameters than any has"),
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<T, Self::Error> {
        let found = match self.name {
            Text::Plain("@status") if self.of == MessageKind::Response => {
                let status = Component::Derived(DerivedComponent::Status);
                match self.parameters {
                    Ok([None, _]) => ComponentId(status, self.req).ensure_of(self.of),
                    Ok(_) => Err(UNKNOWN_PARAMETER),
                    Err(problem) => Err(problem),
                }
            }
            Text::Plain(name) => self
                .parameters
                .and_then(|parameters| ComponentId::from_parts(name, parameters, self.req))
                .and_then(|id| id.ensure_of(self.of)),
            Text::True | Text::Other => Err("component: expected a name in quotes"),
        };
        Ok((self.then)(found))
    }
}

/// Returns whether the text is a token (RFC 9110 section 5.6.2) without upper-case letters.
static FIELD_NAME_BYTES: ByteSet =
    ByteSet::of(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

fn refused(problem: &'static str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Coverage, problem)
}

#[cfg(test)]
mod tests;
