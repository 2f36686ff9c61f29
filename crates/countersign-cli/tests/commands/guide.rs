//! The section of the guide about the shell: its commands run.

use std::{fs, path::Path, process::Command};

use crate::folder::Folder;

const POLICY: &str = "[[statements]]\nid = \"billing reads accounts\"\neffect = \"allow\"\n\
                      callers = [\"billing\"]\nmethods = [\"GET\"]\npaths = [\"/api/account/*\"]\n";

const METRICS: &str = "\
countersign_key_last_use_timestamp_seconds{caller=\"billing\",key_version=\"2026-01\"} 1767323045
countersign_key_last_use_timestamp_seconds{caller=\"billing\",key_version=\"2026-07\"} 1767323045
";

#[cfg(unix)]
#[test]
fn the_commands_of_the_guide_run_one_after_the_other() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../GUIDE.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## From the shell\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("\n```sh\n").skip(1);
    let script: String = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert_eq!(script.matches("countersign ").count(), 9, "{script}");

    let folder = Folder::new();
    folder.with("policy.toml", POLICY);
    folder.with("metrics", METRICS);
    // The service of the guide is not there.
    let script = script
        .replace(" | curl -K -", "")
        .replace("http://user-service:9090/metrics", "metrics");
    let program = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-ec", &script])
        .current_dir(folder.path())
        .env(
            "PATH",
            format!("{}:{path}", program.parent().unwrap().display()),
        )
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("step 3 of 3, remove: "), "{said}");
}
