//! Other people's crates as further cases of the groups of [`benches`]: the same request, the same
//! keys, the same signatures.

#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up fails by panicking"
)]

use std::rc::Rc;

use benches::{
    case::{Case, Group},
    groups::{self, OURS},
    request::{self, Layout},
    schemes::{Operation, Scheme, Subject},
};
use http::{Request, Uri, request::Parts};

pub mod aws_sigv4;
pub mod hawk;
pub mod httpsig;
pub mod layers;
pub mod reqsign;
pub mod scratchstack;
pub mod standardwebhooks;

const KIB: usize = 1024;

/// Every group that has peers, with them.
pub fn all() -> Vec<Group> {
    let mut all: Vec<Group> = Subject::all()
        .into_iter()
        .filter_map(beside_peers)
        .collect();
    for layout in [Layout::Three, Layout::Default] {
        for body_len in [0, KIB] {
            let (sign, verify) = (
                groups::sign(layout, body_len),
                groups::verify(layout, body_len),
            );
            all.push(beside_hawk(sign, hawk::sign(body_len), body_len, 1.35));
            all.push(beside_hawk(verify, hawk::verify(body_len), body_len, 1.15));
        }
    }
    all
}

/// The group of this subject, if it has peers. The limits are those of the budget.
fn beside_peers(subject: Subject) -> Option<Group> {
    let mut group = subject.group();
    let peers = peers(subject);
    if peers.is_empty() {
        return None;
    }
    let is_measured = group.cases.iter().any(|case| case.name == OURS);
    for (case, limit) in peers {
        let name = case.name;
        group.cases.push(case);
        if let Some(limit) = limit
            && is_measured
            && subject.body_len == KIB
        {
            group = group.faster_than(OURS, limit, name);
        }
    }
    Some(group)
}

/// The peers in a subject, and how many times as fast we claim to be with a body of 1 KiB.
fn peers(subject: Subject) -> Vec<(Case, Option<f64>)> {
    let len = subject.body_len;
    match (subject.scheme, subject.operation) {
        (Scheme::SigV4, Operation::Sign) => vec![
            (aws_sigv4::sign(len), Some(3.0)),
            (reqsign::sign(len), Some(2.9)),
        ],
        (Scheme::SigV4, Operation::Verify) => vec![(scratchstack::verify(len), Some(3.2))],
        (Scheme::StandardWebhooks, Operation::Sign) => vec![(standardwebhooks::sign(len), None)],
        (Scheme::StandardWebhooks, Operation::Verify) => {
            vec![(standardwebhooks::verify(len), None)]
        }
        (Scheme::HmacMessages, Operation::Sign) => {
            vec![(httpsig::sign(subject.scheme, len), Some(3.3))]
        }
        (Scheme::HmacMessages, Operation::Verify) => {
            vec![(httpsig::verify(subject.scheme, len), Some(4.0))]
        }
        (Scheme::Ed25519Messages, Operation::Sign) => {
            vec![(httpsig::sign(subject.scheme, len), None)]
        }
        (Scheme::Ed25519Messages, Operation::Verify) => {
            vec![(httpsig::verify(subject.scheme, len), None)]
        }
        _ => Vec::new(),
    }
}

/// A group of `HMAC-SHA256` with hawk, whose scheme does the same work, though its signatures are
/// others. The limit is that of the budget, which was set beside three headers; hawk has a nonce,
/// as our default layout does, so it is the peer of both.
fn beside_hawk(mut group: Group, hawk: Case, body_len: usize, limit: f64) -> Group {
    group.name.push_str(", beside hawk");
    let name = hawk.name;
    group.cases.push(hawk);
    if body_len == KIB {
        group.faster_than(OURS, limit, name)
    } else {
        group
    }
}

/// The request as clients have it, with the authority in the URI.
pub fn absolute(mut parts: Parts) -> Parts {
    let uri = format!("http://{}{}", request::HOST, parts.uri);
    parts.uri = Uri::try_from(uri).unwrap();
    parts
}

fn request_of<B: Clone + 'static>(parts: Parts, body: B) -> impl FnMut() -> Request<B> {
    let parts = Rc::new(parts);
    move || Request::from_parts((*parts).clone(), body.clone())
}
