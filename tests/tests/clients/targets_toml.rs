//! The targets of a TOML file.

use countersign::{
    ConfigErrorKind, Keyring, SharedSigner, SignErrorKind, Signer, TargetSigners, Timestamp,
};
use tests::{
    directory::Directory,
    keys::{NOW, OTHER_SECRET, SECRET},
};
use tower_countersign::reload::Reload;

fn target(name: &str, authority: &str, more: &str) -> String {
    format!("[[targets]]\nname = \"{name}\"\nauthorities = [\"{authority}\"]\n{more}\n")
}

fn signed(name: &str, authority: &str, secret: &str) -> String {
    let more = format!("caller = \"as-{name}\"\nsecret_hex = \"{secret}\"");
    target(name, authority, &more)
}

/// Returns the caller in whose name a request for this authority is signed, or `None` if unsigned.
fn caller(
    signers: &TargetSigners,
    authority: &str,
    now: Timestamp,
) -> Result<Option<String>, SignErrorKind> {
    let url = format!("http://{authority}/");
    let (parts, ()) = http::Request::get(url).body(()).unwrap().into_parts();
    let signer = signers.select(&parts, now).map_err(|error| error.kind())?;
    Ok(signer.map(|signer| signer.caller().unwrap().to_string()))
}

#[test]
fn all_targets_of_a_file_are_one_set() {
    let rotating = target("c", "c:1", "caller = \"as-c\"")
        + &format!(
            "[[targets.keys]]\nversion = \"1\"\nnot_after = 2026-01-02T03:04:05Z\nsecret_hex = \"{SECRET}\"\n"
        );
    let text = signed("a", "a:1", SECRET)
        + &signed("b", "b:1", OTHER_SECRET)
        + &rotating
        + &target("d", "d:1", "unsigned = true");
    let signers = TargetSigners::from_toml(&text).unwrap();
    let earlier = NOW.saturating_sub(std::time::Duration::from_secs(1));
    for (authority, expected) in [
        ("a:1", Ok(Some("as-a"))),
        ("B:1", Ok(Some("as-b"))),
        ("c:1", Ok(Some("as-c"))),
        ("d:1", Ok(None)),
        ("e:1", Err(SignErrorKind::Authority)),
    ] {
        let found = caller(&signers, authority, earlier);
        assert_eq!(
            found,
            expected.map(|name| name.map(str::to_owned)),
            "{authority}"
        );
    }
    let over = caller(&signers, "c:1", NOW);
    assert_eq!(over, Err(SignErrorKind::Credentials));
}

#[test]
fn refuses_targets_that_contradict_each_other_or_themselves() {
    let a = signed("a", "a:1", SECRET);
    let callers = format!(
        "[[callers]]\nname = \"x\"\n[[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{SECRET}\"\n"
    );
    let unsigned =
        |more: &str| a.clone() + &target("b", "b:1", &format!("unsigned = true\n{more}"));
    for (name, text, kind, part) in [
        ("none", String::new(), ConfigErrorKind::Authority, "targets"),
        (
            "one authority",
            a.clone() + &signed("b", "A:1", OTHER_SECRET),
            ConfigErrorKind::Authority,
            "\"a\" and \"b\"",
        ),
        (
            "signed and unsigned",
            a.clone() + &target("b", "a:1", "unsigned = true"),
            ConfigErrorKind::Authority,
            "\"a\" and \"b\"",
        ),
        (
            "one name",
            a.clone() + &signed("a", "b:1", OTHER_SECRET),
            ConfigErrorKind::Name,
            "\"a\"",
        ),
        (
            "a caller's key",
            a.clone() + &callers,
            ConfigErrorKind::SharedKey,
            "",
        ),
        (
            "unsigned with a caller",
            unsigned("caller = \"x\""),
            ConfigErrorKind::File,
            "caller",
        ),
        (
            "unsigned with a key",
            unsigned(&format!("secret_hex = \"{OTHER_SECRET}\"")),
            ConfigErrorKind::File,
            "a key",
        ),
        (
            "unsigned with keys",
            unsigned(&format!(
                "[[targets.keys]]\nversion = \"1\"\nsecret_hex = \"{OTHER_SECRET}\""
            )),
            ConfigErrorKind::File,
            "keys",
        ),
        (
            "unsigned with covering",
            unsigned("covering = [\"x-a\"]"),
            ConfigErrorKind::File,
            "covering",
        ),
        (
            "unsigned with three headers",
            unsigned("insecure_three_headers = true"),
            ConfigErrorKind::File,
            "insecure_three_headers",
        ),
        (
            "unsigned without an authority",
            a.clone() + "[[targets]]\nname = \"b\"\nauthorities = []\nunsigned = true\n",
            ConfigErrorKind::Authority,
            "\"b\"",
        ),
        (
            "no caller",
            target("b", "b:1", &format!("secret_hex = \"{SECRET}\"")),
            ConfigErrorKind::File,
            "caller",
        ),
        (
            "no key",
            target("b", "b:1", "caller = \"x\""),
            ConfigErrorKind::Key,
            "b",
        ),
    ] {
        let error = TargetSigners::from_toml(&text).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(part), "{name}: {error}");
        assert!(!error.to_string().contains(SECRET), "{name}: {error}");
    }
}

