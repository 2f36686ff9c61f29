//! SigV4, in the header and in the URL.

use countersign::{
    CallerKey, HeadLimits, Keyring, Secret, SigV4Presigned, SigV4VerifySettings, Verifier,
    VerifyingKey,
};

use crate::{Row, table};

const BASE: &str = "\
POST /account?a=1
host: user-service
x-amz-date: 20260102T030405Z
x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-nonce: 0123456789abcdef
x-tenant: one
authorization: AWS4-HMAC-SHA256 Credential=AKIDBILLING/20260102/eu-central-1/user-service/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-nonce;x-tenant, Signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const PRESIGNED: &str = "\
GET /account?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDBILLING%2F20260102%2Feu-central-1%2Fuser-service%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
host: user-service";

const HEADER: &[Row] = &[
    (
        "a dot segment",
        &[("/account?a=1", "/a/../b")],
        "path: expected no dot segments, no empty segments and no escaped dots or slashes; SigV4VerifySettings::insecure_accept_noncanonical_paths accepts them",
    ),
    (
        "a plus sign",
        &[("a=1", "a=1+2")],
        "query: expected parameters with names, and %2B or %20 in place of +; SigV4VerifySettings::insecure_accept_ambiguous_queries accepts others",
    ),
    (
        "a semicolon",
        &[("a=1", "b=2&a=1;c=3")],
        "query: expected %3B for a semicolon, ASCII, and upper-case escapes of what needs one, found another spelling in the parameter a; SigV4VerifySettings::insecure_accept_noncanonical_queries accepts it",
    ),
    (
        "a name twice",
        &[("a=1", "a=1&a=2")],
        "query: expected each name once, found a twice; SigV4VerifySettings::insecure_accept_repeated_query_names accepts it",
    ),
    (
        "a broken escape",
        &[("a=1", "a=%zz")],
        "query: expected two hexadecimal digits after every %",
    ),
    (
        "many parameters",
        &[(
            "a=1",
            "a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1&a=1",
        )],
        "query: expected at most 128 parameters, found 129; HeadLimits::with_query_parameters sets the limit",
    ),
    (
        "a long target",
        &[("a=1", "a={long}")],
        "target: expected at most 8192 bytes, found 9011; HeadLimits::with_target_bytes sets the limit",
    ),
    (
        "an unknown parameter",
        &[("Credential=AKID", "Key=AKID")],
        "authorization: expected Credential=, SignedHeaders= or Signature=, found Key=",
    ),
    (
        "a parameter twice",
        &[("SignedHeaders=host", "Credential=a, SignedHeaders=host")],
        "authorization: expected each parameter once, found Credential twice",
    ),
    (
        "a parameter that is missing",
        &[(
            ", SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-nonce;x-tenant",
            "",
        )],
        "authorization: expected all parameters, found no SignedHeaders",
    ),
    (
        "a short signature",
        &[("Signature=0001", "Signature=")],
        "signature: expected 64 lower-case hexadecimal digits, found 60 characters, 0 of them others",
    ),
    (
        "a credential of few parts",
        &[(
            "AKIDBILLING/20260102/eu-central-1/user-service/aws4_request",
            "AKIDBILLING",
        )],
        "credential: expected an access key id, a date, a region, a service and aws4_request between slashes, found 1 parts",
    ),
    (
        "another end of the credential",
        &[("aws4_request", "aws5_request")],
        "credential: expected the last part to be aws4_request, found \"aws5_request\"",
    ),
    (
        "another date in the credential",
        &[("/20260102/", "/2026-01-02/")],
        "credential: expected the date to be 8 digits, found \"2026-01-02\"",
    ),
    (
        "an empty region",
        &[("/eu-central-1/", "//")],
        "credential: expected a region and a service of 1 to 64 letters, digits, dots, dashes and underscores, found \"\" and \"user-service\"",
    ),
    (
        "no access key id",
        &[("AKIDBILLING", "")],
        "credential: expected an access key id of 1 to 128 visible ASCII characters without = , and ;, found 0 characters",
    ),
    (
        "another region",
        &[("/eu-central-1/", "/us-east-1/")],
        "credential: expected region and service to be one of those configured (eu-central-1/user-service), found \"us-east-1/user-service\"",
    ),
    (
        "another day",
        &[("/20260102/", "/20260103/")],
        "credential: expected 20260102, the day of the signed date, found 20260103",
    ),
    (
        "no date",
        &[("x-amz-date: 2026", "x-other: 2026")],
        "header x-amz-date: expected it or the header date, found neither",
    ),
    (
        "another form of date",
        &[("20260102T030405Z", "2026-01-02T03:04:05Z")],
        "header x-amz-date: expected YYYYMMDD'T'HHMMSS'Z', found \"2026-01-02T03:04:05Z\"",
    ),
    (
        "another form of the header date",
        &[("x-amz-date: 20260102T030405Z", "date: 20260102T030405Z")],
        "header date: expected an IMF-fixdate, found \"20260102T030405Z\"",
    ),
    (
        "an old date",
        &[("20260102T030405Z", "20260102T010405Z")],
        "x-amz-date: signed at 2026-01-02T01:04:05Z, more than 300 s from 2026-01-02T03:04:05Z",
    ),
    (
        "a token in the query",
        &[("a=1", "X-Amz-Security-Token=t")],
        "X-Amz-Security-Token: expected in a header, where the signature is, found in the query",
    ),
    (
        "a streamed body",
        &[(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        )],
        "x-amz-content-sha256: expected the hash of the whole body, found STREAMING-AWS4-HMAC-SHA256-PAYLOAD; SigV4VerifySettings::with_chunked accepts it",
    ),
    (
        "an unsigned body",
        &[(
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "UNSIGNED-PAYLOAD",
        )],
        "x-amz-content-sha256: expected the hash of the body, found UNSIGNED-PAYLOAD; SigV4VerifySettings::insecure_accept_unsigned_payload accepts it",
    ),
    (
        "a hash in capitals",
        &[("e3b0c44", "E3B0C44")],
        "x-amz-content-sha256: expected 64 lower-case hexadecimal digits or UNSIGNED-PAYLOAD, found 64 characters, 3 of them no such digits",
    ),
    (
        "a name in capitals",
        &[(";x-tenant", ";X-Tenant")],
        "SignedHeaders: expected names in lower case between semicolons, found \"X\" after \"\"",
    ),
    (
        "an empty name",
        &[(";x-tenant", ";;x-tenant")],
        "SignedHeaders: expected names in lower case between semicolons, found \"nothing\" after \"\"",
    ),
    (
        "a header that cannot be covered",
        &[(
            "host;x-amz-content-sha256;x-amz-date;x-nonce;x-tenant",
            "authorization;host",
        )],
        "SignedHeaders: expected headers that can be covered, found authorization",
    ),
    (
        "names out of order",
        &[(
            "host;x-amz-content-sha256;x-amz-date;x-nonce;x-tenant",
            "host;x-tenant;x-nonce",
        )],
        "SignedHeaders: expected names in order and each once, found x-nonce after x-tenant",
    ),
    (
        "no host in the list",
        &[("host;x-amz-content", "x-amz-content")],
        "SignedHeaders: expected host in the list, found \"x-amz-content-sha256;x-amz-date;x-nonce;x-tenant\"",
    ),
    (
        "a covered header that is absent",
        &[("x-tenant: one", "x-other: one")],
        "header x-tenant: expected once because it is covered, found 0 times",
    ),
    (
        "a covered header of one value twice",
        &[(
            "x-tenant: one",
            "x-tenant: one\nx-amz-date: 20260102T030405Z",
        )],
        "header x-amz-date: expected once, found 2 times",
    ),
    (
        "a long covered header",
        &[("x-tenant: one", "x-tenant: {long}")],
        "header x-tenant: expected at most 8192 bytes, found 9000; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "long covered lines",
        &[("x-tenant: one", "x-tenant: {long}\nx-tenant: one")],
        "header x-tenant: expected at most 8192 bytes, found 9004; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a covered header beyond ASCII",
        &[("x-tenant: one", "x-tenant: éine")],
        "header x-tenant: expected visible ASCII, found another byte after 0 of them",
    ),
    (
        "covered lines beyond ASCII",
        &[("x-tenant: one", "x-tenant: one\nx-tenant: zwölf")],
        "header x-tenant: expected visible ASCII, found another byte after 2 of them",
    ),
    (
        "long pieces of a cookie",
        &[
            ("x-tenant: one", "cookie: {long}\ncookie: a=1"),
            (
                "host;x-amz-content-sha256",
                "cookie;host;x-amz-content-sha256",
            ),
            (";x-tenant", ""),
        ],
        "header cookie: expected at most 8192 bytes, found 9005; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a token that is not covered",
        &[("x-tenant: one", "x-tenant: one\nx-amz-security-token: t")],
        "header x-amz-security-token: expected to be covered, found covered host, x-amz-content-sha256, x-amz-date, x-nonce, x-tenant",
    ),
    (
        "a short nonce",
        &[("0123456789abcdef", "01234567")],
        "header x-nonce: expected 16 to 128 visible ASCII characters, found 8 characters, 0 of them others",
    ),
    (
        "a nonce that is not covered",
        &[("x-nonce;", "")],
        "header x-nonce: expected to be covered, found covered host, x-amz-content-sha256, x-amz-date, x-tenant",
    ),
    (
        "a date that is not covered",
        &[("x-amz-date;", "")],
        "header x-amz-date: expected to be covered, found covered host, x-amz-content-sha256, x-nonce, x-tenant",
    ),
    (
        "a header of AWS that is not covered",
        &[("x-tenant: one", "x-tenant: one\nx-amz-copy-source: /b/k")],
        "header x-amz-copy-source: expected to be covered, found covered host, x-amz-content-sha256, x-amz-date, x-nonce, x-tenant; SigV4VerifySettings::insecure_accept_uncovered_headers accepts it uncovered",
    ),
    (
        "an unexpected host",
        &[("host: user-service", "host: other")],
        "authority: expected one of the expected hosts (user-service), found \"other\"",
    ),
    (
        "two signatures",
        &[("a=1", "X-Amz-Signature=00")],
        "expected one signature, found 2: AWS4-HMAC-SHA256, AWS4-HMAC-SHA256",
    ),
    (
        "a wrong signature",
        &[],
        "key id \"AKIDBILLING\": the signature is of none of its keys, found version 1 (expected its session token, found none)",
    ),
    (
        "an unknown caller",
        &[("AKIDBILLING", "AKIDNOBODY")],
        "key id \"AKIDNOBODY\": no caller has it",
    ),
];

