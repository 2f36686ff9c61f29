//! Counts the allocations of every case of [`benches::groups`]: one line each, group, case and
//! count with tabs between. Only groups whose names hold the argument, if there is one.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use benches::{case::Case, groups};

/// Runs before the first counted one, so that nothing is set up in it.
const WARM_UP: u32 = 200;

/// The median is taken: now and then a table of the replay store grows.
const COUNTED: usize = 101;

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    for mut group in groups::all() {
        if !group.name.contains(&filter) {
            continue;
        }
        for case in &mut group.cases {
            let count = count(case);
            println!("{}\t{}\t{count}", group.name, case.name);
        }
    }
}

fn count(case: &mut Case) -> u64 {
    case.turn(WARM_UP);
    let mut counts = [0; COUNTED];
    for count in &mut counts {
        case.once(|work| *count = allocation_counter::measure(work).count_total);
    }
    counts.sort_unstable();
    counts.get(COUNTED / 2).copied().unwrap_or_default()
}
