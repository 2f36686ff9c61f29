//! `policy check` and `policy test`: the statement that decides, and what no statement reaches.

use countersign_cli::Exit;

use crate::{
    folder::Folder,
    program::{Program, program},
    receiver::json,
};

const TOML: &str = r#"
[groups]
finance = ["billing", "audit"]

[[statements]]
id = "finance reads accounts"
effect = "allow"
callers = ["group:finance"]
methods = ["GET"]
paths = ["/api/account/*"]

[[statements]]
id = "billing deletes from inside"
effect = "allow"
callers = ["billing"]
methods = ["DELETE"]
paths = ["/api/account/*"]
when = { source_cidr = ["10.0.0.0/8"] }

[[statements]]
id = "keys are closed"
effect = "deny"
callers = ["*"]
methods = ["*"]
paths = ["/api/account/*/keys"]
"#;

const JSON: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "ours", "Effect": "Allow", "Principal": {"AWS": "111111111111"},
         "Action": "execute-api:Invoke", "Resource": "a1b2c3d4e5/prod/GET/api/*"},
        {"Sid": "theirs", "Effect": "Deny", "Principal": "*",
         "Action": "execute-api:Invoke", "Resource": "f6g7h8i9j0/*"}
    ]
}"#;

const API: &str = "--api eu-west-1/222222222222/a1b2c3d4e5/prod --account 111111111111=billing";

fn on(command: &str, file: &std::path::Path, rest: &str) -> Program {
    let program = program(command).with(file);
    rest.split_whitespace().fold(program, Program::with)
}

#[test]
fn the_deciding_statement_is_named() {
    let folder = Folder::new();
    let policy = folder.with("policy.toml", TOML);
    for (name, request, decision, statement) in [
        (
            "allowed",
            "--caller audit GET /api/account/7",
            "allowed",
            Some("finance reads accounts"),
        ),
        (
            "another caller",
            "--caller orders GET /api/account/7",
            "no_match",
            None,
        ),
        (
            "another method",
            "--caller audit POST /api/account/7",
            "no_match",
            None,
        ),
        (
            "denied",
            "--caller billing GET /api/account/7/keys",
            "denied",
            Some("keys are closed"),
        ),
        (
            "not plain",
            "--caller audit GET /api/account/%61",
            "not_plain",
            None,
        ),
        (
            "an unknown address",
            "--caller billing DELETE /api/account/7",
            "no_match",
            None,
        ),
        (
            "from inside",
            "--caller billing --source 10.1.2.3 DELETE /api/account/7",
            "allowed",
            Some("billing deletes from inside"),
        ),
        (
            "from outside",
            "--caller billing --source 192.0.2.1 DELETE /api/account/7",
            "no_match",
            None,
        ),
    ] {
        let outcome = on("--json policy test", &policy, request).run();
        let expected = if decision == "allowed" {
            Exit::Yes
        } else {
            Exit::No
        };
        let answer = json(&outcome.expect(expected));
        assert_eq!(answer["decision"], decision, "{name}: {answer}");
        assert_eq!(answer["statement"].as_str(), statement, "{name}: {answer}");
    }
}

#[test]
fn a_refusal_names_the_values_that_were_not_given() {
    let folder = Folder::new();
    let policy = folder.with("policy.toml", TOML);
    let request = "--caller billing --coverage request DELETE /api/account/7";
    let text = on("policy test", &policy, request).run().expect(Exit::No);
    assert_eq!(
        text,
        "no: no statement allows it\n\
         unknown, because not given: source, route, scheme, key_version\n"
    );
    let request = "--caller audit GET /api/account/7";
    let text = on("policy test", &policy, request).run().expect(Exit::Yes);
    assert_eq!(text, "yes: allowed by statement finance reads accounts\n");
}

#[test]
fn a_route_without_a_statement_is_found_and_one_that_is_closed_is_no_fault() {
    let folder = Folder::new();
    let policy = folder.with("policy.toml", TOML);
    let routes = folder.with(
        "routes",
        "# The routes of user-service.\nGET /api/account/{id}\n\nGET /api/account/{id}/keys\n",
    );
    let check = || on("policy check", &policy, "--routes-file").with(&routes);
    let text = check().run().expect(Exit::Yes);
    assert!(
        text.starts_with("loads: 3 statements\n  finance reads accounts\n"),
        "{text}"
    );
    let closed = "GET /api/account/{id}/keys: closed: only a deny reaches it\n";
    assert!(text.contains(closed), "{text}");
    let text = check()
        .with("--route")
        .with("POST /api/orders")
        .run()
        .expect(Exit::No);
    assert!(text.contains("1 of 3 routes can be allowed\n"), "{text}");
    assert!(
        text.contains("POST /api/orders: no statement reaches it\n"),
        "{text}"
    );
    let wrong = check().with("--route").with("POST").run();
    wrong.expect_error(Exit::Usage);
}

#[test]
fn a_policy_that_a_service_refuses_is_refused_with_its_line() {
    let folder = Folder::new();
    let policy = folder.with("policy.toml", &TOML.replace("\"DELETE\"", "\"delete\""));
    let text = on("policy check", &policy, "").run().expect(Exit::No);
    assert!(text.starts_with("refused: "), "{text}");
    assert!(
        text.contains("policy.toml: ") && text.contains("delete"),
        "{text}"
    );
    let answer = json(
        &on("--json policy check", &policy, "")
            .run()
            .expect(Exit::No),
    );
    assert_eq!(answer["loads"], false);
    let tested = on("policy test", &policy, "--caller a GET /").run();
    tested.expect_error(Exit::Usage);
    let missing = on("policy check", &folder.file("none.toml"), "").run();
    missing.expect_error(Exit::Unavailable);
}

#[test]
fn a_json_policy_is_about_the_service_that_is_named() {
    let folder = Folder::new();
    let policy = folder.with("policy.json", JSON);
    let answer = on("--json policy check", &policy, &format!("{API} --shared")).run();
    let answer = json(&answer.expect(Exit::Yes));
    assert_eq!(answer["unreachable"][0]["statement"], "theirs", "{answer}");
    assert_eq!(answer["unreachable"][0]["denies"], true, "{answer}");
    let refused = on("policy check", &policy, API).run().expect(Exit::No);
    assert!(refused.contains("f6g7h8i9j0"), "{refused}");
    let test = |caller: &str| {
        let request = format!("{API} --shared --caller {caller} GET /api/7");
        on("policy test", &policy, &request).run().exit
    };
    assert_eq!([test("billing"), test("audit")], [Exit::Yes, Exit::No]);
}

#[test]
fn arguments_that_do_not_fit_are_usage_errors() {
    let folder = Folder::new();
    let (toml, json) = (folder.with("a.toml", TOML), folder.with("a.json", JSON));
    for (name, file, rest) in [
        (
            "a JSON policy without the service",
            &json,
            "--caller a GET /",
        ),
        ("half a name", &json, "--api eu-west-1/2 --caller a GET /"),
        (
            "an account without callers",
            &json,
            "--api a/b/c/d --account 1 --caller a GET /",
        ),
        (
            "a TOML policy with one",
            &toml,
            "--api a/b/c/d --caller a GET /",
        ),
        ("a query", &toml, "--caller a GET /a?b"),
        ("a URL", &toml, "--caller a GET http://a/"),
        ("a caller", &toml, "--caller a=b GET /"),
        ("an address", &toml, "--caller a --source here GET /"),
    ] {
        let outcome = on("policy test", file, rest).run();
        assert_eq!(outcome.exit, Exit::Usage, "{name}: {outcome:?}");
    }
}
