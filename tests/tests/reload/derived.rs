//! Reloading the roots of derived keys.

use countersign::{DerivedKeyring, KeyStore, RootKey, Secret, SigningKey, Verifier};
use tests::directory::Directory;

use crate::{A, AUTHORITY, B, bad, by_events, generation, takes_of};

fn file(root: &str, denied: &str) -> String {
    format!(
        "[derived]\ncallee = \"users\"\ndeny = [{denied}]\n[[derived.roots]]\nversion = \"1\"\nsecret_hex = \"{root}\"\n"
    )
}

fn takes(keys: &DerivedKeyring, caller: &str, root: &str) -> bool {
    let root = RootKey::new("1", &Secret::from_hex(root).unwrap()).unwrap();
    let key = SigningKey::hmac_sha256(&root.derive_for(caller, "users").unwrap());
    takes_of(keys, &tests::keys::signer(caller, key, AUTHORITY))
}

#[tokio::test]
async fn roots_and_lists_change_with_their_file() {
    let directory = Directory::new();
    let path = directory.write("keys.toml", &file(A, ""));
    let verifier = Verifier::builder()
        .expected_hosts([AUTHORITY])
        .build()
        .unwrap();
    let (keys, reloading) = by_events().derived_keyring(&path, &verifier).unwrap();
    let handle = keys.clone();
    let mut health = reloading.health();
    assert!(takes(&handle, "billing", A));
    assert!(!takes(&handle, "billing", B));
    directory.rename_in("keys.toml", &file(B, "\"audit\""));
    generation(&mut health, 2).await;
    assert!(!takes(&handle, "billing", A));
    assert!(takes(&handle, "billing", B));
    assert!(!takes(&handle, "audit", B));
    directory.rename_in("keys.toml", "[derived]");
    bad(&mut health).await;
    assert!(takes(&handle, "billing", B));
    assert_eq!(handle.callers(), None);
    let open = by_events().derived_keyring(&path, &Verifier::default());
    assert!(open.is_err());
}
