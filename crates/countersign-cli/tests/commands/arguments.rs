//! The arguments that all commands share: help, version, JSON, colours and exit codes.

use countersign_cli::Exit;

use crate::{
    program::{Program, program},
    receiver::json,
};

#[test]
fn help_and_version_are_answers() {
    let version = program("--version").run().expect(Exit::Yes);
    assert_eq!(
        version,
        format!("countersign {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = program("--help").run().expect(Exit::Yes);
    assert!(help.contains("Exit codes: 0 yes, 1 no"), "{help}");
}

#[test]
fn a_wrong_argument_is_a_usage_error() {
    for (name, arguments) in [
        ("no command", ""),
        ("an unknown command", "singe"),
        ("an unknown option", "keygen --nothing"),
        ("half a command", "keys"),
    ] {
        let outcome = program(arguments).run();
        assert_eq!(outcome.exit, Exit::Usage, "{name}: {outcome:?}");
        assert!(!outcome.stderr.is_empty(), "{name}");
        assert_eq!(outcome.stdout, "", "{name}");
    }
}

#[test]
fn an_argument_that_may_be_a_key_is_not_shown() {
    let key = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";
    for arguments in [
        format!("keygen {key}"),
        format!("keygen --key={key}"),
        format!("keygen --scheme {key}"),
        key.to_owned(),
    ] {
        let error = program(&arguments).run().expect_error(Exit::Usage);
        assert!(!error.contains(key), "{error}");
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let is_colored = |program: Program| program.run().stderr.contains('\u{1b}');
    assert!(!is_colored(program("singe")));
    assert!(is_colored(program("singe").on_a_terminal()));
    let without = program("singe").on_a_terminal().variable("NO_COLOR", "1");
    assert!(!is_colored(without));
    let dumb = program("singe").on_a_terminal().variable("TERM", "dumb");
    assert!(!is_colored(dumb));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    for (command, title) in [
        ("man", ".TH countersign 1"),
        ("man keygen", ".TH countersign-keygen 1"),
        ("man keys rotate", ".TH countersign-keys-rotate 1"),
    ] {
        let page = program(command).stdin("not read").run().expect(Exit::Yes);
        assert!(page.contains(title), "{page}");
    }
    let unknown = program("man keys lose").run().expect_error(Exit::Usage);
    assert!(unknown.contains("\"lose\""), "{unknown}");
}

#[test]
fn the_completions_of_every_shell_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = program("completions").with(shell).run().expect(Exit::Yes);
        assert!(script.contains("keygen"), "{shell}");
    }
}

#[test]
fn an_error_is_on_standard_error_and_with_json_on_standard_output_too() {
    let error = "variable KEY: not set";
    let arguments = "sign GET http://a/ --as a --key-env KEY";
    let text = program(arguments).run();
    assert_eq!((text.exit, &*text.stdout), (Exit::Unavailable, ""));
    assert_eq!(text.stderr, format!("error: {error}\n"));
    let outcome = program(&format!("--json {arguments}")).run();
    assert_eq!(outcome.stderr, format!("error: {error}\n"));
    let answer = json(&outcome.stdout);
    assert_eq!(answer["error"]["exit"], 3);
    assert_eq!(answer["error"]["message"], error);
}
