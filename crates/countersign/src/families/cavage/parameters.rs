use super::dialect::{Dialect, SignatureText};
use crate::{
    error::{Escaped, Reason, Rejection, reason},
    timestamp::Timestamp,
    wire::{ByteSet, unix_seconds},
};

use base64ct::{Base64, Encoding as _};
use smallvec::SmallVec;

/// The parameters of a signature (draft-cavage-http-signatures-12 section 2.1).
///
/// ```text
/// parameters = parameter *( OWS "," OWS parameter )
/// parameter  = name "=" DQUOTE *value DQUOTE / ( "created=" / "expires=" ) 1*12DIGIT
/// value      = visible ASCII and space, without DQUOTE and "\"
/// OWS        = *( SP / HTAB )
/// ```
///
/// Accepts the parameters in any order, each at most once and no others.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters<'r> {
    pub(super) key_id: &'r str,
    /// As sent.
    pub(super) signature_text: &'r str,
    pub(super) signature: SignatureBytes,
    pub(super) algorithm: Option<&'r str>,
    pub(super) created: Option<Time<'r>>,
    pub(super) expires: Option<Time<'r>>,
    /// The covered names, separated by spaces.
    pub(super) headers: Option<&'r str>,
}

/// A time in a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time<'r> {
    /// As sent and as signed.
    pub(super) text: &'r str,
    pub(super) at: Timestamp,
}

/// The bytes of a signature.
pub(super) type SignatureBytes = SmallVec<[u8; 64]>;

/// The greatest length of a signature in bytes: RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

impl<'r> Parameters<'r> {
    /// Parses the text after the scheme name and its space.
    pub(super) fn parse(text: &'r str, dialect: &Dialect) -> Result<Self, Rejection> {
        let mut given = Given::default();
        let mut rest = text;
        loop {
            let (name, value, behind) = one(rest).map_err(Rejection::malformed)?;
            let slot = match name {
                _ if name == dialect.key_id => &mut given.key_id,
                "signature" => &mut given.signature,
                "algorithm" => &mut given.algorithm,
                "headers" => &mut given.headers,
                "created" => &mut given.created,
                "expires" => &mut given.expires,
                _ => return Err(Rejection::malformed(unknown(name, dialect))),
            };
            if slot.replace(value).is_some() {
                return Err(Rejection::malformed(reason!(
                    "signature parameters: expected each once, found {} twice",
                    Escaped::text(name)
                )));
            }
            let behind = behind.trim_start_matches(BLANK);
            if behind.is_empty() {
                break;
            }
            rest = behind
                .strip_prefix(',')
                .ok_or_else(|| Rejection::malformed(not_parted(name)))?
                .trim_start_matches(BLANK);
        }
        given.read(dialect).map_err(Rejection::malformed)
    }

    /// Returns the key's name as sent, which nothing proves, if the text is well-formed up to it.
    pub(super) fn asserted_key_id(text: &'r str, dialect: &Dialect) -> Option<&'r str> {
        let mut rest = text;
        loop {
            let (name, value, behind) = one(rest).ok()?;
            if name == dialect.key_id {
                return Some(value);
            }
            rest = behind
                .trim_start_matches(BLANK)
                .strip_prefix(',')?
                .trim_start_matches(BLANK);
        }
    }
}

/// Decodes a signature. The text has one spelling for the same bytes.
fn decode(text: &str, form: SignatureText) -> Option<SignatureBytes> {
    let mut base64 = [0; MAX_BASE64];
    let text = match form {
        SignatureText::Base64 => text,
        SignatureText::UrlEncoded => url_decoded(text, &mut base64)?,
    };
    let mut bytes = [0; MAX_SIGNATURE];
    let decoded = Base64::decode(text, &mut bytes).ok()?;
    (!decoded.is_empty()).then(|| SmallVec::from_slice(decoded))
}

/// Encodes a signature.
pub(super) fn encode(signature: &[u8], form: SignatureText) -> String {
    let base64 = Base64::encode_string(signature);
    match form {
        SignatureText::Base64 => base64,
        SignatureText::UrlEncoded => base64
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D"),
    }
}

/// The length of the Base64 of `MAX_SIGNATURE` bytes.
const MAX_BASE64: usize = MAX_SIGNATURE.div_ceil(3).saturating_mul(4);

/// Decodes Base64 whose `+`, `/` and `=` are all percent-encoded with upper-case digits.
fn url_decoded<'b>(text: &str, into: &'b mut [u8; MAX_BASE64]) -> Option<&'b str> {
    let mut bytes = text.bytes();
    let mut len: usize = 0;
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (bytes.next()?, bytes.next()?) {
                (b'2', b'B') => b'+',
                (b'2', b'F') => b'/',
                (b'3', b'D') => b'=',
                _ => return None,
            },
            byte if byte.is_ascii_alphanumeric() => byte,
            _ => return None,
        };
        *into.get_mut(len)? = byte;
        len = len.saturating_add(1);
    }
    str::from_utf8(into.get(..len)?).ok()
}

