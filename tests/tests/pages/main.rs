//! The pages: their configuration files load, their links lead somewhere, and what they say of the
//! code is so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test that cannot be set up fails by panicking"
)]

mod defaults;
mod guide;
mod links;
mod prose;
mod proxy_defaults;
mod symptoms;
mod troubleshooting;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Returns the path of a file of the repository.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// Returns the text of a page, by its path in the repository.
fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the fenced blocks of this language, in their order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opening = format!("\n```{language}\n");
    let rest = page.split(opening.as_str()).skip(1);
    rest.filter_map(|rest| rest.split("\n```").next())
        .map(|block| format!("{block}\n"))
        .collect()
}

/// A row of a table, below its heading.
struct Row {
    section: String,
    cells: Vec<String>,
}

/// Returns the rows of all tables of a page. The line of their headings is none.
fn rows(page: &str) -> impl Iterator<Item = Row> {
    let mut section = "";
    let mut found = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            section = line.trim_start_matches('#').trim();
        }
        let is_heading = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if !line.starts_with("| ") || is_heading {
            continue;
        }
        let cells = line.trim_matches('|').split('|');
        found.push(Row {
            section: section.to_owned(),
            cells: cells.map(|cell| cell.trim().to_owned()).collect(),
        });
    }
    found.into_iter()
}
