//! Starts `user-service` and `billing-service` in one process, makes accepted and refused calls,
//! and rotates a key under traffic. Prints each request with its expected and actual result.
//!
//! # Run with
//!
//! ```sh
//! cargo run -p demo
//! cargo run -p demo -- --serve
//! cargo run -p demo -- --sidecar
//! ```
//!
//! The second command keeps both services running and prints calls to try with curl. The third
//! builds and runs the example `sidecar` instead: services in Python and Node behind the proxies.
//! Keys are random, and ports are free ones. The exit code is 0 if every result is as expected,
//! else 1.
//!
//! # Transcript
//!
//! ```text
//! sent                                                   expected               got                    ok
//! -----------------------------------------------------  ---------------------  ---------------------  ---
//!
//! accepted:
//! POST /invoices for account 7: billing signs its call   201                    201                    yes
//! …
//! refused by user-service:
//! GET /api/account/7, not signed                         401 missing_signature  401 missing_signature  yes
//! …
//! ```

mod calls;
mod rotation;
mod serve;
mod services;
mod sidecar;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use countersign::ErrorChain;
use demo::{client::Client, table};
use tokio::time::timeout;
use tower_countersign::BoxError;

use self::services::Services;

const USAGE: &str = "usage: demo [--serve | --sidecar]\n\n  \
    --serve     keep both services up and print calls to try; Ctrl-C ends\n  \
    --sidecar   run a Python and a Node service behind the proxies instead: cargo builds the\n              \
    example sidecar first, which takes another minute\n";

/// The time limit of the demo.
const DEADLINE: Duration = Duration::from_secs(60);

const FAILED: u8 = 1;
const MISUSED: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Once,
    Serve,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mode = match *arguments {
        [] => Mode::Once,
        ["--serve"] => Mode::Serve,
        ["--sidecar"] => return sidecar::run(),
        ["--help" | "-h"] => {
            return print(USAGE).map_or(ExitCode::from(FAILED), |()| ExitCode::SUCCESS);
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(MISUSED);
        }
    };
    match run(mode).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("demo: {}", ErrorChain::new(&*error));
            ExitCode::from(FAILED)
        }
    }
}

/// Runs the demo, and returns whether every result is as expected.
async fn run(mode: Mode) -> Result<bool, BoxError> {
    let began = Instant::now();
    let mut services = Services::start().await?;
    print(&format!(
        "user-service on http://{}, billing-service on http://{}\n\n",
        services.users.authority(),
        services.billing.authority()
    ))?;

    let client = Client::new();
    let (sections, calls) = timeout(DEADLINE, async {
        let mut sections = calls::sections(&client, &services).await?;
        let (rotation, calls) = rotation::section(&client, &mut services).await?;
        sections.push(rotation);
        Ok::<_, BoxError>((sections, calls))
    })
    .await
    .map_err(|_| "no end in sight")??;

    let (good, all) = table::count(&sections);
    print(&table::render(&sections))?;
    print(&format!(
        "\n{good} of {all} as expected; {calls} calls while the key was rotated; {:.1} s\n",
        began.elapsed().as_secs_f32()
    ))?;
    if mode == Mode::Serve {
        serve::until_interrupted(&services).await?;
    }
    Ok(good == all)
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
