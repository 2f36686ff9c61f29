//! The dialects of RFC 9421, each as a value of the settings. Where a dialect has versions, the
//! version is in the name: a service that follows a new one says so.

use std::time::Duration;

use http::header::HeaderName;

use super::{
    SIGNATURE_AGENT,
    component_id::ComponentId,
    message::UriScheme,
    rules::{
        Bytes, Choice, Content, Counts, KeyIdForm, NonceForm, ParamSet, Required, TargetUri, Times,
        When,
    },
    sign::{AlgParam, MessageSignaturesSignSettings, NonceParam},
    structured_field::StructuredType,
    verify_settings::{MessageSignaturesVerifySettings, known_fields},
};
use crate::{
    error::{Reason, reason},
    families::{Decides, Freshness, Requirements},
    scheme::{Algorithm, AlgorithmSet},
    timestamp::Timestamp,
};

/// The components that every signature covers by default.
pub(super) const DEFAULT_COMPONENTS: [ComponentId<'static>; 4] = [
    ComponentId::METHOD,
    ComponentId::AUTHORITY,
    ComponentId::PATH,
    ComponentId::QUERY,
];

/// Returns the components that a signer covers by default.
pub(super) fn signed_components() -> Vec<Required> {
    let always = DEFAULT_COMPONENTS.map(Required::always);
    always
        .into_iter()
        .chain([
            Required::new(ComponentId::CONTENT_TYPE, When::IfPresent),
            Required::new(ComponentId::CONTENT_ENCODING, When::IfPresent),
            Required::new(ComponentId::CONTENT_DIGEST, When::IfContent),
        ])
        .collect()
}

/// The components of curl without `--httpsig-headers`.
fn curl_components() -> Vec<Required> {
    vec![
        Required::always(ComponentId::METHOD),
        Required::always(ComponentId::AUTHORITY),
        Required::always(ComponentId::PATH),
        Required::new(ComponentId::QUERY, When::IfQuery),
    ]
}

fn adcp_components() -> Vec<Required> {
    vec![
        Required::always(ComponentId::METHOD),
        Required::always(ComponentId::TARGET_URI),
        Required::always(ComponentId::AUTHORITY),
        Required::new(ComponentId::CONTENT_TYPE, When::IfContent),
    ]
}

const ADCP_LIFETIME: Duration = Duration::from_secs(300);
const ADCP_SKEW: Duration = Duration::from_secs(60);
const ADCP_REQUEST: &str = "adcp/request-signing/v1";
const ADCP_WEBHOOK: &str = "adcp/webhook-signing/v1";
const WEB_BOT_AUTH: &str = "web-bot-auth";

fn agent_fields() -> Vec<(HeaderName, StructuredType)> {
    let mut fields = known_fields();
    fields.push((SIGNATURE_AGENT.clone(), StructuredType::Dictionary));
    fields
}

/// # Dialects
impl MessageSignaturesVerifySettings {
    /// Returns the strictest settings. The same as [`new`](Self::new).
    pub fn strict() -> Self {
        let always = DEFAULT_COMPONENTS.map(Required::always).into_iter();
        let encoding = Required::new(ComponentId::CONTENT_ENCODING, When::IfPresent);
        Self {
            required: always.chain([encoding]).collect(),
            counts: Counts::WhatBinds,
            tag: None,
            choice: Choice::OnlyOne,
            params: ParamSet::CREATED.with(ParamSet::KEYID),
            times: Times::Window,
            nonce: Decides::Key,
            nonce_form: NonceForm::Text,
            key_id_form: KeyIdForm::Name,
            algorithms: AlgorithmSet::ALL,
            agent: None,
            content: Content::Signed,
            content_type: Decides::Key,
            signature_bytes: Bytes::Base64,
            digest_bytes: Bytes::Base64,
            target_uri: TargetUri::AsSent,
            scheme: None,
            structured_fields: known_fields(),
        }
    }

    /// Returns the settings for `curl --httpsig-algo …` (8.22 and later, an experimental build).
    ///
    /// | rule | `curl` | [`strict`](Self::strict) |
    /// |---|---|---|
    /// | `"@query"` | covered if the target has a `?` | covered |
    /// | `content-type`, `content-encoding` | may be left uncovered | covered if present |
    /// | `nonce` | not asked | as the key's rule says |
    /// | `keyid` | any string of 1 to 256 characters | a [`KeyId`](crate::KeyId) |
    /// | `alg` | required | optional |
    ///
    /// curl sends no nonce: a captured request can be sent again until its date is too old. It has
    /// no digest, so a body needs a `Content-Digest` by `-H`, which is covered by
    /// `--httpsig-headers`, or
    /// [`insecure_allow_unsigned_content`](Self::insecure_allow_unsigned_content). curl signs
    /// `Host` with the capital letters and the default port that it was given; such a request
    /// verifies nowhere.
    ///
    /// Source: curl 8.22, `lib/http_httpsig.c`.
    pub fn curl() -> Self {
        Self {
            required: curl_components(),
            params: ParamSet::CREATED.with(ParamSet::KEYID).with(ParamSet::ALG),
            nonce: Decides::NotAsked,
            key_id_form: KeyIdForm::Text,
            algorithms: AlgorithmSet::of(&[Algorithm::HmacSha256, Algorithm::Ed25519]),
            content_type: Decides::NotAsked,
            ..Self::strict()
        }
    }

