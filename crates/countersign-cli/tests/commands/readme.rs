//! The sessions of the two README.md are what a shell prints.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::folder::Folder;

const POLICY: &str = r#"[[statements]]
id = "billing opens accounts"
effect = "allow"
callers = ["billing"]
methods = ["POST"]
paths = ["/api/account"]
"#;

/// Returns the first page of this crate, and that of the repository.
fn readmes() -> [PathBuf; 2] {
    ["README.md", "../../README.md"].map(|page| Path::new(env!("CARGO_MANIFEST_DIR")).join(page))
}

/// Returns the text without keys and signatures, which are new in each run.
fn without_keys(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|it: char| it.is_ascii_hexdigit()) {
        let (before, after) = rest.split_at(start);
        let end = after.find(|it: char| !it.is_ascii_hexdigit());
        let (digits, after) = after.split_at(end.unwrap_or(after.len()));
        shown.push_str(before);
        shown.push_str(if digits.len() == 64 {
            "<64 hexadecimal digits>"
        } else {
            digits
        });
        rest = after;
    }
    shown + rest
}

/// Runs a command, and returns what a terminal would show.
fn run(command: &str, folder: &Folder) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder.path())
        .env("PATH", path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the page with what its commands print now.
fn with_output(page: &str, folder: &Folder) -> String {
    let mut shown = String::new();
    let mut lines = page.lines().peekable();
    let mut is_session = false;
    while let Some(line) = lines.next() {
        match line {
            "```console" => is_session = true,
            "```" => is_session = false,
            _ => {}
        }
        let Some(start) = line.strip_prefix("$ ").filter(|_| is_session) else {
            // The output of the last run is dropped.
            if !is_session || line == "```console" {
                shown.push_str(line);
                shown.push('\n');
            }
            continue;
        };
        let mut command = start.to_owned();
        shown.push_str(line);
        shown.push('\n');
        while let Some(further) = lines.next_if(|next| next.starts_with("> ")) {
            shown.push_str(further);
            shown.push('\n');
            command.push('\n');
            command.push_str(&further[2..]);
        }
        shown.push_str(&without_keys(&run(&command, folder)));
    }
    shown
}

/// To renew the pages, run this test with `COUNTERSIGN_WRITE_README` set.
#[cfg(unix)]
#[test]
fn the_sessions_of_both_pages_are_what_a_shell_prints() {
    for readme in readmes() {
        let folder = Folder::new();
        folder.with("policy.toml", POLICY);
        let page = fs::read_to_string(&readme).unwrap();
        assert!(page.contains("\n$ countersign keygen "), "{page}");
        let current = with_output(&page, &folder);
        if std::env::var_os("COUNTERSIGN_WRITE_README").is_some() {
            fs::write(&readme, &current).unwrap();
        }
        assert_eq!(current, page);
    }
}

#[test]
fn a_key_is_replaced_and_other_digits_stay() {
    let key = "0f".repeat(32);
    assert_eq!(
        without_keys(&format!("a1 {key}\"")),
        "a1 <64 hexadecimal digits>\""
    );
    assert_eq!(without_keys("port 8081, abc"), "port 8081, abc");
}
