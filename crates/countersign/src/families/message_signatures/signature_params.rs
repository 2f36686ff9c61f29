use std::{
    fmt::{self, Write},
    mem,
};

use sfv::BareItemFromInput;
use smallvec::SmallVec;

use super::structured_field::Text;
use crate::{
    error::{Escaped, Reason, Set, finer_unit, reason},
    key_id::KeyId,
};

/// Maximum length of a nonce, in bytes.
const MAX_NONCE: usize = 256;

/// The parameters of a signature in signing order, each at most once (RFC 9421 section 2.3). Their
/// names are those on the wire.
///
/// Refuses parameters other than the six registered ones: their meaning for the signature is
/// unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct SignatureParams<'r>(SmallVec<[Param<'r>; 6]>);

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Param<'r> {
    Created(i64),
    Expires(i64),
    Nonce(&'r str),
    Keyid(&'r str),
    Alg(&'r str),
    Tag(&'r str),
}

impl<'r> SignatureParams<'r> {
    /// Parses one parameter.
    pub(super) fn add(
        &mut self,
        key: &str,
        value: &BareItemFromInput<'r>,
    ) -> Result<(), &'static str> {
        let seconds = || {
            let seconds = value.as_integer().map(i64::from);
            seconds.ok_or("signature parameter: expected created and expires to be integers")
        };
        let text = || match Text::of(value) {
            Text::Plain(text) => Ok(text),
            Text::True | Text::Other => {
                Err("signature parameter: expected a string without escapes")
            }
        };
        self.push(match key {
            "created" => Param::Created(seconds()?),
            "expires" => Param::Expires(seconds()?),
            "nonce" => Param::Nonce(text()?),
            "keyid" => Param::Keyid(text()?),
            "alg" => Param::Alg(text()?),
            "tag" => Param::Tag(text()?),
            _ => return Err("signature parameter: expected one of those of RFC 9421"),
        })
    }

    #[inline]
    pub(super) fn push(&mut self, param: Param<'r>) -> Result<(), &'static str> {
        let kind = mem::discriminant(&param);
        if self.0.iter().any(|known| mem::discriminant(known) == kind) {
            return Err("signature parameter: expected each once");
        }
        self.0.push(param);
        Ok(())
    }

    pub(super) fn created(&self) -> Option<i64> {
        self.0.iter().find_map(|param| match param {
            Param::Created(seconds) => Some(*seconds),
            _ => None,
        })
    }

    pub(super) fn expires(&self) -> Option<i64> {
        self.0.iter().find_map(|param| match param {
            Param::Expires(seconds) => Some(*seconds),
            _ => None,
        })
    }

    pub(super) fn nonce(&self) -> Option<&'r str> {
        self.0.iter().find_map(|param| match param {
            Param::Nonce(nonce) => Some(*nonce),
            _ => None,
        })
    }

    pub(super) fn keyid(&self) -> Option<&'r str> {
        self.0.iter().find_map(|param| match param {
            Param::Keyid(keyid) => Some(*keyid),
            _ => None,
        })
    }

    pub(super) fn alg(&self) -> Option<&'r str> {
        self.0.iter().find_map(|param| match param {
            Param::Alg(alg) => Some(*alg),
            _ => None,
        })
    }

    pub(super) fn tag(&self) -> Option<&'r str> {
        self.0.iter().find_map(|param| match param {
            Param::Tag(tag) => Some(*tag),
            _ => None,
        })
    }

    /// Returns why a signature with these parameters cannot be verified.
    pub(super) fn problem(&self) -> Option<Reason> {
        let (created, expires) = (self.created(), self.expires());
        if let (Some(created), Some(expires)) = (created, expires)
            && created > expires
        {
            return Some(ended(created, expires));
        }
        if let Some(keyid) = self.keyid()
            && !KeyId::is_valid(keyid)
        {
            return Some(reason!(
                "parameter keyid: expected 1 to 128 visible ASCII characters without = , and ;, \
                 found \"{}\"",
                Escaped::text(keyid)
            ));
        }
        if let Some(nonce) = self.nonce()
            && !(1..=MAX_NONCE).contains(&nonce.len())
        {
            return Some(reason!(
                "parameter nonce: expected 1 to 256 characters, found {}",
                nonce.len()
            ));
        }
        None
    }

    /// Yields the names of the parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(Param::key)
    }

    /// Writes the parameters after the list of components.
    pub(super) fn write_to(&self, text: &mut String) {
        for param in &self.0 {
            text.extend([";", param.key(), "="]);
            match param {
                Param::Created(seconds) | Param::Expires(seconds) => {
                    // Invariant: writing to a string never fails.
                    let _: fmt::Result = write!(text, "{seconds}");
                }
                Param::Nonce(value)
                | Param::Keyid(value)
                | Param::Alg(value)
                | Param::Tag(value) => text.extend(["\"", value, "\""]),
            }
        }
    }
}

