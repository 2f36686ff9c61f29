use subtle::ConstantTimeEq as _;

/// Returns whether two texts are equal, in a time that depends on their lengths alone.
#[inline]
pub(crate) fn constant_time_eq(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}
