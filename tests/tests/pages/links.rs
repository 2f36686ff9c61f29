//! Links between the pages, and to their sections.

use std::{collections::BTreeSet, fs};

use crate::root;

const PAGES: [&str; 12] = [
    "README.md",
    "crates/GUIDE.md",
    "crates/TROUBLESHOOTING.md",
    "crates/DEFAULTS.md",
    "crates/OPERATIONS.md",
    "crates/SCHEMES.md",
    "crates/WIRE.md",
    "crates/README.md",
    "crates/DECISIONS.md",
    "crates/countersign-cli/README.md",
    "crates/countersign-cli/JSON.md",
    "crates/countersign-proxy/README.md",
];

/// Returns the name by which a forge links to a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Returns the anchors of a page. Lines of code are no headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let mut found = BTreeSet::new();
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if !is_code && line.starts_with('#') {
            found.insert(anchor(line));
        }
    }
    found
}

#[test]
fn links_to_sections_name_a_heading() {
    let mut links = 0;
    for page in PAGES {
        let path = root().join(page);
        let text = fs::read_to_string(&path).unwrap();
        let targets = text.split("](").skip(1);
        for target in targets.filter_map(|rest| rest.split(')').next()) {
            let Some((file, section)) = target.split_once('#') else {
                continue;
            };
            if file.contains("://") || !(file.is_empty() || file.contains(".md")) {
                continue;
            }
            let linked = if file.is_empty() {
                text.clone()
            } else {
                fs::read_to_string(path.parent().unwrap().join(file)).unwrap()
            };
            assert!(anchors(&linked).contains(section), "{page}: {target}");
            links += 1;
        }
    }
    assert!(links > 30, "{links}");
}
