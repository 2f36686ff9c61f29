//! One file through all changes.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use countersign::{ConfigError, ConfigErrorKind, Keyring};
use tests::directory::Directory;

use crate::{A, B, C, bad, billing, by_events, by_polls, callers, generation, takes};

const ALLOW: &str = "[[statements]]\nid = \"all\"\neffect = \"allow\"\ncallers = [\"CALLER\"]\nmethods = [\"*\"]\npaths = [\"/**\"]\n";

type Change = fn(&Directory, &str);
type Break<'t> = Box<dyn Fn(&Directory) + 't>;

#[tokio::test]
async fn every_kind_of_change_is_put_into_use() {
    let ways: [(&str, Change, Change); 7] = [
        (
            "written in place",
            |directory, text| drop(directory.write("keys.toml", text)),
            |directory, text| drop(directory.write("keys.toml", text)),
        ),
        (
            "renamed over",
            |directory, text| drop(directory.write("keys.toml", text)),
            |directory, text| drop(directory.rename_in("keys.toml", text)),
        ),
        (
            "removed and created again",
            |directory, text| drop(directory.write("keys.toml", text)),
            |directory, text| {
                fs::remove_file(directory.join("keys.toml")).unwrap();
                directory.write("keys.toml", text);
            },
        ),
        (
            "through a link that is swapped",
            |directory, text| {
                directory.write("elsewhere/1.toml", text);
                symlink("elsewhere/1.toml", directory.join("keys.toml")).unwrap();
            },
            |directory, text| {
                directory.write("elsewhere/2.toml", text);
                symlink("elsewhere/2.toml", directory.join(".new")).unwrap();
                fs::rename(directory.join(".new"), directory.join("keys.toml")).unwrap();
            },
        ),
        (
            "through a link, written at its target",
            |directory, text| {
                directory.write("elsewhere/1.toml", text);
                symlink("elsewhere/1.toml", directory.join("keys.toml")).unwrap();
            },
            |directory, text| drop(directory.rename_in("elsewhere/1.toml", text)),
        ),
        (
            "through a link that is swapped, then written at its new target",
            |directory, text| {
                directory.write("first/1.toml", text);
                symlink("first/1.toml", directory.join("keys.toml")).unwrap();
            },
            |directory, text| {
                if directory.join("second").exists() {
                    directory.rename_in("second/1.toml", text);
                    return;
                }
                directory.write("second/1.toml", text);
                symlink("second/1.toml", directory.join(".new")).unwrap();
                fs::rename(directory.join(".new"), directory.join("keys.toml")).unwrap();
            },
        ),
        (
            "mounted by Kubernetes",
            |directory, text| directory.mount(&[("keys.toml", text)]),
            |directory, text| directory.mount(&[("keys.toml", text)]),
        ),
    ];
    for (name, place, change) in ways {
        let directory = Directory::new();
        place(&directory, &billing(A));
        let path = directory.join("keys.toml");
        let (keys, reloading) = by_events().keyring(&path).unwrap();
        assert!(reloading.status().is_notified(), "{name}");
        assert!(takes(&keys, "billing", A), "{name}");
        let mut health = reloading.health();
        // Twice: the watched directory may differ from the first one.
        for (number, new, old) in [(2, B, A), (3, C, B)] {
            change(&directory, &billing(new));
            let status = generation(&mut health, number).await;
            assert!(status.is_good(), "{name}: {status:?}");
            assert!(takes(&keys, "billing", new), "{name}: the new key");
            assert!(!takes(&keys, "billing", old), "{name}: the old key");
        }
    }
}

#[tokio::test]
async fn a_change_without_an_event_is_found_by_the_next_poll() {
    let directory = Directory::new();
    directory.write("1/keys/keys.toml", &billing(A));
    directory.write("2/keys/keys.toml", &billing(B));
    symlink("1", directory.join("current")).unwrap();
    let path = directory.join("current/keys/keys.toml");
    let (keys, reloading) = by_polls().keyring(path).unwrap();
    symlink("2", directory.join("new")).unwrap();
    // Two levels above the file: no watched directory has changed.
    fs::rename(directory.join("new"), directory.join("current")).unwrap();
    generation(&mut reloading.health(), 2).await;
    assert!(takes(&keys, "billing", B) && !takes(&keys, "billing", A));
}

/// The load has read the content from before the change, and no further change follows.
#[tokio::test]
async fn a_change_during_a_load_is_loaded_next() {
    // Keys are loaded twice at the start: for the caller, and for the watch.
    for (name, changed_in) in [("the start", 2), ("a reload", 3)] {
        let directory = Directory::new();
        let path = directory.write("keys.toml", &billing(A));
        let loads = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&loads);
        let load = move |path: &Path| {
            let keys = Keyring::from_toml_file(path);
            if count.fetch_add(1, Ordering::SeqCst) + 1 == changed_in {
                fs::write(path, billing(C)).unwrap();
            }
            keys
        };
        let (keys, reloading) = by_polls().keyring_with(&path, load).unwrap();
        let mut last = 2;
        if changed_in == 3 {
            directory.rename_in("keys.toml", &billing(B));
            last = 3;
        }
        generation(&mut reloading.health(), last).await;
        assert!(takes(&keys, "billing", C), "{name}");
        assert_eq!(loads.load(Ordering::SeqCst), changed_in + 1, "{name}");
    }
}

