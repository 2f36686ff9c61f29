//! What the service counts, in the text format of Prometheus.

use std::time::Duration;

use axum::{Router, routing::get};
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tower_countersign::{BoxError, metrics};

/// Histograms keep what they were told until somebody looks at it or this much time is over.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts from now on, for the whole process.
///
/// # Errors
///
/// If something counts already.
pub fn install() -> Result<PrometheusHandle, BoxError> {
    let mut builder = PrometheusBuilder::new();
    for metric in metrics::ALL {
        if !metric.buckets().is_empty() {
            let name = Matcher::Full(metric.name().to_owned());
            builder = builder.set_buckets_for_metric(name, metric.buckets())?;
        }
    }
    let handle = builder.install_recorder()?;
    metrics::describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// `GET /metrics`. It names the callers, so it listens where they cannot reach it.
pub fn app(handle: PrometheusHandle) -> Router {
    let text = async move || {
        let format = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
        ([format], handle.render())
    };
    Router::new().route("/metrics", get(text))
}
