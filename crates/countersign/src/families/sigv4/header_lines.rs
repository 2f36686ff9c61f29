use std::{collections::HashMap, iter, mem};

use http::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use crate::head::Field;

/// Number of lines kept without an allocation.
const INLINE: usize = 24;

/// The header lines of a request, with lower-case names, collected in one pass. For few lines this
/// is faster than a hash look-up of each covered name.
/// The same pass finds the headers that every verification reads, covered or not.
pub(super) struct HeaderLines<'r> {
    lines: SmallVec<[Line<'r>; INLINE]>,
    /// The index of each chain's first line. A sender can put all lines into one chain, so this
    /// form serves few lines only.
    first: [usize; CHAINS],
    /// The same for many lines: one chain for each name, hashed with a key that no sender knows.
    first_of_name: Option<HashMap<&'r str, usize>>,
    pub(super) host: Field<'r>,
    pub(super) date: Field<'r>,
    pub(super) content_type: Field<'r>,
    pub(super) x_amz_date: Field<'r>,
    pub(super) x_amz_content_sha256: Field<'r>,
    pub(super) x_amz_security_token: Field<'r>,
    pub(super) x_nonce: Field<'r>,
}

struct Line<'r> {
    name: &'r HeaderName,
    /// The text of the name.
    text: &'r str,
    value: &'r HeaderValue,
    is_covered: bool,
    /// The index of the chain's next line.
    next: usize,
}

/// Marks the end of a chain.
const NONE: usize = usize::MAX;

/// Number of chains, selected by the length of the name.
const CHAINS: usize = 16;

impl<'r> HeaderLines<'r> {
    pub(super) fn of(headers: &'r HeaderMap) -> Self {
        let mut found = Self {
            lines: SmallVec::new(),
            first: [NONE; CHAINS],
            first_of_name: None,
            host: Field::Absent,
            date: Field::Absent,
            content_type: Field::Absent,
            x_amz_date: Field::Absent,
            x_amz_content_sha256: Field::Absent,
            x_amz_security_token: Field::Absent,
            x_nonce: Field::Absent,
        };
        for (name, value) in headers {
            let text = name.as_str();
            found.lines.push(Line {
                name,
                text,
                value,
                is_covered: false,
                next: NONE,
            });
            let field = match text {
                "host" => &mut found.host,
                "date" => &mut found.date,
                "content-type" => &mut found.content_type,
                "x-amz-date" => &mut found.x_amz_date,
                "x-amz-content-sha256" => &mut found.x_amz_content_sha256,
                "x-amz-security-token" => &mut found.x_amz_security_token,
                "x-nonce" => &mut found.x_nonce,
                _ => continue,
            };
            field.occurs(value);
        }
        found.chain();
        found
    }

    fn chain(&mut self) {
        if self.lines.len() > INLINE {
            self.first_of_name = Some(HashMap::with_capacity(self.lines.len()));
        }
        // In reverse, so that each chain keeps the order of its lines.
        for (number, line) in self.lines.iter_mut().enumerate().rev() {
            let first = match &mut self.first_of_name {
                None => self.first.get_mut(chain_of(line.text)),
                Some(first) => Some(first.entry(line.text).or_insert(NONE)),
            };
            if let Some(first) = first {
                line.next = mem::replace(first, number);
            }
        }
    }

    /// Returns the index of the first line in this name's chain, or `NONE`.
    fn first_for(&self, name: &str) -> usize {
        let first = match &self.first_of_name {
            None => self.first.get(chain_of(name)),
            Some(first) => first.get(name),
        };
        first.copied().unwrap_or(NONE)
    }

    /// Marks all lines of this name as covered and returns their occurrence.
    pub(super) fn cover(&mut self, name: &str) -> Field<'r> {
        let mut field = Field::Absent;
        let mut next = self.first_for(name);
        while let Some(line) = self.lines.get_mut(next) {
            if line.text == name {
                line.is_covered = true;
                field.occurs(line.value);
            }
            next = line.next;
        }
        field
    }

    /// Yields the values of all lines of this name, in order.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &'r HeaderValue> + Clone {
        let mut next = self.first_for(name);
        let chain = iter::from_fn(move || {
            let line = self.lines.get(next)?;
            next = line.next;
            Some(line)
        });
        chain.filter_map(move |line| (line.text == name).then_some(line.value))
    }

    /// Yields the names of uncovered lines.
    pub(super) fn uncovered(&self) -> impl Iterator<Item = &'r HeaderName> {
        let lines = self.lines.iter();
        lines.filter_map(|line| (!line.is_covered).then_some(line.name))
    }
}

/// Returns the chain of a name.
fn chain_of(name: &str) -> usize {
    name.len() % CHAINS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a distinct name for each number. Some names share a length, and more share a chain.
    fn name(number: usize) -> HeaderName {
        let padding = "-".repeat(number % 5 * 8);
        HeaderName::try_from(format!("x-{number}{padding}")).unwrap()
    }

    /// Numbered headers: a third absent, a third present once, a third present twice.
    fn numbered() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for number in 0..INLINE.saturating_add(3) {
            for value in 0..number % 3 {
                headers.append(name(number), HeaderValue::from(value));
            }
        }
        headers
    }

    #[test]
    fn finds_what_a_look_up_finds() {
        let headers = numbered();
        let mut lines = HeaderLines::of(&headers);
        for number in 0..INLINE.saturating_add(5) {
            let name = name(number);
            let named = lines.named(name.as_str());
            assert!(named.eq(headers.get_all(&name)), "{name}");
            let field = lines.cover(name.as_str());
            match headers.get_all(&name).iter().count() {
                0 => assert!(field.is_absent(), "{name}"),
                1 => assert!(matches!(field, Field::Once(value) if value == headers[&name])),
                _ => assert!(matches!(field, Field::Repeated(_)), "{name}"),
            }
        }
        assert_eq!(lines.uncovered().next(), None);
    }

    #[test]
    fn a_line_is_covered_once_its_name_is_and_no_other() {
        let headers = numbered();
        for covered in headers.keys() {
            let mut lines = HeaderLines::of(&headers);
            lines.cover(covered.as_str());
            let expected = headers.iter().map(|(name, _)| name);
            let expected = expected.filter(|name| *name != covered);
            assert!(lines.uncovered().eq(expected), "{covered}");
        }
    }

    #[test]
    fn what_is_always_read_is_found_by_its_name() {
        type Read = for<'r> fn(&HeaderLines<'r>) -> Field<'r>;
        let fields: [(&str, Read); 7] = [
            ("host", |lines| lines.host),
            ("date", |lines| lines.date),
            ("content-type", |lines| lines.content_type),
            ("x-amz-date", |lines| lines.x_amz_date),
            ("x-amz-content-sha256", |lines| lines.x_amz_content_sha256),
            ("x-amz-security-token", |lines| lines.x_amz_security_token),
            ("x-nonce", |lines| lines.x_nonce),
        ];
        for (name, _) in fields {
            let mut headers = HeaderMap::new();
            headers.append(name, HeaderValue::from_static("a"));
            for (other, read) in fields {
                let once = matches!(read(&HeaderLines::of(&headers)), Field::Once(_));
                assert_eq!(once, other == name, "{other} with {name}");
            }
            headers.append(name, HeaderValue::from_static("a"));
            for (other, read) in fields {
                let again = matches!(read(&HeaderLines::of(&headers)), Field::Repeated(_));
                assert_eq!(again, other == name, "{other} with {name} twice");
            }
        }
    }
}
