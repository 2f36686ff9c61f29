//! The encodings of values on the wire, for every scheme family.

mod byte_set;
mod date;
#[cfg(feature = "jwk")]
pub(crate) mod distinct_json;
mod distinct_list;
pub(crate) mod hex;
mod parameters;
mod sink;
pub(crate) mod unix_seconds;

pub(crate) use self::{
    byte_set::ByteSet,
    date::{DateForm, imf_fixdate, utc_of_digits},
    distinct_list::DistinctList,
    parameters::{missing_parameters, unknown_parameter, until_comma, until_space},
    sink::{Gathered, Sink},
};
