//! Bodies that are verified first, and held in a file until the handler reads them.

mod file_body;
mod limits;
mod receive;
mod spilled_file;

pub use self::limits::SpillLimits;
pub(super) use self::{
    file_body::FileBody, limits::Spill, receive::receive, spilled_file::SpilledFile,
};
