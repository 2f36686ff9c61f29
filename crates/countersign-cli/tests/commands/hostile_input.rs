//! Files and arguments of any content end with an exit code, never with a panic.

use countersign_cli::Exit;
use proptest::prelude::*;

use crate::{folder::Folder, program::program};

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

fn keys() -> String {
    format!(
        "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\n\
         secret_hex = \"{SECRET}\"\nnot_after = 2026-07-01T00:00:00Z\n"
    )
}

const POLICY: &str = "[[statements]]\nid = \"a\"\neffect = \"allow\"\ncallers = [\"*\"]\n\
                      methods = [\"GET\"]\npaths = [\"/a/*\"]\nwhen = { route = [\"/a/{id}\"] }\n";

/// An answer is on one of the two outputs.
fn says_something(stdout: &str, stderr: &str) -> bool {
    !stdout.trim().is_empty() || !stderr.trim().is_empty()
}

/// Replaces a part of a text with other characters.
fn changed(text: String) -> impl Strategy<Value = String> {
    let length = text.len();
    (0..=length, 0..=8_usize, ".{0,6}").prop_map(move |(start, cut, other)| {
        let end = (start + cut).min(length);
        format!("{}{other}{}", &text[..start], &text[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_file_of_any_bytes_has_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for command in [
            "keys check -",
            "--json keys check -",
            "policy check -",
            "policy test - GET /a --caller billing",
            "sign GET http://a/ --keys - --target a",
            "sign GET http://a/ --as a --key-file -",
            "sign GET http://a/ --as a --scheme ed25519 --key-file -",
            "sign GET http://a/ --scheme webhook-ed25519 --key-file -",
        ] {
            let ran = program(command).stdin(bytes.clone()).run();
            prop_assert!(says_something(&ran.stdout, &ran.stderr), "{command}");
        }
    }

    #[test]
    fn a_key_file_with_a_change_has_an_answer_without_its_secret(text in changed(keys())) {
        let folder = Folder::new();
        let path = folder.with("keys.toml", &text);
        let checked = program("keys check").with(&path).run();
        let rotated = program("keys rotate --dry-run").with(&path).with("billing").run();
        for said in [checked.stdout, checked.stderr, rotated.stdout, rotated.stderr] {
            prop_assert!(!said.contains(&SECRET[8..40]), "{said}");
        }
        if rotated.exit == Exit::Yes {
            prop_assert_eq!(checked.exit, Exit::Yes);
        }
    }

    #[test]
    fn a_policy_with_a_change_has_an_answer(text in changed(POLICY.to_owned())) {
        let route = program("policy check --route").with("GET /a/{id}").with("-");
        let checked = route.stdin(text.clone()).run();
        let tested = program("policy test - GET /a/7 --caller billing").stdin(text).run();
        prop_assert!(says_something(&checked.stdout, &checked.stderr));
        prop_assert!(says_something(&tested.stdout, &tested.stderr));
        // A policy that cannot be loaded allows nothing.
        if tested.exit == Exit::Yes {
            prop_assert!(!checked.stdout.is_empty(), "{}", checked.stderr);
        }
    }

    #[test]
    fn a_request_of_any_arguments_has_an_answer(
        method in ".{0,8}",
        url in prop_oneof!["http://.{0,20}", ".{0,20}", Just("http://a/b?c".to_owned())],
        header in prop_oneof![".{0,20}", "[a-z]{1,5}:.{0,9}"],
        data in ".{0,20}",
        nonce in prop_oneof![".{0,20}", Just("ab1ea77da142027bdccf911146307534".to_owned())],
    ) {
        for output in ["--curl", "--curl-config", "--show=canonical", "--json"] {
            // A body that begins with @ is the name of a file.
            let data = data.replace('@', "");
            let outcome = program("sign")
                .with(output)
                .with("--as=billing")
                .with("--key-env=KEY")
                .with(format!("--nonce={nonce}"))
                .with(format!("--header={header}"))
                .with(format!("--data={data}"))
                .with("--")
                .with(&method)
                .with(&url)
                .variable("KEY", SECRET)
                .run();
            prop_assert!(!outcome.stdout.contains(SECRET));
        }
    }
}
