//! The request that a command signs, from its arguments.

use std::path::PathBuf;

use clap::Args;
use http::{HeaderName, HeaderValue, Method, Uri, request::Parts};
use zeroize::Zeroizing;

use crate::{Terminal, failure::Failure, input};

/// The most bytes of a body.
const MAX_BODY_LEN: u64 = 1024 * 1024 * 1024;

/// The arguments that describe a request, as curl has them.
#[derive(Args, Debug)]
pub(crate) struct RequestArguments {
    /// The method, such as GET.
    method: String,
    /// The whole URL, encoded as in the request.
    url: String,
    /// A header, as `Name: value`. May be given several times.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The body: a text, `@FILE` for the bytes of a file, or `-` for standard input.
    #[arg(short, long, value_name = "DATA", allow_hyphen_values = true)]
    data: Option<String>,
}

/// A request without a signature.
pub(crate) struct Request {
    pub(crate) parts: Parts,
    pub(crate) body: Body,
}

/// The bytes of a body, and where curl finds them.
pub(crate) struct Body {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) source: BodySource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodySource {
    Nothing,
    /// An argument or standard input.
    Bytes,
    File(PathBuf),
}

impl RequestArguments {
    /// Returns whether the body is on standard input, which then holds nothing else.
    pub(crate) fn is_stdin(&self) -> bool {
        self.data.as_deref() == Some("-")
    }

    /// Reads the request and its body.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`](crate::Exit::Usage) if a part is malformed,
    /// [`Exit::Unavailable`](crate::Exit::Unavailable) if the body cannot be read.
    pub(crate) fn read(&self, terminal: &mut Terminal<'_>) -> Result<Request, Failure> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| Failure::usage("method: expected a token such as GET"))?;
        let uri: Uri = self
            .url
            .parse()
            .map_err(|error| Failure::usage(format_args!("URL: {error}")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
            return Err(Failure::usage(
                "URL: expected http:// or https:// with a host, found another form",
            ));
        }
        if self.url.contains('#') {
            return Err(Failure::usage(
                "URL: expected no fragment, which is never sent",
            ));
        }
        let mut request = http::Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        for header in &self.headers {
            let (name, value) = parse_header(header)?;
            request.headers_mut().append(name, value);
        }
        let (parts, ()) = request.into_parts();
        let body = self.body(terminal)?;
        Ok(Request { parts, body })
    }

    fn body(&self, terminal: &mut Terminal<'_>) -> Result<Body, Failure> {
        let (bytes, source) = match self.data.as_deref() {
            None => (Zeroizing::default(), BodySource::Nothing),
            Some("-") => (
                input::read_bytes(terminal, "-".as_ref(), MAX_BODY_LEN)?,
                BodySource::Bytes,
            ),
            Some(data) => match data.strip_prefix('@') {
                Some(path) => (
                    input::read_bytes(terminal, path.as_ref(), MAX_BODY_LEN)?,
                    BodySource::File(PathBuf::from(path)),
                ),
                None => (Zeroizing::new(data.as_bytes().to_vec()), BodySource::Bytes),
            },
        };
        Ok(Body { bytes, source })
    }
}

/// Reads `Name: value`. The message names no value, which may be a token.
pub(crate) fn parse_header(header: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let (name, value) = header
        .split_once(':')
        .ok_or_else(|| Failure::usage("header: expected `Name: value`, found no colon"))?;
    let name = HeaderName::try_from(name)
        .map_err(|_| Failure::usage("header: expected a name before the colon"))?;
    let value = HeaderValue::from_str(value.trim_matches([' ', '\t']))
        .map_err(|_| Failure::usage(format_args!("header {name}: expected visible ASCII")))?;
    Ok((name, value))
}
