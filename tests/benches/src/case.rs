//! Cases that are measured side by side: all of a group take turns, so that whatever else the
//! machine does falls on each of them alike, and only their ratios are judged.

use std::{
    fmt,
    hint::{self, black_box},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How often every case of a group has its turn.
pub const ROUNDS: usize = 121;

/// How long a turn takes: shorter than the slice of time that a scheduler gives to somebody else.
pub const TURN: Duration = Duration::from_millis(1);

/// Inputs that are made ahead, before the clock runs.
const AHEAD: u32 = 128;

/// How many times as long a turn of several threads takes: until the scheduler has spread them over
/// the processors.
const SPREAD: u32 = 8;

/// Cases that do the same work, and the claims about them.
#[derive(Debug)]
#[non_exhaustive]
pub struct Group {
    /// The work.
    pub name: String,
    /// The cases. The others are compared with the first.
    pub cases: Vec<Case>,
    /// What must hold.
    pub claims: Vec<Claim>,
}

/// One way to do the work of its group.
#[non_exhaustive]
pub struct Case {
    /// Whose way.
    pub name: &'static str,
    work: Box<dyn Work>,
}

trait Work {
    fn turn(&mut self, iterations: u32) -> Duration;
    fn once(&mut self, around: &mut dyn FnMut(&mut dyn FnMut()));
}

/// A ratio of the times of two cases, and its limits.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Claim {
    /// The time of `case` is at most `limit` times that of `of`.
    AtMost {
        /// The case that is judged.
        case: &'static str,
        /// The case that it is compared with.
        of: &'static str,
        /// The greatest ratio.
        limit: f64,
    },
    /// `case` is at least `limit` times as fast as `than`.
    FasterThan {
        /// The case that is judged.
        case: &'static str,
        /// The case that it is compared with.
        than: &'static str,
        /// The least ratio.
        limit: f64,
    },
    /// `case` takes at most so much longer than `of`, which it does a part of its work with.
    AtMostMore {
        /// The case that is judged.
        case: &'static str,
        /// The case that it is compared with.
        of: &'static str,
        /// The greatest difference.
        nanoseconds: f64,
    },
}

impl Group {
    /// A group without claims.
    pub fn new(name: impl Into<String>, cases: Vec<Case>) -> Self {
        Self {
            name: name.into(),
            cases,
            claims: Vec::new(),
        }
    }

    /// Claims that `case` takes at most `limit` times as long as `of`.
    #[must_use]
    pub fn at_most(mut self, case: &'static str, limit: f64, of: &'static str) -> Self {
        self.claims.push(Claim::AtMost { case, of, limit });
        self
    }

    /// Claims that `case` is at least `limit` times as fast as `than`.
    #[must_use]
    pub fn faster_than(mut self, case: &'static str, limit: f64, than: &'static str) -> Self {
        self.claims.push(Claim::FasterThan { case, than, limit });
        self
    }

    /// Claims that `case` takes at most so much longer than `of`.
    #[must_use]
    pub fn at_most_more(mut self, case: &'static str, nanoseconds: f64, of: &'static str) -> Self {
        self.claims.push(Claim::AtMostMore {
            case,
            of,
            nanoseconds,
        });
        self
    }

    /// Measures every case, over so many rounds in which each has a turn.
    pub fn measure(&mut self, rounds: usize) -> Vec<Times> {
        let iterations: Vec<u32> = self.cases.iter_mut().map(Case::iterations).collect();
        let mut times: Vec<Times> = self.cases.iter().map(|_| Times::default()).collect();
        for round in 0..rounds {
            // Every round begins with another case, so that none always follows the same one.
            let count = self.cases.len();
            for at in (0..count).map(|place| (place + round) % count) {
                if let (Some(case), Some(iterations), Some(times)) = (
                    self.cases.get_mut(at),
                    iterations.get(at),
                    times.get_mut(at),
                ) {
                    times.0.push(case.nanoseconds(*iterations));
                }
            }
        }
        times
    }
}

/// The times of one case, one for each round, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// The median.
    pub fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The least time: that of a run which nothing else disturbed.
    pub fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// How many times as long as the other this took: the median of the ratios of each round, so
    /// that what slows the machine for a while slows both sides of a ratio.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// How many nanoseconds longer than the other this took: the median of the differences of each
    /// round.
    pub fn more_than(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(a, b)| a - b).collect())
    }
}

