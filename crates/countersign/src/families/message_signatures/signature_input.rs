//! `Signature-Input` and `Signature` (RFC 9421 section 4): dictionaries with one signature per
//! label.

use sfv::{
    BareItemFromInput, KeyRef, Parser,
    visitor::{
        DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, Never,
        ParameterVisitor,
    },
};
use smallvec::SmallVec;

use super::{
    SIGNATURE, SIGNATURE_INPUT, base64url_bytes,
    component_id::{ComponentVisitor, Found, MessageKind},
    fields::Fields,
    labeled_signature::{LabeledSignature, Place, Problem, SignatureBytes},
    rules::Bytes,
    serialized,
    structured_field::{Unreadable, lines},
};
use crate::{
    error::{Rejection, reason},
    head::HeadLimits,
};

/// Maximum number of signatures in a message: the sender's, and some added by hops.
const MAX_LABELS: usize = 8;

/// The signatures of a message with their covered components. Nothing in them is verified yet.
#[derive(Clone, Debug)]
pub(super) struct SignatureInput<'r> {
    of: MessageKind,
    labels: SmallVec<[LabeledSignature<'r>; 1]>,
    max_components: usize,
}

impl<'r> SignatureInput<'r> {
    /// Parses both fields. Refuses malformed fields, and a label in only one of them (RFC 9421
    /// section 4.2). Semantic problems of one signature are recorded in that signature.
    pub(super) fn parse(
        fields: &Fields<'r>,
        limits: &HeadLimits,
        bytes: Bytes,
    ) -> Result<Self, Rejection> {
        let mut input = Self::none(limits);
        input.read(fields, limits, bytes)?;
        Ok(input)
    }

    /// Does the same as [`parse`](Self::parse) for a response.
    pub(super) fn of_response(fields: &Fields<'r>, limits: &HeadLimits) -> Result<Self, Rejection> {
        let mut input = Self {
            of: MessageKind::Response,
            ..Self::none(limits)
        };
        input.read(fields, limits, Bytes::Base64)?;
        Ok(input)
    }

    /// Creates an empty value to parse the signatures of a request into: several labels are large
    /// to move.
    pub(super) fn none(limits: &HeadLimits) -> Self {
        Self {
            of: MessageKind::Request,
            labels: SmallVec::new(),
            max_components: limits.covered_headers,
        }
    }

    /// Does the same as [`parse`](Self::parse), in place.
    pub(super) fn read(
        &mut self,
        fields: &Fields<'r>,
        limits: &HeadLimits,
        bytes: Bytes,
    ) -> Result<(), Rejection> {
        for line in lines(
            &fields.signature_input,
            &SIGNATURE_INPUT,
            limits.authorization_bytes,
        ) {
            let line = line?;
            // The only line, unless another one follows.
            if self.labels.is_empty() && self.of == MessageKind::Request {
                self.labels.push(LabeledSignature::default());
                let label = self.labels.last_mut();
                let read = label.and_then(|label| label.read_serialized(line, self.max_components));
                if read.is_some() {
                    continue;
                }
                self.labels.clear();
            }
            Parser::new(line)
                .parse_dictionary_with_visitor(&mut *self)
                .map_err(|_| self.unreadable())?;
        }
        let mut signatures = Signatures {
            labels: &mut self.labels,
            found: 0,
        };
        for line in lines(&fields.signature, &SIGNATURE, limits.authorization_bytes) {
            let line = line?;
            let rewritten;
            let line = match bytes {
                Bytes::Base64 => line,
                Bytes::Base64Url => {
                    let in_base64 = base64url_bytes::to_base64(line);
                    rewritten = in_base64.ok_or_else(|| signatures.unreadable())?;
                    &rewritten
                }
            };
            if signatures.take_serialized(line).is_some() {
                continue;
            }
            Parser::new(line)
                .parse_dictionary_with_visitor(&mut signatures)
                .map_err(|_| signatures.unreadable())?;
        }
        if signatures.found != self.labels.len() {
            let without = self
                .labels
                .iter()
                .filter(|label| label.signature.is_empty());
            let without: Vec<&str> = without.map(|label| label.label).collect();
            return Err(Rejection::malformed(reason!(
                "header signature: expected the labels of signature-input, found none for {}",
                &without
            )));
        }
        Ok(())
    }

