//! Sizes and times as people write them.

use std::{fmt, time::Duration};

use bytesize::ByteSize;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

/// A number of bytes, such as `"2 MiB"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// A time, such as `"30s"` or `"1m 30s"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

impl Size {
    pub(crate) const fn kib(number: u64) -> Self {
        Self(number.saturating_mul(1024))
    }

    pub(crate) const fn mib(number: u64) -> Self {
        Self::kib(number.saturating_mul(1024))
    }

    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Time {
    pub(crate) const fn seconds(number: u64) -> Self {
        Self(Duration::from_secs(number))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let size: Result<ByteSize, _> = text.parse();
        size.map(|size| Self(size.as_u64()))
            .map_err(|_| D::Error::custom("expected a size such as \"2 MiB\""))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: Option<SignedDuration> = text.parse().ok();
        time.and_then(|time| Duration::try_from(time).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom("expected a time such as \"30s\""))
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Both {
        size: Option<Size>,
        time: Option<Time>,
    }

    #[test]
    fn sizes_and_times_are_read_as_written() {
        for (text, expected) in [
            ("2 MiB", Some(2 * 1024 * 1024)),
            ("32KiB", Some(32 * 1024)),
            ("1 MB", Some(1_000_000)),
            ("512", Some(512)),
            ("many", None),
            ("", None),
            ("-1", None),
        ] {
            let read = toml::from_str::<Both>(&format!("size = {text:?}")).ok();
            let read = read.and_then(|it| it.size);
            assert_eq!(read, expected.map(Size), "{text}");
        }
        for (text, expected) in [
            ("30s", Some(30_000)),
            ("1m 30s", Some(90_000)),
            ("250ms", Some(250)),
            ("30", None),
            ("-1s", None),
            ("soon", None),
        ] {
            let read = toml::from_str::<Both>(&format!("time = {text:?}")).ok();
            let read = read.and_then(|it| it.time);
            let expected = expected.map(|millis| Time(Duration::from_millis(millis)));
            assert_eq!(read, expected, "{text}");
        }
    }
}
