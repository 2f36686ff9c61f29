//! The files in `deploy/`, each read by its own program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_norway::Value;

use crate::support::{
    directory::Directory,
    proxy::config,
    signed::{SECRET, keys_toml},
};

const POLICY: &str = "[[statements]]\nid = \"reads\"\neffect = \"allow\"\ncallers = [\"billing\"]\n\
                      methods = [\"GET\"]\npaths = [\"/**\"]\n";

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(file)
}

fn files() -> Directory {
    let directory = Directory::new();
    let other = SECRET.chars().rev().collect::<String>();
    let target = format!(
        "[[targets]]\nname = \"ledger\"\ncaller = \"orders\"\n\
         authorities = [\"ledger.internal:8443\"]\nsecret_hex = \"{other}\"\n"
    );
    directory.write("keys.toml", &(keys_toml() + &target));
    directory.write("policy.toml", POLICY);
    directory.write("gateway-secret", "0123456789abcdef");
    directory
}

#[test]
fn the_configuration_that_is_shipped_is_good() {
    let directory = files();
    let text = fs::read_to_string(deploy("proxy.toml")).unwrap();
    config(&text, directory.path()).unwrap().check().unwrap();
}

/// Every block of TOML in the README that is a whole file.
#[test]
fn the_configurations_of_the_readme_are_good() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let directory = files();
    let blocks = readme.split("\n```toml\n").skip(1);
    let blocks = blocks.map(|block| block.split("\n```").next().unwrap());
    let mut found = 0;
    for block in blocks.filter(|block| block.contains("version = 1")) {
        config(block, directory.path()).unwrap().check().unwrap();
        found += 1;
    }
    assert!(found > 0);
}

