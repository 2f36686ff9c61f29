//! When a key verifies: its dates, its state, its replacement.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use countersign::{ArcKeyStore, KeyState, KeyStore, Scheme, Validity};
use tests::keys::{NOW, OTHER_SECRET, SECRET, ed25519_key};

use crate::{
    HOST, THREE, build, bytes, caller_key, code, hmac, judge_at,
    message::{Forger, Message},
    one_caller, seconds_later, signed_with, verifier,
};

#[test]
fn the_dates_of_a_key_are_judged_at_the_verifiers_clock() {
    for scheme in [Scheme::HmacSha256, Scheme::Ed25519] {
        // Signed at NOW; the clocks below are within the window of it.
        let message = signed_with(scheme, &bytes(SECRET));
        let key = || match scheme {
            Scheme::HmacSha256 => caller_key("1", hmac(&bytes(SECRET))),
            _ => caller_key("1", ed25519_key(SECRET).verifying_key()),
        };
        for (name, key, clock, accepted) in [
            ("no bounds", key(), 0, true),
            (
                "from now on",
                key().with_validity(Validity::new().with_not_before(seconds_later(0))),
                0,
                true,
            ),
            (
                "from a second on",
                key().with_validity(Validity::new().with_not_before(seconds_later(1))),
                0,
                false,
            ),
            (
                "from a second on, in a second",
                key().with_validity(Validity::new().with_not_before(seconds_later(1))),
                1,
                true,
            ),
            (
                "valid now, not yet when signed",
                key().with_validity(Validity::new().with_not_before(seconds_later(100))),
                200,
                true,
            ),
            (
                "valid when signed, not yet by the clock",
                key().with_validity(Validity::new().with_not_before(seconds_later(-100))),
                -200,
                false,
            ),
            (
                "until in a second",
                key().with_validity(Validity::new().with_not_after(seconds_later(1))),
                0,
                true,
            ),
            (
                "until now",
                key().with_validity(Validity::new().with_not_after(seconds_later(0))),
                0,
                false,
            ),
            (
                "valid when signed, over now",
                key().with_validity(Validity::new().with_not_after(seconds_later(100))),
                200,
                false,
            ),
            (
                "over when signed, valid by the clock",
                key().with_validity(Validity::new().with_not_after(seconds_later(-100))),
                -200,
                true,
            ),
            (
                "between",
                key().with_validity(
                    Validity::new()
                        .with_not_before(seconds_later(-1))
                        .with_not_after(seconds_later(1)),
                ),
                0,
                true,
            ),
            (
                "an empty span",
                key().with_validity(
                    Validity::new()
                        .with_not_before(seconds_later(0))
                        .with_not_after(seconds_later(0)),
                ),
                0,
                false,
            ),
        ] {
            let keys = one_caller(key).unwrap();
            let found = judge_at(&keys, &message, seconds_later(clock)).code();
            let expected = if accepted {
                "accept"
            } else {
                "invalid_signature"
            };
            assert_eq!(found, expected, "{scheme}: {name}");
        }
    }
}

#[test]
fn a_revoked_key_verifies_nothing_and_an_accept_only_one_everything() {
    for (state, expected) in [
        (KeyState::Active, "accept"),
        (KeyState::AcceptOnly, "accept"),
        (KeyState::Revoked, "invalid_signature"),
    ] {
        let old = caller_key("old", hmac(&bytes(SECRET))).with_validity(state);
        let new = caller_key("new", hmac(&bytes(OTHER_SECRET)));
        for order in [[old.clone(), new.clone()], [new, old]] {
            let keys = build(order.map(|key| ("billing", key))).unwrap();
            let with_old = signed_with(Scheme::HmacSha256, &bytes(SECRET));
            assert_eq!(code(&keys, &with_old), expected, "{state:?}");
            let with_new = signed_with(Scheme::HmacSha256, &bytes(OTHER_SECRET));
            assert_eq!(code(&keys, &with_new), "accept", "{state:?}");
        }
    }
}

/// What a key asks for is judged for the key that matched, and not for another of the caller.
#[test]
fn each_key_of_a_caller_keeps_its_own_rules() {
    let strict = caller_key("strict", hmac(&bytes(SECRET)));
    let article = caller_key("article", hmac(&bytes(OTHER_SECRET))).insecure_three_headers();
    let keys = build([("billing", strict), ("billing", article)]).unwrap();
    let three = |hex: &str| {
        let request = Message::new("POST", "/", HOST, b"{}").with("content-type", "text/plain");
        Forger::new(Scheme::HmacSha256, "billing", hex).sign(request, THREE, NOW)
    };
    assert_eq!(code(&keys, &three(SECRET)), "insufficient_coverage");
    assert_eq!(code(&keys, &three(OTHER_SECRET)), "accept");
}

#[test]
fn replaced_keys_are_seen_through_every_handle() {
    let old = one_caller(caller_key("old", hmac(&bytes(SECRET)))).unwrap();
    let new = build([
        ("billing", caller_key("new", hmac(&bytes(OTHER_SECRET)))),
        (
            "orders",
            caller_key("1", ed25519_key(SECRET).verifying_key()),
        ),
    ])
    .unwrap();
    let handle = old.clone();
    let erased = ArcKeyStore::new(old.clone());
    let with_old = signed_with(Scheme::HmacSha256, &bytes(SECRET));
    let with_new = signed_with(Scheme::HmacSha256, &bytes(OTHER_SECRET));
    assert_eq!(code(&handle, &with_old), "accept");
    let begun = handle.try_lookup("billing").unwrap().unwrap();

    old.replace(&new);
    assert_eq!((handle.len(), old.len()), (2, 2));
    assert_eq!(code(&handle, &with_old), "invalid_signature");
    assert_eq!(code(&handle, &with_new), "accept");
    let parts = with_new.parts().unwrap();
    let unverified = verifier().parse(&parts, NOW).unwrap();
    let found = erased.try_lookup("billing").unwrap().unwrap();
    assert!(unverified.authenticate(&found, NOW).is_ok());

    // What was begun with the old keys is finished with them.
    let parts = with_old.parts().unwrap();
    let unverified = verifier().parse(&parts, NOW).unwrap();
    assert!(unverified.authenticate(&begun, NOW).is_ok());

    // The other keyring is not tied to this one.
    old.replace(&one_caller(caller_key("old", hmac(&bytes(SECRET)))).unwrap());
    assert_eq!(code(&new, &with_new), "accept");
    assert_eq!(code(&handle, &with_new), "invalid_signature");
}

/// Rotation under traffic: a key that is in every keyring on the way verifies at every moment.
#[test]
fn no_reader_sees_a_half_replaced_keyring() {
    let ring = |with_new: bool| {
        let mut keys = vec![("billing", caller_key("old", hmac(&bytes(SECRET))))];
        if with_new {
            keys.push(("billing", caller_key("new", hmac(&bytes(OTHER_SECRET)))));
        }
        build(keys).unwrap()
    };
    let keys = ring(false);
    let message = signed_with(Scheme::HmacSha256, &bytes(SECRET));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let keys = keys.clone();
                let (message, stop) = (&message, &stop);
                scope.spawn(move || {
                    let mut judged = 0;
                    while judged < 200 || !stop.load(Ordering::Relaxed) {
                        assert_eq!(code(&keys, message), "accept");
                        judged += 1;
                    }
                })
            })
            .collect();
        for round in 0..200 {
            keys.replace(&ring(round % 2 == 0));
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
