//! One lookup for a name at a time, in a spawned task.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use countersign::{CallerKeys, ErrorChain, KeyStore, Unavailable};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use super::store::Shared;

/// The result of a lookup. `Err` is the reason for the operator.
pub(super) type Answer = Result<CallerKeys, Arc<str>>;

/// The answer, once it has arrived. If the sender is dropped without one, the lookup panicked or
/// its runtime ended.
pub(super) type Flight = watch::Receiver<Option<Answer>>;

/// The lookups that are running, by name.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Box<str>, Flight>>);

impl Flights {
    /// Entries stay consistent after a panic: each change is one insertion or removal.
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a lookup and adds it to the list, which must not hold one for this name.
pub(super) fn start<S: KeyStore>(
    shared: &Arc<Shared<S>>,
    mut flights: MutexGuard<'_, HashMap<Box<str>, Flight>>,
    name: &str,
) -> Result<Flight, Unavailable> {
    let runtime = Handle::try_current()
        .map_err(|error| Unavailable::new("key store").with_source(error.to_string()))?;
    let (sender, flight) = watch::channel(None);
    flights.insert(Box::from(name), flight.clone());
    let lookup = Lookup {
        shared: Arc::clone(shared),
        name: Box::from(name),
        is_answered: false,
    };
    shared.counts.lookup();
    // A runtime that is shutting down drops the task at once, and so removes it from the list.
    drop(flights);
    runtime.spawn(async move {
        let answer = lookup.run().await;
        sender.send_replace(Some(answer));
    });
    Ok(flight)
}

/// A running lookup. Dropping it removes it from the list.
struct Lookup<S: KeyStore> {
    shared: Arc<Shared<S>>,
    name: Box<str>,
    is_answered: bool,
}

impl<S: KeyStore> Lookup<S> {
    async fn run(mut self) -> Answer {
        let shared = &self.shared;
        let asked_at = Instant::now();
        let answer = if let Some(answer) = shared.store.try_lookup(&self.name) {
            answer.map_err(|error| reason(&error))
        } else {
            let answer = shared.store.lookup(&self.name);
            match timeout(shared.settings.lookup_deadline, answer).await {
                Ok(answer) => answer.map_err(|error| reason(&error)),
                Err(_) => Err(Arc::from(
                    "expected an answer within the deadline, found none",
                )),
            }
        };
        match &answer {
            Ok(keys) => shared.learn(&self.name, keys.clone(), asked_at),
            Err(reason) => shared.failed(&self.name, reason),
        }
        self.is_answered = true;
        answer
    }
}

impl<S: KeyStore> Drop for Lookup<S> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.shared.failed(&self.name, "the lookup was cancelled");
        }
        // The answer is in memory by now: a request that finds no lookup finds the answer.
        self.shared.flights.lock().remove(&self.name);
    }
}

fn reason(error: &Unavailable) -> Arc<str> {
    ErrorChain::new(error).to_string().into()
}
