//! Policies in JSON, and the variables for the parts of resource names.

use countersign::{Secret, Signer, SigningKey};
use http::Request;

use crate::{
    calls::{NEW, OLD, send, sign},
    operation::Folder,
    process::{Process, output},
};

const API: [(&str, &str); 5] = [
    ("POLICY_REGION", "ap-south-1"),
    ("POLICY_ACCOUNT", "121212121212"),
    ("POLICY_API", "k3y0fth3ap1"),
    ("POLICY_STAGE", "beta"),
    ("POLICY_ACCOUNTS", r#"{"343434343434":["billing"]}"#),
];

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::343434343434:root"},
     "Action":"execute-api:Invoke",
     "Resource":"arn:aws:execute-api:ap-south-1:121212121212:k3y0fth3ap1/beta/GET/api/account/*"},
    {"Sid":"closed","Effect":"Deny","Principal":"*","Action":"execute-api:Invoke",
     "Resource":"k3y0fth3ap1/*/GET/api/account/13"}]}"#;

const OF_ANOTHER_API: &str =
    r#"{"Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"another/*"}"#;

fn secrets() -> String {
    format!(r#"{{"billing":"{OLD}","audit":"{NEW}"}}"#)
}

async fn status(process: &Process, caller: &str, key: &str, path: &str) -> u16 {
    let key = SigningKey::hmac_sha256(&Secret::from_hex(key).unwrap());
    let signer = Signer::new(caller, key, [process.authority()]).unwrap();
    let uri = format!("http://{}{path}", process.authority());
    let request = sign(&signer, Request::get(uri).body("").unwrap());
    send(request).await.0
}

async fn judges(process: &Process) {
    for (caller, key, path, expected) in [
        ("billing", OLD, "/api/account/7", 200),
        ("billing", OLD, "/api/account/13", 403),
        ("audit", NEW, "/api/account/7", 403),
    ] {
        let found = status(process, caller, key, path).await;
        assert_eq!(found, expected, "{caller} {path}");
    }
}

#[tokio::test]
async fn a_policy_of_an_api_is_about_this_service_where_variables_say_so() {
    let folder = Folder::new();
    let path = folder.write("policy.json", POLICY);
    let secrets = secrets();
    let service = [("SERVICE_SECRETS", &*secrets), ("POLICY_FILE", &*path)];
    let named = Process::start(&[&service[..], &API[..]].concat());
    judges(&named).await;

    let accounts = API.last().copied().into_iter();
    let unnamed: Vec<_> = service.into_iter().chain(accounts).collect();
    let error = refused(&unnamed);
    assert!(
        error.contains("policy.json: line 4, column 17: statement 1: "),
        "{error}"
    );
    assert!(
        error.contains("expected the region \"us-east-1\", found \"ap-south-1\""),
        "{error}"
    );
}

#[tokio::test]
async fn a_policy_of_several_apis_is_taken_where_a_variable_says_so() {
    let folder = Folder::new();
    let text = POLICY.replace(
        "\"Statement\":[",
        &format!("\"Statement\":[{OF_ANOTHER_API},"),
    );
    let path = folder.write("policy.json", &text);
    let secrets = secrets();
    let service = [("SERVICE_SECRETS", &*secrets), ("POLICY_FILE", &*path)];
    let named = [&service[..], &API[..]].concat();
    for shared in [&[][..], &[("POLICY_SHARED", "false")]] {
        let error = refused(&[&named[..], shared].concat());
        assert!(error.contains("found \"another\""), "{error}");
    }
    let shared = Process::start(&[&named[..], &[("POLICY_SHARED", "true")]].concat());
    judges(&shared).await;
}

#[test]
fn refuses_wrong_variables_and_those_that_nothing_reads() {
    let folder = Folder::new();
    let json = folder.write("policy.json", POLICY);
    let toml = folder.write(
        "policy.toml",
        "[[statements]]\nid = \"1\"\neffect = \"allow\"\ncallers = [\"*\"]\n\
         methods = [\"GET\"]\npaths = [\"/**\"]\n",
    );
    let secrets = secrets();
    for (name, file, variable, says) in [
        ("a wildcard", Some(&json), ("POLICY_API", "*"), "POLICY_API"),
        (
            "an empty stage",
            Some(&json),
            ("POLICY_STAGE", ""),
            "stage \"\"",
        ),
        (
            "no JSON",
            Some(&json),
            ("POLICY_ACCOUNTS", "343434343434"),
            "POLICY_ACCOUNTS",
        ),
        (
            "no list",
            Some(&json),
            ("POLICY_ACCOUNTS", r#"{"3":"billing"}"#),
            "POLICY_ACCOUNTS",
        ),
        (
            "nobody",
            Some(&json),
            ("POLICY_ACCOUNTS", r#"{"3":[]}"#),
            "expected at least one caller",
        ),
        (
            "an account twice",
            Some(&json),
            ("POLICY_ACCOUNTS", r#"{"3":["a"],"3":["b"]}"#),
            "account 3: listed twice",
        ),
        (
            "neither",
            Some(&json),
            ("POLICY_SHARED", "yes"),
            "POLICY_SHARED: expected true or false",
        ),
        (
            "a policy in TOML",
            Some(&toml),
            ("POLICY_API", "x"),
            "POLICY_API: expected to be unset, because POLICY_FILE does not end in .json",
        ),
        (
            "no policy",
            None,
            ("POLICY_SHARED", "true"),
            "POLICY_SHARED: expected to be unset, because POLICY_FILE is not set",
        ),
    ] {
        let mut variables = vec![("SERVICE_SECRETS", &*secrets), variable];
        variables.extend(file.map(|path| ("POLICY_FILE", &**path)));
        let error = refused(&variables);
        assert!(error.contains(says), "{name}: {error}");
    }
}

/// Returns the error text of a program that does not start.
fn refused(variables: &[(&str, &str)]) -> String {
    let output = output(variables);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    error
}
