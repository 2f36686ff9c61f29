//! How often this project allocates. The counts are of one thread, exact, and the same on every
//! machine.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use benches::{case::Group, groups, policies, replay_claims, schemes::Subject};

/// Runs before the first counted one, so that nothing is set up in it.
const WARM_UP: u32 = 200;

/// The median of so many: now and then a table of the replay store grows.
const COUNTED: usize = 101;

fn count(group: &str, case: &str) -> u64 {
    let mut groups = groups::native();
    groups.extend(Subject::all().into_iter().map(Subject::group));
    groups.push(policies::group());
    groups.extend(replay_claims::groups());
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

/// In RFC 9421 the signature base; behind the head one more for the covered headers and the nonce,
/// which outlive the request.
#[test]
fn message_signatures_take_one_allocation_for_the_head_and_one_behind_it() {
    assert_eq!(count("verify the head, RFC 9421", "countersign"), 1);
    for size in ["0 B", "1 KiB"] {
        let group = format!("verify head and body of {size}, RFC 9421");
        assert_eq!(count(&group, "countersign"), 2, "{size}");
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

/// Three of them are axum's own, for any layer; the others are the layer's future, the covered
/// headers, the caller, its place in the extensions, and the body's.
#[test]
fn the_layer_takes_at_most_fourteen_allocations_more_than_the_bare_router() {
    let group = "through an axum router in process, body of 1 KiB";
    let bare = count(group, "no layer");
    for case in ["countersign, three headers", "countersign, default layout"] {
        let more = count(group, case) - bare;
        assert!(more <= 14, "{case}: {more} more than {bare}");
    }
}

/// Of every length of body alike. To verify SigV4: what the claim is kept in, and the covered
/// headers that outlive the request; in a query of nine parameters also those. The others keep what
/// tells a replay as well.
#[test]
fn every_scheme_allocates_so_often() {
    for (scheme, sign, verify) in [
        ("SigV4", 3, 2),
        ("DRF", 4, 4),
        ("Standard Webhooks", 7, 4),
        ("RFC 9421 hmac-sha256", 4, 2),
        ("RFC 9421 ed25519", 4, 2),
    ] {
        for size in ["0 B", "1 KiB", "1 MiB"] {
            for (operation, expected) in [("sign", sign), ("verify", verify)] {
                let group = format!("{operation} {scheme}, body of {size}");
                assert_eq!(count(&group, "countersign"), expected, "{group}");
            }
        }
    }
    let presigned = "verify SigV4 presigned, body of 0 B";
    assert_eq!(count(presigned, "countersign"), 2, "{presigned}");
}

#[test]
fn a_policy_is_evaluated_without_an_allocation() {
    for case in [policies::FEW, policies::MORE, policies::MANY] {
        assert_eq!(count(policies::NAME, case), 0, "{case}");
    }
}

/// As a rule: now and then a table grows.
#[test]
fn a_claim_is_made_without_an_allocation() {
    assert_eq!(count(replay_claims::NAME, replay_claims::FEW), 0);
}

/// Everything is counted by the `metrics` facade, in which nobody has installed a recorder here:
/// then no label is made. The figure is that of the layer before it counted anything.
#[test]
fn what_nobody_counts_allocates_nothing() {
    let group = "through an axum router in process, body of 1 KiB";
    let bare = count(group, "no layer");
    for (case, expected) in [
        ("countersign, three headers", 9),
        ("countersign, default layout", 10),
    ] {
        let more = count(group, case) - bare;
        assert!(more <= expected, "{case}: {more} more than {bare}");
    }
}
