//! Prints what was measured and judges the claims.

use std::{
    collections::HashMap,
    env,
    process::{Command, ExitCode},
};

use crate::case::{Claim, Group, ROUNDS};

/// How often each case allocates, by group and case.
type Allocations = HashMap<(String, String), String>;

/// Measures the groups that the command line asks for. `counter` is a program that counts their
/// allocations: here, the allocator that counts would be timed as well.
pub fn run(groups: impl IntoIterator<Item = Group>, counter: &str) -> ExitCode {
    // `cargo test --benches` runs this without the flag: then everything has a turn and nothing is
    // judged.
    let judged = env::args().any(|argument| argument == "--bench");
    let rounds = if judged { ROUNDS } else { 1 };
    let filter = env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let allocations = allocations(counter, &filter);
    let mut all_hold = true;
    for mut group in groups {
        if group.name.contains(&filter) {
            all_hold &= print(&mut group, rounds, &allocations);
        }
    }
    if all_hold || !judged {
        ExitCode::SUCCESS
    } else {
        println!("A claim does not hold.");
        ExitCode::FAILURE
    }
}

fn allocations(counter: &str, filter: &str) -> Allocations {
    let output = Command::new(counter).arg(filter).output();
    let lines = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&lines)
        .lines()
        .filter_map(|line| {
            let (group, rest) = line.split_once('\t')?;
            let (case, count) = rest.split_once('\t')?;
            Some(((group.to_owned(), case.to_owned()), count.to_owned()))
        })
        .collect()
}

/// Prints the table of a group. Returns whether all claims hold.
fn print(group: &mut Group, rounds: usize, allocations: &Allocations) -> bool {
    let times = group.measure(rounds);
    let both = |case: &str, to: &str| {
        let of = |name: &str| group.cases.iter().position(|found| found.name == name);
        Some((times.get(of(case)?)?, times.get(of(to)?)?))
    };
    let ratio = |case: &str, to: &str| both(case, to).map_or(f64::NAN, |(a, b)| a.ratio_to(b));

    println!("{}", group.name);
    let first = group.cases.first().map_or("", |case| case.name);
    for (name, times) in group.cases.iter().map(|case| case.name).zip(&times) {
        let key = (group.name.clone(), name.to_owned());
        println!(
            "  {name:<28} {:>10.0} ns {:>10.0} ns {:>7.2} {:>4} allocations",
            times.median(),
            times.least(),
            ratio(name, first),
            allocations.get(&key).map_or("?", String::as_str),
        );
    }
    let mut all_hold = true;
    for claim in &group.claims {
        let (text, holds) = match *claim {
            Claim::AtMost { case, of, limit } => {
                let ratio = ratio(case, of);
                let text = format!("{case} takes {ratio:.2} of {of}, at most {limit:.2}");
                (text, ratio <= limit)
            }
            Claim::FasterThan { case, than, limit } => {
                let ratio = ratio(than, case);
                let text =
                    format!("{case} is {ratio:.2} times as fast as {than}, at least {limit:.2}");
                (text, ratio >= limit)
            }
            Claim::AtMostMore {
                case,
                of,
                nanoseconds,
            } => {
                let more = both(case, of).map_or(f64::NAN, |(a, b)| a.more_than(b));
                let text =
                    format!("{case} takes {more:.0} ns more than {of}, at most {nanoseconds:.0}");
                (text, more <= nanoseconds)
            }
        };
        println!(
            "  {text}: {}",
            if holds { "holds" } else { "DOES NOT HOLD" }
        );
        all_hold &= holds;
    }
    println!();
    all_hold
}
