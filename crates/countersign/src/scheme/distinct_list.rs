use std::{collections::HashSet, hash::Hash};

use smallvec::SmallVec;

/// So many are compared one by one, and kept without an allocation. More are found by their hashes,
/// whose key no sender knows: then the work grows with their number and not with its square.
const FEW: usize = 8;

/// What a request lists, in the order of the request, each once.
#[derive(Clone, Debug)]
pub(super) struct DistinctList<T> {
    items: SmallVec<[T; FEW]>,
    /// All of them, once there are more than a few.
    known: Option<HashSet<T>>,
}

/// What is in a list already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeated;

impl<T> Default for DistinctList<T> {
    fn default() -> Self {
        Self {
            items: SmallVec::new(),
            known: None,
        }
    }
}

impl<T: Clone + Eq + Hash> DistinctList<T> {
    /// Adds one at the end, unless an equal one is there.
    #[inline]
    pub(super) fn push(&mut self, item: T) -> Result<(), Repeated> {
        if self.items.len() >= FEW {
            return self.push_to_many(item);
        }
        if self.items.contains(&item) {
            return Err(Repeated);
        }
        self.items.push(item);
        Ok(())
    }

    #[cold]
    fn push_to_many(&mut self, item: T) -> Result<(), Repeated> {
        let items = &self.items;
        let known = self
            .known
            .get_or_insert_with(|| items.iter().cloned().collect());
        if !known.insert(item.clone()) {
            return Err(Repeated);
        }
        self.items.push(item);
        Ok(())
    }
}

impl<T> DistinctList<T> {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
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