/// Returns the reason for a signature that expires before its creation.
#[cold]
fn ended(created: i64, expires: i64) -> Reason {
    match finer_unit(created) {
        Some(unit) => reason!(
            "parameter created: expected seconds since 1970-01-01T00:00:00Z, found {}, which looks \
             like {}",
            Set(&created),
            unit
        ),
        None => reason!(
            "parameter expires: expected it not before created, found {} before {}",
            Set(&expires),
            Set(&created)
        ),
    }
}

impl Param<'_> {
    const fn key(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Expires(_) => "expires",
            Self::Nonce(_) => "nonce",
            Self::Keyid(_) => "keyid",
            Self::Alg(_) => "alg",
            Self::Tag(_) => "tag",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn params<'r>(list: &[Param<'r>]) -> SignatureParams<'r> {
        let mut params = SignatureParams::default();
        for param in list {
            params.push(*param).unwrap();
        }
        params
    }

    #[test]
    fn are_written_in_their_order() {
        let params = params(&[
            Param::Tag("svc v1"),
            Param::Created(1_767_323_045),
            Param::Keyid("billing"),
            Param::Expires(-1),
            Param::Alg("ed25519"),
            Param::Nonce("n"),
        ]);
        let mut text = String::new();
        params.write_to(&mut text);
        assert_eq!(
            text,
            r#";tag="svc v1";created=1767323045;keyid="billing";expires=-1;alg="ed25519";nonce="n""#
        );
        assert_eq!(params.created(), Some(1_767_323_045));
        assert_eq!(params.expires(), Some(-1));
        assert_eq!(params.nonce(), Some("n"));
        assert_eq!(params.keyid(), Some("billing"));
        assert_eq!(params.alg(), Some("ed25519"));
        assert_eq!(params.tag(), Some("svc v1"));
    }

    #[test]
    fn refuses_a_second_of_one_kind() {
        let mut params = params(&[Param::Created(1)]);
        assert!(params.push(Param::Created(1)).is_err());
        assert!(params.push(Param::Expires(1)).is_ok());
    }

    #[test]
    fn refuses_values_of_another_type_and_unknown_parameters() {
        use BareItemFromInput as Item;

        let string = |text| Item::String(Cow::Borrowed(sfv::StringRef::from_str(text).unwrap()));
        let created = |value: &Item<'static>| SignatureParams::default().add("created", value);
        assert!(created(&Item::from(sfv::integer(1))).is_ok());
        for (name, key, value) in [
            ("a string for an integer", "created", string("1")),
            ("a boolean for an integer", "created", Item::from(true)),
            (
                "a decimal for an integer",
                "expires",
                Item::from(sfv::Decimal::ZERO),
            ),
            (
                "an integer for a string",
                "nonce",
                Item::from(sfv::integer(1)),
            ),
            (
                "a token for a string",
                "keyid",
                Item::from(sfv::token_ref("a")),
            ),
            ("a boolean for a string", "alg", Item::from(true)),
            ("an escape", "tag", string("a\"b")),
            ("another parameter", "x", string("a")),
        ] {
            let found = SignatureParams::default().add(key, &value);
            assert!(found.is_err(), "{name}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_them() {
        let long = "n".repeat(257);
        for (name, list, valid) in [
            ("none", &[][..], true),
            (
                "expires after created",
                &[Param::Created(1), Param::Expires(2)],
                true,
            ),
            (
                "expires at created",
                &[Param::Created(1), Param::Expires(1)],
                true,
            ),
            (
                "expires before created",
                &[Param::Expires(0), Param::Created(1)],
                false,
            ),
            ("a key id", &[Param::Keyid("billing/2026a")], true),
            ("no key id", &[Param::Keyid("")], false),
            ("a key id with a space", &[Param::Keyid("a b")], false),
            ("a nonce", &[Param::Nonce("n 1")], true),
            ("the longest nonce", &[Param::Nonce(&long[1..])], true),
            ("an empty nonce", &[Param::Nonce("")], false),
            ("a nonce that is too long", &[Param::Nonce(&long)], false),
        ] {
            assert_eq!(params(list).problem().is_none(), valid, "{name}");
        }
    }
}
