//! Keys from outside: the two environment variables, TOML, and directories of files. Read when asked to, never on the path of
//! a request.

mod both_directions;
mod callers;
mod directory;
mod env;
mod keyrings;
mod roots;
mod schema;
mod secret_texts;
mod signers;
mod targets;
mod toml_text;
