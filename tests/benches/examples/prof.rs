#![allow(warnings, clippy::all, clippy::pedantic, clippy::restriction)]
use std::time::Instant;
use axum::body::Body;
use benches::{groups::signed, layers::{self, Guard}, request::{self, Layout}};
use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use tower_service::Service;

#[inline(never)]
fn measured(router: &mut axum::Router, requests: &mut Vec<Request<Body>>) {
    for request in requests.drain(..) {
        let response = router.call(request).now_or_never().unwrap().unwrap();
        assert_eq!(response.status(), 200);
    }
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let name = args.next().unwrap();
    let batches: usize = args.next().unwrap().parse().unwrap();
    let size: usize = args.next().unwrap().parse().unwrap();
    if let Some(rest) = name.strip_prefix("core ") {
        let layout = if rest.contains("three") { Layout::Three } else { Layout::Default };
        let comm = |n: &str| std::fs::write("/proc/thread-self/comm", n).unwrap();
        let body = request::body(1024);
        let mut times = Vec::new();
        if rest.contains("verify") {
            let (verifier, keys) = (countersign::Verifier::default(), layout.keyring());
            let parts = signed(layout, &body);
            comm("measured");
            for _ in 0..batches {
                let at = Instant::now();
                core_verify(&verifier, &keys, &parts, &body, size);
                times.push(at.elapsed().as_nanos() as f64 / size as f64);
            }
        } else {
            let signer = layout.signer();
            for _ in 0..batches {
                comm("prep");
                let mut all: Vec<_> = (0..size).map(|_| request::unsigned(1024)).collect();
                comm("measured");
                let at = Instant::now();
                core_sign(&signer, &mut all, &body);
                times.push(at.elapsed().as_nanos() as f64 / size as f64);
            }
        }
        times.sort_by(f64::total_cmp);
        println!("{name}: median {:.0} ns, least {:.0} ns", times[times.len() / 2], times[0]);
        return;
    }
    let guard = Guard::named(&name).unwrap();
    let layout = match guard { Guard::LowerBound(l) | Guard::Countersign(l) | Guard::Everything(l) => l, _ => Layout::Default };
    let mut router = layers::router(guard).with_state(());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _in = runtime.enter();
    let body = Bytes::from(request::body(1024));
    let comm = |n: &str| std::fs::write("/proc/thread-self/comm", n).unwrap();
    let mut times = Vec::new();
    for _ in 0..batches {
        comm("prep");
        let mut requests: Vec<_> = (0..size).map(|_| Request::from_parts(signed(layout, &body), Body::from(body.clone()))).collect();
        comm("measured");
        let at = Instant::now();
        measured(&mut router, &mut requests);
        times.push(at.elapsed().as_nanos() as f64 / size as f64);
    }
    times.sort_by(f64::total_cmp);
    println!("{name}: median {:.0} ns, least {:.0} ns", times[times.len() / 2], times[0]);
}

#[inline(never)]
fn core_verify(verifier: &countersign::Verifier, keys: &countersign::Keyring, parts: &http::request::Parts, body: &[u8], size: usize) {
    for _ in 0..size { assert!(benches::ours::verify(verifier, keys, parts, body).is_some()); }
}
#[inline(never)]
fn core_sign(signer: &countersign::Signer, all: &mut [http::request::Parts], body: &[u8]) {
    for parts in all { benches::ours::sign(signer, parts, body).unwrap(); }
}
