mod alignment;
mod explanation;
mod page;

use std::{fs, path::PathBuf};

use clap::Args;

use self::{explanation::Explanation, page::page};
use crate::{
    Exit, Terminal,
    failure::Failure,
    input, key_file,
    output::Format,
    verification::{Verification, VerificationArguments},
};

/// The longest text of a sender, in bytes.
const MAX_THEIRS: u64 = 1024 * 1024;

/// Finds the mistake that explains why a request is refused.
///
/// Decides on the request as a service does. If it is refused, tries the known mistakes: another
/// host, path, query, header value, body, date or key. A cause is certain only if the signature is
/// right with that one change. Names the side that must correct it, and how.
///
/// Exits with 0 if the request is accepted, and with 1 if it is refused.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    #[command(flatten)]
    verification: Box<VerificationArguments>,
    /// The text that the sender signed: its canonical request, string to sign or signature base.
    #[arg(long, value_name = "FILE")]
    theirs: Option<PathBuf>,
    /// A path prefix that a proxy may have removed or added, such as `/api`.
    #[arg(long, value_name = "PREFIX")]
    path_prefix: Vec<String>,
    /// The greatest number of signatures to check.
    #[arg(long, value_name = "NUMBER", default_value_t = 4096)]
    limit: usize,
    /// Also write a page in HTML, to attach to a ticket. It has no script and no secret, and loads
    /// nothing.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Explain {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let theirs = match &self.theirs {
            Some(path) => {
                let text = input::read_text(terminal, path, MAX_THEIRS)?;
                // The lines of the text are shown.
                if !key_file::list(&text).is_empty() {
                    return Err(Failure::usage(
                        "--theirs: expected a signed text, found keys",
                    ));
                }
                Some(text)
            }
            None => None,
        };
        let verification = Verification::read(&self.verification, terminal)?;
        let mut diagnosis = verification.diagnosis().with_limit(self.limit);
        if let Some(theirs) = &theirs {
            diagnosis = diagnosis.with_their_text(theirs);
        }
        for prefix in &self.path_prefix {
            diagnosis = diagnosis.with_path_prefix(prefix);
        }
        let explanation = Explanation::of(&verification, diagnosis.run());
        if let Some(path) = &self.html {
            fs::write(path, page(&explanation)).map_err(|error| {
                let name = input::shown(path);
                Failure::unavailable(format_args!("{name}: cannot be written: {error}"))
            })?;
        }
        terminal.answer(format, &explanation)?;
        Ok(Exit::yes_if(explanation.is_accepted()))
    }
}
