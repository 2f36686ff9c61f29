use std::fmt;

use countersign::RequestHead;
use http::uri::PathAndQuery;
use serde::Serialize;

use crate::request::RecordedRequest;

/// The request in a few words. Everything but visible ASCII is escaped.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RequestSummary {
    form: &'static str,
    method: String,
    target: String,
    host: Option<String>,
    body_bytes: Option<usize>,
}

impl RequestSummary {
    pub(super) fn of(request: &RecordedRequest) -> Self {
        let parts = &request.parts;
        let target = parts.uri.path_and_query().map(PathAndQuery::as_str);
        let target = target.unwrap_or_default();
        let host = RequestHead::from(parts).authority().ok();
        Self {
            form: request.form.as_str(),
            method: visible(parts.method.as_str()),
            target: visible(&redacted(target)),
            host: host.map(visible),
            body_bytes: request.body.as_ref().map(bytes::Bytes::len),
        }
    }
}

impl fmt::Display for RequestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.as_deref().unwrap_or("(no host)");
        write!(f, "{} {} at {host}, ", self.method, self.target)?;
        match self.body_bytes {
            Some(0) => write!(f, "no body"),
            Some(length) => write!(f, "body of {length} bytes"),
            None => write!(f, "body not recorded"),
        }?;
        write!(f, " (read as {})", self.form)
    }
}

/// Escapes everything but visible ASCII and spaces.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => shown.push(c),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown
}

/// Hides signature and token of a presigned URL.
fn redacted(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let parameters = query.split('&').map(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        let is_secret = ["signature", "token", "key", "secret", "password"]
            .iter()
            .any(|word| lower.contains(word));
        if is_secret && parameter.contains('=') {
            [name, "=[redacted]"].concat()
        } else {
            parameter.to_owned()
        }
    });
    let parameters: Vec<String> = parameters.collect();
    [path, "?", &parameters.join("&")].concat()
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn a_signature_and_a_token_in_a_target_are_hidden() {
        for (target, shown) in [
            ("/a?b=1", "/a?b=1"),
            (
                "/a?x-amz-signature=abc&b",
                "/a?x-amz-signature=[redacted]&b",
            ),
            (
                "/a?X-Amz-Security-Token=abc",
                "/a?X-Amz-Security-Token=[redacted]",
            ),
            ("/a?api_key=abc", "/a?api_key=[redacted]"),
            ("/a", "/a"),
        ] {
            assert_eq!(redacted(target), shown);
        }
    }
}
