use std::fmt;

use http::HeaderName;

use super::{cause::Cause, difference::Difference};
use crate::{error::Rejection, key_id::KeyId, key_version::KeyVersion, scheme::Scheme};

/// What a [`Diagnosis`](super::Diagnosis) found out. It holds no secret and no signature.
///
/// `Display` writes it for people, [`to_json`](Self::to_json) for programs.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) scheme: Option<Scheme>,
    pub(super) asserted_key_id: Option<String>,
    pub(super) proven: Option<(KeyId, KeyVersion)>,
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
    /// The scheme of the signature, as far as the head tells it.
    pub fn scheme(&self) -> Option<Scheme> {
        self.scheme
    }

    /// Returns the key id that the request asserts, unauthenticated.
    pub fn asserted_key_id(&self) -> Option<&str> {
        self.asserted_key_id.as_deref()
    }

    /// Whether the signature of the request as it is was found right, and nothing else wrong. Where
    /// no body was given, the body is not judged: [`steps`](Self::steps) says so.
    pub fn is_accepted(&self) -> bool {
        self.rejection.is_none() && self.proven.is_some()
    }

    /// The caller and the version of its key, if the request as it is passes.
    pub fn proven(&self) -> Option<(&KeyId, &KeyVersion)> {
        let (caller, version) = self.proven.as_ref()?;
        Some((caller, version))
    }

    /// Why the request is refused.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// The steps of the decision, in their order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What explains the refusal, the likeliest first. Empty if nothing known does.
    pub fn causes(&self) -> &[Finding] {
        &self.causes
    }

    /// The likeliest cause.
    pub fn first_cause(&self) -> Option<&Finding> {
        self.causes.first()
    }

    /// Every candidate that was tried, in the order of the trials.
    pub fn tried(&self) -> &[Candidate] {
        &self.tried
    }

    /// How many signatures were checked, each with all keys of the caller.
    pub fn checks(&self) -> usize {
        self.checks
    }

    /// Whether every candidate was tried; `false` if the limit came before.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The lines of the text that this verifier expects to be signed, without the values that are
    /// left out. `None` if the head cannot be read.
    pub fn signed_text(&self) -> Option<&[String]> {
        self.text.as_deref()
    }

    /// The lines of the string to sign, in the schemes that have one.
    pub fn string_to_sign(&self) -> Option<&[String]> {
        self.string_to_sign.as_deref()
    }

    /// What came of the sender's own text, if one was given.
    pub fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// What to collect to find out more, each in one sentence.
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
    /// Which step it is.
    pub fn name(&self) -> StepName {
        self.name
    }

    /// How it ended.
    pub fn outcome(&self) -> &StepOutcome {
        &self.outcome
    }
}

/// A step of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StepName {
    /// There is one signature in one accepted scheme.
    Signature,
    /// The head has the grammar of the scheme.
    Grammar,
    /// The authority is an expected one.
    Authority,
    /// The signature covers what every signature must.
    Coverage,
    /// The signed date is within the window.
    Date,
    /// The caller is known and has a key of the scheme.
    Keys,
    /// The signature is the caller's. Where it is over the body, this needs the body.
    Proof,
    /// The key is in force, and the request keeps its rules.
    KeyRules,
    /// The body is the one that was signed.
    Body,
}

impl StepName {
    /// Every step, in its order.
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

    /// Its name in lower case with underscores.
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

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepOutcome {
    /// The request passes it.
    Passed,
    /// The request is refused here, for this reason.
    Failed(String),
    /// A step before it failed.
    NotReached,
    /// Something is missing that it needs: the keys, or the body.
    NotJudged,
}

impl StepOutcome {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
            Self::NotJudged => "not_judged",
        }
    }
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Certainty {
    /// The signature check passes under this one change.
    Matched,
    /// It follows from the refusal or from the head; no signature check shows it.
    Observed,
}

impl Certainty {
    /// Its name in lower case.
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

    /// The cause.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// A second cause, where only both together explain it.
    pub fn also(&self) -> Option<Cause> {
        self.also
    }

    /// How sure it is.
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// What exactly would have matched, or was observed. Invisible characters are shown.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The covered header that is concerned, if it is one.
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
    /// The cause that it stands for.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What was tried. Invisible characters are shown.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether the signature check passed.
    pub fn matched(&self) -> bool {
        self.matched
    }
}

/// What came of comparing the sender's own text with this verifier's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub(super) difference: Option<Difference>,
    pub(super) is_signed: Option<bool>,
}

impl Comparison {
    /// Where the texts part; `None` if they are equal.
    pub fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }

    /// Whether the signature of the request is over the sender's text with a key of the caller.
    /// `Some(false)` says that the key or the signature is wrong, or that the text is of another
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
            writeln!(f, "  mend ({side}): {}", finding.cause.remedy())?;
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
