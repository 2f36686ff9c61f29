//! The metrics in the text format of Prometheus.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tower_countersign::metrics::ALL;

/// The recorder of this process, or `None` if the program has installed another one.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs a recorder unless one is installed. Returns what renders its values.
///
/// A process has one recorder, however often proxies are started in it.
pub(crate) fn install() -> Option<PrometheusHandle> {
    RECORDER
        .get_or_init(|| {
            let mut builder = PrometheusBuilder::new();
            for metric in ALL {
                if !metric.buckets().is_empty() {
                    let name = Matcher::Full(metric.name().to_owned());
                    builder = builder
                        .set_buckets_for_metric(name, metric.buckets())
                        .ok()?;
                }
            }
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok()?;
            tower_countersign::metrics::describe();
            describe();
            Some(handle)
        })
        .clone()
}

/// Describes the metrics of this crate.
fn describe() {
    metrics::describe_counter!(
        "countersign_proxy_answers_total",
        "Answers to clients, by section and class of the status."
    );
    metrics::describe_counter!(
        "countersign_proxy_refusals_total",
        "Requests that were refused before the layers saw them, by section and code."
    );
    metrics::describe_counter!(
        "countersign_proxy_upstream_failures_total",
        "Requests without an answer of the upstream, by section and kind."
    );
    metrics::describe_gauge!(
        "countersign_proxy_connections",
        "Open connections of clients, by section."
    );
}
