use std::{fmt::Write as _, net::IpAddr, path::PathBuf};

use clap::Args;
use countersign::{
    ErrorChain, Policy, PolicyRequest,
    diagnose::{Report, Step, StepOutcome},
};
use serde::Serialize;

use crate::{
    Exit, Terminal,
    failure::Failure,
    input,
    output::{Answer, Format, Paint, Tone},
    verification::{RequestSummary, Verification, VerificationArguments},
};

/// Verifies a request step by step, as a service does.
///
/// Exits with 0 if the request is accepted, and with 1 if it is refused or if its body is not
/// known. A nonce is not claimed: only the service knows which nonces were used.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    #[command(flatten)]
    verification: Box<VerificationArguments>,
    /// Ask this policy in TOML about an accepted request.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The address that the request came from, for a policy with a condition on it.
    #[arg(long, value_name = "IP", requires = "policy")]
    source: Option<IpAddr>,
}

impl Verify {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let policy = match &self.policy {
            Some(path) => {
                let text = input::read_text(terminal, path, input::MAX_CONFIG_LEN)?;
                let policy = Policy::from_toml(&text);
                Some(policy.map_err(|error| Failure::from(error).within(input::shown(path)))?)
            }
            None => None,
        };
        let verification = Verification::read(&self.verification, terminal)?;
        let report = verification.diagnosis().decide();
        let has_policy = policy.is_some();
        let policy = policy.and_then(|policy| self.judge(&policy, &verification, &report));
        let is_forbidden = policy.as_ref().is_some_and(|judged| !judged.allowed);
        let is_accepted = report.is_accepted() && verification.request.body.is_some();
        let answer = Verdict {
            policy,
            has_policy,
            ..Verdict::of(&verification, &report, is_accepted)
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::yes_if(is_accepted && !is_forbidden))
    }

    /// Evaluates the policy, if the request is accepted.
    fn judge(
        &self,
        policy: &Policy,
        verification: &Verification,
        report: &Report,
    ) -> Option<Judged> {
        let (caller, version) = report.proven()?;
        let (scheme, coverage) = (report.scheme()?, report.coverage()?);
        let parts = &verification.request.parts;
        let mut request = PolicyRequest::new(caller, parts.method.as_str(), parts.uri.path())
            .with_scheme(scheme)
            .with_coverage(coverage)
            .with_key_version(version)
            .at(verification.now);
        if let Some(source) = self.source {
            request = request.with_source(source);
        }
        let decision = policy.evaluate(&request);
        Some(Judged {
            allowed: decision.is_allowed(),
            statement: decision.statement().map(ToString::to_string),
            reason: decision.to_string(),
        })
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Verdict {
    accepted: bool,
    code: Option<&'static str>,
    reason: Option<String>,
    scheme: Option<&'static str>,
    asserted_key_id: Option<String>,
    caller: Option<String>,
    key_version: Option<String>,
    steps: Vec<JudgedStep>,
    policy: Option<Judged>,
    request: RequestSummary,
    assumed: Vec<String>,
    notes: Vec<String>,
    #[serde(skip)]
    has_policy: bool,
}

#[derive(Serialize)]
struct JudgedStep {
    name: &'static str,
    outcome: &'static str,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Judged {
    allowed: bool,
    statement: Option<String>,
    reason: String,
}

impl Verdict {
    fn of(verification: &Verification, report: &Report, accepted: bool) -> Self {
        let rejection = report.rejection();
        let proven = report.proven();
        Self {
            accepted,
            code: rejection.map(|rejection| rejection.kind().code()),
            reason: rejection.map(|rejection| ErrorChain::new(rejection).to_string()),
            scheme: report.scheme().map(countersign::Scheme::name),
            asserted_key_id: report.asserted_key_id().map(str::to_owned),
            caller: proven.map(|(caller, _)| caller.to_string()),
            key_version: proven.map(|(_, version)| version.to_string()),
            steps: report.steps().iter().map(JudgedStep::of).collect(),
            policy: None,
            has_policy: false,
            request: verification.summary(),
            assumed: verification.assumed.clone(),
            notes: verification.request.notes.clone(),
        }
    }
}

impl JudgedStep {
    fn of(step: &Step) -> Self {
        let reason = match step.outcome() {
            StepOutcome::Failed(reason) => Some(reason.clone()),
            _ => None,
        };
        Self {
            name: step.name().as_str(),
            outcome: step.outcome().as_str(),
            reason,
        }
    }
}

impl Answer for Verdict {
    fn to_text(&self, paint: Paint) -> String {
        let mut text = String::new();
        let mut line = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        match (&self.reason, &self.caller) {
            (Some(reason), _) => {
                let code = self.code.unwrap_or_default();
                let refused = paint.paint(Tone::Bad, format_args!("refused: {code}"));
                line(format!("{refused}: {reason}"));
            }
            (None, Some(caller)) if self.accepted => {
                let version = self.key_version.as_deref().unwrap_or_default();
                let accepted = paint.paint(Tone::Good, "accepted");
                line(format!("{accepted}: caller {caller}, key {version}"));
            }
            (None, _) => {
                let open = paint.paint(Tone::Warning, "not judged");
                line(format!("{open}: the body is not known"));
            }
        }
        line(format!("  {}", self.request));
        line(String::new());
        for step in &self.steps {
            line(step_line(
                paint,
                step.name,
                step.outcome,
                step.reason.as_deref(),
            ));
        }
        if self.has_policy {
            let (outcome, reason) = match &self.policy {
                Some(judged) if judged.allowed => ("passed", Some(&*judged.reason)),
                Some(judged) => ("failed", Some(&*judged.reason)),
                None => ("not_reached", None),
            };
            line(step_line(paint, "policy", outcome, reason));
        }
        let nonce = "only the service knows which nonces were used";
        line(step_line(paint, "nonce", "not_judged", Some(nonce)));
        let mut notes = String::new();
        for (what, sentences) in [("assumed", &self.assumed), ("note", &self.notes)] {
            for sentence in sentences {
                // Writing to a string does not fail.
                let _ = writeln!(notes, "{}: {sentence}", paint.paint(Tone::Faint, what));
            }
        }
        if !notes.is_empty() {
            line(String::new());
            text.push_str(&notes);
        }
        text
    }
}

/// Writes a step on one line, in columns.
pub(crate) fn step_line(paint: Paint, name: &str, outcome: &str, reason: Option<&str>) -> String {
    let tone = match outcome {
        "passed" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Faint,
    };
    let name = name.replace('_', " ");
    let outcome = format!("{:<11}", outcome.replace('_', " "));
    let outcome = match reason {
        Some(_) => paint.paint(tone, outcome),
        None => paint.paint(tone, outcome.trim_end()),
    };
    match reason {
        Some(reason) => format!("  {name:<10} {outcome} {reason}"),
        None => format!("  {name:<10} {outcome}"),
    }
}
