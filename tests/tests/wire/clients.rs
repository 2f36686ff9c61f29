//! Section 11: the clients on the page are the files, and the files sign as the vectors say.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tests::{peer, vectors};

use crate::page;

const FILES: [(&str, &str); 4] = [
    ("python", "sign.py"),
    ("js", "sign.mjs"),
    ("go", "sign.go"),
    ("bash", "sign.sh"),
];

#[test]
fn each_client_on_the_page_is_its_file() {
    let section = page::section(11);
    for (language, file) in FILES {
        let [block] = page::blocks(&section, language)
            .try_into()
            .unwrap_or_else(|blocks| panic!("{file}: expected one block, found {blocks:?}"));
        let path = peer::path("wire").join(file);
        let content = fs::read_to_string(path).unwrap();
        assert_eq!(block, content, "{file}");
        let link = format!("[{file}](../tests/peers/wire/{file})");
        assert!(section.contains(&link), "{link}");
    }
}

/// The values that a client computed must be those of the case.
fn assert_signed(name: &str, case: &Value, canonical_request: &str, headers: &Value) {
    assert_eq!(case["canonical_request"], canonical_request, "{name}");
    for (header, member) in [
        ("host", "host"),
        ("x-date", "x_date"),
        ("x-content-sha256", "content_sha256"),
        ("x-nonce", "nonce"),
        ("authorization", "authorization"),
    ] {
        // Clients whose library sends the host leave it out of the headers.
        if header != "host" || !headers[header].is_null() {
            assert_eq!(headers[header], case[member], "{name}: {header}");
        }
    }
}

/// Has a client sign every case of a file.
fn signs_every_case(file: &str, client: &mut Command) {
    let vectors = vectors::own(file);
    let answers = peer::json(client, &vectors);
    let (answers, cases) = (
        answers.as_array().unwrap(),
        vectors["cases"].as_array().unwrap(),
    );
    assert!(cases.len() > 40, "{file}: {} cases", cases.len());
    assert_eq!(answers.len(), cases.len(), "{file}");
    for (case, answer) in cases.iter().zip(answers) {
        let name = format!("{file}: {}", case["name"]);
        let text = vectors::text(answer, "canonical_request");
        assert_signed(&name, case, text, &answer["headers"]);
    }
}

#[test]
#[ignore = "needs python3"]
fn the_client_in_python_signs_every_vector_of_hmac_sha256() {
    let mut client = Command::new("python3");
    client.arg(peer::path("wire/vectors.py"));
    signs_every_case("hmac-sha256.json", &mut client);
}

#[test]
#[ignore = "needs node"]
fn the_client_in_node_signs_every_vector() {
    for file in ["hmac-sha256.json", "ed25519.json"] {
        let mut client = Command::new("node");
        client.arg(peer::path("wire/vectors.mjs"));
        signs_every_case(file, &mut client);
    }
}

#[test]
#[ignore = "needs go"]
fn the_client_in_go_signs_every_vector() {
    for file in ["hmac-sha256.json", "ed25519.json"] {
        let mut client = Command::new("go");
        client
            .arg("run")
            .args(["wire/sign.go", "wire/vectors.go"].map(peer::path))
            // No C compiler, and a cache that needs no home.
            .env("CGO_ENABLED", "0")
            .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"));
        signs_every_case(file, &mut client);
    }
}

/// Calls the function of the script with its arguments, and prints what the function sets.
const SIGN: &str = r#". "$1" && shift && sign "$@" && printf '%s\0' "$TEXT" "${HEADERS[@]}""#;

#[test]
#[ignore = "needs bash, curl and openssl"]
fn the_client_in_bash_signs_every_vector() {
    let body = std::env::temp_dir().join(format!("countersign-wire-{}", std::process::id()));
    for file in ["hmac-sha256.json", "ed25519.json"] {
        let vectors = vectors::own(file);
        for case in vectors["cases"].as_array().unwrap() {
            let name = format!("{file}: {}", case["name"]);
            fs::write(&body, vectors::base64(case, "body_b64")).unwrap();
            let mut client = Command::new("bash");
            client
                .args(["-c", SIGN, "bash"])
                .arg(peer::path("wire/sign.sh"))
                .args(["method", "host", "target"].map(|member| vectors::text(case, member)))
                .arg(&body)
                .arg(vectors::text(case, "x_date"))
                .arg(case["nonce"].as_str().unwrap_or_default())
                .env("SCHEME", vectors::text(&vectors, "scheme"))
                .env("CALLER", vectors::text(case, "caller"))
                .env("KEY", vectors::text(case, "key_hex"));
            if let Some(value) = case["content_type"].as_str() {
                client.arg(format!("content-type:{value}"));
            }
            for header in case["extra_headers"].as_array().unwrap() {
                let [name, value] = [&header[0], &header[1]].map(|text| text.as_str().unwrap());
                client.arg(format!("{name}:{value}"));
            }
            let output = client.output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}: {errors}");
            let said = String::from_utf8(output.stdout).unwrap();
            let mut said = said.split_terminator('\0');
            let text = said.next().unwrap();
            let mut headers = json!({});
            for header in said {
                let (name, value) = header.split_once(':').unwrap();
                headers[name] = value.into();
            }
            assert_signed(&name, case, text, &headers);
        }
    }
    fs::remove_file(&body).unwrap();
}
