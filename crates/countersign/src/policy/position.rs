//! Mistakes in a policy, and where they are.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{document::Position, error::ConfigError};

/// A mistake, and its position in a document.
#[derive(Debug)]
pub(super) struct Misplaced<P> {
    pub(super) error: ConfigError,
    pub(super) place: P,
}

/// A step from a JSON value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Element(usize),
}

/// The steps to a value, innermost first.
pub(super) type Steps = Vec<Step>;

impl<P> Misplaced<P> {
    /// Adds the enclosing element in front of the mistake.
    pub(super) fn within(self, what: impl fmt::Display) -> Self {
        Self {
            error: self.error.within(what),
            place: self.place,
        }
    }
}

impl Misplaced<Steps> {
    pub(super) fn in_member(mut self, name: &str) -> Self {
        self.place.push(Step::Member(name.to_owned()));
        self
    }

    pub(super) fn in_element(mut self, element: Option<usize>) -> Self {
        self.place.extend(element.map(Step::Element));
        self
    }

    /// Makes the error with its position in the JSON text. Parses the text again, because the
    /// parser keeps no positions of values.
    pub(super) fn located_in(mut self, text: &str) -> ConfigError {
        self.place.reverse();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let walk = Walk(&self.place).deserialize(&mut deserializer);
        match walk {
            Err(stopped) if stopped.line() > 0 => {
                let stopped_at = Position {
                    line: stopped.line(),
                    // The parser reports the last byte that it has read. The value comes next.
                    column: stopped.column().saturating_add(1),
                };
                self.error.within(stopped_at)
            }
            _ => self.error,
        }
    }
}

impl Misplaced<usize> {
    /// Makes the error with the position of this offset in the text.
    pub(super) fn located_in(self, text: &str) -> ConfigError {
        self.error.within(Position::of(text, self.place))
    }
}

impl From<ConfigError> for Misplaced<Steps> {
    fn from(error: ConfigError) -> Self {
        Self {
            error,
            place: Steps::new(),
        }
    }
}

/// Reads JSON up to the value at the end of these steps, and fails there.
#[derive(Clone, Copy)]
struct Walk<'s>(&'s [Step]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0 {
            [] => Err(D::Error::custom("arrived")),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match self.0 {
                [Step::Member(wanted), rest @ ..] if *wanted == name => {
                    map.next_value_seed(Walk(rest))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let (wanted, rest) = match self.0 {
            [Step::Element(wanted), rest @ ..] => (Some(*wanted), rest),
            _ => (None, self.0),
        };
        let mut element = 0_usize;
        loop {
            let read = if wanted == Some(element) {
                seq.next_element_seed(Walk(rest))?
            } else {
                seq.next_element::<IgnoredAny>()?.map(|_| ())
            };
            if read.is_none() {
                return Ok(());
            }
            element = element.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ConfigErrorKind;

    fn located(text: &str, steps: &[Step]) -> String {
        let mut place = steps.to_vec();
        place.reverse();
        let error = ConfigError::new(ConfigErrorKind::Policy, "wrong");
        Misplaced { error, place }.located_in(text).to_string()
    }

    #[test]
    fn a_mistake_in_json_is_found_again_by_the_steps_to_it() {
        let text = "{\n \"a\": [ {\"b\":\n   \"x\"}, [1, 2] ],\"c\" : {}\n}";
        let member = |name: &str| Step::Member(name.to_owned());
        for (steps, expected) in [
            (vec![member("a")], "line 2, column 7: wrong"),
            (
                vec![member("a"), Step::Element(0)],
                "line 2, column 9: wrong",
            ),
            (
                vec![member("a"), Step::Element(0), member("b")],
                "line 3, column 4: wrong",
            ),
            (
                vec![member("a"), Step::Element(1), Step::Element(1)],
                "line 3, column 14: wrong",
            ),
            (vec![member("c")], "line 3, column 25: wrong"),
            // An absent value has no position.
            (vec![member("d")], "wrong"),
            (vec![member("a"), Step::Element(2)], "wrong"),
            (vec![], "wrong"),
        ] {
            assert_eq!(located(text, &steps), expected, "{steps:?}");
        }
    }
}
