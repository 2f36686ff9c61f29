use crate::{
    error::{Escaped, Rejection, reason},
    key_id::KeyId,
    scheme::{Algorithm, Scheme},
    wire::{
        hex::{self, Letters},
        missing_parameters, unknown_parameter, until_comma,
    },
};

/// The value of the `Authorization` header.
///
/// ```text
/// value     = scheme SP parameter 2( "," OWS parameter )
/// parameter = "credential=" name / "signed-headers=" list / "signature=" hex
/// OWS       = *( SP / HTAB )
/// ```
///
/// Accepts the parameters in any order, each exactly once and no others. A value ends at the next
/// comma and holds no `=`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authorization<'r> {
    pub(super) credential: &'r str,
    pub(super) signed_headers: &'r str,
    pub(super) signature: Signature,
}

/// A decoded signature. Only a key can compare it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signature {
    HmacSha256([u8; 32]),
    Ed25519([u8; 64]),
}

impl Signature {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::HmacSha256(bytes) => bytes,
            Self::Ed25519(bytes) => bytes,
        }
    }

    /// Decodes the scheme's number of hexadecimal digits, in either case. Returns the rest after
    /// them.
    #[inline]
    fn parse(scheme: Scheme, text: &str) -> Option<(Self, &str)> {
        // Each of the two schemes has one algorithm.
        let algorithm = scheme.definition().algorithms.first()?;
        let digits = match algorithm {
            Algorithm::Ed25519 => 128,
            _ => 64,
        };
        let (digits, rest) = text.split_at_checked(digits)?;
        let signature = match algorithm {
            Algorithm::Ed25519 => Self::Ed25519(hex::decode(digits, Letters::Mixed)?),
            _ => Self::HmacSha256(hex::decode(digits, Letters::Mixed)?),
        };
        Some((signature, rest))
    }
}

impl<'r> Authorization<'r> {
    /// Parses the text after the scheme name and its space.
    #[inline]
    pub(super) fn parse(scheme: Scheme, parameters: &'r str) -> Result<Self, Rejection> {
        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        let mut rest = parameters;
        loop {
            let (name, again, behind) = if let Some(text) = rest.strip_prefix("credential=") {
                let (value, behind) = until_comma(text);
                ("credential", credential.replace(value).is_some(), behind)
            } else if let Some(text) = rest.strip_prefix("signed-headers=") {
                let (value, behind) = until_comma(text);
                (
                    "signed-headers",
                    signed_headers.replace(value).is_some(),
                    behind,
                )
            } else if let Some(text) = rest.strip_prefix("signature=") {
                let (value, behind) =
                    Signature::parse(scheme, text).ok_or_else(|| no_signature(scheme, text))?;
                ("signature", signature.replace(value).is_some(), behind)
            } else {
                return Err(Rejection::malformed(unknown_parameter(
                    "credential=, signed-headers= or signature=",
                    rest,
                )));
            };
            if again {
                return Err(Rejection::malformed(reason!(
                    "authorization: expected each parameter once, found {} twice",
                    name
                )));
            }
            if behind.is_empty() {
                break;
            }
            rest = behind
                .strip_prefix(',')
                .ok_or_else(|| {
                    Rejection::malformed(reason!(
                        "authorization: expected a comma or the end after {}, found something else",
                        name
                    ))
                })?
                .trim_start_matches([' ', '\t']);
        }
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            let missing = [
                credential.is_none().then_some("credential"),
                signed_headers.is_none().then_some("signed-headers"),
                signature.is_none().then_some("signature"),
            ];
            return Err(Rejection::malformed(missing_parameters(&missing)));
        };
        if !KeyId::is_valid(credential) {
            return Err(Rejection::malformed(reason!(
                "authorization: expected credential to be 1 to 128 visible ASCII characters \
                 without = , and ;, found \"{}\"",
                Escaped::unless_secret(credential)
            )));
        }
        Ok(Self {
            credential,
            signed_headers,
            signature,
        })
    }
}

