//! A directory of secret files.

use std::{fs, os::unix::fs::symlink, process::Command};

use base64ct::{Base64, Encoding};
use countersign::{ConfigErrorKind, KeyStore, Keyring};
use tests::directory::Directory;

use crate::{A, AUTHORITY, B, C, bad, by_events, generation, takes, takes_of};

fn bytes(hex: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(hex).unwrap()
}

#[test]
fn each_encoding_is_read_by_its_file_name() {
    let base64 = Base64::encode_string(&bytes(A));
    let crlf = format!("{A}\r\n");
    let line = format!("{A}\n");
    for (name, file, content, caller) in [
        ("hexadecimal digits", "billing.1.secret_hex", A, "billing"),
        ("a line end", "billing.1.secret_hex", &line, "billing"),
        (
            "a line end of two characters",
            "billing.1.secret_hex",
            &crlf,
            "billing",
        ),
        ("Base64", "billing.1.secret_base64", &base64, "billing"),
        (
            "a caller with dots",
            "billing.eu.v2.1.secret_hex",
            A,
            "billing.eu.v2",
        ),
        (
            "a version of letters",
            "billing.2026-01_b.secret_hex",
            A,
            "billing",
        ),
    ] {
        let directory = Directory::new();
        directory.write(file, content);
        let keys = Keyring::from_directory(directory.path()).unwrap();
        assert!(takes(&keys, caller, A), "{name}");
    }
    let directory = Directory::new();
    directory.write("billing.1.secret_text", &format!("{A}\n"));
    let keys = Keyring::from_directory(directory.path()).unwrap();
    let text_as_hex = base16ct::lower::encode_string(A.as_bytes());
    assert!(takes(&keys, "billing", &text_as_hex), "text is not decoded");
    assert!(!takes(&keys, "billing", A));

    let public = tests::keys::ed25519_key(A).verifying_key();
    let public = base16ct::lower::encode_string(public.public_key().unwrap());
    let directory = Directory::new();
    directory.write("billing.1.ed25519_public_key_hex", &public);
    let keys = Keyring::from_directory(directory.path()).unwrap();
    let of = |seed| tests::keys::signer("billing", tests::keys::ed25519_key(seed), AUTHORITY);
    assert!(takes_of(&keys, &of(A)) && !takes_of(&keys, &of(B)));
}

#[test]
fn other_content_is_refused_and_no_key_is_shown() {
    type Place = Box<dyn Fn(&Directory)>;
    let file = |name: &'static str, content: &str| -> Place {
        let content = content.to_owned();
        Box::new(move |directory| drop(directory.write(name, &content)))
    };
    let two_lines = format!("{A}\n\n");
    let big = format!("{A}{}", " ".repeat(4096));
    let cases: Vec<(&str, Place, ConfigErrorKind)> = vec![
        ("nothing", Box::new(|_| ()), ConfigErrorKind::Keyring),
        (
            "hidden files only",
            file(".billing.1.secret_hex", A),
            ConfigErrorKind::Keyring,
        ),
        (
            "no version",
            file("billing.secret_hex", A),
            ConfigErrorKind::File,
        ),
        ("no encoding", file("billing", A), ConfigErrorKind::File),
        (
            "another encoding",
            file("billing.1.txt", A),
            ConfigErrorKind::File,
        ),
        (
            "a backup",
            file("billing.1.secret_hex~", A),
            ConfigErrorKind::File,
        ),
        (
            "no caller",
            file(".1.secret_hex/x", A),
            ConfigErrorKind::Keyring,
        ),
        (
            "a caller that is no name",
            file("a=b.1.secret_hex", A),
            ConfigErrorKind::Name,
        ),
        (
            "a key as a name",
            file(
                concat!(
                    "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a",
                    ".1.secret_hex"
                ),
                B,
            ),
            ConfigErrorKind::Name,
        ),
        (
            "a directory",
            file("billing.1.secret_hex/x", A),
            ConfigErrorKind::File,
        ),
        (
            "an empty file",
            file("billing.1.secret_hex", ""),
            ConfigErrorKind::Key,
        ),
        (
            "two line ends",
            file("billing.1.secret_hex", &two_lines),
            ConfigErrorKind::Key,
        ),
        (
            "text as digits",
            file("billing.1.secret_hex", "not digits, but secret"),
            ConfigErrorKind::Key,
        ),
        (
            "a weak key",
            file("billing.1.secret_hex", &"00".repeat(32)),
            ConfigErrorKind::WeakKey,
        ),
        (
            "too long",
            file("billing.1.secret_hex", &big),
            ConfigErrorKind::File,
        ),
        (
            "one key of two callers",
            Box::new(|directory| {
                directory.write("billing.1.secret_hex", A);
                directory.write("audit.1.secret_hex", A);
            }),
            ConfigErrorKind::SharedKey,
        ),
        (
            "two keys of one version",
            Box::new(|directory| {
                directory.write("billing.1.secret_hex", A);
                directory.write("billing.1.secret_base64", &Base64::encode_string(&bytes(B)));
            }),
            ConfigErrorKind::Keyring,
        ),
        (
            "a link to nowhere",
            Box::new(|directory| symlink("gone", directory.join("billing.1.secret_hex")).unwrap()),
            ConfigErrorKind::File,
        ),
        (
            "a pipe",
            Box::new(|directory| {
                let made = Command::new("mkfifo")
                    .arg(directory.join("billing.1.secret_hex"))
                    .status();
                assert!(made.unwrap().success());
            }),
            ConfigErrorKind::File,
        ),
        (
            "not UTF-8",
            Box::new(|directory| {
                fs::write(directory.join("billing.1.secret_text"), [0xff; 40]).unwrap();
            }),
            ConfigErrorKind::File,
        ),
    ];
    for (name, place, kind) in cases {
        let directory = Directory::new();
        place(&directory);
        let error = Keyring::from_directory(directory.path()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        let shown = format!("{error} {error:?}");
        for key in [&A[..8], &B[..8], "but secret"] {
            assert!(!shown.contains(key), "{name}: {shown}");
        }
    }
    assert!(Keyring::from_directory("/nonexistent/keys").is_err());
}

