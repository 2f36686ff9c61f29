//! Counts the instructions and branches of verifying and signing, outside the hash. No other load
//! changes these counts, unlike times and ratios of times.
//!
//! "Outside the hash" leaves out the compression function of SHA-256 and nothing else: making a
//! MAC's state and wiping it counts, on both sides.
//!
//! ```sh
//! cargo run --release -p benches --bin instructions
//! ```
//!
//! Runs itself under valgrind, which must be installed. Prints a table. Fails if a count is beyond
//! its limit.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot be set up fails by panicking; the table is what it is for"
)]

use std::{
    collections::HashMap,
    env, fs,
    process::{Command, ExitCode},
};

use benches::groups::{self, BOUND, OURS};

/// The greatest number of instructions of ours for each group: what was found, and up to 5 % more,
/// because another compiler inlines differently.
const LIMITS: [(&str, u64); 6] = [
    ("verify the head, three headers", 5_500),
    ("verify head and body of 1 KiB, three headers", 7_200),
    ("sign into headers, body of 1 KiB, three headers", 7_200),
    ("verify the head, default layout", 6_400),
    ("verify head and body of 1 KiB, default layout", 8_400),
    ("sign into headers, body of 1 KiB, default layout", 8_600),
];

/// Each case runs this often in one process, and [`COUNTED`] times more in another. The difference
/// of the two leaves out the set-up on first use.
const WARM_UP: u64 = 100;

/// So many runs are counted.
const COUNTED: u64 = 200;

/// Makes valgrind count while [`counted`] runs.
const COUNTED_FUNCTION: &str = "--toggle-collect=instructions::counted";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [group, case, times] => {
            run(group, case, times.parse().expect("a number of times"));
            ExitCode::SUCCESS
        }
        _ => {
            println!("expected no arguments");
            ExitCode::FAILURE
        }
    }
}

fn table() -> ExitCode {
    let mut held = true;
    println!("instructions and branches of one run, outside the hash:");
    for (group, limit) in LIMITS {
        let bound = Counts::of(group, BOUND);
        let ours = Counts::of(group, OURS);
        let holds = ours.instructions <= limit;
        held &= holds;
        println!("\n{group}");
        println!("  {BOUND:<12} {bound}");
        println!(
            "  {OURS:<12} {ours}, at most {limit}: {}",
            if holds { "holds" } else { "does not hold" }
        );
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one case so often.
fn run(group: &str, case: &str, times: u64) {
    let mut groups = groups::counted().into_iter();
    let group = groups.find(|found| found.name == group);
    let mut cases = group.expect("a group of this name").cases.into_iter();
    let case = cases.find(|found| found.name == case);
    let mut case = case.expect("a case of this name");
    for _ in 0..times {
        case.once(counted);
    }
}

#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

/// Counts of one run of a case, outside the hash.
struct Counts {
    instructions: u64,
    branches: u64,
}

impl Counts {
    fn of(group: &str, case: &str) -> Self {
        let [few, many] = [WARM_UP, WARM_UP.saturating_add(COUNTED)].map(|times| {
            let (instructions, branches) = callgrind(group, case, times);
            Self {
                instructions,
                branches,
            }
        });
        let each = |many: u64, few: u64| many.saturating_sub(few).div_ceil(COUNTED);
        Self {
            instructions: each(many.instructions, few.instructions),
            branches: each(many.branches, few.branches),
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            instructions,
            branches,
        } = self;
        write!(f, "{instructions} instructions, {branches} branches")
    }
}

/// Returns the instructions and branches of one process, outside the hash.
fn callgrind(group: &str, case: &str, times: u64) -> (u64, u64) {
    let profile = env::temp_dir().join(format!("callgrind.{}.{times}", std::process::id()));
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=callgrind", "--branch-sim=yes"])
        .arg(COUNTED_FUNCTION)
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe().expect("this program has a path"))
        .args([group, case, &times.to_string()]);
    let ended = command.status().expect("valgrind is installed");
    assert!(ended.success(), "valgrind ended with {ended}");
    let text = fs::read_to_string(&profile).expect("valgrind wrote a profile");
    fs::remove_file(&profile).expect("the profile can be removed");
    outside_the_hash(&text)
}

/// Adds up what each function costs itself.
///
/// Reads three kinds of lines of callgrind's profile format. `fn=` and `cfn=` name a function, by a
/// number after the first time. A line of costs holds a position, instructions and branches. The
/// line after `calls=` repeats the costs of the called function, and is skipped.
fn outside_the_hash(profile: &str) -> (u64, u64) {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut hashes, mut in_hash) = (false, false);
    let mut sum = (0_u64, 0_u64);
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if let Some((kind @ ("fn" | "cfn"), function)) = line.split_once('=') {
            let (number, name) = function.split_once(' ').unwrap_or((function, ""));
            let name = if name.is_empty() {
                names.get(number).copied().unwrap_or_default()
            } else {
                names.insert(number, name);
                name
            };
            if kind == "fn" {
                in_hash = name.contains("sha2::sha256::") && name.contains("compress");
                hashes |= in_hash;
            }
        } else if line.starts_with("calls=") {
            lines.next();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
            && !in_hash
        {
            let mut costs = line.split(' ').skip(1).map_while(|cost| cost.parse().ok());
            sum.0 = sum.0.saturating_add(costs.next().unwrap_or(0));
            sum.1 = sum.1.saturating_add(costs.next().unwrap_or(0));
        }
    }
    assert!(
        hashes,
        "expected SHA-256 among the functions of the profile"
    );
    sum
}
