//! Random bytes from the operating system.

pub(crate) use getrandom::Error;

/// Fills the buffer.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
}
