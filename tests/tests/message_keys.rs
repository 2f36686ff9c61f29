//! Keys of RFC 9421 in JSON, in PEM and in TOML.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use countersign::{
    Algorithm, ConfigErrorKind, KeyStore as _, Keyring, Secret, SigningKey, VerifyingKey,
};

/// A key pair that OpenSSL made for this file, in every form.
struct Pair {
    algorithm: Algorithm,
    /// The bodies of PKCS#8 and of SubjectPublicKeyInfo.
    private_pem: &'static str,
    public_pem: &'static str,
    /// The members of a public JWK, and its private one.
    public_jwk: &'static str,
    d: &'static str,
}

const PAIRS: [Pair; 3] = [
    Pair {
        algorithm: Algorithm::Ed25519,
        private_pem: "MC4CAQAwBQYDK2VwBCIEIMVG0NaHuakqErBxJx8cCxxfslwZV7qgqMYYpNh7QmsB",
        public_pem: "MCowBQYDK2VwAyEA/8PgGmSJKBIQohnuL5JnyU0sMLGgJE4hd8my8T0/XEU=",
        public_jwk: r#""kty":"OKP","crv":"Ed25519","x":"_8PgGmSJKBIQohnuL5JnyU0sMLGgJE4hd8my8T0_XEU""#,
        d: "xUbQ1oe5qSoSsHEnHxwLHF-yXBlXuqCoxhik2HtCawE",
    },
    Pair {
        algorithm: Algorithm::EcdsaP256Sha256,
        private_pem: "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnyN+olALOuYGXW5I\n\
                      oibco4NHqkbNQl0te7AMoma373mhRANCAASl+wC2maKJTtyAoYSVPagm+mV8hEsf\n\
                      adBnO56aUzpR9MruB/ZgR+8oFHRimYcUSd80pxfOe5J8gFDLhZnOG/kT",
        public_pem: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEpfsAtpmiiU7cgKGElT2oJvplfIRL\n\
                     H2nQZzuemlM6UfTK7gf2YEfvKBR0YpmHFEnfNKcXznuSfIBQy4WZzhv5Ew==",
        public_jwk: r#""kty":"EC","crv":"P-256","x":"pfsAtpmiiU7cgKGElT2oJvplfIRLH2nQZzuemlM6UfQ","y":"yu4H9mBH7ygUdGKZhxRJ3zSnF857knyAUMuFmc4b-RM""#,
        d: "nyN-olALOuYGXW5Ioibco4NHqkbNQl0te7AMoma373k",
    },
    Pair {
        algorithm: Algorithm::EcdsaP384Sha384,
        private_pem: "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDB8RDr/6gHQZ/5R20eT\n\
                      AIGOGq0fapNT8xR/yJlecnNUGtOF6OTEJkmFpqe/X62pGo6hZANiAASnAg1cmh1E\n\
                      Nv/1uvfPjhaFRr4E3OpURT1pOpM6dBpxwa9IXaxJfF1AA/ei/hhjcKpY4PpfxLe6\n\
                      4tC4gCs3A1KrANe8VjXlFfu2+9ynUbUtt99YMrKTvI/g+nmKPHCPEoY=",
        public_pem: "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEpwINXJodRDb/9br3z44WhUa+BNzqVEU9\n\
                     aTqTOnQaccGvSF2sSXxdQAP3ov4YY3CqWOD6X8S3uuLQuIArNwNSqwDXvFY15RX7\n\
                     tvvcp1G1LbffWDKyk7yP4Pp5ijxwjxKG",
        public_jwk: r#""kty":"EC","crv":"P-384","x":"pwINXJodRDb_9br3z44WhUa-BNzqVEU9aTqTOnQaccGvSF2sSXxdQAP3ov4YY3Cq","y":"WOD6X8S3uuLQuIArNwNSqwDXvFY15RX7tvvcp1G1LbffWDKyk7yP4Pp5ijxwjxKG""#,
        d: "fEQ6_-oB0Gf-UdtHkwCBjhqtH2qTU_MUf8iZXnJzVBrThejkxCZJhaanv1-tqRqO",
    },
];

