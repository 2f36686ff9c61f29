//! The axum layer over loopback, beside no layer, the lower bound and one written by hand.

#![allow(clippy::print_stdout, reason = "the table is the purpose")]

use std::process::ExitCode;

use benches::{
    layers::{self, Guard},
    loopback::{self, Contender, Requests, judge},
    request::Layout,
};

const BARE: &str = "no layer";
const LAYER: &str = "countersign, default layout";
/// With a policy, watched keys and metrics.
const EVERYTHING: &str = "countersign, everything on";
const LEAST_RATE: f64 = 0.80;
const MOST_CPU: f64 = 1.27;
const MOST_CPU_OF_EVERYTHING: f64 = 1.15;

/// All servers get the same bytes, so that only the layers differ.
const CONTENDERS: [Contender; 9] = [
    Contender::new(BARE, Requests::Default, || layers::router(Guard::None)),
    // The difference to the first is the noise.
    Contender::new("no layer, again", Requests::Default, || {
        layers::router(Guard::None)
    }),
    Contender::new("identity layer", Requests::Default, || {
        layers::router(Guard::Identity)
    }),
    Contender::new("lower bound, three headers", Requests::Three, || {
        layers::router(Guard::LowerBound(Layout::Three))
    }),
    Contender::new("lower bound, default layout", Requests::Default, || {
        layers::router(Guard::LowerBound(Layout::Default))
    }),
    Contender::new("countersign, three headers", Requests::Three, || {
        layers::router(Guard::Countersign(Layout::Three))
    }),
    Contender::new(LAYER, Requests::Default, || {
        layers::router(Guard::Countersign(Layout::Default))
    }),
    Contender::new(EVERYTHING, Requests::Default, || {
        layers::router(Guard::Everything(Layout::Default))
    }),
    Contender::new("naive", Requests::Default, || layers::router(Guard::Naive)),
];

fn main() -> ExitCode {
    let Some((results, is_judged)) = loopback::run(&CONTENDERS) else {
        return ExitCode::SUCCESS;
    };
    results.print();
    let slowdown = results.ratio(BARE, LAYER, |turn| turn.rate);
    let cpu = |name, other| results.ratio(name, other, |turn| turn.cpu_micros);
    let hold = [
        judge("time a request, layer to none", slowdown, 1.0 / LEAST_RATE),
        judge("CPU a request, layer to none", cpu(LAYER, BARE), MOST_CPU),
        judge(
            "CPU a request, everything on to the layer",
            cpu(EVERYTHING, LAYER),
            MOST_CPU_OF_EVERYTHING,
        ),
    ];
    if hold == [true; 3] || !is_judged {
        ExitCode::SUCCESS
    } else {
        println!("A claim does not hold.");
        ExitCode::FAILURE
    }
}
