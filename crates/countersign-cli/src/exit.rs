use std::process::ExitCode;

/// The answer of a command, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The answer is yes, or the work is done.
    Yes,
    /// The answer is no: a key file, a request or a policy is refused.
    No,
    /// An argument or an input cannot be read as the command needs it.
    Usage,
    /// A file, a variable or a service cannot be reached.
    Unavailable,
}

impl Exit {
    /// Returns the exit code of the process.
    pub const fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
        }
    }

    /// Returns [`Yes`](Self::Yes) if the condition holds.
    pub(crate) const fn yes_if(condition: bool) -> Self {
        if condition { Self::Yes } else { Self::No }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
