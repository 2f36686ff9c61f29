//! The measured groups, and the claims about them.

use std::rc::Rc;

use axum::{Router, body::Body};
use bytes::Bytes;
use countersign::{Nonce, Timestamp, Verifier};
use futures::FutureExt;
use hmac::Mac as _;
use http::{Request, Response, StatusCode, request::Parts};
use sha2::{Digest, Sha256};
use tower_service::Service;

use crate::{
    case::{Case, Group},
    layers::{self, Guard},
    lower_bound, naive, ours, policies, program, replay_claims,
    request::{self, Layout},
    schemes::Subject,
};

pub(crate) const KIB: usize = 1024;
pub(crate) const MIB: usize = 1024 * KIB;

/// The name of the least that the work costs.
pub const BOUND: &str = "lower bound";
/// The name of this project.
pub const OURS: &str = "countersign";
/// The name of the version written by hand.
pub const NAIVE: &str = "naive";
/// The name of what no signer or verifier can be without.
pub const HASH: &str = "SHA-256 of the body";

/// Every group, in the order in which they are printed.
pub fn all() -> Vec<Group> {
    let mut groups = native();
    groups.extend(Subject::all().into_iter().map(Subject::group));
    groups.push(policies::group());
    groups.extend(replay_claims::groups());
    groups.push(program::group());
    groups
}

/// The groups of `HMAC-SHA256`.
pub fn native() -> Vec<Group> {
    let mut groups = Vec::new();
    for layout in [Layout::Three, Layout::Default] {
        groups.push(verify_head(layout).at_most(OURS, 1.4, BOUND));
        groups.push(
            verify(layout, KIB)
                .at_most(OURS, 1.3, BOUND)
                .faster_than(OURS, 1.6, NAIVE),
        );
        groups.push(
            sign(layout, KIB)
                .at_most(OURS, 1.3, BOUND)
                .faster_than(OURS, 1.35, NAIVE),
        );
        // Without a body nothing hides what the project's own code costs. Nothing is claimed.
        groups.push(verify(layout, 0));
        groups.push(sign(layout, 0));
    }
    groups.push(sign_without_random(0));
    groups.push(
        mebibyte()
            .at_most("countersign, verify", 1.05, HASH)
            .at_most("countersign, sign", 1.05, HASH),
    );
    groups.push(message_signatures_head());
    for len in [0, KIB] {
        groups.push(message_signatures_verify(len));
        groups.push(message_signatures_sign(len));
    }
    groups.push(routers(KIB));
    groups
}

/// The groups whose instructions are counted.
pub fn counted() -> Vec<Group> {
    let layouts = [Layout::Three, Layout::Default].into_iter();
    layouts
        .flat_map(|layout| [verify_head(layout), verify(layout, KIB), sign(layout, KIB)])
        .collect()
}

fn verify_head(layout: Layout) -> Group {
    let parts = Rc::new(signed(layout, &[]));
    Group::new(
        format!("verify the head, {}", layout.name()),
        vec![
            Case::repeated(BOUND, {
                let (parts, keys) = (Rc::clone(&parts), layers::keys(lower_bound::key));
                move || assert!(lower_bound::verify_head(&keys, layout, &parts))
            }),
            Case::repeated(OURS, {
                let (verifier, keys) = (Verifier::default(), layout.keyring());
                move || assert!(ours::verify_head(&verifier, &keys, &parts))
            }),
        ],
    )
}

/// Verifying head and body in `HMAC-SHA256`.
pub fn verify(layout: Layout, len: usize) -> Group {
    let name = format!("verify head and body of {}, {}", size(len), layout.name());
    let [bound, ours] = verify_cases(layout, len, [BOUND, OURS]);
    Group::new(name, vec![bound, ours, naive_verify(layout, len)])
}

