//! Requests a second with 10 and with 50,000 derived callers, and a stream of strangers among them: without a signature, with a
//! wrong one, with an old one, and with one that cannot be read. In process, on one thread, in turns.
//!
//! Each request is signed in advance, with its own nonce. A turn is short: its requests are still in the
//! processor's cache when the service reads them, as they are when they come from a socket. In the first
//! rounds each of the many callers calls for the first time, in the others each is known. The time is what
//! the thread computes, so a load on the machine counts less.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run fails by panicking; the table is what it is for"
)]

use std::{env, process::ExitCode, time::Duration};

use benches::many_callers::{Service, Stream};
use cpu_time::ThreadTime;
use metrics_exporter_prometheus::PrometheusBuilder;

const FEW: usize = 10;
const MANY: usize = 50_000;

/// How many callers call in a turn.
const TURN: usize = 100;

/// Rounds in which every caller calls once, and as many again.
const ROUNDS: usize = MANY / TURN;

/// Turns between two upkeeps of the exporter, which go through all of its series.
const TURNS_PER_UPKEEP: usize = 50;

/// What many callers must reach of the requests a second of few.
const LEAST: f64 = 0.90;

fn main() -> ExitCode {
    // `cargo test --benches` runs this without the flag: then there is one short round and nothing is judged.
    let judged = env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if judged { (ROUNDS, TURN) } else { (1, 50) };
    println!("requests a second with {MANY} callers, to those with {FEW}");
    let holds = measure("no recorder", Some(LEAST), rounds, turn, || {});
    let prometheus = PrometheusBuilder::new().build_recorder();
    let handle = prometheus.handle();
    // Nothing is claimed: the exporter has series of each caller, and the work to begin one is its own.
    metrics::with_local_recorder(&prometheus, || {
        measure("everything counted", None, rounds, turn, || {
            handle.run_upkeep();
        })
    });
    if !judged || holds {
        ExitCode::SUCCESS
    } else {
        println!("A claim does not hold.");
        ExitCode::FAILURE
    }
}

/// Whether the claim holds for callers that are new, and for those that are known.
fn measure(name: &str, least: Option<f64>, rounds: usize, turn: usize, between: impl Fn()) -> bool {
    let mut sides = [FEW, MANY].map(|callers| (Service::new(callers), Stream::new(callers)));
    let mut holds = true;
    for called in ["first calls", "further calls"] {
        let mut rates = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for ((service, stream), rates) in sides.iter_mut().zip(&mut rates) {
                stream.sign_ahead(turn);
                let (took, calls) = run(service, stream, turn);
                rates.push(calls / took.as_secs_f64());
                if round.is_multiple_of(TURNS_PER_UPKEEP) {
                    between();
                }
            }
        }
        let [few, many] = rates.map(median);
        let ratio = many / few;
        let verdict = match least {
            None => String::from("nothing is claimed"),
            Some(least) if ratio >= least => format!("at least {least:.2} is claimed: holds"),
            Some(least) => format!("at least {least:.2} is claimed: does not hold"),
        };
        println!("{name}, {called}: {ratio:.2} ({many:.0} to {few:.0} a second), {verdict}");
        holds &= least.is_none_or(|least| ratio >= least);
    }
    holds
}

fn run(service: &Service, stream: &mut Stream, turn: usize) -> (Duration, f64) {
    let mut handled: u32 = 0;
    let mut calls: u32 = 0;
    let began = ThreadTime::now();
    for request in stream.ahead() {
        handled += u32::from(service.call(request));
        calls += 1;
    }
    let took = began.elapsed();
    assert_eq!(
        usize::try_from(handled).unwrap(),
        turn,
        "every caller is let in"
    );
    (took, f64::from(calls))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap()
}
