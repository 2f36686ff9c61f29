use crate::{
    error::{ConfigError, ConfigErrorKind},
    scheme::{Algorithm, Scheme},
};

/// The fewest bytes that an HMAC key must have without its trailing zeros. A random key has 9
/// trailing zeros once in 2^72.
const MIN_EFFECTIVE_LEN: usize = 24;

/// The block size of HMAC-SHA256 in bytes.
const BLOCK_LEN: usize = 64;

/// The fewest different byte values in a key. 32 random bytes hold fewer than 20 about once in
/// 10^8.
const MIN_DISTINCT: usize = 8;

/// Published keys, which everyone knows: examples from documentation and the published test vectors
/// of the schemes.
const PUBLISHED: [&[u8]; 11] = [
    // Golden vectors 0 to 2 of the scheme: 00 01 02 … 1f.
    &[
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
        0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d,
        0x1e, 0x1f,
    ],
    // The example secret access key of the AWS documentation.
    b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    // The example secret access key of the SigV4 test suite.
    b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    // The placeholder of the Django article.
    b"super-secret-key-from-env",
    // RFC 8032 section 7.1, the seeds of tests 1 and 2.
    &[
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ],
    &[
        0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e,
        0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x5b, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6,
        0xfb, 0xa4,
    ],
    // The examples of the Standard Webhooks specification and its libraries, and Svix's Ed25519
    // example.
    &[
        0x0b, 0x61, 0x55, 0xb0, 0x14, 0x08, 0x86, 0xbb, 0x1c, 0x0a, 0x19, 0x50, 0x20, 0xc5, 0x7e,
        0x6f, 0x9b, 0x12, 0x62, 0xca, 0x68, 0x6f, 0xba, 0x03,
    ],
    &[
        0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08,
        0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
    ],
    &[
        0xe9, 0x76, 0xff, 0x74, 0x27, 0x07, 0xa4, 0xf7, 0x9a, 0xdb, 0x53, 0xd2, 0xd4, 0xdf, 0x55,
        0x63, 0xf3, 0x59, 0x5b, 0xbd, 0xb7, 0x08, 0x47, 0x3b, 0xec, 0xde, 0x2b, 0x24, 0x2b, 0x9b,
        0x31, 0xb7,
    ],
    // RFC 9421 appendix B.1, test-shared-secret and the seed of test-key-ed25519.
    &[
        0xbb, 0x3b, 0xc9, 0x7c, 0x1e, 0x2e, 0xdc, 0xdd, 0x09, 0xcb, 0x84, 0xfb, 0x35, 0x9e, 0xf9,
        0x30, 0x35, 0x5c, 0xaf, 0xcc, 0xd2, 0x4c, 0x89, 0xde, 0x74, 0x9b, 0x64, 0x81, 0xcb, 0xb8,
        0xe9, 0x85, 0xb8, 0x5c, 0x1c, 0xb3, 0x34, 0x98, 0xf1, 0x05, 0xdb, 0x63, 0x52, 0x47, 0x49,
        0x3c, 0x1b, 0x5b, 0x98, 0x78, 0x48, 0x0e, 0x2e, 0xa9, 0x72, 0x5f, 0x23, 0xb1, 0xab, 0x23,
        0x95, 0x33, 0x2d, 0x0d,
    ],
    &[
        0x9f, 0x83, 0x62, 0xf8, 0x7a, 0x48, 0x4a, 0x95, 0x4e, 0x6e, 0x74, 0x0c, 0x5b, 0x4c, 0x0e,
        0x84, 0x22, 0x91, 0x39, 0xa2, 0x0a, 0xa8, 0xab, 0x56, 0xff, 0x66, 0x58, 0x6f, 0x6a, 0x7d,
        0x29, 0xc5,
    ],
];

/// The thumbprints (RFC 7638) of public keys whose private keys are published: anyone who looks one
/// up can sign for them.
const PUBLISHED_THUMBPRINTS: [&str; 20] = [
    // RFC 8032 section 7.1, tests 1 and 2. The first is also that of RFC 8037 appendix A.
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    "FtIu-VbGrfe_KB6CH7GNwODB72MNxj_ml11dEvO-7kk",
    // Svix's example of Ed25519.
    "rEltOPXl-8jZfn0NbO5yMzHDi5e-WdjzkrFUUcp6oIE",
    // RFC 9421 appendix B.1: test-key-rsa, -rsa-pss, -ecc-p256, -ed25519.
    "BHj8s0GPnMEQtkaULIM-PLgEhLBbuGUQ1vMxmBWZzEo",
    "oD0HwocPBSfpNy5W3bpJeyFGY_IQ_YpqxSjQ3Yd-CLA",
    "ydQXMtvbsOsZyFir-Y7A8t7fKEM1gbKPvyFkdpu4fvI",
    "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
    // RFC 7515 appendix A.3.1; RFC 7517 appendix A.2, both; RFC 7520 section 3.4.
    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
    "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI",
    // The test vectors of AdCP, for requests and for webhooks.
    "UzIDv8saQJiAhqGpwv_q3rYCRiDqkoR_6ISmmHffTC0",
    "kYxXVm3IzZuXqYpEcHzUfSHiaCLt1XU9tWDtwBK9YlI",
    "3eGq4Kr63h2gUSD1CmszeL25ipsyVfVR5ZJwzk-c4_8",
    "JoUQQAQt8Exl8R1HSPNa-GICLG89uMxP3nABQ9XengI",
    "YYhIoEIzEuDUDimdho_KDwciVx8epx0X10UtdpCCKgg",
    "O-0pctemIOWm_AYxtgvFbtLK-snekisKoA5LwmDN_sQ",
    "0XL8P7Fzf4FOIzvMbfG5KGFjJ61q_tMK0AoKY7sWW-E",
    "gAI4WdqLIGYcGs0k6BzQacqjUgkO_7HfFk9VOoEG7Sk",
    "bcteWFViCCvEAhy3CCli7kmuTR7Z9APtp6tcnvSker8",
];

