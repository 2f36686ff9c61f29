//! Sections 2 to 4: the grammar, the limits and the lists, against the library.

use std::collections::BTreeSet;

use countersign::{HeadLimits, KeyId, Nonce, PayloadDigest, Verifier};
use http::{HeaderName, Method};
use tests::{
    keys::{NOW, SECRET, hmac_key, signer},
    signed,
};
use tower_countersign::BodyLimits;

use crate::page;

/// How every list of covered headers begins.
const START: &str = "host;x-date;x-content-sha256";

/// The definition of a rule, without comments, on one line.
fn rule(name: &str) -> String {
    let [grammar] = page::blocks(&page::section(2), "abnf").try_into().unwrap();
    let lines = grammar.lines().map(|line| {
        // The only semicolon that begins no comment is quoted.
        line.split(" ; ").next().unwrap().trim_end()
    });
    let mut found: Option<String> = None;
    for line in lines {
        match (&mut found, line.split_once(" = ")) {
            (None, Some((rule, definition))) if rule.trim_end() == name => {
                found = Some(definition.to_owned());
            }
            (Some(definition), None) if line.starts_with(' ') => definition.push_str(line),
            (Some(_), _) => break,
            (None, _) => {}
        }
    }
    found.unwrap_or_else(|| panic!("expected the rule {name}, found none"))
}

/// The characters of a rule that is one set of characters: values, ranges, quoted characters and
/// rules of one character.
fn characters(rule: &str) -> BTreeSet<char> {
    let inside = rule.split_once('(').unwrap().1.rsplit_once(')').unwrap().0;
    let hex = |digits: &str| u8::from_str_radix(digits, 16).unwrap();
    let mut set = BTreeSet::new();
    for part in inside.split(" / ").map(str::trim) {
        let range = match part {
            "DIGIT" => b'0'..=b'9',
            "LOWER" => b'a'..=b'z',
            _ => match (part.strip_prefix("%x"), part.strip_prefix('"')) {
                (Some(range), _) => {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    hex(first)..=hex(last)
                }
                (None, Some(quoted)) => quoted.as_bytes()[0]..=quoted.as_bytes()[0],
                (None, None) => panic!("expected a set, found {part:?}"),
            },
        };
        set.extend(range.map(char::from));
    }
    set
}

fn ascii() -> impl Iterator<Item = char> {
    (0..=0x7f_u8).map(char::from)
}

#[test]
fn the_grammar_of_callers_is_the_librarys() {
    let set = characters(&rule("caller"));
    for character in ascii() {
        let is_taken = KeyId::new(&character.to_string()).is_ok();
        assert_eq!(set.contains(&character), is_taken, "{character:?}");
    }
    assert!(rule("caller").starts_with("1*128("));
    assert!(KeyId::new(&"a".repeat(128)).is_ok());
    assert!(KeyId::new(&"a".repeat(129)).is_err());
}

#[test]
fn the_grammar_of_names_is_that_of_field_names_without_capitals() {
    let set = characters(&rule("name"));
    for character in ascii() {
        let is_name = HeaderName::try_from(character.to_string()).is_ok();
        let expected = is_name && !character.is_ascii_uppercase();
        assert_eq!(set.contains(&character), expected, "{character:?}");
    }
}

/// The request of a signer, with one header changed, has the grammar that the verifier expects.
fn is_read(header: &'static str, value: &str) -> bool {
    let signer = signer("billing", hmac_key(SECRET), "users");
    let request = http::Request::get("http://users/").body("").unwrap();
    let (mut parts, _) = signed::at(NOW, &signer, request).into_parts();
    parts.headers.insert(header, value.parse().unwrap());
    Verifier::default().parse(&parts, NOW).is_ok()
}