fn accepted(program: &str, default: &str, arguments: &[&str], file: &str) {
    let program = std::env::var_os(program).unwrap_or_else(|| default.into());
    let directory = Directory::new();
    let output = Command::new(program)
        .args(arguments)
        .arg(deploy(file))
        .current_dir(directory.path())
        .env("HOME", directory.path())
        .output()
        .expect("the program is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "needs envoy"]
fn envoy_accepts_its_configuration() {
    accepted(
        "COUNTERSIGN_ENVOY",
        "envoy",
        &["--mode", "validate", "-c"],
        "envoy.yaml",
    );
}

/// The folders of a package may be missing, so they are set in front of the blocks.
#[test]
#[ignore = "needs nginx"]
fn nginx_accepts_its_configuration() {
    let text = fs::read_to_string(deploy("nginx.conf")).unwrap();
    let directory = Directory::new();
    let folders = "http { client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; \
                   uwsgi_temp_path d; scgi_temp_path e; access_log off;";
    let text = text.replacen("http {", folders, 1);
    directory.write(
        "nginx.conf",
        &format!("pid nginx.pid; error_log log;\n{text}"),
    );
    let program = std::env::var_os("COUNTERSIGN_NGINX").unwrap_or_else(|| "nginx".into());
    let mut nginx = Command::new(program);
    nginx
        .args(["-t", "-e", "log", "-c", "nginx.conf", "-p"])
        .arg(directory.path());
    let output = nginx.output().expect("the program is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "needs caddy"]
fn caddy_accepts_its_configuration() {
    accepted(
        "COUNTERSIGN_CADDY",
        "caddy",
        &["adapt", "--validate", "--config"],
        "Caddyfile",
    );
}

#[test]
#[ignore = "needs haproxy"]
fn haproxy_accepts_its_configuration() {
    let directory = Directory::new();
    for file in ["haproxy.cfg", "haproxy.lua"] {
        directory.write(file, &text(file));
    }
    let program = std::env::var_os("COUNTERSIGN_HAPROXY").unwrap_or_else(|| "haproxy".into());
    let mut haproxy = Command::new(program);
    haproxy.args(["-c", "-f", "haproxy.cfg"]);
    let output = haproxy.current_dir(directory.path()).output();
    let output = output.expect("the program is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn text(file: &str) -> String {
    fs::read_to_string(deploy(file)).unwrap()
}

/// The documents of a file.
fn yaml(file: &str) -> Vec<Value> {
    let text = text(file);
    serde_norway::Deserializer::from_str(&text)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .collect()
}

fn kinds(documents: &[Value]) -> Vec<&str> {
    let kinds = documents.iter().map(|document| &document["kind"]);
    kinds.map(|kind| kind.as_str().unwrap()).collect()
}

fn strings(list: &Value) -> Vec<&str> {
    let list = list.as_sequence().unwrap().iter();
    list.map(|it| it.as_str().unwrap()).collect()
}

/// Headers that change what the upstream does, and look-alikes of the identity. The decision server
/// refuses them if it is shown them.
const SHOWN: [&str; 9] = [
    "upgrade",
    "x-countersign-caller",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-url",
];

#[test]
fn traefik_shows_bodies_and_believes_no_client() {
    let [fixed]: [Value; 1] = yaml("traefik/static.yaml").try_into().unwrap();
    let edge = &fixed["entryPoints"]["edge"];
    assert_eq!(edge["http"]["aliasHeadersStrategy"], "reject");
    let file = fixed["providers"]["file"]["filename"].as_str().unwrap();
    let [dynamic]: [Value; 1] = yaml(&format!("traefik/{file}")).try_into().unwrap();
    let http = &dynamic["http"];
    let router = &http["routers"]["orders"];
    let order = ["gateway-secret", "countersign", "without-signature"];
    assert_eq!(strings(&router["middlewares"]), order);
    assert!(http["services"][router["service"].as_str().unwrap()].is_mapping());
    let middlewares = &http["middlewares"];
    let secret = &middlewares["gateway-secret"]["headers"]["customRequestHeaders"];
    assert_eq!(secret["Countersign-Gateway"], "SECRET");
    let ask = &middlewares["countersign"]["forwardAuth"];
    assert_eq!(ask["trustForwardHeader"], false);
    assert_eq!(ask["forwardBody"], true);
    assert_eq!(ask["maxBodySize"], 2 * 1024 * 1024);
    // Without a list, every header of the request is shown.
    assert!(ask.get("authRequestHeaders").is_none());
    assert_eq!(ask["authResponseHeadersRegex"], "(?i)^(x-)?countersign-.*$");
    let removed = &middlewares["without-signature"]["headers"]["customRequestHeaders"];
    for name in ["Authorization", "Countersign-Gateway", "Upgrade"] {
        assert_eq!(removed[name], "", "{name}");
    }
}

#[test]
fn a_route_of_gateway_api_shows_bodies_and_what_is_refused() {
    let documents = yaml("kubernetes/gateway-api.yaml");
    assert_eq!(
        kinds(&documents),
        ["HTTPRoute", "NetworkPolicy", "NetworkPolicy"]
    );
    let filters = &documents[0]["spec"]["rules"][0]["filters"];
    assert_eq!(filters[0]["type"], "RequestHeaderModifier");
    let set = &filters[0]["requestHeaderModifier"]["set"][0];
    assert_eq!(set["name"], "countersign-gateway");
    assert_eq!(filters[1]["type"], "ExternalAuth");
    let ask = &filters[1]["externalAuth"];
    assert_eq!(ask["protocol"], "HTTP");
    // The type of the setting is uint16, and 0 shows no body.
    let size = ask["forwardBody"]["maxSize"].as_u64().unwrap();
    assert!(size > 0 && u16::try_from(size).is_ok());
    let shown = strings(&ask["http"]["allowedHeaders"]);
    assert!(shown.len() <= 64);
    let signed = ["x-date", "x-content-sha256", "x-nonce", "content-type"];
    for name in signed.iter().chain(&SHOWN).chain(&["countersign-gateway"]) {
        assert!(shown.contains(name), "{name}");
    }
    let copied = strings(&ask["http"]["allowedResponseHeaders"]);
    assert_eq!(copied, ["countersign-caller", "countersign-proof"]);
    // The ports of the decision server and of the service are open to the gateway alone.
    for (policy, port) in documents[1..].iter().zip([9191, 8000]) {
        let ingress = &policy["spec"]["ingress"][0];
        assert_eq!(ingress["ports"][0]["port"], port);
        assert!(ingress["from"][0]["podSelector"]["matchLabels"].is_mapping());
    }
}

#[test]
fn istio_shows_bodies_and_every_header_and_fails_closed() {
    let documents = yaml("kubernetes/istio.yaml");
    assert_eq!(kinds(&documents), ["IstioOperator", "AuthorizationPolicy"]);
    let mesh = &documents[0]["spec"]["meshConfig"];
    assert_eq!(mesh["pathNormalization"]["normalization"], "NONE");
    let provider = &mesh["extensionProviders"][0];
    let ask = &provider["envoyExtAuthzHttp"];
    assert_eq!(ask["failOpen"], false);
    assert_eq!(ask["timeout"], "2s");
    let body = &ask["includeRequestBodyInCheck"];
    assert_eq!(body["maxRequestBytes"], 2 * 1024 * 1024);
    assert_eq!(body["allowPartialMessage"], false);
    let shown = strings(&ask["includeRequestHeadersInCheck"]);
    let letters: Vec<String> = ('a'..='z').map(|letter| format!("{letter}*")).collect();
    assert_eq!(shown, letters);
    let secret = &ask["includeAdditionalHeadersInCheck"]["countersign-gateway"];
    assert_eq!(secret, "SECRET");
    assert_eq!(strings(&ask["headersToUpstreamOnAllow"]), ["countersign-*"]);
    let policy = &documents[1]["spec"];
    assert_eq!(policy["action"], "CUSTOM");
    assert_eq!(policy["provider"]["name"], provider["name"]);
    assert_eq!(policy["rules"].as_sequence().unwrap().len(), 1);
    assert!(policy["rules"][0].as_mapping().unwrap().is_empty());
}

#[test]
fn the_manifests_and_the_unit_are_what_they_say() {
    let manifests = yaml("kubernetes/sidecar.yaml");
    assert_eq!(kinds(&manifests), ["Deployment", "Service"]);
    let unit = fs::read_to_string(deploy("countersign.service")).unwrap();
    let mut section = "";
    for line in unit
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with('[') {
            section = line;
        } else {
            assert!(line.contains('='), "{section} {line}");
        }
    }
    assert_eq!(section, "[Install]");
}
