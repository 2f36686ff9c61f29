//! The page of symptoms: each row names a test that shows it, each code has rows, and the texts are
//! those that are seen.

use std::{collections::BTreeMap, fs};

use countersign::{RejectionKind, diagnose::Cause};

use crate::{page, root, rows, symptoms};

const PAGE: &str = "crates/TROUBLESHOOTING.md";
const SYMPTOMS: &str = "tests/tests/pages/symptoms/";
const MISTAKES: &str = "tests/tests/diagnose/mistakes.rs";

/// The codes of layers that are not the peer's fault, or not the verifier's: status, code, gRPC
/// status.
const OTHERS: [(u16, &str, u8); 3] = [
    (500, "misconfigured", 13),
    (503, "unavailable", 14),
    (403, "forbidden", 7),
];

/// Sections whose rows name codes, or what other programs say, in place of a text of ours.
const OF_OTHERS: [&str; 5] = [
    "Answers without a code",
    "Proxies",
    "Gateways that ask",
    "Clocks",
    "gRPC",
];

/// A row of a table: a symptom, and the test that shows it.
struct Row {
    section: String,
    seen: String,
    cause: String,
    file: String,
    test: String,
}

/// Returns the rows of the tables with a column for tests.
fn symptoms() -> Vec<Row> {
    let source = page(PAGE);
    let rows = rows(&source).filter(|row| row.cells.len() == 4);
    rows.map(|row| {
        let [seen, cause, _, link] = &row.cells[..] else {
            panic!("{:?}", row.cells);
        };
        let link = link.strip_prefix("[test](../").and_then(|link| {
            let (file, title) = link.split_once(" \"")?;
            Some((file.to_owned(), title.strip_suffix("\")")?.to_owned()))
        });
        let (file, test) = link.unwrap_or_else(|| panic!("{seen}: no test"));
        Row {
            section: row.section,
            seen: seen.clone(),
            cause: cause.clone(),
            file,
            test,
        }
    })
    .collect()
}

/// Returns the first text in code font.
fn code(cell: &str) -> Option<&str> {
    cell.split('`').nth(1)
}

/// Whether a text begins with this pattern, in which `…` is any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    for (at, part) in pattern.split('…').enumerate() {
        let Some(found) = rest.find(part) else {
            return false;
        };
        if at == 0 && found != 0 {
            return false;
        }
        rest = &rest[found + part.len()..];
    }
    true
}

#[test]
fn a_pattern_is_compared_part_by_part() {
    for (pattern, text, expected) in [
        ("a … c", "a b c", true),
        ("a … c", "a b c d", true),
        ("a … c", "a b", false),
        ("b … c", "a b c", false),
        ("… c", "a b c", true),
    ] {
        assert_eq!(is_like(pattern, text), expected, "{pattern}");
    }
}

#[test]
fn every_row_names_a_test_that_is_there() {
    let rows = symptoms();
    assert!(rows.len() > 80, "{}", rows.len());
    let known = symptoms::all().0;
    let mut wrong = Vec::new();
    for Row {
        file, test, seen, ..
    } in rows
    {
        let source = fs::read_to_string(root().join(&file)).unwrap_or_default();
        let is_there = if file.starts_with(SYMPTOMS) {
            source.contains(&format!("\"{test}\"")) && known.contains_key(&*test)
        } else {
            // A test, or a row of the table of one.
            source.contains(&format!("fn {test}()")) || source.contains(&format!("\"{test}\","))
        };
        if !is_there {
            wrong.push(format!("{seen}: {file} has no {test}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Text in code font is the symptom: the test produces it, or its source contains it.
#[test]
fn every_text_is_the_one_that_is_seen() {
    let known = symptoms::all().0;
    let mut wrong = Vec::new();
    for Row {
        section,
        seen,
        cause,
        file,
        test,
    } in symptoms()
    {
        // What a proxy does is told by the code that its requests are refused with.
        let seen = if section == "Proxies" { cause } else { seen };
        let Some(pattern) = code(&seen) else {
            continue;
        };
        let is_seen = if let Some(hint) = pattern.strip_prefix("hint=") {
            hint.trim_matches('"') == hint_of(&file, &test)
        } else if let Some(symptom) = known.get(&*test) {
            let text = &*symptom.text;
            let (_, text) = text.split_once("countersign: ").unwrap_or(("", text));
            let is_of_section = symptom
                .code
                .is_none_or(|code| section.ends_with(&format!(" `{code}`")));
            is_of_section && is_like(pattern, text)
        } else if OF_OTHERS.contains(&&*section) {
            true
        } else {
            let source = fs::read_to_string(root().join(&file)).unwrap();
            let source = source.replace("\\\"", "\"");
            let anywhere = format!("…{pattern}");
            source.lines().any(|line| is_like(&anywhere, line))
        };
        if !is_seen {
            wrong.push(format!("{file}: {test}: {pattern}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the hint of a known mistake, by the name of the mistake.
fn hint_of(file: &str, mistake: &str) -> &'static str {
    if file != MISTAKES {
        return "none";
    }
    let source = fs::read_to_string(root().join(file)).unwrap();
    let (_, after) = source.split_once(&format!("name: \"{mistake}\"")).unwrap();
    let (_, after) = after.split_once("cause: Cause::").unwrap();
    let (cause, _) = after.split_once(',').unwrap();
    let mut causes = Cause::ALL.iter();
    let known = causes.find(|known| format!("{known:?}") == cause);
    known.unwrap().as_str()
}

#[test]
fn every_code_has_its_rows_and_its_status() {
    let rows = symptoms();
    let refused = RejectionKind::ALL.iter();
    let refused = refused.map(|kind| (kind.status().as_u16(), kind.code()));
    let others = OTHERS.iter().map(|(status, code, _)| (*status, *code));
    for (status, code) in refused.chain(others) {
        let section = format!("{status} `{code}`");
        let has_rows = rows.iter().any(|row| row.section == section);
        assert!(has_rows, "{section}");
    }
}

#[test]
fn every_code_has_its_grpc_status() {
    let text = page(PAGE);
    let mut statuses = BTreeMap::new();
    for row in rows(&text).filter(|row| row.section == "gRPC" && row.cells.len() == 2) {
        let [status, codes] = &row.cells[..] else {
            panic!("{:?}", row.cells);
        };
        let status: u8 = status.split(' ').next().unwrap().parse().unwrap();
        for code in codes.split(", ") {
            statuses.insert(code.trim_matches('`').to_owned(), status);
        }
    }
    let refused = RejectionKind::ALL.iter();
    let refused = refused.map(|kind| (kind.code().to_owned(), kind.grpc_status()));
    let others = OTHERS
        .iter()
        .map(|(_, code, status)| ((*code).to_owned(), *status));
    assert_eq!(statuses, refused.chain(others).collect());
}
