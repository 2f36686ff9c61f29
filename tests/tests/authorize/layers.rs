//! The layers and the extractor in memory: refused callers, the form of a refusal, and the judged
//! request.

use axum::{
    Router,
    body::Body,
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};
use bytes::Bytes;
use countersign::{
    Algorithm, CallerKey, ComponentId, DrfVerifySettings, Keyring, MessageSignaturesSignSettings,
    MessageSignaturesVerifySettings, Secret, Signer, SigningKey, Verifier, VerifyingKey,
};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::BodyExt;
use tests::{
    keys::{NOW, OTHER_SECRET, SECRET, hmac_key, signer},
    signed::{self, AUTHORITY, billing},
};
use tower::{Layer, ServiceExt};
use tower_countersign::{
    AllowCallers, AuthorizeLayer, CallerIn, CallerNames, Forbidden, ForbiddenReason, SignLayer,
    VerifiedCaller, VerifyLayer,
};
use tower_http::normalize_path::NormalizePathLayer;

use crate::{ALLOW_ALL, policy};

const ACCOUNTS: &str = r#"
[[statements]]
id = "billing reads accounts"
effect = "allow"
callers = ["billing"]
methods = ["GET"]
paths = ["/api/account/*"]

[[statements]]
id = "nobody reads account 13"
effect = "deny"
callers = ["*"]
methods = ["GET"]
paths = ["/api/account/13"]
"#;

pub(crate) fn verify() -> VerifyLayer<Keyring> {
    let key = |hex| CallerKey::new("1", hmac_key(hex).verifying_key()).unwrap();
    let keys = Keyring::builder()
        .caller("billing", key(SECRET))
        .caller("audit", key(OTHER_SECRET))
        .build()
        .unwrap();
    VerifyLayer::new(keys).with_clock(|| NOW)
}

fn audit() -> Signer {
    signer("audit", hmac_key(OTHER_SECRET), AUTHORITY)
}

pub(crate) async fn whoami(caller: VerifiedCaller) -> String {
    caller.id().to_string()
}

fn request(by: &Signer, method: Method, path: &str) -> Request<Body> {
    let mut request = signed::get(path);
    *request.method_mut() = method;
    signed::at(NOW, by, request).map(Body::from)
}

