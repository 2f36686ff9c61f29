//! The metrics of bad sources. Only policies: the other tests of this process reload keys.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use countersign::{ConfigError, ConfigErrorKind, Policy};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tests::directory::Directory;

use crate::by_polls;

const GOOD: &str = r#"
[[statements]]
id = "all"
effect = "allow"
callers = ["billing"]
methods = ["GET"]
paths = ["/api/*"]
"#;

fn counted(handle: &PrometheusHandle) -> [Option<u64>; 3] {
    let text = handle.render();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        let (_, value) = line.rsplit_once(' ')?;
        value.parse().ok()
    };
    [
        value("countersign_policy_reloads_total{result=\"failure\"}"),
        value("countersign_policy_reloads_total{result=\"success\"}"),
        value("countersign_bad_sources{source=\"policy\"}"),
    ]
}

/// Waits for an action of another thread, at most two minutes.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Source: a bad file was counted at every poll, every ten seconds, while it was bad.
#[test]
fn a_bad_file_counts_once_until_it_changes_however_often_it_is_tried() {
    let handle = PrometheusBuilder::new().install_recorder().unwrap();
    let directory = Directory::new();
    let path = directory.write("policy.toml", GOOD);
    let attempts = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&attempts);
    let (policy, reloading) = by_polls()
        .policy_with(&path, move |path| {
            counting.fetch_add(1, Ordering::SeqCst);
            let text = std::fs::read_to_string(path).unwrap_or_default();
            if text.starts_with("bad") {
                return Err(ConfigError::new(ConfigErrorKind::File, "bad"));
            }
            Policy::from_toml(&text)
        })
        .unwrap();
    // The next attempt shows that the one before was counted.
    let more = |many: usize| {
        let before = attempts.load(Ordering::SeqCst);
        until("it is tried again", || {
            attempts.load(Ordering::SeqCst) > before + many
        });
    };
    assert_eq!(counted(&handle), [None, None, None]);

    directory.rename_in("policy.toml", "bad");
    more(5);
    assert_eq!(counted(&handle), [Some(1), None, Some(1)], "one bad file");
    reloading.reload();
    more(5);
    assert_eq!(counted(&handle), [Some(1), None, Some(1)], "asked for");

    directory.rename_in("policy.toml", "other bad content");
    until("the other bad file is counted", || {
        counted(&handle)[0] == Some(2)
    });
    more(5);
    assert_eq!(counted(&handle), [Some(2), None, Some(1)], "another one");

    directory.rename_in("policy.toml", GOOD);
    until("it is good", || counted(&handle)[1] == Some(1));
    until("none is bad", || counted(&handle)[2] == Some(0));

    directory.rename_in("policy.toml", "bad");
    until("it is bad again", || counted(&handle)[0] == Some(3));
    until("one is bad", || counted(&handle)[2] == Some(1));
    drop(reloading);
    until("an unwatched source is not bad", || {
        counted(&handle)[2] == Some(0)
    });
    drop(policy);
}
