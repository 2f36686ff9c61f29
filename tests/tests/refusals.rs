//! The refusal table, row by row. The responses of one code do not differ by reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use countersign::{
    ArcKeyStore, ArcReplayStore, CallerKey, CallerKeys, ClaimOutcome, KeyState, KeyStore, Keyring,
    MemoryReplayStore, RejectionKind, ReplayClaim, ReplayStore, ReplayStoreId, Scheme, Signer,
    Timestamp, Unavailable, Validity, Verifier,
};
use futures::future::join_all;
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, DATE, RETRY_AFTER, WWW_AUTHENTICATE},
    response::Parts,
};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tests::{
    bodies::{self, Broken},
    keys::{NOW, OTHER_SECRET, SECRET, django, ed25519_key, hmac_key, keyring, signer},
    raw,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tokio::{task::coop, time::timeout};
use tower::{Layer, ServiceExt, service_fn};
use tower_countersign::{BodyLimits, Refusal, RequestBody, UncoveredHeaders, VerifyLayer};

/// The response, and whether the handler saw the request.
struct Answer {
    parts: Parts,
    body: Bytes,
    reached: bool,
}

impl Answer {
    /// Asserts the properties of every refusal, and returns the reason for the operator.
    fn refused(&self, name: &str, status: StatusCode, code: &str) -> &Refusal {
        let refusal = self
            .parts
            .extensions
            .get::<Refusal>()
            .unwrap_or_else(|| panic!("{name}: not refused but {}", self.parts.status));
        assert_eq!(refusal.code(), code, "{name}: {refusal}");
        assert_eq!(refusal.status(), status, "{name}");
        assert_eq!(self.parts.status, status, "{name}");
        assert_eq!(self.body, format!("{{\"error\":\"{code}\"}}"), "{name}");
        let headers = &self.parts.headers;
        assert_eq!(headers[CACHE_CONTROL], "no-store", "{name}");
        assert_eq!(headers[CONTENT_TYPE], "application/json", "{name}");
        assert_eq!(
            headers.contains_key(WWW_AUTHENTICATE),
            status == StatusCode::UNAUTHORIZED,
            "{name}: a challenge on every 401 and on nothing else"
        );
        assert_eq!(
            headers.contains_key(DATE),
            code == "expired",
            "{name}: the clock is told to those who need it"
        );
        assert_eq!(
            headers.contains_key(RETRY_AFTER),
            matches!(status.as_u16(), 429 | 503),
            "{name}: when to come again"
        );
        assert!(!self.reached, "{name}: the handler saw it");
        refusal
    }

    fn rejected(&self, name: &str, kind: RejectionKind) {
        let refusal = self.refused(name, kind.status(), kind.code());
        let found = refusal.rejection().map(countersign::Rejection::kind);
        assert_eq!(found, Some(kind), "{name}");
    }

    /// Everything that a peer can observe.
    fn visible(&self) -> (StatusCode, Vec<(String, Vec<u8>)>, Bytes) {
        let headers = self
            .parts
            .headers
            .iter()
            .filter(|(name, _)| *name != DATE)
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        (self.parts.status, headers, self.body.clone())
    }
}

async fn answer<K, R>(layer: &VerifyLayer<K, R>, request: Request<Body>) -> Answer
where
    K: KeyStore + Clone,
    R: ReplayStore + Clone,
{
    let reached = Arc::new(AtomicBool::new(false));
    let handler = service_fn({
        let reached = Arc::clone(&reached);
        move |_request: Request<RequestBody>| {
            reached.store(true, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"handled")))) }
        }
    });
    let response = layer.layer(handler).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        parts,
        body: body.collect().await.unwrap().to_bytes(),
        reached: reached.load(Ordering::SeqCst),
    }
}

/// A layer that knows `billing`, with a fixed clock.
fn layer() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

/// A request that `billing` signed at that time.
fn signed_at_now(request: Request<Bytes>) -> Request<Body> {
    signed::at(NOW, &billing(), request).map(Body::from)
}

fn with(mut request: Request<Body>, edit: impl FnOnce(&mut Request<Body>)) -> Request<Body> {
    edit(&mut request);
    request
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

// One test for each row of the table.

#[tokio::test]
async fn no_signature_is_missing_signature() {
    let unsigned = || signed::get("/account/7").map(Body::from);
    let authorization = |value: &'static str| {
        with(unsigned(), |request| {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(AUTHORIZATION, value);
        })
    };
    for (name, request) in [
        ("nothing at all", unsigned()),
        ("another scheme", authorization("Bearer abc")),
        (
            "a scheme that is not accepted",
            authorization("ED25519 credential=billing"),
        ),
        (
            "the scheme's name in lower case",
            authorization("hmac-sha256 credential=billing"),
        ),
        (
            "a name with the scheme's name as prefix",
            authorization("HMAC-SHA256x credential=billing"),
        ),
        ("an empty header", authorization("")),
        (
            "a space before the scheme",
            authorization(" HMAC-SHA256 credential=billing"),
        ),
        (
            "the signature's other headers alone",
            with(signed_at_now(signed::get("/account/7")), |request| {
                request.headers_mut().remove(AUTHORIZATION);
            }),
        ),
    ] {
        answer(&layer(), request)
            .await
            .rejected(name, RejectionKind::MissingSignature);
    }
}

