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
