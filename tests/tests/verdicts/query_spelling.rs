//! SigV4: a query has one spelling, or a setting says otherwise.

use countersign::SigV4VerifySettings;
use tests::keys::NOW;

use crate::{
    get,
    sigv4::{code_with, keyring, presigned, signed, signer, verify_settings},
};

/// One query as signed, and others that have the same signature.
const SPELLINGS: [(&str, &str); 8] = [
    ("a semicolon", "a=%2Fx%20y;z&b=2"),
    ("a needless escape in a value", "a=%2Fx%20%79%3Bz&b=2"),
    ("a needless escape in a name", "%61=%2Fx%20y%3Bz&b=2"),
    ("an escaped digit", "a=%2Fx%20y%3Bz&b=%32"),
    ("lower-case digits", "a=%2fx%20y%3Bz&b=2"),
    ("lower-case digits behind", "a=%2Fx%20y%3bz&b=2"),
    ("another order and an escape", "b=%32&a=%2Fx%20y%3Bz"),
    ("a slash and a semicolon", "a=/x%20y;z&b=2"),
];
const CANONICAL: &str = "a=%2Fx%20y%3Bz&b=2";

fn found(target: &str, as_signed: &str, verify_settings: SigV4VerifySettings) -> &'static str {
    let mut message = signed(get(as_signed), &signer(), NOW);
    target.clone_into(&mut message.target);
    code_with(&message, verify_settings, &keyring(), NOW)
}

#[test]
fn a_query_is_accepted_in_the_spelling_that_is_signed_and_in_no_other() {
    let canonical = format!("/p?{CANONICAL}");
    assert_eq!(found(&canonical, &canonical, verify_settings()), "accept");
    assert_eq!(
        found("/p?b=2&a=%2Fx%20y%3Bz", &canonical, verify_settings()),
        "accept",
        "the order is not signed"
    );
    for (name, query) in SPELLINGS {
        let target = format!("/p?{query}");
        assert_eq!(
            found(&target, &canonical, verify_settings()),
            "malformed",
            "{name}"
        );
        // The spelling is refused, whether the signer or a hop chose it.
        assert_eq!(
            found(&target, &target, verify_settings()),
            "malformed",
            "{name}"
        );
        let lenient = || verify_settings().insecure_accept_noncanonical_queries();
        assert_eq!(found(&target, &canonical, lenient()), "accept", "{name}");
        let ambiguous = || verify_settings().insecure_accept_ambiguous_queries();
        assert_eq!(found(&target, &canonical, ambiguous()), "accept", "{name}");
    }
    let raw = "/p?a=é";
    assert_eq!(found(raw, raw, verify_settings()), "malformed");
    assert_eq!(found("/p?a=%C3%A9", raw, verify_settings()), "accept");
    for query in ["a=1+2", "=1", "a&&b"] {
        let target = format!("/p?{query}");
        let lenient = verify_settings().insecure_accept_noncanonical_queries();
        assert_eq!(found(&target, &target, lenient), "malformed", "{query}");
        let ambiguous = verify_settings().insecure_accept_ambiguous_queries();
        assert_eq!(found(&target, &target, ambiguous), "accept", "{query}");
    }
}

/// Clients differ in whether they escape these, and all who read a query take both for one. The
/// change that is left is said in the documentation of the settings.
#[test]
fn a_reserved_character_may_be_escaped_or_not() {
    let raw = "/p?t=12:30&q=a/b?c&mail=a@b&list=1,2!$'()*&eq=a=b";
    let escaped = "/p?t=12%3A30&q=a%2Fb%3Fc&mail=a%40b&list=1%2C2%21%24%27%28%29%2A&eq=a%3Db";
    for (target, as_signed) in [(raw, raw), (escaped, escaped), (raw, escaped)] {
        assert_eq!(
            found(target, as_signed, verify_settings()),
            "accept",
            "{target}"
        );
    }
}

/// Whether an empty value has its `=` is no difference to those who read the query, and clients
/// send both forms.
#[test]
fn an_empty_value_may_have_its_equals_sign_or_not() {
    assert_eq!(found("/p?acl", "/p?acl", verify_settings()), "accept");
    assert_eq!(found("/p?acl=", "/p?acl", verify_settings()), "accept");
}

/// What the verifier alone reads may be spelled as clients spell it.
#[test]
fn the_parameters_of_a_signature_may_be_spelled_otherwise() {
    let mut message = presigned(get("/p?a=%2F"), &signer(), 60, NOW);
    assert!(message.target.contains("%2Faws4_request"));
    message.target = message.target.replace("%2Faws4_request", "%2faws4_request");
    assert_eq!(
        code_with(&message, verify_settings(), &keyring(), NOW),
        "accept"
    );
    message.target = message.target.replace("a=%2F", "a=%2f");
    assert_eq!(
        code_with(&message, verify_settings(), &keyring(), NOW),
        "malformed"
    );
}
