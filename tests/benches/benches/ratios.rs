//! Times the cases of each group side by side and judges the claims made of their ratios.

use std::process::ExitCode;

use benches::{groups, report};

fn main() -> ExitCode {
    report::run(groups::all(), env!("CARGO_BIN_EXE_allocations"))
}
