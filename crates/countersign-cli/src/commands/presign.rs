use std::time::Duration;

use clap::Args;
use countersign::Timestamp;
use serde::Serialize;

use crate::{
    Exit, Terminal, calendar,
    failure::Failure,
    output::{Answer, Format, Paint},
    request_arguments::{Request, RequestArguments},
    signer_arguments::SignerArguments,
};

/// Signs a URL with AWS Signature Version 4, and prints it.
///
/// The URL is a secret until it expires: its holder can send the request. Give `--scheme sigv4`.
#[derive(Args, Debug)]
pub(crate) struct Presign {
    #[command(flatten)]
    request: RequestArguments,
    #[command(flatten)]
    signer: SignerArguments,
    /// How long the URL is valid, in seconds: 1 to 604800.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    expires: u64,
    /// Sign at this moment: RFC 3339, or seconds since 1970. Default: now.
    #[arg(long, value_parser = calendar::parse)]
    date: Option<Timestamp>,
}

impl Presign {
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
        let expires = Duration::from_secs(self.expires);
        let url = signer.presign(&parts, &body.bytes[..], expires, now)?;
        let answer = Presigned {
            method: parts.method.as_str(),
            url: url.to_string(),
            expires_at: now.saturating_add(expires).to_string(),
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::Yes)
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Presigned<'p> {
    method: &'p str,
    url: String,
    expires_at: String,
}

impl Answer for Presigned<'_> {
    fn to_text(&self, _: Paint) -> String {
        format!("{}\n", self.url)
    }
}
