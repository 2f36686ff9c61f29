//! The lower bound and the version by hand make and take exactly the signatures that this project
//! makes and takes; otherwise a comparison of their times would say nothing.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use benches::{
    groups, layers, lower_bound, naive, ours,
    request::{self, Layout},
};
use countersign::{Nonce, Timestamp, Verifier};
use http::request::Parts;

const LAYOUTS: [Layout; 2] = [Layout::Three, Layout::Default];
const LENGTHS: [usize; 4] = [0, 1, 1024, 100_000];
const NONCE: [u8; 16] = *b"\x00\x01\x7f\x80\xff numberonce";

/// Moments whose dates are not all alike: the epoch, leap days, ends of years and months.
const MOMENTS: [u32; 8] = [
    0,
    951_782_400,
    1_582_977_600,
    1_709_164_799,
    1_767_225_599,
    1_767_225_600,
    1_767_323_045,
    4_102_444_799,
];

fn secret() -> Vec<u8> {
    hex::decode(request::KEY).unwrap()
}

fn signed_by_all(layout: Layout, len: usize, now: u32) -> [Parts; 3] {
    let body = request::body(len);
    let [mut ours, mut bound, mut naive] = [(); 3].map(|()| request::unsigned(len));
    let nonce = Nonce::new(&hex::encode(NONCE)).unwrap();
    let at = Timestamp::from_unix_seconds(now.into());
    ours::sign_with_nonce(&layout.signer(), nonce, at, &mut ours, &body).unwrap();
    let (key, caller) = (lower_bound::key(&secret()), request::CALLER);
    lower_bound::sign_with_nonce(&key, caller, layout, NONCE, now.into(), &mut bound, &body)
        .unwrap();
    naive::sign_with_nonce(
        &secret(),
        caller,
        layout,
        NONCE,
        now.into(),
        &mut naive,
        &body,
    )
    .unwrap();
    [ours, bound, naive]
}

#[test]
fn all_three_sign_alike() {
    for layout in LAYOUTS {
        for len in LENGTHS {
            for now in MOMENTS {
                let [ours, bound, naive] = signed_by_all(layout, len, now);
                assert_eq!(ours.headers, bound.headers, "{layout:?}, {len}, {now}");
                assert_eq!(ours.headers, naive.headers, "{layout:?}, {len}, {now}");
            }
        }
    }
}

#[test]
fn all_three_take_what_is_right_and_refuse_what_is_not() {
    for layout in LAYOUTS {
        let (verifier, keyring) = (Verifier::default(), layout.keyring());
        let (bound_keys, naive_keys) =
            (layers::keys(lower_bound::key), layers::keys(<[u8]>::to_vec));
        let verdicts = |parts: &Parts, body: &[u8]| {
            [
                ours::verify(&verifier, &keyring, parts, body).is_some(),
                lower_bound::verify(&bound_keys, layout, parts, body),
                naive::verify(&naive_keys, parts, body).is_ok(),
            ]
        };
        for len in LENGTHS {
            let body = request::body(len);
            let parts = groups::signed(layout, &body);
            assert_eq!(verdicts(&parts, &body), [true; 3], "{layout:?}, {len}");

            let longer = request::body(len + 1);
            assert_eq!(verdicts(&parts, &longer), [false; 3], "another body");

            let mut moved = groups::signed(layout, &body);
            moved.uri = http::Uri::from_static("/api/v1/accounts/124/transfers");
            assert_eq!(verdicts(&moved, &body), [false; 3], "another target");

            let [old, _, _] = signed_by_all(layout, len, 1_767_323_045);
            assert_eq!(verdicts(&old, &body), [false; 3], "an old date");
        }
    }
}
