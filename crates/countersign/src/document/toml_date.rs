use toml::value::Datetime;

use crate::{
    error::{ConfigError, ConfigErrorKind},
    timestamp::Timestamp,
};

/// Reads a date of TOML, which may lack its offset. `name` is the key of the document.
pub(crate) fn toml_date(name: &str, date: &Datetime) -> Result<Timestamp, ConfigError> {
    let text = date.to_string();
    Timestamp::parse_rfc3339(&text).ok_or_else(|| {
        let message = format!("{name}: expected a date-time with an offset, found {text}");
        ConfigError::new(ConfigErrorKind::File, message)
    })
}
