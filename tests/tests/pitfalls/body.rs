//! The body and its digest.

use countersign::PayloadDigest;
use tests::keys::NOW;

use crate::{
    BODY, HOST, SCHEMES, assert_code, billing, forger, judge, keyring,
    message::{ALL_FIVE, Message, NONCE},
    request, signed, verifier,
};

/// Source: CVE-2026-26275, httpsig-hyper <= 0.0.22: `matches!(digest, _expected)` is always true,
/// so that any body passed (part 1, row 1).
#[test]
fn a_digest_that_always_matches() {
    for scheme in SCHEMES {
        let signed = signed(scheme);
        for bit in 0..BODY.len() * 8 {
            let mut message = signed.clone();
            message.body[bit / 8] ^= 1 << (bit % 8);
            assert_code(scheme, &format!("bit {bit}"), &message, "body_mismatch");
        }
    }
}

/// Source: s3s 0.14.1 (#772), chimera-nas/chimera#1056: a truncated body, or one in another order,
/// passed (part 1, row 14).
#[test]
fn a_body_that_is_cut_extended_or_reordered_between_its_pieces() {
    let body: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for scheme in SCHEMES {
        let mut message = request("POST", "/blob");
        message.body.clone_from(&body);
        let message = message.signed(&billing(scheme), NOW);
        let pieces: Vec<&[u8]> = body.chunks(99).collect();
        let judge = |pieces: &[&[u8]]| {
            let verdict = message.judge_in_pieces(&verifier(), &keyring(scheme), NOW, pieces);
            verdict.code()
        };
        assert_eq!(judge(&pieces), "accept", "{scheme}");
        let mut with_empty_ones = pieces.clone();
        with_empty_ones.insert(5, b"");
        assert_eq!(
            judge(&with_empty_ones),
            "accept",
            "{scheme}: an empty piece"
        );
        for end in 0..pieces.len() {
            assert_eq!(
                judge(&pieces[..end]),
                "body_mismatch",
                "{scheme}: cut at {end}"
            );
        }
        for other in 1..pieces.len() {
            let mut swapped = pieces.clone();
            swapped.swap(0, other);
            assert_eq!(judge(&swapped), "body_mismatch", "{scheme}: 0 and {other}");
        }
        let mut extended = pieces.clone();
        extended.push(b"\0");
        assert_eq!(judge(&extended), "body_mismatch", "{scheme}: extended");
    }
}

/// Source: APISIX#13395 and #13415, Tyk#3040, Kong PR#2418: the digest was compared but not signed,
/// or signed but not compared (part 1, row 33; part 2).
#[test]
fn a_digest_that_is_compared_but_not_signed_or_signed_but_not_compared() {
    let other = PayloadDigest::of(b"{}").to_string();
    for scheme in SCHEMES {
        let mut both = signed(scheme);
        both.body = b"{}".to_vec();
        both.set("x-content-sha256", &other);
        assert_code(scheme, "body and hash", &both, "invalid_signature");

        let mut body = signed(scheme);
        body.body = b"{}".to_vec();
        assert_code(scheme, "body alone", &body, "body_mismatch");

        let unsigned = forger(scheme).sign(request("POST", "/"), "host;x-date;x-nonce", NOW);
        assert_code(
            scheme,
            "hash not signed",
            &unsigned,
            "insufficient_coverage",
        );
    }
}

/// Source: MinIO CVE-2026-40344 and CVE-2025-31489: `STREAMING-UNSIGNED-PAYLOAD-TRAILER` took a
/// path on which nothing checked the signature (part 1, row 13; part 2).
#[test]
fn a_word_in_place_of_the_hash_that_switches_a_check_off() {
    for scheme in SCHEMES {
        for word in [
            "UNSIGNED-PAYLOAD",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "STREAMING-ANYTHING",
            "none",
            "-",
            "",
        ] {
            let message = request("POST", "/").with("x-content-sha256", word);
            let message = forger(scheme).sign(message, ALL_FIVE, NOW);
            assert_code(scheme, word, &message, "malformed");
        }
    }
}

/// Source: CVE-2023-43040, Ceph RGW: fields of a form in the body took the place of what the head
/// had proven (part 2).
#[test]
fn a_form_in_the_body_that_speaks_for_the_head() {
    let form = b"credential=orders&signed-headers=host&x-nonce=other&key=admin";
    for scheme in SCHEMES {
        let message = Message::new("POST", "/", HOST, form)
            .with("content-type", "application/x-www-form-urlencoded")
            .signed(&billing(scheme), NOW);
        let verified = judge(scheme, &message).verified("form");
        assert_eq!(verified.caller(), &"billing");
        assert_eq!(verified.nonce(), Some(NONCE));
    }
}
