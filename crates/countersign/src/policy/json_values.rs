//! The shapes of values in a JSON policy. The parser alone would keep the last of two equal names
//! and so drop a condition.

use std::{collections::HashSet, fmt, marker::PhantomData};

use super::position::{Misplaced, Steps};
use crate::error::ConfigError;
use serde::{
    Deserialize, Deserializer,
    de::{
        Error, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
};

/// One value, or a list of at least one.
#[derive(Debug)]
pub(super) struct OneOrMany<T> {
    values: Vec<T>,
    is_list: bool,
}

impl<T> OneOrMany<T> {
    pub(super) fn one(value: T) -> Self {
        Self {
            values: vec![value],
            is_list: false,
        }
    }

    /// Returns the values, each with its index if they are in a list.
    pub(super) fn placed(&self) -> impl Iterator<Item = (Option<usize>, &T)> {
        let values = self.values.iter().enumerate();
        values.map(|(place, value)| (self.is_list.then_some(place), value))
    }

    /// Returns the index of value `number` in a list, if any.
    pub(super) fn place(&self, number: usize) -> Option<usize> {
        self.is_list.then_some(number)
    }
}

impl OneOrMany<String> {
    /// Reads each value. An error has the position of its value.
    pub(super) fn read<R>(
        &self,
        read: impl Fn(&str) -> Result<R, ConfigError>,
    ) -> Result<Vec<R>, Misplaced<Steps>> {
        self.placed()
            .map(|(place, value)| {
                read(value).map_err(|error| Misplaced::from(error).in_element(place))
            })
            .collect()
    }
}

/// An object with at least one member and without duplicate names.
#[derive(Debug)]
pub(super) struct Unique<V>(pub(super) Vec<(String, V)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

struct OneOrManyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, an object, or a list of them that is not empty")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(StrDeserializer::new(text)).map(OneOrMany::one)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::one)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = seq.next_element()? {
            many.push(one);
        }
        if many.is_empty() {
            return Err(Error::invalid_length(0, &self));
        }
        Ok(OneOrMany {
            values: many,
            is_list: true,
        })
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Unique<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for UniqueVisitor<V> {
    type Value = Unique<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with at least one member")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut seen) = (Vec::new(), HashSet::new());
        while let Some((name, value)) = map.next_entry::<String, V>()? {
            // IAM compares operator names case-sensitively and key names case-insensitively.
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(Error::custom(format_args!("duplicate field `{name}`")));
            }
            members.push((name, value));
        }
        if members.is_empty() {
            return Err(Error::invalid_length(0, &self));
        }
        Ok(Unique(members))
    }
}
