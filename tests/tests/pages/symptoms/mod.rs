//! What a newcomer sees when something is wrong, by the name that the page of symptoms links to.

mod answers;
mod capture;
mod client;
mod codes;
mod proxies;
mod start;

use std::collections::BTreeMap;

use axum::{Router, body::Body};
use countersign::Keyring;
use http::{Request, Response};
use http_body_util::BodyExt;
use tests::{
    keys::{NOW, SECRET, hmac_key, keyring},
    signed::{self, billing},
};
use tower::ServiceExt;
use tower_countersign::VerifyLayer;

pub(crate) use self::capture::Capture;

/// A symptom: a code, where a request is refused, and a text.
pub(crate) struct Seen {
    pub(crate) code: Option<&'static str>,
    pub(crate) text: String,
}

/// The symptoms by their names.
#[derive(Default)]
pub(crate) struct Symptoms(pub(crate) BTreeMap<&'static str, Seen>);

impl Symptoms {
    fn insert(&mut self, name: &'static str, code: Option<&'static str>, text: String) {
        let earlier = self.0.insert(name, Seen { code, text });
        assert!(earlier.is_none(), "{name}: twice");
    }

    /// Adds a text without a code.
    fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.insert(name, None, text.into());
    }
}

pub(crate) fn all() -> Symptoms {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let mut found = Symptoms::default();
    runtime.unwrap().block_on(async {
        codes::add(&mut found).await;
        proxies::add(&mut found).await;
        client::add(&mut found).await;
        answers::add(&mut found).await;
        start::add_events(&mut found).await;
    });
    start::add_errors(&mut found);
    found
}

fn verify() -> VerifyLayer<Keyring> {
    VerifyLayer::new(keyring("billing", &hmac_key(SECRET))).with_clock(|| NOW)
}

fn good(path: &str) -> Request<Body> {
    signed::at(NOW, &billing(), signed::post(path, "body")).map(Body::from)
}

/// Answers a request as a router does.
async fn answer(app: Router, request: Request<Body>) -> Response<Body> {
    app.oneshot(request).await.unwrap()
}

async fn body_of(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}