/// The texts of the parameters, before any is read.
#[derive(Default)]
struct Given<'r> {
    key_id: Option<&'r str>,
    signature: Option<&'r str>,
    algorithm: Option<&'r str>,
    headers: Option<&'r str>,
    created: Option<&'r str>,
    expires: Option<&'r str>,
}

impl<'r> Given<'r> {
    fn read(self, dialect: &Dialect) -> Result<Parameters<'r>, Reason> {
        let (Some(key_id), Some(signature_text)) = (self.key_id, self.signature) else {
            let mut missing = Vec::new();
            missing.extend(self.key_id.is_none().then_some(dialect.key_id));
            missing.extend(self.signature.is_none().then_some("signature"));
            return Err(reason!(
                "signature parameters: expected {} and signature, found no {}",
                dialect.key_id,
                &missing
            ));
        };
        let signature = decode(signature_text, dialect.signature_text).ok_or_else(|| {
            reason!(
                "signature: expected padded Base64 of 1 to 1024 bytes in the form of the dialect, \
                 found {} characters that are none",
                signature_text.len()
            )
        })?;
        let time = |name: &'static str, text: Option<&'r str>| {
            let Some(text) = text else {
                return Ok::<_, Reason>(None);
            };
            let at = unix_seconds::parse(text).ok_or_else(|| {
                reason!(
                    "parameter {}: expected 1 to 12 decimal digits, found \"{}\"",
                    name,
                    Escaped::unless_secret(text)
                )
            })?;
            Ok(Some(Time { text, at }))
        };
        Ok(Parameters {
            key_id,
            signature_text,
            signature,
            algorithm: self.algorithm,
            created: time("created", self.created)?,
            expires: time("expires", self.expires)?,
            headers: self.headers,
        })
    }
}

const BLANK: [char; 2] = [' ', '\t'];

static NAME_BYTES: ByteSet =
    ByteSet::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

static VALUE_BYTES: ByteSet = ByteSet::of(
    b" !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~",
);

static DIGITS: ByteSet = ByteSet::of(b"0123456789");

/// Splits the first parameter into name, value and the rest after it.
fn one(text: &str) -> Result<(&str, &str, &str), Reason> {
    let (name, behind) = NAME_BYTES.split(text);
    let Some(value) = behind.strip_prefix('=').filter(|_| !name.is_empty()) else {
        return Err(reason!(
            "signature parameters: expected a name and =, found {} characters without them",
            text.len()
        ));
    };
    let no_value = || {
        reason!(
            "parameter {}: expected visible ASCII in quotes without \\, found something else",
            Escaped::unless_secret(name)
        )
    };
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, behind) = VALUE_BYTES.split(quoted);
        let behind = behind.strip_prefix('"').ok_or_else(no_value)?;
        return Ok((name, value, behind));
    }
    match DIGITS.split(value) {
        (digits, behind) if !digits.is_empty() && matches!(name, "created" | "expires") => {
            Ok((name, digits, behind))
        }
        _ => Err(no_value()),
    }
}

#[cold]
fn unknown(name: &str, dialect: &Dialect) -> Reason {
    reason!(
        "signature parameters: expected {}, algorithm, created, expires, headers or signature, \
         found \"{}\"",
        dialect.key_id,
        Escaped::unless_secret(name)
    )
}

#[cold]
fn not_parted(name: &str) -> Reason {
    reason!(
        "signature parameters: expected a comma after {}, found something else",
        Escaped::unless_secret(name)
    )
}

#[cfg(test)]
mod tests {
    use super::{
        super::dialect::{DRAFT, KONG, TYK},
        *,
    };

    const GOOD: &str = r#"keyId="a b",algorithm="hs2019",created=12,expires="34",headers="host date",signature="AAAA""#;

    fn is_read(text: &str) -> bool {
        Parameters::parse(text, &DRAFT).is_ok()
    }

