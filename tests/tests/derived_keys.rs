//! Keys that are derived from a root of the callee's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::similar_names,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use std::{collections::HashSet, env, process::Command};

use base64ct::{Base64, Encoding};
use countersign::{
    ArcKeyStore, CallerKey, ConfigErrorKind, DerivedCallers, DerivedKeyring, DerivedKeyringBuilder,
    KeyState, KeyStore, Keyring, RejectionKind, RootKey, Secret, SharedSigner, Signer, SigningKey,
    Timestamp, Validity, Verifier, VerifyingKey,
};
use proptest::prelude::*;
use tests::keys::{NOW, OTHER_SECRET as B, SECRET as A, hmac_key, signer};
use tower_countersign::CachedKeys;

const SELF: &str = "user-service";
const AUTHORITY: &str = "user-service.internal:8081";
const NOBODY: [&str; 0] = [];
const C: &str = "5d9a0f8ec2b94c1a7e3388b16f04d2577a61bc0e95f3d8124c7be90a1f6d2e43";
const D: &str = "a1c7e45f0b3d92688d17fa64c05be3297f40d81e6b95c2a3e8340f7d1c9b6a52";

fn text_root(version: &str, secret: &str) -> RootKey {
    RootKey::new(version, &Secret::from_text(secret).unwrap()).unwrap()
}

fn base64_of(hex: &str) -> String {
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    Base64::encode_string(&bytes)
}

fn root(version: &str, secret: &str) -> RootKey {
    RootKey::new(version, &Secret::from_hex(secret).unwrap()).unwrap()
}

fn verifier() -> Verifier {
    Verifier::builder()
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap()
}

fn keyring(callers: DerivedCallers) -> DerivedKeyringBuilder {
    DerivedKeyring::builder(SELF, callers, &verifier()).root(root("1", A))
}

fn derived(root: &RootKey, caller: &str) -> SigningKey {
    SigningKey::hmac_sha256(&root.derive_for(caller, SELF).unwrap())
}

/// The outcome of a request that `caller` signs with this key.
async fn judged(
    keys: &impl KeyStore,
    verifier: &Verifier,
    caller: &str,
    key: SigningKey,
    now: Timestamp,
) -> Result<String, RejectionKind> {
    let signer = signer(caller, key, AUTHORITY);
    let request = http::Request::get(format!("http://{AUTHORITY}/"))
        .body("")
        .unwrap();
    let (parts, body) = tests::signed::at(now, &signer, request).into_parts();
    let unverified = verifier.parse(&parts, now).unwrap();
    let found = keys.lookup(unverified.key_id()).await.unwrap();
    let verified = unverified
        .authenticate(&found, now)
        .and_then(|unverified| unverified.finish_with(body.as_bytes(), now))
        .map_err(|rejection| rejection.kind())?;
    assert_eq!(verified.caller().as_str(), caller);
    Ok(verified.key_version().to_string())
}

async fn takes(keys: &impl KeyStore, caller: &str, key: SigningKey) -> bool {
    match judged(keys, &verifier(), caller, key, NOW).await {
        Ok(_) => true,
        Err(kind) => {
            assert_eq!(kind, RejectionKind::InvalidSignature, "{caller}");
            false
        }
    }
}

fn signed_by(root: &RootKey, caller: &str, target: &str) -> [String; 2] {
    // A secret does not show its bytes: it is compared by what it signs.
    let key = SigningKey::hmac_sha256(&root.derive_for(caller, target).unwrap());
    let signer = signer("billing", key, AUTHORITY).insecure_three_headers();
    signature(&signer)
}

fn signature(signer: &Signer) -> [String; 2] {
    let request = http::Request::get(format!("http://{AUTHORITY}/"))
        .body("")
        .unwrap();
    let (parts, _) = tests::signed::at(NOW, signer, request).into_parts();
    ["authorization", "x-date"].map(|name| parts.headers[name].to_str().unwrap().to_owned())
}