#[tokio::test]
async fn what_cannot_be_read_in_one_way_only_is_malformed() {
    let good = || signed_at_now(signed::get("/account/7"));
    let set = |name: &'static str, value: &'static str| {
        with(good(), |request| {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(name, value);
        })
    };
    let twice = |name: &'static str| {
        with(good(), |request| {
            let value = request.headers()[name].clone();
            request.headers_mut().append(name, value);
        })
    };
    for (name, request) in [
        ("no parameters", set("authorization", "HMAC-SHA256")),
        ("two signatures", twice("authorization")),
        ("two dates", twice("x-date")),
        ("two hashes", twice("x-content-sha256")),
        ("two nonces", twice("x-nonce")),
        (
            "a date in another form",
            set("x-date", "2026-01-02T03:04:05Z"),
        ),
        (
            "a hash in upper case",
            set(
                "x-content-sha256",
                "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            ),
        ),
        ("a short nonce", set("x-nonce", "short")),
        (
            "two hosts",
            with(good(), |request| {
                request
                    .headers_mut()
                    .insert("host", HeaderValue::from_static("another"));
            }),
        ),
        (
            "no host",
            with(good(), |request| {
                *request.uri_mut() = "/account/7".parse().unwrap();
            }),
        ),
        (
            "user information",
            with(good(), |request| {
                *request.uri_mut() = "http://user@user-service.internal/account/7"
                    .parse()
                    .unwrap();
            }),
        ),
        (
            "a method in lower case",
            with(good(), |request| {
                *request.method_mut() = Method::from_bytes(b"get").unwrap();
            }),
        ),
        (
            "CONNECT",
            with(good(), |request| *request.method_mut() = Method::CONNECT),
        ),
        (
            "the authority form",
            with(good(), |request| {
                *request.uri_mut() = "user-service.internal:80".parse().unwrap();
            }),
        ),
        (
            "another URL scheme",
            with(good(), |request| {
                *request.uri_mut() = "ftp://user-service.internal/account/7".parse().unwrap();
            }),
        ),
        (
            "* with GET",
            with(good(), |request| {
                *request.uri_mut() = "*".parse().unwrap();
                request
                    .headers_mut()
                    .insert("host", HeaderValue::from_static(AUTHORITY));
            }),
        ),
        (
            "a target past its cap",
            with(good(), |request| {
                let target = format!("http://{AUTHORITY}/{}", "a".repeat(8 * 1024));
                *request.uri_mut() = target.parse().unwrap();
            }),
        ),
        (
            "a signature past its cap",
            with(good(), |request| {
                let value = format!("HMAC-SHA256 credential={}", "a".repeat(4 * 1024));
                request
                    .headers_mut()
                    .insert(AUTHORIZATION, value.parse().unwrap());
            }),
        ),
        (
            "bytes beyond ASCII",
            with(good(), |request| {
                let value = HeaderValue::from_bytes(b"Fri, 02 Jan 2026 03:04:05 GM\xd4").unwrap();
                request.headers_mut().insert("x-date", value);
            }),
        ),
    ] {
        answer(&layer(), request)
            .await
            .rejected(name, RejectionKind::Malformed);
    }
}

#[tokio::test]
async fn another_authority_than_ours_is_misdirected() {
    let layer = layer().with_expected_hosts(["billing.internal"]).unwrap();
    answer(&layer, signed_at_now(signed::get("/")))
        .await
        .rejected("a sibling's", RejectionKind::Misdirected);
    let forwarded = with(signed_at_now(signed::get("/")), |request| {
        for name in ["x-forwarded-host", "forwarded", "x-original-host"] {
            let value = HeaderValue::from_static("billing.internal");
            request.headers_mut().insert(name, value);
        }
    });
    answer(&layer, forwarded)
        .await
        .rejected("ours by a forwarded header", RejectionKind::Misdirected);
}

#[tokio::test]
async fn too_little_coverage_is_insufficient_coverage() {
    let seed = billing().insecure_three_headers();
    let three_headers = || signed::at(NOW, &seed, signed::post("/", "{}")).map(Body::from);
    let uncovered = |name: &'static str| {
        with(three_headers(), |request| {
            let value = HeaderValue::from_static("text/plain;nonce=0123456789abcdef");
            request.headers_mut().insert(name, value);
        })
    };
    let requires = Verifier::builder()
        .require_headers([http::HeaderName::from_static("x-tenant")])
        .build()
        .unwrap();
    for (name, layer, request) in [
        ("no nonce", layer(), three_headers()),
        ("a nonce that is not covered", layer(), uncovered("x-nonce")),
        (
            "an encoding that is not covered",
            layer(),
            uncovered("content-encoding"),
        ),
        (
            "a content type that is not covered",
            layer(),
            with(signed_at_now(signed::post("/", "{}")), |request| {
                let value = HeaderValue::from_static("application/json");
                request.headers_mut().insert(CONTENT_TYPE, value);
            }),
        ),
        (
            "a required header that is not covered",
            layer().with_verifier(requires),
            with(signed_at_now(signed::get("/")), |request| {
                let value = HeaderValue::from_static("1");
                request.headers_mut().insert("x-tenant", value);
            }),
        ),
        (
            "a header that must be covered or absent",
            layer().with_uncovered_headers(UncoveredHeaders::refuse_all_but([])),
            with(signed_at_now(signed::get("/")), |request| {
                let value = HeaderValue::from_static("1");
                request.headers_mut().insert("x-tenant", value);
            }),
        ),
    ] {
        answer(&layer, request)
            .await
            .rejected(name, RejectionKind::InsufficientCoverage);
    }
}