/// Returns the reason for a malformed signature. Never shows its text.
#[cold]
fn no_signature(scheme: Scheme, text: &str) -> Rejection {
    let digits = match scheme.definition().algorithms.first() {
        Some(Algorithm::Ed25519) => 128_usize,
        _ => 64,
    };
    let (found, _) = until_comma(text);
    let other = found.bytes().filter(|byte| !byte.is_ascii_hexdigit());
    Rejection::malformed(reason!(
        "authorization: expected signature to be {} hexadecimal digits, found {} characters, {} of \
         them others",
        digits,
        found.len(),
        other.count()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RejectionKind;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";

    fn parse(parameters: &str) -> Result<Authorization<'_>, RejectionKind> {
        Authorization::parse(Scheme::HmacSha256, parameters).map_err(|rejection| rejection.kind())
    }

    #[test]
    fn takes_parameters_in_any_order_with_spaces_and_tabs_behind_commas() {
        let mut expected = [0; 32];
        for (to, from) in expected.iter_mut().zip(0..) {
            *to = from;
        }
        for parameters in [
            format!("credential=a, signed-headers=host, signature={HEX}"),
            format!("credential=a,signed-headers=host,signature={HEX}"),
            format!("signature={HEX},\t credential=a,  signed-headers=host"),
            format!(
                "signed-headers=host, signature={}, credential=a",
                HEX.to_uppercase()
            ),
        ] {
            let found = parse(&parameters).unwrap();
            assert_eq!(found.credential, "a");
            assert_eq!(found.signed_headers, "host");
            assert_eq!(found.signature.as_bytes(), expected);
        }
    }

    #[test]
    fn refuses_everything_else() {
        for (name, parameters) in [
            ("nothing", String::new()),
            ("no signature", "credential=a, signed-headers=host".into()),
            (
                "empty signature",
                "credential=a, signed-headers=host, signature=".into(),
            ),
            (
                "prefix of a signature",
                format!(
                    "credential=a, signed-headers=host, signature={}",
                    &HEX[..62]
                ),
            ),
            (
                "one digit",
                "credential=a, signed-headers=host, signature=0".into(),
            ),
            (
                "one digit too many",
                format!("credential=a, signed-headers=host, signature={HEX}0"),
            ),
            (
                "hex and more",
                format!("credential=a, signed-headers=host, signature={HEX}zz"),
            ),
            (
                "two signatures long",
                format!("credential=a, signed-headers=host, signature={HEX}{HEX}"),
            ),
            (
                "not hex",
                format!(
                    "credential=a, signed-headers=host, signature={}",
                    "g".repeat(64)
                ),
            ),
            (
                "quoted",
                format!("credential=\"a\", signed-headers=host, signature={HEX}"),
            ),
            (
                "empty credential",
                format!("credential=, signed-headers=host, signature={HEX}"),
            ),
            (
                "equals in credential",
                format!("credential=a=b, signed-headers=host, signature={HEX}"),
            ),
            (
                "comma in credential",
                format!("credential=a, b, signed-headers=host, signature={HEX}"),
            ),
            (
                "trailing comma",
                format!("credential=a, signed-headers=host, signature={HEX},"),
            ),
            (
                "leading comma",
                format!(",credential=a, signed-headers=host, signature={HEX}"),
            ),
            (
                "leading space",
                format!(" credential=a, signed-headers=host, signature={HEX}"),
            ),
            (
                "trailing space",
                format!("credential=a, signed-headers=host, signature={HEX} "),
            ),
            (
                "space before a comma",
                format!("credential=a , signed-headers=host, signature={HEX}"),
            ),
            (
                "space around equals",
                format!("credential =a, signed-headers=host, signature={HEX}"),
            ),
            (
                "unknown parameter",
                format!("credential=a, signed-headers=host, signature={HEX}, extra=1"),
            ),
            (
                "unknown instead of known",
                format!("key=a, signed-headers=host, signature={HEX}"),
            ),
            (
                "upper-case name",
                format!("Credential=a, signed-headers=host, signature={HEX}"),
            ),
            (
                "signature twice",
                format!("signature={HEX}, signed-headers=host, signature={HEX}"),
            ),
            (
                "credential twice",
                format!("credential=a, credential=b, signature={HEX}"),
            ),
            (
                "semicolons",
                format!("credential=a; signed-headers=host; signature={HEX}"),
            ),
        ] {
            assert_eq!(
                parse(&parameters).unwrap_err(),
                RejectionKind::Malformed,
                "{name}"
            );
        }
    }

    #[test]
    fn an_ed25519_signature_is_128_digits() {
        let text = |digits: &str| format!("credential=a, signed-headers=host, signature={digits}");
        let whole = text(&HEX.repeat(2));
        assert!(Authorization::parse(Scheme::Ed25519, &whole).is_ok());
        let half = text(HEX);
        assert!(Authorization::parse(Scheme::Ed25519, &half).is_err());
    }
}
