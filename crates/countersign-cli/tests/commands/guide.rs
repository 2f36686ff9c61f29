//! The section of the guide about the shell: its commands run.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::{
    folder::Folder,
    program::NOW,
    recorded::{Signed, keys},
};

const POLICY: &str = "[[statements]]\nid = \"billing reads accounts\"\neffect = \"allow\"\n\
                      callers = [\"billing\"]\nmethods = [\"GET\"]\npaths = [\"/api/account/*\"]\n";

const METRICS: &str = "\
countersign_key_last_use_timestamp_seconds{caller=\"billing\",key_version=\"2026-01\"} 1767323045
countersign_key_last_use_timestamp_seconds{caller=\"billing\",key_version=\"2026-07\"} 1767323045
";

/// Returns the commands of a section.
fn script(title: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../GUIDE.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(&format!("\n## {title}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("\n```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Runs commands with this program, in a folder.
fn shell(options: &str, script: &str, folder: &Folder) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.args([options, script]).current_dir(folder.path());
    shell.env("PATH", path).output().unwrap()
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_guide_explain_a_refusal() {
    let folder = Folder::new();
    let signed = Signed::at("HMAC-SHA256", "user-service:8081", NOW);
    let record = String::from_utf8(signed.raw()).unwrap();
    folder.with("request", &record.replace(" /api/", " /"));
    let callers = fs::read_to_string(keys("HMAC-SHA256").path()).unwrap();
    folder.with("callers.toml", &callers);
    let script = script("Find out why a request is refused");
    let said = String::from_utf8(shell("-c", &script, &folder).stdout).unwrap();
    assert!(said.contains("path_prefix_stripped"), "{said}");
    let page = fs::read_to_string(folder.file("refusal.html")).unwrap();
    assert!(page.contains("path_prefix_stripped"), "{page}");
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_guide_run_one_after_the_other() {
    let script = script("From the shell");
    assert_eq!(script.matches("countersign ").count(), 9, "{script}");

    let folder = Folder::new();
    folder.with("policy.toml", POLICY);
    folder.with("metrics", METRICS);
    // The service of the guide is not there.
    let script = script
        .replace(" | curl -K -", "")
        .replace("http://user-service:9090/metrics", "metrics");
    let output = shell("-ec", &script, &folder);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("step 3 of 3, remove: "), "{said}");
}

/// What the section says that its last commands print, line by line.
fn shown(title: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../GUIDE.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once(&format!("\n## {title}\n")).unwrap();
    let (_, shown) = section.split_once("\n```text\n").unwrap();
    shown.split("```").next().unwrap().to_owned()
}

fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[cfg(unix)]
#[test]
#[ignore = "needs Python and curl"]
fn the_commands_of_the_guide_protect_a_python_service() {
    let title = "Protect a Python service in ten minutes";
    let script = script(title);
    let (service, proxy) = (free_port(), free_port());
    let script = script.replace("127.0.0.1:8080", &proxy);
    let script = script.replace("127.0.0.1:8000", &service);
    let (_, port) = service.split_once(':').unwrap();
    let script = script.replace("\"127.0.0.1\", 8000", &format!("\"127.0.0.1\", {port}"));
    assert!(!script.contains("8000"), "{script}");
    let folder = Folder::new();
    let output = shell("-ec", &script, &folder);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with(&shown(title)), "{said}");
}