/// Source: computed with Python's hmac and hashlib from RFC 5869 and the documentation of
/// `RootKey`, not with this code.
#[test]
fn the_derived_keys_are_those_of_another_implementation() {
    for (root_key, caller, target, version, expected) in [
        (
            A,
            "billing",
            "user-service",
            "2026-01",
            "b3dbc842c36f91a52fb6a4dd3a714c3caf18df43de678660c952af6f8750ee7e",
        ),
        (
            A,
            "billing",
            "user-service",
            "2026-02",
            "d934f83c46a9b2a7ce7852d75441a2d71f1b1c4b60cbdf22fa4b280497a73995",
        ),
        (
            A,
            "billing",
            "audit",
            "2026-01",
            "46aa81d368639b529e15aba42a1d3a67ffff1998785a62968a6a4e6559103c4f",
        ),
        (
            A,
            "user-service",
            "billing",
            "2026-01",
            "36e534f0953a6116cd65c6a22d50e5cf32dd4ba592bcb3b1efe3fdf67e070c1d",
        ),
        (
            B,
            "billing",
            "user-service",
            "2026-01",
            "c2e9d0cdb2a30e9ed5d177f56ece9fe669f1a66c5d22f58ef337c19a278b13e3",
        ),
        (
            A,
            "a",
            "bc",
            "1",
            "b70342e5f6954d3ccbc9555ccea746f5c8c71aea64013e2160608d7a91dce651",
        ),
        (
            A,
            "ab",
            "c",
            "1",
            "04542666499a2c666115d52491c300d7d5f1a707ebee5f2bffa9d36973789ee6",
        ),
    ] {
        let expected = signer("billing", hmac_key(expected), AUTHORITY).insecure_three_headers();
        assert_eq!(
            signed_by(&root(version, root_key), caller, target),
            signature(&expected),
            "{caller} to {target}, {version}"
        );
    }
}

const PYTHON: &str = r#"
import hashlib, hmac, sys
root, *fields = sys.argv[1:]
info = b"".join(len(f.encode()).to_bytes(8, "big") + f.encode() for f in ["countersign derived key", "HMAC-SHA256", *fields])
prk = hmac.new(bytes(32), bytes.fromhex(root), hashlib.sha256).digest()
print(hmac.new(prk, info + b"\x01", hashlib.sha256).hexdigest(), end="")
"#;

