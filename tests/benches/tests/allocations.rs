//! How often this project allocates. The counts are of one thread, exact, and the same on every machine.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use benches::{case::Group, groups};
use countersign::{
    CallerKey, KeyStore, Keyring, Secret, SigV4Credentials, SigV4Profile, SigV4Settings, Signer,
    SigningKey, Timestamp, Verifier, VerifyingKey,
};

/// So many times before one is counted, so that what is set up on first use is.
const WARM_UP: u32 = 200;

/// The median of so many: now and then a table of the replay store grows.
const COUNTED: usize = 101;

fn count(group: &str, case: &str) -> u64 {
    let groups = groups::native();
    let group: &mut Group = &mut groups
        .into_iter()
        .find(|found| found.name == group)
        .unwrap_or_else(|| panic!("no group {group}"));
    let case = group
        .cases
        .iter_mut()
        .find(|found| found.name == case)
        .unwrap_or_else(|| panic!("no case {case}"));
    case.turn(WARM_UP);
    let mut counts = [0; COUNTED];
    for count in &mut counts {
        case.once(|work| *count = allocation_counter::measure(work).count_total);
    }
    counts.sort_unstable();
    counts[COUNTED / 2]
}

#[test]
fn the_head_is_verified_without_an_allocation() {
    for layout in ["three headers", "default layout"] {
        let group = format!("verify the head, {layout}");
        assert_eq!(count(&group, "countersign"), 0, "{layout}");
    }
}

/// For the covered headers, which outlive the request.
#[test]
fn head_and_body_take_one_allocation() {
    for (layout, expected) in [("three headers", 1), ("default layout", 1)] {
        for size in ["0 B", "1 KiB"] {
            let group = format!("verify head and body of {size}, {layout}");
            assert_eq!(count(&group, "countersign"), expected, "{size}, {layout}");
        }
    }
}

/// In RFC 9421 the signature, the signature base and, where there is a body, its digest; behind the head one more for the
/// covered headers and one for the nonce, which outlive the request.
#[test]
fn message_signatures_take_two_allocations_for_the_head_and_one_for_a_digest() {
    assert_eq!(count("verify the head, RFC 9421", "countersign"), 2);
    for (size, expected) in [("0 B", 4), ("1 KiB", 5)] {
        let group = format!("verify head and body of {size}, RFC 9421");
        assert_eq!(count(&group, "countersign"), expected, "{size}");
    }
}

#[test]
fn a_body_of_a_mebibyte_takes_no_more_than_a_small_one() {
    let group = "a body of 1 MiB, default layout";
    assert_eq!(count(group, "countersign, verify"), 1);
    assert_eq!(count(group, "countersign, sign"), 4);
}

/// One for the value of each header that is set.
#[test]
fn signing_takes_one_allocation_for_each_header_it_sets() {
    for (layout, expected) in [("three headers", 3), ("default layout", 4)] {
        for size in ["0 B", "1 KiB"] {
            let group = format!("sign into headers, body of {size}, {layout}");
            assert_eq!(count(&group, "countersign"), expected, "{size}, {layout}");
        }
    }
}

/// Three of them are axum's own, for any layer; the others are the layer's future, the covered headers, the caller, its
/// place in the extensions, and the body's.
#[test]
fn the_layer_takes_at_most_fourteen_allocations_more_than_the_bare_router() {
    let group = "through an axum router in process, body of 1 KiB";
    let bare = count(group, "no layer");
    for case in ["countersign, three headers", "countersign, default layout"] {
        let more = count(group, case) - bare;
        assert!(more <= 14, "{case}: {more} more than {bare}");
    }
}

/// What the claim is kept in, and the covered headers that outlive the request. Signing: one for each header that is set.
#[test]
fn sigv4_takes_two_allocations_to_verify_and_three_to_sign() {
    let secret = Secret::from_text("correct/Horse+battery/Staple+0123456789");
    let credentials = SigV4Credentials::new("AKID", SigningKey::sigv4(&secret)).unwrap();
    let settings = SigV4Settings::new("eu-central-1", "user-service", credentials).unwrap();
    let signer = Signer::sigv4(settings, ["user-service.internal"]).unwrap();
    let profile = SigV4Profile::new("eu-central-1", "user-service").unwrap();
    let verifier = Verifier::builder().accept_only(profile).build().unwrap();
    let key = CallerKey::new("1", VerifyingKey::sigv4(&secret)).unwrap();
    let key = key.with_key_id("AKID").unwrap();
    let keys = Keyring::builder().caller("billing", key).build().unwrap();

    let body = [b'a'; 1024];
    let now = Timestamp::from_unix_seconds(1_767_323_045);
    let (mut parts, ()) =
        http::Request::post("https://user-service.internal/api/account/7?x=1&y=2")
            .header("content-type", "application/json")
            .body(())
            .unwrap()
            .into_parts();
    let sign = |parts: &http::request::Parts| signer.sign(parts, &body[..], now).unwrap();
    // The first one derives the key of the day.
    drop(sign(&parts));
    let signing = allocation_counter::measure(|| drop(sign(&parts)));
    assert_eq!(signing.count_total, 3, "sign");

    sign(&parts).apply(&mut parts);
    let verify = || {
        let claim = verifier.parse(&parts, now).unwrap();
        let found = keys.try_lookup(claim.key_id()).unwrap().unwrap();
        let head = claim.authenticate(&found, now).unwrap();
        head.finish_with(&body, now).unwrap()
    };
    drop(verify());
    let verifying = allocation_counter::measure(|| drop(verify()));
    assert_eq!(verifying.count_total, 2, "verify");
}
