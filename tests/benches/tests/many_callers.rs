//! What one more caller costs, whatever the number of callers: counted in bytes that are allocated,
//! on one thread, exact.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that cannot be set up fails by panicking"
)]

use benches::many_callers::{Service, Stream};
use metrics_exporter_prometheus::PrometheusBuilder;

const FEW: usize = 500;

/// Tables double: four times as many callers may take a little more than four times as much.
const MOST: f64 = 4.8;

/// The bytes that are allocated while so many callers call for the first time.
fn bytes(callers: usize) -> f64 {
    let service = Service::new(callers);
    let mut stream = Stream::new(callers);
    stream.sign_ahead(callers);
    let counted = allocation_counter::measure(|| {
        for request in stream.ahead() {
            service.call(request);
        }
    });
    let bytes = u32::try_from(counted.bytes_total).unwrap();
    f64::from(bytes)
}

fn four_times_as_many_take_at_most_a_little_more_than_four_times_as_much() {
    // A first run, so that the counted one sets nothing up.
    bytes(1);
    let (few, many) = (bytes(FEW), bytes(4 * FEW));
    let times = many / few;
    assert!(times <= MOST, "{many} bytes are {times} times {few}");
}

#[test]
fn a_new_caller_costs_the_same_however_many_there_are() {
    four_times_as_many_take_at_most_a_little_more_than_four_times_as_much();
}

#[test]
fn a_new_caller_costs_the_same_however_many_there_are_where_everything_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(
        &recorder,
        four_times_as_many_take_at_most_a_little_more_than_four_times_as_much,
    );
}
