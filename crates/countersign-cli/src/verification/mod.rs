//! One recorded request, with the keys, the settings and the clock that a service would judge it
//! with.

mod arguments;
mod callers;

mod sender;
mod summary;
mod verifier_settings;

use countersign::{CallerKeys, KeyStore as _, Timestamp, Verifier, diagnose::Diagnosis};

use self::callers::{Callers, Keys};
pub(crate) use self::{arguments::VerificationArguments, summary::RequestSummary};
use crate::{Terminal, failure::Failure, input, moment::Moment, request::RecordedRequest};

/// A request that can be judged.
pub(crate) struct Verification {
    pub(crate) request: RecordedRequest,
    pub(crate) verifier: Verifier,
    pub(crate) now: Timestamp,
    /// The settings that were not given and are taken from the request, one sentence each.
    pub(crate) assumed: Vec<String>,
    keys: Keys,
}

impl Verification {
    /// Reads the request and the keys, and makes the verifier.
    pub(crate) fn read(
        arguments: &VerificationArguments,
        terminal: &mut Terminal<'_>,
    ) -> Result<Self, Failure> {
        let request = arguments.read_request(terminal)?;
        let text = input::read_text(terminal, &arguments.keys, input::MAX_CONFIG_LEN)?;
        let place = input::shown(&arguments.keys);
        let callers = Callers::of(&text).map_err(|failure| failure.within(&place))?;
        let mut assumed = Vec::new();
        let verifier = arguments
            .settings
            .verifier(&callers, &request, &mut assumed)?;
        let keys = callers
            .keys(&text, &verifier)
            .map_err(|failure| failure.within(&place))?;
        let clock = terminal.now();
        let now = match arguments.at {
            None => clock,
            Some(Moment::At(at)) => at,
            Some(Moment::Signed) => match verifier.parse(&request.parts, clock) {
                Ok(_) => clock,
                Err(rejection) => rejection.stale_date().unwrap_or(clock),
            },
        };
        Ok(Self {
            request,
            verifier,
            now,
            assumed,
            keys,
        })
    }

    /// Returns the request in a few words.
    pub(crate) fn summary(&self) -> RequestSummary {
        RequestSummary::of(&self.request)
    }

    /// Starts the diagnosis of the request, which also decides on it.
    pub(crate) fn diagnosis(&self) -> Diagnosis<'_> {
        let diagnosis = Diagnosis::new(&self.verifier, &self.request.parts, self.now);
        let diagnosis = match &self.keys {
            Keys::Listed(keyring) => diagnosis.with_keyring(keyring),
            Keys::Derived(keyring) => {
                let keys = self.key_id().and_then(|key_id| {
                    // A keyring that derives keys answers at once, and always.
                    keyring.try_lookup(&key_id)?.ok()
                });
                diagnosis.with_keys(keys.unwrap_or_else(CallerKeys::unknown))
            }
        };
        match &self.request.body {
            Some(body) => diagnosis.with_body(body),
            None => diagnosis,
        }
    }

    /// Returns the key id that the request asserts.
    fn key_id(&self) -> Option<String> {
        let asserted = self.verifier.asserted(&self.request.parts)?;
        asserted.key_id().map(str::to_owned)
    }
}