impl Case {
    /// A case that does not change its input.
    pub fn repeated<T: 'static>(name: &'static str, run: impl FnMut() -> T + 'static) -> Self {
        let work = Box::new(Repeated(run));
        Self { name, work }
    }

    /// A case that uses its input up. Neither making it nor dropping it counts.
    pub fn consuming<T: 'static>(
        name: &'static str,
        make: impl FnMut() -> T + 'static,
        run: impl FnMut(&mut T) + 'static,
    ) -> Self {
        let work = Box::new(Consuming { make, run });
        Self { name, work }
    }

    /// A case that so many threads do at once. Its time is what all of them took together, from the
    /// first start to the last end. Neither making the input nor dropping it counts.
    pub fn at_once<T: Sync + 'static>(
        name: &'static str,
        threads: usize,
        make: impl FnMut() -> T + 'static,
        run: impl Fn(&T) + Sync + 'static,
    ) -> Self {
        let work = Box::new(AtOnce { threads, make, run });
        Self { name, work }
    }

    /// Does the work so many times and says how long it took.
    pub fn turn(&mut self, iterations: u32) -> Duration {
        self.work.turn(iterations)
    }

    /// Makes the input, then has `around` do the work once.
    pub fn once(&mut self, mut around: impl FnMut(&mut dyn FnMut())) {
        self.work.once(&mut around);
    }

    fn nanoseconds(&mut self, iterations: u32) -> f64 {
        self.turn(iterations).as_secs_f64() * 1e9 / f64::from(iterations)
    }

    /// How many iterations take a turn.
    fn iterations(&mut self) -> u32 {
        let mut iterations = 1;
        loop {
            // The least of three: one that the scheduler cut short of would end the search too
            // early.
            let took = (0..3).map(|_| self.turn(iterations)).min();
            let took = took.unwrap_or_default();
            if took >= TURN / 4 {
                let turn = u128::from(iterations) * TURN.as_nanos() / took.as_nanos();
                return u32::try_from(turn).unwrap_or(u32::MAX).max(1);
            }
            iterations *= 2;
        }
    }
}

struct Repeated<R>(R);

impl<T, R: FnMut() -> T> Work for Repeated<R> {
    fn turn(&mut self, iterations: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..iterations {
            black_box((self.0)());
        }
        start.elapsed()
    }

    fn once(&mut self, around: &mut dyn FnMut(&mut dyn FnMut())) {
        around(&mut || {
            black_box((self.0)());
        });
    }
}

struct Consuming<M, R> {
    make: M,
    run: R,
}

impl<T, M: FnMut() -> T, R: FnMut(&mut T)> Work for Consuming<M, R> {
    fn turn(&mut self, iterations: u32) -> Duration {
        let mut spent = Duration::ZERO;
        let mut left = iterations;
        while left > 0 {
            let ahead = left.min(AHEAD);
            let mut inputs: Vec<T> = (0..ahead).map(|_| (self.make)()).collect();
            let start = Instant::now();
            for input in &mut inputs {
                (self.run)(black_box(input));
            }
            spent += start.elapsed();
            left -= ahead;
        }
        spent
    }

    fn once(&mut self, around: &mut dyn FnMut(&mut dyn FnMut())) {
        let mut input = (self.make)();
        around(&mut || (self.run)(&mut input));
    }
}

struct AtOnce<M, R> {
    threads: usize,
    make: M,
    run: R,
}

impl<T: Sync, M: FnMut() -> T, R: Fn(&T) + Sync> Work for AtOnce<M, R> {
    fn turn(&mut self, iterations: u32) -> Duration {
        // Dealt out one by one, so that all threads are at about the same place in their order.
        let mut shares: Vec<Vec<T>> = (0..self.threads).map(|_| Vec::new()).collect();
        let mut dealt = 0;
        while dealt < iterations.saturating_mul(SPREAD) {
            for share in &mut shares {
                share.push((self.make)());
                dealt += 1;
            }
        }
        let (run, ready, threads) = (&self.run, &AtomicUsize::new(0), self.threads);
        let took = thread::scope(|scope| {
            let running: Vec<_> = shares
                .iter()
                .map(|share| scope.spawn(move || between(share, run, ready, threads)))
                .collect();
            let spans: Vec<_> = running
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect();
            let start = spans.iter().map(|(start, _)| *start).min().unwrap();
            let end = spans.iter().map(|(_, end)| *end).max().unwrap();
            end - start
        });
        took.mul_f64(f64::from(iterations) / f64::from(dealt))
    }

    fn once(&mut self, around: &mut dyn FnMut(&mut dyn FnMut())) {
        let input = (self.make)();
        around(&mut || (self.run)(&input));
    }
}

/// When a thread began with its share and when it was done. It waits for the others without
/// sleeping: waking up would take as long as many iterations.
fn between<T>(
    share: &[T],
    run: impl Fn(&T),
    ready: &AtomicUsize,
    threads: usize,
) -> (Instant, Instant) {
    ready.fetch_add(1, Ordering::AcqRel);
    while ready.load(Ordering::Acquire) < threads {
        hint::spin_loop();
    }
    let start = Instant::now();
    for input in share {
        run(black_box(input));
    }
    (start, Instant::now())
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
