//! The signature itself.

use countersign::Scheme;
use tests::keys::{NOW, OTHER_SECRET};

use crate::{
    SCHEMES, assert_code, judge,
    message::{ALL_FIVE, Forger, Verdict},
    request, signed,
};

/// Source: RUSTSEC-2024-0010 / CVE-2024-21491, svix < 1.17: signatures were compared up to the end
/// of the shorter one, so that an empty one always matched (part 1, row 2; part 2).
#[test]
fn a_signature_that_matches_as_far_as_it_goes() {
    for scheme in SCHEMES {
        let signed = signed(scheme);
        let (before, signature) = signed
            .header("authorization")
            .split_once("signature=")
            .unwrap();
        for end in 0..signature.len() {
            let mut message = signed.clone();
            message.set(
                "authorization",
                format!("{before}signature={}", &signature[..end]),
            );
            assert_code(scheme, &format!("{end} digits"), &message, "malformed");
        }
        for behind in ["0", "00", "zz", signature] {
            let mut message = signed.clone();
            message.set(
                "authorization",
                format!("{before}signature={signature}{behind}"),
            );
            assert_code(scheme, &format!("{behind} behind"), &message, "malformed");
        }
    }
}

/// Source: CVE-2020-11012, MinIO's administration: the name of a key was enough (part 2).
#[test]
fn a_caller_that_is_named_but_not_proven() {
    for scheme in SCHEMES {
        let wrong = Forger::new(scheme, "billing", OTHER_SECRET);
        let message = wrong.sign(request("POST", "/"), ALL_FIVE, NOW);
        assert_code(scheme, "another's key", &message, "invalid_signature");

        let mut message = signed(scheme);
        let list = format!("signed-headers={ALL_FIVE}");
        message.set(
            "authorization",
            format!("{scheme} credential=billing, {list}"),
        );
        assert_code(scheme, "no signature", &message, "malformed");
    }
}

/// Source: RustFS GHSA-333v-68xh-8mmq, s3s, apache/cloudstack#11988: the expected signature stood
/// in the log (part 1, row 18). The rejection is what the layer logs.
#[test]
fn a_refusal_that_tells_the_expected_signature() {
    for scheme in SCHEMES {
        let signed = signed(scheme);
        let (_, signature) = signed
            .header("authorization")
            .split_once("signature=")
            .unwrap();
        let mut forged = signed.clone();
        forged.edit("authorization", signature, &"0".repeat(signature.len()));
        let Verdict::Refused(rejection) = judge(scheme, &forged) else {
            panic!("{scheme}: accepted");
        };
        let said = format!("{rejection} {rejection:?} {rejection:#?}").to_lowercase();
        for part in signature.as_bytes().chunks(8) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!said.contains(part), "{scheme}: {said}");
        }
    }
}

/// Source: httpsig <= 0.0.18, minio#5334, Tyk: signatures were compared with `==` (part 1, row 3;
/// part 2). That no shipped type allows it is a rule of the repository; here, that the whole
/// signature counts.
#[test]
fn a_signature_of_which_only_a_part_is_compared() {
    let scheme = Scheme::HmacSha256;
    let signed = signed(scheme);
    let (before, signature) = signed
        .header("authorization")
        .split_once("signature=")
        .unwrap();
    for digit in 0..signature.len() {
        for bit in [1, 2, 4, 8] {
            let mut digits = signature.to_owned();
            let value = u8::from_str_radix(&signature[digit..=digit], 16).unwrap() ^ bit;
            digits.replace_range(digit..=digit, &format!("{value:x}"));
            let mut message = signed.clone();
            message.set("authorization", format!("{before}signature={digits}"));
            assert_code(
                scheme,
                &format!("digit {digit}, bit {bit}"),
                &message,
                "invalid_signature",
            );
        }
    }
}

/// Source: RUSTSEC-2022-0093 and the malleability of RFC 8032 without its last check: S + L is a
/// second signature (part 2).
#[test]
fn a_second_encoding_of_a_good_signature() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let scheme = Scheme::Ed25519;
    let signed = signed(scheme);
    let (_, signature) = signed
        .header("authorization")
        .split_once("signature=")
        .unwrap();
    let mut bytes = base16ct::lower::decode_vec(signature).unwrap();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    let mut second = signed.clone();
    second.edit(
        "authorization",
        signature,
        &base16ct::lower::encode_string(&bytes),
    );
    assert_code(scheme, "S + L", &second, "invalid_signature");
}
