//! Keys from outside: the two environment variables, TOML, and directories of files. Read when asked to, never on the path of
//! a request.

mod derived;
mod directory;
mod env;
mod file;
mod targets;
mod toml_text;
