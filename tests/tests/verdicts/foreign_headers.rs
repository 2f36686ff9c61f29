//! Headers that another standard shares with a scheme here.

use countersign::{
    Algorithm, MessageSignaturesSignSettings, MessageSignaturesVerifySettings, Secret,
    SigV4VerifySettings, Signer, SigningKey, Verifier,
};
use tests::{
    keys::{self, NOW, SECRET},
    signed::{AUTHORITY, billing},
};

use crate::{
    HOST, get,
    message::{Message, NONCE},
    sigv4, svix, webhooks, webhooks_key,
};

const CAVAGE: &str = r#"keyId="https://h.example/actor#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="AAAA""#;

fn both() -> MessageSignaturesVerifySettings {
    MessageSignaturesVerifySettings::new().with_algorithm(Algorithm::HmacSha256)
}

fn reason(message: &Message, verifier: &Verifier) -> String {
    let parts = message.parts().unwrap();
    let rejection = verifier.parse(&parts, NOW).unwrap_err();
    format!("{}: {rejection}", rejection.kind().code())
}

/// Field report F6: a signature of the draft before RFC 9421 beside a good one in another scheme.
#[test]
fn a_cavage_signature_spoils_no_signature_in_another_scheme() {
    let keys = keys::keyring("billing", &keys::hmac_key(SECRET));
    let message = get("/a").signed(&billing(), NOW).with("signature", CAVAGE);
    for (name, verify_settings) in [
        ("any tag", both()),
        ("a tag", both().with_tag("svc-v1").unwrap()),
    ] {
        let verifier = Verifier::builder().accept(verify_settings).build().unwrap();
        let verdict = message.judge(&verifier, &keys, NOW);
        assert_eq!(verdict.code(), "accept", "{name}");
    }
    let verifier = Verifier::builder()
        .accept_only(SigV4VerifySettings::new(sigv4::REGION, sigv4::SERVICE).unwrap())
        .accept(both())
        .build()
        .unwrap();
    let sigv4 = sigv4::signed(get("/a"), &sigv4::signer(), NOW).with("signature", CAVAGE);
    let verdict = sigv4::judge_with(&sigv4, &verifier, &sigv4::keyring(), NOW);
    assert!(verdict.is_ok(), "{verdict:?}");
}

#[test]
fn a_cavage_signature_alone_is_a_missing_signature_and_the_reason_says_so() {
    let verifier = Verifier::builder().accept(both()).build().unwrap();
    for (name, message, expected) in [
        (
            "in Signature",
            get("/a").with("signature", CAVAGE),
            "missing_signature: expected a signature in an accepted scheme (HMAC-SHA256, RFC 9421), found the \
             header signature without signature-input, as in draft-cavage-http-signatures",
        ),
        (
            "in Authorization",
            get("/a").with("authorization", format!("Signature {CAVAGE}")),
            "missing_signature: expected a signature in an accepted scheme (HMAC-SHA256, RFC 9421), found \
             authorization in \"Signature\", as in draft-cavage-http-signatures",
        ),
        (
            "nothing of it",
            get("/a").with("authorization", "Bearer a"),
            "missing_signature: expected a signature in an accepted scheme (HMAC-SHA256, RFC 9421), found \
             authorization in \"Bearer\"",
        ),
    ] {
        assert_eq!(reason(&message, &verifier), expected, "{name}");
    }
}

/// Half of an RFC 9421 signature is no signature of another kind.
#[test]
fn a_signature_input_without_its_signature_is_malformed() {
    let key = SigningKey::message_hmac_sha256(&Secret::from_hex(SECRET).unwrap());
    let settings = MessageSignaturesSignSettings::new("billing", key).unwrap();
    let signer = Signer::message_signatures(settings, [AUTHORITY]).unwrap();
    let verifier = Verifier::builder().accept(both()).build().unwrap();
    let mut message = get("/a").signed(&signer, NOW);
    message.remove("signature");
    assert!(reason(&message, &verifier).starts_with("malformed: header signature: "));
    message.set("signature", CAVAGE);
    assert!(reason(&message, &verifier).starts_with("malformed: header signature: "));
    let two = get("/a")
        .signed(&signer, NOW)
        .signed_with(&billing(), NONCE, NOW);
    assert!(reason(&two, &verifier).starts_with("malformed: expected one signature"));
}

