//! Keys from outside: the two environment variables, and TOML. Read at start-up, never on the path of a request.

mod env;
mod file;