#[tokio::test]
async fn bad_content_keeps_the_last_good_keys_and_is_reported() {
    let half = &billing(B)[..100];
    let weak = billing(&"00".repeat(32));
    let shared = callers(&[("billing", &[("1", B)]), ("audit", &[("1", B)])]);
    let unknown = billing(B) + "colour = \"red\"\n";
    let breaks: [(&str, Break<'_>); 7] = [
        (
            "gone",
            Box::new(|directory| fs::remove_file(directory.join("keys.toml")).unwrap()),
        ),
        (
            "empty",
            Box::new(|directory| drop(directory.rename_in("keys.toml", ""))),
        ),
        (
            "half written",
            Box::new(|directory| drop(directory.write("keys.toml", half))),
        ),
        (
            "a weak key",
            Box::new(|directory| drop(directory.rename_in("keys.toml", &weak))),
        ),
        (
            "one key of two callers",
            Box::new(|directory| drop(directory.rename_in("keys.toml", &shared))),
        ),
        (
            "an unknown setting",
            Box::new(|directory| drop(directory.rename_in("keys.toml", &unknown))),
        ),
        (
            "a directory",
            Box::new(|directory| {
                fs::remove_file(directory.join("keys.toml")).unwrap();
                fs::create_dir(directory.join("keys.toml")).unwrap();
            }),
        ),
    ];
    for (name, break_it) in breaks {
        let directory = Directory::new();
        let path = directory.write("keys.toml", &billing(A));
        let (keys, reloading) = by_events().keyring(&path).unwrap();
        let mut health = reloading.health();
        break_it(&directory);
        let status = bad(&mut health).await;
        assert_eq!(status.generation(), 1, "{name}: nothing new is in use");
        assert_eq!(keys.len(), 1, "{name}: the keyring is not emptied");
        assert!(
            takes(&keys, "billing", A),
            "{name}: the good content is in use"
        );
        assert!(
            !takes(&keys, "billing", B),
            "{name}: bad content is not used"
        );
        let message = status.error().unwrap().message();
        assert!(message.contains("keys.toml"), "{name}: {message}");
        assert!(!message.contains(&B[..8]), "{name}: {message}");

        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        directory.rename_in("keys.toml", &billing(C));
        let status = generation(&mut health, 2).await;
        assert!(status.is_good() && status.error().is_none(), "{name}");
        assert!(
            status.last_error().is_some(),
            "{name}: the last error is kept"
        );
        assert!(takes(&keys, "billing", C), "{name}: good again");
    }
}

#[tokio::test]
async fn a_bad_file_that_is_made_good_as_it_was_is_good_again() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &billing(A));
    let (keys, reloading) = by_events().keyring(path).unwrap();
    let mut health = reloading.health();
    directory.rename_in("keys.toml", "?");
    bad(&mut health).await;
    directory.rename_in("keys.toml", &billing(A));
    let status = generation(&mut health, 2).await;
    assert!(status.is_good() && takes(&keys, "billing", A));
}

#[tokio::test]
async fn a_failure_with_an_outside_cause_is_tried_again_at_the_next_poll() {
    let directory = Directory::new();
    let path = directory.write("value", "1");
    let elsewhere = Directory::new();
    let flag = elsewhere.write("flag", "");
    let load = move |_: &Path| {
        fs::metadata(&flag)
            .map(|_| ())
            .map_err(|error| ConfigError::new(ConfigErrorKind::File, "no flag").with_source(error))
    };
    let reloading = by_polls().watch(path, load, |()| ()).unwrap();
    let mut health = reloading.health();
    fs::remove_file(elsewhere.join("flag")).unwrap();
    directory.rename_in("value", "2");
    bad(&mut health).await;
    elsewhere.write("flag", "");
    assert!(generation(&mut health, 2).await.is_good());
}

#[test]
fn a_source_that_is_bad_at_the_start_is_an_error() {
    let directory = Directory::new();
    for (name, text) in [
        ("gone", None),
        ("no TOML", Some("?")),
        ("no callers", Some("")),
    ] {
        let path = directory.join("keys.toml");
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        assert!(by_events().keyring(&path).is_err(), "{name}");
    }
}

#[tokio::test]
async fn the_same_content_is_not_put_into_use_again() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &billing(A));
    let loads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&loads);
    let load = move |path: &Path| {
        counted.fetch_add(1, Ordering::SeqCst);
        Keyring::from_toml_file(path)
    };
    let reloading = by_events().watch(path, load, |_| ()).unwrap();
    directory.write("keys.toml", &billing(A));
    directory.write("another file.toml", "?");
    directory.rename_in("keys.toml", &billing(A));
    directory.rename_in("keys.toml", &billing(B));
    let status = generation(&mut reloading.health(), 2).await;
    assert_eq!(status.generation(), 2);
    assert_eq!(loads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_reload_can_be_requested_without_a_change() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &billing(A));
    let (_, reloading) = by_events().keyring(path).unwrap();
    let mut health = reloading.health();
    reloading.reload();
    generation(&mut health, 2).await;
    reloading.reload();
    generation(&mut health, 3).await;
}