#[test]
fn the_grammar_of_hashes_is_the_librarys() {
    let rule = rule("x-content-sha256");
    let set = characters(&rule);
    for character in ascii().filter(char::is_ascii_graphic) {
        let hash = character.to_string().repeat(64);
        let is_read = is_read("x-content-sha256", &hash);
        assert_eq!(set.contains(&character), is_read, "{character:?}");
    }
    assert!(rule.starts_with("64("), "{rule}");
    for length in [63, 65] {
        assert!(
            !is_read("x-content-sha256", &"0".repeat(length)),
            "{length}"
        );
    }
}

#[test]
fn the_grammar_of_signatures_is_the_librarys() {
    let authorization = |digits: &str| {
        format!("HMAC-SHA256 credential=a, signed-headers={START}, signature={digits}")
    };
    let set = characters(&format!("( {} )", rule("HEXDIGIT")));
    // The request has three headers, so that the list covers all of them.
    let signer = signer("billing", hmac_key(SECRET), "users").insecure_three_headers();
    let request = http::Request::get("http://users/").body("").unwrap();
    let (parts, _) = signed::at(NOW, &signer, request).into_parts();
    let is_read = |digits: &str| {
        let mut parts = parts.clone();
        let value = authorization(digits).parse().unwrap();
        parts.headers.insert("authorization", value);
        Verifier::default().parse(&parts, NOW).is_ok()
    };
    for character in ascii().filter(char::is_ascii_graphic) {
        let digits = character.to_string().repeat(64);
        assert_eq!(set.contains(&character), is_read(&digits), "{character:?}");
    }
    assert_eq!(
        rule("signature"),
        "%s\"signature=\" ( 64HEXDIGIT / 128HEXDIGIT )"
    );
    for length in [63, 65, 128] {
        assert!(!is_read(&"0".repeat(length)), "{length}");
    }
}

#[test]
fn the_grammar_of_methods_is_the_librarys() {
    let rule = rule("method");
    let (first, rest) = rule.split_once(" *31").unwrap();
    let (first, rest) = (characters(&format!("( {first} )")), characters(rest));
    let signer = signer("billing", hmac_key(SECRET), "users");
    let is_signed = |method: &str| {
        let request = http::Request::builder().method(method);
        let request = request.uri("http://users/").body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let digest = PayloadDigest::of(b"");
        signer.sign(&parts, digest, NOW).is_ok()
    };
    for character in ascii() {
        let method = character.to_string();
        if Method::from_bytes(method.as_bytes()).is_err() {
            assert!(!rest.contains(&character), "{character:?}");
            continue;
        }
        assert_eq!(first.contains(&character), is_signed(&method), "{method:?}");
        let method = format!("A{character}");
        assert_eq!(rest.contains(&character), is_signed(&method), "{method:?}");
    }
    assert!(is_signed(&"A".repeat(32)));
    assert!(!is_signed(&"A".repeat(33)));
    assert!(!is_signed("CONNECT"));
}

#[test]
fn the_grammar_of_hosts_is_the_librarys() {
    let rule = rule("host");
    let (name, rest) = rule.split_once("/ \"[\"").unwrap();
    let (address, port) = rest.split_once("\"]\"").unwrap();
    let is_host = |host: String| Verifier::builder().expected_hosts([host]).build().is_ok();
    let mut digits: BTreeSet<char> = ascii().filter(char::is_ascii_hexdigit).collect();
    digits.extend(characters(&address.replace("HEXDIGIT", "DIGIT")));
    let name = name.trim_start_matches("( ").replace("ALPHA", "LOWER");
    let mut letters = characters(&name);
    letters.extend('A'..='Z');
    for character in ascii() {
        let is_name = is_host(format!("a{character}a"));
        assert_eq!(letters.contains(&character), is_name, "{character:?}");
        let is_address = is_host(format!("[{character}]"));
        assert_eq!(digits.contains(&character), is_address, "{character:?}");
    }
    assert!(port.contains("[ \":\" 1*5DIGIT ]"), "{port}");
    for (port, is_port) in [("", false), ("1", true), ("12345", true), ("123456", false)] {
        assert_eq!(is_host(format!("a:{port}")), is_port, "{port}");
        assert_eq!(is_host(format!("[::1]:{port}")), is_port, "{port}");
    }
}

