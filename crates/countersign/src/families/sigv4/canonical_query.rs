//! The canonical query: every parameter decoded and encoded again, sorted by encoded name, then by
//! encoded value.
//!
//! Sorts pairs, not joined text: `a`, `a-b`, `a1` sort differently from `a-b=`, `a1=`, `a=`.

use smallvec::SmallVec;

use super::uri_encode::{self, Slash};
use crate::{
    error::{Reason, reason},
    wire::Sink,
};

/// Number of parameters kept without an allocation.
const INLINE: usize = 12;

/// The parameters of a query in canonical order.
#[derive(Clone, Debug)]
pub(super) struct CanonicalQuery<'r>(SmallVec<[CanonicalParameter<'r>; INLINE]>);

/// A parsed query parameter with its signed spelling. The spelling is computed once, so that
/// parameters compare as texts, whatever spelling was sent.
#[derive(Clone, Debug)]
pub(super) struct CanonicalParameter<'r> {
    /// The name as sent.
    pub(super) name: &'r str,
    /// The value as sent.
    pub(super) value: &'r str,
    /// The signed spelling, if it differs.
    recoded: Option<Box<Recoded>>,
}

#[derive(Clone, Debug)]
struct Recoded {
    name: String,
    value: String,
}

impl<'r> CanonicalParameter<'r> {
    fn of(parameter: Parameter<'r>) -> Self {
        let Parameter {
            name,
            value,
            is_canonical,
        } = parameter;
        let recoded = |text: &str| {
            let mut recoded = String::with_capacity(text.len());
            uri_encode::recode(text, Slash::Encode, &mut recoded);
            recoded
        };
        let recoded = (!is_canonical).then(|| {
            Box::new(Recoded {
                name: recoded(name),
                value: recoded(value),
            })
        });
        Self {
            name,
            value,
            recoded,
        }
    }

    /// Returns the name in the signed spelling.
    pub(super) fn signed_name(&self) -> &str {
        match &self.recoded {
            None => self.name,
            Some(recoded) => &recoded.name,
        }
    }

    /// Returns name and value in the signed spelling.
    fn signed(&self) -> (&str, &str) {
        (self.signed_name(), self.signed_value())
    }

    fn signed_value(&self) -> &str {
        match &self.recoded {
            None => self.value,
            Some(recoded) => &recoded.value,
        }
    }

    /// Returns whether the name equals `name`, ignoring the case of letters and the spelling of
    /// escapes. `name` must need no escapes.
    pub(super) fn is_like(&self, name: &str) -> bool {
        // A byte that the signed spelling escapes is no byte of `name`.
        self.signed_name().eq_ignore_ascii_case(name)
    }
}

/// A parameter as sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter<'r> {
    pub(super) name: &'r str,
    pub(super) value: &'r str,
    /// Whether name and value are sent in their signed spelling.
    is_canonical: bool,
}

impl<'r> Parameter<'r> {
    /// Reads the parameter at the start of a query and returns the rest after its `&`.
    fn first(query: &'r str) -> (Self, Option<&'r str>) {
        // Most parameters have the signed spelling: one look at each byte is then enough.
        let (name, behind_name) = uri_encode::split_canonical(query);
        let (value, behind) = match behind_name.strip_prefix('=') {
            Some(rest) => uri_encode::split_canonical(rest),
            None => ("", behind_name),
        };
        let is_whole = behind.is_empty() || behind.starts_with('&');
        if is_whole {
            let canonical = Self {
                name,
                value,
                is_canonical: true,
            };
            return (canonical, behind.strip_prefix('&'));
        }
        match query.split_once('&') {
            Some((parameter, behind)) => (Self::parse(parameter), Some(behind)),
            None => (Self::parse(query), None),
        }
    }

    fn parse(text: &'r str) -> Self {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let is_canonical = uri_encode::is_canonical(name, Slash::Encode)
            && uri_encode::is_canonical(value, Slash::Encode);
        Self {
            name,
            value,
            is_canonical,
        }
    }

    /// Returns whether the name equals `name`, ignoring the case of letters and the spelling of
    /// escapes. `name` must need no escapes.
    pub(super) fn is_like(&self, name: &str) -> bool {
        if self.is_canonical {
            // A byte that the signed spelling escapes is no byte of `name`.
            return self.name.eq_ignore_ascii_case(name);
        }
        uri_encode::decoded(self.name)
            .map(|byte| byte.to_ascii_lowercase())
            .eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    }
}

