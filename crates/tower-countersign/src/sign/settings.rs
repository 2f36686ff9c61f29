use std::sync::Arc;

use countersign::SharedSigner;

use crate::clock::{Clock, SystemClock};

/// What the layer and the middleware share.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) signer: SharedSigner,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) buffer_bytes: u64,
}

impl Settings {
    pub(super) fn new(signer: SharedSigner) -> Self {
        Self {
            signer,
            clock: Arc::new(SystemClock),
            buffer_bytes: 8 * 1024 * 1024,
        }
    }
}