const RSA: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr7okQKQ8638CaiJJ5J3g\n\
    Z2yeiQVhXgbCgeHWokVCOQmMIdUcnBH4wB0EqZIlPOBjRSOYCXTOXAX/IUGMZKcf\n\
    sN+7SxSZNULVKyAFYEQhtM/24jun64w/92Y85InPztF66jn8fKF2h5r4AXKI0/zO\n\
    RoIiUX7+zqGr6GoRZHbImVQKCCUPPfZHHxhPeXrNz/+EM12pPJx1jweuYReLZBgA\n\
    vJJ2y+BmuVYeNlvhK8OC+uvnQ3Bjj5CTCSnD3rHZgQPQ2FXCTDD0/Z94vm0LHR+J\n\
    fy+Ta4E512dMP9ZOCgWVhGXRZV2ryb8edbDAIewGYYIEj7RPKFPGTxksMwBbAy3O\n\
    ZwIDAQAB";

/// Of `id-RSASSA-PSS` without parameters.
const RSA_PSS: &str = "MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBALSfpFavH6B3gx005ao26nPZ\n\
    2TkiHldsTPnQL3T37aGwwCi5osej1T4FZxqDtm06dxpmHZGmbX3h4Ywr2Gf2iARU\n\
    TKDI2nni9u4ZOLVHdYBfmDlJpp5mmBTk//mdCQzLl0exRCxkktAMFcBx4iLYIxAl\n\
    HaJtXrvcfsc/P9l1mFVQPMjRaGOWzyzl+LDplVO/vm756E+ciHl3xs/cFhtZO/5P\n\
    0Q/Olc9+sgmVGhF1yPO6/fhaQP5dPHaCotkl7Zzdbo1WEu0gCGOacZkchU1ZrwZI\n\
    ZL17l2oMJ7jJJfxrgOCMhB257/fDmS0at04WY04Hom5SLWXFZpfkPspaKVCHfDEC\n\
    AwEAAQ==";

/// Of `id-RSASSA-PSS` for SHA-256 and a salt of 32 bytes.
const RSA_PSS_SHA256: &str = "MIIBVjBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAQUAoRwwGgYJKoZIhvcN\n\
    AQEIMA0GCWCGSAFlAwQCAQUAogMCASADggEPADCCAQoCggEBAMkA53Qfr+XUGSWv\n\
    9BRJV4pXbIuZyMrGOajFvyKZNVWEPyt9J9VXyTq4XwlCT8xoiQUGqw851O3e8Jnz\n\
    jetlZ+8NZtfpL0WGTQSA1cmd9Pb1tBsnqNtBaSr+mynufynNd334M4w4ygx5q7n4\n\
    uaY/dG60j2ujIoTLQtQxAD6nAsb/ceOu7ZSML6Zz0aB9kYizgMWOepIgwcdUHWAb\n\
    S/HA5BsCQpVoLBBy1SOMbBk7XXfeme+flCuMLTW/V952KFvA6dLsVAegID7WFlhD\n\
    RAtUgPJB2am9KlzvaOtS5c8pTnx2Gt/CA2g+RpTNZo+6HZ7lJYszaF4eN/bpVL4h\n\
    DmvDuokCAwEAAQ==";

const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC2DrQhjc4zeUocd2kvvlDEctxC\n\
    mcWPCUEtQCJkb9UhXbP6IOt7+lG7mUCSCSYUgsPqSMqpd2TKDpjBbK+KsuE6NG9V\n\
    xQUNEQwuvVX7Su30x+NGFBXU2aGnGZ83E4f+Gh3Ji0mcw1qYFqfGe7XjDiXMg/Ob\n\
    X+x6cWo1QAUMb5t85wIDAQAB";

const P521: &str = "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBeWqCC3bGO1nkznnCBDowlzJKyGrj\n\
    IbicTREZCHmqp6spxZbnMeqo8jnirMuWyYJQhFiuMpnA8ee5aJYUNOrZgLMBWXk8\n\
    pA+u7lAfHLFVROaOLQ0rLT7mwDKnyXP+ijHOJ+Tn5Hgru2S9gEGn7tWZxKJ9E5Y7\n\
    RCPlJNt+FUgckd0DXTQ=";

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn secret(text: &str) -> Secret {
    Secret::from_bytes(text.as_bytes())
}