const FOREIGN_TOKEN: &[Row] = &[(
    "another token",
    &[
        (
            "x-tenant: one",
            "x-tenant: one\nx-amz-security-token: other",
        ),
        ("x-amz-date;x", "x-amz-date;x-amz-security-token;x"),
    ],
    "key id \"AKIDBILLING\": the signature is of none of its keys, found version 1 (expected its session token, found another)",
)];

const NO_TOKEN: &[Row] = &[(
    "a token where none is expected",
    &[
        (
            "x-tenant: one",
            "x-tenant: one\nx-amz-security-token: other",
        ),
        ("x-amz-date;x", "x-amz-date;x-amz-security-token;x"),
    ],
    "key id \"AKIDBILLING\": the signature is of none of its keys, found version 1 (expected no session token, found one)",
)];

const HASH_REQUIRED: &[Row] = &[(
    "no hash",
    &[
        ("x-amz-content-sha256: e3b0", "x-other: e3b0"),
        ("x-amz-content-sha256;", ""),
    ],
    "header x-amz-content-sha256: expected because SigV4VerifySettings::with_payload_hash_required is set, found none",
)];

const SMALL: &[Row] = &[(
    "too many names",
    &[],
    "SignedHeaders: expected at most 4 names, found 5; HeadLimits::with_covered_headers sets the limit",
)];

