//! RFC 9421.

use countersign::{
    Algorithm, HeadLimits, Keyring, MessageSignaturesVerifySettings, Secret, SigningKey,
    StructuredType, Verifier,
};
use http::HeaderName;
use tests::keys::{SECRET, keyring};

use crate::{Row, table};

const BASE: &str = "\
POST /account?a=1
host: user-service
content-type: text/plain
content-digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:
x-tenant: one
x-dict: a=1, b=2
x-list: a, b
signature-input: sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-type\" \"content-digest\");created=1767323045;keyid=\"billing\";nonce=\"n-1\"
signature: sig1=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:";

const DEFAULT: &[Row] = &[
    (
        "no created",
        &[(";created=1767323045", "")],
        "signature \"sig1\": expected the parameter created, found keyid, nonce",
    ),
    (
        "no keyid",
        &[(";keyid=\"billing\"", "")],
        "signature \"sig1\": expected the parameter keyid, found created, nonce",
    ),
    (
        "a required component",
        &[("\"@authority\" ", "")],
        "signature \"sig1\": expected @authority to be covered, found covered @method, @path, @query, content-type, content-digest",
    ),
    (
        "a body that is not covered",
        &[(" \"content-digest\"", "")],
        "signature \"sig1\": expected the header content-digest to be covered, found covered @method, @authority, @path, @query, content-type",
    ),
    (
        "an encoding that is not covered",
        &[("x-tenant: one", "content-encoding: gzip")],
        "signature \"sig1\": expected the header content-encoding to be covered, found covered @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "two that could be judged",
        &[
            (
                "nonce=\"n-1\"",
                "nonce=\"n-1\", sig2=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\");created=1767323045;keyid=\"billing\"",
            ),
            ("h8=:", "h8=:, sig2=:AA==:"),
        ],
        "signature-input: expected one signature that could be judged, found \"sig1\" and \"sig2\"",
    ),
    (
        "an unknown parameter",
        &[(";nonce=\"n-1\"", ";context=\"x\"")],
        "signature \"sig1\": signature parameter: expected one of those of RFC 9421, found in parameter context; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "milliseconds",
        &[("created=1767323045", "created=1795935271891")],
        "created: expected seconds since 1970-01-01T00:00:00Z, found 1795935271891, which looks like milliseconds; it is 2026-01-02T03:04:05Z",
    ),
    (
        "milliseconds before seconds",
        &[(
            "created=1767323045",
            "created=1767323045000;expires=1767323145",
        )],
        "signature \"sig1\": parameter created: expected seconds since 1970-01-01T00:00:00Z, found 1767323045000, which looks like milliseconds",
    ),
    (
        "an end before the start",
        &[(
            "created=1767323045",
            "created=1767323045;expires=1767323044",
        )],
        "signature \"sig1\": parameter expires: expected it not before created, found 1767323044 before 1767323045",
    ),
    (
        "an old date",
        &[("created=1767323045", "created=1767322000")],
        "created: signed at 2026-01-02T02:46:40Z, more than 300 s from 2026-01-02T03:04:05Z",
    ),
    (
        "a name that is none",
        &[("keyid=\"billing\"", "keyid=\"a=b\"")],
        "signature \"sig1\": parameter keyid: expected 1 to 128 visible ASCII characters without = , and ;, found \"a=b\"",
    ),
    (
        "an empty nonce",
        &[("nonce=\"n-1\"", "nonce=\"\"")],
        "signature \"sig1\": parameter nonce: expected 1 to 256 characters, found 0",
    ),
    (
        "a covered field that is absent ",
        &[("\"content-type\" ", "\"content-type\" \"x-other\" ")],
        "signature \"sig1\": component x-other: expected it to be there, found none",
    ),
    (
        "labels without signatures",
        &[("signature: sig1=:", "x-other: sig1=:")],
        "header signature: expected the labels of signature-input, found none for sig1",
    ),
    (
        "signatures of other labels",
        &[("signature: sig1=:", "signature: sig2=:")],
        "header signature: expected byte sequences for the labels sig1, each once, could read 0",
    ),
    (
        "no list",
        &[("sig1=(\"@method\"", "sig1=(@method")],
        "header signature-input: expected labels of lists, each once, could read sig1",
    ),
    (
        "an empty line",
        &[("x-tenant: one", "signature-input: ")],
        "header signature-input: expected a dictionary, found an empty line",
    ),
    (
        "a long field",
        &[("x-tenant: one", "signature-input: a=\"{long}\"")],
        "signature-input: expected at most 4096 bytes, found 9129; HeadLimits::with_authorization_bytes sets the limit",
    ),
    (
        "beyond ASCII",
        &[("x-tenant: one", "signature-input: a=é")],
        "header signature-input: expected visible ASCII, found another byte after 2 of them",
    ),
    (
        "no known digest",
        &[(
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "md5=:AA==:",
        )],
        "header content-digest: expected sha-256 or sha-512, found neither",
    ),
    (
        "no digest",
        &[(
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "sha-256=1",
        )],
        "header content-digest: expected a dictionary of digests, each once, found something else",
    ),
    (
        "an unexpected host",
        &[("host: user-service", "host: other")],
        "authority: expected one of the expected hosts (user-service), found \"other\"",
    ),
    (
        "a wrong signature",
        &[],
        "key id \"billing\": the signature is of none of its keys, found version 1",
    ),
    (
        "another algorithm",
        &[(";nonce=\"n-1\"", ";nonce=\"n-1\";alg=\"ed25519\"")],
        "key id \"billing\": the signature is of none of its keys, found version 1 (expected alg to be the algorithm of the key, found another)",
    ),
    (
        "an unknown caller",
        &[("keyid=\"billing\"", "keyid=\"nobody\"")],
        "key id \"nobody\": no caller has it",
    ),
];

