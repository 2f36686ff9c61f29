//! Runs the example `sidecar` through cargo.
//!
//! The proxies need TLS, gRPC and Redis. As a dependency, they would make the first build of the
//! demo longer for everyone.

use std::{
    env,
    process::{Command, ExitCode},
};

use crate::FAILED;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sidecar/Cargo.toml");

/// Builds and runs the example. Returns its exit code.
pub(crate) fn run() -> ExitCode {
    // `cargo run` names itself.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--manifest-path", MANIFEST]);
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(FAILED))
        }
        Err(error) => {
            eprintln!("demo: cargo run: {error}");
            ExitCode::from(FAILED)
        }
    }
}
