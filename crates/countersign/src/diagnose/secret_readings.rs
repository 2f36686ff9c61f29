//! Other keys that the text of one secret can be read as.

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::cause::Cause;
use crate::{crypto::constant_time_eq, key::Secret};

/// The bytes of a key. Wiped on drop.
type Bytes = Zeroizing<Vec<u8>>;

/// The greatest length of a secret that is read in other ways, in bytes.
const MAX_LEN: usize = 1024;

/// Returns every other reading of a secret and its description. None equals the secret itself, and
/// none occurs twice.
pub(super) fn of(secret: &Secret) -> Vec<(Cause, &'static str, Secret)> {
    let loaded = secret.expose();
    if loaded.is_empty() || loaded.len() > MAX_LEN {
        return Vec::new();
    }
    let mut readings = Readings {
        loaded,
        found: Vec::new(),
    };
    // The other side did not decode: its key is a text of these bytes.
    let lower = Zeroizing::new(base16ct::lower::encode_string(loaded));
    let upper = Zeroizing::new(base16ct::upper::encode_string(loaded));
    let padded = Zeroizing::new(Base64::encode_string(loaded));
    let unpadded = Zeroizing::new(Base64Unpadded::encode_string(loaded));
    let url = Zeroizing::new(Base64Url::encode_string(loaded));
    let url_unpadded = Zeroizing::new(Base64UrlUnpadded::encode_string(loaded));
    let texts: [(&'static str, &Zeroizing<String>); 6] = [
        ("the hexadecimal digits of the secret, as text", &lower),
        (
            "the upper-case hexadecimal digits of the secret, as text",
            &upper,
        ),
        ("the Base64 of the secret, as text", &padded),
        ("the unpadded Base64 of the secret, as text", &unpadded),
        ("the URL-safe Base64 of the secret, as text", &url),
        (
            "the unpadded URL-safe Base64 of the secret, as text",
            &url_unpadded,
        ),
    ];
    for (detail, text) in &texts {
        readings.add(Cause::SecretAsText, detail, text.as_bytes().to_vec());
    }
    // The other side decoded a text that was loaded undecoded, or in another encoding.
    if let Ok(text) = str::from_utf8(loaded) {
        readings.add_decoded("the secret", text.trim());
    }
    readings.add_decoded("the Base64 of the secret", &unpadded);
    readings.add_decoded("the hexadecimal digits of the secret", &lower);
    // White space at the ends, on either side.
    readings.add(
        Cause::SecretLineEnd,
        "the secret without white space at its ends",
        loaded.trim_ascii().to_vec(),
    );
    let ends: [(&'static str, &[u8]); 3] = [
        ("the secret with a line feed at its end", b"\n"),
        ("the secret with CRLF at its end", b"\r\n"),
        ("the secret with a space at its end", b" "),
    ];
    for (detail, end) in ends {
        readings.add(Cause::SecretLineEnd, detail, [loaded, end].concat());
    }
    for (_, text) in &texts {
        let with_end = [text.as_bytes(), b"\n"].concat();
        let detail = "the text of the secret with a line feed at its end";
        readings.add(Cause::SecretLineEnd, detail, with_end);
    }
    // Prefixes of the schemes.
    for prefix in ["whsec_", "AWS4"] {
        let detail = "the secret with its prefix";
        let with = [prefix.as_bytes(), loaded].concat();
        readings.add(Cause::SecretPrefix, detail, with);
        let with = [prefix.as_bytes(), padded.as_bytes()].concat();
        readings.add(
            Cause::SecretPrefix,
            "the text of the secret with its prefix",
            with,
        );
        if let Some(without) = loaded.strip_prefix(prefix.as_bytes()) {
            let detail = "the secret without its prefix";
            readings.add(Cause::SecretPrefix, detail, without.to_vec());
        }
    }
    if let Some(text) = loaded.strip_prefix(b"whsec_")
        && let Ok(text) = str::from_utf8(text)
    {
        readings.add_decoded("the secret without its prefix", text);
    }
    let found = readings.found.iter();
    found
        .map(|(cause, detail, bytes)| (*cause, *detail, Secret::from_bytes(bytes)))
        .collect()
}

struct Readings<'s> {
    loaded: &'s [u8],
    found: Vec<(Cause, &'static str, Bytes)>,
}

impl Readings<'_> {
    fn add(&mut self, cause: Cause, detail: &'static str, bytes: Vec<u8>) {
        let bytes = Zeroizing::new(bytes);
        let is_known = |known: &[u8]| constant_time_eq(known, &bytes);
        let mut found = self.found.iter();
        if !(bytes.is_empty()
            || is_known(self.loaded)
            || found.any(|(_, _, known)| is_known(known)))
        {
            self.found.push((cause, detail, bytes));
        }
    }

    fn add_decoded(&mut self, what: &'static str, text: &str) {
        let details = match what {
            "the secret" => (
                "the secret, decoded from hexadecimal digits",
                "the secret, decoded from Base64",
            ),
            "the secret without its prefix" => (
                "the secret without its prefix, decoded from hexadecimal digits",
                "the secret without its prefix, decoded from Base64",
            ),
            _ => (
                "the text of the secret, decoded from hexadecimal digits",
                "the text of the secret, decoded from Base64",
            ),
        };
        let mut bytes = Zeroizing::new(vec![0; text.len()]);
        if let Ok(decoded) = base16ct::mixed::decode(text, &mut bytes) {
            let decoded = decoded.to_vec();
            self.add(Cause::SecretAsHex, details.0, decoded);
        }
        let unpadded = text.trim_end_matches('=');
        for decode in [Base64Unpadded::decode, Base64UrlUnpadded::decode] {
            let mut bytes = Zeroizing::new(vec![0; text.len()]);
            if let Ok(decoded) = decode(unpadded, &mut bytes) {
                let decoded = decoded.to_vec();
                self.add(Cause::SecretAsBase64, details.1, decoded);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes_of(loaded: &[u8], used: &[u8]) -> Vec<Cause> {
        of(&Secret::from_bytes(loaded))
            .into_iter()
            .filter(|(_, _, reading)| reading.expose() == used)
            .map(|(cause, _, _)| cause)
            .collect()
    }

    #[test]
    fn one_text_is_read_in_every_known_way() {
        let bytes = [0xab; 32];
        let hex = "ab".repeat(32);
        let base64 = Base64::encode_string(&bytes);
        let webhook = format!("whsec_{base64}");
        // 64 hexadecimal digits are also the Base64 of 48 bytes.
        let as_base64 = Base64::decode_vec(&hex).unwrap();
        for (name, loaded, used, cause) in [
            (
                "hex left as text",
                &bytes[..],
                hex.as_bytes(),
                Cause::SecretAsText,
            ),
            (
                "upper-case hex left as text",
                &bytes,
                hex.to_uppercase().as_bytes(),
                Cause::SecretAsText,
            ),
            (
                "Base64 left as text",
                &bytes,
                base64.as_bytes(),
                Cause::SecretAsText,
            ),
            (
                "hex decoded there",
                hex.as_bytes(),
                &bytes,
                Cause::SecretAsHex,
            ),
            (
                "Base64 decoded there",
                base64.as_bytes(),
                &bytes,
                Cause::SecretAsBase64,
            ),
            (
                "hex here, Base64 there",
                &bytes,
                &as_base64,
                Cause::SecretAsBase64,
            ),
            (
                "Base64 here, hex there",
                &as_base64,
                &bytes,
                Cause::SecretAsHex,
            ),
            (
                "line end there",
                b"secret",
                b"secret\n",
                Cause::SecretLineEnd,
            ),
            (
                "line end here",
                b"secret\r\n",
                b"secret",
                Cause::SecretLineEnd,
            ),
            (
                "line end of the text there",
                &bytes,
                format!("{hex}\n").as_bytes(),
                Cause::SecretLineEnd,
            ),
            (
                "prefix there",
                b"secret",
                b"AWS4secret",
                Cause::SecretPrefix,
            ),
            (
                "webhook text there",
                &bytes,
                webhook.as_bytes(),
                Cause::SecretPrefix,
            ),
            (
                "webhook text here",
                webhook.as_bytes(),
                &bytes,
                Cause::SecretAsBase64,
            ),
        ] {
            assert_eq!(causes_of(loaded, used), [cause], "{name}");
        }
        assert!(causes_of(&bytes, &bytes).is_empty(), "the secret itself");
        assert!(of(&Secret::from_bytes(&[])).is_empty());
        assert!(of(&Secret::from_bytes(&[1; MAX_LEN + 1])).is_empty());
    }
}
