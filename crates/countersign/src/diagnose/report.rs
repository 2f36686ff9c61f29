use std::fmt;

use http::HeaderName;

use super::{cause::Cause, difference::Difference};
use crate::{
    error::Rejection, families::Coverage, key_id::KeyId, key_version::KeyVersion, scheme::Scheme,
};

/// The result of a [`Diagnosis`](super::Diagnosis). Holds no secret and no signature.
///
/// `Display` writes it for people, [`to_json`](Self::to_json) for programs.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) scheme: Option<Scheme>,
    pub(super) asserted_key_id: Option<String>,
    pub(super) proven: Option<(KeyId, KeyVersion)>,
    pub(super) coverage: Option<Coverage>,
    pub(super) steps: Vec<Step>,
    pub(super) rejection: Option<Rejection>,
    pub(super) causes: Vec<Finding>,
    pub(super) tried: Vec<Candidate>,
    pub(super) checks: usize,
    pub(super) is_complete: bool,
    pub(super) text: Option<Vec<String>>,
    pub(super) string_to_sign: Option<Vec<String>>,
    pub(super) comparison: Option<Comparison>,
    pub(super) next: Vec<&'static str>,
}

impl Report {
    /// Returns the scheme of the signature, if the head shows it.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Returns the key id that the request asserts, unauthenticated.
    pub fn asserted_key_id(&self) -> Option<&str> {
        self.asserted_key_id.as_deref()
    }

    /// Returns whether the unchanged request is accepted. Without a body, the body is not checked,
    /// as [`steps`](Self::steps) shows.
    pub fn is_accepted(&self) -> bool {
        self.rejection.is_none() && self.proven.is_some()
    }

    /// Returns the caller and the version of its key, if the unchanged request is accepted.
    pub fn proven(&self) -> Option<(&KeyId, &KeyVersion)> {
        let (caller, version) = self.proven.as_ref()?;
        Some((caller, version))
    }

    /// Returns the coverage of the signature, if the unchanged request is accepted with its body.
    pub fn coverage(&self) -> Option<Coverage> {
        self.coverage
    }

    /// Returns the reason for the refusal.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// Returns the steps of the decision in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the causes of the refusal, likeliest first. Empty if no known cause explains it.
    pub fn causes(&self) -> &[Finding] {
        &self.causes
    }

    /// Returns the likeliest cause.
    pub fn first_cause(&self) -> Option<&Finding> {
        self.causes.first()
    }

    /// Returns every candidate in the order of the trials.
    pub fn tried(&self) -> &[Candidate] {
        &self.tried
    }

    /// Returns the number of signatures checked, each with all keys of the caller.
    pub fn checks(&self) -> usize {
        self.checks
    }

    /// Returns whether every candidate was tried. `false` if the limit was reached.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the lines of the text that this verifier expects to be signed, redacted. `None` if
    /// the head cannot be read.
    pub fn signed_text(&self) -> Option<&[String]> {
        self.text.as_deref()
    }

    /// Returns the lines of the string to sign, in the schemes that have one.
    pub fn string_to_sign(&self) -> Option<&[String]> {
        self.string_to_sign.as_deref()
    }

    /// Returns the comparison with the sender's own text, if one was given.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// Returns the data to collect next, one sentence each.
    pub fn next(&self) -> &[&'static str] {
        &self.next
    }
}

/// One step of the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub(super) name: StepName,
    pub(super) outcome: StepOutcome,
}

impl Step {
    /// Returns the name of the step.
    pub fn name(&self) -> StepName {
        self.name
    }

    /// Returns the outcome of the step.
    pub fn outcome(&self) -> &StepOutcome {
        &self.outcome
    }
}

/// A step of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepName {
    /// There is exactly one signature in an accepted scheme.
    Signature,
    /// The head matches the grammar of the scheme.
    Grammar,
    /// The authority is an expected one.
    Authority,
    /// The signature covers everything that every signature must.
    Coverage,
    /// The signed date is within the window.
    Date,
    /// The caller is known and has a key of the scheme.
    Keys,
    /// The signature is the caller's. If it covers the body, this step needs the body.
    Proof,
    /// The key is in force, and the request follows its rules.
    KeyRules,
    /// The body equals the signed one.
    Body,
}

impl StepName {
    /// Every step in order.
    pub const ALL: &'static [Self] = &[
        Self::Signature,
        Self::Grammar,
        Self::Authority,
        Self::Coverage,
        Self::Date,
        Self::Keys,
        Self::Proof,
        Self::KeyRules,
        Self::Body,
    ];

    /// Returns the name in lower case with underscores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Grammar => "grammar",
            Self::Authority => "authority",
            Self::Coverage => "coverage",
            Self::Date => "date",
            Self::Keys => "keys",
            Self::Proof => "proof",
            Self::KeyRules => "key_rules",
            Self::Body => "body",
        }
    }
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepOutcome {
    /// The request passes this step.
    Passed,
    /// The request is refused at this step, for this reason.
    Failed(String),
    /// An earlier step failed.
    NotReached,
    /// The step lacks its input: the keys, or the body.
    NotJudged,
}

