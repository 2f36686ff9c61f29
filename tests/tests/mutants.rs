//! The list of mutations that no test notices is about the present code.

#![allow(
    clippy::unwrap_used,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    run: Vec<String>,
    survivors: Vec<Survivor>,
}

/// A mutation that no test notices.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    file: String,
    function: String,
    /// The mutated text, as in the file except for line ends and indentation.
    code: String,
    mutation: String,
    reason: String,
}

fn text_of(file: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(file)).ok()
}

/// Without line ends and indentation.
fn on_one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

/// From the head of a function of this name to its end, which is in the column of the head.
fn functions<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let head = format!("fn {name}");
    let starts = text.match_indices(&head).filter_map(|(at, _)| {
        let before = text.get(..at)?;
        let line = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
        let rest = text.get(line..)?;
        let indent = rest.len().checked_sub(rest.trim_start().len())?;
        let end = format!("\n{}}}", " ".repeat(indent));
        let is_whole = text
            .get(at..)?
            .strip_prefix(&*head)?
            .starts_with(['(', '<']);
        let body = rest.split(&*end).next()?;
        is_whole.then_some(body)
    });
    starts.collect()
}

/// The mistake in an entry.
fn fault(survivor: &Survivor, run: &[String]) -> Option<&'static str> {
    let Some(text) = text_of(&survivor.file) else {
        return Some("the file is absent");
    };
    let code = on_one_line(&survivor.code);
    let functions = functions(&text, &survivor.function);
    if functions.is_empty() {
        return Some("the function is absent");
    }
    if code.is_empty()
        || !functions
            .iter()
            .any(|body| on_one_line(body).contains(&code))
    {
        return Some("the code is not in the function");
    }
    if !run.contains(&survivor.file) {
        return Some("the file was not run");
    }
    if survivor.mutation.trim().is_empty() || survivor.reason.split_whitespace().count() < 5 {
        return Some("the reason is missing");
    }
    None
}

fn list() -> List {
    toml::from_str(&text_of("tests/mutants.toml").unwrap()).unwrap()
}

#[test]
fn every_survivor_names_code_that_is_there_and_a_reason() {
    let List { run, survivors } = list();
    for file in &run {
        assert!(text_of(file).is_some(), "{file}");
    }
    let mut seen = BTreeSet::new();
    for survivor in &survivors {
        let name = format!(
            "{}: {}: {}",
            survivor.file, survivor.function, survivor.code
        );
        assert_eq!(fault(survivor, &run), None, "{name}");
        assert!(seen.insert(name.clone()), "twice: {name}");
    }
}

/// A check that could not fail would keep nothing current.
#[test]
fn an_entry_of_code_that_changed_is_found() {
    type Change = fn(&mut Survivor);
    let changes: [(&str, Change); 5] = [
        ("the file is absent", |entry| entry.file.push('x')),
        ("the function is absent", |entry| entry.function.push('x')),
        ("the code is not in the function", |entry| {
            entry.code.push('~');
        }),
        ("the reason is missing", |entry| entry.reason.clear()),
        ("the reason is missing", |entry| entry.mutation.clear()),
    ];
    for (expected, change) in changes {
        let List { run, survivors } = list();
        let mut first = survivors.into_iter().next().unwrap();
        change(&mut first);
        assert_eq!(fault(&first, &run), Some(expected));
    }
    let List { survivors, .. } = list();
    let found = survivors.first().and_then(|first| fault(first, &[]));
    assert_eq!(found, Some("the file was not run"));
}
