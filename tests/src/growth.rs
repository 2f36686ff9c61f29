//! How much more work a larger input makes, as the time that the thread computes. A load on the
//! machine does not count.

use std::time::Duration;

use cpu_time::ThreadTime;

/// The larger input is so many times the smaller.
pub const FACTOR: usize = 4;

/// The most for linear work. It is four times as much, and a sort of so few things at most six. The
/// square of four is twice this.
pub const LINEAR: u32 = 8;

/// The most for work that does not depend on the size. Linear work is twice this.
pub const CONSTANT: u32 = 2;

/// A measurement takes at least this long, so that reading the clock is a small part of it.
const LONG_ENOUGH: Duration = Duration::from_millis(2);

/// The time that this thread computes for one piece of work: the least of several measurements.
fn cost(work: &impl Fn()) -> Duration {
    let measured = |count: u32| {
        let start = ThreadTime::now();
        for _ in 0..count {
            work();
        }
        start.elapsed()
    };
    let mut count = 1;
    while measured(count) < LONG_ENOUGH {
        count = count.checked_mul(2).unwrap();
    }
    let least = (0..5).map(|_| measured(count)).min().unwrap();
    least.checked_div(count).unwrap()
}

/// Compares a piece of work with the same on an input [`FACTOR`] times as large.
///
/// A measurement that fails is made again.
///
/// # Errors
///
/// The larger one took more than `most` times as long in each of several attempts. The error has
/// what each measured.
pub fn compare(
    most: u32,
    small: &impl Fn(),
    large: &impl Fn(),
) -> Result<(), Vec<(Duration, Duration)>> {
    let mut costs = Vec::new();
    for _ in 0..4 {
        let found = (cost(small), cost(large));
        if found.1 <= found.0.saturating_mul(most) {
            return Ok(());
        }
        costs.push(found);
    }
    Err(costs)
}

/// Holds work on an input [`FACTOR`] times as large to that of linear work.
#[track_caller]
pub fn assert_linear(case: &str, small: &impl Fn(), large: &impl Fn()) {
    assert_at_most(LINEAR, case, small, large);
}

/// Holds work on an input [`FACTOR`] times as large to that of work that no size changes.
#[track_caller]
pub fn assert_constant(case: &str, small: &impl Fn(), large: &impl Fn()) {
    assert_at_most(CONSTANT, case, small, large);
}

#[track_caller]
fn assert_at_most(most: u32, case: &str, small: &impl Fn(), large: &impl Fn()) {
    if let Err(costs) = compare(most, small, large) {
        panic!("{case}: {FACTOR} times the input, and more than {most} times the work: {costs:?}");
    }
}