    /// Returns the reason for fields that cannot be parsed to their end.
    #[cold]
    fn unreadable(&self) -> Rejection {
        let labels: Vec<&str> = self.labels.iter().map(|label| label.label).collect();
        let last = self.labels.last().map_or(0, |label| label.covered.len());
        if self.labels.len() >= MAX_LABELS {
            return Rejection::malformed(reason!(
                "header signature-input: expected at most {} labels of lists, each once, found {}",
                MAX_LABELS,
                &labels
            ));
        }
        if last >= self.max_components {
            return Rejection::malformed(reason!(
                "header signature-input: expected at most {} components of a signature; \
                 HeadLimits::with_covered_headers sets the limit",
                self.max_components
            ));
        }
        Rejection::malformed(reason!(
            "header signature-input: expected labels of lists, each once, could read {}",
            &labels
        ))
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &LabeledSignature<'r>> {
        self.labels.iter()
    }
}

impl<'de> DictionaryVisitor<'de> for &mut SignatureInput<'de> {
    type Out = ();
    type Error = Unreadable;

    fn entry(&mut self, label: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Self::Error> {
        let label = label.as_str();
        // Of a repeated name, the last would count (RFC 9651 section 4.2.2), while other readers
        // take the first.
        let known = self.labels.iter().any(|known| known.label == label);
        if known || self.labels.len() >= MAX_LABELS {
            return Err(Unreadable);
        }
        self.labels.push(LabeledSignature {
            label,
            ..LabeledSignature::default()
        });
        let into = self.labels.last_mut().ok_or(Unreadable)?;
        Ok(InnerListOf {
            of: self.of,
            into,
            max_components: self.max_components,
        })
    }

    fn finish(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Visits the value of a label in `Signature-Input`.
struct InnerListOf<'v, 'de> {
    of: MessageKind,
    into: &'v mut LabeledSignature<'de>,
    max_components: usize,
}

impl<'de> EntryVisitor<'de> for InnerListOf<'_, 'de> {
    type Error = Unreadable;

    fn item(self) -> Result<impl ItemVisitor<'de>, Self::Error> {
        Err::<Never, _>(Unreadable)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Self::Error> {
        Ok(self)
    }
}

impl<'de> InnerListVisitor<'de> for InnerListOf<'_, 'de> {
    type Error = Unreadable;

    fn item(&mut self) -> Result<impl ItemVisitor<'de>, Self::Error> {
        if self.into.covered.len() >= self.max_components {
            return Err(Unreadable);
        }
        let into = &mut *self.into;
        Ok(ComponentVisitor {
            of: self.of,
            then: move |found: Found<'de>| {
                let number = into.covered.len().saturating_add(1);
                if let Err(text) = found.and_then(|id| into.covered.push(id)) {
                    let place = Place::Component(number);
                    into.problem.get_or_insert(Problem { text, place });
                }
            },
        })
    }

    fn finish(self) -> Result<impl ParameterVisitor<'de>, Self::Error> {
        Ok(ParametersOf(self.into))
    }
}

/// Visits the parameters after the list.
struct ParametersOf<'v, 'de>(&'v mut LabeledSignature<'de>);

impl<'de> ParameterVisitor<'de> for ParametersOf<'_, 'de> {
    type Out = ();
    type Error = Unreadable;

