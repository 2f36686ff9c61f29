//! Reads keys from outside: two environment variables, TOML, and directories of files. Runs on
//! request only, never while a request is verified or signed.

mod both_directions;
mod callers;
mod directory;
mod env;
mod keyrings;
mod roots;
mod schema;
mod secret_texts;
mod secrets_json;
mod signers;
mod targets;
mod toml_text;
