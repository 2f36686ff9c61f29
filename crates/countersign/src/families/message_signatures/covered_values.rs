//! The values of the covered components in a message.
//!
//! Values are found first and read later. Finding takes time proportional to the number of
//! components and lines, reading to their length. The verifier checks the date between the two.
//! Shared sources are read once: the query is split once, and each dictionary parsed once.

use std::{collections::HashMap, ops::Range};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::COOKIE};
use smallvec::SmallVec;

use super::{
    component_id::{Component, ComponentId, FieldForm},
    covered_components::CoveredComponents,
    derived_component::DerivedComponent,
    message::{Lines, Message, TOO_LONG},
    query_param::FormQuery,
    structured_field::{ParsedDictionary, StructuredType},
};
use crate::{
    error::{Escaped, Reason, reason},
    head::cookie,
};

/// Number of components kept without an allocation.
const INLINE: usize = 8;

/// The components of a signature and the places of their values. Large, so it is filled and read in
/// place.
#[derive(Debug)]
pub(super) struct CoveredValues<'v> {
    message: &'v Message<'v>,
    found: SmallVec<[Found<'v>; INLINE]>,
    shared: Shared<'v>,
}

/// A component and the place of its value.
#[derive(Debug)]
struct Found<'v> {
    id: &'v ComponentId<'v>,
    source: Source<'v>,
}

/// The place of a component's value.
#[derive(Debug)]
enum Source<'v> {
    Derived(&'v DerivedComponent<'v>),
    Plain(Lines<'v>),
    Cookie(Lines<'v>),
    ByteSequence(Lines<'v>),
    Structured(Lines<'v>, StructuredType),
    Member { field: FieldOf<'v>, key: &'v str },
}

/// A field, and whether it is one of the request of a response.
type FieldOf<'v> = (bool, &'v str);

/// Sources that several components share.
#[derive(Debug, Default)]
struct Shared<'v> {
    form: Option<FormQuery<'v>>,
    dictionaries: Option<HashMap<FieldOf<'v>, SharedDictionary<'v>>>,
}

/// A dictionary field, parsed for the first component that needs it.
#[derive(Debug)]
struct SharedDictionary<'v> {
    lines: Lines<'v>,
    parsed: Option<ParsedDictionary>,
}

impl<'v> Source<'v> {
    #[inline]
    fn find(
        message: &Message<'v>,
        id: &'v ComponentId<'v>,
        shared: &mut Shared<'v>,
    ) -> Result<Self, &'static str> {
        let message = message.message_of(id)?;
        Ok(match id.component() {
            Component::Derived(derived) => {
                derived.ensure_available(message)?;
                Self::Derived(derived)
            }
            Component::Field { name, form } => match form {
                FieldForm::Plain if *name == COOKIE.as_str() => {
                    Self::Cookie(message.cookie_lines()?)
                }
                FieldForm::Plain => Self::Plain(message.lines_of(name)?),
                FieldForm::ByteSequence => Self::ByteSequence(message.lines_of(name)?),
                FieldForm::Structured => {
                    Self::Structured(message.lines_of(name)?, message.type_of(name)?)
                }
                FieldForm::Member { key, .. } => {
                    let field = (id.is_of_request(), &**name);
                    shared.find(message, field)?;
                    Self::Member { field, key }
                }
            },
        })
    }
}

impl<'v> CoveredValues<'v> {
    /// Starts without components.
    #[inline]
    pub(super) fn of(message: &'v Message<'v>) -> Self {
        Self {
            message,
            found: SmallVec::new(),
            shared: Shared::default(),
        }
    }

    /// Finds the values of these components. A field must be present and no longer than the limit;
    /// if its form needs a structured type, the type must be known. If a query parameter is
    /// covered, the number of query parameters is limited.
    #[inline]
    pub(super) fn find(&mut self, covered: &'v CoveredComponents<'_>) -> Result<(), Reason> {
        let message = self.message;
        let mut covers_parameters = false;
        for id in covered.iter() {
            covers_parameters |= matches!(
                id.component(),
                Component::Derived(DerivedComponent::QueryParam(_))
            );
            let source = Source::find(message, id, &mut self.shared);
            let source = source.map_err(|problem| refusal(message, id, problem))?;
            self.found.push(Found { id, source });
        }
        if covers_parameters {
            message.ensure_query_within_limit()?;
        }
        Ok(())
    }

