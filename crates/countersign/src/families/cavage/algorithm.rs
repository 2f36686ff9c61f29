//! The parameter `algorithm` (draft-cavage-http-signatures-12 appendix E.2).

use crate::scheme::Algorithm;

/// The name that leaves the algorithm to the key.
const HS2019: &str = "hs2019";

const HMAC_SHA256: &str = "hmac-sha256";

/// Returns whether the parameter agrees with a key of this algorithm. Never chooses one.
pub(super) fn agrees(named: Option<&str>, algorithm: Algorithm) -> bool {
    match named {
        None | Some(HS2019) => true,
        Some(named) => older_names(algorithm).contains(&named),
    }
}

/// Returns the names from before `hs2019`.
const fn older_names(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::HmacSha256 => &[HMAC_SHA256],
        // The second is that of npm's http-signature: Ed25519 hashes with SHA-512 itself.
        Algorithm::Ed25519 => &["ed25519", "ed25519-sha512"],
        Algorithm::RsaV15Sha256 => &["rsa-sha256"],
        Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 | Algorithm::RsaPssSha512 => &[],
    }
}

/// Returns the name that a signer sends with a key of this algorithm. Gateways know no `hs2019`,
/// which with a secret means HMAC with SHA-512.
pub(super) const fn sent_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HmacSha256 => HMAC_SHA256,
        _ => HS2019,
    }
}

/// Returns whether `(created)` and `(expires)` must not be covered under this name (section 2.3).
pub(super) fn forbids_times(named: &str) -> bool {
    ["rsa", "hmac", "ecdsa"]
        .iter()
        .any(|prefix| named.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_agrees_with_the_keys_of_one_algorithm_and_hs2019_with_all() {
        let keys = [
            Algorithm::HmacSha256,
            Algorithm::Ed25519,
            Algorithm::RsaV15Sha256,
        ];
        for algorithm in keys {
            assert!(agrees(None, algorithm));
            assert!(agrees(Some("hs2019"), algorithm));
            for (named, of) in ["hmac-sha256", "ed25519", "rsa-sha256"].iter().zip(keys) {
                assert_eq!(agrees(Some(named), algorithm), of == algorithm, "{named}");
            }
            assert_eq!(
                agrees(Some("ed25519-sha512"), algorithm),
                algorithm == Algorithm::Ed25519
            );
            assert!(agrees(Some(sent_name(algorithm)), algorithm));
            for other in [
                "",
                "HS2019",
                "hmac",
                "hmac-sha1",
                "rsa-sha1",
                "ecdsa-sha256",
            ] {
                assert!(!agrees(Some(other), algorithm), "{other}");
            }
        }
    }

    #[test]
    fn the_older_names_have_no_times() {
        for (named, forbids) in [
            ("rsa-sha256", true),
            ("hmac-sha256", true),
            ("ecdsa-sha256", true),
            ("hs2019", false),
            ("ed25519", false),
        ] {
            assert_eq!(forbids_times(named), forbids, "{named}");
        }
    }
}
