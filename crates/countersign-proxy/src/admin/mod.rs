//! The listener for operators: `/healthz`, `/readyz` and `/metrics`.

mod health;
mod metrics;

pub(crate) use self::{health::AdminService, metrics::install};
