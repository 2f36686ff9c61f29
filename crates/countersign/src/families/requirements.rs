use std::{fmt, time::Duration};

use http::HeaderName;

use super::{FamilyVerifier, Freshness};
use crate::{
    error::{ConfigError, ConfigErrorKind, Escaped, Rejection, RejectionKind, reason},
    head::{Authority, HeadLimits, HostForm},
    timestamp::Timestamp,
    wire::DateForm,
};

/// Maximum distance between a signed date and the verifier's clock in any setting.
const MAX_WINDOW: Duration = Duration::from_secs(3600);

/// Refuses a window of zero, or one so wide that dates protect nothing.
pub(crate) fn ensure_window(window: Duration) -> Result<(), ConfigError> {
    if (Duration::from_secs(1)..=MAX_WINDOW).contains(&window) {
        return Ok(());
    }
    Err(ConfigError::new(
        ConfigErrorKind::Setting,
        format!("window: expected 1 to 3600 seconds, found {window:?}"),
    ))
}

/// Requirements of a verifier for every request, from any caller.
#[derive(Clone, Debug)]
pub(crate) struct Requirements {
    pub(crate) accepted: Vec<FamilyVerifier>,
    pub(crate) window: Duration,
    pub(crate) expected_hosts: Vec<String>,
    pub(crate) host_form: HostForm,
    pub(crate) date_form: DateForm,
    pub(crate) required_headers: Vec<HeaderName>,
    pub(crate) limits: HeadLimits,
    pub(crate) keep_evidence: bool,
}

impl Requirements {
    /// Returns the range of a date that only the window limits. `carrier` names its header or
    /// parameter.
    #[inline]
    pub(crate) fn freshness(&self, carrier: &'static str, signed_at: Timestamp) -> Freshness {
        Freshness::around(carrier, signed_at, self.window)
    }

    /// Refuses a scheme in which one signature fits every callee, unless this verifier has expected
    /// hosts.
    pub(crate) fn ensure_expected_hosts(&self, what: impl fmt::Display) -> Result<(), ConfigError> {
        if self.expected_hosts.is_empty() {
            return Err(ConfigError::new(
                ConfigErrorKind::Authority,
                format!(
                    "{what} is accepted: expected hosts must be configured, \
                     or a signature for one service would serve every other"
                ),
            ));
        }
        Ok(())
    }

    /// Returns whether the request is for one of the expected hosts; `false` if none are
    /// configured.
    ///
    /// Compares hosts in signed form, ignoring ASCII case (RFC 9110 section 4.2.3).
    #[inline]
    pub(crate) fn check_audience(&self, authority: Authority<'_>) -> Result<bool, Rejection> {
        if self.expected_hosts.is_empty() {
            return Ok(false);
        }
        if self.expects(authority) {
            Ok(true)
        } else {
            Err(self.misdirected(authority))
        }
    }

    /// Returns whether the authority is one of the expected hosts.
    pub(crate) fn expects(&self, authority: Authority<'_>) -> bool {
        let host = authority.in_form(self.host_form);
        let mut expected = self.expected_hosts.iter();
        expected.any(|expected| expected.eq_ignore_ascii_case(host))
    }

    /// Returns the rejection for a request with another authority.
    #[cold]
    pub(crate) fn misdirected(&self, authority: Authority<'_>) -> Rejection {
        let expected: Vec<&str> = self.expected_hosts.iter().map(String::as_str).collect();
        Rejection::because(
            RejectionKind::Misdirected,
            reason!(
                "authority: expected one of the expected hosts ({}), found \"{}\"",
                &expected,
                Escaped::text(authority.in_form(self.host_form))
            ),
        )
    }
}