const S3: &[Row] = &[(
    "a spelling that is not signed",
    &[
        ("/account?a=1", "/%61ccount"),
        ("user-service/aws4", "s3/aws4"),
    ],
    "path: expected unreserved characters as they are, and of all others % and upper-case digits; SigV4VerifySettings::insecure_accept_noncanonical_paths accepts other spellings",
)];

const LENIENT: &[Row] = &[
    (
        "an asterisk",
        &[
            ("POST /account?a=1", "OPTIONS *"),
            ("user-service/aws4", "s3/aws4"),
        ],
        "target: expected a path, found an asterisk",
    ),
    (
        "a broken escape",
        &[("/account?a=1", "/%zz"), ("user-service/aws4", "s3/aws4")],
        "path: expected two hexadecimal digits after every %",
    ),
];

const QUERY: &[Row] = &[
    (
        "a parameter that is missing",
        &[("&X-Amz-Expires=60", "")],
        "query: expected all parameters of a signature, found no X-Amz-Expires",
    ),
    (
        "another algorithm",
        &[("=AWS4-HMAC", "=AWS5-HMAC")],
        "X-Amz-Algorithm: expected AWS4-HMAC-SHA256, found another of 16 characters",
    ),
    (
        "no expiry",
        &[("Expires=60", "Expires=604801")],
        "X-Amz-Expires: expected 1 to 604800 seconds, found 6 characters that are no such number",
    ),
    (
        "another spelling",
        &[("X-Amz-Date", "x-amz-date")],
        "query: expected X-Amz-Date, found x-amz-date",
    ),
    (
        "a parameter twice",
        &[("X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=61")],
        "query: expected each X-Amz parameter once in whatever case, found X-Amz-Expires again",
    ),
    (
        "a parameter in two spellings",
        &[("X-Amz-Expires=60", "X-Amz-Expires=60&x-amz-expires=61")],
        "query: expected each X-Amz parameter once in whatever case, found x-amz-expires again",
    ),
    (
        "another form of date",
        &[("=20260102T030405Z", "=2026-01-02")],
        "X-Amz-Date: expected YYYYMMDD'T'HHMMSS'Z' in the query, found 10 characters that are no such date",
    ),
    (
        "an access key id of other bytes",
        &[("=AKIDBILLING", "=AKID%FF")],
        "credential: expected an access key id of 1 to 128 visible ASCII characters without = , and ;, found 7 characters",
    ),
    (
        "a credential of few parts",
        &[("%2Faws4_request", "")],
        "credential: expected an access key id, a date, a region, a service and aws4_request between slashes, found 4 parts",
    ),
    (
        "a token in a header",
        &[(
            "host: user-service",
            "host: user-service\nx-amz-security-token: t",
        )],
        "x-amz-security-token: expected in the query, where the signature is, found in a header",
    ),
    (
        "a token of other bytes",
        &[("&X-Amz-Expires", "&X-Amz-Security-Token=%FF&X-Amz-Expires")],
        "X-Amz-Security-Token: expected UTF-8",
    ),
    (
        "a hash in two places",
        &[
            (
                "host: user-service",
                "host: user-service\nx-amz-content-sha256: UNSIGNED-PAYLOAD",
            ),
            (
                "&X-Amz-Expires",
                "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Expires",
            ),
        ],
        "x-amz-content-sha256: expected in one place, found in the query and in a header",
    ),
    (
        "another method",
        &[("GET ", "POST ")],
        "method: expected one that is accepted in a presigned request, found POST; SigV4Presigned::with_method accepts it",
    ),
    (
        "an old date",
        &[("T030405Z", "T020405Z")],
        "X-Amz-Date and X-Amz-Expires: signed at 2026-01-02T02:04:05Z, more than 60 s from 2026-01-02T03:04:05Z",
    ),
    (
        "a wrong signature",
        &[],
        "key id \"AKIDBILLING\": the signature is of none of its keys, found version 1 (expected its session token, found none)",
    ),
];

