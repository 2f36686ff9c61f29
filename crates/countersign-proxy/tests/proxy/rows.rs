//! The table of claims and their tests.

use std::{fs, path::Path};

/// Every test that `rows.md` names exists, and every row is in the table.
#[test]
fn each_row_names_tests_that_are_there_or_says_what_is_missing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proxy");
    let table = fs::read_to_string(folder.join("rows.md")).unwrap();
    let mut sources = String::new();
    for folder in [
        folder,
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/authz"),
    ] {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "rs") {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    let numbers: Vec<usize> = rows
        .iter()
        .map(|row| row.split('|').nth(1).unwrap().trim().parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=44).collect::<Vec<_>>());
    for row in rows {
        let shown = row.split('|').nth(3).unwrap();
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || shown.contains("missing"), "{row}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "{name}");
        }
    }
}