    #[test]
    fn reads_every_parameter_in_any_order() {
        let mut parameters: Vec<&str> = GOOD.split(',').collect();
        for _ in 0..parameters.len() {
            parameters.rotate_left(1);
            for separator in [",", ", ", " ,\t"] {
                let text = parameters.join(separator);
                let read = Parameters::parse(&text, &DRAFT).unwrap();
                assert_eq!(read.key_id, "a b");
                assert_eq!(read.algorithm, Some("hs2019"));
                assert_eq!(read.created.unwrap().text, "12");
                assert_eq!(read.expires.unwrap().at, Timestamp::from_unix_seconds(34));
                assert_eq!(read.headers, Some("host date"));
                assert_eq!(&*read.signature, [0, 0, 0]);
                assert_eq!(read.signature_text, "AAAA");
                assert_eq!(
                    Parameters::asserted_key_id(&text, &DRAFT),
                    Some("a b"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn refuses_each_parameter_twice() {
        for parameter in GOOD.split(',') {
            let twice = [GOOD, ",", parameter].concat();
            let refused = Parameters::parse(&twice, &DRAFT).unwrap_err().to_string();
            assert!(refused.contains("twice"), "{refused}");
        }
    }

    #[test]
    fn refuses_what_is_no_list_of_known_parameters() {
        assert!(is_read(GOOD));
        for (name, text) in [
            ("empty", String::new()),
            ("no keyId", GOOD.replace("keyId=\"a b\",", "")),
            ("no signature", GOOD.replace(",signature=\"AAAA\"", "")),
            ("an unknown one", [GOOD, ",realm=\"x\""].concat()),
            ("another case", GOOD.replace("keyId", "keyid")),
            ("Kong's name", GOOD.replace("keyId", "username")),
            ("a comma at the end", [GOOD, ","].concat()),
            ("a comma in front", [",", GOOD].concat()),
            ("no comma", GOOD.replace("\",algo", "\" algo")),
            ("a blank around =", GOOD.replace("keyId=", "keyId =")),
            ("no quotes", GOOD.replace("\"hs2019\"", "hs2019")),
            ("an open quote", GOOD.trim_end_matches('"').to_owned()),
            ("an escape", GOOD.replace("a b", "a\\\"b")),
            ("a tab", GOOD.replace("a b", "a\tb")),
            ("a letter beyond ASCII", GOOD.replace("a b", "é")),
            ("a fraction", GOOD.replace("created=12", "created=12.5")),
            ("a sign", GOOD.replace("created=12", "created=-12")),
            ("an empty time", GOOD.replace("\"34\"", "\"\"")),
            ("13 digits", GOOD.replace("12,", "1234567890123,")),
            ("no padding", GOOD.replace("AAAA", "AAA")),
            ("loose bits", GOOD.replace("AAAA", "AB==")),
            ("base64url", GOOD.replace("AAAA", "__--")),
            ("no bytes", GOOD.replace("AAAA", "")),
            ("too many bytes", GOOD.replace("AAAA", &"A".repeat(1368))),
        ] {
            assert_ne!(text, GOOD, "{name}");
            assert!(!is_read(&text), "{name}: {text}");
        }
    }

    #[test]
    fn a_dialect_names_the_key_and_writes_the_signature() {
        let kong = r#"username="alice", algorithm="hmac-sha256", headers="date", signature="AAAA""#;
        assert_eq!(Parameters::parse(kong, &KONG).unwrap().key_id, "alice");
        assert!(Parameters::parse(kong, &DRAFT).is_err());
        for (text, expected) in [
            ("%2BA%3D%3D", Some(&[248][..])),
            ("%2F%2F8%3D", Some(&[255, 255])),
            ("%2bA%3d%3d", None),
            ("+A==", None),
            ("%2BA==", None),
            ("%41AAA", None),
            ("%2", None),
        ] {
            let text = format!("keyId=\"a\",signature=\"{text}\"");
            let read = Parameters::parse(&text, &TYK).ok();
            assert_eq!(
                read.as_ref().map(|read| &*read.signature),
                expected,
                "{text}"
            );
        }
        for bytes in [&[248][..], &[255, 255], &[0; 32]] {
            for form in [SignatureText::Base64, SignatureText::UrlEncoded] {
                let decoded = decode(&encode(bytes, form), form);
                assert_eq!(decoded.as_deref(), Some(bytes));
            }
        }
    }

    #[test]
    fn no_refusal_shows_a_signature() {
        let signature = "q".repeat(44);
        for text in [
            format!("{signature}=\"\""),
            format!("keyId=\"a\",signature=\"{signature}!\""),
            format!("keyId=\"a\",created=\"{signature}\",signature=\"AAAA\""),
        ] {
            let refused = Parameters::parse(&text, &DRAFT).unwrap_err().to_string();
            assert!(!refused.contains("qqqq"), "{refused}");
        }
    }
}
