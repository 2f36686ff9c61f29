use base64::{Engine as _, prelude::BASE64_STANDARD};
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Digest, Table};

use crate::crypto::{sha1::Sha1, sha256::Sha256};

/// A checksum of the decoded body, which a trailer carries in Base64.
pub(super) enum Checksum {
    Crc32(Digest<'static, u32, Table<16>>),
    Crc64(Digest<'static, u64, Table<16>>),
    Sha1(Sha1),
    Sha256(Sha256),
}

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64_NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// The names that all checksums of S3 begin with.
pub(super) const PREFIX: &str = "x-amz-checksum-";

impl Checksum {
    /// Begins the checksum of a trailer with this name. `None` if the name is not supported.
    pub(super) fn of_trailer(name: &str) -> Option<Self> {
        Some(match name.strip_prefix(PREFIX)? {
            "crc32" => Self::Crc32(CRC32.digest()),
            "crc32c" => Self::Crc32(CRC32C.digest()),
            "crc64nvme" => Self::Crc64(CRC64_NVME.digest()),
            "sha1" => Self::Sha1(Sha1::default()),
            "sha256" => Self::Sha256(Sha256::new()),
            _ => return None,
        })
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc32(digest) => digest.update(data),
            Self::Crc64(digest) => digest.update(data),
            Self::Sha1(hash) => hash.update(data),
            Self::Sha256(hash) => hash.update(data),
        }
    }

    /// Returns whether `text` is this checksum: big endian, in Base64 with padding.
    pub(super) fn is(self, text: &str) -> bool {
        let found = BASE64_STANDARD.decode(text).ok();
        let expected = match self {
            Self::Crc32(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Crc64(digest) => digest.finalize().to_be_bytes().to_vec(),
            Self::Sha1(hash) => hash.finish().to_vec(),
            Self::Sha256(hash) => hash.finish().to_vec(),
        };
        // A plain comparison: a checksum is no secret.
        found == Some(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the check values of the CRC catalogue for `123456789`, and FIPS 180-4.
    #[test]
    fn each_checksum_has_its_published_check_value() {
        for (name, hex) in [
            ("crc32", "cbf43926"),
            ("crc32c", "e3069283"),
            ("crc64nvme", "ae8b14860a799888"),
            ("sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                "sha256",
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ] {
            let text = BASE64_STANDARD.encode(base16ct::lower::decode_vec(hex).unwrap());
            let checksum = || {
                let mut checksum = Checksum::of_trailer(&format!("{PREFIX}{name}")).unwrap();
                checksum.update(b"1234");
                checksum.update(b"56789");
                checksum
            };
            assert!(checksum().is(&text), "{name}");
            for other in [
                hex.to_owned(),
                text.trim_end_matches('=').to_owned() + "=====",
                text.to_lowercase(),
                String::new(),
            ] {
                assert!(!checksum().is(&other), "{name}: {other}");
            }
            let mut longer = checksum();
            longer.update(b"0");
            assert!(!longer.is(&text), "{name} of other data");
        }
        for unknown in ["x-amz-checksum-md5", "x-amz-checksum-xxhash64", "crc32", ""] {
            assert!(Checksum::of_trailer(unknown).is_none(), "{unknown}");
        }
    }
}
