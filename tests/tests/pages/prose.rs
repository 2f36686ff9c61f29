//! The sources and the pages are 100 columns wide and avoid words that are read twice.

use std::{fs, path::Path, process::Command};

use super::root;

/// The most columns of a line of prose. Tables, code blocks and lines with a link are exempt, and
/// the width of code is rustfmt's.
const COLUMNS: usize = 100;

/// Words that stand for a more exact one. See the rules in `.github/CONTRIBUTING.md`.
const WORDS: [&str; 17] = [
    "let through",
    "lets through",
    "what becomes of",
    "says of",
    "as it is",
    "anew",
    "of its own",
    "of their own",
    "no other than",
    "who is",
    "what is",
    "in its",
    "stands",
    "the one that",
    "whoever",
    "nobody's",
    "gone",
];

/// Files whose prose is held: all sources of Rust, and every page.
fn is_held(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "rs") || is_page(path)
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "md")
}

/// Returns the comment of a line of Rust without its marker.
fn comment(line: &str) -> &str {
    let markers = ["//! ", "/// ", "// "];
    markers
        .iter()
        .find_map(|marker| line.split_once(marker))
        .map_or("", |(_, comment)| comment)
}

fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric();
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let prose = if is_page(path) { line } else { comment(line) };
        if prose.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code || prose.is_empty() {
            continue;
        }
        let columns = line.chars().count();
        if columns > COLUMNS && !prose.starts_with('|') && !prose.contains("](") {
            faults.push(format!("{path}:{number}: {columns} columns"));
        }
        // Names in code are not prose.
        let prose: String = prose.split('`').step_by(2).collect();
        let prose = prose.to_lowercase();
        for word in WORDS {
            if contains_word(&prose, word) {
                faults.push(format!("{path}:{number}: {word:?}"));
            }
        }
    }
    faults
}

#[test]
fn the_sources_and_the_pages_are_narrow_and_avoid_certain_words() {
    let output = Command::new("git")
        .arg("ls-files")
        .current_dir(root())
        .output();
    // An archive without its history has no list of files.
    let Ok(output) = output else { return };
    let listed = String::from_utf8(output.stdout).unwrap();
    let held: Vec<&str> = listed.lines().filter(|path| is_held(path)).collect();
    assert!(held.is_empty() || held.len() > 500, "{}", held.len());
    let faults: Vec<String> = held
        .iter()
        .flat_map(|path| faults(path, &fs::read_to_string(root().join(path)).unwrap()))
        .collect();
    assert!(
        faults.is_empty(),
        "{}:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn a_wide_line_and_a_word_are_found_where_they_are_prose() {
    let wide = "x".repeat(COLUMNS + 1);
    assert_eq!(faults("a.rs", &format!("// {wide}")).len(), 1);
    assert_eq!(faults("a.rs", &wide).len(), 0);
    assert_eq!(faults("a.md", &wide).len(), 1);
    assert_eq!(faults("a.md", &format!("| {wide} |")).len(), 0);
    assert_eq!(faults("a.md", &format!("```\n{wide}\n```")).len(), 0);
    let comment = ["let x = 1; /", "/ It stands here."].concat();
    assert_eq!(faults("a.rs", &comment).len(), 1);
    assert_eq!(faults("a.rs", "let stands = \"stands\";").len(), 0);
    assert_eq!(faults("a.md", "It outstands. Whoever!").len(), 1);
}
