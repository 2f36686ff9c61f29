use super::Algorithm;

/// A set of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AlgorithmSet(u8);

impl AlgorithmSet {
    pub(crate) const ALL: Self = Self::of(Algorithm::ALL);

    /// Those whose verifying key cannot sign.
    pub(crate) const ASYMMETRIC: Self = Self(Self::ALL.0 & !Self::of(&[Algorithm::HmacSha256]).0);

    pub(crate) const fn of(algorithms: &[Algorithm]) -> Self {
        let mut bits = 0;
        let mut rest = algorithms;
        while let [first, others @ ..] = rest {
            bits |= 1 << first.position();
            rest = others;
        }
        Self(bits)
    }

    #[inline]
    pub(crate) const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm.position()) != 0
    }

    /// Returns the only algorithm of the set, if it has one.
    pub(crate) fn single(self) -> Option<Algorithm> {
        let mut own = Algorithm::ALL
            .iter()
            .copied()
            .filter(|one| self.contains(*one));
        own.next().filter(|_| own.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_it_was_made_of() {
        for one in Algorithm::ALL {
            let set = AlgorithmSet::of(&[*one]);
            assert_eq!(set.single(), Some(*one));
            for other in Algorithm::ALL {
                assert_eq!(set.contains(*other), one == other);
            }
            assert!(AlgorithmSet::ALL.contains(*one));
            let is_asymmetric = *one != Algorithm::HmacSha256;
            assert_eq!(AlgorithmSet::ASYMMETRIC.contains(*one), is_asymmetric);
        }
        assert_eq!(AlgorithmSet::ALL.single(), None);
    }
}
