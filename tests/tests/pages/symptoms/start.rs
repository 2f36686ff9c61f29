//! Errors and events at the start of a service.

use axum::{Router, body::Body, routing::post};
use countersign::{Keyring, Scheme, Signer, Verifier};
use http::Request;
use tests::{
    keys::{NOW, OTHER_SECRET, SECRET, django, hmac_key, keyring, signer},
    signed::{self, AUTHORITY},
};
use tower_countersign::VerifyLayer;

use super::{Capture, Symptoms, answer, verify};

pub(super) async fn add_events(found: &mut Symptoms) {
    let capture = Capture::start();
    let routes = || Router::new().route("/drf", post(async || "handled"));
    let of = |text: &str, start: &str| {
        let line = text
            .lines()
            .find_map(|line| Some(&line[line.find(start)?..]));
        line.unwrap_or_else(|| panic!("no {start:?} in {text}"))
            .to_owned()
    };

    let _: Router = routes().layer(verify());
    let text = capture.take();
    found.text("no expected hosts", of(&text, "no expected hosts"));
    found.text("an empty store", of(&text, "the replay store"));

    let _: Router = routes().layer(verify().insecure_report_only());
    found.text("a layer that reports", of(&capture.take(), "report only"));

    let (key, settings) = django();
    let verifier = Verifier::builder().accept_only(settings).build().unwrap();
    let layer = VerifyLayer::new(keyring("django", &key)).with_verifier(verifier);
    let signer = Signer::drf(key, [AUTHORITY]).unwrap();
    let (mut parts, body) = signed::post("/drf", "body").into_parts();
    let signature = signer.sign(&parts, &body[..], NOW).unwrap();
    signature.apply(&mut parts);
    let request = Request::from_parts(parts, Body::from(body));
    let response = answer(routes().layer(layer.with_clock(|| NOW)), request).await;
    assert_eq!(response.status(), 200);
    found.text("no address of the peer", of(&capture.take(), "no address"));
}

pub(super) fn add_errors(found: &mut Symptoms) {
    let callers = |json: &str| {
        let error = Keyring::from_service_secrets(json, None).unwrap_err();
        error.to_string()
    };
    let of_billing = |key: &str| callers(&format!("{{\"billing\":\"{key}\"}}"));
    let good = format!("{{\"billing\":\"{SECRET}\"}}");
    found.text("quotes around the value", callers(&format!("'{good}'")));
    found.text("a placeholder", of_billing("<64 hexadecimal digits>"));
    found.text("an unexpanded variable", of_billing("$KEY"));
    found.text("a line end", of_billing(&format!("{SECRET}\\n")));
    found.text("a short key", of_billing(&SECRET[..62]));
    let shared = format!("{{\"billing\":\"{SECRET}\",\"audit\":\"{SECRET}\"}}");
    found.text("one key of two callers", callers(&shared));

    let calling = Signer::from_service_secrets("billing", &good, "user-service", AUTHORITY);
    found.text("no such target", calling.unwrap_err().to_string());

    let verifier = Verifier::builder().accept(Scheme::Ed25519).build();
    let error = verifier.unwrap_err().to_string();
    found.text("a scheme that needs expected hosts", error);

    let keys = keyring("billing", &hmac_key(SECRET));
    let same = signer("user-service", hmac_key(SECRET), "audit");
    let error = keys.ensure_distinct_from(&[&same]).unwrap_err();
    found.text("one secret in both directions", error.to_string());
    let other = signer("user-service", hmac_key(OTHER_SECRET), "audit");
    assert!(keys.ensure_distinct_from(&[&other]).is_ok());
}
