//! Times the cases of each group side by side and judges the claims made of their ratios.

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::{collections::HashMap, env, process::Command, process::ExitCode};

use benches::{
    case::{Claim, Group, ROUNDS},
    groups,
};

fn main() -> ExitCode {
    // `cargo test --benches` runs this without the flag: then everything has a turn and nothing is judged.
    let judged = env::args().any(|argument| argument == "--bench");
    let rounds = if judged { ROUNDS } else { 1 };
    let filter = env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let allocations = allocations();
    let mut all_hold = true;
    for mut group in groups::all() {
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

/// The counts of the program beside this one, whose allocator counts: here it would be timed as well.
fn allocations() -> HashMap<(String, String), String> {
    let counted = Command::new(env!("CARGO_BIN_EXE_allocations")).output();
    let lines = counted.map(|output| output.stdout).unwrap_or_default();
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
fn print(
    group: &mut Group,
    rounds: usize,
    allocations: &HashMap<(String, String), String>,
) -> bool {
    let times = group.measure(rounds);
    let ratio = |case: &str, to: &str| {
        let of = |name: &str| group.cases.iter().position(|found| found.name == name);
        let (case, to) = (times.get(of(case)?)?, times.get(of(to)?)?);
        Some(case.ratio_to(to))
    };
    let ratio = |case: &str, to: &str| ratio(case, to).unwrap_or(f64::NAN);

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
            _ => continue,
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