#[test]
fn an_unsigned_target_has_no_signer_and_disturbs_no_keyring() {
    let text = target("d", "d:1", "unsigned = true")
        + &format!(
            "[[callers]]\nname = \"x\"\n[[callers.keys]]\nversion = \"1\"\nsecret_hex = \"{SECRET}\"\n"
        );
    for error in [
        Signer::from_toml(&text, "d").map(|_| ()).unwrap_err(),
        SharedSigner::from_toml(&text, "d").map(|_| ()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ConfigErrorKind::File);
        assert!(error.to_string().contains("unsigned"), "{error}");
    }
    assert!(Keyring::from_toml(&text).is_ok());
    assert!(TargetSigners::from_toml(&text).is_ok());
}

#[tokio::test]
async fn a_set_follows_its_file_and_keeps_its_content_while_the_file_is_bad() {
    let directory = Directory::new();
    let path = directory.write("targets.toml", &signed("a", "a:1", SECRET));
    let (signers, reloading) = Reload::new()
        .with_debounce(std::time::Duration::from_millis(1))
        .with_poll_interval(std::time::Duration::from_millis(10))
        .target_signers(&path)
        .unwrap();
    let mut health = reloading.health();
    assert_eq!(caller(&signers, "a:1", NOW), Ok(Some("as-a".to_owned())));
    assert_eq!(caller(&signers, "b:1", NOW), Err(SignErrorKind::Authority));

    let both = signed("a", "a:1", SECRET) + &signed("b", "b:1", OTHER_SECRET);
    directory.rename_in("targets.toml", &both);
    health
        .wait_for(|status| status.generation() == 2)
        .await
        .unwrap();
    assert_eq!(caller(&signers, "b:1", NOW), Ok(Some("as-b".to_owned())));

    let twice = both + &signed("c", "a:1", OTHER_SECRET);
    directory.rename_in("targets.toml", &twice);
    health.wait_for(|status| !status.is_good()).await.unwrap();
    assert_eq!(caller(&signers, "a:1", NOW), Ok(Some("as-a".to_owned())));
    assert_eq!(caller(&signers, "b:1", NOW), Ok(Some("as-b".to_owned())));
}

#[test]
fn a_target_through_a_tunnel_is_signed_for_the_host_in_the_file() {
    let more =
        format!("caller = \"a\"\nsecret_hex = \"{SECRET}\"\nsigned_host = \"accounts:8081\"");
    let signer = Signer::from_toml(&target("a", "127.0.0.1:9000", &more), "a").unwrap();
    let request = http::Request::get("http://127.0.0.1:9000/").body(());
    let (mut parts, ()) = request.unwrap().into_parts();
    signer.prepare_authority(&mut parts).unwrap();
    assert_eq!(parts.headers["host"], "accounts:8081");
    let digest = countersign::PayloadDigest::of(b"");
    assert!(signer.sign(&parts, digest, NOW).is_ok());

    let wrong = more.replace("accounts:8081", "accounts/8081");
    let error = Signer::from_toml(&target("a", "127.0.0.1:9000", &wrong), "a").unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Authority, "{error}");
    let unsigned = target("a", "a:1", "unsigned = true\nsigned_host = \"b\"");
    let error = TargetSigners::from_toml(&unsigned).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::File, "{error}");
}
