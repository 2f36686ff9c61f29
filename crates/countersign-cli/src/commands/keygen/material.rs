use base64ct::{Base64, Encoding};
use countersign::{Algorithm, Secret, SigningKey};
use zeroize::Zeroizing;

use crate::{failure::Failure, key_kind::KeyKind};

/// A new key, in the texts that its two sides read.
pub(in crate::commands) struct Material {
    kind: KeyKind,
    callee_text: Zeroizing<String>,
    caller_text: Zeroizing<String>,
    key_id: Option<String>,
    ed25519: Option<(Zeroizing<[u8; 32]>, [u8; 32])>,
}

impl Material {
    /// Makes a key with random bytes of the operating system.
    pub(in crate::commands) fn generate(kind: KeyKind) -> Result<Self, Failure> {
        if kind.algorithm() == Algorithm::Ed25519 {
            return Self::ed25519_of(kind, random()?);
        }
        let text = match kind {
            // 40 characters, as in the secret access keys of AWS. They are no hexadecimal digits,
            // so no reader takes them for bytes.
            KeyKind::SigV4 | KeyKind::Cavage | KeyKind::Drf => {
                let bytes: Zeroizing<[u8; 30]> = random()?;
                Base64::encode_string(&*bytes)
            }
            KeyKind::Webhook => {
                let bytes: Zeroizing<[u8; 32]> = random()?;
                let base64 = Zeroizing::new(Base64::encode_string(&*bytes));
                ["whsec_", base64.as_str()].concat()
            }
            _ => {
                let bytes: Zeroizing<[u8; 32]> = random()?;
                base16ct::lower::encode_string(&*bytes)
            }
        };
        let text = Zeroizing::new(text);
        let key_id = match kind {
            KeyKind::SigV4 => {
                let bytes: Zeroizing<[u8; 8]> = random()?;
                Some(format!("CSGN{}", base16ct::upper::encode_string(&*bytes)))
            }
            _ => None,
        };
        Ok(Self {
            kind,
            callee_text: text.clone(),
            caller_text: text,
            key_id,
            ed25519: None,
        })
    }

    fn ed25519_of(kind: KeyKind, seed: Zeroizing<[u8; 32]>) -> Result<Self, Failure> {
        let key = SigningKey::ed25519(&Secret::from_bytes(&*seed))?.verifying_key();
        // Invariant: an Ed25519 key has a public key.
        let point = *key.public_key().unwrap_or(&[0; 32]);
        let caller_text = if kind == KeyKind::WebhookEd25519 {
            let pair = Zeroizing::new([&seed[..], &point].concat());
            let base64 = Zeroizing::new(Base64::encode_string(&pair));
            ["whsk_", base64.as_str()].concat()
        } else {
            base16ct::lower::encode_string(&*seed)
        };
        Ok(Self {
            kind,
            callee_text: Zeroizing::new(base16ct::lower::encode_string(&point)),
            caller_text: Zeroizing::new(caller_text),
            key_id: None,
            ed25519: Some((seed, point)),
        })
    }

    pub(in crate::commands) fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the name and the value of the key in `[[callers.keys]]`.
    pub(in crate::commands) fn callee_entry(&self) -> (&'static str, &str) {
        let name = match self.kind {
            KeyKind::HmacSha256 | KeyKind::MessageSignatures => "secret_hex",
            KeyKind::SigV4 | KeyKind::Cavage | KeyKind::Drf => "secret_text",
            KeyKind::Webhook => "secret_base64",
            KeyKind::Ed25519
            | KeyKind::MessageSignaturesEd25519
            | KeyKind::WebhookEd25519
            | KeyKind::CavageEd25519 => "ed25519_public_key_hex",
        };
        (name, &self.callee_text)
    }

    /// Returns the text of the key that signs.
    pub(in crate::commands) fn caller_text(&self) -> &str {
        &self.caller_text
    }

    /// Returns the key id in requests, if it is not the caller's name.
    pub(in crate::commands) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the seed and the public key.
    pub(in crate::commands) fn ed25519(&self) -> Option<(&[u8; 32], &[u8; 32])> {
        self.ed25519.as_ref().map(|(seed, point)| (&**seed, point))
    }
}

fn random<const LEN: usize>() -> Result<Zeroizing<[u8; LEN]>, Failure> {
    let mut bytes = Zeroizing::new([0; LEN]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| Failure::unavailable(format_args!("no random bytes: {error}")))?;
    Ok(bytes)
}
