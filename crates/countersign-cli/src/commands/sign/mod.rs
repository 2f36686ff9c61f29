mod curl;

use clap::{Args, ValueEnum};
use countersign::{Nonce, SigningText, Timestamp};
use http::HeaderValue;
use serde::Serialize;

use crate::{
    Exit, Terminal, calendar,
    failure::Failure,
    output::{Answer, Format, Paint},
    request_arguments::{Request, RequestArguments},
    signer_arguments::SignerArguments,
};

/// Signs a request, and prints the headers to send with it.
///
/// Nothing is sent. `-d @FILE` takes the bytes of the file unchanged, as `--data-binary` of curl
/// does.
#[derive(Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    signer: SignerArguments,
    /// Sign at this moment: RFC 3339, or seconds since 1970. Default: now.
    #[arg(long, value_parser = calendar::parse)]
    date: Option<Timestamp>,
    /// Sign with this nonce, for a test. A nonce is never used twice.
    #[arg(long)]
    nonce: Option<String>,
    /// Print a curl command that sends the request.
    #[arg(long, conflicts_with_all = ["curl_config", "show"])]
    curl: bool,
    /// Print a configuration that sends the request with `curl -K -`.
    #[arg(long, conflicts_with = "show")]
    curl_config: bool,
    /// Print the text that is signed.
    #[arg(long, value_enum)]
    show: Option<Show>,
}

/// A text on the way to the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Show {
    /// The canonical request, or the signed text of another scheme. `base` means the same.
    #[value(alias = "base")]
    Canonical,
    /// The string to sign of SigV4, which holds the hash of the canonical request.
    StringToSign,
}

impl Sign {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        if self.request.is_stdin() && self.signer.is_stdin() {
            return Err(Failure::usage(
                "standard input: expected the key or the body, found both",
            ));
        }
        let now = self.date.unwrap_or_else(|| terminal.now());
        let Request { mut parts, body } = self.request.read(terminal)?;
        let signer = self.signer.signer(terminal, &parts, now)?;
        signer.prepare_authority(&mut parts)?;
        let nonce = self.nonce.as_deref().map(Nonce::new).transpose()?;
        let (signature, text) = signer.sign_with_text(&parts, &body.bytes[..], nonce, now)?;

        let host = parts.headers.get(http::header::HOST).cloned();
        let host = host.iter().map(|value| Header::of("host", value));
        let headers = signature.headers();
        let headers = headers.map(|(name, value)| Header::of(name.as_str(), value));
        let headers: Vec<_> = host.chain(headers).collect();
        let ready = curl::Ready {
            parts: &parts,
            body: &body,
            headers: &headers,
        };
        let text = match (self.curl, self.curl_config, self.show) {
            (true, _, _) => Some(ready.command()?),
            (_, true, _) => Some(ready.config()?),
            (_, _, Some(show)) => Some(shown(&text, show)?),
            _ => None,
        };
        if let (Some(text), Format::Text) = (&text, format) {
            terminal.write(text)?;
            return Ok(Exit::Yes);
        }
        let answer = Signed {
            method: parts.method.as_str(),
            url: parts.uri.to_string(),
            scheme: signer.scheme().name(),
            date: now.to_string(),
            headers,
            text: text.map(|text| String::from_utf8_lossy(&text).into_owned()),
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::Yes)
    }
}

/// Returns the signed bytes, without a line end after them.
fn shown(text: &SigningText, show: Show) -> Result<Vec<u8>, Failure> {
    match show {
        Show::Canonical => Ok(text.as_bytes().to_vec()),
        Show::StringToSign => {
            let string = text.string_to_sign().ok_or_else(|| {
                Failure::usage("--show string-to-sign: only SigV4 has one, try canonical")
            })?;
            Ok(string.as_bytes().to_vec())
        }
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Signed<'s> {
    method: &'s str,
    url: String,
    scheme: &'static str,
    date: String,
    headers: Vec<Header>,
    text: Option<String>,
}

/// A header to send.
#[derive(Serialize)]
struct Header {
    name: String,
    value: String,
}

impl Header {
    fn of(name: &str, value: &HeaderValue) -> Self {
        Self {
            name: name.to_owned(),
            // Invariant: a signature and its host are visible ASCII.
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        }
    }
}

impl Answer for Signed<'_> {
    fn to_text(&self, _: Paint) -> String {
        let headers = self.headers.iter();
        headers
            .flat_map(|Header { name, value }| [name.as_str(), ": ", value.as_str(), "\n"])
            .collect()
    }
}
