//! RFC 9421 in the dialects of agents, of AdCP and of its webhooks.

use countersign::{
    Keyring, MessageSignaturesVerifySettings as Settings, Secret, SigningKey, Verifier,
};
use tests::keys::{SECRET, keyring};

use crate::{Row, table};

const AGENT: &str = "\
GET /account
host: user-service
signature-agent: sig1=\"https://agent.test/keys\"
signature-input: sig1=(\"@authority\" \"signature-agent\";key=\"sig1\");created=1767323045;expires=1767323145;keyid=\"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U\";tag=\"web-bot-auth\"
signature: sig1=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:";

const AGENTS: &[Row] = &[
    (
        "a key id that is no string",
        &[(
            "keyid=\"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U\"",
            "keyid=1",
        )],
        "signature \"sig1\": signature parameter: expected keyid to be a string, found in parameter keyid; it covers @authority, signature-agent;key=sig1",
    ),
    (
        "no member",
        &[(" \"signature-agent\";key=\"sig1\"", "")],
        "signature \"sig1\": expected the member of the header signature-agent under the label to be covered, found covered @authority",
    ),
    (
        "a long life",
        &[("expires=1767323145", "expires=1767423145")],
        "signature \"sig1\": parameter expires: expected 1 to 86400 seconds after created, found another time",
    ),
    (
        "no quotes",
        &[("sig1=\"https://agent.test/keys\"", "sig1=1")],
        "signature \"sig1\": header signature-agent: expected a URL in quotes",
    ),
    (
        "no https",
        &[("https://agent.test/keys", "http://agent.test/keys")],
        "signature \"sig1\": header signature-agent: expected an absolute https URL",
    ),
];

const REQUEST: &str = "\
POST /account
host: user-service
content-type: text/plain
content-digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:
signature-input: sig1=(\"@method\" \"@target-uri\" \"@authority\" \"content-type\" \"content-digest\");created=1767323045;expires=1767323145;nonce=\"AAAAAAAAAAAAAAAAAAAAAA\";keyid=\"billing\";alg=\"ed25519\";tag=\"adcp/request-signing/v1\"
signature: sig1=:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=:";

const REQUESTS: &[Row] = &[
    (
        "a short nonce",
        &[("nonce=\"AAAAAAAAAAAAAAAAAAAAAA\"", "nonce=\"AAAA\"")],
        "signature \"sig1\": parameter nonce: expected at least 16 bytes in unpadded base64url, found 4 characters",
    ),
    (
        "another tag",
        &[("adcp/request-signing/v1", "other")],
        "signature \"sig1\": expected the tag \"adcp/request-signing/v1\", found \"other\"",
    ),
    (
        "two other labels",
        &[
            ("signature-input: sig1=", "signature-input: b=(), a="),
            ("signature: sig1=", "signature: b=:AA==:, a="),
        ],
        "signature-input: expected the label \"sig1\" or one other, found b, a",
    ),
    (
        "a cut escape",
        &[("POST /account", "POST /account%4")],
        "target: expected two digits after each %",
    ),
];

const EMPTY: &[Row] = &[(
    "an empty label of the host",
    &[("host: user-service", "host: a..b")],
    "authority: expected no empty label",
)];

const FORBIDDEN: &[Row] = &[(
    "a digest",
    &[],
    "signature \"sig1\": expected the header content-digest not to be covered, found covered @method, @target-uri, @authority, content-type, content-digest",
)];

const WEB: &[Row] = &[(
    "padding",
    &[("Hh8=:", "Hh8:")],
    "header content-digest: expected unpadded base64url, found more",
)];

fn keys() -> Keyring {
    let secret = Secret::from_hex(SECRET).unwrap();
    keyring("billing", &SigningKey::message_hmac_sha256(&secret))
}

fn verifier(settings: Settings) -> Verifier {
    let builder = Verifier::builder().expected_hosts(["user-service", "a..b"]);
    builder.accept_only(settings).build().unwrap()
}

pub(crate) fn reasons() -> Vec<String> {
    let request = Settings::adcp_request_3_2;
    let forbidden = request().insecure_refuse_signed_content();
    [
        table(&verifier(Settings::web_bot_auth()), &keys(), AGENT, AGENTS),
        table(&verifier(request()), &keys(), REQUEST, REQUESTS),
        table(&verifier(request()), &keys(), REQUEST, EMPTY),
        table(&verifier(forbidden), &keys(), REQUEST, FORBIDDEN),
        table(
            &verifier(Settings::adcp_request_3_1()),
            &keys(),
            REQUEST,
            WEB,
        ),
    ]
    .concat()
}
