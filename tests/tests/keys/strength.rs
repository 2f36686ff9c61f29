//! Which keys are strong enough.

use countersign::{CallerKeys, ConfigErrorKind, Scheme, Secret, Signer, SigningKey, VerifyingKey};
use tests::keys::SECRET;

use crate::{HOST, bytes, caller_key, code, hmac, one_caller, signed_with};

#[test]
fn a_key_is_strong_or_is_refused_where_it_enters() {
    let strong = bytes(SECRET);
    let few = |distinct: u8| -> Vec<u8> { (0..64).map(|byte| byte % distinct).collect() };
    let counting: Vec<u8> = (0..32).collect();
    let padded = |key: &[u8], length| {
        let mut key = key.to_vec();
        key.resize(length, 0);
        key
    };
    for (name, secret, taken) in [
        ("32 random bytes", &strong[..], true),
        ("33 bytes", &[&strong[..], b"x"].concat(), true),
        ("64 bytes", &strong.repeat(2), true),
        ("65 bytes", &[&strong.repeat(2)[..], b"x"].concat(), true),
        ("eight different bytes", &few(8), true),
        ("seven different bytes", &few(7), false),
        ("one byte throughout", &[7; 32], false),
        ("zeroes", &[0; 32], false),
        ("31 bytes", &strong[..31], false),
        ("nothing", b"", false),
        // HMAC pads a key with zeroes itself: those at its end add nothing.
        ("24 bytes and 8 zeroes", &padded(&strong[..24], 32), true),
        ("23 bytes and 9 zeroes", &padded(&strong[..23], 32), false),
        (
            "eight bytes and a block of zeroes",
            &padded(&strong[..8], 64),
            false,
        ),
        ("published, and a zero", &padded(&counting, 33), false),
        (
            "published, and a block of zeroes",
            &padded(&counting, 64),
            false,
        ),
        ("published: counting up", &counting, false),
        (
            "published: AWS's documentation",
            b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            false,
        ),
        (
            "published: AWS's test suite",
            b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            false,
        ),
        (
            "published: RFC 8032, test 1",
            &bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
            false,
        ),
        (
            "published: RFC 8032, test 2",
            &bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f5ba624da8cf6ed4fb8a6fba4"),
            false,
        ),
    ] {
        let kind = ConfigErrorKind::WeakKey;
        let expected = if taken { Ok(()) } else { Err(kind) };
        let in_keyring = one_caller(caller_key("1", hmac(secret))).map(|_| ());
        assert_eq!(in_keyring, expected, "{name}, in a keyring");
        let alone = CallerKeys::new("billing", [caller_key("1", hmac(secret))]);
        let alone = alone.map(|_| ()).map_err(|error| error.kind());
        assert_eq!(alone, expected, "{name}, from a store");
        let signing = || SigningKey::hmac_sha256(&Secret::from_bytes(secret));
        let in_signer = Signer::new("billing", signing(), [HOST]);
        let in_signer = in_signer.map(|_| ()).map_err(|error| error.kind());
        assert_eq!(in_signer, expected, "{name}, in a signer");

        // Its weakness is accepted by name, and then it works.
        let weak = signing().insecure_allow_weak_key();
        assert!(
            Signer::new("billing", weak.clone(), [HOST]).is_ok(),
            "{name}"
        );
        let through_signing_key = caller_key("1", weak.verifying_key());
        let direct = caller_key("1", hmac(secret).insecure_allow_weak_key());
        for key in [through_signing_key, direct] {
            let keys = one_caller(key).unwrap();
            let message = signed_with(Scheme::HmacSha256, secret);
            assert_eq!(code(&keys, &message), "accept", "{name}");
        }
    }
}

#[test]
fn an_ed25519_seed_is_32_strong_bytes() {
    for (name, seed, expected) in [
        ("32 random bytes", bytes(SECRET), Ok(())),
        ("31 bytes", bytes(&SECRET[..62]), Err(ConfigErrorKind::Key)),
        (
            "33 bytes",
            bytes(&format!("{SECRET}00")),
            Err(ConfigErrorKind::Key),
        ),
        ("nothing", Vec::new(), Err(ConfigErrorKind::Key)),
        (
            "one byte throughout",
            vec![9; 32],
            Err(ConfigErrorKind::WeakKey),
        ),
        (
            "published",
            bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
            Err(ConfigErrorKind::WeakKey),
        ),
    ] {
        let found = SigningKey::ed25519(&Secret::from_bytes(&seed))
            .and_then(|key| Signer::new("billing", key, [HOST]))
            .map(|_| ())
            .map_err(|error| error.kind());
        assert_eq!(found, expected, "{name}");
    }
}

/// The seeds are printed in RFC 8032 section 7.1: anyone who looks them up can sign.
#[test]
fn a_published_public_key_is_refused_where_it_enters() {
    for public_key in [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ] {
        let key = || VerifyingKey::ed25519_from_hex(public_key).unwrap();
        let refused = one_caller(caller_key("1", key())).unwrap_err();
        assert_eq!(refused, ConfigErrorKind::WeakKey, "{public_key}");
        let allowed = caller_key("1", key().insecure_allow_weak_key());
        assert!(one_caller(allowed).is_ok(), "{public_key}");
    }
}

/// Points of small order, for which anybody can make up signatures, and second encodings of points.
/// Source: the tables of libsodium and of "Taming the many EdDSAs" (eprint 2020/1244).
#[test]
fn an_ed25519_public_key_is_one_strong_point_in_its_one_encoding() {
    for (key, expected) in [
        ("00".repeat(32), ConfigErrorKind::WeakKey),
        (format!("01{}", "00".repeat(31)), ConfigErrorKind::WeakKey),
        (format!("{}80", "00".repeat(31)), ConfigErrorKind::WeakKey),
        (format!("ec{}7f", "ff".repeat(30)), ConfigErrorKind::WeakKey),
        (
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".into(),
            ConfigErrorKind::WeakKey,
        ),
        (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa".into(),
            ConfigErrorKind::WeakKey,
        ),
        (format!("01{}80", "00".repeat(30)), ConfigErrorKind::Key),
        (format!("ed{}7f", "ff".repeat(30)), ConfigErrorKind::Key),
        (format!("ee{}ff", "ff".repeat(30)), ConfigErrorKind::Key),
        (format!("02{}", "00".repeat(31)), ConfigErrorKind::Key),
        (String::new(), ConfigErrorKind::Key),
        ("00".repeat(31), ConfigErrorKind::Key),
        ("00".repeat(33), ConfigErrorKind::Key),
        ("zz".repeat(32), ConfigErrorKind::Key),
    ] {
        let refused = VerifyingKey::ed25519_from_hex(&key).unwrap_err();
        assert_eq!(refused.kind(), expected, "{key}");
        if let Ok(point) =
            <[u8; 32]>::try_from(base16ct::mixed::decode_vec(&key).unwrap_or_default())
        {
            let refused = VerifyingKey::ed25519(&point).unwrap_err();
            assert_eq!(refused.kind(), expected, "{key}");
        }
    }
}