const TAGGED: &[Row] = &[(
    "another tag",
    &[
        (
            "nonce=\"n-1\"",
            "nonce=\"n-1\", sig2=(\"@method\");tag=\"svc-v2\"",
        ),
        ("h8=:", "h8=:, sig2=:AA==:"),
    ],
    "signature-input: expected a signature with the tag \"svc-v1\", found the labels sig1, sig2 with the tags svc-v2",
)];

const LABELS: &[Row] = &[(
    "too many labels",
    &[(
        "nonce=\"n-1\"",
        "nonce=\"n-1\", s0=(), s1=(), s2=(), s3=(), s4=(), s5=(), s6=(), s7=()",
    )],
    "header signature-input: expected at most 8 labels of lists, each once, found sig1, s0, s1, s2, s3, s4, s5, s6",
)];

const SMALL: &[Row] = &[(
    "too many components",
    &[],
    "header signature-input: expected at most 5 components of a signature; HeadLimits::with_covered_headers sets the limit",
)];

const ED25519: &[Row] = &[(
    "a key that is not accepted",
    &[],
    "key id \"billing\": the signature is of none of its keys, found version 1 (the settings accept no key of its algorithm)",
)];

const COMPONENTS: &[Row] = &[
    (
        "a parameter twice",
        &[(
            "created=1767323045",
            "created=1767323045;created=1767323045",
        )],
        "signature \"sig1\": signature parameter: expected each once, found in parameter created; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a long digest",
        &[("x-tenant: one", "content-digest: md5={long}")],
        "signature \"sig1\": component content-digest: expected at most 8192 bytes, found more; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a parameter of no component",
        &[("\"content-type\" ", "\"x-tenant\";tr \"content-type\" ")],
        "signature \"sig1\": component: expected sf, bs or key and no other parameter, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a field in capitals",
        &[("\"content-type\" ", "\"X-Tenant\" \"content-type\" ")],
        "signature \"sig1\": component: expected a field name in lower case, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "many parameters of a component",
        &[(
            "\"content-type\" ",
            "\"x-tenant\";sf;bs;tr \"content-type\" ",
        )],
        "signature \"sig1\": component: more parameters than any has, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a component that is no string",
        &[("\"content-type\" ", "x-tenant \"content-type\" ")],
        "signature \"sig1\": component: expected a name in quotes, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a component twice",
        &[("\"content-type\" ", "\"@method\" \"content-type\" ")],
        "signature \"sig1\": signature-input: a component twice, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a query parameter without a name",
        &[("\"content-type\" ", "\"@query-param\" \"content-type\" ")],
        "signature \"sig1\": component: expected @query-param with a name alone, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a component of a response",
        &[("\"content-type\" ", "\"@status\" \"content-type\" ")],
        "signature \"sig1\": component: expected a derived component of a request, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a parameter of another component",
        &[("\"content-type\" ", "\"@scheme\";sf \"content-type\" ")],
        "signature \"sig1\": component: a derived component with a parameter it does not have, found in component 5; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a date that is text",
        &[("created=1767323045", "created=\"1\"")],
        "signature \"sig1\": signature parameter: expected created and expires to be integers, found in parameter created; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "a name with escapes",
        &[("keyid=\"billing\"", "keyid=\"a\\\"b\"")],
        "signature \"sig1\": signature parameter: expected a string without escapes, found in parameter keyid; it covers @method, @authority, @path, @query, content-type, content-digest",
    ),
    (
        "an asterisk",
        &[
            ("POST /account?a=1", "OPTIONS *"),
            ("\"content-type\" ", "\"@target-uri\" \"content-type\" "),
        ],
        "signature \"sig1\": component @target-uri: @target-uri: expected a path, found an asterisk",
    ),
    (
        "no scheme",
        &[("\"content-type\" ", "\"@scheme\" \"content-type\" ")],
        "signature \"sig1\": component @scheme: @scheme and @target-uri: expected an absolute URI or a scheme in the settings, found neither",
    ),
    (
        "a query parameter that is absent",
        &[(
            "\"content-type\" ",
            "\"@query-param\";name=\"b\" \"content-type\" ",
        )],
        "signature \"sig1\": component @query-param;name=b: @query-param: expected the name once, found none",
    ),
    (
        "a query parameter twice",
        &[
            ("?a=1", "?a=1&a=2"),
            (
                "\"content-type\" ",
                "\"@query-param\";name=\"a\" \"content-type\" ",
            ),
        ],
        "signature \"sig1\": component @query-param;name=a: @query-param: expected the name once, found more than once",
    ),
    (
        "a query parameter of other bytes",
        &[
            ("?a=1", "?a=%ff"),
            (
                "\"content-type\" ",
                "\"@query-param\";name=\"a\" \"content-type\" ",
            ),
        ],
        "signature \"sig1\": component @query-param;name=a: @query-param: expected percent-encoded UTF-8",
    ),
    (
        "a field of another type",
        &[
            ("x-dict: a=1, b=2", "x-dict: 1"),
            ("\"content-type\" ", "\"x-dict\";sf \"content-type\" "),
        ],
        "signature \"sig1\": component x-dict;sf: sf: the field is not of its type",
    ),
    (
        "a field of no known type",
        &[("\"content-type\" ", "\"x-tenant\";sf \"content-type\" ")],
        "signature \"sig1\": component x-tenant;sf: sf and key: expected a field whose type is in the settings",
    ),
    (
        "a member of what is no dictionary",
        &[(
            "\"content-type\" ",
            "\"x-list\";key=\"a\" \"content-type\" ",
        )],
        "signature \"sig1\": component x-list;key=a: key: expected a field that is a dictionary",
    ),
    (
        "a member that is absent",
        &[(
            "\"content-type\" ",
            "\"x-dict\";key=\"c\" \"content-type\" ",
        )],
        "signature \"sig1\": component x-dict;key=c: key: expected a dictionary with this member",
    ),
    (
        "a long field",
        &[
            ("x-tenant: one", "x-tenant: {long}"),
            ("\"content-type\" ", "\"x-tenant\" \"content-type\" "),
        ],
        "signature \"sig1\": component x-tenant: expected at most 8192 bytes, found more; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "long pieces of a cookie",
        &[
            ("x-tenant: one", "cookie: {long}\ncookie: a=1"),
            ("\"content-type\" ", "\"cookie\" \"content-type\" "),
        ],
        "signature \"sig1\": component cookie: expected at most 8192 bytes, found more; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a covered cookie that is absent",
        &[("\"content-type\" ", "\"cookie\" \"content-type\" ")],
        "signature \"sig1\": component cookie: expected it to be there, found none",
    ),
    (
        "a covered field beyond ASCII",
        &[
            ("x-tenant: one", "x-tenant: é"),
            ("\"content-type\" ", "\"x-tenant\" \"content-type\" "),
        ],
        "signature \"sig1\": component x-tenant: expected visible ASCII, found another byte",
    ),
    (
        "a field of one value twice",
        &[("x-tenant: one", "content-type: text/html")],
        "signature \"sig1\": component content-type: expected once, found more than once",
    ),
];