    /// Returns the settings for agents that sign by Web Bot Auth
    /// (draft-ietf-webbotauth-httpsig-protocol-01).
    ///
    /// | rule | `web_bot_auth` | [`strict`](Self::strict) |
    /// |---|---|---|
    /// | components | `"@authority"` or `"@target-uri"`, the agent's member | four, and the body |
    /// | `tag` | `web-bot-auth` | any |
    /// | `created`, `expires` | both, at most 24 hours apart; 60 s of skew | the window |
    /// | `nonce` | not asked | as the key's rule says |
    /// | `keyid` | a JWK thumbprint | a [`KeyId`](crate::KeyId) |
    /// | algorithms | all but `hmac-sha256` | all |
    ///
    /// # The key id
    ///
    /// A key is known by its publisher and its thumbprint. The key id of a request is the URL of
    /// `Signature-Agent` without its query, a space, and the thumbprint:
    /// `https://agent.example/keys poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U`. A request without
    /// a usable `Signature-Agent` has the thumbprint alone. `Jwk` computes thumbprints. If the
    /// store does not know the key id, the agent is unknown; its signature may still be good.
    ///
    /// # Attack
    ///
    /// Method, path, query and body need not be covered, and nothing detects a replay: anyone who
    /// sees a request can send another one to the same host until `expires`. Ask for more where a
    /// request has an effect: [`with_required_component`](Self::with_required_component).
    pub fn web_bot_auth() -> Self {
        Self {
            required: vec![Required::always(ComponentId::AUTHORITY)],
            tag: Some(WEB_BOT_AUTH.into()),
            params: ParamSet::CREATED
                .with(ParamSet::EXPIRES)
                .with(ParamSet::KEYID),
            times: Times::Stated {
                longest: Duration::from_secs(24 * 60 * 60),
                ahead: Duration::from_secs(60),
                grace: Duration::ZERO,
            },
            nonce: Decides::NotAsked,
            key_id_form: KeyIdForm::Thumbprint,
            algorithms: AlgorithmSet::ASYMMETRIC,
            agent: Some(SIGNATURE_AGENT.clone()),
            content: Content::SignedIfCovered,
            content_type: Decides::NotAsked,
            structured_fields: agent_fields(),
            ..Self::strict()
        }
    }

    /// Returns the settings for requests of AdCP 3.2.
    ///
    /// | rule | `adcp_request_3_2` | [`strict`](Self::strict) |
    /// |---|---|---|
    /// | components | method, URI, authority; a body's type and digest | four, and the body |
    /// | what counts | each component itself | also one that holds it |
    /// | which signature | that of `sig1`, else the only one | the only one that covers enough |
    /// | `tag` | `adcp/request-signing/v1` | any |
    /// | parameters | all six | `created`, `keyid`, and `nonce` by the key's rule |
    /// | `created`, `expires` | at most 300 s apart; 60 s of skew | the window |
    /// | `nonce` | at least 16 bytes in unpadded base64url | 1 to 256 characters |
    /// | algorithms | `ed25519`, `ecdsa-p256-sha256` | all |
    /// | `"@target-uri"` | in normal form (RFC 3986 section 6.2) | as sent |
    ///
    /// The scheme of `"@target-uri"` is `https`, or that of [`with_scheme`](Self::with_scheme). A
    /// signed path in normal form may hold `..`, from `%2e%2e`: route by what was sent.
    ///
    /// Source: AdCP, `docs/building/by-layer/L1/security.mdx` (August 2026).
    pub fn adcp_request_3_2() -> Self {
        Self {
            required: adcp_components(),
            counts: Counts::WhatIsListed,
            tag: Some(ADCP_REQUEST.into()),
            choice: Choice::Label("sig1"),
            params: ParamSet::CREATED
                .with(ParamSet::EXPIRES)
                .with(ParamSet::NONCE)
                .with(ParamSet::KEYID)
                .with(ParamSet::ALG),
            times: Times::Stated {
                longest: ADCP_LIFETIME,
                ahead: ADCP_SKEW,
                grace: ADCP_SKEW,
            },
            nonce: Decides::NotAsked,
            nonce_form: NonceForm::Base64Url,
            key_id_form: KeyIdForm::Text,
            algorithms: AlgorithmSet::of(&[Algorithm::Ed25519, Algorithm::EcdsaP256Sha256]),
            content_type: Decides::NotAsked,
            target_uri: TargetUri::Normalized,
            scheme: Some(UriScheme::Https),
            ..Self::strict()
        }
    }