#[tokio::test]
async fn a_date_outside_the_window_is_expired_and_told_the_time() {
    let shifted = |past: u64, ahead: u64| {
        let date = NOW
            .saturating_sub(seconds(past))
            .saturating_add(seconds(ahead));
        signed::at(date, &billing(), signed::get("/")).map(Body::from)
    };
    for (name, request) in [
        ("a second too old", shifted(301, 0)),
        ("a second too new", shifted(0, 301)),
        ("a year old", shifted(365 * 86_400, 0)),
    ] {
        let answer = answer(&layer(), request).await;
        answer.rejected(name, RejectionKind::Expired);
        assert_eq!(
            answer.parts.headers[DATE], "Fri, 02 Jan 2026 03:04:05 GMT",
            "{name}"
        );
        let challenge = answer.parts.headers[WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains("error=\"stale\""), "{name}: {challenge}");
    }
    for (name, request) in [
        ("just old enough", shifted(300, 0)),
        ("just new enough", shifted(0, 300)),
    ] {
        assert!(answer(&layer(), request).await.reached, "{name}");
    }
}

#[tokio::test]
async fn whoever_cannot_prove_a_name_is_told_invalid_signature() {
    for (name, layer, request) in unproven() {
        answer(&layer, request.map(Body::from))
            .await
            .rejected(name, RejectionKind::InvalidSignature);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large() {
    let layer = layer().with_body_limits(BodyLimits::default().with_max_bytes(10));
    let eleven = || signed_at_now(signed::post("/", "eleven byte"));
    answer(&layer, eleven())
        .await
        .rejected("of a known length", RejectionKind::TooLarge);
    let streamed = eleven().map(|body| Body::new(Unsized(body)));
    answer(&layer, streamed)
        .await
        .rejected("of an unknown length", RejectionKind::TooLarge);
    let limited = eleven().map(|body| Body::new(http_body_util::Limited::new(body, 5)));
    answer(&layer, limited)
        .await
        .rejected("over a limit of a layer outside", RejectionKind::TooLarge);
    let ten = signed_at_now(signed::post("/", "ten bytes!"));
    assert!(answer(&layer, ten).await.reached, "at the limit");
}

#[tokio::test]
async fn a_body_slower_than_its_deadline_is_a_timeout() {
    let limits = BodyLimits::default().with_deadline(Duration::from_millis(20));
    let layer = layer().with_body_limits(limits);
    let slow = signed_at_now(signed::post("/", "body")).map(|_| Body::new(bodies::Pending));
    answer(&layer, slow)
        .await
        .rejected("never ends", RejectionKind::Timeout);
}

/// A body with a frame ready at each poll, until the task's budget is used up.
struct AlwaysReady;

impl http_body::Body for AlwaysReady {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        coop::poll_proceed(cx).map(|proceeded| {
            proceeded.made_progress();
            Some(Ok(Frame::data(Bytes::new())))
        })
    }
}

#[tokio::test]
async fn a_body_that_never_keeps_its_reader_waiting_is_held_to_its_deadline() {
    let limits = BodyLimits::default().with_deadline(Duration::from_millis(20));
    let layer = layer().with_body_limits(limits);
    let endless = signed_at_now(signed::post("/", "body")).map(|_| Body::new(AlwaysReady));
    timeout(seconds(10), answer(&layer, endless))
        .await
        .expect("an answer at the deadline")
        .rejected("always ready", RejectionKind::Timeout);
}

#[tokio::test]
async fn another_body_than_the_signed_one_is_a_body_mismatch() {
    let signed = || signed_at_now(signed::post("/", "body"));
    for (name, body) in [
        ("a bit flipped", Body::from("bodx")),
        ("a byte more", Body::from("body ")),
        ("a byte less", Body::from("bod")),
        ("nothing", Body::empty()),
        ("broken off", Body::new(Broken::default())),
    ] {
        answer(&layer(), signed().map(|_| body))
            .await
            .rejected(name, RejectionKind::BodyMismatch);
    }
    let empty = signed_at_now(signed::get("/")).map(|_| Body::from("x"));
    answer(&layer(), empty)
        .await
        .rejected("something instead of nothing", RejectionKind::BodyMismatch);
}

#[tokio::test]
async fn a_nonce_that_was_used_is_replayed() {
    let layer = layer();
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    assert!(
        answer(&layer, request.clone().map(Body::from))
            .await
            .reached
    );
    answer(&layer, request.map(Body::from))
        .await
        .rejected("again", RejectionKind::Replayed);
}

#[tokio::test]
async fn a_caller_over_its_quota_is_over_quota() {
    let store = MemoryReplayStore::builder()
        .quota_per_caller(1)
        .build()
        .unwrap();
    let layer = layer().with_replay_store(store);
    assert!(
        answer(&layer, signed_at_now(signed::get("/")))
            .await
            .reached
    );
    answer(&layer, signed_at_now(signed::get("/")))
        .await
        .rejected("a second nonce", RejectionKind::OverQuota);
}

#[tokio::test]
async fn a_store_or_budget_without_an_answer_is_unavailable() {
    let request = || signed_at_now(signed::post("/", "eleven byte"));
    let unavailable = |answer: &Answer, name: &str, operator: &str| {
        let refusal = answer.refused(name, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert!(
            refusal.rejection().is_none(),
            "{name}: not the peer's fault"
        );
        assert_eq!(refusal.to_string(), operator, "{name}");
    };

    for ready in [true, false] {
        let down = Down { ready };
        let name = format!("key store, ready {ready}");
        let layer = VerifyLayer::new(down).with_clock(|| NOW);
        let told = "keys unavailable: connection refused";
        unavailable(&answer(&layer, request()).await, &name, told);
        let layer = VerifyLayer::new(ArcKeyStore::new(down)).with_clock(|| NOW);
        unavailable(&answer(&layer, request()).await, &name, told);

        let name = format!("replay store, ready {ready}");
        let told = "nonces unavailable: connection refused";
        let store = layer_with_down(ready);
        unavailable(&answer(&store, request()).await, &name, told);
        let erased = self::layer().with_replay_store(ArcReplayStore::new(down));
        unavailable(&answer(&erased, request()).await, &name, told);
    }

    let store = MemoryReplayStore::builder()
        .quota_per_caller(1)
        .callers(1)
        .build()
        .unwrap();
    let keys = Keyring::builder()
        .caller("billing", caller_key(SECRET))
        .caller("orders", caller_key(OTHER_SECRET))
        .build()
        .unwrap();
    let full = VerifyLayer::new(keys)
        .with_clock(|| NOW)
        .with_replay_store(store);
    assert!(answer(&full, request()).await.reached);
    let orders = signer("orders", hmac_key(OTHER_SECRET), AUTHORITY);
    let another = signed::at(NOW, &orders, signed::get("/")).map(Body::from);
    unavailable(
        &answer(&full, another).await,
        "a full replay store",
        "replay store unavailable",
    );

    for (name, limits, setting) in [
        (
            "the budget of all",
            BodyLimits::default().with_total_bytes(10),
            "BodyLimits::with_total_bytes",
        ),
        (
            "the caller's share",
            BodyLimits::default().with_caller_bytes(10),
            "BodyLimits::with_caller_bytes",
        ),
    ] {
        let layer = layer().with_body_limits(limits);
        let told = format!("body buffer unavailable: all 10 bytes are in use (see {setting})");
        unavailable(&answer(&layer, request()).await, name, &told);
        let streamed = request().map(|body| Body::new(Unsized(body)));
        unavailable(&answer(&layer, streamed).await, name, &told);
    }
}

#[tokio::test]
async fn a_rewritten_uri_is_misconfigured() {
    let rewritten = with(signed_at_now(signed::get("/account/7")), |request| {
        let original = axum::extract::OriginalUri(request.uri().clone());
        request.extensions_mut().insert(original);
        *request.uri_mut() = format!("http://{AUTHORITY}/account/8").parse().unwrap();
    });
    let answer = answer(&layer(), rewritten).await;
    let refusal = answer.refused(
        "rewritten",
        StatusCode::INTERNAL_SERVER_ERROR,
        "misconfigured",
    );
    assert!(refusal.rejection().is_none(), "not the peer's fault");
}

// Properties of all refusals.

#[tokio::test]
async fn every_401_challenges_in_every_scheme_that_is_accepted() {
    let verifier = Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap();
    let both = layer()
        .with_verifier(verifier)
        .with_realm("user \"ser\\vice\r\n\u{e9}");
    let ed25519_only = Verifier::builder()
        .accept_only(Scheme::Ed25519)
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap();
    let only = layer().with_verifier(ed25519_only);
    let replayed = layer();
    let request = signed::at(NOW, &billing(), signed::get("/"));
    assert!(
        answer(&replayed, request.clone().map(Body::from))
            .await
            .reached
    );

    for (name, layer, request, schemes) in [
        (
            "before the MAC",
            both.clone(),
            signed::get("/"),
            &["HMAC-SHA256", "ED25519"][..],
        ),
        (
            "another body",
            both,
            {
                let mut request = signed::at(NOW, &billing(), signed::get("/"));
                *request.body_mut() = Bytes::from_static(b"x");
                request
            },
            &["HMAC-SHA256", "ED25519"],
        ),
        ("one scheme", only, signed::get("/"), &["ED25519"]),
        ("a replay", replayed, request, &["HMAC-SHA256"]),
    ] {
        let answer = answer(&layer, request.map(Body::from)).await;
        assert_eq!(answer.parts.status, StatusCode::UNAUTHORIZED, "{name}");
        let challenges: Vec<_> = answer
            .parts
            .headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .map(|challenge| challenge.to_str().unwrap())
            .collect();
        assert_eq!(challenges.len(), schemes.len(), "{name}: {challenges:?}");
        for (challenge, scheme) in challenges.iter().zip(schemes) {
            assert!(
                challenge.starts_with(&format!("{scheme} realm=\"")),
                "{name}: {challenge}"
            );
        }
        if name == "before the MAC" {
            let realm = "HMAC-SHA256 realm=\"user service\", ";
            assert!(challenges[0].starts_with(realm), "{}", challenges[0]);
        }
    }
}

#[tokio::test]
async fn no_input_with_a_bad_mac_learns_anything_from_behind_it() {
    let mut answers = Vec::new();
    for (condition, prepare) in after_the_mac() {
        for (name, layer, request) in unproven() {
            let name = format!("{name}, {condition}");
            let polled = Arc::new(AtomicBool::new(false));
            let (layer, request) = prepare(layer, request);
            let request = request.map(|body| {
                let polled = Arc::clone(&polled);
                Body::new(Watched { body, polled })
            });
            let answered = answer(&layer, request);
            let answer = timeout(seconds(5), answered)
                .await
                .unwrap_or_else(|_| panic!("{name}: no answer"));
            answer.rejected(&name, RejectionKind::InvalidSignature);
            assert!(!polled.load(Ordering::SeqCst), "{name}: its body was read");
            answers.push((name, answer.visible()));
        }
    }
    let (first, expected) = &answers[0];
    for (name, visible) in &answers {
        assert_eq!(visible, expected, "{name} and {first} can be told apart");
    }
}

/// Proves that each condition works: with a good MAC, each has a different code.
#[tokio::test]
async fn the_conditions_behind_the_mac_are_real() {
    for (condition, prepare) in after_the_mac() {
        let request = signed::at(NOW, &billing(), signed::post("/", "body"));
        let (layer, request) = prepare(layer(), request);
        let answer = answer(&layer, request).await;
        let code = answer
            .parts
            .extensions
            .get::<Refusal>()
            .map_or("handled", Refusal::code);
        assert_ne!(code, "invalid_signature", "{condition}");
        assert_eq!(
            code == "handled",
            condition == "nothing else wrong",
            "{condition}: {code}"
        );
    }
}

/// A body in ten frames of 100 bytes. It counts the frames that it yields, and must not be polled
/// after its end.
struct Frames {
    given: Arc<AtomicUsize>,
    ended: bool,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        assert!(!self.ended, "polled past its end");
        self.ended = self.given.fetch_add(1, Ordering::SeqCst) == 10;
        let frame = Frame::data(Bytes::from_static(&[b'x'; 100]));
        Poll::Ready((!self.ended).then_some(Ok(frame)))
    }
}

#[tokio::test]
async fn a_refused_body_is_read_only_as_far_as_it_is_drained() {
    let whole = vec![b'x'; 1000];
    let unsigned = || signed::post("/", whole.clone());
    let other_body = || signed::at(NOW, &billing(), signed::post("/", "another"));
    let twice = signed::at(NOW, &billing(), signed::post("/", whole.clone()));
    let drains = |bytes| layer().with_refused_body_drain(bytes, seconds(5));
    let used = drains(0);
    assert!(answer(&used, twice.clone().map(Body::from)).await.reached);
    let mut over_http2 = unsigned();
    *over_http2.version_mut() = Version::HTTP_2;
    for (name, layer, request, read) in [
        ("unsigned", drains(0), unsigned(), 0),
        ("unsigned, by default", layer(), unsigned(), 11),
        ("unsigned, over HTTP/2", layer(), over_http2, 0),
        ("unsigned, drained a little", drains(250), unsigned(), 3),
        // The eleventh poll returns the end.
        ("unsigned, drained", drains(5000), unsigned(), 11),
        ("another body, read to its end", layer(), other_body(), 11),
        (
            "another body, read to its end, drained",
            drains(5000),
            other_body(),
            11,
        ),
        ("replayed", used.clone(), twice.clone(), 0),
        (
            "replayed, drained a little",
            used.with_refused_body_drain(1, seconds(5)),
            twice,
            1,
        ),
    ] {
        let given = Arc::new(AtomicUsize::new(0));
        let body = Frames {
            given: Arc::clone(&given),
            ended: false,
        };
        let answer = answer(&layer, request.map(|_| Body::new(body))).await;
        assert_eq!(answer.parts.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(
            given.load(Ordering::SeqCst),
            read,
            "{name}: frames asked for"
        );
    }
}

#[tokio::test]
async fn a_head_that_was_through_opens_no_second_body_where_keys_are_waited_for() {
    let layer = VerifyLayer::new(Late(keyring("billing", &hmac_key(SECRET))))
        .with_clock(|| NOW)
        .with_refused_body_drain(0, seconds(0));
    let request = signed::at(NOW, &billing(), signed::post("/", vec![b'x'; 1000]));
    assert!(
        answer(&layer, request.clone().map(Body::from))
            .await
            .reached
    );
    let given = Arc::new(AtomicUsize::new(0));
    let body = Frames {
        given: Arc::clone(&given),
        ended: false,
    };
    answer(&layer, request.map(|_| Body::new(body)))
        .await
        .rejected("replayed", RejectionKind::Replayed);
    assert_eq!(given.load(Ordering::SeqCst), 0, "frames asked for");
}

#[tokio::test]
async fn what_was_read_of_a_refused_body_takes_no_memory_while_the_rest_is_drained() {
    let limits = BodyLimits::default().with_max_bytes(4).with_caller_bytes(4);
    let layer = layer()
        .with_body_limits(limits)
        .with_refused_body_drain(5000, Duration::MAX);
    let (sender, frames) = tokio::sync::mpsc::channel::<&str>(1);
    let frames = futures::stream::unfold(frames, async |mut frames| {
        let frame = frames.recv().await?;
        Some((Ok::<_, Infallible>(frame), frames))
    });
    let large = signed_at_now(signed::post("/", "body and more, which is drained"));
    let large = large.map(|_| Body::from_stream(frames));
    let refused = {
        let layer = layer.clone();
        tokio::spawn(async move { answer(&layer, large).await })
    };
    for frame in ["body", " and more", ", which", " is drained"] {
        sender.send(frame).await.unwrap();
    }
    // The third body fits, so the memory of the second was released.
    let fits = answer(&layer, signed_at_now(signed::post("/", "body"))).await;
    assert!(fits.reached, "the caller has its share");
    drop(sender);
    let refused = refused.await.unwrap();
    refused.rejected("over the limit", RejectionKind::TooLarge);
}

#[tokio::test]
async fn a_body_that_broke_off_is_not_drained() {
    let layer = layer().with_refused_body_drain(5000, seconds(5));
    let broken = signed_at_now(signed::post("/", "body"));
    answer(&layer, broken.map(|_| Body::new(Broken::default())))
        .await
        .rejected("broken off", RejectionKind::BodyMismatch);
}

#[tokio::test]
async fn refusals_that_are_alike_are_alike_on_the_wire() {
    let real = || VerifyLayer::new(everyone());
    let app = |layer: VerifyLayer<Keyring>| {
        axum::Router::new()
            .route("/", axum::routing::any(async || "handled"))
            .layer(layer)
    };
    let server = Server::axum(app(real())).await;
    let mut answers = Vec::new();
    for (name, _, request) in unproven_at(std::time::SystemTime::now().into()) {
        let text = raw::exchange(server.addr(), &signed::bytes(&request)).await;
        assert_eq!(raw::status(&text), 401, "{name}: {text}");
        let told: Vec<_> = text
            .split("\r\n")
            .filter(|line| !line.starts_with("date:"))
            .map(str::to_owned)
            .collect();
        answers.push((name, told));
    }
    for (name, told) in &answers {
        assert_eq!(
            told, &answers[0].1,
            "{name} and {} can be told apart",
            answers[0].0
        );
    }
}

#[tokio::test]
async fn stores_that_take_their_time_are_waited_for() {
    let layer = VerifyLayer::new(Late(keyring("billing", &hmac_key(SECRET))))
        .with_replay_store(Late(MemoryReplayStore::new()))
        .with_clock(|| NOW);
    let request = signed::at(NOW, &billing(), signed::post("/", "body"));
    assert!(
        answer(&layer, request.clone().map(Body::from))
            .await
            .reached
    );
    answer(&layer, request.clone().map(Body::from))
        .await
        .rejected("again", RejectionKind::Replayed);
    let unknown = signer("nobody", hmac_key(SECRET), AUTHORITY);
    let unknown = signed::at(NOW, &unknown, signed::get("/")).map(Body::from);
    answer(&layer, unknown)
        .await
        .rejected("an unknown caller", RejectionKind::InvalidSignature);

    let another = signed::at(NOW, &billing(), signed::post("/", "body"));
    let race = (0..50).map(|_| answer(&layer, another.clone().map(Body::from)));
    let reached = join_all(race)
        .await
        .iter()
        .filter(|answer| answer.reached)
        .count();
    assert_eq!(reached, 1, "of 50 at once");
}

#[tokio::test]
async fn a_store_that_never_answers_is_unavailable() {
    let short = Duration::from_millis(20);
    let keys = VerifyLayer::new(Silent)
        .with_clock(|| NOW)
        .with_store_deadline(short);
    let nonces = layer().with_replay_store(Silent).with_store_deadline(short);
    let request = || signed_at_now(signed::post("/", "body"));
    for (name, answered, told) in [
        (
            "keys",
            timeout(seconds(5), answer(&keys, request())).await,
            "key store unavailable",
        ),
        (
            "nonces",
            timeout(seconds(5), answer(&nonces, request())).await,
            "replay store unavailable",
        ),
    ] {
        let answer = answered.unwrap_or_else(|_| panic!("{name}: hangs"));
        let refusal = answer.refused(name, StatusCode::SERVICE_UNAVAILABLE, "unavailable");
        assert_eq!(refusal.to_string(), told, "{name}");
    }
}

/// A lookup takes time, and a date or a key may expire meanwhile.
#[tokio::test]
async fn what_ends_while_the_keys_are_looked_up_has_ended() {
    let now = Arc::new(AtomicI64::new(NOW.as_unix_seconds()));
    let clock = {
        let now = Arc::clone(&now);
        move || Timestamp::from_unix_seconds(now.load(Ordering::SeqCst))
    };
    let ends = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + 10);
    for (name, key, takes, expected) in [
        ("the date holds", caller_key(SECRET), 300, None),
        (
            "the date ends",
            caller_key(SECRET),
            301,
            Some(RejectionKind::Expired),
        ),
        (
            "the key holds",
            caller_key(SECRET).with_validity(Validity::new().with_not_after(ends)),
            9,
            None,
        ),
        (
            "the key ends",
            caller_key(SECRET).with_validity(Validity::new().with_not_after(ends)),
            10,
            Some(RejectionKind::InvalidSignature),
        ),
    ] {
        now.store(NOW.as_unix_seconds(), Ordering::SeqCst);
        let keys = Keyring::builder().caller("billing", key).build().unwrap();
        let slow = Slowly {
            keys,
            takes,
            now: Arc::clone(&now),
        };
        let layer = VerifyLayer::new(slow).with_clock(clock.clone());
        let answer = answer(&layer, signed_at_now(signed::get("/"))).await;
        match expected {
            None => assert!(answer.reached, "{name}"),
            Some(kind) => answer.rejected(name, kind),
        }
    }
}

/// If the signature is over the body, everything is checked when the body has arrived.
#[tokio::test]
async fn what_ends_before_the_body_that_is_signed_is_there_has_ended() {
    let (key, verify_settings) = django();
    let signer = Signer::drf(key.clone(), [AUTHORITY]).unwrap();
    let verifier = Verifier::builder().accept(verify_settings).build().unwrap();
    let ends = Timestamp::from_unix_seconds(NOW.as_unix_seconds() + 10);
    let caller_key = || CallerKey::new("1", key.verifying_key()).unwrap();
    for (name, key, takes, expected) in [
        (
            "all holds",
            caller_key().with_validity(Validity::new().with_not_after(ends)),
            9,
            None,
        ),
        (
            "the key ends",
            caller_key().with_validity(Validity::new().with_not_after(ends)),
            10,
            Some(RejectionKind::InvalidSignature),
        ),
        (
            "the date ends",
            caller_key(),
            301,
            Some(RejectionKind::Expired),
        ),
    ] {
        let now = Arc::new(AtomicI64::new(NOW.as_unix_seconds()));
        let clock = Arc::clone(&now);
        let keys = Keyring::builder().caller("django", key).build().unwrap();
        let layer = VerifyLayer::new(keys)
            .with_verifier(verifier.clone())
            .with_clock(move || Timestamp::from_unix_seconds(clock.load(Ordering::SeqCst)));
        let (mut parts, body) = signed::post("/drf", "body").into_parts();
        let signature = signer.sign(&parts, &*body, NOW).unwrap();
        signature.apply(&mut parts);
        let body = Full::new(body).map_frame(move |frame| {
            now.fetch_add(takes, Ordering::SeqCst);
            frame
        });
        let answer = answer(&layer, Request::from_parts(parts, Body::new(body))).await;
        match expected {
            None => assert!(answer.reached, "{name}"),
            Some(kind) => answer.rejected(name, kind),
        }
    }
}

/// A key store that takes time to answer, in seconds.
#[derive(Clone)]
struct Slowly {
    keys: Keyring,
    takes: i64,
    now: Arc<AtomicI64>,
}

impl KeyStore for Slowly {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        tokio::task::yield_now().await;
        self.now.fetch_add(self.takes, Ordering::SeqCst);
        self.keys.lookup(key_id).await
    }
}