fn hook() -> Message {
    let signer = Signer::standard_webhooks([webhooks_key()], [HOST]).unwrap();
    let message = Message::new("POST", "/hook", HOST, b"{\"a\":1}").with("webhook-id", "msg_1");
    let parts = message.parts().unwrap();
    let signature = signer.sign(&parts, &*message.body, NOW).unwrap();
    let mut message = message;
    for (name, value) in signature.headers() {
        message.set(name.as_str(), value);
    }
    message
}

/// Field report F12.
#[test]
fn an_entry_that_cannot_be_read_refuses_no_good_one_beside_it() {
    let (verifier, keys) = webhooks(svix());
    let message = hook();
    let right = message.header("webhook-signature").to_owned();
    let wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let found = |list: &str| {
        let mut message = message.clone();
        message.set("webhook-signature", list);
        message.judge(&verifier, &keys, NOW).code()
    };
    assert_eq!(found(&right), "accept");
    let hex = format!("v1,{}", "ab".repeat(32));
    for entry in [
        &*hex,
        "v1,AAAAAAAAAAAAAAAAAAAAAA==",
        "v1",
        "v1,",
        "nonsense",
        "v1a,AAAA",
        "v2,??",
        ",",
        "",
        wrong,
    ] {
        assert_eq!(
            found(&format!("{entry} {right}")),
            "accept",
            "{entry} before"
        );
        assert_eq!(
            found(&format!("{right} {entry}")),
            "accept",
            "{entry} behind"
        );
        let alone = if entry == wrong {
            "invalid_signature"
        } else {
            "malformed"
        };
        assert_eq!(found(entry), alone, "{entry}");
    }
    let list = |junk: usize| format!("{}{right}", "junk ".repeat(junk));
    assert_eq!(found(&list(7)), "accept");
    assert_eq!(found(&list(8)), "malformed", "eight entries are the limit");
    assert_eq!(
        found(&format!("v1a,AAAA v1,{}", "A".repeat(3000))),
        "malformed"
    );
}

/// The message under the names that Svix sends.
fn renamed(message: &Message) -> Message {
    let mut message = message.clone();
    for (name, _) in &mut message.headers {
        *name = name.replace("webhook-", "svix-");
    }
    message
}

#[test]
fn the_names_of_svix_are_read_where_a_setting_says_so() {
    let message = renamed(&hook());
    let (verifier, keys) = webhooks(svix());
    let verdict = message.judge(&verifier, &keys, NOW);
    assert_eq!(verdict.code(), "missing_signature");
    let (verifier, keys) = webhooks(svix().with_svix_headers());
    assert_eq!(hook().judge(&verifier, &keys, NOW).code(), "accept");
    let verified = message.judge(&verifier, &keys, NOW).verified("svix");
    assert_eq!(verified.idempotency_key(), Some("msg_1"));
    assert_eq!(verified.covered("svix-id"), Some("msg_1"));
    assert_eq!(verified.covered("webhook-id"), None);
    let standard = hook().judge(&verifier, &keys, NOW).verified("standard");
    assert_eq!(
        verified.replay_key("a"),
        standard.replay_key("a"),
        "one message is one, under either names"
    );
}

#[test]
fn one_message_under_both_names_says_the_same_or_is_refused() {
    let (verifier, keys) = webhooks(svix().with_svix_headers());
    let mut both = hook();
    both.headers.extend(renamed(&hook()).headers);
    both.headers.dedup();
    // `host` is there twice.
    let host = both.header("host").to_owned();
    both.remove("host");
    both.append("host", host);
    let found = |message: &Message| message.judge(&verifier, &keys, NOW).code();
    assert_eq!(found(&both), "accept");
    for name in [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "svix-id",
        "svix-timestamp",
        "svix-signature",
    ] {
        let mut other = both.clone();
        let value = other.header(name).to_owned();
        other.set(name, format!("{value}0"));
        assert_eq!(found(&other), "malformed", "{name}");
        let mut twice = both.clone();
        twice.append(name, value);
        assert_eq!(found(&twice), "malformed", "{name} twice");
    }
    // A header of the other spelling alone must say the same as well.
    let one_more = renamed(&hook()).with("webhook-id", "msg_1");
    assert_eq!(found(&one_more), "accept");
    let another = renamed(&hook()).with("webhook-id", "msg_2");
    assert_eq!(found(&another), "malformed");
    // The three are read in one spelling.
    let mut mixed = hook();
    mixed.remove("webhook-id");
    mixed.append("svix-id", "msg_1");
    assert_eq!(found(&mixed), "malformed");
}