#[test]
fn a_pair_is_one_key_in_every_form() {
    for pair in &PAIRS {
        let jwk = format!("{{{}}}", pair.public_jwk);
        let private = format!("{{{},\"d\":\"{}\"}}", pair.public_jwk, pair.d);
        let public = countersign::Jwk::parse(&jwk).unwrap();
        let signing = [
            SigningKey::message_from_jwk(&secret(&private)),
            SigningKey::message_from_pem(&secret(&pem("PRIVATE KEY", pair.private_pem))),
        ];
        let verifying = [
            public.verifying_key(None),
            VerifyingKey::message_from_pem(&pem("PUBLIC KEY", pair.public_pem), None),
        ];
        let halves = signing.map(|key| key.map(|key| key.verifying_key()));
        for key in halves.into_iter().chain(verifying) {
            let key = key.unwrap();
            assert_eq!(key.algorithm(), pair.algorithm);
            assert_eq!(key.thumbprint().as_deref(), Some(public.thumbprint()));
        }
    }
}

#[test]
fn a_private_key_beside_another_public_one_is_refused() {
    for (pair, other) in [(0, 0), (1, 2), (2, 1)] {
        let (pair, other) = (&PAIRS[pair], &PAIRS[other]);
        let d = if std::ptr::eq(pair, other) {
            // Another seed of the same length.
            "nyN-olALOuYGXW5Ioibco4NHqkbNQl0te7AMoma373k"
        } else {
            other.d
        };
        let jwk = format!("{{{},\"d\":\"{d}\"}}", pair.public_jwk);
        let error = SigningKey::message_from_jwk(&secret(&jwk)).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Key);
        assert!(!error.to_string().contains(d), "{error}");
    }
    // One letter of the public half of P-256 changed.
    let body = PAIRS[1].private_pem.replace("G/kT", "G/kU");
    assert!(SigningKey::message_from_pem(&secret(&pem("PRIVATE KEY", &body))).is_err());
}

