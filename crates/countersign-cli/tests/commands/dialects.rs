//! `sign` and `verify` in each dialect of RFC 9421.

use countersign_cli::Exit;

use crate::{
    program::{Outcome, program},
    recorded::TemporaryFile,
};

const SEED: &str = "8e352375ef18312e4d1e5b0e91e50373f1136c9018e80d530efe8b01d36040f5";
const PUBLIC: &str = "8a06cc242850749fb271780c278f16df99b646da6d78c2cdaac0b9adb74a7782";
const THUMBPRINT: &str = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";
const NONCE: &str = "0123456789abcdef0123456789abcdef";
const AGENT: &str = "https://agent.example/keys";

const DIALECTS: [&str; 6] = [
    "strict",
    "curl",
    "web-bot-auth",
    "adcp-request-3.2",
    "adcp-request-3.1",
    "adcp-webhook",
];

/// Returns a request without a body that is signed in this dialect.
fn signed(dialect: &str) -> String {
    let mut signing = program("sign GET https://shop.example/orders?page=2 --key-env KEY")
        .with("--scheme")
        .with("message-signatures-ed25519")
        .with("--as")
        .with(THUMBPRINT)
        .with("--dialect")
        .with(dialect)
        .with("-H")
        .with(format!("signature-agent: sig1=\"{AGENT}\""))
        .variable("KEY", SEED);
    if dialect != "curl" {
        // With another nonce, the signature in base64url may have no byte that Base64 lacks.
        signing = signing.with("--nonce").with(NONCE);
    }
    let headers = signing.run().expect(Exit::Yes);
    format!(
        "GET /orders?page=2 HTTP/1.1\r\nhost: shop.example\r\n\
         signature-agent: sig1=\"{AGENT}\"\r\n{}\r\n",
        headers.replace('\n', "\r\n")
    )
}

fn verify(record: &str, dialect: Option<&str>) -> Outcome {
    // Web Bot Auth knows a key by its publisher too.
    let key_id = match dialect {
        Some("web-bot-auth") => format!("{AGENT} {THUMBPRINT}"),
        _ => THUMBPRINT.to_owned(),
    };
    let keys = format!(
        "[[callers]]\nname = \"billing\"\n\n[[callers.keys]]\nversion = \"1\"\n\
         scheme = \"RFC 9421\"\ned25519_public_key_hex = \"{PUBLIC}\"\nkey_id = \"{key_id}\"\n"
    );
    let keys = TemporaryFile::new("dialects.toml", keys);
    let mut run = program("verify --uri-scheme https --keys").with(keys.path());
    if let Some(dialect) = dialect {
        run = run.with("--dialect").with(dialect);
    }
    run.stdin(record).run()
}

#[test]
fn a_dialect_accepts_what_it_signs_and_of_the_others_only_what_meets_its_rules() {
    let mut accepted = Vec::new();
    for signed_in in DIALECTS {
        let record = signed(signed_in);
        assert_eq!(verify(&record, Some(signed_in)).exit, Exit::Yes, "{record}");
        for other in DIALECTS.into_iter().filter(|other| *other != signed_in) {
            match verify(&record, Some(other)).exit {
                Exit::Yes => accepted.push((signed_in, other)),
                exit => assert_eq!(exit, Exit::No, "{signed_in}, {other}"),
            }
        }
    }
    // The URI has host, path and query, and these two accept any tag.
    let expected = ["strict", "curl"].map(|other| ("adcp-request-3.2", other));
    assert_eq!(accepted, expected);
}

#[test]
fn the_default_is_strict() {
    assert_eq!(verify(&signed("strict"), None).exit, Exit::Yes);
    assert_eq!(verify(&signed("curl"), None).exit, Exit::No);
}

#[test]
fn a_dialect_of_another_scheme_has_no_effect_and_is_refused() {
    let outcome = program("sign GET http://a.test/ --as billing --key-env KEY --dialect curl")
        .variable("KEY", SEED)
        .run();
    assert_eq!(outcome.exit, Exit::Usage, "{outcome:?}");
    assert!(outcome.stderr.contains("--dialect"), "{outcome:?}");
}
