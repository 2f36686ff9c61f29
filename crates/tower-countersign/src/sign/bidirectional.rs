use std::{collections::BTreeSet, sync::Arc};

use countersign::{SignError, SignErrorKind};

/// The gRPC methods that cannot be signed: their request streams end only after answers.
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
                    "body: {path} is a bidirectional gRPC method, and a stream is signed once it has ended: \
                     use a unary, server-streaming or client-streaming method"
                ),
            ));
        }
        Ok(())
    }
}
