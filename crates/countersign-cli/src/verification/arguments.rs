use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, ValueEnum};

use super::verifier_settings::VerifierArguments;
use crate::{
    Terminal,
    failure::Failure,
    input,
    moment::Moment,
    request::{MAX_INPUT_BYTES, RecordedRequest, RequestForm},
};

/// The arguments of the commands that judge a recorded request.
#[derive(Args, Debug)]
pub(crate) struct VerificationArguments {
    /// The recorded request; `-` is standard input. A raw HTTP/1.1 request, a curl command, the
    /// output of `curl -v`, `--trace` or `--trace-ascii`, or a HAR file.
    #[arg(value_name = "REQUEST", default_value = "-")]
    request: PathBuf,
    /// The keys of the callers, in the TOML file that the service reads.
    #[arg(long, value_name = "FILE")]
    pub(super) keys: PathBuf,
    /// The form of the request, if its first line does not show it.
    #[arg(long, value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// The number of the entry in a HAR file, from 1.
    #[arg(long, value_name = "NUMBER")]
    entry: Option<usize>,
    /// The body, exactly as it arrived, in place of the recorded one.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The clock of the service: a date in RFC 3339, seconds since 1970, or `signed` for the date
    /// of the signature. Default: now.
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<Moment>,
    #[command(flatten)]
    pub(super) settings: VerifierArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    Raw,
    Curl,
    CurlTrace,
    CurlVerbose,
    Har,
}

impl From<Form> for RequestForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Raw => Self::Raw,
            Form::Curl => Self::CurlCommand,
            Form::CurlTrace => Self::CurlTrace,
            Form::CurlVerbose => Self::CurlVerbose,
            Form::Har => Self::Har,
        }
    }
}

impl VerificationArguments {
    pub(super) fn read_request(
        &self,
        terminal: &mut Terminal<'_>,
    ) -> Result<RecordedRequest, Failure> {
        let input = read(terminal, &self.request)?;
        let form = self.form.map(RequestForm::from);
        let request = RecordedRequest::read(&input, form, self.entry);
        let mut request =
            request.map_err(|error| Failure::usage(error).within(input::shown(&self.request)))?;
        if let Some(path) = &self.body {
            request.body = Some(read(terminal, path)?);
            request.notes.retain(|note| !note.contains("--body"));
        }
        Ok(request)
    }
}

/// Reads a file without a copy of its bytes.
fn read(terminal: &mut Terminal<'_>, path: &Path) -> Result<Bytes, Failure> {
    let mut bytes = input::read_bytes(terminal, path, MAX_INPUT_BYTES)?;
    Ok(std::mem::take(&mut *bytes).into())
}
