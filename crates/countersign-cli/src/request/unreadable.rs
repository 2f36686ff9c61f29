use std::fmt;

use super::RequestForm;

/// A record that holds no request that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRequest {
    pub(super) form: RequestForm,
    pub(super) problem: String,
}

impl UnreadableRequest {
    /// Returns the form that the input was read in.
    pub fn form(&self) -> RequestForm {
        self.form
    }
}

impl fmt::Display for UnreadableRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request read as {}: {}", self.form, self.problem)
    }
}

impl std::error::Error for UnreadableRequest {}

/// Shows text from the input in an error: short, with everything but visible ASCII escaped.
pub(super) fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 60;
    match text.get(..LONGEST) {
        Some(start) => format!("{}…", start.escape_ascii()),
        None => text.escape_ascii().to_string(),
    }
}
