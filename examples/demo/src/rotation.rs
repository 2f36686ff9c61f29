//! Rotates a key while orders arrive.

use std::{
    collections::BTreeSet,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use demo::{
    client::Client,
    key::SharedKey,
    signed::sign,
    table::{Row, Section},
};
use http::Request;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tower_countersign::BoxError;

use crate::{
    calls::order,
    services::{Services, keyring, start_billing},
};

const WORKERS: usize = 4;
/// The number of orders that must be answered during each step.
const CALLS_PER_STEP: usize = 100;

/// Rotates billing's key as in production, and returns the number of calls made meanwhile.
pub(crate) async fn section(
    client: &Client,
    services: &mut Services,
) -> Result<(Section, usize), BoxError> {
    let mut section = Section::new("POST /invoices all the time, while billing's key is rotated");
    let new = SharedKey::generate("new")?;
    let mut traffic = Traffic::start(client, services.billing.authority());
    let row = |step: &str, got| Row::new(step, "201", got);

    let got = traffic.step().await;
    section.rows.push(row(
        "user-service knows the old key, billing signs with it",
        got,
    ));

    // 1. The receiver gets the new key in addition to the old one.
    services
        .keys
        .replace(&keyring(&[&services.key, &new], &services.reader_key)?);
    let got = traffic.step().await;
    section
        .rows
        .push(row("1. user-service knows both keys", got));

    // 2. The caller changes keys: a new instance takes the traffic, then the old instance ends.
    let billing = start_billing(&services.users, &new).await?;
    traffic.move_to(billing.authority()).await;
    let previous = mem::replace(&mut services.billing, billing);
    previous.stop().await?;
    let got = traffic.step().await;
    section
        .rows
        .push(row("2. billing signs with the new key", got));

    // 3. The old key is removed.
    services
        .keys
        .replace(&keyring(&[&new], &services.reader_key)?);
    let got = traffic.step().await;
    section
        .rows
        .push(row("3. user-service knows the new key only", got));
    let calls = traffic.stop().await?;

    let old = mem::replace(&mut services.key, new);
    for (sent, key, expected) in [
        (
            "GET /api/account/7, signed with the old key",
            &old,
            "401 invalid_signature",
        ),
        (
            "GET /api/account/7, signed with the new key",
            &services.key,
            "200",
        ),
    ] {
        let url = format!("http://{}/api/account/7", services.users.authority());
        let request = Request::get(url).body(Bytes::new())?;
        let request = sign(&services.signer(key)?, request, SystemTime::now())?;
        let got = client.send(request).await?;
        section.rows.push(Row::new(sent, expected, got));
    }
    Ok((section, calls))
}

/// Sends orders, several at a time.
struct Traffic {
    target: watch::Sender<Arc<str>>,
    counts: Arc<Mutex<Counts>>,
    total: usize,
    ended: Arc<AtomicBool>,
    workers: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    calls: usize,
    outcomes: BTreeSet<String>,
}

impl Traffic {
    fn start(client: &Client, billing: String) -> Self {
        let (target, targets) = watch::channel(Arc::from(billing));
        let counts = Arc::<Mutex<Counts>>::default();
        let ended = Arc::<AtomicBool>::default();
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let (client, targets) = (client.clone(), targets.clone());
            let (counts, ended) = (Arc::clone(&counts), Arc::clone(&ended));
            workers.spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    let target = Arc::clone(&targets.borrow());
                    let outcome = place_order(&client, &target).await;
                    let mut counts = lock(&counts);
                    counts.calls = counts.calls.saturating_add(1);
                    counts.outcomes.insert(outcome);
                }
            });
        }
        Self {
            target,
            counts,
            total: 0,
            ended,
            workers,
        }
    }

    /// Waits for more calls, and returns their outcomes, each once.
    async fn step(&mut self) -> String {
        while lock(&self.counts).calls < CALLS_PER_STEP {
            sleep(Duration::from_millis(1)).await;
        }
        let counts = mem::take(&mut *lock(&self.counts));
        self.total = self.total.saturating_add(counts.calls);
        Vec::from_iter(counts.outcomes).join(", ")
    }

    /// Sends the orders to another instance, and waits until the previous instance has answered its
    /// last order.
    async fn move_to(&self, billing: String) {
        let previous = self.target.send_replace(Arc::from(billing));
        while Arc::strong_count(&previous) > 1 {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Stops, and returns the number of calls made.
    async fn stop(mut self) -> Result<usize, BoxError> {
        self.ended.store(true, Ordering::Relaxed);
        while let Some(ended) = self.workers.join_next().await {
            ended?;
        }
        Ok(self.total.saturating_add(lock(&self.counts).calls))
    }
}

async fn place_order(client: &Client, billing: &str) -> String {
    let outcome = async { client.send(order(billing, 7)?).await };
    match outcome.await {
        Ok(outcome) => outcome,
        Err(error) => error.to_string(),
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
