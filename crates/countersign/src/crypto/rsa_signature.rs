//! RSA signatures (RFC 8017), of which this crate only verifies: RSASSA-PSS with SHA-512, and
//! RSASSA-PKCS1-v1_5 with SHA-256.
//!
//! Verification uses the public key alone. The timing attack of RUSTSEC-2023-0071 (Marvin) is on
//! the private key, which never is in this process.

use rsa::{BoxedUint, sha2};

/// The accepted lengths of a modulus in bits.
pub(crate) const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A key that verifies.
#[derive(Clone)]
pub(crate) struct PublicKey {
    key: rsa::PublicKey,
    /// Big-endian, without zeros in front.
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
}

/// The reason for which two numbers are no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidPublicKey {
    /// Found this number of bits.
    Modulus(usize),
    EvenModulus,
    /// Even, below 3 or above 2^33 - 1.
    Exponent,
}

impl PublicKey {
    /// Makes the key from its two numbers, big-endian. Zeros in front do not count.
    pub(crate) fn from_numbers(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidPublicKey> {
        let [modulus, exponent] = [modulus, exponent].map(without_zeros_in_front);
        let bits = bits_of(modulus);
        if !MODULUS_BITS.contains(&bits) {
            return Err(InvalidPublicKey::Modulus(bits));
        }
        if modulus.last().is_none_or(|last| last.is_multiple_of(2)) {
            return Err(InvalidPublicKey::EvenModulus);
        }
        // A longer exponent only makes the work of a verifier longer.
        if exponent.len() > 8
            || exponent.last().is_none_or(|last| last.is_multiple_of(2))
            || exponent == [1]
        {
            return Err(InvalidPublicKey::Exponent);
        }
        let [n, e] = [modulus, exponent].map(BoxedUint::from_be_slice_vartime);
        let key = rsa::PublicKey::new_with_size_limits(n, e, MODULUS_BITS)
            .map_err(|_| InvalidPublicKey::Exponent)?;
        Ok(Self {
            key,
            modulus: modulus.into(),
            exponent: exponent.into(),
        })
    }

    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    pub(crate) fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// Verifies RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.
    pub(crate) fn verify_pss_sha512(&self, message: &[u8], signature: &[u8]) -> bool {
        self.has_length_of(signature)
            && self
                .key
                .pss_verify::<sha2::Sha512>(message, signature)
                .is_ok()
    }

    /// Verifies RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn verify_v1_5_sha256(&self, message: &[u8], signature: &[u8]) -> bool {
        self.has_length_of(signature)
            && self
                .key
                .pkcs1v15_verify::<sha2::Sha256>(message, signature)
                .is_ok()
    }

    /// A signature is as long as the modulus (RFC 8017 section 8.1.2 step 1).
    fn has_length_of(&self, signature: &[u8]) -> bool {
        signature.len() == self.modulus.len()
    }
}

/// Reads the modulus and the exponent of an RSAPublicKey (RFC 8017 appendix A.1.1) in DER.
#[cfg(feature = "pem")]
pub(crate) fn numbers_of_der(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = rsa::pkcs1::RsaPublicKeyRef::try_from(bytes).ok()?;
    Some((
        key.modulus.as_bytes().into(),
        key.public_exponent.as_bytes().into(),
    ))
}

fn without_zeros_in_front(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

/// Returns the length of a number without zeros in front, in bits.
fn bits_of(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |first| {
        usize::try_from(first.leading_zeros()).unwrap_or(0)
    });
    number.len().saturating_mul(8).saturating_sub(zeros)
}