fn keys() -> Keyring {
    let secret = Secret::from_hex(SECRET).unwrap();
    keyring("billing", &SigningKey::message_hmac_sha256(&secret))
}

fn verifier(verify_settings: MessageSignaturesVerifySettings) -> Verifier {
    let verify_settings = verify_settings.with_structured_field(
        HeaderName::from_static("x-dict"),
        StructuredType::Dictionary,
    );
    let list = HeaderName::from_static("x-list");
    let verify_settings = verify_settings.with_structured_field(list, StructuredType::List);
    let builder = Verifier::builder().expected_hosts(["user-service"]);
    builder.accept_only(verify_settings).build().unwrap()
}

pub(crate) fn reasons() -> Vec<String> {
    let default = verifier(MessageSignaturesVerifySettings::new());
    let tagged = verifier(
        MessageSignaturesVerifySettings::new()
            .with_tag("svc-v1")
            .unwrap(),
    );
    let ed25519 =
        verifier(MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::Ed25519));
    let small = default
        .to_builder()
        .limits(HeadLimits::default().with_covered_headers(5))
        .build()
        .unwrap();
    [
        table(&default, &keys(), BASE, DEFAULT),
        table(&default, &keys(), BASE, COMPONENTS),
        table(&tagged, &keys(), BASE, TAGGED),
        table(&default, &keys(), BASE, LABELS),
        table(&small, &keys(), BASE, SMALL),
        table(&ed25519, &keys(), BASE, ED25519),
    ]
    .concat()
}
