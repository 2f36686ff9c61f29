use super::credential_scope::Credential;
use crate::{
    error::{Rejection, reason},
    wire::{
        hex::{self, Letters},
        missing_parameters, unknown_parameter, until_comma, until_space,
    },
};

/// The value of the `Authorization` header.
///
/// ```text
/// value     = "AWS4-HMAC-SHA256" [ "," ] 1*SP parameter 2( separator parameter )
/// separator = *( SP / HTAB ) "," *( SP / HTAB ) / 1*( SP / HTAB )
/// parameter = "Credential=" credential / "SignedHeaders=" list / "Signature=" 64HEXDIG-lower-case
/// ```
///
/// Accepts the parameters in any order, each exactly once and no others. AWS writes a comma and a
/// space between them.
/// AWS also accepts either alone, and a comma after the scheme name; some clients send each form.
/// No value can hold a comma or a space, so every form has one reading.
#[derive(Clone, Debug)]
pub(super) struct Authorization<'r> {
    pub(super) credential: Credential<'r>,
    pub(super) signed_headers: &'r str,
    pub(super) signature: Signature,
}

/// A decoded signature. Only a key can compare it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature(pub(super) [u8; 32]);

impl Signature {
    /// Accepts lower-case digits only, as every signer writes them and AWS reads them.
    pub(super) fn parse(text: &str) -> Result<Self, Rejection> {
        hex::decode(text, Letters::Lower).map(Self).ok_or_else(|| {
            Rejection::malformed(reason!(
                "signature: expected 64 lower-case hexadecimal digits, found {} characters, {} \
                     of them others",
                text.len(),
                hex::others(text)
            ))
        })
    }
}

impl<'r> Authorization<'r> {
    /// Parses the text after the scheme name and its space.
    pub(super) fn parse(parameters: &'r str) -> Result<Self, Rejection> {
        let mut slots = [None; 3];
        let [credential, signed_headers, signature] = &mut slots;
        let mut rest = Some(parameters);
        while let Some(text) = rest {
            let (name, slot, value) = if let Some(value) = text.strip_prefix("Credential=") {
                ("Credential", &mut *credential, value)
            } else if let Some(value) = text.strip_prefix("SignedHeaders=") {
                ("SignedHeaders", &mut *signed_headers, value)
            } else if let Some(value) = text.strip_prefix("Signature=") {
                ("Signature", &mut *signature, value)
            } else {
                return Err(Rejection::malformed(unknown_parameter(
                    "Credential=, SignedHeaders= or Signature=",
                    text,
                )));
            };
            let (value, behind) = until_separator(value);
            rest = behind;
            if slot.replace(value).is_some() {
                return Err(Rejection::malformed(reason!(
                    "authorization: expected each parameter once, found {} twice",
                    name
                )));
            }
        }
        let [Some(credential), Some(signed_headers), Some(signature)] = slots else {
            let names = ["Credential", "SignedHeaders", "Signature"];
            let mut missing = [None; 3];
            for ((missing, name), slot) in missing.iter_mut().zip(names).zip(slots) {
                *missing = slot.is_none().then_some(name);
            }
            return Err(Rejection::malformed(missing_parameters(&missing)));
        };
        Ok(Self {
            credential: Credential::parse(credential)?,
            signed_headers,
            signature: Signature::parse(signature)?,
        })
    }
}

/// Splits off a value at its separator and returns the rest; `None` if there is no separator.
fn until_separator(text: &str) -> (&str, Option<&str>) {
    const SPACE: [char; 2] = [' ', '\t'];
    let (value, _) = until_comma(text);
    let (value, _) = until_space(value);
    let behind = text.get(value.len()..).unwrap_or_default();
    if behind.is_empty() {
        return (value, None);
    }
    let behind = behind.trim_start_matches(SPACE);
    let behind = behind.strip_prefix(',').unwrap_or(behind);
    (value, Some(behind.trim_start_matches(SPACE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RejectionKind;

    const CREDENTIAL: &str = "AKID/20150830/us-east-1/service/aws4_request";
    const HEX: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    #[test]
    fn takes_parameters_in_any_order_with_every_separator_that_aws_takes() {
        for parameters in [
            format!("Credential={CREDENTIAL}, SignedHeaders=host, Signature={HEX}"),
            format!("Credential={CREDENTIAL},SignedHeaders=host,Signature={HEX}"),
            format!("Signature={HEX},\t Credential={CREDENTIAL},  SignedHeaders=host"),
            format!("Credential={CREDENTIAL} SignedHeaders=host Signature={HEX}"),
            format!("Credential={CREDENTIAL} SignedHeaders=host, Signature={HEX}"),
            format!("Credential={CREDENTIAL},SignedHeaders=host\tSignature={HEX}"),
            format!("Credential={CREDENTIAL} , SignedHeaders=host ,Signature={HEX}"),
        ] {
            let found = Authorization::parse(&parameters).unwrap();
            assert_eq!(found.credential.access_key_id, "AKID");
            assert_eq!(found.signed_headers, "host");
            assert_eq!(found.signature.0[..2], [0x5f, 0xa0]);
        }
    }

    #[test]
    fn refuses_everything_else() {
        let start = format!("Credential={CREDENTIAL}, SignedHeaders=host");
        for (name, parameters) in [
            ("nothing", String::new()),
            ("no signature", start.clone()),
            ("empty signature", format!("{start}, Signature=")),
            (
                "short signature",
                format!("{start}, Signature={}", &HEX[1..]),
            ),
            ("even prefix", format!("{start}, Signature={}", &HEX[2..])),
            ("long signature", format!("{start}, Signature={HEX}0")),
            ("hex and more", format!("{start}, Signature={HEX}zz")),
            (
                "upper case",
                format!("{start}, Signature={}", HEX.to_uppercase()),
            ),
            ("not hex", format!("{start}, Signature={}", "g".repeat(64))),
            ("quoted", format!("{start}, Signature=\"{HEX}\"")),
            (
                "no credential",
                format!("SignedHeaders=host, Signature={HEX}"),
            ),
            (
                "no list",
                format!("Credential={CREDENTIAL}, Signature={HEX}"),
            ),
            (
                "signature twice",
                format!("{start}, Signature={HEX}, Signature={HEX}"),
            ),
            ("another", format!("{start}, Signature={HEX}, Extra=1")),
            ("lower-case name", format!("{start}, signature={HEX}")),
            ("trailing comma", format!("{start}, Signature={HEX},")),
            ("leading space", format!(" {start}, Signature={HEX}")),
            ("trailing space", format!("{start}, Signature={HEX} ")),
            (
                "two commas",
                start.replace(',', ",,") + ", Signature=" + HEX,
            ),
            (
                "two commas with a space between them",
                start.replace(',', ", ,") + ", Signature=" + HEX,
            ),
            (
                "a line break",
                start.replace(',', "\n") + ", Signature=" + HEX,
            ),
            ("space around equals", format!("{start}, Signature= {HEX}")),
            ("semicolons", start.replace(',', ";") + "; Signature=" + HEX),
            (
                "bad credential",
                format!("Credential=bad, SignedHeaders=host, Signature={HEX}"),
            ),
        ] {
            let kind = Authorization::parse(&parameters).map_err(|rejection| rejection.kind());
            assert_eq!(kind.unwrap_err(), RejectionKind::Malformed, "{name}");
        }
    }
}
