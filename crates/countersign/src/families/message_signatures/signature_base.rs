//! The signature base, which is the signed text (RFC 9421 section 2.5).
//!
//! ```text
//! "@method": POST
//! "@authority": user-service.internal
//! "content-digest": sha-256=:…:
//! "@signature-params": ("@method" "@authority" "content-digest")
//!     ;created=1767323045;keyid="billing";nonce="…"          (on one line)
//! ```
//!
//! Lines are joined by `\n`, without one after the last. No value holds a line break, so every line
//! is one component and its value. The last line lists the components.

use std::ops::Range;

use smallvec::SmallVec;

use super::{
    component_id::{Component, ComponentId, FieldForm},
    covered_components::CoveredComponents,
    covered_values::CoveredValues,
    derived_component::DerivedComponent,
    signature_params::SignatureParams,
};
use crate::error::{Reason, reason};

const SIGNATURE_PARAMS: &str = "\"@signature-params\": ";

/// The signed text and all data of the signature.
#[derive(Clone, Debug)]
pub(super) struct SignatureBase {
    text: String,
    params_at: usize,
    fields: Fields,
}

/// The ranges in the text of the authority and of the fields covered as sent.
type Fields = SmallVec<[Field; 4]>;

/// One of these ranges. The name is `None` for the authority.
#[derive(Clone, Debug)]
struct Field {
    name: Option<Range<usize>>,
    value: Range<usize>,
}

/// Initial capacity of a signature base: enough for most.
const ROOM: usize = 512;

