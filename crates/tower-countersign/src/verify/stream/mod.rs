//! Bodies that the handler reads while they are verified.

mod body_stream;
mod error;
mod gate;
mod limits;
mod open;
mod report;

pub(crate) use self::body_stream::BodyStream;
pub use self::{
    error::{BodyError, BodyErrorKind},
    limits::StreamLimits,
};
pub(super) use self::{gate::Gate, open::too_large, report::Report};
