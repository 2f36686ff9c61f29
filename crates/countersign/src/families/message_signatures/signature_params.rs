use std::{
    borrow::Cow,
    fmt::{self, Write},
    mem,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sfv::BareItemFromInput;
use smallvec::SmallVec;

use super::{
    labeled_signature::{Place, Problem},
    rules::{KeyIdForm, NonceForm, ParamSet},
    structured_field::{Text, is_plain_text},
};
use crate::{
    error::{Escaped, Reason, Set, finer_unit, reason},
    key_id::KeyId,
};

/// Maximum length of a nonce, in bytes.
const MAX_NONCE: usize = 256;

/// Maximum length of a `keyid`, in bytes.
const MAX_KEY_ID: usize = 256;

/// The length of 32 bytes in unpadded base64url.
const THUMBPRINT: usize = 43;

/// The length of 16 bytes in unpadded base64url.
const LEAST_BASE64URL: usize = 22;

/// The parameters of a signature in signing order, each at most once (RFC 9421 section 2.3). Their
/// names are those on the wire.
///
/// Refuses parameters other than the six registered ones: their meaning for the signature is
/// unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct SignatureParams<'r>(SmallVec<[Param<'r>; 6]>);

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Param<'r> {
    Created(i64),
    Expires(i64),
    Nonce(&'r str),
    /// The only string that may have escapes.
    Keyid(Cow<'r, str>),
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
            "keyid" => Param::Keyid(
                Text::with_escapes(value)
                    .ok_or("signature parameter: expected keyid to be a string")?,
            ),
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

    pub(super) fn keyid(&self) -> Option<&Cow<'r, str>> {
        self.0.iter().find_map(|param| match param {
            Param::Keyid(keyid) => Some(keyid),
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

    /// Returns the names that are present.
    #[inline]
    pub(super) fn present(&self) -> ParamSet {
        let kinds = self.0.iter().map(Param::kind);
        kinds.fold(ParamSet::NONE, ParamSet::with)
    }

    /// Returns the problem of a `keyid` with escapes, for readers that take none.
    pub(super) fn escaped_key_id(&self) -> Option<Problem<'r>> {
        matches!(self.keyid(), Some(Cow::Owned(_))).then_some(Problem {
            text: "signature parameter: expected a string without escapes",
            place: Place::Parameter("keyid"),
        })
    }

    /// Returns why a signature with these parameters cannot be verified.
    pub(super) fn problem(&self, key_id: KeyIdForm, nonce_form: NonceForm) -> Option<Reason> {
        let (created, expires) = (self.created(), self.expires());
        if let (Some(created), Some(expires)) = (created, expires)
            && created > expires
        {
            return Some(ended(created, expires));
        }
        if let Some(keyid) = self.keyid()
            && let Some(expected) = unlike(key_id, keyid)
        {
            return Some(reason!(
                "parameter keyid: expected {}, found \"{}\"",
                expected,
                Escaped::text(keyid)
            ));
        }
        if let Some(nonce) = self.nonce()
            && nonce_form == NonceForm::Base64Url
            && (nonce.len() < LEAST_BASE64URL || URL_SAFE_NO_PAD.decode(nonce).is_err())
        {
            return Some(reason!(
                "parameter nonce: expected at least 16 bytes in unpadded base64url, found {} \
                 characters",
                nonce.len()
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
                Param::Nonce(value) | Param::Alg(value) | Param::Tag(value) => {
                    text.extend(["\"", value, "\""]);
                }
                Param::Keyid(value) if is_plain_text(value) => text.extend(["\"", value, "\""]),
                Param::Keyid(value) => write_escaped(value, text),
            }
        }
    }
}

/// Writes a string with its escapes (RFC 9651 section 4.1.6).
fn write_escaped(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

/// Returns what a key id should have been, if it is not in this form.
fn unlike(form: KeyIdForm, key_id: &str) -> Option<&'static str> {
    let (is_valid, expected) = match form {
        KeyIdForm::Name => (
            KeyId::is_valid(key_id),
            "1 to 128 visible ASCII characters without = , and ;",
        ),
        KeyIdForm::Text => (
            (1..=MAX_KEY_ID).contains(&key_id.len()),
            "1 to 256 characters",
        ),
        KeyIdForm::Thumbprint => (
            key_id.len() == THUMBPRINT && URL_SAFE_NO_PAD.decode(key_id).is_ok(),
            "a JWK thumbprint",
        ),
    };
    (!is_valid).then_some(expected)
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
    const fn kind(&self) -> ParamSet {
        match self {
            Self::Created(_) => ParamSet::CREATED,
            Self::Expires(_) => ParamSet::EXPIRES,
            Self::Nonce(_) => ParamSet::NONCE,
            Self::Keyid(_) => ParamSet::KEYID,
            Self::Alg(_) => ParamSet::ALG,
            Self::Tag(_) => ParamSet::TAG,
        }
    }

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
    use super::*;

    fn params<'r>(list: &[Param<'r>]) -> SignatureParams<'r> {
        let mut params = SignatureParams::default();
        for param in list {
            params.push(param.clone()).unwrap();
        }
        params
    }

    #[test]
    fn are_written_in_their_order() {
        let params = params(&[
            Param::Tag("svc v1"),
            Param::Created(1_767_323_045),
            Param::Keyid("billing".into()),
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
        assert_eq!(params.keyid().map(Cow::as_ref), Some("billing"));
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
    fn a_key_id_and_a_nonce_have_their_form() {
        use KeyIdForm::{Name, Text, Thumbprint};

        let long = "k".repeat(257);
        let thumbprint = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";
        for (form, key_id, valid) in [
            (Name, "a b", false),
            (Text, "a b", true),
            (Text, "a\"b\\c", true),
            (Text, "", false),
            (Text, &long[1..], true),
            (Text, &long, false),
            (Thumbprint, thumbprint, true),
            (Thumbprint, &thumbprint[1..], false),
            (
                Thumbprint,
                "poqkLGiymh/W0uP6PZFw+dvez3QJT5SolqXBCW38r0U",
                false,
            ),
            (Thumbprint, "key-1", false),
        ] {
            let params = params(&[Param::Keyid(key_id.into())]);
            let found = params.problem(form, NonceForm::Text);
            assert_eq!(found.is_none(), valid, "{form:?} {key_id}");
        }
        for (nonce, valid) in [
            ("KXYnfEfJ0PBRZXQyVXfVQA", true),
            ("KXYnfEfJ0PBRZXQyVXfV", false),
            ("KXYnfEfJ0PBRZXQyVXfVQA==", false),
            ("KXYnfEfJ0PBRZXQyVXfV+A", false),
        ] {
            let params = params(&[Param::Nonce(nonce)]);
            let found = params.problem(Name, NonceForm::Base64Url);
            assert_eq!(found.is_none(), valid, "{nonce}");
            assert!(params.problem(Name, NonceForm::Text).is_none(), "{nonce}");
        }
    }

    #[test]
    fn a_key_id_is_written_with_its_escapes() {
        let params = params(&[Param::Keyid("a\"b\\c".into())]);
        let mut text = String::new();
        params.write_to(&mut text);
        assert_eq!(text, r#";keyid="a\"b\\c""#);
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
            ("a key id", &[Param::Keyid("billing/2026a".into())], true),
            ("no key id", &[Param::Keyid("".into())], false),
            (
                "a key id with a space",
                &[Param::Keyid("a b".into())],
                false,
            ),
            ("a nonce", &[Param::Nonce("n 1")], true),
            ("the longest nonce", &[Param::Nonce(&long[1..])], true),
            ("an empty nonce", &[Param::Nonce("")], false),
            ("a nonce that is too long", &[Param::Nonce(&long)], false),
        ] {
            assert_eq!(
                params(list)
                    .problem(KeyIdForm::Name, NonceForm::Text)
                    .is_none(),
                valid,
                "{name}"
            );
        }
    }
}
