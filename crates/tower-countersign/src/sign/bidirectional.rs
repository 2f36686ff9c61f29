use std::{collections::BTreeSet, sync::Arc};

use countersign::{SignError, SignErrorKind};

/// The gRPC methods that cannot be signed, because their request streams end only after responses.
#[derive(Clone, Debug, Default)]
pub(super) struct Bidirectional {
    /// Paths, such as `/chat.Rooms/Talk`.
    methods: Arc<BTreeSet<String>>,
}

impl Bidirectional {
    pub(super) fn new(methods: impl IntoIterator<Item = String>) -> Self {
        Self {
            methods: Arc::new(methods.into_iter().collect()),
        }
    }

    /// Refuses a call of one of the methods.
    pub(super) fn ensure_none(&self, path: &str) -> Result<(), SignError> {
        if self.methods.contains(path) {
            return Err(SignError::new(
                SignErrorKind::Body,
                format!(
                    "body: expected a unary, server-streaming or client-streaming method, found \
                     the bidirectional gRPC method {path}: a signature needs the end of the stream"
                ),
            ));
        }
        Ok(())
    }
}