#[test]
#[ignore = "needs python"]
fn python_derives_the_same_keys_of_names_of_every_length() {
    let python = env::var("COUNTERSIGN_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    for length in [1, 2, 31, 32, 63, 64, 128] {
        let (caller, target) = ("c".repeat(length), "t".repeat(129 - length));
        let version = "v".repeat(length.min(64));
        let output = Command::new(&python)
            .args(["-c", PYTHON, A, &caller, &target, &version])
            .output()
            .unwrap();
        assert!(output.status.success());
        let expected = String::from_utf8(output.stdout).unwrap();
        let expected = signer("billing", hmac_key(&expected), AUTHORITY).insecure_three_headers();
        let found = signed_by(&root(&version, A), &caller, &target);
        assert_eq!(found, signature(&expected), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Source: CVE-2023-35941 (fields joined without separators).
    #[test]
    fn bytes_cannot_move_from_one_name_to_the_next(text in "[a-z]{3,12}", first in 1_usize..11, second in 1_usize..11) {
        let cut = |at: usize| text.split_at(at.min(text.len() - 1));
        let (one, other) = (cut(first), cut(second));
        prop_assume!(one != other);
        let root = root("1", A);
        prop_assert_ne!(signed_by(&root, one.0, one.1), signed_by(&root, other.0, other.1));
    }
}

#[tokio::test]
async fn a_caller_that_is_added_changes_nothing_at_the_callee() {
    let keys = keyring(DerivedCallers::deny(["retired"])).build().unwrap();
    let root = root("1", A);
    for caller in ["billing", "audit", "added-today"] {
        assert!(
            takes(&keys, caller, derived(&root, caller)).await,
            "{caller}"
        );
    }
    assert!(!takes(&keys, "retired", derived(&root, "retired")).await);
    assert!(
        !takes(&keys, "billing", derived(&root, "audit")).await,
        "somebody else's key"
    );
    let elsewhere = SigningKey::hmac_sha256(&root.derive_for("billing", "audit").unwrap());
    assert!(
        !takes(&keys, "billing", elsewhere).await,
        "a key for another callee"
    );
    let other = derived(&crate::root("1", B), "billing");
    assert!(
        !takes(&keys, "billing", other).await,
        "a key of another root"
    );
    assert!(
        !takes(&keys, "billing", hmac_key(A)).await,
        "the root itself"
    );
    assert_eq!(keys.callers(), None);
}

#[tokio::test]
async fn an_allow_list_admits_nobody_else() {
    let keys = keyring(DerivedCallers::allow(["billing", "audit"]))
        .build()
        .unwrap();
    let root = root("1", A);
    for (caller, expected) in [
        ("billing", true),
        ("audit", true),
        ("other", false),
        ("Billing", false),
    ] {
        assert_eq!(
            takes(&keys, caller, derived(&root, caller)).await,
            expected,
            "{caller}"
        );
    }
    assert_eq!(keys.callers(), Some(2));
}

fn key(version: &str, secret: &str) -> CallerKey {
    let secret = Secret::from_hex(secret).unwrap();
    CallerKey::new(version, VerifyingKey::hmac_sha256(&secret)).unwrap()
}

#[tokio::test]
async fn an_entry_always_beats_derivation() {
    let root = root("1", A);
    let of_audit = VerifyingKey::hmac_sha256(&root.derive_for("audit", SELF).unwrap());
    let revoked = CallerKey::new("1", of_audit.clone())
        .unwrap()
        .with_validity(KeyState::Revoked);
    for (name, entry_of, entry, caller, expected) in [
        ("an explicit key", "billing", key("1", B), "billing", false),
        (
            "a revoked one",
            "billing",
            key("9", B).with_validity(KeyState::Revoked),
            "billing",
            false,
        ),
        (
            "one that is over",
            "billing",
            key("9", B).with_validity(Validity::new().with_not_after(NOW)),
            "billing",
            false,
        ),
        (
            "one that goes by its own id",
            "billing",
            key("9", B).with_key_id("another-id").unwrap(),
            "billing",
            false,
        ),
        (
            "an id of somebody's key",
            "audit",
            key("9", B).with_key_id("billing").unwrap(),
            "billing",
            false,
        ),
        (
            "the derived key, revoked for its caller",
            "audit",
            revoked.clone(),
            "audit",
            false,
        ),
        (
            "the derived key, revoked under another name",
            "old-audit",
            revoked.clone(),
            "audit",
            false,
        ),
        (
            "the derived key, listed for another",
            "twin",
            CallerKey::new("1", of_audit.clone()).unwrap(),
            "audit",
            false,
        ),
        (
            "another caller's entry",
            "audit",
            key("1", B),
            "billing",
            true,
        ),
    ] {
        let explicit = Keyring::builder().caller(entry_of, entry).build().unwrap();
        for callers in [
            DerivedCallers::deny(NOBODY),
            DerivedCallers::allow(["billing", "audit"]),
        ] {
            let keys = keyring(callers.clone())
                .explicit(explicit.clone())
                .build()
                .unwrap();
            let found = takes(&keys, caller, derived(&root, caller)).await;
            assert_eq!(found, expected, "{name}, {callers:?}");
        }
    }
    let explicit = Keyring::builder()
        .caller("billing", key("1", B))
        .build()
        .unwrap();
    let keys = keyring(DerivedCallers::deny(["billing"]))
        .explicit(explicit.clone())
        .build()
        .unwrap();
    assert!(
        takes(&keys, "billing", hmac_key(B)).await,
        "the entry itself"
    );

    // A key that is added to the explicit keyring later counts at once.
    assert!(takes(&keys, "late", derived(&root, "late")).await);
    let with_late = Keyring::builder()
        .caller("late", key("1", B).with_validity(KeyState::Revoked))
        .build()
        .unwrap();
    explicit.replace(&with_late);
    assert!(!takes(&keys, "late", derived(&root, "late")).await);
}

#[tokio::test]
async fn roots_are_rotated_as_keys_are() {
    let old = root("old", A);
    let new = root("new", B);
    let at = |seconds| Timestamp::from_unix_seconds(NOW.as_unix_seconds() + seconds);
    let keys = |old: RootKey, new: Option<RootKey>| {
        let builder = DerivedKeyring::builder(SELF, DerivedCallers::deny(NOBODY), &verifier());
        let builder = builder.root(old);
        new.into_iter()
            .fold(builder, DerivedKeyringBuilder::root)
            .build()
            .unwrap()
    };
    let both = keys(
        old.clone()
            .with_validity(Validity::new().with_not_after(at(10))),
        Some(
            new.clone()
                .with_validity(Validity::new().with_not_before(at(5))),
        ),
    );
    for (seconds, by_old, by_new) in [
        (0, true, false),
        (5, true, true),
        (9, true, true),
        (10, false, true),
    ] {
        for (root, expected) in [(&old, by_old), (&new, by_new)] {
            let judged = judged(
                &both,
                &verifier(),
                "billing",
                derived(root, "billing"),
                at(seconds),
            )
            .await;
            let expected = expected
                .then(|| root.version().to_string())
                .ok_or(RejectionKind::InvalidSignature);
            assert_eq!(judged, expected, "{seconds}");
        }
    }
    let store = keys(old.clone(), None);
    let handle = store.clone();
    assert!(takes(&handle, "billing", derived(&old, "billing")).await);
    store.replace(&keys(
        old.clone().with_validity(KeyState::Revoked),
        Some(new.clone()),
    ));
    assert!(!takes(&handle, "billing", derived(&old, "billing")).await);
    assert!(takes(&handle, "billing", derived(&new, "billing")).await);
}

/// With any verifier, and with any store between the verifier and the keys.
#[tokio::test]
async fn a_request_is_refused_where_no_hosts_are_expected() {
    let keys = keyring(DerivedCallers::deny(NOBODY)).build().unwrap();
    let key = || derived(&root("1", A), "billing");
    let open = Verifier::default();
    assert!(
        judged(&keys, &verifier(), "billing", key(), NOW)
            .await
            .is_ok()
    );
    let refused = Err(RejectionKind::Misdirected);
    assert_eq!(judged(&keys, &open, "billing", key(), NOW).await, refused);
    let erased = ArcKeyStore::new(keys.clone());
    assert_eq!(judged(&erased, &open, "billing", key(), NOW).await, refused);
    let cached = CachedKeys::new(keys.clone());
    assert_eq!(judged(&cached, &open, "billing", key(), NOW).await, refused);
    // A stranger learns nothing of it.
    let wrong = judged(&keys, &open, "billing", hmac_key(B), NOW).await;
    assert_eq!(wrong, Err(RejectionKind::InvalidSignature));
}

#[test]
fn what_does_not_go_together_does_not_start() {
    let nobody = || DerivedCallers::deny(NOBODY);
    let empty = |callers| DerivedKeyring::builder(SELF, callers, &verifier());
    let five = (0..5).fold(empty(nobody()), |builder, number| {
        let secret = Secret::generate().unwrap();
        builder.root(RootKey::new(&number.to_string(), &secret).unwrap())
    });
    let shared = Keyring::builder()
        .caller("billing", key("1", A))
        .build()
        .unwrap();
    for (name, builder, kind) in [
        (
            "no expected hosts",
            DerivedKeyring::builder(SELF, nobody(), &Verifier::default()).root(root("1", A)),
            ConfigErrorKind::Authority,
        ),
        ("no root", empty(nobody()), ConfigErrorKind::Keyring),
        ("five roots", five, ConfigErrorKind::Keyring),
        (
            "two of a version",
            keyring(nobody()).root(root("1", B)),
            ConfigErrorKind::Keyring,
        ),
        (
            "one root twice",
            keyring(nobody()).root(root("2", A)),
            ConfigErrorKind::SharedKey,
        ),
        (
            "a root that a caller holds",
            keyring(nobody()).explicit(shared),
            ConfigErrorKind::SharedKey,
        ),
        (
            "nobody admitted",
            keyring(DerivedCallers::allow(NOBODY)),
            ConfigErrorKind::Keyring,
        ),
        (
            "a caller that is no name",
            keyring(DerivedCallers::deny(["a=b"])),
            ConfigErrorKind::Name,
        ),
        (
            "a callee that is no name",
            DerivedKeyring::builder("a b", nobody(), &verifier()).root(root("1", A)),
            ConfigErrorKind::Name,
        ),
    ] {
        assert_eq!(builder.build().unwrap_err().kind(), kind, "{name}");
    }
    assert!(root("1", A).derive_for("a=b", SELF).is_err());
    assert!(root("1", A).derive_for("a", "").is_err());
}

#[test]
fn no_two_of_the_fields_are_one_to_the_derivation() {
    let mut seen = HashSet::new();
    for secret in [A, B] {
        for version in ["1", "2"] {
            for caller in ["billing", "audit"] {
                for target in ["billing", "audit"] {
                    let root = root(version, secret);
                    assert!(
                        seen.insert(signed_by(&root, caller, target)),
                        "{version} {caller} {target}"
                    );
                }
            }
        }
    }
    assert_eq!(seen.len(), 16);
    let shown = format!(
        "{:?}",
        keyring(DerivedCallers::deny(NOBODY)).build().unwrap()
    );
    assert!(!shown.contains(&A[..8]), "{shown}");
}

/// A file with one root, for these callers, and whatever else.
fn file(callers: &str, root: &str, more: &str) -> String {
    format!(
        "[derived]\ncallee = \"{SELF}\"\n{callers}\n[[derived.roots]]\nversion = \"1\"\nsecret_hex = \"{root}\"\n{more}\n"
    )
}

fn listed(caller: &str, secret: &str, state: &str) -> String {
    format!(
        "[[callers]]\nname = \"{caller}\"\n[[callers.keys]]\nversion = \"own\"\nstate = \"{state}\"\nsecret_hex = \"{secret}\"\n"
    )
}

#[tokio::test]
async fn a_file_says_all_that_code_says() {
    let derived =
        |version: &str, secret: &str, caller: &str| derived(&root(version, secret), caller);
    let more = format!(
        "[[derived.roots]]\nversion = \"2\"\nsecret_base64 = \"{}\"\nstate = \"accept-only\"\nnot_before = 2026-01-02T03:04:05Z\nnot_after = 2026-01-02T03:04:06Z\n[[derived.roots]]\nversion = \"3\"\nsecret_text = \"{C}\"\nstate = \"revoked\"\n",
        base64_of(B)
    );
    let text = file("deny = [\"retired\"]", A, &more)
        + &listed("audit", C, "active")
        + &listed("gone", D, "revoked");
    let keys = DerivedKeyring::from_toml(&text, &verifier()).unwrap();
    for (name, caller, key, expected) in [
        (
            "the first root",
            "billing",
            derived("1", A, "billing"),
            true,
        ),
        (
            "the second root",
            "billing",
            derived("2", B, "billing"),
            true,
        ),
        (
            "a revoked root",
            "billing",
            SigningKey::hmac_sha256(&text_root("3", C).derive_for("billing", SELF).unwrap()),
            false,
        ),
        ("another's key", "billing", derived("1", A, "other"), false),
        ("on the list", "retired", derived("1", A, "retired"), false),
        ("with a key of its own", "audit", hmac_key(C), true),
        ("and no other", "audit", derived("1", A, "audit"), false),
        ("revoked", "gone", hmac_key(D), false),
        (
            "and not derived either",
            "gone",
            derived("1", A, "gone"),
            false,
        ),
    ] {
        assert_eq!(takes(&keys, caller, key).await, expected, "{name}");
    }
    // 2026-01-02T03:04:05Z.
    let start = 1_767_323_045_000_000;
    for (now, expected) in [
        (start - 1, false),
        (start, true),
        (start + 1_000_000, false),
    ] {
        let now = Timestamp::from_unix_micros(now);
        let found = judged(
            &keys,
            &verifier(),
            "billing",
            derived("2", B, "billing"),
            now,
        )
        .await;
        assert_eq!(found.is_ok(), expected, "{now:?}");
    }
    let allowing =
        DerivedKeyring::from_toml(&file("allow = [\"billing\"]", A, ""), &verifier()).unwrap();
    assert!(takes(&allowing, "billing", derived("1", A, "billing")).await);
    assert!(!takes(&allowing, "audit", derived("1", A, "audit")).await);
}

#[test]
fn refuses_files_that_leave_something_open() {
    let deny = "deny = []";
    let target = |secret: &str, caller: &str| {
        format!(
            "[[targets]]\nname = \"users\"\ncaller = \"{caller}\"\nauthorities = [\"users:80\"]\nsecret_hex = \"{secret}\"\n"
        )
    };
    for (name, text, kind) in [
        (
            "no derived",
            listed("audit", B, "active"),
            ConfigErrorKind::File,
        ),
        (
            "neither allow nor deny",
            file("", A, ""),
            ConfigErrorKind::File,
        ),
        (
            "both",
            file("allow = [\"a\"]\ndeny = []", A, ""),
            ConfigErrorKind::File,
        ),
        (
            "nobody allowed",
            file("allow = []", A, ""),
            ConfigErrorKind::Keyring,
        ),
        (
            "an unknown key",
            file("deny = []\nalow = []", A, ""),
            ConfigErrorKind::File,
        ),
        (
            "an unknown key of a root",
            file(deny, A, "nonce = \"optional\""),
            ConfigErrorKind::File,
        ),
        (
            "no roots",
            format!("[derived]\ncallee = \"{SELF}\"\ndeny = []\n"),
            ConfigErrorKind::Keyring,
        ),
        (
            "a root without a secret",
            format!(
                "[derived]\ncallee = \"{SELF}\"\ndeny = []\n[[derived.roots]]\nversion = \"1\"\n"
            ),
            ConfigErrorKind::Key,
        ),
        (
            "a root with two",
            file(deny, A, &format!("secret_text = \"{B}\"")),
            ConfigErrorKind::Key,
        ),
        (
            "a weak root",
            file(deny, &"00".repeat(32), ""),
            ConfigErrorKind::WeakKey,
        ),
        (
            "a date without an offset",
            file(deny, A, "not_after = 2026-01-02T03:04:05"),
            ConfigErrorKind::File,
        ),
        (
            "a version that is a key",
            file(deny, A, "").replace("version = \"1\"", &format!("version = \"{B}\"")),
            ConfigErrorKind::Name,
        ),
        (
            "a caller that is a key",
            file(&format!("deny = [\"{B}\"]"), A, ""),
            ConfigErrorKind::Name,
        ),
        (
            "a callee that is a key",
            file(deny, A, "").replace(SELF, B),
            ConfigErrorKind::Name,
        ),
        (
            "a root that is a caller's key",
            file(deny, A, "") + &listed("audit", A, "active"),
            ConfigErrorKind::SharedKey,
        ),
        (
            "a root that a target is signed for with",
            file(deny, A, "") + &target(A, "me"),
            ConfigErrorKind::SharedKey,
        ),
        (
            "a caller's key of its own that signs",
            file(deny, A, "") + &listed("audit", B, "active") + &target(B, "me"),
            ConfigErrorKind::SharedKey,
        ),
    ] {
        let error = DerivedKeyring::from_toml(&text, &verifier()).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        for secret in [A, B] {
            assert!(!error.to_string().contains(&secret[..8]), "{name}: {error}");
        }
        if kind == ConfigErrorKind::SharedKey && text.contains("targets") {
            let error = Signer::from_toml(&text, "users").unwrap_err();
            assert_eq!(error.kind(), kind, "{name}, for who signs: {error}");
            let error = SharedSigner::from_toml(&text, "users").unwrap_err();
            assert_eq!(error.kind(), kind, "{name}, for who signs: {error}");
        }
    }
    let right = file(deny, A, "") + &target(B, "me");
    assert!(DerivedKeyring::from_toml(&right, &verifier()).is_ok());
    assert!(Signer::from_toml(&right, "users").is_ok());
    let open = DerivedKeyring::from_toml(&right, &Verifier::default()).unwrap_err();
    assert_eq!(open.kind(), ConfigErrorKind::Authority);
    // The list of callers alone does not tell for whom keys are derived, nor who gets none.
    let listing = right + &listed("audit", C, "active");
    assert_eq!(
        Keyring::from_toml(&listing).unwrap_err().kind(),
        ConfigErrorKind::File
    );
}

#[test]
fn refuses_to_verify_with_derived_keys_that_it_signs_with() {
    let root = root("1", A);
    let signing = |name: &str, key| signer(name, key, AUTHORITY);
    let allowing = keyring(DerivedCallers::allow(["billing"])).build().unwrap();
    let denying = keyring(DerivedCallers::deny(NOBODY)).build().unwrap();
    for (name, keys, signer, refused) in [
        (
            "a listed caller's",
            &allowing,
            signing("me", derived(&root, "billing")),
            true,
        ),
        (
            "the signer's own name's, not listed",
            &allowing,
            signing("me", derived(&root, "me")),
            true,
        ),
        (
            "the signer's own name's",
            &denying,
            signing("me", derived(&root, "me")),
            true,
        ),
        ("the root", &denying, signing("me", hmac_key(A)), true),
        ("another key", &denying, signing("me", hmac_key(B)), false),
        ("another key", &allowing, signing("me", hmac_key(B)), false),
    ] {
        let error = keys.ensure_distinct_from(&[&signer]).err();
        let expected = refused.then_some(ConfigErrorKind::SharedKey);
        assert_eq!(error.map(|error| error.kind()), expected, "{name}");
    }
}