#[test]
fn a_mounted_volume_is_read_through_its_current_link() {
    let directory = Directory::new();
    directory.mount(&[("billing.1.secret_hex", A), ("audit.1.secret_hex", B)]);
    let keys = Keyring::from_directory(directory.path()).unwrap();
    assert!(takes(&keys, "billing", A) && takes(&keys, "audit", B));
    // In the middle of a swap: the new data is present, and the link of a removed file still
    // exists.
    directory.write("..new/billing.1.secret_hex", C);
    fs::remove_file(directory.join("..data")).unwrap();
    symlink("..new", directory.join("..data")).unwrap();
    let keys = Keyring::from_directory(directory.path()).unwrap();
    assert_eq!(keys.len(), 1);
    assert!(takes(&keys, "billing", C));
}

#[tokio::test]
async fn keys_are_added_and_removed_with_their_files() {
    let directory = Directory::new();
    directory.mount(&[("billing.1.secret_hex", A)]);
    let (keys, reloading) = by_events().keyring_directory(directory.path()).unwrap();
    let mut health = reloading.health();
    directory.mount(&[("billing.1.secret_hex", A), ("billing.2.secret_hex", B)]);
    generation(&mut health, 2).await;
    assert!(takes(&keys, "billing", A) && takes(&keys, "billing", B));
    directory.mount(&[("billing.2.secret_hex", B)]);
    health_settles(&mut health, &keys, 1).await;
    assert!(!takes(&keys, "billing", A), "a key whose file was removed");
    assert!(takes(&keys, "billing", B));
    // The last key: the keyring is never emptied.
    fs::remove_file(directory.join("..data")).unwrap();
    fs::remove_file(directory.join("billing.2.secret_hex")).unwrap();
    let status = bad(&mut health).await;
    assert!(status.error().is_some());
    assert!(takes(&keys, "billing", B));
}

#[tokio::test]
async fn files_that_are_written_one_by_one_are_put_into_use() {
    let directory = Directory::new();
    directory.write("billing.1.secret_hex", A);
    let (keys, reloading) = by_events().keyring_directory(directory.path()).unwrap();
    let mut health = reloading.health();
    directory.rename_in("audit.1.secret_hex", C);
    generation(&mut health, 2).await;
    assert!(takes(&keys, "audit", C) && takes(&keys, "billing", A));
    fs::remove_file(directory.join("billing.1.secret_hex")).unwrap();
    generation(&mut health, 3).await;
    assert!(!takes(&keys, "billing", A));
}

/// A swap consists of several changes, so it may be loaded in several steps.
async fn health_settles(
    health: &mut tower_countersign::reload::ReloadHealth,
    keys: &Keyring,
    versions: usize,
) {
    let count = || {
        format!("{:?}", keys.try_lookup("billing"))
            .matches("KeyVersion")
            .count()
    };
    while count() != versions {
        crate::within(async { health.changed().await }).await;
    }
}
