//! A request in the bytes of HTTP/1.1, and what its signature covers.

use http::{
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    request::Parts,
    uri::PathAndQuery,
};

/// A request that can be changed in ways that no HTTP library would send.
#[derive(Clone, Debug)]
pub(super) struct WireRequest {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

/// Where the signature of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `Authorization` with a list of covered headers: the native schemes.
    Native,
    /// `Authorization` or the query: AWS Signature Version 4.
    SigV4,
    /// `Signature-Input` and `Signature`: RFC 9421.
    MessageSignatures,
    /// A separate header, over the body: Standard Webhooks and DRF.
    Body,
}

impl WireRequest {
    /// Writes the head in HTTP/1.1 form. The host comes from the URI, if it is not a header.
    pub(super) fn of(parts: &Parts, body: &[u8]) -> Self {
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let mut headers = Vec::new();
        if let Some(authority) = parts.uri.authority()
            && !parts.headers.contains_key(HOST)
        {
            headers.push(("host".to_owned(), authority.as_str().as_bytes().to_vec()));
        }
        for (name, value) in &parts.headers {
            if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
                headers.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
            }
        }
        Self {
            method: parts.method.as_str().to_owned(),
            target: target.to_owned(),
            headers,
            body: body.to_vec(),
        }
    }

    /// Returns the bytes of the head, which announces a body of this length.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if length > 0 || !matches!(self.method.as_str(), "GET" | "HEAD" | "DELETE") {
            bytes.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// Returns the bytes of the whole request.
    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head(self.body.len()), self.body.clone()].concat()
    }

    /// Returns the family of the signature. `None` if there is none.
    pub(super) fn family(&self) -> Option<Family> {
        let has = |name: &str| self.header(name).is_some();
        let authorization = self.header("authorization").unwrap_or_default();
        if authorization.starts_with("AWS4-") || self.target.contains("X-Amz-Signature=") {
            Some(Family::SigV4)
        } else if authorization.contains("signed-headers=") {
            Some(Family::Native)
        } else if has("signature-input") && has("signature") {
            Some(Family::MessageSignatures)
        } else if ["webhook-signature", "svix-signature", "x-hmac-signature"]
            .map(has)
            .contains(&true)
        {
            Some(Family::Body)
        } else {
            None
        }
    }

    /// Returns the names of the headers that the signature covers, in lower case.
    pub(super) fn covered(&self) -> Vec<String> {
        let list = |text: &str, start: &str, end: char, separator: char| -> Vec<String> {
            let list = text.split_once(start).map_or("", |(_, rest)| rest);
            let list = list.split(end).next().unwrap_or_default();
            let names = list
                .split(separator)
                .map(|name| name.trim().to_ascii_lowercase());
            names.filter(|name| !name.is_empty()).collect()
        };
        let authorization = self.header("authorization").unwrap_or_default();
        match self.family() {
            Some(Family::Native) => list(&authorization, "signed-headers=", ',', ';'),
            Some(Family::SigV4) => {
                let target = self.target.replace("%3B", ";");
                let text = [&*authorization, &target].concat();
                let text = text.replace("X-Amz-SignedHeaders", "SignedHeaders");
                let text = text.replace('&', ",");
                list(&text, "SignedHeaders=", ',', ';')
            }
            Some(Family::MessageSignatures) => {
                let input = self.header("signature-input").unwrap_or_default();
                let names = list(&input, "(", ')', ' ').into_iter();
                let names =
                    names.map(|name| name.split(';').next().unwrap_or_default().replace('"', ""));
                names.filter(|name| !name.starts_with('@')).collect()
            }
            Some(Family::Body) => {
                let names = [
                    "webhook-id",
                    "webhook-timestamp",
                    "svix-id",
                    "svix-timestamp",
                    "x-hmac-timestamp",
                    "x-hmac-nonce",
                ];
                let names = names.iter().filter(|name| self.header(name).is_some());
                names.map(|name| (*name).to_owned()).collect()
            }
            None => Vec::new(),
        }
    }

    /// Returns the first value of a header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        String::from_utf8(value.clone()).ok()
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        for (known, old) in &mut self.headers {
            if known == name {
                value.as_bytes().clone_into(old);
            }
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.headers
            .push((name.to_owned(), value.as_bytes().to_vec()));
    }

    pub(super) fn add_first(&mut self, name: &str, value: &str) {
        self.headers
            .insert(0, (name.to_owned(), value.as_bytes().to_vec()));
    }

    /// Changes the text of the signature, wherever it is. Returns `None` if it is not found.
    pub(super) fn edit_signature(&mut self, edit: impl Fn(&str) -> String) -> Option<()> {
        if let Some((before, rest)) = self.target.split_once("X-Amz-Signature=") {
            let (text, after) = rest.split_at_checked(rest.find('&').unwrap_or(rest.len()))?;
            self.target = [before, "X-Amz-Signature=", &edit(text), after].concat();
            return Some(());
        }
        let name = self.signature_header()?;
        let value = self.header(name)?;
        let (start, end) = match name {
            "authorization" => {
                let at = value.to_ascii_lowercase().find(" signature=")?;
                let start = at.checked_add(" signature=".len())?;
                let rest = value.get(start..)?;
                let length = rest.find(',').unwrap_or(rest.len());
                (start, start.checked_add(length)?)
            }
            "signature" => {
                let start = value.find(':')?.checked_add(1)?;
                (start, start.checked_add(value.get(start..)?.find(':')?)?)
            }
            _ => (
                value.find(',').map_or(Some(0), |at| at.checked_add(1))?,
                value.len(),
            ),
        };
        let (before, text, after) = (
            value.get(..start)?,
            value.get(start..end)?,
            value.get(end..)?,
        );
        let value = [before, &edit(text), after].concat();
        self.set(name, &value);
        Some(())
    }

    /// Returns the header that holds the signature.
    pub(super) fn signature_header(&self) -> Option<&'static str> {
        let names = [
            "signature",
            "webhook-signature",
            "svix-signature",
            "x-hmac-signature",
            "authorization",
        ];
        names.into_iter().find(|name| self.header(name).is_some())
    }

    /// Returns path and query of the target.
    pub(super) fn path_and_query(&self) -> (&str, Option<&str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.target, None),
        }
    }
}

