//! Reads the request head for every scheme: method, target, authority, and headers that occur once.

mod authority;
pub(crate) mod cookie;
mod field;
mod hop_headers;
mod limits;
mod method;
mod plain_path;
mod request_head;
mod target;

pub use self::{
    authority::HostForm, limits::HeadLimits, plain_path::PlainPath, request_head::RequestHead,
};
pub(crate) use self::{
    authority::{Authority, without_user},
    field::{Field, not_ascii, not_once},
    hop_headers::{cannot_be_covered, is_owned_by_hops},
    method::parse_method,
    target::Target,
};
