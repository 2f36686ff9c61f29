use std::borrow::Cow;

use super::{
    component_id::NOT_OF_A_REQUEST,
    message::Message,
    query_param::FormQuery,
    structured_field::{AtMostTwo, Text},
};
use crate::head::Target;

/// A part of the request other than a header field (RFC 9421 section 2.2).
///
/// `@status` is the one of a response; `@signature-params` is never listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum DerivedComponent<'c> {
    Method,
    Authority,
    Path,
    Query,
    TargetUri,
    Scheme,
    RequestTarget,
    /// The value of the only parameter with this percent-encoded name.
    QueryParam(Cow<'c, str>),
    /// The status code of a response.
    Status,
}

impl<'c> DerivedComponent<'c> {
    /// Returns the component of this name without parameters.
    #[inline]
    pub(super) fn plain(name: &str) -> Result<Self, &'static str> {
        Ok(match name {
            "@method" => Self::Method,
            "@authority" => Self::Authority,
            "@path" => Self::Path,
            "@query" => Self::Query,
            "@target-uri" => Self::TargetUri,
            "@scheme" => Self::Scheme,
            "@request-target" => Self::RequestTarget,
            "@query-param" => return Err("component: expected @query-param with a name alone"),
            _ => return Err(NOT_OF_A_REQUEST),
        })
    }

    pub(super) fn from_parts(
        name: &'c str,
        parameters: AtMostTwo<'c>,
    ) -> Result<Self, &'static str> {
        match (name, parameters) {
            ("@query-param", [Some(("name", Text::Plain(name))), None]) => {
                Ok(Self::QueryParam(Cow::Borrowed(name)))
            }
            (name, [None, _]) => Self::plain(name),
            (name, [Some(_), _]) => Self::plain(name).and(Err(
                "component: a derived component with a parameter it does not have",
            )),
        }
    }

    pub(super) fn into_owned(self) -> DerivedComponent<'static> {
        match self {
            Self::Method => DerivedComponent::Method,
            Self::Authority => DerivedComponent::Authority,
            Self::Path => DerivedComponent::Path,
            Self::Query => DerivedComponent::Query,
            Self::TargetUri => DerivedComponent::TargetUri,
            Self::Scheme => DerivedComponent::Scheme,
            Self::RequestTarget => DerivedComponent::RequestTarget,
            Self::Status => DerivedComponent::Status,
            Self::QueryParam(name) => DerivedComponent::QueryParam(Cow::Owned(name.into_owned())),
        }
    }

    /// Returns the name, as listed.
    pub(super) const fn quoted(&self) -> &'static str {
        match self {
            Self::Method => "\"@method\"",
            Self::Authority => "\"@authority\"",
            Self::Path => "\"@path\"",
            Self::Query => "\"@query\"",
            Self::TargetUri => "\"@target-uri\"",
            Self::Scheme => "\"@scheme\"",
            Self::RequestTarget => "\"@request-target\"",
            Self::QueryParam(_) => "\"@query-param\"",
            Self::Status => "\"@status\"",
        }
    }

    /// Returns the set of this component alone; empty for a query parameter, of which there are any
    /// number.
    pub(super) const fn itself(&self) -> DerivedSet {
        DerivedSet(match self {
            Self::Method => 1,
            Self::Authority => 1 << 1,
            Self::Path => 1 << 2,
            Self::Query => 1 << 3,
            Self::TargetUri => 1 << 4,
            Self::Scheme => 1 << 5,
            Self::RequestTarget => 1 << 6,
            Self::Status => 1 << 7,
            Self::QueryParam(_) => 0,
        })
    }

    /// Returns all components that a signature over this one binds.
    pub(super) fn bound(&self) -> DerivedSet {
        let parts: &[Self] = match self {
            Self::TargetUri => &[Self::Authority, Self::Path, Self::Query, Self::Scheme],
            Self::RequestTarget => &[Self::Path, Self::Query],
            _ => &[],
        };
        let parts = parts.iter().map(Self::itself);
        parts.fold(self.itself(), DerivedSet::union)
    }

    /// Refuses a request without a value for this component. Does not read the query parameters.
    pub(super) fn ensure_available(&self, message: &Message<'_>) -> Result<(), &'static str> {
        match self {
            Self::TargetUri if message.target.path == "*" => {
                Err("@target-uri: expected a path, found an asterisk")
            }
            Self::TargetUri | Self::Scheme => message.scheme().map(|_| ()),
            Self::Status => message.status().map(|_| ()),
            Self::Method
            | Self::Authority
            | Self::Path
            | Self::Query
            | Self::RequestTarget
            | Self::QueryParam(_) => Ok(()),
        }
    }

    /// Writes the component's value in a request. `form` is the parsed query, created for the first
    /// component that needs it.
    pub(super) fn write_value<'m>(
        &self,
        message: &Message<'m>,
        form: &mut Option<FormQuery<'m>>,
        text: &mut String,
    ) -> Result<(), &'static str> {
        let Target { path, query } = message.target;
        match self {
            Self::Method => text.push_str(message.method),
            Self::Authority => text.push_str(message.authority),
            Self::Path => text.push_str(path),
            Self::Query => {
                text.push('?');
                text.push_str(query.unwrap_or_default());
            }
            Self::Scheme => text.push_str(message.scheme()?.as_str()),
            Self::Status => text.push_str(message.status()?),
            Self::TargetUri => {
                text.extend([message.scheme()?.as_str(), "://"]);
                match message.normal_uri {
                    None => {
                        text.push_str(message.authority);
                        write_target(message.target, text);
                    }
                    Some(normal) => {
                        text.push_str(&normal.authority);
                        let path = &normal.path;
                        write_target(Target { path, query }, text);
                    }
                }
            }
            // Always the origin form, equal to `:path`: the form of the request line is not kept.
            Self::RequestTarget => write_target(message.target, text),
            Self::QueryParam(name) => {
                let form = form.get_or_insert_with(|| FormQuery::of(query.unwrap_or_default()));
                form.write_value(name, text)?;
            }
        }
        Ok(())
    }
}

/// A set of derived components without query parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DerivedSet(u8);

impl DerivedSet {
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

fn write_target(target: Target<'_>, text: &mut String) {
    text.push_str(target.path);
    if let Some(query) = target.query {
        text.push('?');
        text.push_str(query);
    }
}
