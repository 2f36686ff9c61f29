//! Sends requests to the upstream, and passes its answers on.

mod answer;
mod io;
mod service;
mod tunnel;
mod upstream;

pub(crate) use self::{
    answer::{AnswerBody, error},
    io::Io,
    service::{Forward, ForwardSettings, Front, UpstreamLimits, boxed},
    upstream::{Protocol, Scheme, Upstream},
};
