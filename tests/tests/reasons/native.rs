//! `HMAC-SHA256` and `ED25519`, and what all schemes have in common.

use countersign::{HeadLimits, HostForm, Keyring, Scheme, Verifier, VerifierBuilder};
use http::HeaderName;
use tests::keys::{SECRET, hmac_key, keyring};

use crate::{Row, table};

const BASE: &str = "\
POST /account
host: user-service
x-date: Fri, 02 Jan 2026 03:04:05 GMT
x-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-nonce: 0123456789abcdef
content-type: text/plain
x-tenant: one
authorization: HMAC-SHA256 credential=billing, signed-headers=host;x-date;x-content-sha256;x-nonce;content-type;x-tenant, signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn keys() -> Keyring {
    keyring("billing", &hmac_key(SECRET))
}

fn verifier(with: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Verifier {
    let builder = Verifier::builder().expected_hosts(["user-service", "users:8081"]);
    with(builder).build().unwrap()
}

const DEFAULT: &[Row] = &[
    (
        "no signature",
        &[("authorization: ", "x-other: ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found none",
    ),
    (
        "another scheme",
        &[("HMAC-SHA256 ", "Bearer ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found authorization in \"Bearer\"",
    ),
    (
        "a secret in place of a scheme",
        &[(
            "HMAC-SHA256 credential=billing, signed-headers=host;x-date;x-content-sha256;x-nonce;content-type;x-tenant, signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "c2VjcmV0LXNlY3JldA==",
        )],
        "expected a signature in an accepted scheme (HMAC-SHA256), found authorization without the name of a scheme",
    ),
    (
        "a long secret before a space",
        &[("HMAC-SHA256 ", "abcdefghijklmnopqrstuvwxyz0123456789 ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found authorization without the name of a scheme",
    ),
    (
        "a secret of other characters before a space",
        &[("HMAC-SHA256 ", "c2VjcmV0/cw== ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found authorization without the name of a scheme",
    ),
    (
        "a secret that looks like the name of a scheme",
        &[(
            "HMAC-SHA256 credential=billing, signed-headers=host;x-date;x-content-sha256;x-nonce;content-type;x-tenant, signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "c2VjcmV0",
        )],
        "expected a signature in an accepted scheme (HMAC-SHA256), found authorization without the name of a scheme",
    ),
    (
        "a signature in a header of another scheme",
        &[("authorization: ", "webhook-signature: ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found the header webhook-signature of another scheme",
    ),
    (
        "a signature of the draft before RFC 9421",
        &[("authorization: ", "signature: ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found the header signature without signature-input, as in draft-cavage-http-signatures",
    ),
    (
        "a signature of that draft in its other place",
        &[("HMAC-SHA256 ", "Signature ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found authorization in \"Signature\", as in draft-cavage-http-signatures",
    ),
    (
        "a signature of Svix",
        &[("authorization: ", "svix-signature: ")],
        "expected a signature in an accepted scheme (HMAC-SHA256), found the header svix-signature of another scheme",
    ),
    (
        "a long authorization",
        &[("credential=billing", "credential={long}")],
        "authorization: expected at most 4096 bytes, found 9174; HeadLimits::with_authorization_bytes sets the limit",
    ),
    (
        "authorization twice",
        &[("x-tenant: one", "authorization: Basic YTpi")],
        "header authorization: expected once, found 2 times",
    ),
    (
        "beyond ASCII",
        &[("credential=billing", "credential=bücher")],
        "header authorization: expected visible ASCII, found another byte after 24 of them",
    ),
    (
        "a small method",
        &[("POST ", "post ")],
        "method: expected A-Z and -, found \"post\"",
    ),
    (
        "a long method",
        &[("POST ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ")],
        "method: expected at most 32 characters, found 33",
    ),
    (
        "CONNECT",
        &[("POST /account", "CONNECT user-service:80")],
        "method: expected one that can be signed, found CONNECT",
    ),
    (
        "an authority alone",
        &[("/account", "user-service:80")],
        "target: expected a path, found an authority alone",
    ),
    (
        "another scheme of the target",
        &[("/account", "ftp://user-service/account")],
        "target: expected the scheme http or https, found \"ftp\"",
    ),
    (
        "an asterisk",
        &[("/account", "*")],
        "target: expected * with OPTIONS only, found it with POST",
    ),
    (
        "a long target",
        &[("/account", "/{long}")],
        "target: expected at most 8192 bytes, found 9001; HeadLimits::with_target_bytes sets the limit",
    ),
    (
        "no host",
        &[("host: user-service\n", "")],
        "authority: expected the header host, found none",
    ),
    (
        "another host than the target's",
        &[("/account", "http://users:8081/account")],
        "authority: expected Host and the URI to agree, found \"user-service\" in Host and \"users:8081\" in the URI",
    ),
    (
        "no host and no port",
        &[("host: user-service", "host: a b\\\"c")],
        "authority: expected a host, or a host and a port, found \"a b\\\\\\\"c\"",
    ),
    (
        "two hosts",
        &[("x-tenant: one", "host: user-service")],
        "header host: expected once, found 2 times",
    ),
    (
        "an unexpected host",
        &[("host: user-service", "host: user-service:8081")],
        "authority: expected one of the expected hosts (user-service, users:8081), found \"user-service:8081\"",
    ),
    (
        "no date",
        &[("x-date: ", "date: ")],
        "header x-date: expected once, found none",
    ),
    (
        "three dates",
        &[("x-tenant: one", "x-date: a\nx-date: b")],
        "header x-date: expected once, found 3 times",
    ),
    (
        "another form of date",
        &[("Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05Z")],
        "header x-date: expected an IMF-fixdate, found \"2026-01-02T03:04:05Z\"",
    ),
    (
        "an old date",
        &[("02 Jan 2026", "01 Jan 2026")],
        "x-date: signed at 2026-01-01T03:04:05Z, more than 300 s from 2026-01-02T03:04:05Z",
    ),
    (
        "a hash in capitals",
        &[("e3b0c44", "E3B0C44")],
        "header x-content-sha256: expected 64 lower-case hexadecimal digits, found 64 characters, 3 of them others",
    ),
    (
        "no hash",
        &[("x-content-sha256: e3b0", "x-other: e3b0")],
        "header x-content-sha256: expected once, found none",
    ),
    (
        "an unknown parameter",
        &[("credential=billing", "keyid=billing")],
        "authorization: expected credential=, signed-headers= or signature=, found keyid=",
    ),
    (
        "a parameter without a name",
        &[("credential=billing", "billing")],
        "authorization: expected credential=, signed-headers= or signature=, found 7 characters without such a name",
    ),
    (
        "a parameter twice",
        &[(
            "signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "credential=audit",
        )],
        "authorization: expected each parameter once, found credential twice",
    ),
    (
        "no comma",
        &[(
            "signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f ",
        )],
        "authorization: expected a comma or the end after signature, found something else",
    ),
    (
        "a short signature",
        &[(
            "signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "signature=0001zz",
        )],
        "authorization: expected signature to be 64 hexadecimal digits, found 6 characters, 2 of them others",
    ),
    (
        "parameters that are missing",
        &[(
            ", signed-headers=host;x-date;x-content-sha256;x-nonce;content-type;x-tenant, signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "",
        )],
        "authorization: expected all parameters, found no signed-headers, signature",
    ),
    (
        "no caller's name",
        &[("credential=billing", "credential=bill ing")],
        "authorization: expected credential to be 1 to 128 visible ASCII characters without = , and ;, found \"bill ing\"",
    ),
    (
        "another order",
        &[(
            "host;x-date;x-content-sha256",
            "x-date;host;x-content-sha256",
        )],
        "signed-headers: expected host;x-date;x-content-sha256 first, found x-date, host, x-content-sha256, x-nonce, content-type, x-tenant",
    ),
    (
        "too little",
        &[("host;x-date;x-content-sha256;", "host;")],
        "signed-headers: expected x-date, x-content-sha256 in the list, found host, x-nonce, content-type, x-tenant",
    ),
    (
        "a name in capitals",
        &[(";x-tenant", ";X-Tenant")],
        "signed-headers: expected names in lower case, found \"X-Tenant\"",
    ),
    (
        "a header that cannot be covered",
        &[(";x-tenant", ";transfer-encoding")],
        "signed-headers: expected headers that can be covered, found transfer-encoding",
    ),
    (
        "a name twice",
        &[(";x-tenant", ";x-nonce")],
        "signed-headers: expected each name once, found x-nonce twice",
    ),
    (
        "a covered header that is absent",
        &[("x-tenant: one", "x-other: one")],
        "header x-tenant: expected once because it is covered, found 0 times",
    ),
    (
        "a covered header three times",
        &[(
            "x-tenant: one",
            "x-tenant: one\nx-tenant: two\nx-tenant: one",
        )],
        "header x-tenant: expected once because it is covered, found 3 times",
    ),
    (
        "a covered header beyond ASCII",
        &[("x-tenant: one", "x-tenant: éine")],
        "header x-tenant: expected visible ASCII, found another byte after 0 of them",
    ),
    (
        "a long covered header",
        &[("x-tenant: one", "x-tenant: {long}")],
        "header x-tenant: expected at most 8192 bytes, found 9000; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a covered cookie that is absent",
        &[(";x-tenant", ";cookie")],
        "header cookie: expected once because it is covered, found 0 times",
    ),
    (
        "a piece of a covered cookie beyond ASCII",
        &[
            ("x-tenant: one", "cookie: a=1\ncookie: b=é"),
            (";x-tenant", ";cookie"),
        ],
        "header cookie: expected visible ASCII, found another byte after 2 of them",
    ),
    (
        "a long covered cookie in pieces",
        &[
            ("x-tenant: one", "cookie: a=1\ncookie: {long}"),
            (";x-tenant", ";cookie"),
        ],
        "header cookie: expected at most 8192 bytes, found 9005; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a short nonce",
        &[("0123456789abcdef", "01234567")],
        "header x-nonce: expected 16 to 128 visible ASCII characters, found 8 characters, 0 of them others",
    ),
    (
        "a nonce that is not covered",
        &[(";x-nonce;", ";")],
        "header x-nonce: expected to be covered, found covered host, x-date, x-content-sha256, content-type, x-tenant",
    ),
    (
        "an encoding that is not covered",
        &[("x-tenant: one", "x-tenant: one\ncontent-encoding: gzip")],
        "header content-encoding: expected to be covered, found covered host, x-date, x-content-sha256, x-nonce, content-type, x-tenant",
    ),
    (
        "a wrong signature",
        &[],
        "key id \"billing\": the signature is of none of its keys, found version 1",
    ),
    (
        "an unknown caller",
        &[("credential=billing", "credential=nobody")],
        "key id \"nobody\": no caller has it",
    ),
];

const REQUIRED: &[Row] = &[(
    "a header that must be covered",
    &[],
    "header x-request-id: expected to be covered, found covered host, x-date, x-content-sha256, x-nonce, content-type, x-tenant",
)];

const RFC3339: &[Row] = &[(
    "another form of date",
    &[("Fri, 02 Jan 2026 03:04:05 GMT", "1767323045")],
    "header x-date: expected an IMF-fixdate, or RFC 3339 in UTC, found \"1767323045\"",
)];

const NO_PORT: &[Row] = &[(
    "an unexpected host",
    &[("host: user-service", "host: accounts:8081")],
    "authority: expected one of the expected hosts (users), found \"accounts\"",
)];

const SMALL: &[Row] = &[(
    "too many names",
    &[],
    "signed-headers: expected at most 5 names, found 6; HeadLimits::with_covered_headers sets the limit",
)];

const ED25519: &[Row] = &[
    (
        "a short signature",
        &[("HMAC-SHA256", "ED25519")],
        "authorization: expected signature to be 128 hexadecimal digits, found 64 characters, 0 of them others",
    ),
    (
        "another scheme of ours",
        &[],
        "expected a signature in an accepted scheme (ED25519), found authorization in \"HMAC-SHA256\"",
    ),
];

const TWO: &[Row] = &[(
    "two signatures",
    &[(
        "x-tenant: one",
        "signature-input: a=()\nsignature: a=:AA==:",
    )],
    "expected one signature, found 2: HMAC-SHA256, RFC 9421",
)];

pub(crate) fn reasons() -> Vec<String> {
    let default = verifier(|builder| builder);
    let required = verifier(|builder| {
        let names = ["x-tenant", "x-request-id"].map(HeaderName::from_static);
        builder.require_headers(names)
    });
    let rfc3339 = verifier(VerifierBuilder::accept_rfc3339_dates);
    let no_port = Verifier::builder()
        .host_form(HostForm::StripPort)
        .expected_hosts(["users"])
        .build()
        .unwrap();
    let small = verifier(|builder| {
        let limits = HeadLimits::default().with_covered_headers(5);
        builder.limits(limits.with_covered_value_bytes(64))
    });
    let ed25519 = verifier(|builder| builder.accept_only(Scheme::Ed25519));
    let two =
        verifier(|builder| builder.accept(countersign::MessageSignaturesVerifySettings::new()));
    [
        table(&default, &keys(), BASE, DEFAULT),
        table(&required, &keys(), BASE, REQUIRED),
        table(&rfc3339, &keys(), BASE, RFC3339),
        table(&no_port, &keys(), BASE, NO_PORT),
        table(&small, &keys(), BASE, SMALL),
        table(&ed25519, &keys(), BASE, ED25519),
        table(&two, &keys(), BASE, TWO),
    ]
    .concat()
}
