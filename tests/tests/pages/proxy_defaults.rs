//! The defaults of the proxies, as their configuration shows them.

use std::{collections::BTreeMap, path::Path};

use countersign_proxy::Config;

use super::defaults::{Values, bytes, time};

/// A file that sets nothing but what it must.
const LEAST: &str = r#"
version = 1

[[verify]]
listen = "127.0.0.1:0"
upstream = "http://127.0.0.1:8000"
expected_hosts = ["orders"]

[[sign]]
listen = "127.0.0.1:0"
upstream = "http://127.0.0.1:8001"

[[authz]]
listen = "127.0.0.1:0"
gateway = "line"
bodies = "none"
expected_hosts = ["orders"]
"#;

/// Returns the part of a text from the first `start` to the next `end`.
fn between<'t>(text: &'t str, start: &str, end: char) -> &'t str {
    let (_, after) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    after.split(end).next().unwrap()
}

/// Adds the defaults of the proxies.
pub(crate) fn add(found: &mut Values) {
    let config = Config::from_toml(LEAST, Path::new("/"), &BTreeMap::new()).unwrap();
    let config = format!("{config:?}");
    let mut limits = 0;
    for table in ["Connections", "Head", "Body", "UpstreamTimes"] {
        let fields = between(&config, &format!(" {table} {{ "), '}');
        let name = match table {
            "UpstreamTimes" => "upstream".to_owned(),
            _ => table.to_lowercase(),
        };
        for field in fields.trim_end().split(", ") {
            let (setting, value) = field.split_once(": ").unwrap();
            let value = match value.strip_suffix(" bytes") {
                Some(value) => bytes(value),
                None if value.ends_with('s') => time(value),
                None => value.to_owned(),
            };
            found.insert(format!("limits.{name}.{setting}"), value);
            limits += 1;
        }
    }
    assert_eq!(limits, 14);
    let drain = time(between(&config, "drain: ", ','));
    found.insert("drain".to_owned(), drain);

    let (before, signed) = config.split_once("Sign {").unwrap();
    let (signed, asked) = signed.split_once("Authz {").unwrap();
    let (_, verified) = before.split_once("Verify {").unwrap();
    for (setting, section, is, word) in [
        (
            "verify.accept",
            verified,
            "[Accept { scheme: HmacSha256,",
            "`HMAC-SHA256`",
        ),
        ("verify.open", verified, "open: []", "none"),
        ("verify.upgrades", verified, "upgrades: []", "none"),
        (
            "verify.policy",
            verified,
            "policy: None, allow_every_caller: false",
            "none",
        ),
        ("verify.trusted_hops", verified, "trusted_hops: 0", "0"),
        (
            "verify.keep_signature",
            verified,
            "keep_signature: false",
            "removed",
        ),
        ("identity.also", verified, "also: []", "none"),
        (
            "identity.secret_file",
            verified,
            "secret_file: None",
            "none",
        ),
        ("sign.public", signed, "public: false", "none"),
        (
            "sign.allow_browsers",
            signed,
            "allow_browsers: false",
            "none",
        ),
        ("authz.any_path", asked, "any_path: false", "refused"),
        ("replay", &config, "redis_url_file: None", "each process"),
    ] {
        assert!(section.contains(is), "{setting}: no {is} in {section}");
        found.insert(setting.to_owned(), word.to_owned());
    }
}