/// A store that never answers.
#[derive(Clone, Copy)]
struct Silent;

impl KeyStore for Silent {
    async fn lookup(&self, _key_id: &str) -> Result<CallerKeys, Unavailable> {
        std::future::pending().await
    }
}

impl ReplayStore for Silent {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        std::future::pending().await
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

fn caller_key(secret: &str) -> CallerKey {
    CallerKey::new("1", hmac_key(secret).verifying_key()).unwrap()
}

fn layer_with_down(ready: bool) -> VerifyLayer<Keyring, Down> {
    layer().with_replay_store(Down { ready })
}

/// Knows `billing`, and `edward` with an Ed25519 key. Also `revoked`, `early` and `late`, whose
/// keys verify nothing now.
fn everyone() -> Keyring {
    let key = |seed: &str| CallerKey::new("1", hmac_key(seed).verifying_key()).unwrap();
    let ed25519 = ed25519_key(OTHER_SECRET).verifying_key();
    Keyring::builder()
        .caller("billing", key(SECRET))
        .caller(
            "revoked",
            key(&secret('1')).with_validity(KeyState::Revoked),
        )
        .caller(
            "early",
            key(&secret('2')).with_validity(
                Validity::new().with_not_before(Timestamp::from_unix_seconds(i64::MAX)),
            ),
        )
        .caller(
            "late",
            key(&secret('3'))
                .with_validity(Validity::new().with_not_after(Timestamp::from_unix_seconds(0))),
        )
        .caller("edward", CallerKey::new("1", ed25519).unwrap())
        .build()
        .unwrap()
}

fn secret(digit: char) -> String {
    format!("{digit}{}", &SECRET[1..])
}

/// Unauthenticated requests, all in the same shape: a POST of `body`.
fn unproven() -> Vec<(&'static str, VerifyLayer<Keyring>, Request<Bytes>)> {
    unproven_at(NOW)
}

fn unproven_at(now: Timestamp) -> Vec<(&'static str, VerifyLayer<Keyring>, Request<Bytes>)> {
    let layer = || {
        let layer = VerifyLayer::new(everyone()).with_clock(move || now);
        // Draining is off, so only the decision reads the body.
        layer.with_refused_body_drain(0, seconds(0))
    };
    let by = |signer: &Signer| signed::at(now, signer, signed::post("/", "body"));
    let by_secret = |caller: &str, secret: &str| by(&signer(caller, hmac_key(secret), AUTHORITY));
    let changed = |edit: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = by(&billing());
        edit(&mut request);
        request
    };
    vec![
        ("unknown caller", layer(), by_secret("nobody", SECRET)),
        ("wrong secret", layer(), by_secret("billing", OTHER_SECRET)),
        ("revoked key", layer(), by_secret("revoked", &secret('1'))),
        (
            "revoked key, wrong secret",
            layer(),
            by_secret("revoked", OTHER_SECRET),
        ),
        (
            "key of the future",
            layer(),
            by_secret("early", &secret('2')),
        ),
        ("key of the past", layer(), by_secret("late", &secret('3'))),
        (
            "key of another scheme",
            layer(),
            by_secret("edward", OTHER_SECRET),
        ),
        (
            "another caller's key",
            layer(),
            by_secret("revoked", SECRET),
        ),
        (
            "the signature's last digit changed",
            layer(),
            changed(&|request| {
                let value = request.headers()[AUTHORIZATION]
                    .to_str()
                    .unwrap()
                    .to_owned();
                let digit = if value.ends_with('0') { '1' } else { '0' };
                let value = format!("{}{digit}", &value[..value.len() - 1]);
                request
                    .headers_mut()
                    .insert(AUTHORIZATION, value.parse().unwrap());
            }),
        ),
        (
            "another path",
            layer(),
            changed(&|request| {
                *request.uri_mut() = format!("http://{AUTHORITY}/?x").parse().unwrap();
            }),
        ),
        (
            "another method",
            layer(),
            changed(&|request| *request.method_mut() = Method::PUT),
        ),
        (
            "another hash",
            layer(),
            changed(&|request| {
                let hash = "0123456789abcdef".repeat(4).parse().unwrap();
                request.headers_mut().insert("x-content-sha256", hash);
            }),
        ),
        (
            "another nonce",
            layer(),
            changed(&|request| {
                let nonce = HeaderValue::from_static("0123456789abcdef");
                request.headers_mut().insert("x-nonce", nonce);
            }),
        ),
    ]
}