/// The request comes while the worker waits for the end of a burst without real changes.
#[tokio::test]
async fn a_reload_requested_during_a_burst_is_done() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &billing(A));
    let reload = by_events().with_debounce(std::time::Duration::from_secs(1));
    let (_, reloading) = reload.keyring(path).unwrap();
    directory.write("another file", "?");
    // Nothing can be awaited here: the wake-up of the thread is invisible from outside.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    reloading.reload();
    generation(&mut reloading.health(), 2).await;
}

/// A reader of a pipe would wait for ever, and never see the file that replaces the pipe.
#[tokio::test]
async fn an_endless_source_is_refused() {
    for target in ["keys", "policy"] {
        let directory = Directory::new();
        let (good, better) = match target {
            "keys" => (billing(A), billing(B)),
            _ => (
                ALLOW.replace("CALLER", "billing"),
                ALLOW.replace("CALLER", "audit"),
            ),
        };
        let path = directory.write("source", &good);
        let reloading = match target {
            "keys" => by_events().keyring(&path).unwrap().1,
            _ => by_events().policy(&path).unwrap().1,
        };
        let mut health = reloading.health();
        for made in ["mkfifo", "ln -s /dev/zero"] {
            let mut words = made.split(' ').chain([".new"]);
            let made = std::process::Command::new(words.next().unwrap())
                .args(words)
                .current_dir(directory.path())
                .status();
            assert!(made.unwrap().success());
            fs::rename(directory.join(".new"), &path).unwrap();
            let status = bad(&mut health).await;
            assert!(
                status
                    .error()
                    .unwrap()
                    .message()
                    .contains("expected a file")
            );
            let before = status.generation();
            directory.rename_in("source", if before == 1 { &better } else { &good });
            generation(&mut health, before + 1).await;
        }
    }
}

/// Larger than any key file, and smaller than the machine's memory.
#[test]
fn a_file_over_the_size_limit_is_refused() {
    let directory = Directory::new();
    let path = directory.join("keys.toml");
    for length in [(16 << 20) + 1, 1 << 40] {
        fs::File::create(&path).unwrap().set_len(length).unwrap();
        for error in [
            by_events().keyring(&path).unwrap_err(),
            by_events().policy(&path).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ConfigErrorKind::File);
            assert!(error.to_string().contains("at most 16 MiB"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_dropped_handle_ends_the_watch_and_keeps_the_content() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &billing(A));
    let (keys, reloading) = by_events().keyring(path).unwrap();
    let mut health = reloading.health();
    assert!(!health.is_stopped());
    drop(reloading);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), health.changed());
    assert_eq!(ended.await.unwrap(), None);
    assert!(health.is_stopped());
    directory.rename_in("keys.toml", &billing(B));
    assert!(takes(&keys, "billing", A) && !takes(&keys, "billing", B));
}

#[tokio::test]
async fn a_panic_counts_as_a_failure() {
    let directory = Directory::new();
    let path = directory.write("value", "1");
    let applied = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&applied);
    let load = |path: &Path| match &*fs::read_to_string(path).unwrap() {
        "panic" => panic!("{A}"),
        text => text.parse::<usize>().map_err(|_| {
            ConfigError::new(
                ConfigErrorKind::File,
                "expected a number, found something else",
            )
        }),
    };
    let apply = move |value: usize| {
        assert!(value != 13, "{A}");
        shared.store(value, Ordering::SeqCst);
    };
    let reloading = by_events().watch(path, load, apply).unwrap();
    let mut health = reloading.health();
    for (number, (text, good)) in [("panic", "2"), ("13", "3")].into_iter().enumerate() {
        directory.rename_in("value", text);
        let status = bad(&mut health).await;
        assert!(!status.error().unwrap().message().contains(A), "{text}");
        directory.rename_in("value", good);
        let expected = u64::try_from(number).unwrap() + 2;
        generation(&mut health, expected).await;
        assert_eq!(applied.load(Ordering::SeqCst).to_string(), good);
    }
}

#[tokio::test]
async fn a_directory_is_watched_recursively() {
    let directory = Directory::new();
    directory.write("keys/a/1", "x");
    let count = |path: &Path| {
        let names = fs::read_dir(path.join("a")).map_err(|error| {
            ConfigError::new(ConfigErrorKind::File, "no such directory").with_source(error)
        })?;
        Ok(names.count())
    };
    let seen = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&seen);
    let apply = move |value| shared.store(value, Ordering::SeqCst);
    let reloading = by_events()
        .watch(directory.join("keys"), count, apply)
        .unwrap();
    let mut health = reloading.health();
    directory.write("keys/a/2", "x");
    generation(&mut health, 2).await;
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    directory.write("keys/a/2", "y");
    generation(&mut health, 3).await;
}
