use super::{Change, Subject, Variations};
use crate::{
    diagnose::{cause::Cause, text_lines::TextEdit},
    payload::PayloadDigest,
    scheme::Scheme,
};

/// The largest body that is tried in other forms, in bytes.
const MAX_LEN: usize = 1024 * 1024;

/// Adds other forms of the body, and its hash in other encodings.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    let body = subject.body.filter(|body| body.len() <= MAX_LEN);
    for (cause, detail, other) in forms_of(body) {
        found.add(cause, detail, Change::Body(other));
    }
    if let (Some(prefix), Some(body)) = (subject.prefix, body) {
        add_layouts(subject.scheme, prefix, body, found);
    }
    add_hashes(subject, body, found);
}

/// Returns other bodies that may have been signed.
pub(in crate::diagnose) fn forms_of(body: Option<&[u8]>) -> Vec<(Cause, &'static str, Vec<u8>)> {
    let mut found = vec![(Cause::BodyHashedAsEmpty, "signed body: empty", Vec::new())];
    let Some(body) = body else { return found };
    let ends: [(&[u8], &'static str); 2] = [
        (b"\n", "signed body: with a line feed at its end"),
        (b"\r\n", "signed body: with CRLF at its end"),
    ];
    for (end, detail) in ends {
        found.push((Cause::BodyLineEnd, detail, [body, end].concat()));
    }
    found.push((
        Cause::BodyLineEnd,
        "signed body: without white space at its end",
        body.trim_ascii_end().to_vec(),
    ));
    if let Some(without) = body.strip_suffix(b"\n") {
        let detail = "signed body: without the line feed at its end";
        found.push((Cause::BodyLineEnd, detail, without.to_vec()));
    }
    if let Ok(text) = str::from_utf8(body) {
        let unix = text.replace("\r\n", "\n");
        let windows = unix.replace('\n', "\r\n");
        found.push((
            Cause::BodyLineEnds,
            "signed body: with LF for CRLF",
            unix.into_bytes(),
        ));
        found.push((
            Cause::BodyLineEnds,
            "signed body: with CRLF for LF",
            windows.into_bytes(),
        ));
        for (detail, other) in json_forms(text) {
            found.push((Cause::BodyReserialized, detail, other.into_bytes()));
        }
    }
    found.retain(|(_, _, other)| other != body);
    found
}

/// Returns the same JSON with other white space, and with sorted members.
fn json_forms(text: &str) -> Vec<(&'static str, String)> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else {
        return Vec::new();
    };
    if !(value.is_object() || value.is_array()) {
        return Vec::new();
    }
    let compact = spaced(text, "", "");
    let mut found = vec![
        ("signed body: the JSON without white space", compact),
        (
            "signed body: the JSON with a space after each comma and colon",
            spaced(text, " ", " "),
        ),
        (
            "signed body: the JSON with a space after each colon",
            spaced(text, "", " "),
        ),
        (
            "signed body: the JSON with sorted members",
            value.to_string(),
        ),
        (
            "signed body: the JSON with sorted members and spaces",
            spaced(&value.to_string(), " ", " "),
        ),
    ];
    if let Ok(pretty) = serde_json::to_string_pretty(&value) {
        found.push((
            "signed body: the JSON with sorted members, indented",
            pretty,
        ));
    }
    found
}

/// Returns JSON with this white space after commas and colons, and no other.
fn spaced(json: &str, after_comma: &str, after_colon: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut in_string = false;
    let mut is_escaped = false;
    for c in json.chars() {
        if in_string {
            text.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => {}
            ',' => text.extend([",", after_comma]),
            ':' => text.extend([":", after_colon]),
            _ => {
                in_string = c == '"';
                text.push(c);
            }
        }
    }
    text
}

/// Adds other layouts of a text that holds the body.
fn add_layouts(scheme: Scheme, prefix: &[u8], body: &[u8], found: &mut Variations) {
    let bare = prefix.strip_suffix(b".").unwrap_or(prefix);
    let timestamp = bare.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let mut layouts: Vec<(&'static str, Vec<u8>)> = vec![
        ("signed text: the body alone", body.to_vec()),
        (
            "signed text: without the dot before the body",
            [bare, body].concat(),
        ),
        (
            "signed text: a line feed before the body",
            [bare, b"\n", body].concat(),
        ),
        (
            "signed text: a colon before the body",
            [bare, b":", body].concat(),
        ),
        (
            "signed text: body, dot, timestamp",
            [body, b".", timestamp].concat(),
        ),
        (
            "signed text: body, then timestamp",
            [body, timestamp].concat(),
        ),
        ("signed text: without the body", bare.to_vec()),
    ];
    if scheme == Scheme::StandardWebhooks {
        layouts.push((
            "signed text: without the id",
            [timestamp, b".", body].concat(),
        ));
    }
    for (detail, bytes) in layouts {
        found.add(Cause::TextForm, detail, Change::Bytes(bytes));
    }
    let with_end = [prefix, body, b"\n"].concat();
    let detail = "signed text: with a line feed at its end";
    found.add(Cause::BodyLineEnd, detail, Change::Bytes(with_end));
}

/// Adds other hashes in place of the declared one.
fn add_hashes(subject: &Subject<'_>, body: Option<&[u8]>, found: &mut Variations) {
    let Some(lines) = subject.lines() else { return };
    let names = ["x-content-sha256", "x-amz-content-sha256"];
    let declared = names.iter().find_map(|name| {
        let text = subject.head.text_of(&http::HeaderName::from_static(name))?;
        Some(text.to_owned())
    });
    let declared = declared.or_else(|| {
        let (_, last) = lines.text.rsplit_once('\n')?;
        (subject.scheme == Scheme::SigV4).then(|| last.to_owned())
    });
    let Some(declared) = declared.filter(|declared| declared.len() >= 16) else {
        return;
    };
    let mut replace = |cause, detail: &str, hash: &str| {
        let edit = TextEdit::Piece {
            from: declared.clone(),
            to: hash.to_owned(),
        };
        found.text(cause, detail, edit);
    };
    let empty = PayloadDigest::OF_NOTHING.to_string();
    replace(
        Cause::BodyHashedAsEmpty,
        "signed hash: that of an empty body",
        &empty,
    );
    if let Some(body) = body {
        let hash = PayloadDigest::of(body).to_string();
        replace(
            Cause::OtherBody,
            "signed hash: that of the body which arrived",
            &hash,
        );
    }
    for (cause, detail, other) in forms_of(body) {
        replace(cause, detail, &PayloadDigest::of(&other).to_string());
    }
    let upper = declared.to_ascii_uppercase();
    let form = Cause::ContentHashForm;
    replace(form, "signed hash: in upper-case digits", &upper);
    let mut digest = [0; 32];
    if let Ok(digest) = base16ct::mixed::decode(&declared, &mut digest) {
        use base64ct::{Base64, Encoding as _};
        replace(
            form,
            "signed hash: as Base64",
            &Base64::encode_string(digest),
        );
    }
    for (detail, text) in [
        ("signed hash: UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD"),
        ("signed hash: none", ""),
    ] {
        found.text(form, detail, TextEdit::Last(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_in_the_white_space_of_other_writers() {
        let text = "{ \"b\": [1,2],\n\"a\" : \"x, \\\": y\" }";
        assert_eq!(spaced(text, "", ""), "{\"b\":[1,2],\"a\":\"x, \\\": y\"}");
        assert_eq!(
            spaced(text, " ", " "),
            "{\"b\": [1, 2], \"a\": \"x, \\\": y\"}"
        );
        assert!(json_forms("7").is_empty());
        assert!(json_forms("{").is_empty());
    }
}