#[test]
fn a_private_jwk_says_nothing_that_its_key_is_not() {
    let pair = &PAIRS[1];
    let jwk = |more: &str| format!("{{{},\"d\":\"{}\"{more}}}", pair.public_jwk, pair.d);
    let oct = |more: &str| {
        format!(r#"{{"kty":"oct","k":"K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols"{more}}}"#)
    };
    for (name, text, expected) in [
        ("plain", jwk(""), true),
        ("its alg", jwk(r#","alg":"ES256""#), true),
        (
            "its alg in RFC 9421",
            jwk(r#","alg":"ecdsa-p256-sha256""#),
            true,
        ),
        (
            "for signatures",
            jwk(r#","use":"sig","key_ops":["sign"]"#),
            true,
        ),
        ("another alg", jwk(r#","alg":"ES384""#), false),
        ("for encryption", jwk(r#","use":"enc""#), false),
        ("to verify only", jwk(r#","key_ops":["verify"]"#), false),
        ("d twice", jwk(r#","d":"AA""#), false),
        ("a secret", oct(""), true),
        ("a secret with its alg", oct(r#","alg":"HS256""#), true),
        ("a secret with another alg", oct(r#","alg":"HS512""#), false),
        ("a public key", format!("{{{}}}", pair.public_jwk), false),
        (
            "an empty secret",
            r#"{"kty":"oct","k":""}"#.to_owned(),
            false,
        ),
        ("no JSON", "d".to_owned(), false),
    ] {
        let found = SigningKey::message_from_jwk(&secret(&text));
        assert_eq!(found.is_ok(), expected, "{name}: {found:?}");
    }
}

#[test]
fn refuses_what_is_no_key_in_pem() {
    let (key, weak) = (Some(ConfigErrorKind::Key), Some(ConfigErrorKind::WeakKey));
    let (pss, v1_5) = (Algorithm::RsaPssSha512, Algorithm::RsaV15Sha256);
    let public = PAIRS[1].public_pem;
    for (name, label, body, algorithm, expected) in [
        ("a curve", "PUBLIC KEY", public, None, None),
        (
            "a curve, another algorithm",
            "PUBLIC KEY",
            public,
            Some(pss),
            key,
        ),
        ("RSA for PSS", "PUBLIC KEY", RSA, Some(pss), None),
        ("RSA for v1.5", "PUBLIC KEY", RSA, Some(v1_5), None),
        ("RSA for neither", "PUBLIC KEY", RSA, None, key),
        (
            "RSA for ECDSA",
            "PUBLIC KEY",
            RSA,
            Some(Algorithm::Ed25519),
            key,
        ),
        ("RSA-PSS", "PUBLIC KEY", RSA_PSS, None, None),
        ("RSA-PSS for v1.5", "PUBLIC KEY", RSA_PSS, Some(v1_5), key),
        (
            "RSA-PSS of another hash",
            "PUBLIC KEY",
            RSA_PSS_SHA256,
            None,
            key,
        ),
        ("RSA of 1024 bits", "PUBLIC KEY", RSA_1024, Some(pss), weak),
        ("P-521", "PUBLIC KEY", P521, None, key),
        ("another label", "CERTIFICATE", public, None, key),
        (
            "a private key",
            "PRIVATE KEY",
            PAIRS[1].private_pem,
            None,
            key,
        ),
        (
            "a private key under the label",
            "PUBLIC KEY",
            PAIRS[1].private_pem,
            None,
            key,
        ),
        ("cut off", "PUBLIC KEY", &public[..64], None, key),
        ("nothing", "PUBLIC KEY", "", None, key),
    ] {
        let found = VerifyingKey::message_from_pem(&pem(label, body), algorithm);
        assert_eq!(found.err().map(|error| error.kind()), expected, "{name}");
    }
    assert!(
        VerifyingKey::message_from_pem(public, None).is_err(),
        "no label"
    );
    let private = pem("PUBLIC KEY", PAIRS[1].public_pem);
    assert!(SigningKey::message_from_pem(&secret(&private)).is_err());
}

fn caller(keys: &str) -> Result<Keyring, countersign::ConfigError> {
    Keyring::from_toml(&format!("[[callers]]\nname = \"billing\"\n{keys}\n"))
}

#[test]
fn toml_holds_keys_in_json_and_in_pem() {
    let [ed25519, p256, p384] = &PAIRS;
    let jwk = |pair: &Pair| format!("{{{}}}", pair.public_jwk);
    let public_pem = pem("PUBLIC KEY", p384.public_pem);
    let rsa = pem("PUBLIC KEY", RSA);
    let oct = r#"{"kty":"oct","k":"K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols"}"#;
    for (name, lines, expected) in [
        ("JWK", format!("public_key_jwk = '{}'", jwk(p256)), true),
        (
            "PEM",
            format!("public_key_pem = '''\n{public_pem}'''"),
            true,
        ),
        ("a secret in JSON", format!("secret_jwk = '{oct}'"), true),
        (
            "RSA with its algorithm",
            format!("algorithm = \"rsa-pss-sha512\"\npublic_key_pem = '''\n{rsa}'''"),
            true,
        ),
        (
            "RSA without",
            format!("public_key_pem = '''\n{rsa}'''"),
            false,
        ),
        (
            "another algorithm",
            format!("algorithm = \"ed25519\"\npublic_key_jwk = '{}'", jwk(p256)),
            false,
        ),
        (
            "no algorithm",
            format!("algorithm = \"es256\"\npublic_key_jwk = '{}'", jwk(p256)),
            false,
        ),
        (
            "a private key",
            format!(
                "public_key_jwk = '{{{},\"d\":\"{}\"}}'",
                p256.public_jwk, p256.d
            ),
            false,
        ),
        (
            "a secret as a public key",
            format!("public_key_jwk = '{oct}'"),
            false,
        ),
        (
            "two keys",
            format!("secret_jwk = '{oct}'\npublic_key_jwk = '{}'", jwk(p256)),
            false,
        ),
        (
            "Ed25519 in its own scheme",
            format!("scheme = \"ED25519\"\npublic_key_jwk = '{}'", jwk(ed25519)),
            true,
        ),
        (
            "P-256 in a scheme without",
            format!("scheme = \"ED25519\"\npublic_key_jwk = '{}'", jwk(p256)),
            false,
        ),
    ] {
        let found = caller(&format!("[[callers.keys]]\nversion = \"1\"\n{lines}"));
        assert_eq!(found.is_ok(), expected, "{name}: {found:?}");
        if let Err(error) = found {
            assert!(!error.to_string().contains("K7gNU3"), "{error}");
        }
    }
}

#[test]
fn a_jwk_set_in_toml_names_its_keys() {
    let [ed25519, p256, _] = PAIRS.map(|pair| pair.public_jwk);
    let set = |first: &str, second: &str| {
        format!("public_key_jwks = '{{\"keys\":[{{{first}}},{{{second}}}]}}'")
    };
    let keys = caller(&set(&format!("{ed25519},\"kid\":\"2026-01\""), p256)).unwrap();
    let jwk = countersign::Jwk::parse(&format!("{{{p256}}}")).unwrap();
    for (name, known) in [
        ("2026-01", true),
        (jwk.thumbprint(), true),
        ("billing", false),
    ] {
        let found = keys.try_lookup(name).unwrap().unwrap();
        assert_eq!(!found.is_unknown(), known, "{name}");
    }
    for (name, text) in [
        ("no keys", "public_key_jwks = '{\"keys\":[]}'".to_owned()),
        ("no set", "public_key_jwks = '{}'".to_owned()),
        (
            "one kid twice",
            set(
                &format!("{ed25519},\"kid\":\"1\""),
                &format!("{p256},\"kid\":\"1\""),
            ),
        ),
        ("a key that cannot be used", set(ed25519, r#""kty":"AKP""#)),
    ] {
        assert!(caller(&text).is_err(), "{name}");
    }
}

/// A public key has one number, whatever signs with it: PEM and JSON hold keys of any scheme that
/// has its algorithm.
#[test]
fn toml_holds_keys_of_another_scheme_that_has_their_algorithm() {
    let [ed25519, p256, _] = &PAIRS;
    let public = pem("PUBLIC KEY", ed25519.public_pem);
    let rsa = pem("PUBLIC KEY", RSA);
    let jwk = |pair: &Pair| format!("{{{}}}", pair.public_jwk);
    let oct = r#"{"kty":"oct","k":"K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols"}"#;
    let text = "a text of more than 24 characters";
    for (name, lines, expected) in [
        ("a text", format!("secret_text = \"{text}\""), true),
        (
            "Ed25519",
            format!("public_key_pem = '''\n{public}'''"),
            true,
        ),
        (
            "RSA",
            format!("algorithm = \"rsa-v1_5-sha256\"\npublic_key_pem = '''\n{rsa}'''"),
            true,
        ),
        (
            "RSA for PSS",
            format!("algorithm = \"rsa-pss-sha512\"\npublic_key_pem = '''\n{rsa}'''"),
            false,
        ),
        ("P-256", format!("public_key_jwk = '{}'", jwk(p256)), false),
        ("a secret in JSON", format!("secret_jwk = '{oct}'"), false),
        (
            "a short text",
            "secret_text = \"too short for a key\"".to_owned(),
            false,
        ),
    ] {
        let lines = format!(
            "[[callers.keys]]\nversion = \"1\"\nscheme = \"draft-cavage-12\"\n\
             key_id = \"https://social.example/users/b#main-key\"\n{lines}"
        );
        let keys = caller(&lines);
        assert_eq!(keys.is_ok(), expected, "{name}: {keys:?}");
        if let Ok(keys) = keys {
            let found = keys.try_lookup("https://social.example/users/b#main-key");
            assert!(found.unwrap().unwrap().caller_id().is_some(), "{name}");
        }
    }
}

#[test]
fn pem_holds_keys_of_the_draft_before_rfc_9421() {
    let [ed25519, p256, _] = &PAIRS;
    for (name, body, expected) in [
        ("Ed25519", ed25519.public_pem, Ok(Algorithm::Ed25519)),
        ("RSA", RSA, Ok(Algorithm::RsaV15Sha256)),
        ("RSA for PSS", RSA_PSS, Err(ConfigErrorKind::Key)),
        ("P-256", p256.public_pem, Err(ConfigErrorKind::Key)),
        ("a short RSA key", RSA_1024, Err(ConfigErrorKind::WeakKey)),
    ] {
        let key = VerifyingKey::cavage_from_pem(&pem("PUBLIC KEY", body));
        let found = key.map(|key| key.algorithm()).map_err(|error| error.kind());
        assert_eq!(found, expected, "{name}");
    }
}