/// Yields the parameters of a query in the order sent. `&&` holds no parameter.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = Parameter<'_>> {
    let mut rest = Some(query);
    std::iter::from_fn(move || {
        let query = rest?.trim_start_matches('&');
        if query.is_empty() {
            return None;
        }
        let (parameter, behind) = Parameter::first(query);
        rest = behind;
        Some(parameter)
    })
}

/// Returns whether any parameter's name may begin with this letter, in either case, decoded or not.
pub(super) fn may_have_name_from(query: &str, letter: u8) -> bool {
    let begins = |byte: u8| byte.eq_ignore_ascii_case(&letter) || (byte == b'%');
    // Reads all bytes before judging any, so that the compiler vectorises the loop.
    query.bytes().next().is_some_and(begins)
        | pairs(query).fold(false, |any, (byte, next)| {
            any | ((byte == b'&') & begins(next))
        })
}

/// Yields every byte with its successor.
fn pairs(query: &str) -> impl Iterator<Item = (u8, u8)> {
    let bytes = query.as_bytes();
    let next = bytes.get(1..).unwrap_or_default();
    bytes.iter().copied().zip(next.iter().copied())
}

/// Returns whether a query has only one reading. Readers take `+` for a plus or a space, and some
/// drop a parameter without a name.
pub(super) fn is_unambiguous(query: &str) -> bool {
    let begins_unnamed = |byte: u8| (byte == b'&') || (byte == b'=');
    // Reads all bytes before judging any, so that the compiler vectorises the loop.
    let unnamed = query.bytes().next().is_some_and(begins_unnamed)
        | query.ends_with('&')
        | pairs(query).fold(false, |any, (byte, next)| {
            any | ((byte == b'&') & begins_unnamed(next))
        });
    let plus = |any: u8, byte| any | u8::from(byte == b'+');
    !unnamed && query.bytes().fold(0, plus) == 0
}

impl<'r> CanonicalQuery<'r> {
    /// Parses a query. Refuses more than `cap` parameters and malformed escapes.
    pub(super) fn parse(query: Option<&'r str>, cap: usize) -> Result<Self, Reason> {
        let query = query.unwrap_or_default();
        let mut kept: SmallVec<[CanonicalParameter<'r>; INLINE]> = SmallVec::new();
        let mut is_canonical = true;
        for parameter in parameters(query) {
            if kept.len() >= cap {
                let found = parameters(query).count();
                let setting = "HeadLimits::with_query_parameters";
                return Err(Reason::over(
                    "query".into(),
                    cap,
                    "parameters",
                    found,
                    setting,
                ));
            }
            is_canonical &= parameter.is_canonical;
            kept.push(CanonicalParameter::of(parameter));
        }
        if !is_canonical && !uri_encode::is_well_formed(query) {
            return Err(reason!(
                "query: expected two hexadecimal digits after every %"
            ));
        }
        kept.sort_unstable_by(|one, other| one.signed().cmp(&other.signed()));
        Ok(Self(kept))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &CanonicalParameter<'r>> {
        self.0.iter()
    }

    /// Returns the name of a parameter whose name or value is not [escaped in one
    /// way](uri_encode::is_escaped_in_one_way). Skips the names in `except`.
    pub(super) fn name_escaped_otherwise(&self, except: &[&str]) -> Option<&'r str> {
        let mut parameters = self.0.iter();
        let otherwise = parameters.find(|parameter| {
            parameter.recoded.is_some()
                && !except.contains(&parameter.name)
                && ![parameter.name, parameter.value]
                    .into_iter()
                    .all(uri_encode::is_escaped_in_one_way)
        })?;
        Some(otherwise.name)
    }

