//! The last uses of a caller's keys, from the metrics of running services.

use std::{collections::BTreeMap, path::Path, time::Duration};

use countersign::Timestamp;

use crate::{Terminal, failure::Failure, input, prometheus};

/// The metric of `tower_countersign::metrics::KEY_LAST_USE`.
const METRIC: &str = "countersign_key_last_use_timestamp_seconds";

/// The most bytes of the metrics of a service.
const MAX_LEN: u64 = 16 * 1024 * 1024;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The last use of each version of a caller's keys that a service has seen.
pub(super) type KeyUse = BTreeMap<String, Timestamp>;

/// Reads the metrics of every source, and returns the latest use of each version.
///
/// # Errors
///
/// [`Exit::Unavailable`](crate::Exit::Unavailable) if a source cannot be read: a key may be in use
/// at that replica alone.
pub(super) fn read(
    terminal: &mut Terminal<'_>,
    sources: &[String],
    caller: &str,
) -> Result<KeyUse, Failure> {
    let mut uses = KeyUse::new();
    for source in sources {
        let text = metrics(terminal, source)?;
        for (labels, seconds) in prometheus::samples(&text, METRIC) {
            if labels.get("caller").map(String::as_str) != Some(caller) {
                continue;
            }
            let (Some(version), Some(at)) = (labels.get("key_version"), moment(seconds)) else {
                continue;
            };
            let latest = uses.entry(version.clone()).or_insert(at);
            *latest = at.max(*latest);
        }
    }
    Ok(uses)
}

/// Returns the metrics of a service at a URL, or from a file.
fn metrics(terminal: &mut Terminal<'_>, source: &str) -> Result<String, Failure> {
    if !source.contains("://") {
        let text = input::read_text(terminal, Path::new(source), MAX_LEN)?;
        return Ok(text.to_string());
    }
    if !source.starts_with("http://") {
        return Err(Failure::usage(format_args!(
            "{source}: expected http://, found another scheme; save the metrics to a file and name \
             the file"
        )));
    }
    let unreadable = |error: ureq::Error| {
        Failure::unavailable(format_args!("{source}: cannot be read: {error}"))
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        // A proxy of the environment does not know the loopback of this machine.
        .proxy(None)
        .max_redirects(0)
        .build()
        .into();
    let mut response = agent.get(source).call().map_err(unreadable)?;
    let body = response.body_mut().with_config().limit(MAX_LEN);
    body.read_to_string().map_err(unreadable)
}

/// Reads seconds since 1970. A date of the next centuries fits into microseconds.
fn moment(seconds: f64) -> Option<Timestamp> {
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    Some(Timestamp::from_unix_seconds(0).saturating_add(duration))
}
