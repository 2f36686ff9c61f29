use std::{collections::HashSet, hash::Hash};

use smallvec::SmallVec;

/// Up to this number, items are compared one by one and stored without an allocation. More are
/// found by hash, with a key that no sender knows, so that the work grows linearly.
const FEW: usize = 8;

/// Distinct items in the order of the request.
#[derive(Clone, Debug)]
pub(crate) struct DistinctList<T> {
    items: SmallVec<[T; FEW]>,
    /// All items, once there are more than `FEW`.
    known: Option<HashSet<T>>,
}

/// The error for an item that is already in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

impl<T> Default for DistinctList<T> {
    fn default() -> Self {
        Self {
            items: SmallVec::new(),
            known: None,
        }
    }
}

impl<T: Clone + Eq + Hash> DistinctList<T> {
    /// Appends an item, unless an equal one is present.
    #[inline]
    pub(crate) fn push(&mut self, item: T) -> Result<(), Repeated> {
        if self.contains(&item) {
            return Err(Repeated);
        }
        self.push_distinct(item);
        Ok(())
    }

    #[inline]
    pub(crate) fn contains(&self, item: &T) -> bool {
        match &self.known {
            None => self.items.contains(item),
            Some(known) => known.contains(item),
        }
    }

    /// Appends an item. The caller ensures that no equal one is present.
    #[inline]
    pub(crate) fn push_distinct(&mut self, item: T) {
        self.items.push(item);
        if self.items.len() > FEW {
            self.note();
        }
    }

    /// Adds the last item to `known`, and all items if `known` is empty.
    #[cold]
    fn note(&mut self) {
        match &mut self.known {
            None => self.known = Some(self.items.iter().cloned().collect()),
            Some(known) => known.extend(self.items.last().cloned()),
        }
    }
}

impl<T> DistinctList<T> {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_there_already_and_keeps_the_order() {
        for count in 0..3 * FEW {
            let mut list = DistinctList::default();
            for number in (0..count).rev() {
                assert_eq!(list.push(number), Ok(()), "{number} of {count}");
            }
            for number in 0..count {
                assert_eq!(list.push(number), Err(Repeated), "{number} of {count}");
            }
            assert_eq!(list.len(), count);
            assert!(list.iter().copied().eq((0..count).rev()), "{count}");
        }
    }
}