type Prepared = (VerifyLayer<Keyring, ArcReplayStore>, Request<Body>);
type Prepare = Box<dyn Fn(VerifyLayer<Keyring>, Request<Bytes>) -> Prepared>;

/// The conditions that refuse a request whose MAC matches.
fn after_the_mac() -> Vec<(&'static str, Prepare)> {
    fn erased(layer: VerifyLayer<Keyring>) -> VerifyLayer<Keyring, ArcReplayStore> {
        layer.with_replay_store(ArcReplayStore::new(MemoryReplayStore::new()))
    }
    fn limits(limits: BodyLimits) -> impl Fn(VerifyLayer<Keyring>, Request<Bytes>) -> Prepared {
        move |layer, request| {
            let layer = erased(layer.with_body_limits(limits.clone()));
            (layer, request.map(Body::from))
        }
    }
    let body = |body: fn() -> Body| {
        move |layer: VerifyLayer<Keyring>, request: Request<Bytes>| {
            let limits = BodyLimits::default().with_deadline(Duration::from_millis(50));
            (
                erased(layer.with_body_limits(limits)),
                request.map(|_| body()),
            )
        }
    };
    let conditions: Vec<(&'static str, Prepare)> = vec![
        (
            "nothing else wrong",
            Box::new(limits(BodyLimits::default())),
        ),
        (
            "declared too large",
            Box::new(limits(BodyLimits::default().with_max_bytes(1))),
        ),
        (
            "too large",
            Box::new(|layer, request| {
                let limits = BodyLimits::default().with_max_bytes(1);
                let layer = erased(layer.with_body_limits(limits));
                (
                    layer,
                    request.map(|body| Body::new(Unsized(Body::from(body)))),
                )
            }),
        ),
        (
            "no budget",
            Box::new(limits(BodyLimits::default().with_total_bytes(1))),
        ),
        (
            "no share",
            Box::new(limits(BodyLimits::default().with_caller_bytes(1))),
        ),
        ("another body", Box::new(body(|| Body::from("another")))),
        ("no body", Box::new(body(Body::empty))),
        (
            "a broken body",
            Box::new(body(|| Body::new(Broken::default()))),
        ),
        ("a slow body", Box::new(body(|| Body::new(bodies::Pending)))),
        (
            "a used nonce",
            Box::new(|layer, request| {
                let layer = layer.with_replay_store(ArcReplayStore::new(AllSeen { used: true }));
                (layer, request.map(Body::from))
            }),
        ),
        (
            "no quota left",
            Box::new(|layer, request| {
                let layer = layer.with_replay_store(ArcReplayStore::new(AllSeen { used: false }));
                (layer, request.map(Body::from))
            }),
        ),
        (
            "no replay store",
            Box::new(|layer, request| {
                let layer = layer.with_replay_store(ArcReplayStore::new(Down { ready: false }));
                (layer, request.map(Body::from))
            }),
        ),
        (
            "an uncovered header that is refused",
            Box::new(|layer, mut request| {
                let value = HeaderValue::from_static("1");
                request.headers_mut().insert("x-uncovered", value);
                let policy = UncoveredHeaders::refuse_all_but([]);
                (
                    erased(layer.with_uncovered_headers(policy)),
                    request.map(Body::from),
                )
            }),
        ),
        (
            "no nonce although the key requires one, and an uncovered content type",
            Box::new(|layer, mut request| {
                let value = HeaderValue::from_static("text/plain");
                request.headers_mut().insert(CONTENT_TYPE, value);
                (erased(layer), request.map(Body::from))
            }),
        ),
    ];
    conditions
}

