//! How many bytes the replay store in memory takes for each nonce.
//!
//! ```sh
//! cargo test -p benches --test replay_store -- --nocapture
//! ```

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking; the table is what it is for"
)]

use countersign::{KeyId, MemoryReplayStore, ReplayClaim, ReplayKey, ReplayStore, Timestamp};

/// The life of an entry with nothing set: window, body deadline and clock difference, in seconds.
const LIFE: u32 = 335;

/// Bytes held for each entry, and at the most while they were added, of a store that was filled at
/// an even rate over the life of an entry.
fn bytes_per_entry(entries: u32) -> (f64, f64) {
    let store = MemoryReplayStore::new();
    let caller = KeyId::new("billing").unwrap();
    let measured = allocation_counter::measure(|| {
        for number in 0..entries {
            let second = u64::from(number) * u64::from(LIFE) / u64::from(entries);
            let now = Timestamp::from_unix_seconds(i64::try_from(second).unwrap());
            let expires =
                Timestamp::from_unix_seconds(i64::try_from(second).unwrap() + i64::from(LIFE));
            let key = ReplayKey::new("user-service", "billing", &number.to_string());
            let claim = ReplayClaim::new(key, caller.clone(), now, expires, now);
            assert!(store.try_claim(&claim).unwrap().is_ok());
        }
    });
    assert_eq!(store.entries(), usize::try_from(entries).ok());
    let per_entry = |bytes: f64| bytes / f64::from(entries);
    (
        per_entry(measured.bytes_current as f64),
        per_entry(measured.bytes_max as f64),
    )
}

/// The table of `crates/OPERATIONS.md`. The parts of the store double at about the same size, but
/// not at the same moment, and so do the lists of those that expire in one second: the figures go
/// up and down twice in each doubling.
#[test]
fn an_entry_takes_what_the_page_says() {
    println!("entries, bytes each, bytes each at the most while it grew");
    let (mut least, mut greatest) = (f64::MAX, 0.0_f64);
    for entries in [
        33_500, 40_000, 45_000, 50_000, 54_000, 57_344, 62_000, 70_000, 80_000, 90_000, 100_000,
        114_688, 335_000,
    ] {
        let (held, peak) = bytes_per_entry(entries);
        println!("{entries:>7} {held:>6.1} {peak:>6.1}");
        (least, greatest) = (least.min(held), greatest.max(held));
    }
    assert!((59.0..60.0).contains(&least), "{least}");
    assert!((75.0..76.0).contains(&greatest), "{greatest}");
}
