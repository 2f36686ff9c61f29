use super::Fingerprint;

/// The numbers that make a public key.
pub(super) enum PublicKeyNumbers<'k> {
    Ed25519(&'k [u8; 32]),
    Ec {
        curve: &'static str,
        x: Box<[u8]>,
        y: Box<[u8]>,
    },
    #[cfg(feature = "rsa")]
    Rsa {
        modulus: &'k [u8],
        exponent: &'k [u8],
    },
}

impl PublicKeyNumbers<'_> {
    pub(super) fn of_point(curve: &'static str, field_len: usize, point: &[u8]) -> Self {
        // Invariant: an uncompressed point is a byte and two coordinates.
        let coordinates = point.get(1..).unwrap_or_default();
        let (x, y) = coordinates.split_at_checked(field_len).unwrap_or_default();
        Self::Ec {
            curve,
            x: x.into(),
            y: y.into(),
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Ed25519(key) => Fingerprint::of_public_key(*key),
            Self::Ec { x, y, .. } => Fingerprint::of_public_key(&[&[4], &**x, &**y].concat()),
            #[cfg(feature = "rsa")]
            Self::Rsa { modulus, .. } => Fingerprint::of_public_key(modulus),
        }
    }
}