    /// Returns the settings for requests of AdCP 3.0 and 3.1, whose byte sequences are unpadded
    /// base64url. Otherwise as [`adcp_request_3_2`](Self::adcp_request_3_2).
    ///
    /// This is the rule `required` for digests. For `either` call
    /// [`insecure_allow_unsigned_content`](Self::insecure_allow_unsigned_content), and for
    /// `forbidden` [`insecure_refuse_signed_content`](Self::insecure_refuse_signed_content).
    pub fn adcp_request_3_1() -> Self {
        Self {
            signature_bytes: Bytes::Base64Url,
            digest_bytes: Bytes::Base64Url,
            ..Self::adcp_request_3_2()
        }
    }

    /// Returns the settings for webhooks of AdCP: as
    /// [`adcp_request_3_1`](Self::adcp_request_3_1), with the tag `adcp/webhook-signing/v1`. Its
    /// signatures are in unpadded base64url and its digests in Base64, as in AdCP's vectors.
    pub fn adcp_webhook() -> Self {
        Self {
            tag: Some(ADCP_WEBHOOK.into()),
            digest_bytes: Bytes::Base64,
            ..Self::adcp_request_3_1()
        }
    }

    /// Refuses a signature that covers `content-digest`, as AdCP 3.0 and 3.1 do with the rule
    /// `forbidden`.
    ///
    /// # Attack
    ///
    /// Anyone who sees a request can resend it with another body.
    pub fn insecure_refuse_signed_content(mut self) -> Self {
        self.content = Content::NeverCovered;
        self
    }

    /// Returns the times at which a signature with these dates is accepted.
    pub(super) fn freshness(
        &self,
        created: i64,
        expires: Option<i64>,
        requirements: &Requirements,
    ) -> Result<Freshness, Reason> {
        let signed_at = Timestamp::from_unix_seconds(created);
        let ends = expires.map(Timestamp::from_unix_seconds);
        match (self.times, ends) {
            (Times::Window | Times::Stated { .. }, None) => {
                Ok(requirements.freshness("created", signed_at))
            }
            (Times::Window, Some(ends)) => Ok(requirements
                .freshness("created", signed_at)
                .not_after("created and expires", ends)),
            (
                Times::Stated {
                    longest,
                    ahead,
                    grace,
                },
                Some(ends),
            ) => {
                if ends <= signed_at || ends > signed_at.saturating_add(longest) {
                    return Err(reason!(
                        "parameter expires: expected 1 to {} seconds after created, found another \
                         time",
                        longest.as_secs()
                    ));
                }
                let until = ends.saturating_add(grace);
                Ok(Freshness::until("expires", signed_at, ahead, until))
            }
        }
    }
}

/// # Dialects
impl MessageSignaturesSignSettings {
    /// Signs as `curl --httpsig-algo …` does: `created`, `keyid` and `alg`, no nonce, and
    /// `content-digest` with a body.
    ///
    /// # Attack
    ///
    /// Without a nonce, a captured request can be sent again until its date is too old.
    pub fn insecure_as_curl(mut self) -> Self {
        self.components = curl_components();
        let digest = Required::new(ComponentId::CONTENT_DIGEST, When::IfContent);
        self.components.push(digest);
        self.nonce = NonceParam::LeftOut;
        self.alg = AlgParam::Sent;
        self
    }

    /// Signs by Web Bot Auth (draft-ietf-webbotauth-httpsig-protocol-01): the default components,
    /// and the member of `Signature-Agent` under the [label](Self::with_label), `sig1` by default.
    /// The application sets that field, such as `sig1="https://agent.example/keys"`, and gives the
    /// key's [thumbprint](crate::VerifyingKey::thumbprint) as key id.
    pub fn for_web_bot_auth(mut self) -> Self {
        self.tag = Some(WEB_BOT_AUTH.into());
        self.expires_in = Some(Duration::from_secs(300));
        self.agent = Some(SIGNATURE_AGENT.clone());
        self.structured_fields = agent_fields();
        self
    }

    /// Signs a request of AdCP 3.2. See
    /// [`adcp_request_3_2`](MessageSignaturesVerifySettings::adcp_request_3_2).
    pub fn for_adcp_request_3_2(mut self) -> Self {
        self.components = adcp_components();
        let digest = Required::new(ComponentId::CONTENT_DIGEST, When::IfContent);
        self.components.push(digest);
        self.tag = Some(ADCP_REQUEST.into());
        self.expires_in = Some(ADCP_LIFETIME);
        self.alg = AlgParam::Sent;
        self.target_uri = TargetUri::Normalized;
        self.scheme = Some(UriScheme::Https);
        self
    }

    /// Signs a request of AdCP 3.0 or 3.1. See
    /// [`adcp_request_3_1`](MessageSignaturesVerifySettings::adcp_request_3_1).
    pub fn for_adcp_request_3_1(mut self) -> Self {
        self = self.for_adcp_request_3_2();
        self.signature_bytes = Bytes::Base64Url;
        self.digest_bytes = Bytes::Base64Url;
        self
    }

    /// Signs a webhook of AdCP. See
    /// [`adcp_webhook`](MessageSignaturesVerifySettings::adcp_webhook).
    pub fn for_adcp_webhook(mut self) -> Self {
        self = self.for_adcp_request_3_1();
        self.tag = Some(ADCP_WEBHOOK.into());
        self.digest_bytes = Bytes::Base64;
        self
    }
}
