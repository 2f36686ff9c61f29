use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, DATE, GetAll, HOST},
};

use super::{
    CONTENT_DIGEST, component_id::ComponentId, normal_uri::NormalUri,
    structured_field::StructuredType,
};
use crate::{
    error::Reason,
    head::{RequestHead, Target, cookie},
};

/// Fields of one value: a second line does not make a list (RFC 9110 section 5.3). No reader would
/// read the joined lines that the signature covers. For `cookie`, the plain form [joins the
/// pieces](Message::cookie_lines).
const SINGLETONS: [&HeaderName; 6] = [
    &AUTHORIZATION,
    &CONTENT_LENGTH,
    &CONTENT_TYPE,
    &COOKIE,
    &DATE,
    &HOST,
];

/// The problem text for a field that is too long. The caller adds the limit with the component's
/// name.
pub(super) const TOO_LONG: &str = "expected fewer bytes";

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UriScheme {
    /// `http`, default port 80.
    Http,
    /// `https`, default port 443.
    Https,
}

impl UriScheme {
    /// Returns the scheme of an absolute URI.
    pub(super) fn of(head: &RequestHead<'_>) -> Option<Self> {
        match head.uri().scheme_str() {
            Some("http") => Some(Self::Http),
            Some("https") => Some(Self::Https),
            _ => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(super) const fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

/// The sources of component values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'m> {
    pub(super) head: RequestHead<'m>,
    pub(super) method: &'m str,
    pub(super) target: Target<'m>,
    /// In lower case, without the default port.
    pub(super) authority: &'m str,
    /// Authority and path in normal form, for `"@target-uri"`. `None` takes them as sent.
    pub(super) normal_uri: Option<&'m NormalUri<'m>>,
    pub(super) scheme: Option<UriScheme>,
    pub(super) structured_fields: &'m [(HeaderName, StructuredType)],
    /// The lines of `Content-Digest`. When signing, the head does not hold this field yet.
    pub(super) content_digest: &'m [&'m HeaderValue],
    /// Maximum length of one covered field, lines joined.
    pub(super) max_field_bytes: usize,
    /// Maximum number of query parameters, if one of them is covered.
    pub(super) max_query_parameters: usize,
    /// `None` for a request.
    pub(super) response: Option<OfResponse<'m>>,
}

/// What a response has besides its fields, which are in the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfResponse<'m> {
    pub(super) status: &'m str,
    pub(super) request: &'m Message<'m>,
}

impl<'m> Message<'m> {
    pub(super) fn scheme(&self) -> Result<UriScheme, &'static str> {
        self.scheme.ok_or(
            "@scheme and @target-uri: expected an absolute URI or a scheme in the settings, \
             found neither",
        )
    }

    pub(super) fn status(&self) -> Result<&'m str, &'static str> {
        let response = self
            .response
            .ok_or("@status: expected a response, found a request");
        response.map(|response| response.status)
    }

    /// Returns the message that has this component: for `req`, the request that was answered.
    pub(super) fn message_of(&self, id: &ComponentId<'_>) -> Result<&Self, &'static str> {
        if !id.is_of_request() {
            return Ok(self);
        }
        let response = self
            .response
            .ok_or("req: expected a response, found a request");
        response.map(|response| response.request)
    }

    /// Returns the structured type of a field. Only the application knows it (RFC 9421 sections
    /// 2.1.1 and 2.1.2): `a, b` is both a list and a dictionary.
    pub(super) fn type_of(&self, name: &str) -> Result<StructuredType, &'static str> {
        let mut known = self.structured_fields.iter();
        known
            .find(|(known, _)| known == name)
            .map(|(_, kind)| *kind)
            .ok_or("sf and key: expected a field whose type is in the settings")
    }

    /// Returns the lines of a covered field after checking their number and lengths, without
    /// reading them. Refuses an absent field: no value may represent absence.
    #[inline]
    pub(super) fn lines_of(&self, name: &str) -> Result<Lines<'m>, &'static str> {
        let lines = if name == CONTENT_DIGEST.as_str() {
            Lines::Given(self.content_digest)
        } else {
            Lines::Sent(self.head.headers().get_all(name))
        };
        let mut count: usize = 0;
        // Including the comma and space between two lines.
        let mut len: usize = 0;
        lines.try_for_each(|line| {
            let between = if count > 0 { 2 } else { 0 };
            count = count.saturating_add(1);
            len = len.saturating_add(between).saturating_add(line.len());
            Ok(())
        })?;
        if len > self.max_field_bytes {
            return Err(TOO_LONG);
        }
        match count {
            0 => Err("expected it to be there, found none"),
            1 => Ok(lines),
            _ if SINGLETONS.iter().any(|singleton| *singleton == name) => {
                Err("expected once, found more than once")
            }
            _ => Ok(lines),
        }
    }

    /// Returns the pieces of a covered `cookie`, which form one line (RFC 9113 section 8.2.3).
    pub(super) fn cookie_lines(&self) -> Result<Lines<'m>, &'static str> {
        let headers = self.head.headers();
        match cookie::len(headers) {
            None => Err("expected it to be there, found none"),
            Some(len) if len > self.max_field_bytes => Err(TOO_LONG),
            Some(_) => Ok(Lines::Sent(headers.get_all(COOKIE))),
        }
    }

    /// Refuses a query with more parameters than the limit. `&&` holds no parameter.
    pub(super) fn ensure_query_within_limit(&self) -> Result<(), Reason> {
        let query = self.target.query.unwrap_or_default();
        let parameters = || query.split('&').filter(|pair| !pair.is_empty());
        match parameters().nth(self.max_query_parameters) {
            None => Ok(()),
            Some(_) => Err(Reason::over(
                "query".into(),
                self.max_query_parameters,
                "parameters",
                parameters().count(),
                "HeadLimits::with_query_parameters",
            )),
        }
    }
}

/// The lines of a covered field, in order.
#[derive(Debug)]
pub(super) enum Lines<'m> {
    Sent(GetAll<'m, HeaderValue>),
    Given(&'m [&'m HeaderValue]),
}

impl<'m> Lines<'m> {
    #[inline]
    pub(super) fn try_for_each(
        &self,
        each: impl FnMut(&'m HeaderValue) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        match self {
            Self::Sent(lines) => lines.iter().try_for_each(each),
            Self::Given(lines) => lines.iter().copied().try_for_each(each),
        }
    }
}
