//! Requests a second with 10 and with 50,000 derived callers, and a stream of strangers among them:
//! without a signature, with a wrong one, with an old one, and with one that cannot be read. In
//! process, on one thread, in turns.
//!
//! Each request is signed in advance, with its own nonce. A turn is short: its requests are still
//! in the processor's cache when the service reads them, as they are when they come from a socket.
//! In the first rounds each of the many callers calls for the first time, in the others each is
//! known. The time is what the thread computes, so a load on the machine counts less.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run fails by panicking; the table is what it is for"
)]

use std::{env, process::ExitCode, time::Duration};

use benches::many_callers::{Connection, Service, Stream};
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
    // `cargo test --benches` runs this without the flag: then there is one short round and nothing
    // is judged.
    let judged = env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if judged { (ROUNDS, TURN) } else { (1, 50) };
    println!("requests a second with {MANY} callers, to those with {FEW}");
    let holds = measure(
        "over HTTP/1.1",
        Some(LEAST),
        rounds,
        turn,
        || {},
        |callers| {
            let mut connection = Service::new(callers).connect();
            move |stream: &mut Stream| over(&mut connection, stream)
        },
    );
    measure("the layer alone", None, rounds, turn, || {}, layer);
    let prometheus = PrometheusBuilder::new().build_recorder();
    let handle = prometheus.handle();
    // Nothing is claimed: the exporter has series of each caller, and the work to begin one is its
    // own.
    metrics::with_local_recorder(&prometheus, || {
        let upkeep = || handle.run_upkeep();
        measure(
            "the layer alone, everything counted",
            None,
            rounds,
            turn,
            upkeep,
            layer,
        )
    });
    if !judged || holds {
        ExitCode::SUCCESS
    } else {
        println!("A claim does not hold.");
        ExitCode::FAILURE
    }
}

/// Whether the claim holds for callers that are new, and for those that are known.
fn measure<R>(
    name: &str,
    least: Option<f64>,
    rounds: usize,
    turn: usize,
    between: impl Fn(),
    service: impl Fn(usize) -> R,
) -> bool
where
    R: FnMut(&mut Stream) -> Turn,
{
    let mut sides = [FEW, MANY].map(|callers| (service(callers), Stream::new(callers)));
    let mut holds = true;
    for called in ["first calls", "further calls"] {
        let mut rates = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            for ((run, stream), rates) in sides.iter_mut().zip(&mut rates) {
                stream.sign_ahead(turn);
                let run = run(stream);
                assert_eq!(run.handled, turn, "every caller is admitted");
                rates.push(run.calls / run.took.as_secs_f64());
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

struct Turn {
    took: Duration,
    calls: f64,
    handled: usize,
}

fn layer(callers: usize) -> impl FnMut(&mut Stream) -> Turn {
    let service = Service::new(callers);
    move |stream| {
        let (mut handled, mut calls) = (0, 0_u32);
        let began = ThreadTime::now();
        for request in stream.ahead() {
            handled += usize::from(service.call(request));
            calls += 1;
        }
        Turn {
            took: began.elapsed(),
            calls: f64::from(calls),
            handled,
        }
    }
}

fn over(connection: &mut Connection, stream: &mut Stream) -> Turn {
    let (requests, count) = stream.written();
    let began = ThreadTime::now();
    let handled = connection.call(&requests, count);
    Turn {
        took: began.elapsed(),
        calls: f64::from(u32::try_from(count).unwrap()),
        handled,
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap()
}
