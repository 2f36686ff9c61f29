//! The files in `deploy/`, each read by its own program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

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
fn the_manifests_and_the_unit_are_what_they_say() {
    let manifests = fs::read_to_string(deploy("kubernetes/sidecar.yaml")).unwrap();
    let kinds: Vec<String> = serde_norway::Deserializer::from_str(&manifests)
        .map(|manifest| {
            let manifest: serde_norway::Value = serde::Deserialize::deserialize(manifest).unwrap();
            manifest["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["Deployment", "Service"]);
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
