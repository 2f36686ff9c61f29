//! All positions of a layer relative to `merge`, `nest`, `fallback` and `route_layer`. A handler
//! that takes the caller is never open where the layer does not reach.

use axum::{Router, routing::get};
use tests::{
    keys::NOW,
    server::Server,
    signed::{self, AUTHORITY, billing},
};
use tower_countersign::{AllowCallers, AuthorizeLayer, CallerIn, CallerNames};

use crate::{
    ALLOW_ALL,
    layers::{get_by, send, verify, whoami},
    policy,
};

struct Billing;

impl CallerNames for Billing {
    const NAMES: &'static [&'static str] = &["billing"];
}

fn routes(path: &str) -> Router {
    let router = Router::new().route(path, get(whoami));
    let listed = get(async |caller: CallerIn<Billing>| caller.id().to_string());
    router.route(&format!("{path}/listed"), listed)
}

/// For each position: the status of a signed and of an unsigned request, on a covered and on an
/// uncovered route.
#[tokio::test]
async fn a_handler_that_takes_its_caller_is_open_in_no_position() {
    let guarded = |router: Router| {
        router
            .layer(AuthorizeLayer::new(policy(ALLOW_ALL)))
            .layer(verify())
    };
    let on_routes = |router: Router| {
        router
            .route_layer(AllowCallers::new(["billing"]))
            .route_layer(verify())
    };
    // (name, app, path, status of a signed request, status of an unsigned one)
    let rows: Vec<(&str, Router, &str, u16, u16)> = vec![
        ("covered", guarded(routes("/a")), "/a", 200, 401),
        (
            "covered by route_layer",
            on_routes(routes("/a")),
            "/a",
            200,
            401,
        ),
        (
            "added after",
            guarded(routes("/a")).merge(routes("/b")),
            "/b",
            500,
            500,
        ),
        (
            "merged after, the covered one",
            guarded(routes("/a")).merge(routes("/b")),
            "/a",
            200,
            401,
        ),
        (
            "merged before",
            guarded(routes("/a").merge(routes("/b"))),
            "/b",
            200,
            401,
        ),
        (
            "merged into one that is covered",
            routes("/b").merge(guarded(routes("/a"))),
            "/b",
            500,
            500,
        ),
        (
            "merged after route_layer",
            on_routes(routes("/a")).merge(routes("/b")),
            "/b",
            500,
            500,
        ),
        (
            "nested before",
            guarded(Router::new().nest("/n", routes("/b"))),
            "/n/b",
            200,
            401,
        ),
        (
            "nested after",
            guarded(routes("/a")).nest("/n", routes("/b")),
            "/n/b",
            500,
            500,
        ),
        (
            "nested covered",
            routes("/b").nest("/n", guarded(routes("/a"))),
            "/n/a",
            200,
            401,
        ),
        (
            "beside nested covered",
            routes("/b").nest("/n", guarded(routes("/a"))),
            "/b",
            500,
            500,
        ),
        (
            "nested with route_layer",
            Router::new().nest("/n", on_routes(routes("/a"))),
            "/n/a",
            200,
            401,
        ),
        (
            "nested service before",
            guarded(Router::new().nest_service("/n", routes("/b"))),
            "/n/b",
            200,
            401,
        ),
        (
            "nested service after",
            guarded(routes("/a")).nest_service("/n", routes("/b")),
            "/n/b",
            500,
            500,
        ),
        (
            "fallback before",
            guarded(routes("/a").fallback(whoami)),
            "/else",
            200,
            401,
        ),
        (
            "fallback after",
            guarded(routes("/a")).fallback(whoami),
            "/else",
            500,
            500,
        ),
        (
            "fallback before route_layer",
            on_routes(routes("/a").fallback(whoami)),
            "/else",
            500,
            500,
        ),
        (
            "fallback of a nested one that is covered",
            Router::new().nest("/n", guarded(routes("/a").fallback(whoami))),
            "/n/else",
            200,
            401,
        ),
        (
            "fallback outside a nested one that is covered",
            Router::new()
                .nest("/n", guarded(routes("/a")))
                .fallback(whoami),
            "/n/else",
            500,
            500,
        ),
        (
            "fallback of a nested one with route_layer",
            Router::new().nest("/n", on_routes(routes("/a").fallback(whoami))),
            "/n/else",
            500,
            500,
        ),
        (
            "fallback merged from one that is covered",
            routes("/b").merge(guarded(routes("/a").fallback(whoami))),
            "/else",
            200,
            401,
        ),
        (
            "no route, no fallback",
            guarded(routes("/a")),
            "/else",
            404,
            401,
        ),
    ];
    for (name, app, path, signed, unsigned) in rows {
        // The extractor with a list gives the same status where there is a route for it.
        let listed = (!path.ends_with("/else")).then(|| format!("{path}/listed"));
        for path in [Some(path.to_owned()), listed].into_iter().flatten() {
            let response = send(&app, get_by(&billing(), &path)).await;
            assert_eq!(response.status(), signed, "{name}: signed, {path}");
            let request = signed::get(&path).map(axum::body::Body::from);
            let response = send(&app, request).await;
            assert_eq!(response.status(), unsigned, "{name}: unsigned, {path}");
        }
    }
}

/// The same over a socket for the most frequent mistake: a router that is merged after the layer.
#[tokio::test]
async fn a_router_that_is_merged_after_the_layer_is_not_open_on_the_wire() {
    let app = routes("/a").layer(verify()).merge(routes("/b"));
    let server = Server::axum(app).await;
    for (path, expected) in [("/a", 200), ("/b", 500), ("/b/listed", 500)] {
        let request = signed::at(NOW, &billing(), signed::get(path));
        let answer = tests::raw::exchange(server.addr(), &signed::bytes(&request)).await;
        assert_eq!(tests::raw::status(&answer), expected, "{path}: {answer}");
        let bare = format!("GET {path} HTTP/1.1\r\nhost: {AUTHORITY}\r\nconnection: close\r\n\r\n");
        let answer = tests::raw::exchange(server.addr(), bare.as_bytes()).await;
        assert_ne!(tests::raw::status(&answer), 200, "{path}: {answer}");
    }
}