const NOT_PRESIGNED: &[Row] = &[(
    "a signature in the query",
    &[],
    "signature: expected in the header authorization, found in the query; SigV4VerifySettings::with_presigned accepts it there",
)];

/// A caller whose key is bound to a session token, or to none.
fn keys(token: Option<&str>) -> Keyring {
    let secret = Secret::from_text("0123456789abcdefghijklmnopqrstuvwxyz0123").unwrap();
    let mut key = VerifyingKey::sigv4(&secret);
    if let Some(token) = token {
        key = key
            .with_session_token(&Secret::from_text(token).unwrap())
            .unwrap();
    }
    let key = CallerKey::new("1", key).unwrap();
    let key = key.with_key_id("AKIDBILLING").unwrap();
    Keyring::builder().caller("billing", key).build().unwrap()
}

fn verifier(
    service: &str,
    with: impl FnOnce(SigV4VerifySettings) -> SigV4VerifySettings,
) -> Verifier {
    let verify_settings = with(SigV4VerifySettings::new("eu-central-1", service).unwrap());
    let builder = Verifier::builder().expected_hosts(["user-service"]);
    builder.accept_only(verify_settings).build().unwrap()
}

pub(crate) fn reasons() -> Vec<String> {
    let bound = keys(Some("FwoGZXIvYXdzEBYaDNotAReal-Token"));
    let default = verifier("user-service", |verify_settings| verify_settings);
    let presigned = verifier("user-service", |verify_settings| {
        verify_settings.with_presigned(SigV4Presigned::new())
    });
    let hash_required = verifier(
        "user-service",
        SigV4VerifySettings::with_payload_hash_required,
    );
    let small = default
        .to_builder()
        .limits(HeadLimits::default().with_covered_headers(4))
        .build()
        .unwrap();
    let s3 = verifier("s3", |verify_settings| verify_settings);
    let lenient = verifier(
        "s3",
        SigV4VerifySettings::insecure_accept_noncanonical_paths,
    );
    [
        table(&default, &bound, BASE, HEADER),
        table(&default, &bound, BASE, FOREIGN_TOKEN),
        table(&default, &keys(None), BASE, NO_TOKEN),
        table(&hash_required, &bound, BASE, HASH_REQUIRED),
        table(&small, &bound, BASE, SMALL),
        table(&s3, &bound, BASE, S3),
        table(&lenient, &bound, BASE, LENIENT),
        table(&presigned, &bound, PRESIGNED, QUERY),
        table(&default, &bound, PRESIGNED, NOT_PRESIGNED),
    ]
    .concat()
}