#[test]
fn the_grammar_of_nonces_is_the_librarys() {
    assert_eq!(
        rule("x-nonce"),
        format!("{}*{}VCHAR", Nonce::MIN_LEN, Nonce::MAX_LEN)
    );
}

/// The verifier takes an authorization with this list, or refuses its grammar.
fn takes_list(names: usize) -> bool {
    let mut signer = signer("billing", hmac_key(SECRET), "users");
    let further = (0..names).map(|number| format!("x-{number}"));
    let mut request = http::Request::get("http://users/");
    for name in further {
        request = request.header(&name, "a");
        signer = signer.with_covered_header(name.parse().unwrap()).unwrap();
    }
    let request = signed::at(NOW, &signer, request.body("").unwrap());
    let (parts, _) = request.into_parts();
    Verifier::default().parse(&parts, NOW).is_ok()
}

#[test]
fn the_limits_are_the_defaults_of_the_library() {
    let section = page::section(2).replace('\n', " ");
    let defaults = format!("{:?}", HeadLimits::default());
    let limit = |name: &str| {
        let (_, rest) = defaults.split_once(&format!("{name}: ")).unwrap();
        rest.split([',', ' ']).next().unwrap().to_owned()
    };
    for said in [
        format!("{} bytes of `authorization`", limit("authorization_bytes")),
        format!("{} bytes of target", limit("target_bytes")),
        format!("{} covered headers", limit("covered_headers")),
        format!(
            "{} bytes for each covered value",
            limit("covered_value_bytes")
        ),
        "261 bytes of host".to_owned(),
    ] {
        assert!(section.contains(&said), "{said}");
    }
    for (len, is_host) in [(261, true), (262, false)] {
        let verifier = Verifier::builder().expected_hosts(["a".repeat(len)]);
        assert_eq!(verifier.build().is_ok(), is_host, "{len}");
    }
    // The nonce is one of the further names.
    assert!(
        rule("list").ends_with("*29( \";\" name )"),
        "{}",
        rule("list")
    );
    assert!(takes_list(28));
    assert!(!takes_list(29));
}

#[test]
fn the_limits_of_bodies_are_the_defaults_of_the_library() {
    let section = page::section(8);
    let defaults = format!("{:?}", BodyLimits::default());
    for (default, said) in [
        (
            "max_bytes: 2097152, deadline: 30s,",
            "over the limit, 2 MiB by default",
        ),
        (
            "max_bytes: 2097152, deadline: 30s,",
            "in time, 30 seconds by default",
        ),
    ] {
        assert!(defaults.contains(default), "{defaults}");
        assert!(section.contains(said), "{said}");
    }
}

#[test]
fn the_headers_that_the_page_says_are_never_covered_cannot_be_covered() {
    let section = page::section(3);
    let (_, list) = section.split_once("**Never covered:**").unwrap();
    let (list, _) = list.split_once(".\n").unwrap();
    let names = page::quoted(list);
    assert_eq!(names.len(), 10, "{names:?}");
    for name in names {
        let signer = signer("billing", hmac_key(SECRET), "users");
        let name: HeaderName = name.parse().unwrap();
        assert!(signer.with_covered_header(name.clone()).is_err(), "{name}");
    }
}

#[test]
fn the_window_is_the_librarys() {
    let section = page::section(4).replace('\n', " ");
    let window = Verifier::default().window().as_secs();
    let said = format!("within {window} seconds of the verifier's clock");
    assert!(section.contains(&said), "{said}");
    assert!(section.contains("The window MAY be 1 to 3600 seconds."));
    for (seconds, is_window) in [(0, false), (1, true), (3600, true), (3601, false)] {
        let window = std::time::Duration::from_secs(seconds);
        let verifier = Verifier::builder().window(window).build();
        assert_eq!(verifier.is_ok(), is_window, "{seconds}");
    }
}
