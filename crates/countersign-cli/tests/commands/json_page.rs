//! JSON.md: each example has the shape of what the program writes.

use std::{collections::BTreeMap, fs, mem::discriminant, path::Path};

use serde_json::Value;

use crate::{
    folder::Folder,
    probe,
    program::{Program, program},
    receiver::json,
    recorded::{HOST, Signed, keys},
};

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("JSON.md")).unwrap()
}

/// The examples of each section.
fn examples() -> BTreeMap<String, Vec<Value>> {
    let page = page();
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| {
            let (title, rest) = section.split_once('\n').unwrap();
            let blocks = rest.split("\n```json\n").skip(1);
            let blocks = blocks.map(|block| json(block.split("\n```").next().unwrap()));
            (title.to_owned(), blocks.collect())
        })
        .collect()
}

/// Requires that two values have one shape. `null` has the shape of any value.
fn assert_shape(place: &str, example: &Value, found: &Value) {
    match (example, found) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(example), Value::Object(found)) => {
            let names = |object: &serde_json::Map<String, Value>| -> Vec<String> {
                object.keys().cloned().collect()
            };
            assert_eq!(names(example), names(found), "{place}");
            for (name, value) in example {
                assert_shape(&format!("{place}.{name}"), value, &found[name]);
            }
        }
        (Value::Array(example), Value::Array(found)) => {
            assert!(!found.is_empty(), "{place}: the run shows no element");
            for value in found {
                assert_shape(&format!("{place}[]"), &example[0], value);
            }
        }
        _ => assert_eq!(
            discriminant(example),
            discriminant(found),
            "{place}: {example} in the page, {found} in the program"
        ),
    }
}

/// A command about a recorded request, with an assumed setting and a note.
fn recorded(folder: &Folder, command: &str, record: &str) -> Program {
    let text = fs::read_to_string(keys("ED25519").path()).unwrap();
    program(&format!("--json {command} --keys"))
        .with(folder.with("callers.toml", &text))
        .stdin(record)
}

/// A run of each section, whose lists are not empty.
fn runs(folder: &Folder) -> Vec<(&'static str, usize, Program)> {
    let keys = folder.with(
        "keys.toml",
        &format!(
            "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"2025-10\"\n\
             not_after = 2026-01-12T03:04:05Z\nsecret_hex = \"{SECRET}\"\n"
        ),
    );
    let metrics = folder.with(
        "metrics",
        "countersign_key_last_use_timestamp_seconds{caller=\"billing\",key_version=\"1\"} 1\n",
    );
    let policy = folder.with(
        "policy.json",
        r#"{"Version": "2012-10-17", "Statement": [
            {"Sid": "ours", "Effect": "Allow", "Principal": "*",
             "Action": "execute-api:Invoke", "Resource": "a1/prod/GET/api/*"},
            {"Sid": "theirs", "Effect": "Deny", "Principal": "*",
             "Action": "execute-api:Invoke", "Resource": "f6/*"}]}"#,
    );
    let record = Signed::in_scheme("ED25519").without_length();
    let other_host = record.replace(HOST, "user-service.internal");
    let api = |command: &str| {
        program(&format!(
            "--json policy {command} --api eu-west-1/2/a1/prod --shared"
        ))
        .with(&policy)
    };
    let signing = |command: &str| {
        program(&format!(
            "--json {command} GET http://a/ --as billing --key-env KEY"
        ))
        .variable("KEY", SECRET)
    };
    vec![
        (
            "error",
            0,
            program("--json sign GET http://a/ --as a --key-env KEY"),
        ),
        ("keygen", 0, program("--json keygen --scheme sigv4")),
        ("keygen", 1, program("--json keygen --scheme ed25519")),
        ("keys check", 0, program("--json keys check").with(&keys)),
        (
            "keys rotate",
            0,
            program("--json keys rotate")
                .with(&keys)
                .with("billing")
                .with("--used")
                .with(metrics),
        ),
        ("sign", 0, signing("sign")),
        (
            "presign",
            0,
            signing("presign --scheme sigv4 --region eu --service users"),
        ),
        (
            "policy check",
            0,
            api("check").with("--route").with("POST /api/orders"),
        ),
        (
            "policy test",
            0,
            api("test --caller billing").with("GET").with("/api/7"),
        ),
        ("verify", 0, recorded(folder, "verify", &record)),
        (
            "explain",
            0,
            recorded(folder, "explain", &other_host)
                .with("--at")
                .with("2026-02-01T00:00:00Z")
                .with("--theirs")
                .with(folder.with("theirs", "POST\n")),
        ),
        (
            "probe",
            0,
            program("--json probe --as billing --key-env KEY")
                .with(format!("http://{}/api", probe::careless()))
                .variable("KEY", SECRET),
        ),
        (
            "vectors run",
            0,
            program("--json vectors run --command").with("sh -c 'while read -r x; do echo; done'"),
        ),
        (
            "config check",
            0,
            program("--json config check").with(&keys),
        ),
        ("completions", 0, program("--json completions fish")),
        ("man", 0, program("--json man keygen")),
    ]
}

#[test]
fn each_example_of_the_page_has_the_shape_of_a_run() {
    let folder = Folder::new();
    let examples = examples();
    let held: Vec<_> = runs(&folder).iter().map(|(section, ..)| *section).collect();
    for (section, at, run) in runs(&folder) {
        let example = &examples[section][at];
        assert_shape(section, example, &json(&run.run().stdout));
    }
    for (section, blocks) in &examples {
        let runs = held.iter().filter(|of| *of == section).count();
        assert_eq!(blocks.len(), runs, "{section}: each example has a run");
    }
}
