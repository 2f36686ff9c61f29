//! What a verifying proxy must be told before it starts.

use std::{collections::BTreeMap, path::Path};

use countersign_proxy::Config;

use crate::support::{
    directory::Directory,
    proxy::{HOST, KEYS},
    signed::keys_toml,
};

#[test]
fn a_proxy_that_could_let_strangers_in_does_not_start() {
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    directory.write("short", "0123456789abcde\n");
    let check = |from: &str, to: &str| {
        let text = format!(
            "{KEYS}[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:1\"\n\
             expected_hosts = [\"{HOST}\"]\nallow_every_caller = true\n"
        );
        let config = read(&text.replace(from, to), directory.path());
        let checked = config.and_then(|config| config.check());
        checked
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let all = "allow_every_caller = true";
    let webhooks = "accept = [{ scheme = \"standard-webhooks\", caller = \"billing\", routes = \
                    [\"POST /hook\"] }]\nupgrades = [\"GET /ws\"]\nallow_every_caller = true";
    for (name, from, to, expected) in [
        ("it starts at all", "", "", ""),
        ("no hosts", "[\"orders:8443\"]", "[]", "expected_hosts"),
        ("no policy", all, "", "neither"),
        (
            "two policies",
            all,
            "allow_every_caller = true\npolicy = \"policy.toml\"",
            "both",
        ),
        (
            "an upstream of others",
            "http://127.0.0.1:1",
            "http://192.0.2.1:1",
            "identity.secret_file",
        ),
        (
            "an upstream by name",
            "http://127.0.0.1:1",
            "http://orders:1",
            "identity.secret_file",
        ),
        (
            "an upstream with a path",
            "http://127.0.0.1:1",
            "http://127.0.0.1:1/a",
            "upstream",
        ),
        (
            "a short secret",
            all,
            "allow_every_caller = true\nidentity = { secret_file = \"short\" }",
            "at least 16",
        ),
        (
            "an open pattern",
            all,
            "allow_every_caller = true\nopen = [\"GET /*/../a\"]",
            "plain path",
        ),
        (
            "an open write",
            all,
            "allow_every_caller = true\nopen = [\"POST /a\"]",
            "GET or HEAD",
        ),
        (
            "a tunnel whose path is not signed",
            all,
            webhooks,
            "upgrades",
        ),
        (
            "an unknown scheme",
            all,
            "allow_every_caller = true\naccept = [{ scheme = \"none\" }]",
            "unknown variant",
        ),
        (
            "no scheme",
            all,
            "allow_every_caller = true\naccept = []",
            "at least one scheme",
        ),
        (
            "sigv4 without a region",
            all,
            "allow_every_caller = true\naccept = [{ scheme = \"sigv4\" }]",
            "region",
        ),
        (
            "keys that are not there",
            "keys.toml",
            "none.toml",
            "none.toml",
        ),
        ("no section", "[[verify]]", "[x]", "unknown field"),
        ("another version", "version = 1", "version = 2", "version"),
    ] {
        let found = check(from, to);
        assert!(found.contains(expected), "{name}: {found}");
        assert_eq!(found.is_empty(), expected.is_empty(), "{name}: {found}");
    }
}

#[test]
fn a_file_is_read_with_paths_relative_to_it() {
    let directory = Directory::new();
    directory.write("keys.toml", &keys_toml());
    directory.write(
        "proxy.toml",
        &format!(
            "{KEYS}[[verify]]\nlisten = \"127.0.0.1:0\"\nupstream = \"unix:/run/orders.sock\"\n\
             expected_hosts = [\"{HOST}\"]\nallow_every_caller = true\n"
        ),
    );
    let path = directory.path().join("proxy.toml");
    Config::from_file(&path).unwrap().check().unwrap();
    directory.write("proxy.toml", "version = 1\nverfiy = []\n");
    let refused = Config::from_file(&path).unwrap_err().to_string();
    assert!(
        refused.contains("proxy.toml: line 2, column 1"),
        "{refused}"
    );
}

fn read(text: &str, directory: &Path) -> Result<Config, countersign::ConfigError> {
    Config::from_toml(text, directory, &BTreeMap::new())
}