/// Replaces a letter or digit in the middle of a text by another one.
pub(super) fn with_another_character(text: &str) -> Option<String> {
    let middle = text.len() / 2;
    let at = |at: &usize| {
        let byte = text.as_bytes().get(*at);
        byte.is_some_and(u8::is_ascii_alphanumeric)
    };
    let found = (middle..text.len())
        .find(at)
        .or_else(|| (0..middle).rev().find(at))?;
    let other = match text.as_bytes().get(found)? {
        b'1' => "2",
        b'0'..=b'9' => "1",
        b'b' => "c",
        b'B' => "C",
        byte if byte.is_ascii_uppercase() => "B",
        _ => "b",
    };
    let (before, rest) = text.split_at_checked(found)?;
    Some([before, other, rest.get(1..)?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> WireRequest {
        let headers = headers.iter();
        WireRequest {
            method: "POST".to_owned(),
            target: "/a?b".to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: b"x".to_vec(),
        }
    }

    #[test]
    fn covered_headers_and_signature_are_found_in_every_family() {
        for (headers, family, covered, edited) in [
            (
                &[(
                    "authorization",
                    "HMAC-SHA256 credential=a, signed-headers=host;x-date, signature=ab",
                )][..],
                Family::Native,
                &["host", "x-date"][..],
                "HMAC-SHA256 credential=a, signed-headers=host;x-date, signature=[ab]",
            ),
            (
                &[(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x-amz-date, Signature=ab",
                )],
                Family::SigV4,
                &["host", "x-amz-date"],
                "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x-amz-date, Signature=[ab]",
            ),
            (
                &[
                    ("signature", "s=:ab:"),
                    ("signature-input", "s=(\"@path\" \"date\");created=1"),
                ],
                Family::MessageSignatures,
                &["date"],
                "s=:[ab]:",
            ),
            (
                &[("webhook-signature", "v1,ab"), ("webhook-id", "m")],
                Family::Body,
                &["webhook-id"],
                "v1,[ab]",
            ),
            (
                &[("x-hmac-signature", "ab"), ("x-hmac-timestamp", "1")],
                Family::Body,
                &["x-hmac-timestamp"],
                "[ab]",
            ),
        ] {
            let mut request = request(headers);
            assert_eq!(request.family(), Some(family));
            assert_eq!(request.covered(), covered);
            request.edit_signature(|text| format!("[{text}]")).unwrap();
            assert_eq!(request.header(headers[0].0).unwrap(), edited);
        }
        assert_eq!(request(&[("authorization", "Bearer x")]).family(), None);
    }

    #[test]
    fn the_signature_of_a_presigned_request_is_in_its_target() {
        let mut request = request(&[]);
        "/a?X-Amz-SignedHeaders=host%3Bx&X-Amz-Signature=ab&c".clone_into(&mut request.target);
        assert_eq!(request.covered(), ["host", "x"]);
        request.edit_signature(|text| format!("[{text}]")).unwrap();
        assert!(request.target.ends_with("X-Amz-Signature=[ab]&c"));
    }

    #[test]
    fn a_character_is_exchanged_for_another_of_its_kind() {
        for (text, other) in [
            ("abc", "acc"),
            ("a1", "a2"),
            ("XY", "XB"),
            ("a:b::", "b:b::"),
        ] {
            let found = with_another_character(text).unwrap();
            assert_ne!(found, text);
            assert_eq!(found.len(), other.len());
        }
        assert_eq!(with_another_character("::"), None);
    }
}
