use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign::KeyId;

use super::body_limits::BodyLimits;

/// How many callers keep their account while they hold nothing, so that it need not be made anew for every request.
const ACCOUNTS_KEPT: usize = 64;

/// The memory that request bodies may use: all together, and those of one caller.
#[derive(Clone)]
pub(super) struct BodyBudget(Arc<Shared>);

struct Shared {
    total_limit: u64,
    caller_limit: u64,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    total: u64,
    by_caller: HashMap<Option<KeyId>, u64>,
}

impl BodyBudget {
    pub(super) fn new(limits: &BodyLimits) -> Self {
        Self::with_limits(limits.total_bytes, limits.caller_bytes)
    }

    /// The budget for the bodies of peers that have proven nothing yet, whom there is no telling apart.
    pub(super) fn unauthenticated(limits: &BodyLimits) -> Self {
        let total = limits.unauthenticated_total_bytes;
        Self::with_limits(total, total)
    }

    fn with_limits(total_limit: u64, caller_limit: u64) -> Self {
        Self(Arc::new(Shared {
            total_limit,
            caller_limit,
            used: Mutex::default(),
        }))
    }

    /// Opens an account for one body. It holds nothing until it grows.
    pub(super) fn open(&self, caller: &KeyId) -> Reservation {
        Reservation {
            budget: self.clone(),
            caller: Some(caller.clone()),
            bytes: 0,
        }
    }

    /// The same for a peer that is nobody yet.
    pub(super) fn open_for_nobody(&self) -> Reservation {
        Reservation {
            budget: self.clone(),
            caller: None,
            bytes: 0,
        }
    }
}

impl Shared {
    /// Sums are whole after a panic too: each change is one assignment a field.
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of one body, given back when it is dropped.
pub(crate) struct Reservation {
    budget: BodyBudget,
    caller: Option<KeyId>,
    bytes: u64,
}

impl Reservation {
    /// Takes `bytes` more; `false`, and nothing taken, if there is no room.
    pub(super) fn grow(&mut self, bytes: u64) -> bool {
        if bytes == 0 {
            return true;
        }
        let shared = &self.budget.0;
        let used = &mut *shared.used();
        let total = used.total.saturating_add(bytes);
        let of_caller = used.by_caller.get_mut(&self.caller);
        let with_these = of_caller.as_ref().map_or(0, |used| **used);
        let with_these = with_these.saturating_add(bytes);
        if total > shared.total_limit || with_these > shared.caller_limit {
            return false;
        }
        match of_caller {
            Some(of_caller) => *of_caller = with_these,
            None => {
                used.by_caller.insert(self.caller.clone(), with_these);
            }
        }
        used.total = total;
        self.bytes = self.bytes.saturating_add(bytes);
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let used = &mut *self.budget.0.used();
        used.total = used.total.saturating_sub(self.bytes);
        if let Some(of_caller) = used.by_caller.get_mut(&self.caller) {
            *of_caller = of_caller.saturating_sub(self.bytes);
            if *of_caller == 0 && used.by_caller.len() > ACCOUNTS_KEPT {
                used.by_caller.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_taken() {
        let limits = BodyLimits::default()
            .with_total_bytes(10)
            .with_caller_bytes(6);
        let budget = BodyBudget::new(&limits);
        let (a, b) = (KeyId::new("a").unwrap(), KeyId::new("b").unwrap());

        let mut first = budget.open(&a);
        assert!(first.grow(0), "nothing takes no account");
        assert!(budget.0.used().by_caller.is_empty());
        assert!(first.grow(4) && first.grow(2));
        assert!(!first.grow(1), "over the caller's share");
        let mut second = budget.open(&b);
        assert!(second.grow(4), "another caller has its own share");
        assert!(!second.grow(1), "over the total");
        drop(first);
        assert!(second.grow(2), "what was given back can be taken");
        drop(second);
        assert_eq!(budget.0.used().total, 0);
        assert!(budget.0.used().by_caller.values().all(|bytes| *bytes == 0));
    }

    #[test]
    fn a_caller_who_holds_something_keeps_its_account_among_however_many() {
        let limits = BodyLimits::default().with_caller_bytes(6);
        let budget = BodyBudget::new(&limits);
        let callers = (0..=2 * ACCOUNTS_KEPT).map(|number| KeyId::new(&number.to_string()));
        let open: Vec<_> = callers
            .map(|caller| {
                let caller = caller.unwrap();
                let (mut kept, mut given_back) = (budget.open(&caller), budget.open(&caller));
                assert!(kept.grow(4) && given_back.grow(2));
                (caller, kept, given_back)
            })
            .collect();
        for (caller, _kept, given_back) in open {
            drop(given_back);
            assert!(!budget.open(&caller).grow(3), "over the caller's share");
            assert!(budget.open(&caller).grow(2));
        }
    }

    #[test]
    fn callers_who_hold_nothing_do_not_pile_up() {
        let budget = BodyBudget::new(&BodyLimits::default());
        for number in 0..=2 * ACCOUNTS_KEPT {
            let caller = KeyId::new(&number.to_string()).unwrap();
            assert!(budget.open(&caller).grow(1));
        }
        assert_eq!(budget.0.used().by_caller.len(), ACCOUNTS_KEPT);
    }
}
