//! The peers sign what the lower bound signs, byte for byte where time and nonce are given, and
//! take each other's requests: otherwise a comparison of their times would say nothing.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use benches::{
    lower_bound::{self, message_signatures, sigv4, standard_webhooks},
    request::{self, CALLER, MESSAGE_NONCE, SIGV4_ACCESS_KEY, SIGV4_SECRET, WEBHOOK_ID},
    schemes::{self, EXPIRES_IN, Scheme},
};
use http::{Method, request::Parts};

const LENGTHS: [usize; 3] = [0, 1024, 100_000];

/// Moments whose dates are not all alike.
const MOMENTS: [u64; 4] = [1_582_977_600, 1_709_164_799, 1_767_225_600, 1_767_323_045];

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn header<'r>(parts: &'r Parts, name: &str) -> &'r str {
    parts.headers[name].to_str().unwrap()
}

#[track_caller]
fn assert_same(bound: &Parts, peer: &Parts, names: &[&str]) {
    for name in names {
        assert_eq!(header(bound, name), header(peer, name), "{name}");
    }
}

#[test]
fn aws_sigv4_signs_alike() {
    let mut key = sigv4::Key::new(SIGV4_SECRET);
    for len in LENGTHS {
        for now in MOMENTS {
            let (body, mut bound) = (request::body(len), request::unsigned(len));
            sigv4::sign_at(&mut key, SIGV4_ACCESS_KEY, now, &mut bound, &body).unwrap();
            let unsigned = peers::absolute(request::unsigned(len));
            let peer = peers::aws_sigv4::sign_at(at(now), unsigned, &body);
            assert_same(
                &bound,
                &peer,
                &["x-amz-date", "x-amz-content-sha256", "authorization"],
            );
        }
    }
}

#[test]
fn aws_sigv4_presigns_alike() {
    let mut key = sigv4::Key::new(SIGV4_SECRET);
    for now in MOMENTS {
        let mut bound = request::unsigned(0);
        bound.method = Method::GET;
        let peer = peers::absolute(bound.clone());
        sigv4::presign_at(&mut key, SIGV4_ACCESS_KEY, now, EXPIRES_IN, &mut bound).unwrap();
        let peer = peers::aws_sigv4::presign_at(at(now), EXPIRES_IN, peer);
        let pairs = |parts: &Parts| {
            let pairs = parts.uri.query().unwrap().split('&').map(str::to_string);
            let mut pairs: Vec<String> = pairs.collect();
            pairs.sort();
            pairs
        };
        assert_eq!(pairs(&bound), pairs(&peer));
    }
}

/// It always takes the time from the clock.
#[test]
fn reqsign_signs_alike() {
    let mut key = sigv4::Key::new(SIGV4_SECRET);
    for len in LENGTHS {
        let (body, mut bound) = (request::body(len), request::unsigned(len));
        let peer = peers::reqsign::signed(peers::absolute(request::unsigned(len)), &body);
        let now = sigv4::unix_seconds(header(&peer, "x-amz-date")).unwrap();
        sigv4::sign_at(&mut key, SIGV4_ACCESS_KEY, now, &mut bound, &body).unwrap();
        assert_same(
            &bound,
            &peer,
            &["x-amz-date", "x-amz-content-sha256", "authorization"],
        );
    }
}

#[test]
fn scratchstack_takes_what_the_bound_signs_and_no_other_body() {
    for len in LENGTHS {
        let body = request::body(len);
        let parts = schemes::signed(Scheme::SigV4, &body);
        assert!(peers::scratchstack::takes(parts.clone(), &body));
        assert!(!peers::scratchstack::takes(parts, &request::body(len + 1)));
    }
}

#[test]
fn standardwebhooks_signs_and_takes_alike() {
    let key = schemes::webhook_key();
    for len in LENGTHS {
        let body = request::body(len);
        for now in MOMENTS {
            let mut bound = request::unsigned(len);
            standard_webhooks::sign_at(&key, WEBHOOK_ID, now, &mut bound, &body).unwrap();
            let peer = peers::standardwebhooks::sign_at(now, request::unsigned(len), &body);
            assert_eq!(bound.headers, peer.headers);
        }
        let parts = schemes::signed(Scheme::StandardWebhooks, &body);
        assert!(peers::standardwebhooks::takes(&parts, &body));
        assert!(!peers::standardwebhooks::takes(
            &parts,
            &request::body(len + 1)
        ));
    }
}

#[test]
fn httpsig_signs_and_takes_alike() {
    for scheme in [Scheme::HmacMessages, Scheme::Ed25519Messages] {
        let key = schemes::message_key(scheme);
        let keys = HashMap::from([(CALLER.to_string(), key.public())]);
        for len in LENGTHS {
            let body = request::body(len);
            for now in MOMENTS {
                let mut bound = request::unsigned(len);
                message_signatures::sign_at(&key, CALLER, MESSAGE_NONCE, now, &mut bound, &body)
                    .unwrap();
                let unsigned = peers::absolute(request::unsigned(len));
                let peer = peers::httpsig::sign_at(scheme, now, unsigned, &body);
                if scheme == Scheme::Ed25519Messages {
                    // Its signatures are randomized.
                    assert_same(&bound, &peer, &["content-digest", "signature-input"]);
                } else {
                    assert_eq!(bound.headers, peer.headers);
                }
            }
            let unsigned = peers::absolute(request::unsigned(len));
            let signed = peers::httpsig::sign_at(scheme, lower_bound::now(), unsigned, &body);
            assert!(message_signatures::verify(&keys, &signed, &body));
            let signed = peers::absolute(schemes::signed(scheme, &body));
            assert!(peers::httpsig::takes(scheme, signed.clone(), &body));
            assert!(!peers::httpsig::takes(
                scheme,
                signed,
                &request::body(len + 1)
            ));
        }
    }
}
