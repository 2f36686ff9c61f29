use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign::KeyId;

use super::{body_limits::BodyLimits, peer::Peer};

/// The number of idle accounts that are kept, so that not every request has to create one.
const ACCOUNTS_KEPT: usize = 64;

/// The longest body, in bytes, that may use the half that is reserved for small bodies.
pub(super) const SMALL: u64 = 16 * 1024;

/// The memory that request bodies may use: in total, and for each holder.
#[derive(Clone)]
pub(super) struct BodyBudget(Arc<Shared>);

struct Shared {
    total: Room,
    share: Room,
    used: Mutex<Used>,
}

/// A limit in bytes, a part of which may be reserved for small bodies.
struct Room {
    limit: u64,
    for_large: u64,
    setting: &'static str,
}

#[derive(Default)]
struct Used {
    total: u64,
    by_holder: HashMap<Holder, u64>,
}

/// The holder that the memory of a body counts towards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// A verified caller.
    Caller(KeyId),
    /// An unauthenticated peer.
    Peer(Peer),
}

/// The size of a body, by the bytes received and declared up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Large,
}

/// The limit is reached.
#[derive(Debug)]
pub(super) struct Full {
    bytes: u64,
    setting: &'static str,
}

impl Full {
    /// For a body without an account, which may hold no memory.
    pub(super) const fn nothing_reserved() -> Self {
        Self {
            bytes: 0,
            setting: "VerifyLayer::with_body_limits",
        }
    }
}

impl BodyBudget {
    /// Returns the budget for bodies of verified callers.
    pub(super) fn new(limits: &BodyLimits) -> Self {
        Self::with(
            Room::all(limits.total_bytes, "BodyLimits::with_total_bytes"),
            Room::all(limits.caller_bytes, "BodyLimits::with_caller_bytes"),
        )
    }

    /// Returns the budget for bodies of unauthenticated peers.
    pub(super) fn unauthenticated(limits: &BodyLimits) -> Self {
        let total = limits.unauthenticated_total_bytes;
        let peer = limits.unauthenticated_peer_bytes.min(total);
        Self::with(
            Room::half(total, "BodyLimits::with_unauthenticated_total_bytes"),
            Room::half(peer, "BodyLimits::with_unauthenticated_peer_bytes"),
        )
    }

    /// Returns the budget for bodies in files.
    pub(super) fn on_disk(total: u64, caller: u64) -> Self {
        Self::with(
            Room::all(total, "SpillLimits::with_total_bytes"),
            Room::all(caller, "SpillLimits::with_caller_bytes"),
        )
    }

    fn with(total: Room, share: Room) -> Self {
        Self(Arc::new(Shared {
            total,
            share,
            used: Mutex::default(),
        }))
    }

    /// Opens an account for one body, with no bytes yet.
    pub(super) fn open(&self, holder: Holder) -> Reservation {
        Reservation {
            budget: self.clone(),
            holder,
            bytes: 0,
        }
    }
}

impl Room {
    const fn all(limit: u64, setting: &'static str) -> Self {
        Self {
            limit,
            for_large: limit,
            setting,
        }
    }

    /// Reserves one half for small bodies.
    const fn half(limit: u64, setting: &'static str) -> Self {
        Self {
            limit,
            for_large: limit.saturating_sub(limit / 2),
            setting,
        }
    }

    fn ensure(&self, used: u64, size: Size) -> Result<(), Full> {
        let bytes = match size {
            Size::Small => self.limit,
            Size::Large => self.for_large,
        };
        if used <= bytes {
            return Ok(());
        }
        Err(Full {
            bytes,
            setting: self.setting,
        })
    }
}

impl Shared {
    /// The sums are consistent even after a panic: each change is one assignment to each field.
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, setting } = self;
        write!(f, "all {bytes} bytes are in use (see {setting})")
    }
}

/// The bytes of one body. Dropping it releases them.
pub(crate) struct Reservation {
    budget: BodyBudget,
    holder: Holder,
    bytes: u64,
}