pub(crate) fn get_by(by: &Signer, path: &str) -> Request<Body> {
    request(by, Method::GET, path)
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

/// Returns the status, and the reason if an authorization layer refused.
async fn outcome(app: &Router, request: Request<Body>) -> (u16, Option<ForbiddenReason>) {
    let response = send(app, request).await;
    let forbidden = response.extensions().get::<Forbidden>();
    (
        response.status().as_u16(),
        forbidden.map(|forbidden| forbidden.reason().clone()),
    )
}

#[tokio::test]
async fn the_policy_decides_and_the_refusal_hides_the_reason() {
    let app = Router::new()
        .fallback(whoami)
        .layer(AuthorizeLayer::new(policy(ACCOUNTS)).with_clock(|| NOW))
        .layer(verify());
    let allowed = send(&app, get_by(&billing(), "/api/account/7?x=1")).await;
    assert_eq!(allowed.status(), 200);
    for (name, request, reason) in [
        (
            "another caller",
            get_by(&audit(), "/api/account/7"),
            "no statement allows it",
        ),
        (
            "another method",
            request(&billing(), Method::PUT, "/api/account/7"),
            "no statement allows it",
        ),
        (
            "another path",
            get_by(&billing(), "/api/account"),
            "no statement allows it",
        ),
        (
            "a deny",
            get_by(&billing(), "/api/account/13"),
            "a statement denies it",
        ),
        (
            "a path in another form",
            get_by(&billing(), "/api/account/%37"),
            "the path escapes a character that needs no escape",
        ),
    ] {
        let response = send(&app, request).await;
        assert_eq!(response.status(), 403, "{name}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers().get("www-authenticate"), None, "{name}");
        let forbidden = response.extensions().get::<Forbidden>().unwrap().clone();
        assert_eq!(forbidden.reason().to_string(), reason, "{name}");
        assert!(forbidden.caller().is_some(), "{name}");
        let denied = forbidden.reason().statement().map(ToString::to_string);
        assert_eq!(denied.is_some(), name == "a deny");
        if let Some(denied) = denied {
            assert_eq!(denied, "nobody reads account 13");
        }
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            body,
            Bytes::from_static(b"{\"error\":\"forbidden\"}"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_list_of_callers_allows_only_those() {
    let app = |layer: AllowCallers| {
        Router::new()
            .route("/x", get(whoami))
            .route_layer(layer)
            .layer(verify())
    };
    for (names, billing_gets, audit_gets) in [
        (&["billing"][..], 200, 403),
        (&["audit", "billing"], 200, 200),
        (&["Billing", "bill", "billing ", "*", ""], 403, 403),
        (&[], 403, 403),
    ] {
        let app = app(AllowCallers::new(names));
        let (status, _) = outcome(&app, get_by(&billing(), "/x")).await;
        assert_eq!(status, billing_gets, "{names:?}");
        let (status, reason) = outcome(&app, get_by(&audit(), "/x")).await;
        assert_eq!(status, audit_gets, "{names:?}");
        assert_eq!(reason.is_some(), audit_gets == 403, "{names:?}");
    }
}

struct Finance;

impl CallerNames for Finance {
    const NAMES: &'static [&'static str] = &["billing"];
}

#[tokio::test]
async fn a_handler_for_some_callers_refuses_the_others() {
    let handler = get(async |caller: CallerIn<Finance>| {
        format!(
            "{} {}",
            caller.id(),
            caller.clone().into_inner().key_version()
        )
    });
    let app = Router::new().route("/x", handler.clone()).layer(verify());
    assert_eq!(outcome(&app, get_by(&billing(), "/x")).await, (200, None));
    let listed = Some(ForbiddenReason::NotListed);
    assert_eq!(outcome(&app, get_by(&audit(), "/x")).await, (403, listed));
    let open = Router::new().route("/x", handler);
    assert_eq!(outcome(&open, get_by(&billing(), "/x")).await, (500, None));
}

/// Requests without a verified caller: no layer verifies, the layer is on the wrong side, or the
/// layer only reports, even on a valid signature.
#[tokio::test]
async fn a_request_without_a_verified_caller_is_refused_by_every_layer() {
    let handled = || Router::new().route("/x", any(async || "handled"));
    let allow_all = || AuthorizeLayer::new(policy(ALLOW_ALL));
    let callers = || AllowCallers::new(["billing"]);
    for (name, app) in [
        ("policy, no verifier", handled().layer(allow_all())),
        ("callers, no verifier", handled().layer(callers())),
        (
            "callers on the route, no verifier",
            handled().route_layer(callers()),
        ),
        (
            "policy, verifier inside",
            handled().layer(verify()).layer(allow_all()),
        ),
        (
            "callers, verifier inside",
            handled().layer(verify()).layer(callers()),
        ),
        (
            "policy, a verifier that only reports",
            handled()
                .layer(allow_all())
                .layer(verify().insecure_report_only()),
        ),
        (
            "callers, a verifier that only reports",
            handled()
                .layer(callers())
                .layer(verify().insecure_report_only()),
        ),
    ] {
        for request in [get_by(&billing(), "/x"), signed::get("/x").map(Body::from)] {
            let (status, reason) = outcome(&app, request).await;
            assert_eq!(status, 403, "{name}");
            assert_eq!(reason, Some(ForbiddenReason::NoVerifiedCaller), "{name}");
        }
    }
}

#[tokio::test]
async fn a_report_only_layer_refuses_and_adds_nothing() {
    let app = |layer: fn(Router) -> Router| {
        let whether = any(async |caller: Option<VerifiedCaller>| {
            caller.map_or("nobody".to_owned(), |caller| caller.id().to_string())
        });
        layer(Router::new().route("/x", whether))
    };
    let policy_layer =
        |router: Router| router.layer(AuthorizeLayer::new(policy(ACCOUNTS)).insecure_report_only());
    let callers_layer =
        |router: Router| router.layer(AllowCallers::new(["billing"]).insecure_report_only());
    for (name, layered) in [
        ("policy", app(policy_layer)),
        ("callers", app(callers_layer)),
    ] {
        for (request, expected) in [
            (get_by(&audit(), "/x"), "audit"),
            (get_by(&billing(), "/x"), "billing"),
        ] {
            let response = send(&layered.clone().layer(verify()), request).await;
            assert_eq!(response.status(), 200, "{name}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, expected, "{name}");
        }
        let response = send(&layered, get_by(&audit(), "/x")).await;
        assert_eq!(response.status(), 200, "{name}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "nobody", "{name}");
    }
}

/// The policy judges the verified request. A request that was changed between the layers is
/// refused.
#[tokio::test]
async fn a_request_rewritten_after_verification_is_refused() {
    async fn to_admin(mut request: axum::extract::Request, next: Next) -> Response {
        *request.uri_mut() = Uri::from_static("/admin");
        next.run(request).await
    }
    async fn to_delete(mut request: axum::extract::Request, next: Next) -> Response {
        *request.method_mut() = Method::DELETE;
        next.run(request).await
    }
    async fn other_query(mut request: axum::extract::Request, next: Next) -> Response {
        *request.uri_mut() = Uri::from_static("/x?y=2");
        next.run(request).await
    }
    let authorized = || {
        Router::new()
            .fallback(whoami)
            .layer(AuthorizeLayer::new(policy(ALLOW_ALL)))
    };
    let rewritten = Some(ForbiddenReason::Rewritten);
    let path = authorized()
        .layer(middleware::from_fn(to_admin))
        .layer(verify());
    assert_eq!(
        outcome(&path, get_by(&billing(), "/x")).await,
        (403, rewritten.clone())
    );
    assert_eq!(
        outcome(&path, get_by(&billing(), "/admin")).await,
        (200, None)
    );
    let method = authorized()
        .layer(middleware::from_fn(to_delete))
        .layer(verify());
    assert_eq!(
        outcome(&method, get_by(&billing(), "/x")).await,
        (403, rewritten.clone())
    );
    let delete = request(&billing(), Method::DELETE, "/x");
    assert_eq!(outcome(&method, delete).await, (200, None));
    // A policy does not cover queries.
    let query = authorized()
        .layer(middleware::from_fn(other_query))
        .layer(verify());
    assert_eq!(
        outcome(&query, get_by(&billing(), "/x?y=1")).await,
        (200, None)
    );
    let normalized = verify().layer(
        NormalizePathLayer::trim_trailing_slash()
            .layer(authorized().into_service::<tower_countersign::RequestBody>()),
    );
    for (path, expected) in [("/x", 200), ("/x/", 403)] {
        let request = get_by(&billing(), path);
        let response = normalized.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected, "{path}");
    }
}

#[tokio::test]
async fn inside_nested_routers_the_whole_path_is_judged() {
    let authorize = || AuthorizeLayer::new(policy(ACCOUNTS));
    let leaf = || Router::new().route("/account/{id}", get(whoami));
    let inside = Router::new()
        .nest("/api", leaf().layer(authorize()))
        .layer(verify());
    let both_inside = Router::new().nest("/api", leaf().layer(authorize()).layer(verify()));
    let outside = Router::new()
        .nest("/api", leaf())
        .layer(authorize())
        .layer(verify());
    let service = Router::new()
        .nest_service("/api", leaf().layer(authorize()))
        .layer(verify());
    let twice = Router::new()
        .nest(
            "/api",
            Router::new().nest(
                "/account",
                Router::new().route("/{id}", get(whoami)).layer(authorize()),
            ),
        )
        .layer(verify());
    let parameter = Router::new()
        .nest("/{any}", leaf().layer(authorize()))
        .layer(verify());
    for (name, app) in [
        ("inside", &inside),
        ("both inside", &both_inside),
        ("outside", &outside),
        ("service", &service),
        ("twice", &twice),
        ("parameter", &parameter),
    ] {
        assert_eq!(
            outcome(app, get_by(&billing(), "/api/account/7")).await,
            (200, None),
            "{name}"
        );
        let (status, reason) = outcome(app, get_by(&billing(), "/api/account/13")).await;
        assert_eq!(status, 403, "{name}");
        assert!(
            matches!(reason, Some(ForbiddenReason::Denied(_))),
            "{name}: {reason:?}"
        );
    }
    // `/x/account/7` is also routed as `/account/7`.
    let elsewhere = outcome(&parameter, get_by(&billing(), "/x/account/7")).await;
    assert_eq!(elsewhere, (403, Some(ForbiddenReason::NoMatch)));
}

#[tokio::test]
async fn the_matched_route_is_a_condition_where_the_layer_is_inside_the_router() {
    let text = format!("{ALLOW_ALL}when = {{ route = [\"/api/account/{{id}}\"] }}");
    let authorize = || AuthorizeLayer::new(policy(&text));
    let routes = || {
        Router::new()
            .route("/api/account/{id}", get(whoami))
            .route("/api/account/all", get(whoami))
    };
    let nested = Router::new().nest(
        "/api",
        Router::new()
            .route("/account/{id}", get(whoami))
            .route("/account/all", get(whoami))
            .layer(authorize()),
    );
    for (name, app) in [
        ("layer", routes().layer(authorize()).layer(verify())),
        (
            "route_layer",
            routes().route_layer(authorize()).layer(verify()),
        ),
        ("nested", nested.layer(verify())),
    ] {
        assert_eq!(
            outcome(&app, get_by(&billing(), "/api/account/7")).await,
            (200, None),
            "{name}"
        );
        let (status, _) = outcome(&app, get_by(&billing(), "/api/account/all")).await;
        assert_eq!(status, 403, "{name}");
    }
    // Outside the router, no route is matched yet.
    let around = verify().layer(authorize().layer(routes()));
    let response = around
        .oneshot(get_by(&billing(), "/api/account/7"))
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
}

/// Pitfall of the DRF scheme: a signature over the body is valid for any route that accepts the
/// body.
#[tokio::test]
async fn a_caller_whose_signature_covers_the_body_alone_can_be_refused() {
    let secret = Secret::from_text("a secret of a Django service, for this test").unwrap();
    let keys = Keyring::builder()
        .caller(
            "django",
            CallerKey::new("1", VerifyingKey::drf(&secret)).unwrap(),
        )
        .caller(
            "billing",
            CallerKey::new("1", hmac_key(SECRET).verifying_key()).unwrap(),
        )
        .build()
        .unwrap();
    let verifier = Verifier::builder()
        .accept(countersign::Scheme::HmacSha256)
        .accept(
            DrfVerifySettings::for_caller("django")
                .unwrap()
                .with_route(Method::POST, "/x")
                .unwrap(),
        )
        .build()
        .unwrap();
    let verify = || {
        VerifyLayer::new(keys.clone())
            .with_verifier(verifier.clone())
            .with_clock(|| NOW)
    };
    let app = |authorize: fn(Router) -> Router| {
        authorize(Router::new().route("/x", post(whoami))).layer(verify())
    };
    let django = || async {
        let signer = Signer::drf(SigningKey::drf(&secret), [AUTHORITY]).unwrap();
        signed_by_layer(signer).await
    };
    let billing = || request(&billing(), Method::POST, "/x");
    let all = app(|router| router.layer(AuthorizeLayer::new(policy(ALLOW_ALL))));
    assert_eq!(outcome(&all, django().await).await, (200, None));
    assert_eq!(outcome(&all, billing()).await, (200, None));
    let request_only = app(|router| {
        let text = format!("{ALLOW_ALL}when = {{ coverage = [\"request\"] }}");
        router.layer(AuthorizeLayer::new(policy(&text)))
    });
    let no_match = Some(ForbiddenReason::NoMatch);
    assert_eq!(
        outcome(&request_only, django().await).await,
        (403, no_match)
    );
    assert_eq!(outcome(&request_only, billing()).await, (200, None));
    let listed = app(|router| router.layer(AllowCallers::new(["django", "billing"])));
    assert_eq!(outcome(&listed, django().await).await, (200, None));
    let listed = app(|router| {
        router.layer(AllowCallers::new(["django", "billing"]).with_request_coverage())
    });
    let body_only = Some(ForbiddenReason::BodyOnly);
    assert_eq!(outcome(&listed, django().await).await, (403, body_only));
    assert_eq!(outcome(&listed, billing()).await, (200, None));
}

/// A signature that omits the path is valid for any path that the settings accept.
#[tokio::test]
async fn a_caller_whose_signature_covers_a_part_of_the_request_can_be_refused() {
    let key = SigningKey::message_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let keys = Keyring::builder()
        .caller("billing", CallerKey::new("1", key.verifying_key()).unwrap())
        .build()
        .unwrap();
    let parts = [ComponentId::METHOD, ComponentId::AUTHORITY];
    let verify_settings = MessageSignaturesVerifySettings::new()
        .with_algorithm(Algorithm::HmacSha256)
        .insecure_require_only(parts.clone());
    let verifier = Verifier::builder()
        .accept_only(verify_settings)
        .build()
        .unwrap();
    let settings = || MessageSignaturesSignSettings::new("billing", key.clone()).unwrap();
    let partial = settings().insecure_cover_only(parts);
    let signer = |settings| Signer::message_signatures(settings, [AUTHORITY]).unwrap();
    let (whole, partial) = (signer(settings()), signer(partial));
    let app = |authorize: fn(Router) -> Router| {
        let verify = VerifyLayer::new(keys.clone()).with_verifier(verifier.clone());
        authorize(Router::new().route("/x", post(whoami))).layer(verify.with_clock(|| NOW))
    };
    let open = app(|router| router.layer(AllowCallers::new(["billing"])));
    let listed = app(|router| router.layer(AllowCallers::new(["billing"]).with_request_coverage()));
    let judged = app(|router| {
        let text = format!("{ALLOW_ALL}when = {{ coverage = [\"request\"] }}");
        router.layer(AuthorizeLayer::new(policy(&text)))
    });
    for (app, reason) in [
        (open, None),
        (listed, Some(ForbiddenReason::BodyOnly)),
        (judged, Some(ForbiddenReason::NoMatch)),
    ] {
        let request = |by| request(by, Method::POST, "/x");
        assert_eq!(outcome(&app, request(&whole)).await, (200, None));
        let status = if reason.is_some() { 403 } else { 200 };
        assert_eq!(outcome(&app, request(&partial)).await, (status, reason));
    }
}

/// Returns the request that `SignLayer` sends for a POST of an empty body.
async fn signed_by_layer(signer: Signer) -> Request<Body> {
    let (sent, mut taken) = tokio::sync::mpsc::unbounded_channel();
    let take = tower::service_fn(move |request: Request<_>| {
        let sent = sent.clone();
        async move {
            sent.send(request).unwrap();
            Ok::<_, std::convert::Infallible>(http::Response::new(Body::empty()))
        }
    });
    let request = signed::post("/x", "").map(http_body_util::Full::new);
    let layer = SignLayer::new(signer).with_clock(|| NOW);
    layer.layer(take).oneshot(request).await.unwrap();
    taken.recv().await.unwrap().map(Body::new)
}

#[tokio::test]
async fn time_is_the_layers_clock() {
    let text = format!("{ALLOW_ALL}when = {{ not_after = 2026-01-02T03:04:06Z }}");
    let app = |clock: fn() -> countersign::Timestamp| {
        Router::new()
            .route("/x", get(whoami))
            .layer(AuthorizeLayer::new(policy(&text)).with_clock(clock))
            .layer(verify())
    };
    let later = || NOW.saturating_add(std::time::Duration::from_secs(1));
    assert_eq!(outcome(&app(|| NOW), get_by(&billing(), "/x")).await.0, 200);
    assert_eq!(outcome(&app(later), get_by(&billing(), "/x")).await.0, 403);
}

/// No extension of another origin is accepted as a caller: an application cannot create one.
#[tokio::test]
async fn headers_do_not_make_a_caller() {
    let app = Router::new()
        .route("/x", get(async || "handled"))
        .layer(AllowCallers::new(["billing"]));
    let mut request = signed::get("/x").map(Body::from);
    for name in ["x-verified-caller", "x-caller", "authorization"] {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static("billing"));
    }
    assert_eq!(outcome(&app, request).await.0, 403);
}