    /// Removes one parameter by its name as sent.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|parameter| parameter.name != name);
    }

    /// Returns a name that occurs more than once. Parameters of one name are signed in the order of
    /// their values, so the signature does not protect their order.
    pub(super) fn repeated_name(&self) -> Option<&'r str> {
        let next = self.0.iter().skip(1);
        let mut pairs = self.0.iter().zip(next);
        let (one, _) = pairs.find(|(one, next)| one.signed_name() == next.signed_name())?;
        Some(one.name)
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        for (count, parameter) in self.0.iter().enumerate() {
            if count > 0 {
                sink.write("&");
            }
            sink.write(parameter.signed_name());
            sink.write("=");
            sink.write(parameter.signed_value());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(query: &str) -> String {
        let mut text = String::new();
        CanonicalQuery::parse(Some(query), 100)
            .unwrap()
            .write_to(&mut text);
        text
    }

    #[test]
    fn sorts_encoded_pairs() {
        for (name, query, expected) in [
            ("nothing", "", ""),
            ("no value", "a", "a="),
            ("empty value", "a=", "a="),
            ("equals signs in a value", "a=b=c", "a=b%3Dc"),
            (
                "a name that begins another",
                "a=1&a1=2&a-b=3",
                "a=1&a-b=3&a1=2",
            ),
            ("numbered names", "Tag.10=b&Tag.1=a", "Tag.1=a&Tag.10=b"),
            ("values of one name", "a=2&a=10&a=1", "a=1&a=10&a=2"),
            ("upper case first", "b=1&A=2&B=3&a=4", "A=2&B=3&a=4&b=1"),
            (
                "by encoded bytes",
                "z=1&é=2&%F0%9F%A6%80=3",
                "%C3%A9=2&%F0%9F%A6%80=3&z=1",
            ),
            ("needlessly escaped", "%61=1&b=%2f", "a=1&b=%2F"),
            ("escaped percent", "a=%2525", "a=%2525"),
            (
                "reserved characters",
                "a=!'()*:@/?$",
                "a=%21%27%28%29%2A%3A%40%2F%3F%24",
            ),
            ("plus", "a=b+c", "a=b%2Bc"),
            ("gaps", "&a=1&&b=2&", "a=1&b=2"),
        ] {
            assert_eq!(canonical(query), expected, "{name}");
            assert_eq!(canonical(expected), expected, "{name}: again");
        }
    }

    #[test]
    fn finds_repeated_names_however_they_are_spelled() {
        for (query, expected) in [
            ("a=1&b=2", false),
            ("a=1&A=2", false),
            ("a=1&a=2", true),
            ("a=1&b=2&a=1", true),
            ("a=1&%61=2", true),
            ("%2f=1&%2F=2", true),
        ] {
            let parsed = CanonicalQuery::parse(Some(query), 100).unwrap();
            assert_eq!(parsed.repeated_name().is_some(), expected, "{query}");
        }
    }

    #[test]
    fn is_read_in_one_way_only() {
        for (query, expected) in [
            ("", true),
            ("a", true),
            ("a=&b", true),
            ("a=%2B", true),
            ("a=+", false),
            ("+", false),
            ("=v", false),
            ("a=1&", false),
            ("&a=1", false),
            ("a=1&&b", false),
            ("&", false),
        ] {
            assert_eq!(is_unambiguous(query), expected, "{query}");
        }
    }

    #[test]
    fn is_escaped_in_one_way_where_no_byte_is_escaped_in_two() {
        for (query, expected) in [
            ("", true),
            ("a=1&b=2", true),
            ("b=2&a=1", true),
            ("a&b=", true),
            ("a=%2F%20%C3%BC", true),
            ("%2F=1", true),
            ("a=%2f", false),
            ("a=/", true),
            ("a=1;b=2", false),
            ("%61=1", false),
            ("a=%7E", false),
            ("a=b:c", true),
            ("a=b=c", true),
            ("a=é", false),
            ("é=a", false),
            ("a=b&c=%41", false),
            ("own=a;b%2f", true),
            ("own=a;b&a=;", false),
            ("%6Fwn=a", false),
        ] {
            let parsed = CanonicalQuery::parse(Some(query), 100).unwrap();
            let otherwise = parsed.name_escaped_otherwise(&["own"]);
            assert_eq!(otherwise.is_none(), expected, "{query}");
        }
    }

    #[test]
    fn is_bounded_and_well_formed() {
        assert!(CanonicalQuery::parse(Some("a&b"), 2).is_ok());
        assert!(CanonicalQuery::parse(Some("a&b&c"), 2).is_err());
        for query in ["a=%", "a=%2", "%zz", "a=%2&b"] {
            assert!(CanonicalQuery::parse(Some(query), 9).is_err(), "{query}");
        }
    }
}
