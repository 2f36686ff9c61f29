//! The parts of the page: sections, fenced blocks and tables.

use std::{fs, path::PathBuf};

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The whole page.
pub(crate) fn text() -> String {
    fs::read_to_string(root().join("crates/WIRE.md")).unwrap()
}

/// The section of this number, from its heading to the next one.
pub(crate) fn section(number: u32) -> String {
    let text = text();
    let mut parts = text.split("\n## ");
    let section = parts.find(|part| part.starts_with(&format!("{number}. ")));
    section
        .unwrap_or_else(|| panic!("expected section {number}, found none"))
        .to_owned()
}

/// The fenced blocks of this language, in order.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let blocks = text.split("\n```").collect::<Vec<_>>();
    // Every second part is the inside of a block, after the language.
    let inside = blocks.iter().skip(1).step_by(2);
    let inside = inside.map(|part| format!("```{part}\n"));
    inside
        .filter_map(|block| block.strip_prefix(&start).map(str::to_owned))
        .collect()
}

/// The cells of each row of each table, without the heads.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        let cells = line
            .strip_prefix('|')
            .and_then(|line| line.strip_suffix('|'));
        let Some(cells) = cells else { continue };
        if cells.starts_with("---") {
            rows.pop();
            continue;
        }
        rows.push(
            cells
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect(),
        );
    }
    rows
}

/// The texts between backticks.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The only text between backticks in the second cell of the row that begins with this name.
pub(crate) fn value(text: &str, name: &str) -> String {
    let rows = rows(text);
    let row = rows.iter().find(|row| row[0] == name);
    let row = row.unwrap_or_else(|| panic!("expected a row {name:?}, found none"));
    let mut values = quoted(&row[1]);
    assert_eq!(values.len(), 1, "{name}: {row:?}");
    values.remove(0)
}