    fn parameter(
        &mut self,
        key: &'de KeyRef,
        value: BareItemFromInput<'de>,
    ) -> Result<(), Self::Error> {
        let key = key.as_str();
        if let Err(text) = self.0.params.add(key, &value) {
            let place = Place::Parameter(key);
            self.0.problem.get_or_insert(Problem { text, place });
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// The signatures of known labels. Byte sequences may lack their padding (RFC 9651 section 4.2.7).
struct Signatures<'v, 'r> {
    labels: &'v mut SmallVec<[LabeledSignature<'r>; 1]>,
    found: usize,
}

impl Signatures<'_, '_> {
    /// Returns the reason for fields that cannot be parsed to their end.
    #[cold]
    fn unreadable(&self) -> Rejection {
        let labels: Vec<&str> = self.labels.iter().map(|label| label.label).collect();
        let with = self
            .labels
            .iter()
            .filter(|label| !label.signature.is_empty());
        Rejection::malformed(reason!(
            "header signature: expected byte sequences for the labels {}, each once, could read {}",
            &labels,
            with.count()
        ))
    }

    /// Stores the signature of a known label that has none yet. Returns `None` for any other line.
    fn take_serialized(&mut self, line: &str) -> Option<()> {
        let mut buffer = [0; 64];
        let (label, bytes) = serialized::byte_sequence(line, &mut buffer)?;
        let mut labels = self.labels.iter_mut();
        let into = labels.find(|known| known.label == label && known.signature.is_empty())?;
        into.signature.extend_from_slice(bytes);
        self.found = self.found.saturating_add(1);
        Some(())
    }
}

impl<'de> DictionaryVisitor<'de> for &mut Signatures<'_, '_> {
    type Out = ();
    type Error = Unreadable;

    fn entry(&mut self, label: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Self::Error> {
        let mut labels = self.labels.iter_mut();
        let known = labels.find(|known| known.label == label.as_str());
        let into = known.ok_or(Unreadable)?;
        self.found = self.found.saturating_add(1);
        Ok(SignatureOf(into))
    }

    fn finish(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Visits the value of a label in `Signature`.
struct SignatureOf<'v, 'r>(&'v mut LabeledSignature<'r>);

impl<'de> EntryVisitor<'de> for SignatureOf<'_, '_> {
    type Error = Unreadable;

    fn item(self) -> Result<impl ItemVisitor<'de>, Self::Error> {
        let into = &mut self.0.signature;
        Ok(move |item: BareItemFromInput<'de>| match item {
            BareItemFromInput::ByteSequence(bytes) if into.is_empty() && !bytes.is_empty() => {
                *into = SignatureBytes::from_slice(&bytes);
                Ok(Ignored)
            }
            _ => Err(Unreadable),
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Self::Error> {
        Err::<Never, _>(Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    fn with<T>(
        inputs: &[&str],
        signatures: &[&str],
        read: impl FnOnce(Result<SignatureInput<'_>, Rejection>) -> T,
    ) -> T {
        let mut headers = HeaderMap::new();
        for (name, values) in [(&SIGNATURE_INPUT, inputs), (&SIGNATURE, signatures)] {
            for value in values {
                headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        let fields = Fields::of(&headers);
        read(SignatureInput::parse(
            &fields,
            &HeadLimits::default(),
            Bytes::Base64,
        ))
    }

    fn labels(inputs: &[&str], signatures: &[&str]) -> Option<Vec<(String, bool)>> {
        with(inputs, signatures, |input| {
            let input = input.ok()?;
            let labels = input.labels();
            Some(
                labels
                    .map(|label| (label.label.to_owned(), label.problem.is_none()))
                    .collect(),
            )
        })
    }

    #[test]
    fn reads_the_example_of_the_specification() {
        // Source: RFC 9421 section 4.1.
        let input = concat!(
            r#"sig1=("@method" "@target-uri" "@authority" "content-digest" "cache-control")"#,
            r#";created=1618884475;keyid="test-key-rsa-pss""#
        );
        with(&[input], &["sig1=:AQI=:"], |found| {
            let input_found = found.unwrap();
            let label = input_found.labels().next().unwrap();
            assert_eq!(label.label, "sig1");
            assert_eq!(label.problem, None);
            assert_eq!(label.signature.as_slice(), [1, 2]);
            assert_eq!(label.params.created(), Some(1_618_884_475));
            let mut text = "sig1=".to_owned();
            label.covered.write_to(&mut text);
            label.params.write_to(&mut text);
            assert_eq!(text, input);
        });
    }

    /// A leading space has no meaning, but makes the line one for the full parser.
    #[test]
    fn both_parsers_read_the_same() {
        const INPUT: &str = r#"sig1=("@method" "date");created=1;nonce="n";alg="a";keyid="k""#;
        let spaced = [format!(" {INPUT}"), " sig1=:AQI=:".to_owned()];
        let read = |inputs: &[&str], signatures: &[&str]| {
            with(inputs, signatures, |input| {
                let input = input.unwrap();
                let label = input.labels().next().unwrap();
                let serialized = label.serialized.is_some();
                let label = LabeledSignature {
                    serialized: None,
                    ..label.clone()
                };
                (serialized, format!("{label:?}"))
            })
        };
        let (serialized, found) = read(&[INPUT], &["sig1=:AQI=:"]);
        let (spaced_serialized, expected) = read(&[&spaced[0]], &[&spaced[1]]);
        assert!(serialized && !spaced_serialized);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_label_is_taken_once_whichever_parser_reads_it() {
        const LINE: &str = r#"a=("date");created=1"#;
        let spaced = format!(" {LINE}");
        for inputs in [[LINE, LINE], [LINE, &spaced], [&spaced, LINE]] {
            assert_eq!(labels(&inputs, &["a=:AA==:"]), None, "{inputs:?}");
        }
        for signatures in [
            ["a=:AA==:", "a=:AA==:"],
            ["a=:AA==:", " a=:AA==:"],
            [" a=:AA==:", "a=:AA==:"],
        ] {
            assert_eq!(labels(&[LINE], &signatures), None, "{signatures:?}");
        }
        assert_eq!(labels(&[LINE], &["b=:AA==:"]), None);
    }

    #[test]
    fn labels_may_stand_on_several_lines_and_in_any_order() {
        let expected = vec![("a".to_owned(), true), ("b".to_owned(), true)];
        for (name, inputs, signatures) in [
            ("one line", &["a=(), b=()"][..], &["a=:AA:, b=:AA==:"][..]),
            ("several lines", &["a=()", "b=()"], &["b=:AA:", "a=:AA:"]),
            ("another order", &["a=(), b=()"], &["b=:AA:, a=:AA:"]),
            ("spacing", &["a=(  )  ,\t b=()"], &["b=:AA:,a=:AA:  "]),
        ] {
            assert_eq!(labels(inputs, signatures), Some(expected.clone()), "{name}");
        }
    }

    #[test]
    fn refuses_fields_that_are_wrong_as_such() {
        let many = |member: &str| {
            let members = (0..9).map(|number| format!("s{number}={member}"));
            members.collect::<Vec<_>>().join(", ")
        };
        let (many_inputs, many_signatures) = (many("()"), many(":AA:"));
        let components: Vec<_> = (0..33).map(|number| format!("\"h{number}\"")).collect();
        let components = format!("a=({})", components.join(" "));
        let long = format!("a=();nonce=\"{}\"", "n".repeat(4096));
        for (name, inputs, signatures) in [
            ("a label twice", &["a=(), a=()"][..], &["a=:AA:"][..]),
            ("a label twice on two lines", &["a=()", "a=()"], &["a=:AA:"]),
            ("a signature twice", &["a=(), b=()"], &["a=:AA:, a=:AA:"]),
            ("no input", &[], &["a=:AA:"]),
            ("no signature", &["a=()"], &[]),
            (
                "a signature without an input",
                &["a=()"],
                &["a=:AA:, b=:AA:"],
            ),
            ("an input without a signature", &["a=(), b=()"], &["a=:AA:"]),
            ("the signature of another label", &["a=()"], &["b=:AA:"]),
            ("an upper-case label", &["A=()"], &["A=:AA:"]),
            ("an input that is no list", &["a=\"@method\""], &["a=:AA:"]),
            ("an input without a value", &["a"], &["a=:AA:"]),
            ("an unbalanced list", &["a=(\"@method\""], &["a=:AA:"]),
            ("something after a list", &["a=() x"], &["a=:AA:"]),
            ("a comma after", &["a=(),"], &["a=:AA:"]),
            ("an empty line", &["a=()", ""], &["a=:AA:"]),
            ("items without a space", &["a=(\"b\"\"c\")"], &["a=:AA:"]),
            ("a tab in a list", &["a=(\"b\"\t\"c\")"], &["a=:AA:"]),
            ("obs-text", &["a=();nonce=\"é\""], &["a=:AA:"]),
            ("an empty signature", &["a=()"], &["a=::"]),
            ("a signature as a string", &["a=()"], &["a=\"AA\""]),
            ("a signature as a list", &["a=()"], &["a=(:AA:)"]),
            ("a signature that is no Base64", &["a=()"], &["a=:!!!!:"]),
            ("a signature that does not end", &["a=()"], &["a=:AA"]),
            ("nine labels", &[&many_inputs], &[&many_signatures]),
            ("33 components", &[&components], &["a=:AA:"]),
            ("a long line", &[&long], &["a=:AA:"]),
        ] {
            assert_eq!(labels(inputs, signatures), None, "{name}");
        }
    }

    /// A repeated name would also leave too few signatures, whichever of them are present.
    #[test]
    fn a_label_twice_is_refused_where_it_stands() {
        with(&["a=(), a=()"], &["a=:AA:"], |input| {
            let reason = input.unwrap_err().to_string();
            assert!(reason.starts_with("header signature-input: "), "{reason}");
        });
    }

    #[test]
    fn what_one_signature_means_is_its_own_matter() {
        for (name, input) in [
            ("a component twice", r#"("date" "date")"#),
            ("a component that is a token", "(date)"),
            ("a component that is a number", "(1)"),
            ("a component of a response", r#"("@status")"#),
            ("the parameters themselves", r#"("@signature-params")"#),
            ("an unknown parameter", "();x=1"),
            ("a parameter twice", "();created=1;created=1"),
            ("a parameter of another type", r#"();created="1""#),
            ("a nonce with an escape", r#"();nonce="a\"b""#),
        ] {
            let found = labels(&[&format!("a=(), b={input}")], &["a=:AA:, b=:AA:"]);
            let expected = [("a".to_owned(), true), ("b".to_owned(), false)];
            assert_eq!(found.as_deref(), Some(&expected[..]), "{name}");
        }
    }
}