/// A store that fails, at once or after a while.
#[derive(Clone, Copy)]
struct Down {
    ready: bool,
}

impl Down {
    fn error(what: &'static str) -> Unavailable {
        Unavailable::new(what).with_source("connection refused")
    }
}

impl KeyStore for Down {
    async fn lookup(&self, _key_id: &str) -> Result<CallerKeys, Unavailable> {
        tokio::task::yield_now().await;
        Err(Self::error("keys"))
    }

    fn try_lookup(&self, _key_id: &str) -> Option<Result<CallerKeys, Unavailable>> {
        self.ready.then(|| Err(Self::error("keys")))
    }
}

impl ReplayStore for Down {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        tokio::task::yield_now().await;
        Err(Self::error("nonces"))
    }

    fn try_claim(&self, _claim: &ReplayClaim) -> Option<Result<ClaimOutcome, Unavailable>> {
        self.ready.then(|| Err(Self::error("nonces")))
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

/// A store that has seen every nonce, or in which every caller has used up its quota.
#[derive(Clone, Copy)]
struct AllSeen {
    used: bool,
}

impl ReplayStore for AllSeen {
    async fn claim(&self, _claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        Ok(if self.used {
            ClaimOutcome::Replayed
        } else {
            ClaimOutcome::OverQuota
        })
    }

    fn seen(&self, _key: &countersign::ReplayKey) -> bool {
        self.used
    }

    fn id(&self) -> ReplayStoreId {
        ReplayStoreId::unique()
    }
}

/// A store with the answers of another store, but never at once.
#[derive(Clone)]
struct Late<S>(S);

impl<S: KeyStore> KeyStore for Late<S> {
    async fn lookup(&self, key_id: &str) -> Result<CallerKeys, Unavailable> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.0.lookup(key_id).await
    }
}

impl<S: ReplayStore> ReplayStore for Late<S> {
    async fn claim(&self, claim: ReplayClaim) -> Result<ClaimOutcome, Unavailable> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.0.claim(claim).await
    }

    fn id(&self) -> ReplayStoreId {
        self.0.id()
    }
}

/// A body with an unknown length.
struct Unsized(Body);

impl http_body::Body for Unsized {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }
}

/// A body that records whether it was polled.
struct Watched {
    body: Body,
    polled: Arc<AtomicBool>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.polled.store(true, Ordering::SeqCst);
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