    /// Reads the values and writes one line for each component, in signing order. Reports to
    /// `written` the ranges of identifier and value in the text.
    #[inline]
    pub(super) fn write_lines(
        &mut self,
        text: &mut String,
        mut written: impl FnMut(&'v ComponentId<'v>, Range<usize>, Range<usize>),
    ) -> Result<(), Reason> {
        for Found { id, source } in &self.found {
            let start = text.len();
            id.write_to(text);
            let identifier = start..text.len();
            text.push_str(": ");
            let start = text.len();
            let message = self.message.message_of(id);
            message
                .and_then(|message| self.shared.write(source, message, text))
                .map_err(|problem| id.refusal(problem))?;
            written(id, identifier, start..text.len());
            text.push('\n');
        }
        Ok(())
    }
}

const NO_MEMBER: &str = "key: expected a dictionary with this member";

impl<'v> Shared<'v> {
    fn find(&mut self, message: &Message<'v>, field: FieldOf<'v>) -> Result<(), &'static str> {
        let dictionaries = self.dictionaries.get_or_insert_default();
        if dictionaries.contains_key(&field) {
            return Ok(());
        }
        let (_, name) = field;
        let lines = message.lines_of(name)?;
        if message.type_of(name)? != StructuredType::Dictionary {
            return Err("key: expected a field that is a dictionary");
        }
        let parsed = None;
        dictionaries.insert(field, SharedDictionary { lines, parsed });
        Ok(())
    }

    /// Reads a value and writes it to the text.
    #[inline]
    fn write(
        &mut self,
        source: &Source<'v>,
        message: &Message<'v>,
        text: &mut String,
    ) -> Result<(), &'static str> {
        match source {
            Source::Derived(derived) => derived.write_value(message, &mut self.form, text),
            Source::Plain(lines) => join(lines, COMMA, text, plain),
            Source::Cookie(lines) => join(lines, cookie::SEPARATOR, text, plain),
            Source::ByteSequence(lines) => join(lines, COMMA, text, byte_sequence),
            Source::Structured(lines, kind) => {
                let value = kind.reserialize(&joined(lines)?);
                text.push_str(&value.ok_or("sf: the field is not of its type")?);
                Ok(())
            }
            Source::Member { field, key } => {
                let dictionary = self.parsed(*field)?;
                dictionary.write_member(key, text).ok_or(NO_MEMBER)
            }
        }
    }

    fn parsed(&mut self, field: FieldOf<'v>) -> Result<&ParsedDictionary, &'static str> {
        let dictionaries = self.dictionaries.as_mut();
        // Invariant: `find` has found it.
        let dictionary = dictionaries.and_then(|dictionaries| dictionaries.get_mut(&field));
        let SharedDictionary { lines, parsed } = dictionary.ok_or(NO_MEMBER)?;
        if let Some(parsed) = parsed {
            Ok(parsed)
        } else {
            let text = joined(lines)?;
            Ok(parsed.insert(ParsedDictionary::parse(&text).ok_or(NO_MEMBER)?))
        }
    }
}

/// Joins the lines to one text.
fn joined(lines: &Lines<'_>) -> Result<String, &'static str> {
    let mut text = String::new();
    join(lines, COMMA, &mut text, plain)?;
    Ok(text)
}

/// Returns the separator between two lines of a field (RFC 9421 section 2.1).
const COMMA: &str = ", ";

/// Writes the lines, joined by `separator`.
fn join(
    lines: &Lines<'_>,
    between: &str,
    text: &mut String,
    write: impl Fn(&HeaderValue, &mut String) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut is_first = true;
    lines.try_for_each(|line| {
        if !is_first {
            text.push_str(between);
        }
        is_first = false;
        write(line, text)
    })
}

fn plain(line: &HeaderValue, text: &mut String) -> Result<(), &'static str> {
    let line = line
        .to_str()
        .map_err(|_| "expected visible ASCII, found another byte")?;
    // Invariant: among the bytes that `trim` removes, only spaces and tabs can occur.
    text.push_str(line.trim_ascii());
    Ok(())
}

/// Covers any bytes, including those outside ASCII.
#[expect(
    clippy::unnecessary_wraps,
    reason = "shares its signature with the plain form, which can fail"
)]
fn byte_sequence(line: &HeaderValue, text: &mut String) -> Result<(), &'static str> {
    // Invariant: among the bytes that `trim_ascii` removes, a header value holds only spaces and
    // tabs.
    let line = line.as_bytes().trim_ascii();
    text.push(':');
    STANDARD.encode_string(line, text);
    text.push(':');
    Ok(())
}

/// Returns the reason for a component without a value in this request.
#[cold]
fn refusal(message: &Message<'_>, id: &ComponentId<'_>, problem: &'static str) -> Reason {
    if problem == TOO_LONG {
        return reason!(
            "component {}: expected at most {} bytes, found more; \
             HeadLimits::with_covered_value_bytes sets the limit",
            Escaped::text(&id.shown()),
            message.max_field_bytes
        );
    }
    id.refusal(problem)
}
