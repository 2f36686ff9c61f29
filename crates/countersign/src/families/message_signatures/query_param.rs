//! `@query-param` (RFC 9421 section 2.2.8): one value of the query, parsed as a form
//! (`application/x-www-form-urlencoded`) and percent-encoded again.

use std::{borrow::Cow, collections::HashMap};

/// The parameters of a query, by their re-encoded names. Reads the query once for any number of
/// look-ups.
#[derive(Debug)]
pub(super) struct FormQuery<'q>(HashMap<Cow<'q, str>, Occurrence<'q>>);

/// The occurrence of a name.
#[derive(Debug)]
enum Occurrence<'q> {
    /// Once, with this value as sent.
    Once(&'q str),
    Repeated,
}

impl<'q> FormQuery<'q> {
    pub(super) fn of(query: &'q str) -> Self {
        let mut parameters = HashMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A pair with another name may hold anything: it is another component, or none.
            if let Some(name) = decode(name) {
                parameters
                    .entry(encoded(name))
                    .and_modify(|occurrence| *occurrence = Occurrence::Repeated)
                    .or_insert(Occurrence::Once(value));
            }
        }
        Self(parameters)
    }

    /// Writes the value of the only parameter with this percent-encoded name.
    pub(super) fn write_value(&self, name: &str, text: &mut String) -> Result<(), &'static str> {
        match self.0.get(name) {
            Some(Occurrence::Once(value)) => {
                let value = decode(value).ok_or("@query-param: expected percent-encoded UTF-8")?;
                encode(&value, text);
                Ok(())
            }
            Some(Occurrence::Repeated) => {
                Err("@query-param: expected the name once, found more than once")
            }
            None => Err("@query-param: expected the name once, found none"),
        }
    }
}

/// Decodes and re-encodes a text. Returns `None` if it is not UTF-8 or has a `%` without two
/// digits. Other decoders could make two such texts equal, and two requests would share a
/// signature.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                let [byte] = {
                    let mut byte = [0; 1];
                    base16ct::mixed::decode(digits, &mut byte).ok()?;
                    byte
                };
                byte
            }
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn encoded(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(is_unreserved) {
        return text;
    }
    let mut encoded = String::with_capacity(text.len());
    encode(&text, &mut encoded);
    Cow::Owned(encoded)
}

fn encode(text: &str, encoded: &mut String) {
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            let mut digits = [0; 2];
            // Invariant: a byte has two digits.
            let digits = base16ct::upper::encode_str(&[byte], &mut digits);
            encoded.extend(["%", digits.unwrap_or_default()]);
        }
    }
}

/// Bytes outside the `application/x-www-form-urlencoded` percent-encode set of the URL standard.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(query: &str, name: &str) -> Result<String, &'static str> {
        let mut text = String::new();
        FormQuery::of(query).write_value(name, &mut text)?;
        Ok(text)
    }

    #[test]
    fn encodes_values_anew() {
        // Source: RFC 9421 section 2.2.8.
        let query = "var=this%20is%20a%20big%0Amultiline%20value&\
             bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&qux=&q&~=~";
        for (name, expected) in [
            ("var", "this%20is%20a%20big%0Amultiline%20value"),
            ("bar", "with%20plus%20whitespace"),
            ("fa%C3%A7ade%22%3A%20", "something"),
            ("qux", ""),
            ("q", ""),
            ("%7E", "%7E"),
        ] {
            assert_eq!(value(query, name).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn a_parameter_of_another_name_may_be_anything() {
        assert_eq!(value("%zz=1&%ff=2&&a=3", "a").as_deref(), Ok("3"));
    }

    #[test]
    fn refuses_what_has_no_one_value() {
        for (name, query, parameter) in [
            ("absent", "b=1", "a"),
            ("no query", "", "a"),
            ("no query and no name", "", ""),
            ("twice", "a=1&a=2", "a"),
            ("twice, once encoded", "a=1&%61=2", "a"),
            ("twice, once without a value", "a=1&a", "a"),
            (
                "a name that is not encoded as it would be",
                "a*b=1",
                "a%2Ab",
            ),
            ("lower-case digits", "%C3%A7=1", "%c3%a7"),
            ("no digits", "a=%zz", "a"),
            ("one digit", "a=%1", "a"),
            ("no UTF-8", "a=%ff", "a"),
        ] {
            assert!(value(query, parameter).is_err(), "{name}");
        }
    }

    #[test]
    fn what_differs_when_decoded_differs_when_encoded() {
        let values = [
            "%", "%25", "%2525", "+", "%2B", "%20", " ", "a", "A", "%C3%A7",
        ];
        let found: Vec<_> = values
            .iter()
            .filter_map(|text| value(&format!("a={text}"), "a").ok().zip(decode(text)))
            .collect();
        for (one, decoded) in &found {
            for (other, decoded_other) in &found {
                assert_eq!(one == other, decoded == decoded_other, "{one} {other}");
            }
        }
    }
}
