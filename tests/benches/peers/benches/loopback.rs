//! Our layer over loopback beside middleware that calls the peers, and one written by hand.
//!
//! The claims are about overhead: the CPU per request that a layer adds to a server without one.

use std::process::ExitCode;

use benches::{
    layers::{Guard, router},
    loopback::{self, Contender, Requests, judge},
    request::Layout,
    schemes::Scheme,
};

const CONTENDERS: [Contender; 9] = [
    Contender::new("no layer", Requests::Default, || router(Guard::None)),
    Contender::new("countersign, default layout", Requests::Default, || {
        router(Guard::Countersign(Layout::Default))
    }),
    Contender::new("naive, default layout", Requests::Default, || {
        router(Guard::Naive)
    }),
    Contender::new("no layer, RFC 9421", Requests::Messages, || {
        router(Guard::None)
    }),
    Contender::new("countersign, RFC 9421", Requests::Messages, || {
        peers::layers::ours(Scheme::HmacMessages)
    }),
    Contender::new("httpsig-hyper, RFC 9421", Requests::Messages, || {
        peers::layers::httpsig_hyper()
    }),
    Contender::new("no layer, SigV4", Requests::SigV4, || router(Guard::None)),
    Contender::new("countersign, SigV4", Requests::SigV4, || {
        peers::layers::ours(Scheme::SigV4)
    }),
    Contender::new("scratchstack, SigV4", Requests::SigV4, || {
        peers::layers::scratchstack_aws_signature()
    }),
];

/// Ours, theirs, none, and the most that ours may add to none, as a share of what theirs adds.
const CLAIMS: [(&str, &str, &str, f64); 3] = [
    (
        "countersign, default layout",
        "naive, default layout",
        "no layer",
        0.55,
    ),
    (
        "countersign, RFC 9421",
        "httpsig-hyper, RFC 9421",
        "no layer, RFC 9421",
        0.15,
    ),
    (
        "countersign, SigV4",
        "scratchstack, SigV4",
        "no layer, SigV4",
        0.15,
    ),
];

fn main() -> ExitCode {
    let Some((results, is_judged)) = loopback::run(&CONTENDERS) else {
        return ExitCode::SUCCESS;
    };
    results.print();
    let hold = CLAIMS.map(|(ours, theirs, none, most)| {
        let claim = format!("overhead, {ours} to {theirs}");
        judge(&claim, results.overhead_ratio(ours, theirs, none), most)
    });
    if hold == [true; 3] || !is_judged {
        ExitCode::SUCCESS
    } else {
        println!("A claim does not hold.");
        ExitCode::FAILURE
    }
}
