//! Every key of two services is rotated under load, only by files on disk, and no request is
//! refused.
//!
//! The services call each other over sockets. One service's file is replaced by a rename, the
//! other's by the swap of a link, as in Kubernetes. An old key is removed when the record of its
//! use permits it.

#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot be set up fails by panicking"
)]

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::post};
use base16ct::lower::encode_string as hex;
use countersign::{SharedSigner, Signer, Timestamp};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tests::{client, directory::Directory, keys::hmac_key, server::Server};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tower::{Layer, ServiceExt};
use tower_countersign::{
    Clock, KeyUse, SignLayer, VerifiedCaller, VerifyLayer,
    reload::{Reload, ReloadHealth, Reloading},
    verify::Unused,
};

const ROUNDS: usize = 4;
const CALLERS_EACH: usize = 3;
/// How long an old key must be unused before its removal. Within the window, so no date is ever too
/// old.
const UNUSED: Duration = Duration::from_secs(100);

/// The clock of both services, which the test advances.
#[derive(Clone)]
struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The secret for one direction in one round.
fn secret(from: &str, to: &str, round: usize) -> String {
    hex(&Sha256::digest(format!("{from} to {to}, {round}")))
}

type Place = fn(&Directory, &str);

struct Service {
    name: &'static str,
    other: &'static str,
    directory: Directory,
    place: Place,
    server: Server,
    signer: SharedSigner,
    key_use: KeyUse,
    keys: Reloading,
    targets: Reloading,
    generation: u64,
}

