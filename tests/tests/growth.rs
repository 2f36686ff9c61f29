//! What a stranger makes a verifier do grows no faster than the head that the stranger sends.
//!
//! Each case is a head of one size and another of four times the size. The time that this thread
//! computes for both is compared: linear work takes four times as long, a sort a little more, and
//! work that grows with the square sixteen times. A load on the machine moves neither, and a
//! measurement that fails is made again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

#[path = "growth/body_schemes.rs"]
mod body_schemes;
#[path = "growth/cavage.rs"]
mod cavage;
#[path = "growth/date.rs"]
mod date;
#[path = "growth/message_signatures.rs"]
mod message_signatures;
#[path = "growth/native.rs"]
mod native;
#[path = "growth/sigv4.rs"]
mod sigv4;

use std::hint::black_box;

use countersign::{CallerKeys, HeadLimits, RejectionKind, Verifier, VerifierBuilder};
use http::request::Parts;
use tests::{
    growth::{self, CONSTANT, FACTOR, LINEAR},
    keys::NOW,
    stranger::HOST,
};

/// What the verifier makes of the heads of a case: each must be read to where the case wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All of the head is read, and keys are looked for.
    UnverifiedHead,
    Refused(RejectionKind),
}

/// Limits that no head of these tests meets.
fn no_limits() -> HeadLimits {
    HeadLimits::default()
        .with_authorization_bytes(1 << 20)
        .with_target_bytes(1 << 20)
        .with_covered_headers(1 << 20)
        .with_covered_value_bytes(1 << 20)
        .with_query_parameters(1 << 20)
}

/// Starts a verifier without limits for [`HOST`].
fn builder() -> VerifierBuilder {
    Verifier::builder()
        .limits(no_limits())
        .expected_hosts([HOST])
}

/// A name that no other number has. All are of one length and begin alike.
fn name(number: usize) -> String {
    format!("x-{}-{number:06}", "a".repeat(40))
}

/// Text of this length.
fn text(len: usize) -> String {
    "a".repeat(len)
}

/// So many pieces, each made from its number, with a separator between them.
fn list(count: usize, separator: &str, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().join(separator)
}

/// All that a stranger has done for one head: it is read, its keys are looked for, and a refusal is
/// written down.
fn judge(verifier: &Verifier, head: &Parts) -> Outcome {
    let found = verifier.parse(head, NOW);
    black_box(verifier.asserted(head));
    match found {
        Ok(unverified) => {
            // Without keys there is no MAC, so that only the steps before it are measured.
            black_box(
                unverified
                    .authenticate(&CallerKeys::unknown(), NOW)
                    .is_err(),
            );
            Outcome::UnverifiedHead
        }
        Err(rejection) => Outcome::Refused(rejection.kind()),
    }
}

/// Holds a case to its growth: `head` makes a head of a size, here of `size` and of four times
/// that.
#[track_caller]
fn assert_linear(
    case: &str,
    verifier: &Verifier,
    expected: Outcome,
    size: usize,
    head: impl Fn(usize) -> Parts,
) {
    let [small, large] = [size, size * FACTOR].map(head);
    for head in [&small, &large] {
        assert_eq!(judge(verifier, head), expected, "{case}");
    }
    let work = |head| move || _ = black_box(judge(verifier, head));
    growth::assert_linear(case, &work(&small), &work(&large));
}

/// A measure that could not fail would show nothing.
#[test]
fn work_that_grows_with_the_square_is_told_from_linear_work_and_that_from_constant_work() {
    let numbers: Vec<usize> = (0..800).collect();
    let (small, large) = (&numbers[..200], &numbers[..]);
    let sum = |numbers: &[usize]| _ = black_box(black_box(numbers).iter().sum::<usize>());
    assert!(growth::compare(LINEAR, &|| sum(small), &|| sum(large)).is_ok());
    assert!(growth::compare(CONSTANT, &|| sum(small), &|| sum(large)).is_err());
    assert!(growth::compare(CONSTANT, &|| sum(large), &|| sum(large)).is_ok());
    let square = |numbers: &[usize]| {
        for number in numbers {
            let found = numbers.iter().filter(|other| *other == number);
            black_box(found.count());
        }
    };
    assert!(growth::compare(LINEAR, &|| square(small), &|| square(large)).is_err());
}
