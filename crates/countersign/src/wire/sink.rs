use crate::crypto::hmac_sha256::Mac;

/// Receives the signed text.
pub(crate) trait Sink {
    fn write(&mut self, text: &str);
}

impl Sink for String {
    #[inline]
    fn write(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Takes the pieces one by one.
impl Sink for Mac {
    #[inline]
    fn write(&mut self, text: &str) {
        self.update(text.as_bytes());
    }
}

/// Collects the whole text if it fits: one piece is faster for a MAC than two dozen.
pub(crate) struct Gathered {
    buffer: [u8; 1024],
    len: usize,
}

impl Gathered {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            buffer: [0; 1024],
            len: 0,
        }
    }

    /// Returns the text. `None` if it did not fit.
    #[inline]
    pub(crate) fn text(&self) -> Option<&[u8]> {
        self.buffer.get(..self.len)
    }
}

impl Sink for Gathered {
    // Half of the pieces are one constant byte, which is a single store when inlined.
    #[inline]
    fn write(&mut self, text: &str) {
        let end = self.len.saturating_add(text.len());
        if let Some(room) = self.buffer.get_mut(self.len..end) {
            room.copy_from_slice(text.as_bytes());
        }
        self.len = end;
    }
}
