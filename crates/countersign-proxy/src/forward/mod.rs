//! Sends requests to the upstream, and passes its answers on.

mod answer;
mod io;
mod sender;
mod service;
mod tunnel;
mod upstream;

pub(crate) use self::{
    answer::{AnswerBody, error},
    io::Io,
    service::{Forward, ForwardSettings, ForwardSigned, Front, UpstreamLimits, boxed, empty},
    upstream::{Protocol, Scheme, SentBody, Target, Upstream, uri},
};
