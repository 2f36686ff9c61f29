use std::fmt;

use http::HeaderName;

use super::{
    decision::Decision, explain::Explanation, keys::KeySource, redaction::Redaction, report::Report,
};
use crate::{
    head::RequestHead,
    key::Secret,
    keyring::{CallerKeys, Keyring},
    timestamp::Timestamp,
    verify::Verifier,
};

/// The default limit on signature checks.
const LIMIT: usize = 4096;

/// A refused request and the data for its diagnosis. See the [module documentation](super).
#[must_use = "a diagnosis does nothing until it is run"]
pub struct Diagnosis<'d> {
    pub(super) verifier: &'d Verifier,
    pub(super) head: RequestHead<'d>,
    pub(super) now: Timestamp,
    pub(super) keys: KeySource<'d>,
    pub(super) body: Option<&'d [u8]>,
    pub(super) secrets: Vec<&'d Secret>,
    pub(super) their_text: Option<&'d str>,
    pub(super) path_prefixes: Vec<String>,
    pub(super) redaction: Redaction,
    pub(super) limit: usize,
    pub(super) single_changes_only: bool,
}

impl<'d> Diagnosis<'d> {
    /// Starts a diagnosis from the required data. `now` is the verifier's clock at the arrival of
    /// the request.
    pub fn new(verifier: &'d Verifier, head: impl Into<RequestHead<'d>>, now: Timestamp) -> Self {
        Self {
            verifier,
            head: head.into(),
            now,
            keys: KeySource::Nowhere,
            body: None,
            secrets: Vec::new(),
            their_text: None,
            path_prefixes: Vec::new(),
            redaction: Redaction::default(),
            limit: LIMIT,
            single_changes_only: false,
        }
    }

    /// Sets the caller's keys, as returned by a key store.
    pub fn with_keys(mut self, keys: CallerKeys) -> Self {
        self.keys = KeySource::Caller(keys);
        self
    }

    /// Looks up the caller's keys in this keyring. Also tries the keys of other callers, up to 256
    /// names.
    pub fn with_keyring(mut self, keyring: &'d Keyring) -> Self {
        self.keys = KeySource::Keyring(keyring);
        self
    }

    /// Adds the body, exactly as it arrived.
    pub fn with_body(mut self, body: &'d [u8]) -> Self {
        self.body = Some(body);
        self
    }

    /// Adds a secret of the caller, as loaded here. A diagnosis tries other readings of its text:
    /// as hexadecimal digits, as Base64, as text, with a line end. The secrets of the caller's own
    /// keys need no call, except for keys derived from a root. Copies are wiped after the run.
    pub fn with_secret(mut self, secret: &'d Secret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds the text that the sender signed, to compare it with the verifier's: the canonical
    /// request, the string to sign, or the signature base.
    pub fn with_their_text(mut self, text: &'d str) -> Self {
        self.their_text = Some(text);
        self
    }

    /// Adds a path prefix, such as `/api`, that a proxy may have removed or added.
    pub fn with_path_prefix(mut self, prefix: &str) -> Self {
        self.path_prefixes.push(prefix.to_owned());
        self
    }

    /// Redacts the values of another header in the report.
    pub fn with_redacted_header(mut self, name: HeaderName) -> Self {
        self.redaction.add(name);
        self
    }

    /// Sets the greatest number of signature checks. Default: 4096.
    ///
    /// A check with an Ed25519 key counts as 16 checks. A check with several keys counts once per
    /// key. Every kibibyte that is signed, and every kibibyte of a head that is read again, counts
    /// as one check.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Tries single changes only, never two at once.
    pub fn with_single_changes_only(mut self) -> Self {
        self.single_changes_only = true;
        self
    }

    /// Decides on the unchanged request. If it is refused, tries all known mistakes.
    #[must_use = "the report is all that a diagnosis does"]
    pub fn run(self) -> Report {
        let decision = Decision::of(&self);
        let explanation = Explanation::of(&self, decision.rejection.as_ref());
        let mut report = report(decision, explanation);
        report.next = self.next(&report);
        report
    }

    /// Decides on the unchanged request and tries no mistake: the report has the steps, and no
    /// causes. Hashes the body once.
    #[must_use = "the report is all that a decision does"]
    pub fn decide(self) -> Report {
        report(Decision::of(&self), Explanation::none(&self))
    }

    /// Lists the data that would tell more.
    fn next(&self, report: &Report) -> Vec<&'static str> {
        let mut next = Vec::new();
        if matches!(self.keys, KeySource::Nowhere) {
            next.push("provide the caller's keys: without them no signature is checked");
        }
        if report.rejection.is_none() || !report.causes.is_empty() {
            return next;
        }
        if self.body.is_none() {
            next.push("provide the body, exactly as it arrived");
        }
        if self.their_text.is_none() {
            next.push("have the caller print its signed text, and provide it for comparison");
        }
        if self.secrets.is_empty() {
            next.push("provide the secret as loaded here, to try other readings of its text");
        }
        if self.path_prefixes.is_empty() {
            next.push("provide the path prefixes that proxies add or remove");
        }
        next.push("compare fingerprints of the key on both sides, such as a hash of it");
        next.push("record the request as the caller sends it, and compare it with the one here");
        if !report.is_complete {
            next.push("raise the limit: not every candidate was tried");
        }
        next
    }
}

fn report(decision: Decision, explanation: Explanation) -> Report {
    Report {
        scheme: explanation.scheme,
        asserted_key_id: explanation.asserted_key_id,
        proven: decision.proven,
        coverage: decision.coverage,
        steps: decision.steps,
        rejection: decision.rejection,
        causes: explanation.causes,
        tried: explanation.trials.made,
        checks: explanation.trials.checks,
        is_complete: explanation.trials.is_complete,
        text: explanation.text,
        string_to_sign: explanation.string_to_sign,
        comparison: explanation.comparison,
        next: Vec::new(),
    }
}

impl fmt::Debug for Diagnosis<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnosis")
            .field("now", &self.now)
            .field("keys", &self.keys)
            .field("path_prefixes", &self.path_prefixes)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
