//! A policy is replaced while requests are judged.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use axum::{Router, routing::get};
use countersign::{ConfigError, ConfigErrorKind, ExecuteApi, Policy, SharedPolicy};
use tests::signed::billing;
use tower_countersign::AuthorizeLayer;

use crate::{
    ALLOW_ALL, allows,
    layers::{get_by, send, verify, whoami},
    policy,
};

struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("countersign-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _: Result<(), _> = fs::remove_file(&self.0);
    }
}

/// The reload that runs when the file has changed.
fn reload(shared: &SharedPolicy, file: &File) -> Result<(), ConfigError> {
    shared.replace(Policy::from_toml_file(&file.0)?);
    Ok(())
}

#[tokio::test]
async fn a_bad_file_keeps_the_last_good_policy() {
    let file = File::new("policy.toml", ALLOW_ALL);
    let shared = SharedPolicy::new(Policy::from_toml_file(&file.0).unwrap());
    let app = Router::new()
        .route("/x", get(whoami))
        .layer(AuthorizeLayer::new(shared.clone()))
        .layer(verify());
    let status = async || send(&app, get_by(&billing(), "/x")).await.status().as_u16();
    assert_eq!(status().await, 200);

    let denying = ALLOW_ALL.replace("\"allow\"", "\"deny\"");
    fs::write(&file.0, &denying).unwrap();
    reload(&shared, &file).unwrap();
    assert_eq!(status().await, 403, "the new policy is in force");

    let half = &ALLOW_ALL[..ALLOW_ALL.len() / 2];
    let unknown = format!("{ALLOW_ALL}unless = true\n");
    for bad in ["", "statements = 7", half, &unknown, "\u{0}"] {
        fs::write(&file.0, bad).unwrap();
        let error = reload(&shared, &file).unwrap_err();
        assert!(error.to_string().contains("policy.toml"), "{error}");
        assert_eq!(status().await, 403, "{bad:?}");
    }
    fs::remove_file(&file.0).unwrap();
    assert_eq!(
        reload(&shared, &file).unwrap_err().kind(),
        ConfigErrorKind::File
    );
    assert_eq!(status().await, 403);

    fs::write(&file.0, ALLOW_ALL).unwrap();
    reload(&shared, &file).unwrap();
    assert_eq!(status().await, 200, "a good file is taken again");
}

#[test]
fn files_in_json_are_read_as_well() {
    let api = ExecuteApi::new("r", "1", "a", "s").unwrap();
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}"#;
    let file = File::new("policy.json", text);
    let policy = Policy::from_json_file(&file.0, &api).unwrap();
    assert!(allows(&policy, "billing", "GET", "/x"));
    fs::write(&file.0, "{").unwrap();
    let error = Policy::from_json_file(&file.0, &api).unwrap_err();
    assert!(error.to_string().contains("policy.json"), "{error}");
}

/// A reader sees a whole policy, old or new. Both decide alike on these two paths; a mixture would
/// not.
#[test]
fn readers_see_one_policy_or_the_other() {
    let one = policy(&ALLOW_ALL.replace("\"/**\"", "\"/one\""));
    let two = policy(&ALLOW_ALL.replace("\"/**\"", "\"/two\""));
    let shared = SharedPolicy::from(one.clone());
    let done = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicUsize::new(0));
    let reader = {
        let (shared, done, reads) = (shared.clone(), Arc::clone(&done), Arc::clone(&reads));
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let policy = shared.current();
                let first = allows(&policy, "billing", "GET", "/one");
                let second = allows(&policy, "billing", "GET", "/two");
                assert_ne!(first, second);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    for _ in 0..1_000 {
        shared.replace(two.clone());
        shared.replace(one.clone());
    }
    while reads.load(Ordering::Relaxed) == 0 && !reader.is_finished() {
        thread::yield_now();
    }
    done.store(true, Ordering::Relaxed);
    reader.join().unwrap();
}
