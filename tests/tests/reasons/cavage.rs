//! draft-cavage-http-signatures-12, and the form of a gateway.

use countersign::{CavageVerifySettings as Settings, Keyring, Secret, SigningKey, Verifier};
use tests::keys::{SECRET, keyring};

use crate::{Row, table};

const BASE: &str = "\
POST /account?a=1
host: user-service
date: Fri, 02 Jan 2026 03:04:05 GMT
digest: SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
x-tenant: one
x-nonce: 0123456789abcdef
signature: keyId=\"billing\",algorithm=\"hs2019\",created=1767323045,headers=\"(request-target) (created) host date digest x-tenant x-nonce\",signature=\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"";

const DRAFT: &[Row] = &[
    (
        "a parameter twice",
        &[("algorithm=\"hs2019\"", "keyId=\"other\"")],
        "signature parameters: expected each once, found keyId twice",
    ),
    (
        "an unknown parameter",
        &[("algorithm=\"hs2019\"", "opaque=\"x\"")],
        "signature parameters: expected keyId, algorithm, created, expires, headers or signature, found \"opaque\"",
    ),
    (
        "no key",
        &[("keyId=\"billing\",", "")],
        "signature parameters: expected keyId and signature, found no keyId",
    ),
    (
        "no name",
        &[("keyId=\"billing\"", "=\"billing\"")],
        "signature parameters: expected a name and =, found 176 characters without them",
    ),
    (
        "no quotes",
        &[("\"hs2019\"", "hs2019")],
        "parameter algorithm: expected visible ASCII in quotes without \\, found something else",
    ),
    (
        "an open quote",
        &[("\"hs2019\"", "\"hs2019\\")],
        "parameter algorithm: expected visible ASCII in quotes without \\, found something else",
    ),
    (
        "no comma",
        &[("\"billing\",", "\"billing\" ")],
        "signature parameters: expected a comma after keyId, found something else",
    ),
    (
        "no Base64",
        &[("Hh8=", "Hh8")],
        "signature: expected padded Base64 of 1 to 1024 bytes in the form of the dialect, found 43 characters that are none",
    ),
    (
        "a time in milliseconds",
        &[("created=1767323045", "created=1767323045000")],
        "parameter created: expected 1 to 12 decimal digits, found \"1767323045000\"",
    ),
    (
        "no list",
        &[(
            "headers=\"(request-target) (created) host date digest x-tenant x-nonce\",",
            "",
        )],
        "parameter headers: expected the covered names, found none, which means (created) alone",
    ),
    (
        "a name twice",
        &[("x-tenant x-nonce\"", "x-tenant x-tenant\"")],
        "parameter headers: expected each name once, found x-tenant twice",
    ),
    (
        "a name in upper case",
        &[("host date digest", "Host date digest")],
        "parameter headers: expected names in lower case with one space between them, found \"Host\"",
    ),
    (
        "a header of one connection",
        &[("digest x-tenant", "digest connection")],
        "parameter headers: expected headers that can be covered, found connection",
    ),
    (
        "a time that is covered and not there",
        &[("created=1767323045,", "")],
        "parameter created: expected it because (created) is covered, found none",
    ),
    (
        "a time under an older name",
        &[("hs2019", "hmac-sha256")],
        "parameter headers: expected no (created) under this algorithm, found it under \"hmac-sha256\"",
    ),
    (
        "no target",
        &[("(request-target) ", "")],
        "parameter headers: expected one of (request-target) in the list, found (created), host, date, digest, x-tenant, x-nonce",
    ),
    (
        "no date",
        &[
            ("created=1767323045,", ""),
            ("(created) ", ""),
            ("host date", "host"),
        ],
        "parameter headers: expected date, or (created) in the draft itself, in the list, found (request-target), host, digest, x-tenant, x-nonce",
    ),
    (
        "no host",
        &[("(created) host", "(created)")],
        "header host: expected to be covered, found covered (request-target), (created), date, digest, x-tenant, x-nonce",
    ),
    (
        "a digest that is not covered",
        &[(" digest x-tenant", " x-tenant")],
        "header digest: expected to be covered, found covered (request-target), (created), host, date, x-tenant, x-nonce",
    ),
    (
        "a nonce that is not covered",
        &[(" x-nonce\"", "\"")],
        "header x-nonce: expected to be covered, found covered (request-target), (created), host, date, digest, x-tenant",
    ),
    (
        "a short nonce",
        &[("0123456789abcdef", "0123")],
        "header x-nonce: expected 16 to 128 visible ASCII characters, found 4 characters, 0 of them others",
    ),
    (
        "a header that is not there",
        &[("x-tenant: one\n", "")],
        "header x-tenant: expected once because it is covered, found 0 times",
    ),
    (
        "a date in another form",
        &[("Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05Z")],
        "header date: expected an IMF-fixdate, found \"2026-01-02T03:04:05Z\"",
    ),
    (
        "an old date",
        &[(
            "Fri, 02 Jan 2026 03:04:05 GMT",
            "Fri, 02 Jan 2026 02:46:40 GMT",
        )],
        "date: signed at 2026-01-02T02:46:40Z, more than 300 s from 2026-01-02T03:04:05Z",
    ),
    (
        "a digest without padding",
        &[("SuFU=", "SuFU")],
        "header digest: expected the padded Base64 of a digest, found something else",
    ),
    (
        "no digest",
        &[(
            "digest: SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "digest: x",
        )],
        "header digest: expected algorithm=digest, found something else",
    ),
    (
        "no known digest",
        &[("SHA-256=", "MD5=")],
        "header digest: expected SHA-256 or SHA-512, found neither",
    ),
    (
        "a digest twice",
        &[(
            "SHA-256=",
            "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=,SHA-256=",
        )],
        "header digest: expected each algorithm once, found one twice",
    ),
    (
        "a long header",
        &[("x-tenant: one", "x-tenant: {long}")],
        "header x-tenant: expected at most 8192 bytes, found 9000; HeadLimits::with_covered_value_bytes sets the limit",
    ),
    (
        "a long signature",
        &[("keyId=\"billing\"", "keyId=\"{long}\"")],
        "signature: expected at most 4096 bytes, found 9174; HeadLimits::with_authorization_bytes sets the limit",
    ),
    (
        "another key",
        &[],
        "key id \"billing\": the signature is of none of its keys, found version 1",
    ),
    (
        "another algorithm",
        &[(
            "hs2019\",created=1767323045",
            "ed25519\",created=1767323045",
        )],
        "key id \"billing\": the signature is of none of its keys, found version 1 (expected algorithm to be that of the key or hs2019, found another)",
    ),
];

const TYK: &str = "\
GET /account?a=1
host: user-service
date: Fri, 02 Jan 2026 03:04:05 GMT
authorization: Signature keyId=\"billing\",algorithm=\"hmac-sha256\",headers=\"(request-target) host date\",signature=\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8%3D\"";

const OF_TYK: &[Row] = &[(
    "a query",
    &[],
    "target: expected a path without escapes and no query, because this gateway signs no more, found more",
)];

fn keys() -> Keyring {
    let secret = Secret::from_hex(SECRET).unwrap();
    keyring("billing", &SigningKey::cavage_hmac_sha256(&secret))
}

pub(super) fn reasons() -> Vec<String> {
    let verifier = |settings: Settings| {
        let builder = Verifier::builder().expected_hosts(["user-service"]);
        builder.accept_only(settings).build().unwrap()
    };
    let mut reasons = table(&verifier(Settings::new()), &keys(), BASE, DRAFT);
    reasons.extend(table(&verifier(Settings::tyk()), &keys(), TYK, OF_TYK));
    reasons
}