impl SignatureBase {
    /// Writes the components with their values in this message, then the list and the parameters.
    ///
    /// The last line is the list in the form of RFC 9651 section 4.1, not as sent (RFC 9421 section
    /// 2.3). Spaces between its items do not count. `serialized` is this form, if known.
    pub(super) fn new(
        covered: &CoveredComponents<'_>,
        values: &mut CoveredValues<'_>,
        params: &SignatureParams<'_>,
        serialized: Option<&str>,
    ) -> Result<Self, Reason> {
        let mut text = String::with_capacity(ROOM);
        let mut fields = Fields::new();
        values.write_lines(&mut text, |id, identifier, value| {
            if let Some(field) = Field::new(id, identifier, value) {
                fields.push(field);
            }
        })?;
        text.push_str(SIGNATURE_PARAMS);
        let params_at = text.len();
        if let Some(serialized) = serialized {
            text.push_str(serialized);
        } else {
            covered.write_to(&mut text);
            params.write_to(&mut text);
        }
        // Invariant: the sources of values cannot hold a line break. The scheme depends on values
        // of one line, so this checks them anyway.
        match count_newlines(&text) {
            None => return Err(reason!("covered components: expected ASCII")),
            Some(lines) if lines != covered.len() => {
                return Err(reason!("covered components: expected a line for each"));
            }
            Some(_) => {}
        }
        Ok(Self {
            text,
            params_at,
            fields,
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the components and parameters, as in the last line and after a label.
    pub(super) fn signature_params(&self) -> &str {
        // Invariant: the last line starts with this prefix.
        self.text.get(self.params_at..).unwrap_or_default()
    }

    /// Yields the fields that are covered as sent, and the authority as `host`.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let has_authority = self.fields.iter().any(|field| field.name.is_none());
        self.fields.iter().filter_map(move |field| {
            let value = self.text.get(field.value.clone())?;
            let Some(name) = field.name.clone() else {
                return Some(("host", value));
            };
            let name = self.text.get(name)?;
            (name != "host" || !has_authority).then_some((name, value))
        })
    }
}

impl Field {
    /// Returns the covered field of a component, if it is one, from the ranges of its identifier
    /// and value.
    fn new(id: &ComponentId<'_>, quoted: Range<usize>, value: Range<usize>) -> Option<Self> {
        let name = match id.component() {
            Component::Derived(DerivedComponent::Authority) => None,
            Component::Field {
                form: FieldForm::Plain,
                ..
            } => Some(quoted.start.saturating_add(1)..quoted.end.saturating_sub(1)),
            Component::Derived(_) | Component::Field { .. } => return None,
        };
        Some(Self { name, value })
    }
}

/// Counts the newlines of a text. Returns `None` if the text is not ASCII.
///
/// Reads all bytes of a chunk before judging any, so that the compiler vectorises the loop. A chunk
/// is short enough to count in one byte.
fn count_newlines(text: &str) -> Option<usize> {
    let count = |piece: &[u8]| {
        let newlines = piece.iter().map(|byte| u8::from(*byte == b'\n'));
        let newlines = newlines.fold(0, u8::wrapping_add);
        let union = piece.iter().fold(0, |union, byte| union | byte);
        union.is_ascii().then_some(usize::from(newlines))
    };
    text.as_bytes().chunks(128).map(count).sum()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

    use super::*;
    use crate::{
        families::message_signatures::{
            fields::Fields,
            message::{Message, UriScheme},
            signature_params::Param,
            structured_field::StructuredType,
        },
        head::{RequestHead, Target},
    };

    fn signature_base(
        authority: &str,
        target: &str,
        fields: &[(&str, &[u8])],
        ids: &[&str],
    ) -> Result<SignatureBase, Reason> {
        let uri: Uri = target.parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        let head = RequestHead::new(&Method::GET, &uri, &headers);
        let [dictionary, list] = ["example-dict", "example-list"].map(HeaderName::from_static);
        let message = Message {
            head,
            method: "GET",
            target: Target::parse(&Method::GET, &uri).unwrap(),
            authority,
            normal_uri: None,
            scheme: UriScheme::of(&head),
            structured_fields: &[
                (dictionary, StructuredType::Dictionary),
                (list, StructuredType::List),
            ],
            content_digest: &Fields::of(&headers).content_digest,
            max_field_bytes: 40,
            max_query_parameters: 2,
            response: None,
        };
        let mut covered = CoveredComponents::default();
        for id in ids {
            covered.push(id.parse().unwrap()).unwrap();
        }
        let mut params = SignatureParams::default();
        params.push(Param::Created(1)).unwrap();
        let mut values = CoveredValues::of(&message);
        values.find(&covered)?;
        SignatureBase::new(&covered, &mut values, &params, None)
    }

    fn base(target: &str, fields: &[(&str, &[u8])], ids: &[&str]) -> Result<String, Reason> {
        signature_base("example.com", target, fields, ids).map(|base| base.text)
    }

    fn value(target: &str, fields: &[(&str, &[u8])], id: &str) -> Result<String, Reason> {
        let base = base(target, fields, &[id])?;
        let (line, rest) = base.split_once('\n').unwrap();
        assert_eq!(rest, format!("\"@signature-params\": ({id});created=1"));
        Ok(line.strip_prefix(&format!("{id}: ")).unwrap().to_owned())
    }

    #[test]
    fn derives_components() {
        for (name, target, id, expected) in [
            ("method", "/", "@method", "GET"),
            ("authority", "/", "@authority", "example.com"),
            ("path", "/a%2fb//c/?q", "@path", "/a%2fb//c/"),
            ("empty path", "https://example.com", "@path", "/"),
            ("query", "/?a=%2D&b", "@query", "?a=%2D&b"),
            ("empty query", "/?", "@query", "?"),
            ("no query", "/", "@query", "?"),
            (
                "target URI",
                "https://h/a?b",
                "@target-uri",
                "https://example.com/a?b",
            ),
            ("scheme", "http://h/", "@scheme", "http"),
            ("target", "/a?b", "@request-target", "/a?b"),
            ("absolute target", "https://h/a", "@request-target", "/a"),
        ] {
            let found = value(target, &[], &format!("\"{id}\""));
            assert_eq!(found.as_deref(), Ok(expected), "{name}");
        }
        let found = value("/?a=1&b=+", &[], r#""@query-param";name="b""#);
        assert_eq!(found.as_deref(), Ok("%20"));
    }

    #[test]
    fn does_not_guess_a_scheme() {
        for id in ["\"@scheme\"", "\"@target-uri\""] {
            assert!(value("/", &[], id).is_err(), "{id}");
        }
    }

    #[test]
    fn takes_fields_in_every_form() {
        for (name, fields, id, expected) in [
            ("trimmed", &[("a", &b" \tb  c\t "[..])][..], "\"a\"", "b  c"),
            ("empty", &[("a", b"")], "\"a\"", ""),
            ("joined", &[("a", b"b"), ("a", b" c ")], "\"a\"", "b, c"),
            (
                "bytes",
                &[("a", b" b "), ("a", b"c,d")],
                "\"a\";bs",
                ":Yg==:, :Yyxk:",
            ),
            ("obs-text as bytes", &[("a", b"\xe9")], "\"a\";bs", ":6Q==:"),
            (
                "as long as it may be",
                &[("a", &[b'a'; 40])],
                "\"a\"",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
            (
                "as long as it may be when joined",
                &[("a", &[b'a'; 30]), ("a", &[b'a'; 8])],
                "\"a\"",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, aaaaaaaa",
            ),
            (
                "structured",
                &[("example-dict", b"a=1,  b"), ("example-dict", b"c=(d  e)")],
                "\"example-dict\";sf",
                "a=1, b, c=(d e)",
            ),
            (
                "member",
                &[("example-dict", b"b=1, c=2;d")],
                "\"example-dict\";key=\"c\"",
                "2;d",
            ),
        ] {
            assert_eq!(value("/", fields, id).as_deref(), Ok(expected), "{name}");
        }
    }

    /// Source: httpsig, where an absent header equals an empty one; actpub-httpsig, where obs-text
    /// becomes an empty text.
    #[test]
    fn never_signs_nothing_in_place_of_something() {
        for (name, fields, id) in [
            ("absent", &[][..], "\"a\""),
            ("absent, as bytes", &[], "\"a\";bs"),
            ("absent, of a dictionary", &[], "\"example-dict\";key=\"b\""),
            ("obs-text", &[("a", &b"\xe9"[..])], "\"a\""),
            (
                "obs-text in the second line",
                &[("a", b"b"), ("a", b"\xe9")],
                "\"a\"",
            ),
            (
                "no such member",
                &[("example-dict", b"b=1")],
                "\"example-dict\";key=\"c\"",
            ),
            (
                "no dictionary",
                &[("example-dict", b"1")],
                "\"example-dict\";key=\"b\"",
            ),
            (
                "a dictionary that is a list",
                &[("example-list", b"b, c")],
                "\"example-list\";key=\"b\"",
            ),
            (
                "a member of a type that is not known",
                &[("a", b"b=1")],
                "\"a\";key=\"b\"",
            ),
            ("a type that is not known", &[("a", b"b=1")], "\"a\";sf"),
            (
                "of another type",
                &[("example-dict", b"\"")],
                "\"example-dict\";sf",
            ),
            (
                "one value twice",
                &[("content-type", b"a"), ("content-type", b"b")],
                "\"content-type\"",
            ),
            ("too long", &[("a", &[b'a'; 41])], "\"a\""),
            (
                "too long when joined",
                &[("a", &[b'a'; 30]), ("a", &[b'a'; 9])],
                "\"a\"",
            ),
        ] {
            assert!(value("/", fields, id).is_err(), "{name}");
        }
    }

    #[test]
    fn has_no_newline_at_its_end_and_none_in_a_value() {
        assert_eq!(
            base("/?", &[("a", b"b")], &["\"@query\"", "\"a\""]).unwrap(),
            "\"@query\": ?\n\"a\": b\n\"@signature-params\": (\"@query\" \"a\");created=1"
        );
        assert_eq!(
            base("/", &[], &[]).unwrap(),
            "\"@signature-params\": ();created=1"
        );
        assert!(base("/\u{e9}", &[], &["\"@path\""]).is_err());
        for (authority, valid) in [("a", true), ("a\n\"b\": c", false), ("\n", false)] {
            let found = signature_base(authority, "/", &[], &["\"@path\"", "\"@authority\""]);
            assert_eq!(found.is_ok(), valid, "{authority:?}");
        }
    }

    #[test]
    fn tells_its_fields_apart_again() {
        let fields = [
            ("host", &b"Example.com"[..]),
            ("a", b"b: \"c\""),
            ("example-dict", b"e=1"),
            ("f", b""),
        ];
        let ids = [
            "\"@method\"",
            "\"host\"",
            "\"a\"",
            "\"example-dict\";key=\"e\"",
            "\"a\";bs",
            "\"@path\"",
            "\"f\"",
            "\"@authority\"",
        ];
        let told = |ids: &[&str]| -> Vec<(String, String)> {
            let base = signature_base("example.com", "/\"host\":x", &fields, ids).unwrap();
            let fields = base.fields();
            fields
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        };
        let own = |fields: &[(&str, &str)]| -> Vec<(String, String)> {
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let all = [("a", "b: \"c\""), ("f", ""), ("host", "example.com")];
        assert_eq!(told(&ids), own(&all));
        let without = [("host", "Example.com"), ("a", "b: \"c\""), ("f", "")];
        assert_eq!(told(&ids[..7]), own(&without));
        assert_eq!(told(&ids[..1]), own(&[]));
    }

    #[test]
    fn counts_every_newline_of_ascii() {
        for len in [0, 1, 127, 128, 129, 255, 256, 600] {
            let text = "\n".repeat(len);
            assert_eq!(count_newlines(&text), Some(len));
            assert_eq!(count_newlines(&(text + "\u{e9}")), None);
        }
        assert_eq!(count_newlines("a\nb\r\nc"), Some(2));
        assert_eq!(count_newlines(&"\u{e9}".repeat(128)), None);
    }
}
