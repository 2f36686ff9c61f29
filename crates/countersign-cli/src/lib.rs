//! The program `countersign`: keys, signatures, policies and refusals at the shell.
//!
//! **This library has no stable API.** It exists so that the binary and the tests run one code.
//! Use the program, and [`countersign`] for a program of yours.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | yes: the answer is yes, or the work is done |
//! | 1 | no: a key file, a request or a policy is refused |
//! | 2 | usage: an argument or an input cannot be read as the command needs it |
//! | 3 | unavailable: a file, a variable or a service cannot be reached |
//!
//! # JSON
//!
//! With `--json`, a command writes one JSON document to standard output. A command that ends with
//! an error writes `{"error":{"exit":2,"message":"…"}}`, and the same message to standard error.
//! Only clap's errors about arguments are text alone.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `proxy` | yes | the commands `proxy`, `authz`, `run` and `config` |

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        reason = "tests are tables of constants and panic on a wrong one"
    )
)]

mod arguments;
mod calendar;
mod commands;
mod dialect;
mod ed25519_text;
mod exit;
mod failure;
mod input;
mod key_file;
mod key_kind;
mod moment;
mod new_file;
mod output;
mod prometheus;
mod replace_file;
pub mod request;
mod request_arguments;
mod secret_source;
mod shell_quote;
mod signer_arguments;
mod terminal;
mod verification;

pub use self::{arguments::run, exit::Exit, terminal::Terminal};
