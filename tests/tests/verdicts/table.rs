//! The table of `crates/SCHEMES.md` names a test in each row.

use std::{fs, path::PathBuf};

const HEADING: &str = "## Refused here, taken elsewhere";

fn package() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The source of a test binary: a file, or the files of a folder.
fn source(binary: &str) -> String {
    let path = package().join("tests").join(binary);
    let Ok(files) = fs::read_dir(&path) else {
        return fs::read_to_string(path.with_extension("rs"))
            .unwrap_or_else(|error| panic!("{binary}: {error}"));
    };
    let files = files.map(|file| file.unwrap().path());
    files
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

#[test]
fn every_row_of_the_table_names_a_test_that_there_is() {
    let page = fs::read_to_string(package().join("../crates/SCHEMES.md")).unwrap();
    let (_, section) = page.split_once(HEADING).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let mut count = 0;
    for row in rows.filter(|row| !row.starts_with("| scheme ")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{row}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
        let name = cells[4].trim_matches('`');
        let (binary, function) = name.split_once("::").unwrap();
        let found = source(binary).contains(&format!("fn {function}("));
        assert!(found, "{name}: no such test");
        count += 1;
    }
    assert!(count > 25, "{count} rows");
}
