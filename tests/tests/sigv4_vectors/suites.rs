//! The suites of AWS, and the index of what others publish.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tests::vectors::{
    assert_count, base64, is_known_set, shared, shared_names, shared_root, shared_text, text,
};

use crate::{
    SUITE_DATE,
    case::{Case, Context, Counts, Used, parse_http, run},
};

/// All suites in one test, so that an entry of the tables of differences that none of them uses is
/// found.
#[test]
fn verifies_and_signs_every_case_and_no_listed_difference_is_left_over() {
    if shared_root().is_none_or(|root| !root.join("sigv4").exists()) {
        return;
    }
    let mut used = Used::default();
    index(&mut used);
    suite_of_aws(&mut used);
    older_suite_of_aws(&mut used);
    if is_known_set() {
        used.assert_all();
    }
}

/// Source: sigv4_index.json, see its README for the source of each case.
fn index(used: &mut Used) {
    let Some(index) = shared("sigv4/sigv4_index.json") else {
        return;
    };
    let cases = index["cases"].as_array().unwrap();
    let whole: Vec<_> = cases
        .iter()
        .filter(|case| case["mode"] != "string")
        .map(|case| Case {
            name: text(case, "id").to_owned(),
            context: Context::of(case),
            is_presigned: case["mode"] == "query",
            unsigned: parse_http(&base64(case, "request_b64")),
            signed: parse_http(&base64(case, "signed_request_b64")),
            canonical_request: text(case, "canonical_request").to_owned(),
            string_to_sign: text(case, "string_to_sign").to_owned(),
            signature: text(case, "signature").to_owned(),
        })
        .collect();
    let known = Counts {
        cases: 215,
        refused: 30,
        not_signed: 31,
    };
    run("sigv4_index.json", &whole, &known, used);
    // Strings that are signed with the derived key, but are not made of a request: a browser's POST
    // policy, and the GIT pseudo-method of CodeCommit, whose date has no Z.
    let strings: Vec<_> = cases
        .iter()
        .filter(|case| case["mode"] == "string")
        .collect();
    assert_count("sigv4_index.json: strings", strings.len(), 2);
}

/// Source: github.com/awslabs/aws-c-auth, tests/aws-signing-test-suite/v4, commit
/// 495329c2433034bd8fd53fc6ba9e0202d3fac876, read from its own files.
fn suite_of_aws(used: &mut Used) {
    const ROOT: &str = "sigv4/aws-c-auth/v4";
    let Some(root) = shared_root() else { return };
    let known = Counts {
        cases: 52,
        refused: 6,
        not_signed: 6,
    };
    let cases = suite(&root.join(ROOT), shared_names(ROOT));
    run(ROOT, &cases, &known, used);
}

/// Source: the aws-sigv4 crate, 1.6.4, which ships the suite with a dozen cases more. Two of its
/// folders have no context.json: they are in the index.
#[test]
fn verifies_and_signs_the_suite_that_the_crate_of_aws_ships() {
    let Some(source) = env::var_os("COUNTERSIGN_AWS_SIGV4") else {
        eprintln!("COUNTERSIGN_AWS_SIGV4 names no source folder of the crate: not run");
        return;
    };
    let root = PathBuf::from(source).join("aws-signing-test-suite/v4");
    let names = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap()).collect();
    let cases = suite(&root, names);
    let known = Counts {
        cases: 76,
        refused: 6,
        not_signed: 6,
    };
    let mut used = Used::default();
    run("aws-sigv4", &cases, &known, &mut used);
    used.assert_elsewhere();
}

fn suite(root: &Path, names: Vec<String>) -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in names {
        let file = |file: &str| {
            let path = root.join(&folder).join(file);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        if !root.join(&folder).join("context.json").exists() {
            continue;
        }
        let suite: Value = serde_json::from_str(&file("context.json")).unwrap();
        let credentials = &suite["credentials"];
        for mode in ["header", "query"] {
            let context = Context {
                access_key_id: text(credentials, "access_key_id").to_owned(),
                secret: text(credentials, "secret_access_key").to_owned(),
                session_token: credentials["token"].as_str().map(str::to_owned),
                region: text(&suite, "region").to_owned(),
                service: text(&suite, "service").to_owned(),
                normalize: suite["normalize"].as_bool().unwrap(),
                double: true,
                unsigned_payload: false,
                expires: suite["expiration_in_seconds"].as_u64(),
                signed_at: SUITE_DATE,
                verify_at: SUITE_DATE,
            };
            cases.push(Case {
                name: format!("aws-c-auth/{folder}/{mode}"),
                context,
                is_presigned: mode == "query",
                unsigned: parse_http(file("request.txt").as_bytes()),
                signed: parse_http(file(&format!("{mode}-signed-request.txt")).as_bytes()),
                canonical_request: file(&format!("{mode}-canonical-request.txt")),
                string_to_sign: file(&format!("{mode}-string-to-sign.txt")),
                signature: file(&format!("{mode}-signature.txt")),
            });
        }
    }
    cases
}

/// Source: github.com/awslabs/aws-c-auth v0.3.15, tests/aws-sig-v4-test-suite, as botocore 1.44.5
/// ships it. The signed request is the unsigned one with the value of the .authz file; the .sreq
/// file is in the index.
fn older_suite_of_aws(used: &mut Used) {
    const ROOT: &str = "sigv4/legacy";
    let mut cases = Vec::new();
    for folder in shared_names(ROOT) {
        let path = format!("{ROOT}/{folder}");
        if shared_text(&format!("{path}/{folder}.req")).is_none() {
            continue;
        }
        let file = |ending: &str| shared_text(&format!("{path}/{folder}.{ending}")).unwrap();
        let unsigned = parse_http(file("req").as_bytes());
        let authorization = file("authz");
        let mut signed = unsigned.clone().with("authorization", authorization.trim());
        let covers_token = file("creq").contains("x-amz-security-token:");
        let token = parse_http(file("sreq").as_bytes())
            .headers
            .into_iter()
            .find(|(name, _)| name == "x-amz-security-token")
            .map(|(_, token)| String::from_utf8(token).unwrap());
        if let Some(token) = &token {
            signed.set("x-amz-security-token", token);
        }
        // The index has the mistaken .sreq under the plain name.
        let name = match &*folder {
            "get-vanilla-with-session-token" => "legacy/get-vanilla-with-session-token.authz",
            _ => &format!("legacy/{folder}"),
        };
        assert!(token.is_some() || !covers_token, "{name}");
        let (_, signature) = authorization.trim().rsplit_once("Signature=").unwrap();
        cases.push(Case {
            name: name.to_owned(),
            context: Context {
                access_key_id: "AKIDEXAMPLE".to_owned(),
                secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
                session_token: token,
                region: "us-east-1".to_owned(),
                service: "service".to_owned(),
                normalize: true,
                double: true,
                unsigned_payload: false,
                expires: None,
                signed_at: SUITE_DATE,
                verify_at: SUITE_DATE,
            },
            is_presigned: false,
            unsigned,
            signed,
            canonical_request: file("creq"),
            string_to_sign: file("sts"),
            signature: signature.to_owned(),
        });
    }
    let known = Counts {
        cases: 23,
        refused: 2,
        not_signed: 2,
    };
    run(ROOT, &cases, &known, used);
}