impl Reservation {
    /// Reserves `bytes` more for a body of this size. Reserves nothing if the limit is reached.
    pub(super) fn grow(&mut self, bytes: u64, size: Size) -> Result<(), Full> {
        if bytes == 0 {
            return Ok(());
        }
        let shared = &self.budget.0;
        let used = &mut *shared.used();
        let total = used.total.saturating_add(bytes);
        let of_holder = used.by_holder.get_mut(&self.holder);
        let with_these = of_holder.as_ref().map_or(0, |used| **used);
        let with_these = with_these.saturating_add(bytes);
        shared.share.ensure(with_these, size)?;
        shared.total.ensure(total, size)?;
        match of_holder {
            Some(of_holder) => *of_holder = with_these,
            None => {
                used.by_holder.insert(self.holder.clone(), with_these);
            }
        }
        used.total = total;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Reserves exactly `bytes` from now on. Changes nothing if the limit is reached.
    pub(super) fn resize(&mut self, bytes: u64, size: Size) -> Result<(), Full> {
        self.release(self.bytes.saturating_sub(bytes));
        self.grow(bytes.saturating_sub(self.bytes), size)
    }

    fn release(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let used = &mut *self.budget.0.used();
        used.total = used.total.saturating_sub(bytes);
        if let Some(of_holder) = used.by_holder.get_mut(&self.holder) {
            *of_holder = of_holder.saturating_sub(bytes);
            if *of_holder == 0 && used.by_holder.len() > ACCOUNTS_KEPT {
                used.by_holder.remove(&self.holder);
            }
        }
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Holder {
        Holder::Caller(KeyId::new(name).unwrap())
    }

    fn peer(last: u8) -> Holder {
        Holder::Peer(Peer::Ipv4([192, 0, 2, last].into()))
    }

    fn grows(reservation: &mut Reservation, bytes: u64) -> bool {
        reservation.grow(bytes, Size::Large).is_ok()
    }

    #[test]
    fn dropping_a_reservation_releases_its_bytes() {
        let limits = BodyLimits::default()
            .with_total_bytes(10)
            .with_caller_bytes(6);
        let budget = BodyBudget::new(&limits);
        let (a, b) = (caller("a"), caller("b"));

        let mut first = budget.open(a);
        assert!(grows(&mut first, 0), "no bytes need no account");
        assert!(budget.0.used().by_holder.is_empty());
        assert!(grows(&mut first, 4) && grows(&mut first, 2));
        assert!(!grows(&mut first, 1), "over the caller's share");
        let mut second = budget.open(b);
        assert!(grows(&mut second, 4), "another caller has its own share");
        assert!(!grows(&mut second, 1), "over the total");
        drop(first);
        assert!(grows(&mut second, 2), "released bytes can be reserved");
        drop(second);
        assert_eq!(budget.0.used().total, 0);
        assert!(budget.0.used().by_holder.values().all(|bytes| *bytes == 0));
    }

    #[test]
    fn a_reservation_that_shrinks_gives_its_bytes_back() {
        let limits = BodyLimits::default().with_caller_bytes(6);
        let budget = BodyBudget::new(&limits);
        let mut reservation = budget.open(caller("a"));
        assert!(reservation.resize(6, Size::Large).is_ok());
        assert!(reservation.resize(7, Size::Large).is_err());
        assert!(!grows(&mut budget.open(caller("a")), 1));
        assert!(reservation.resize(2, Size::Large).is_ok());
        assert_eq!(budget.0.used().total, 2);
        assert!(grows(&mut budget.open(caller("a")), 4));
        drop(reservation);
        assert_eq!(budget.0.used().total, 0);
    }

    #[test]
    fn half_of_the_unauthenticated_memory_is_kept_for_small_bodies() {
        let limits = BodyLimits::default()
            .with_unauthenticated_total_bytes(40)
            .with_unauthenticated_peer_bytes(20);
        let budget = BodyBudget::unauthenticated(&limits);
        let mut open = Vec::new();
        let mut grow = |last, bytes, size| {
            let mut reservation = budget.open(peer(last));
            let grown = reservation.grow(bytes, size);
            open.push(reservation);
            grown.map_err(|full| full.to_string())
        };
        let share = |bytes| {
            Err(format!(
                "all {bytes} bytes are in use (see BodyLimits::with_unauthenticated_peer_bytes)"
            ))
        };
        let total = |bytes| {
            Err(format!(
                "all {bytes} bytes are in use (see BodyLimits::with_unauthenticated_total_bytes)"
            ))
        };
        assert_eq!(grow(1, 10, Size::Large), Ok(()));
        assert_eq!(grow(1, 1, Size::Large), share(10));
        assert_eq!(grow(1, 10, Size::Small), Ok(()));
        assert_eq!(grow(1, 1, Size::Small), share(20));
        assert_eq!(grow(2, 1, Size::Large), total(20));
        assert_eq!(grow(2, 19, Size::Small), Ok(()));
        assert_eq!(grow(3, 1, Size::Small), Ok(()));
        assert_eq!(grow(4, 1, Size::Small), total(40));
    }

    #[test]
    fn a_peer_gets_no_more_than_the_total() {
        let limits = BodyLimits::default().with_unauthenticated_total_bytes(4);
        let budget = BodyBudget::unauthenticated(&limits);
        let mut reservation = budget.open(peer(1));
        assert!(reservation.grow(3, Size::Large).is_err());
        assert!(reservation.grow(4, Size::Small).is_ok());
    }

    #[test]
    fn a_caller_that_holds_bytes_keeps_its_account_among_any_number() {
        let limits = BodyLimits::default().with_caller_bytes(6);
        let budget = BodyBudget::new(&limits);
        let callers = (0..=2 * ACCOUNTS_KEPT).map(|number| caller(&number.to_string()));
        let open: Vec<_> = callers
            .map(|caller| {
                let mut kept = budget.open(caller.clone());
                let mut given_back = budget.open(caller.clone());
                assert!(grows(&mut kept, 4) && grows(&mut given_back, 2));
                (caller, kept, given_back)
            })
            .collect();
        for (caller, _kept, given_back) in open {
            drop(given_back);
            let over = grows(&mut budget.open(caller.clone()), 3);
            assert!(!over, "over the caller's share");
            assert!(grows(&mut budget.open(caller), 2));
        }
    }

    #[test]
    fn accounts_without_bytes_do_not_pile_up() {
        let budget = BodyBudget::new(&BodyLimits::default());
        for number in 0..=2 * ACCOUNTS_KEPT {
            let caller = caller(&number.to_string());
            assert!(grows(&mut budget.open(caller), 1));
        }
        assert_eq!(budget.0.used().by_holder.len(), ACCOUNTS_KEPT);
    }
}