impl Service {
    fn start(
        (name, listener): (&'static str, TcpListener),
        (other, authority): (&'static str, &str),
        place: Place,
        clock: &TestClock,
    ) -> Self {
        let directory = Directory::new();
        place(&directory, &file(name, other, authority, &[0], 0));
        let path = directory.join("keys.toml");
        let reload = Reload::new().with_debounce(Duration::from_millis(5));
        let (keyring, keys) = reload.keyring(&path).unwrap();
        let (signer, targets) = reload.signer(&path, other).unwrap();
        let verify = VerifyLayer::new(keyring)
            .with_expected_hosts([listener.local_addr().unwrap().to_string()])
            .unwrap()
            .with_clock(clock.clone());
        let key_use = verify.key_use().clone();
        let handler =
            async |caller: VerifiedCaller, body: String| format!("{}: {body}", caller.id());
        let app = Router::new().route("/", post(handler)).layer(verify);
        Self {
            name,
            other,
            directory,
            place,
            server: Server::on(listener, app),
            signer,
            key_use,
            keys,
            targets,
            generation: 1,
        }
    }

    /// Writes the file, and waits until the keyring and the signer have its content.
    async fn write(&mut self, authority: &str, accepted: &[usize], signing: usize) {
        let text = file(self.name, self.other, authority, accepted, signing);
        (self.place)(&self.directory, &text);
        self.generation += 1;
        for mut health in [self.keys.health(), self.targets.health()] {
            reached(&mut health, self.generation).await;
        }
    }
}

async fn reached(health: &mut ReloadHealth, generation: u64) {
    let reached = health.wait_for(|status| status.generation() >= generation);
    let status = timeout(Duration::from_secs(30), reached)
        .await
        .unwrap()
        .unwrap();
    assert!(status.is_good(), "{status:?}");
}

fn file(name: &str, other: &str, authority: &str, accepted: &[usize], signing: usize) -> String {
    let mut text = format!("[[callers]]\nname = \"{other}\"\n");
    for round in accepted {
        let secret = secret(other, name, *round);
        text += &format!("[[callers.keys]]\nversion = \"{round}\"\nsecret_hex = \"{secret}\"\n");
    }
    let secret = secret(name, other, signing);
    text += &format!(
        "[[targets]]\nname = \"{other}\"\ncaller = \"{name}\"\nauthorities = [\"{authority}\"]\n\
         [[targets.keys]]\nversion = \"{signing}\"\nsecret_hex = \"{secret}\"\n"
    );
    text
}

/// One caller that calls continuously, and its number of answers.
struct Load {
    answers: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Load {
    fn start(from: &Service, to: &Server, clock: &TestClock, refused: &Arc<AtomicU64>) -> Self {
        let (counter, answers) = watch::channel(0);
        let client = SignLayer::new(from.signer.clone())
            .with_clock(clock.clone())
            .layer(client::http1::<tower_countersign::SignedBody<Body>>(
                to.addr(),
            ));
        let (url, name, refused) = (to.url("/"), from.name, Arc::clone(refused));
        let task = tokio::spawn(async move {
            loop {
                let request = Request::post(&url).body(Body::from("hello")).unwrap();
                let response = client.clone().oneshot(request).await;
                let body = match response {
                    Ok(response) if response.status() == StatusCode::OK => {
                        response.into_body().collect().await.unwrap().to_bytes()
                    }
                    other => {
                        eprintln!("{name}: {other:?}");
                        refused.fetch_add(1, Ordering::SeqCst);
                        continue;
                    }
                };
                assert_eq!(body, format!("{name}: hello"));
                counter.send_modify(|answers| *answers += 1);
            }
        });
        Self { answers, task }
    }

    /// Waits until all running requests, and one started later, are answered.
    async fn gone_round(&self) {
        let mut answers = self.answers.clone();
        let enough = *answers.borrow() + 3;
        let waited = answers.wait_for(|answers| *answers >= enough);
        timeout(Duration::from_secs(30), waited)
            .await
            .unwrap()
            .unwrap();
    }
}

async fn all_answered(load: &[Load]) {
    for caller in load {
        caller.gone_round().await;
    }
}

/// Returns the outcome of a request with the key of a round.
async fn status_with(round: usize, from: &Service, to: &Service, clock: &TestClock) -> StatusCode {
    let key = hmac_key(&secret(from.name, to.name, round));
    let signer = Signer::new(from.name, key, [to.server.authority()]).unwrap();
    let client = SignLayer::new(signer)
        .with_clock(clock.clone())
        .layer(client::http1(to.server.addr()));
    let request = Request::post(to.server.url("/"))
        .body(Body::empty())
        .unwrap();
    client.oneshot(request).await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_of_two_services_is_rotated_under_load_without_a_refusal() {
    let clock = TestClock(Arc::new(AtomicI64::new(1_767_323_045)));
    let listeners = ["127.0.0.1:0"; 2].map(|addr| TcpListener::bind(addr).unwrap());
    let [one_at, two_at] =
        [&listeners[0], &listeners[1]].map(|at| at.local_addr().unwrap().to_string());
    let [first, second] = listeners;
    let renamed: Place = |directory, text| drop(directory.rename_in("keys.toml", text));
    let mounted: Place = |directory, text| directory.mount(&[("keys.toml", text)]);
    let mut one = Service::start(("one", first), ("two", &two_at), renamed, &clock);
    let mut two = Service::start(("two", second), ("one", &one_at), mounted, &clock);
    let refused = Arc::new(AtomicU64::new(0));
    let mut load = Vec::new();
    for _ in 0..CALLERS_EACH {
        load.push(Load::start(&one, &two.server, &clock, &refused));
        load.push(Load::start(&two, &one.server, &clock, &refused));
    }
    all_answered(&load).await;

    for new in 1..=ROUNDS {
        let old = new - 1;
        // 1. The callees get the new keys.
        one.write(&two_at, &[old, new], old).await;
        two.write(&one_at, &[old, new], old).await;
        all_answered(&load).await;
        // 2. The callers change keys.
        one.write(&two_at, &[old, new], new).await;
        two.write(&one_at, &[old, new], new).await;
        all_answered(&load).await;
        let unused = |service: &Service, version: usize| {
            let version = version.to_string();
            service
                .key_use
                .unused_for(service.other, &version, UNUSED, clock.now())
        };
        for service in [&one, &two] {
            assert_eq!(
                unused(service, old),
                Unused::No,
                "{}: just used",
                service.name
            );
        }
        clock.0.fetch_add(200, Ordering::SeqCst);
        all_answered(&load).await;
        // 3. The old keys are removed, because they are no longer used.
        for service in [&one, &two] {
            assert_eq!(
                unused(service, old),
                Unused::Yes,
                "{}: {:?}",
                service.name,
                service.key_use
            );
            assert_eq!(unused(service, new), Unused::No, "{}", service.name);
        }
        assert_eq!(
            status_with(old, &one, &two, &clock).await,
            StatusCode::OK,
            "accepted until its removal"
        );
        one.write(&two_at, &[new], new).await;
        two.write(&one_at, &[new], new).await;
        for (from, to) in [(&one, &two), (&two, &one)] {
            let with_old = status_with(old, from, to, &clock).await;
            assert_eq!(with_old, StatusCode::UNAUTHORIZED, "{}, {old}", from.name);
            assert_eq!(status_with(new, from, to, &clock).await, StatusCode::OK);
        }
        all_answered(&load).await;
    }

    assert_eq!(refused.load(Ordering::SeqCst), 0, "refused requests");
    for caller in &load {
        assert!(!caller.task.is_finished(), "a caller has stopped calling");
        assert!(*caller.answers.borrow() > 3 * 4 * 4);
        caller.task.abort();
    }
}

/// A refused request is not a use, so the key of a caller that only fails can be removed.
#[tokio::test]
async fn only_an_accepted_request_is_a_use() {
    let clock = TestClock(Arc::new(AtomicI64::new(1_767_323_045)));
    let [first, second] = ["127.0.0.1:0"; 2].map(|addr| TcpListener::bind(addr).unwrap());
    let [one_at, two_at] = [&first, &second].map(|at| at.local_addr().unwrap().to_string());
    let place: Place = |directory, text| drop(directory.write("keys.toml", text));
    let one = Service::start(("one", first), ("two", &two_at), place, &clock);
    let two = Service::start(("two", second), ("one", &one_at), place, &clock);
    assert_eq!(one.key_use.since(), Some(clock.now()));
    assert_eq!(
        status_with(7, &two, &one, &clock).await,
        StatusCode::UNAUTHORIZED
    );
    assert!(one.key_use.all().is_empty());
    assert_eq!(status_with(0, &two, &one, &clock).await, StatusCode::OK);
    let all = one.key_use.all();
    assert_eq!(all.len(), 1);
    assert!(
        all.iter()
            .all(|last| last.caller == "two" && last.version == "0" && last.at == clock.now())
    );
    assert_eq!(one.key_use.last_use("two", "0"), Some(clock.now()));
}
