use super::*;

/// Points of small order and their non-canonical encodings: y in {0, 1, -1, p, p+1, …}, either
/// sign. Source: the tables of weak keys in the documentation of libsodium and ed25519-dalek.
const SMALL_ORDER: [&str; 8] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

const NOT_CANONICAL: [&str; 5] = [
    // p and p + 1 encode 0 and 1.
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    // 1 and -1 with the sign bit of x = 0 set.
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn refuses_public_keys_of_small_order() {
    for key in SMALL_ORDER {
        let error = VerifyingKey::ed25519_from_hex(key).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::WeakKey, "{key}");
    }
}

#[test]
fn refuses_public_keys_in_a_second_encoding() {
    for key in NOT_CANONICAL {
        let error = VerifyingKey::ed25519_from_hex(key).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Key, "{key}");
    }
}

#[test]
fn refuses_public_keys_that_are_no_64_digits_or_no_point() {
    for key in [
        "",
        "00",
        &"0g".repeat(32),
        &"00".repeat(33),
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        let error = VerifyingKey::ed25519_from_hex(key).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Key, "{key}");
    }
}

#[test]
fn refuses_what_is_no_uncompressed_point_of_the_curve() {
    let secret = Secret::from_bytes(&[1; 48]);
    let key = ecdsa_p384::PrivateKey::from_scalar(secret.expose().try_into().unwrap());
    let point = key.unwrap().public_key().to_point();
    assert!(VerifyingKey::message_ecdsa_p384_sha384(&point).is_ok());
    let mut beside = point.clone();
    *beside.last_mut().unwrap() ^= 1;
    let mut compressed = point[..49].to_vec();
    compressed[0] = 2;
    let mut zeros = vec![0; 97];
    zeros[0] = 4;
    for (name, point) in [
        ("not on the curve", &beside[..]),
        ("compressed", &compressed),
        ("the point at infinity", &[0]),
        ("zeros", &zeros),
        ("without its first byte", &point[1..]),
    ] {
        let found = VerifyingKey::message_ecdsa_p384_sha384(point);
        assert_eq!(found.unwrap_err().kind(), ConfigErrorKind::Key, "{name}");
        let found = VerifyingKey::message_ecdsa_p256_sha256(point);
        assert_eq!(found.unwrap_err().kind(), ConfigErrorKind::Key, "{name}");
    }
    assert!(VerifyingKey::message_ecdsa_p256_sha256(&point).is_err());
}

#[cfg(feature = "rsa")]
#[test]
fn an_rsa_key_has_its_size_and_an_odd_exponent() {
    let modulus = |bytes: usize| {
        let mut modulus = vec![0xff; bytes];
        modulus[1] = 0x5a;
        modulus
    };
    let just_short = [&[0x7f][..], &[0xff; 255]].concat();
    let even = [&modulus(256)[..255], &[0xfe]].concat();
    let usual: &[u8] = &[1, 0, 1];
    let (key, weak) = (Some(ConfigErrorKind::Key), Some(ConfigErrorKind::WeakKey));
    for (name, modulus, exponent, expected) in [
        ("2048 bits", modulus(256), usual, None),
        ("8192 bits", modulus(1024), usual, None),
        (
            "zeros in front",
            [&[0; 8][..], &modulus(256)].concat(),
            usual,
            None,
        ),
        ("an exponent of 3", modulus(256), &[3], None),
        ("2047 bits", just_short, usual, weak),
        ("1024 bits", modulus(128), usual, weak),
        ("nothing", vec![], usual, weak),
        ("8200 bits", modulus(1025), usual, key),
        ("an even modulus", even, usual, key),
        ("an even exponent", modulus(256), &[2], key),
        ("an exponent of 1", modulus(256), &[1], key),
        ("no exponent", modulus(256), &[0], key),
        (
            "an exponent of 33 bits",
            modulus(256),
            &[2, 0, 0, 0, 1],
            key,
        ),
        ("an exponent of 9 bytes", modulus(256), &[1; 9], key),
    ] {
        for found in [
            VerifyingKey::message_rsa_pss_sha512(&modulus, exponent),
            VerifyingKey::message_rsa_v1_5_sha256(&modulus, exponent),
        ] {
            assert_eq!(found.err().map(|error| error.kind()), expected, "{name}");
        }
    }
}

#[test]
fn debug_shows_the_scheme_only() {
    let key = VerifyingKey::hmac_sha256(&Secret::generate().unwrap());
    assert_eq!(format!("{key:?}"), "VerifyingKey(HMAC-SHA256, [redacted])");
    assert!(key.public_key().is_none());
}
