//! The check of an application's routes.

use countersign::{ExecuteApi, Policy, WhyUncovered};

use crate::policy;

#[test]
fn routes_that_nobody_may_call_are_named() {
    let policy = policy(
        r#"
        [[statements]]
        id = "read"
        effect = "allow"
        callers = ["billing"]
        methods = ["GET"]
        paths = ["/api/account/*", "/static/**", "/v*/report.json"]

        [[statements]]
        id = "one account"
        effect = "allow"
        callers = ["audit"]
        methods = ["DELETE"]
        paths = ["/api/account/7"]

        [[statements]]
        id = "by its route"
        effect = "allow"
        callers = ["audit"]
        methods = ["PUT"]
        paths = ["/**"]
        when = { route = ["/api/account/{id}"] }

        [[statements]]
        id = "closed"
        effect = "deny"
        callers = ["*"]
        methods = ["*"]
        paths = ["/internal/**"]
        "#,
    );
    let covered = [
        ("GET", "/api/account/{id}"),
        ("GET", "/api/account/{id}.json"),
        ("GET", "/{a}/{b}/{c}"),
        ("GET", "/{*rest}"),
        ("GET", "/static"),
        ("GET", "/static/"),
        ("GET", "/static/{*path}"),
        ("GET", "/v1/report.json"),
        ("GET", "/{version}/report.json"),
        ("DELETE", "/api/account/{id}"),
        ("PUT", "/api/account/{id}"),
    ];
    assert_eq!(policy.uncovered(covered).unwrap(), []);
    let (none, deny) = (WhyUncovered::NoStatement, WhyUncovered::OnlyDeny);
    let uncovered = [
        ("HEAD", "/api/account/{id}", none),
        ("POST", "/api/account/{id}", none),
        ("GET", "/api/account", none),
        ("GET", "/api/account/{id}/keys", none),
        ("GET", "/api/accounts/{id}", none),
        ("GET", "/API/account/{id}", none),
        ("GET", "/report.json", none),
        ("DELETE", "/api/account/8", none),
        ("PUT", "/api/account/{user}", none),
        ("GET", "/internal", deny),
        ("GET", "/internal/metrics", deny),
        ("POST", "/{*rest}", deny),
        ("GET", "/static//x", WhyUncovered::NotPlain),
        ("GET", "/static/%7e", WhyUncovered::NotPlain),
    ];
    for (method, route, why) in uncovered {
        let found = policy.uncovered([(method, route)]).unwrap();
        assert_eq!(found.len(), 1, "{method} {route}");
        assert_eq!(
            (&*found[0].method, &*found[0].route, found[0].why),
            (method, route, why)
        );
    }
    let rows = covered
        .into_iter()
        .chain(uncovered.map(|(method, route, _)| (method, route)));
    assert_eq!(policy.uncovered(rows).unwrap().len(), uncovered.len());
}

#[test]
fn resources_in_json_are_checked_with_their_stage_and_method() {
    let api = ExecuteApi::new("eu-west-1", "1", "api-id", "prod").unwrap();
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":"*","Action":"*","Resource":["api-id/prod/GET/pets/*","api-id/prod/P?T/pets/7"]},
        {"Effect":"Deny","Principal":"*","Action":"*","Resource":"api-id/*/DELETE/*"}]}"#;
    let policy = Policy::from_json(text, &api).unwrap();
    let routes = [
        ("GET", "/pets/{id}"),
        ("GET", "/pets/{id}/toys/{toy}"),
        ("PUT", "/pets/{id}"),
        ("GET", "/{kind}/7"),
    ];
    assert_eq!(policy.uncovered(routes).unwrap(), []);
    let (none, deny) = (WhyUncovered::NoStatement, WhyUncovered::OnlyDeny);
    for (method, route, why) in [
        ("GET", "/pets", none),
        ("POST", "/pets/{id}", none),
        ("PUT", "/pets/8", none),
        // A star matches slashes: `api-id/prod/PUT/pets/DELETE/toys` is denied.
        ("PUT", "/pets/{id}/toys", deny),
        ("PUT", "/toys", none),
        ("DELETE", "/pets/{id}", deny),
    ] {
        let found = policy.uncovered([(method, route)]).unwrap();
        assert_eq!(
            found.first().map(|route| route.why),
            Some(why),
            "{method} {route}"
        );
    }
}

#[test]
fn what_is_no_method_or_no_route_is_an_error() {
    let policy = policy(crate::ALLOW_ALL);
    for row in [
        ("get", "/"),
        ("", "/"),
        ("*", "/"),
        ("GET", "x"),
        ("GET", "/{id"),
        ("GET", "/{}"),
    ] {
        assert!(policy.uncovered([row]).is_err(), "{row:?}");
    }
}
