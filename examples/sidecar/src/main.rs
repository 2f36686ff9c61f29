//! Services without signing code behind the proxies: `orders` in Python, `ledger` in Node. Makes
//! calls that are accepted and refused, and prints each with its expected and actual result.
//!
//! ```text
//! billing ──signed──▶ proxy verify ──countersign-caller──▶ orders (Python)
//!                                                            │ plain
//!                     proxy verify ◀──signed as orders── proxy sign
//!                          │ countersign-caller
//!                          ▼
//!                     ledger (Node)
//! ```
//!
//! # Run with
//!
//! ```sh
//! cargo run -p demo -- --sidecar
//! ```
//!
//! or `cargo run -p sidecar`. The proxies run in this process, on free ports, with random keys. In
//! place of a language that is missing, the service runs in Rust, and the output says so. The exit
//! code is 0 if every result is as expected, else 1.
//!
//! # Files
//!
//! `services/orders.py` and `services/ledger.mjs` are the services, `orders.toml`, `policy.toml`
//! and `ledger.toml` the configurations of the proxies beside them.

mod calls;
mod in_rust;
mod proxies;
mod services;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use countersign::ErrorChain;
use demo::table;
use tokio::time::timeout;
use tower_countersign::BoxError;

use self::proxies::Fleet;

const USAGE: &str = "usage: sidecar\n\n\
    Needs python3 and node, or runs the services in Rust instead.\n";

/// The time limit of the calls.
const DEADLINE: Duration = Duration::from_secs(60);

const FAILED: u8 = 1;
const MISUSED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        None => {}
        Some("--help" | "-h") => {
            return print(USAGE).map_or(ExitCode::from(FAILED), |()| ExitCode::SUCCESS);
        }
        Some(_) => {
            eprint!("{USAGE}");
            return ExitCode::from(MISUSED);
        }
    }
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("sidecar: {}", ErrorChain::new(&*error));
            ExitCode::from(FAILED)
        }
    }
}

/// Starts everything, makes the calls, and returns whether every result is as expected.
async fn run() -> Result<bool, BoxError> {
    let began = Instant::now();
    let fleet = Fleet::start().await?;
    print(&format!("{fleet}\n"))?;
    let sections = timeout(DEADLINE, calls::sections(&fleet)).await;
    let sections = sections.map_err(|_| "no end in sight")??;
    let (good, all) = table::count(&sections);
    print(&table::render(&sections))?;
    print(&format!(
        "\n{good} of {all} as expected; {:.1} s\n",
        began.elapsed().as_secs_f32()
    ))?;
    fleet.stop().await;
    Ok(good == all)
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