/// The reason for which a key is too weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weakness {
    TooShort { len: usize, min: usize },
    TooLong { len: usize, max: usize },
    FewDistinctBytes { distinct: usize },
    Published,
}

impl Weakness {
    pub(crate) fn of_secret(scheme: Scheme, algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let (min, max) = match algorithm {
            Algorithm::HmacSha256 => {
                let lengths = &scheme.definition().secret_len;
                (*lengths.start(), *lengths.end())
            }
            // The length of a private key is checked where it is parsed.
            _ => (0, usize::MAX),
        };
        // HMAC pads a key to its block with zero bytes, so trailing zeros add nothing.
        let effective = match algorithm {
            Algorithm::HmacSha256 if bytes.len() <= BLOCK_LEN => without_zeroes_behind(bytes),
            _ => bytes,
        };
        if PUBLISHED.contains(&effective) {
            return Some(Self::Published);
        }
        let len = bytes.len();
        if len < min {
            return Some(Self::TooShort { len, min });
        }
        if len > max {
            return Some(Self::TooLong { len, max });
        }
        let mut seen = [false; 256];
        for byte in bytes {
            if let Some(seen) = seen.get_mut(usize::from(*byte)) {
                *seen = true;
            }
        }
        let distinct = seen.into_iter().filter(|seen| *seen).count();
        if distinct < MIN_DISTINCT {
            return Some(Self::FewDistinctBytes { distinct });
        }
        let len = effective.len();
        (len < min.min(MIN_EFFECTIVE_LEN)).then_some(Self::TooShort { len, min })
    }

    pub(crate) fn of_public_key(thumbprint: &str) -> Option<Self> {
        PUBLISHED_THUMBPRINTS
            .contains(&thumbprint)
            .then_some(Self::Published)
    }

    pub(crate) fn into_error(self) -> ConfigError {
        let message = match self {
            Self::TooShort { len, min } => {
                format!("weak key: expected at least {min} bytes, found {len}")
            }
            Self::TooLong { len, max } => {
                format!("weak key: expected at most {max} bytes, found {len}")
            }
            Self::FewDistinctBytes { distinct } => format!(
                "weak key: expected at least {MIN_DISTINCT} different byte values, found {distinct}"
            ),
            Self::Published => "weak key: it is a published example".to_owned(),
        };
        ConfigError::new(ConfigErrorKind::WeakKey, message)
    }
}

fn without_zeroes_behind(mut bytes: &[u8]) -> &[u8] {
    while let [start @ .., 0] = bytes {
        bytes = start;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_hmac_keys() {
        let good: Vec<u8> = (100..132).collect();
        let eight = [&[1, 2, 3, 4, 5, 6, 7, 8][..], &[0; 24]].concat();
        let published_and_zero = [PUBLISHED[0], &[0]].concat();
        let mut few = vec![7; 26];
        few.extend(0..6);
        let mut just_enough = vec![7; 25];
        just_enough.extend(0..7);
        for (name, bytes, expected) in [
            ("32 different bytes", &good[..], None),
            (
                "31 bytes",
                &good[..31],
                Some(Weakness::TooShort { len: 31, min: 32 }),
            ),
            ("nothing", &[], Some(Weakness::TooShort { len: 0, min: 32 })),
            (
                "zeroes",
                &[0; 32],
                Some(Weakness::FewDistinctBytes { distinct: 1 }),
            ),
            (
                "seven values",
                &few,
                Some(Weakness::FewDistinctBytes { distinct: 7 }),
            ),
            ("eight values", &just_enough, None),
            (
                "eight bytes and zeroes",
                &eight,
                Some(Weakness::TooShort { len: 8, min: 32 }),
            ),
            (
                "a published key and a zero",
                &published_and_zero,
                Some(Weakness::Published),
            ),
            ("counting up", PUBLISHED[0], Some(Weakness::Published)),
            (
                "a documentation key",
                PUBLISHED[1],
                Some(Weakness::Published),
            ),
        ] {
            assert_eq!(
                Weakness::of_secret(Scheme::HmacSha256, Algorithm::HmacSha256, bytes),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn a_public_key_whose_private_key_is_published_is_weak() {
        let x = "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb";
        let key = crate::VerifyingKey::ed25519_from_hex(x).unwrap();
        assert_eq!(
            key.thumbprint().unwrap(),
            "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
            "test-key-ed25519 of RFC 9421"
        );
        assert!(key.ensure_strong().is_err());
        assert!(key.insecure_allow_weak_key().ensure_strong().is_ok());
    }

    #[test]
    fn judges_ed25519_seeds() {
        assert_eq!(
            Weakness::of_secret(Scheme::Ed25519, Algorithm::Ed25519, PUBLISHED[4]),
            Some(Weakness::Published)
        );
        assert_eq!(
            Weakness::of_secret(Scheme::Ed25519, Algorithm::Ed25519, &[9; 32]),
            Some(Weakness::FewDistinctBytes { distinct: 1 })
        );
    }
}
