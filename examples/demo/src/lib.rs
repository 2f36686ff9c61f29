//! What the demo shares with the example `sidecar`: a client, random keys, and the printed table.

pub mod client;
pub mod key;
pub mod signed;
pub mod table;
