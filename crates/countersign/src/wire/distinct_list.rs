use std::{collections::HashSet, hash::Hash};

use smallvec::SmallVec;

/// So many are compared one by one, and kept without an allocation. More are found by their hashes,
/// whose key no sender knows: then the work grows with their number and not with its square.
const FEW: usize = 8;

/// What a request lists, in the order of the request, each once.
#[derive(Clone, Debug)]
pub(crate) struct DistinctList<T> {
    items: SmallVec<[T; FEW]>,
    /// All of them, once there are more than a few.
    known: Option<HashSet<T>>,
}

/// What is in a list already.
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
    /// Adds one at the end, unless an equal one is there.
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

    /// Adds one of which the caller knows that no equal one is there.
    #[inline]
    pub(crate) fn push_distinct(&mut self, item: T) {
        self.items.push(item);
        if self.items.len() > FEW {
            self.note();
        }
    }

    /// Takes note of the item at the end, and of the others if they are not noted yet.
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
