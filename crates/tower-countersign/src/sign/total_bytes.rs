//! The memory of all bodies that a layer reads for signing.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use countersign::{SignError, SignErrorKind};

/// A limit on the bytes of all bodies together. Clones share one count.
#[derive(Clone)]
pub(super) struct TotalBytes {
    limit: u64,
    used: Arc<AtomicU64>,
}

/// The bytes of one body. Dropping it releases them.
#[derive(Debug)]
pub(super) struct Reserved {
    of: TotalBytes,
    bytes: u64,
}

impl TotalBytes {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit,
            used: Arc::default(),
        }
    }

    /// Opens an account for one body, with no bytes yet.
    pub(super) fn open(&self) -> Reserved {
        Reserved {
            of: self.clone(),
            bytes: 0,
        }
    }
}

impl Default for TotalBytes {
    fn default() -> Self {
        Self::new(u64::MAX)
    }
}

impl fmt::Debug for TotalBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TotalBytes")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Reserved {
    /// Reserves `bytes` more, or nothing if the limit is reached.
    pub(super) fn grow(&mut self, bytes: u64) -> Result<(), SignError> {
        let limit = self.of.limit;
        let with_these = |used: u64| used.checked_add(bytes).filter(|used| *used <= limit);
        let used = &self.of.used;
        match used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_these) {
            Ok(_) => {
                self.bytes = self.bytes.saturating_add(bytes);
                Ok(())
            }
            Err(_) => Err(SignError::new(
                SignErrorKind::BufferFull,
                format!(
                    "body: expected memory for {bytes} more bytes, found that all {limit} bytes are \
                     in use (see with_total_buffer_bytes)"
                ),
            )),
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.of.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_a_body_releases_its_bytes() {
        let total = TotalBytes::new(10);
        let (mut first, mut second) = (total.open(), total.open());
        assert!(first.grow(4).is_ok() && first.grow(6).is_ok());
        let full = second.grow(1).unwrap_err();
        assert_eq!(full.kind(), SignErrorKind::BufferFull);
        drop(first);
        assert!(second.grow(10).is_ok());
        drop(second);
        assert_eq!(total.used.load(Ordering::Relaxed), 0);
    }
}
