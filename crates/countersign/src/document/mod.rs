//! What documents of keys and of policies share: files, positions and dates.

mod position;
mod read_text;
mod toml_date;

#[cfg(feature = "config")]
pub(crate) use self::read_text::read_text_of;
pub(crate) use self::{position::Position, read_text::read_text, toml_date::toml_date};
