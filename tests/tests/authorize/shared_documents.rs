//! Documents that several APIs share: resources of other APIs are kept out and reported.

use countersign::{ConfigErrorKind, ExecuteApi, Policy, StatementId, WhyUnreachable};

use crate::{allows, ask};

fn api(name: &str) -> ExecuteApi {
    ExecuteApi::new("eu-central-1", "777788889999", name, "live").unwrap()
}

const SHARED: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"orders","Effect":"Allow","Principal":"*","Action":"*","Resource":"orders/*"},
    {"Sid":"stock","Effect":"Allow","Principal":"*","Action":"*","Resource":"stock/live/GET/*"},
    {"Sid":"both","Effect":"Deny","Principal":"*","Action":"*",
     "Resource":["orders/live/DELETE/*","stock/live/DELETE/*","orders/test/POST/*"]},
    {"Sid":"all","Effect":"Deny","Principal":"*","Action":"*","Resource":"execute-api:/*/*/closed"}]}"#;

#[test]
fn a_document_of_several_apis_is_refused_unless_it_is_said_to_be_shared() {
    let error = Policy::from_json(SHARED, &api("orders")).unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Policy);
    assert_eq!(
        error.to_string(),
        "line 3, column 77: statement stock: Resource \"stock/live/GET/*\": expected the API \
         \"orders\", found \"stock\": no request to this service can match it, and the document was \
         not said to be shared by several APIs"
    );
}

#[test]
fn each_api_judges_by_its_own_statements_and_is_told_of_the_others() {
    let orders = api("orders").with_shared_documents();
    let orders = Policy::from_json(SHARED, &orders).unwrap();
    assert!(allows(&orders, "shop", "POST", "/x"));
    assert_eq!(ask(&orders, "shop", "DELETE", "/x"), "denied by both");
    assert_eq!(ask(&orders, "shop", "GET", "/closed"), "denied by all");
    let told: Vec<_> = orders
        .unreachable()
        .iter()
        .map(|one| {
            (
                one.statement.as_str(),
                one.denies,
                one.kept_out,
                &*one.resource,
                one.why,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "stock",
                false,
                true,
                "stock/live/GET/*",
                WhyUnreachable::OtherApi
            ),
            (
                "both",
                true,
                false,
                "stock/live/DELETE/*",
                WhyUnreachable::OtherApi
            ),
            (
                "both",
                true,
                false,
                "orders/test/POST/*",
                WhyUnreachable::OtherStage
            ),
        ]
    );
    let ids: Vec<_> = orders.statement_ids().map(StatementId::as_str).collect();
    assert_eq!(ids, ["orders", "both", "all"]);
    assert_eq!(
        orders.unreachable()[2].to_string(),
        "statement both: Resource \"orders/test/POST/*\": expected the stage \"live\", found \"test\""
    );

    let stock = Policy::from_json(SHARED, &api("stock").with_shared_documents()).unwrap();
    assert!(allows(&stock, "shop", "GET", "/x"));
    assert!(!allows(&stock, "shop", "POST", "/x"));
    assert_eq!(stock.unreachable().len(), 3);
}

/// A resource that is wrong for every API is not taken as another API's.
#[test]
fn a_shared_document_is_refused_for_what_no_api_can_match() {
    for (resource, says) in [
        ("stock/live/ANY/*", "method \"ANY\""),
        ("stock/live/get/x", "method \"get\""),
        ("execute-api/*/POST/*", "execute-api:/ at its start"),
        (
            "arn:aws:execute-api:eu-central-1:777788889999:stock",
            "found nothing",
        ),
        ("stock/live/GET//x", "empty segment"),
        ("arn:aws:s3:::stock/live/GET/x", "as the service"),
    ] {
        let text = SHARED.replace("stock/live/GET/*", resource);
        let error = Policy::from_json(&text, &api("orders").with_shared_documents());
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says), "{resource}: {error}");
    }
}

/// A document without resources of this API would refuse every request, which is hardly intended.
#[test]
fn a_shared_document_without_a_statement_about_this_api_is_refused() {
    let text = r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Allow","Principal":"*","Action":"*","Resource":"orders/*"}}"#;
    let error = Policy::from_json(text, &api("stock").with_shared_documents()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "policy: expected at least one statement about this service, found none"
    );
}

#[test]
fn two_statements_of_one_name_are_refused_where_one_is_kept_out() {
    let text = SHARED.replace("\"stock\"", "\"orders\"");
    let error = Policy::from_json(&text, &api("orders").with_shared_documents()).unwrap_err();
    assert!(
        error.to_string().contains("statement orders: listed twice"),
        "{error}"
    );
}

#[test]
fn a_policy_without_other_apis_has_nothing_unreachable() {
    let policy = crate::policy(crate::ALLOW_ALL);
    assert_eq!(policy.unreachable(), []);
}

/// A star also matches colons and slashes, so a `Deny` whose parts name another API can match
/// requests to this one. It stays in force in shared documents, and is refused elsewhere.
#[test]
fn a_deny_whose_star_runs_on_into_this_api_is_not_dropped() {
    for resource in [
        "arn:aws:execute-api:*:orders*",
        "arn:aws:execute-api:*:orders*/live/*",
        "orders*/*x/GET/*",
    ] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[
            {{"Sid":"all","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}},
            {{"Sid":"no","Effect":"Deny","Principal":"*","Action":"*","Resource":"{resource}"}}]}}"#
        );
        let orders = api("orders").with_shared_documents();
        let orders = Policy::from_json(&text, &orders).unwrap();
        assert_eq!(
            ask(&orders, "shop", "GET", "/foox/GET/a"),
            "denied by no",
            "{resource}"
        );
        assert!(orders.unreachable().is_empty(), "{resource}");
        let error = Policy::from_json(&text, &api("orders"));
        assert!(error.is_err(), "{resource}");
    }
}