fn verify_cases(layout: Layout, len: usize, [bound, ours]: [&'static str; 2]) -> [Case; 2] {
    let body: Rc<[u8]> = request::body(len).into();
    let parts = Rc::new(signed(layout, &body));
    [
        Case::repeated(bound, {
            let (parts, body) = (Rc::clone(&parts), Rc::clone(&body));
            let keys = layers::keys(lower_bound::key);
            move || assert!(lower_bound::verify(&keys, layout, &parts, &body))
        }),
        Case::repeated(ours, {
            let (verifier, keys) = (Verifier::default(), layout.keyring());
            move || assert!(ours::verify(&verifier, &keys, &parts, &body).is_some())
        }),
    ]
}

fn naive_verify(layout: Layout, len: usize) -> Case {
    let body = request::body(len);
    let parts = signed(layout, &body);
    let keys = layers::keys(<[u8]>::to_vec);
    Case::repeated(NAIVE, move || {
        assert!(naive::verify(&keys, &parts, &body).is_ok());
    })
}

/// Signing in `HMAC-SHA256`.
pub fn sign(layout: Layout, len: usize) -> Group {
    let name = format!(
        "sign into headers, body of {}, {}",
        size(len),
        layout.name()
    );
    let [bound, ours] = sign_cases(layout, len, [BOUND, OURS]);
    let body = request::body(len);
    let secret = hex::decode(request::KEY).unwrap();
    let naive = Case::consuming(
        NAIVE,
        move || request::unsigned(len),
        move |parts| naive::sign(&secret, request::CALLER, layout, parts, &body).unwrap(),
    );
    Group::new(name, vec![bound, ours, naive])
}

fn sign_cases(layout: Layout, len: usize, [bound, ours]: [&'static str; 2]) -> [Case; 2] {
    let body: Rc<[u8]> = request::body(len).into();
    let key = lower_bound::key(&hex::decode(request::KEY).unwrap());
    let signer = layout.signer();
    [
        Case::consuming(bound, move || request::unsigned(len), {
            let body = Rc::clone(&body);
            move |parts| lower_bound::sign(&key, request::CALLER, layout, parts, &body).unwrap()
        }),
        Case::consuming(
            ours,
            move || request::unsigned(len),
            move |parts| ours::sign(&signer, parts, &body).unwrap(),
        ),
    ]
}

/// The system call for the nonce costs more than all else but the hash, and the same for everyone.
fn sign_without_random(len: usize) -> Group {
    let layout = Layout::Default;
    let body: Rc<[u8]> = request::body(len).into();
    let key = lower_bound::key(&hex::decode(request::KEY).unwrap());
    let signer = layout.signer();
    let nonce = Nonce::new(&"0".repeat(32)).unwrap();
    Group::new(
        format!(
            "sign into headers at a given time with a given nonce, body of {}, {}",
            size(len),
            layout.name()
        ),
        vec![
            Case::consuming(BOUND, move || request::unsigned(len), {
                let body = Rc::clone(&body);
                move |parts| {
                    let (caller, now) = (request::CALLER, 1_767_323_045);
                    lower_bound::sign_with_nonce(&key, caller, layout, [0; 16], now, parts, &body)
                        .unwrap();
                }
            }),
            Case::consuming(
                OURS,
                move || request::unsigned(len),
                move |parts| {
                    let now = Timestamp::from_unix_seconds(1_767_323_045);
                    ours::sign_with_nonce(&signer, nonce.clone(), now, parts, &body).unwrap();
                },
            ),
        ],
    )
}

fn mebibyte() -> Group {
    let layout = Layout::Default;
    let body = request::body(MIB);
    let mut cases = vec![Case::repeated(HASH, move || Sha256::digest(&body))];
    cases.extend(verify_cases(
        layout,
        MIB,
        ["lower bound, verify", "countersign, verify"],
    ));
    cases.extend(sign_cases(
        layout,
        MIB,
        ["lower bound, sign", "countersign, sign"],
    ));
    Group::new(format!("a body of {}, {}", size(MIB), layout.name()), cases)
}

/// The least that RFC 9421 takes beyond the body: the MAC of the signature base, if that stood
/// there already.
fn message_signatures_head() -> Group {
    let parts = request::message_signed(&[]);
    let (verifier, keys) = (request::message_verifier(), request::message_keyring());
    let base = request::message_base(&parts, b"");
    let key = lower_bound::key(&hex::decode(request::KEY).unwrap());
    Group::new(
        "verify the head, RFC 9421",
        vec![
            Case::repeated(BOUND, move || {
                key.clone().chain_update(&base).finalize().into_bytes()
            }),
            Case::repeated(OURS, move || {
                assert!(ours::verify_head(&verifier, &keys, &parts));
            }),
        ],
    )
}

fn message_signatures_verify(len: usize) -> Group {
    let body: Rc<[u8]> = request::body(len).into();
    let parts = request::message_signed(&body);
    let (verifier, keys) = (request::message_verifier(), request::message_keyring());
    let base = request::message_base(&parts, &body);
    let key = lower_bound::key(&hex::decode(request::KEY).unwrap());
    Group::new(
        format!("verify head and body of {}, RFC 9421", size(len)),
        vec![
            Case::repeated(BOUND, {
                let body = Rc::clone(&body);
                move || {
                    let mac = key.clone().chain_update(&base).finalize().into_bytes();
                    (mac, Sha256::digest(&body))
                }
            }),
            Case::repeated(OURS, move || {
                assert!(ours::verify(&verifier, &keys, &parts, &body).is_some());
            }),
        ],
    )
}

fn message_signatures_sign(len: usize) -> Group {
    let body = request::body(len);
    let signer = request::message_signer();
    Group::new(
        format!("sign into headers, body of {}, RFC 9421", size(len)),
        vec![Case::consuming(
            OURS,
            move || request::unsigned(len),
            move |parts| ours::sign(&signer, parts, &body).unwrap(),
        )],
    )
}

/// A request through a router in this process.
fn routers(len: usize) -> Group {
    let cases = Guard::ALL.map(|(name, guard)| through_router(name, guard, len));
    Group::new(
        format!("through an axum router in process, body of {}", size(len)),
        cases.into(),
    )
}

fn through_router(name: &'static str, guard: Guard, len: usize) -> Case {
    let layout = match guard {
        Guard::LowerBound(layout) | Guard::Countersign(layout) | Guard::Everything(layout) => {
            layout
        }
        Guard::None | Guard::Identity | Guard::Naive => Layout::Default,
    };
    let body = Bytes::from(request::body(len));
    // As `axum::serve` does: otherwise every request would apply the layer again.
    let mut router = layers::router(guard).with_state(());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    Case::consuming(
        name,
        move || {
            let request = Request::from_parts(signed(layout, &body), Body::from(body.clone()));
            Some(request)
        },
        move |request| {
            let _in_runtime = runtime.enter();
            let response = call(&mut router, request.take().unwrap());
            assert_eq!(response.status(), StatusCode::OK);
        },
    )
}

/// Nothing here ever waits: one poll is all.
fn call(router: &mut Router, request: Request<Body>) -> Response<Body> {
    router.call(request).now_or_never().unwrap().unwrap()
}

/// A signed head, with a new nonce if the layout has one.
pub fn signed(layout: Layout, body: &[u8]) -> Parts {
    let mut parts = request::unsigned(body.len());
    let key = lower_bound::key(&hex::decode(request::KEY).unwrap());
    lower_bound::sign(&key, request::CALLER, layout, &mut parts, body).unwrap();
    parts
}

pub(crate) fn size(len: usize) -> String {
    match len {
        MIB => "1 MiB".to_string(),
        KIB => "1 KiB".to_string(),
        len => format!("{len} B"),
    }
}
