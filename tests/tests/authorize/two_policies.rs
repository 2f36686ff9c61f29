//! Two policies for one request, as in IAM: the caller's and the callee's.
//!
//! If one account owns both, one allow is enough: both are statements of one policy. If two
//! accounts own them, both must allow: they are two layers, one inside the other. A deny in either
//! is final. The tables are from the documentation of API Gateway.

use axum::Router;
use countersign::Policy;
use tests::signed::billing;
use tower_countersign::AuthorizeLayer;

use crate::layers::{get_by, send, verify, whoami};

#[derive(Clone, Copy, Debug)]
enum Says {
    Allow,
    Deny,
    Nothing,
}
use Says::{Allow, Deny, Nothing};

/// A policy with this statement about billing, and a statement about another caller.
fn statements(whose: &str, says: Says) -> String {
    let statement = |id: &str, effect: &str, caller: &str| {
        format!(
            "[[statements]]\nid = \"{whose}: {id}\"\neffect = \"{effect}\"\ncallers = [\"{caller}\"]\nmethods = [\"GET\"]\npaths = [\"/x\"]\n"
        )
    };
    let other = statement("other", "allow", "audit");
    match says {
        Allow => other + &statement("allow", "allow", "billing"),
        Deny => other + &statement("deny", "deny", "billing"),
        Nothing => other,
    }
}

fn layer(text: &str) -> AuthorizeLayer {
    AuthorizeLayer::new(Policy::from_toml(text).unwrap())
}

#[tokio::test]
async fn one_account_asks_for_one_allow_and_two_accounts_for_both() {
    for (own, resource, one_account, two_accounts) in [
        (Allow, Allow, 200, 200),
        (Allow, Nothing, 200, 403),
        (Allow, Deny, 403, 403),
        (Nothing, Allow, 200, 403),
        (Nothing, Nothing, 403, 403),
        (Nothing, Deny, 403, 403),
        (Deny, Allow, 403, 403),
        (Deny, Nothing, 403, 403),
        (Deny, Deny, 403, 403),
    ] {
        let texts = [statements("own", own), statements("resource", resource)];
        let [own_text, resource_text] = &texts;
        for (name, app, expected) in [
            (
                "one account",
                Router::new().fallback(whoami).layer(layer(&texts.concat())),
                one_account,
            ),
            (
                "two accounts",
                Router::new()
                    .fallback(whoami)
                    .layer(layer(resource_text))
                    .layer(layer(own_text)),
                two_accounts,
            ),
        ] {
            let response = send(&app.layer(verify()), get_by(&billing(), "/x")).await;
            assert_eq!(
                response.status(),
                expected,
                "{name}: own {own:?}, resource {resource:?}"
            );
        }
    }
}
