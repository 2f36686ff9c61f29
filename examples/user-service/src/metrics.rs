//! The service's metrics in the text format of Prometheus.

use std::time::Duration;

use axum::{Router, routing::get};
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tower_countersign::{BoxError, metrics};

/// The interval after which histograms are aggregated if nothing scrapes them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder for the whole process.
///
/// # Errors
///
/// If a recorder is already installed.
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

/// Serves `GET /metrics`. The metrics name the callers, so use an address that callers cannot
/// reach.
pub fn app(handle: PrometheusHandle) -> Router {
    let text = async move || {
        let format = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
        ([format], handle.render())
    };
    Router::new().route("/metrics", get(text))
}
