//! Times the cases of each group that has peers side by side and judges the claims made of their
//! ratios.

use std::process::ExitCode;

use benches::report;

fn main() -> ExitCode {
    report::run(peers::all(), env!("CARGO_BIN_EXE_allocations"))
}
