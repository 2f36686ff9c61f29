//! One look-up for a name at a time, on a task of its own.

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

/// What came of a look-up; `Err` is the reason for the operator.
pub(super) type Landed = Result<CallerKeys, Arc<str>>;

/// The answer, once it is there. That the sender is gone without one means that the look-up panicked or its runtime ended.
pub(super) type Flight = watch::Receiver<Option<Landed>>;

#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Box<str>, Flight>>);

impl Flights {
    /// Entries are whole after a panic too: each change is one insertion or removal.
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a look-up and enters it. Only for whoever found none on the list that it holds.
pub(super) fn start<S: KeyStore>(
    shared: &Arc<Shared<S>>,
    mut flights: MutexGuard<'_, HashMap<Box<str>, Flight>>,
    name: &str,
) -> Result<Flight, Unavailable> {
    let runtime = Handle::try_current()
        .map_err(|error| Unavailable::new("key store").with_source(error.to_string()))?;
    let (sender, flight) = watch::channel(None);
    flights.insert(Box::from(name), flight.clone());
    let landing = Landing {
        shared: Arc::clone(shared),
        name: Box::from(name),
        landed: false,
    };
    shared.counts.lookup();
    // A runtime that is shutting down drops the task here and now, which takes it off the list.
    drop(flights);
    runtime.spawn(async move {
        let answer = landing.lookup().await;
        sender.send_replace(Some(answer));
    });
    Ok(flight)
}

/// Takes the look-up off the list, whatever becomes of it.
struct Landing<S: KeyStore> {
    shared: Arc<Shared<S>>,
    name: Box<str>,
    landed: bool,
}

impl<S: KeyStore> Landing<S> {
    async fn lookup(mut self) -> Landed {
        let shared = &self.shared;
        let asked_at = Instant::now();
        let answer = if let Some(answer) = shared.store.try_lookup(&self.name) {
            answer.map_err(|error| reason(&error))
        } else {
            let answer = shared.store.lookup(&self.name);
            match timeout(shared.settings.lookup_deadline, answer).await {
                Ok(answer) => answer.map_err(|error| reason(&error)),
                Err(_) => Err(Arc::from("no answer within the deadline")),
            }
        };
        match &answer {
            Ok(keys) => shared.learn(&self.name, keys.clone(), asked_at),
            Err(reason) => shared.failed(&self.name, reason),
        }
        self.landed = true;
        answer
    }
}

impl<S: KeyStore> Drop for Landing<S> {
    fn drop(&mut self) {
        if !self.landed {
            self.shared.failed(&self.name, "the look-up was cut off");
        }
        // After what it found is in memory, so that whoever finds no look-up finds that.
        self.shared.flights.lock().remove(&self.name);
    }
}

fn reason(error: &Unavailable) -> Arc<str> {
    ErrorChain::new(error).to_string().into()
}
