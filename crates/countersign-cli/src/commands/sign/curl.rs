//! The request for curl, as a command and as a configuration.

use http::{Method, header::CONTENT_TYPE, request::Parts};

use super::Header;
use crate::{
    failure::Failure,
    request_arguments::{Body, BodySource},
    shell_quote::quote,
};

/// A signed request.
pub(super) struct Ready<'r> {
    pub(super) parts: &'r Parts,
    pub(super) body: &'r Body,
    pub(super) headers: &'r [Header],
}

/// The long name of an option of curl, and the value of the option.
type CurlOption = (&'static str, Option<String>);

impl Ready<'_> {
    /// Returns a command for a POSIX shell.
    pub(super) fn command(&self) -> Result<Vec<u8>, Failure> {
        let mut text = format!("curl {}", quote(&self.parts.uri.to_string()));
        for (name, value) in self.options()? {
            text.push_str(" \\\n  --");
            text.push_str(name);
            if let Some(value) = value {
                text.push(' ');
                text.push_str(&quote(&value));
            }
        }
        text.push('\n');
        Ok(text.into_bytes())
    }

    /// Returns a configuration for `curl -K -`.
    pub(super) fn config(&self) -> Result<Vec<u8>, Failure> {
        let mut text = format!("url = {}\n", config_quote(&self.parts.uri.to_string()));
        for (name, value) in self.options()? {
            text.push_str(name);
            if let Some(value) = value {
                text.push_str(" = ");
                text.push_str(&config_quote(&value));
            }
            text.push('\n');
        }
        Ok(text.into_bytes())
    }

    fn options(&self) -> Result<Vec<CurlOption>, Failure> {
        // curl would expand [ ] { } in the URL, and remove dots from its path.
        let mut options = vec![("globoff", None), ("path-as-is", None)];
        let has_body = self.body.source != BodySource::Nothing;
        match (&self.parts.method, has_body) {
            (&Method::GET, false) | (&Method::POST, true) => {}
            (&Method::HEAD, false) => options.push(("head", None)),
            (method, _) => options.push(("request", Some(method.to_string()))),
        }
        let headers = self.parts.headers.iter();
        for (name, value) in headers.filter(|(name, _)| **name != http::header::HOST) {
            let value = value.to_str().map_err(|_| {
                Failure::usage(format_args!(
                    "header {name}: curl takes visible ASCII alone"
                ))
            })?;
            // With a colon and no value, curl would send no header.
            options.push((
                "header",
                Some(match value {
                    "" => format!("{name};"),
                    value => format!("{name}: {value}"),
                }),
            ));
        }
        if has_body && !self.parts.headers.contains_key(CONTENT_TYPE) {
            // curl would add one that the signature does not cover.
            options.push(("header", Some("content-type:".to_owned())));
        }
        for header in self.headers {
            options.push(("header", Some(format!("{}: {}", header.name, header.value))));
        }
        match &self.body.source {
            BodySource::Nothing => {}
            BodySource::File(path) => {
                options.push(("data-binary", Some(format!("@{}", path.display()))));
            }
            BodySource::Bytes => {
                let text = std::str::from_utf8(&self.body.bytes).ok();
                let text = text.filter(|text| !text.contains('\0')).ok_or_else(|| {
                    Failure::usage("body: curl takes bytes from a file: give it as -d @FILE")
                })?;
                options.push(("data-raw", Some(text.to_owned())));
            }
        }
        Ok(options)
    }
}

/// Quotes a value in a configuration file of curl.
fn config_quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