impl StepOutcome {
    /// Returns the name of the outcome, in lower case with underscores.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
            Self::NotJudged => "not_judged",
        }
    }
}

/// The certainty of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// The signature check passes under this one change.
    Matched,
    /// The cause follows from the refusal or from the head, without a signature check.
    Observed,
}

impl Certainty {
    /// Returns the name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Observed => "observed",
        }
    }
}

/// A cause that explains the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(super) cause: Cause,
    pub(super) also: Option<Cause>,
    pub(super) certainty: Certainty,
    pub(super) detail: String,
    pub(super) header: Option<HeaderName>,
}

impl Finding {
    pub(super) fn matched(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            also: None,
            certainty: Certainty::Matched,
            detail: detail.into(),
            header: None,
        }
    }

    pub(super) fn observed(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            certainty: Certainty::Observed,
            ..Self::matched(cause, detail)
        }
    }

    /// Returns the cause.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Returns a second cause, if only both together explain the refusal.
    pub fn also(&self) -> Option<Cause> {
        self.also
    }

    /// Returns the certainty of the cause.
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Returns the exact value that would have matched or was observed, with invisible characters
    /// shown.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the covered header of the cause, if any.
    pub fn header(&self) -> Option<&HeaderName> {
        self.header.as_ref()
    }
}

/// A candidate that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub(super) cause: Cause,
    pub(super) also: Option<Cause>,
    pub(super) detail: String,
    pub(super) matched: bool,
}

impl Candidate {
    /// Returns the cause that the candidate would confirm.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// Describes the candidate, with invisible characters shown.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns whether the signature check passed.
    pub fn matched(&self) -> bool {
        self.matched
    }
}

/// The result of comparing the sender's own text with this verifier's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub(super) ours: Vec<String>,
    pub(super) theirs: Vec<String>,
    pub(super) difference: Option<Difference>,
    pub(super) is_signed: Option<bool>,
}

impl Comparison {
    /// Returns the lines of this verifier's text, redacted and with invisible characters shown.
    /// Empty if the text holds the body.
    pub fn ours(&self) -> &[String] {
        &self.ours
    }

    /// Returns the lines of the sender's text, in the same form.
    pub fn theirs(&self) -> &[String] {
        &self.theirs
    }

    /// Returns the first difference. `None` if the texts are equal.
    pub fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }

    /// Returns whether a key of the caller signed the sender's text with the request's signature.
    /// `Some(false)` means that the key or the signature is wrong, or that the text is of another
    /// request. `None` if it was not checked.
    pub fn is_signed(&self) -> Option<bool> {
        self.is_signed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.rejection, &self.proven) {
            (Some(rejection), _) => {
                writeln!(f, "refused ({}): {rejection}", rejection.kind().code())?;
            }
            (None, Some((caller, version))) => {
                writeln!(f, "accepted: caller {caller}, key {version}")?;
            }
            (None, None) => writeln!(f, "not judged: keys or body are missing")?,
        }
        for finding in &self.causes {
            let certainty = finding.certainty.as_str();
            write!(f, "{certainty}: {}", finding.cause)?;
            if let Some(also) = finding.also {
                write!(f, " with {also}")?;
            }
            writeln!(f, ": {}", finding.cause.meaning())?;
            if !finding.detail.is_empty() {
                writeln!(f, "  {}", finding.detail)?;
            }
            let side = finding.cause.side();
            writeln!(f, "  fix ({side}): {}", finding.cause.remedy())?;
        }
        if self.rejection.is_some() && self.causes.is_empty() {
            writeln!(
                f,
                "nothing known explains it: {} candidates tried",
                self.tried.len()
            )?;
        }
        for step in &self.steps {
            write!(f, "step {}: {}", step.name.as_str(), step.outcome.as_str())?;
            match &step.outcome {
                StepOutcome::Failed(reason) => writeln!(f, ": {reason}")?,
                _ => writeln!(f)?,
            }
        }
        if let Some(difference) = self.comparison.as_ref().and_then(Comparison::difference) {
            writeln!(
                f,
                "first difference: line {}, byte {}",
                difference.line(),
                difference.byte()
            )?;
            writeln!(
                f,
                "  ours:   {}",
                difference.ours().unwrap_or("(no such line)")
            )?;
            writeln!(
                f,
                "  theirs: {}",
                difference.theirs().unwrap_or("(no such line)")
            )?;
        }
        for next in &self.next {
            writeln!(f, "next: {next}")?;
        }
        Ok(())
    }
}
