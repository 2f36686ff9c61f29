//! The answer of the doctor, as text and as JSON.

use std::fmt::Write as _;

use countersign::{
    RejectionKind,
    diagnose::{Certainty, Comparison, Finding, Report, StepOutcome},
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::alignment::{AlignedLine, LineSide, align};
use crate::{
    commands::verify::step_line,
    output::{Answer, Paint, Tone},
    verification::{RequestSummary, Verification},
};

/// The most causes that are shown in full.
const MAX_CAUSES: usize = 5;

/// The answer. JSON.md has its shape.
pub(super) struct Explanation {
    pub(super) report: Report,
    pub(super) request: RequestSummary,
    pub(super) lines: Vec<AlignedLine>,
    pub(super) next: Vec<String>,
    pub(super) assumed: Vec<String>,
    pub(super) notes: Vec<String>,
    has_body: bool,
}

impl Explanation {
    pub(super) fn of(verification: &Verification, report: Report) -> Self {
        Self {
            request: verification.summary(),
            lines: report.comparison().map(align).unwrap_or_default(),
            next: next(verification, &report),
            assumed: verification.assumed.clone(),
            notes: verification.request.notes.clone(),
            has_body: verification.request.body.is_some(),
            report,
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.report.is_accepted() && self.has_body
    }

    /// Returns the causes that are shown.
    pub(super) fn causes(&self) -> &[Finding] {
        let causes = self.report.causes();
        causes.get(..MAX_CAUSES).unwrap_or(causes)
    }

    /// Returns the decision in one line.
    pub(super) fn verdict(&self) -> (Tone, String) {
        match (self.report.rejection(), self.report.proven()) {
            (Some(rejection), _) => {
                let code = rejection.kind().code();
                (Tone::Bad, format!("refused: {code}"))
            }
            (None, Some((caller, version))) if self.has_body => {
                let accepted = format!("accepted: caller {caller}, key {version}");
                (Tone::Good, accepted)
            }
            (None, _) => (
                Tone::Warning,
                "not judged: the body is not known".to_owned(),
            ),
        }
    }

    /// Says that nothing is known, if so.
    pub(super) fn nothing_known(&self) -> Option<String> {
        let is_refused = self.report.rejection().is_some();
        (is_refused && self.report.causes().is_empty()).then(|| {
            let tried = self.report.tried().len();
            format!("no known mistake explains the refusal: {tried} were tried")
        })
    }

    /// Says what the comparison with the sender's text shows.
    pub(super) fn compared(comparison: &Comparison) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some(difference) = comparison.difference() {
            let (line, byte) = (difference.line(), difference.byte());
            sentences.push(format!(
                "the signed texts differ first in line {line} at byte {byte}"
            ));
        } else {
            sentences.push("the signed texts are equal".to_owned());
        }
        sentences.extend(comparison.is_signed().map(|is_signed| {
            if is_signed {
                "the signature is over the sender's text: key and signature are right".to_owned()
            } else {
                "the signature is not over the sender's text: the key or the signature is wrong, \
                 or the text is that of another request"
                    .to_owned()
            }
        }));
        sentences
    }
}

/// Says how certain a cause is.
pub(super) fn certainty(finding: &Finding) -> &'static str {
    match finding.certainty() {
        Certainty::Matched => "certain: the signature is right with this change and no other",
        _ => "likely: it follows from the refusal, and no signature shows it",
    }
}

/// Returns the code of a cause, with the second one if it takes two.
pub(super) fn code(finding: &Finding) -> String {
    match finding.also() {
        Some(also) => format!("{} with {also}", finding.cause()),
        None => finding.cause().to_string(),
    }
}

/// The options that give what the report asks for.
const OPTIONS: [(&str, &str); 4] = [
    ("provide the body", "--body"),
    ("have the caller print", "--theirs"),
    ("provide the path prefixes", "--path-prefix"),
    ("raise the limit", "--limit"),
];

/// Returns what to collect next.
fn next(verification: &Verification, report: &Report) -> Vec<String> {
    let mut next = Vec::new();
    let is_expired = report
        .rejection()
        .is_some_and(|rejection| rejection.kind() == RejectionKind::Expired);
    if is_expired {
        next.push(
            "if the record is old, give the time of its arrival with --at, or --at signed"
                .to_owned(),
        );
    }
    for sentence in report.next() {
        // The secrets are those of the file of keys.
        if sentence.starts_with("provide the secret") {
            continue;
        }
        let option = OPTIONS
            .iter()
            .find(|(start, _)| sentence.starts_with(start));
        next.push(match option {
            Some((_, option)) => format!("{sentence} ({option})"),
            None => (*sentence).to_owned(),
        });
    }
    let is_open = report.rejection().is_some() && report.causes().is_empty();
    if is_open && verification.verifier.expected_hosts().is_empty() {
        next.push("give the hosts of the service (--expect-host)".to_owned());
    }
    next
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = serde_json::from_str(&self.report.to_json());
        let mut members: Map<String, Value> = report.unwrap_or_default();
        members.insert("accepted".to_owned(), json!(self.is_accepted()));
        if let Some(Value::Object(comparison)) = members.get_mut("comparison") {
            comparison.insert("lines".to_owned(), json!(self.lines));
        }
        for (name, value) in [
            ("request", json!(self.request)),
            ("next", json!(self.next)),
            ("assumed", json!(self.assumed)),
            ("notes", json!(self.notes)),
        ] {
            members.insert(name.to_owned(), value);
        }
        members.serialize(serializer)
    }
}

impl Answer for Explanation {
    fn to_text(&self, paint: Paint) -> String {
        let mut text = Text {
            text: String::new(),
            paint,
        };
        let (tone, verdict) = self.verdict();
        text.line(paint.paint(tone, verdict));
        text.causes(self);
        text.line("");
        text.line(paint.paint(Tone::Strong, "decision"));
        text.line(format!("  {}", self.request));
        for step in self.report.steps() {
            let reason = match step.outcome() {
                StepOutcome::Failed(reason) => Some(reason.as_str()),
                _ => None,
            };
            let outcome = step.outcome().as_str();
            text.line(step_line(paint, step.name().as_str(), outcome, reason));
        }
        if let Some(comparison) = self.report.comparison() {
            text.comparison(self, comparison);
        }
        for (title, sentences) in [
            ("collect next", &self.next),
            ("assumed", &self.assumed),
            ("notes", &self.notes),
        ] {
            text.list(title, sentences);
        }
        text.text
    }
}

/// A text that is written line by line.
struct Text {
    text: String,
    paint: Paint,
}

impl Text {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn list(&mut self, title: &str, sentences: &[String]) {
        if sentences.is_empty() {
            return;
        }
        self.line("");
        self.line(self.paint.paint(Tone::Strong, title));
        for sentence in sentences {
            self.line(format!("  - {sentence}"));
        }
    }

    fn causes(&mut self, explanation: &Explanation) {
        if let Some(nothing) = explanation.nothing_known() {
            self.line(self.paint.paint(Tone::Warning, nothing));
        }
        for (number, finding) in explanation.causes().iter().enumerate() {
            let number = number.saturating_add(1);
            self.line("");
            let meaning = self.paint.paint(Tone::Strong, finding.cause().meaning());
            self.line(format!("{number}. {meaning}"));
            self.field("cause", &code(finding));
            self.field("found", finding.detail());
            self.field("how sure", certainty(finding));
            let (side, remedy) = (finding.cause().side(), finding.cause().remedy());
            let who = match side.as_str() {
                "between" => "between the two",
                "callee" => "at the service that verifies",
                _ => "at the service that signs",
            };
            self.field("fix", &format!("{who}: {remedy}"));
        }
        let all = explanation.report.causes().len();
        let more = all.saturating_sub(explanation.causes().len());
        if more > 0 {
            self.line(format!("and {more} more: see --json"));
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            let name = self.paint.paint(Tone::Faint, format_args!("{name:<9}"));
            self.line(format!("   {name} {value}"));
        }
    }

    fn comparison(&mut self, explanation: &Explanation, comparison: &Comparison) {
        self.line("");
        let title = "the verifier's text (-) and the sender's (+)";
        self.line(self.paint.paint(Tone::Strong, title));
        for sentence in Explanation::compared(comparison) {
            self.line(format!("  {sentence}"));
        }
        for line in &explanation.lines {
            let number = line.ours.or(line.theirs).unwrap_or_default();
            let (sign, tone) = match line.side {
                LineSide::Both => (' ', None),
                LineSide::Ours => ('-', Some(Tone::Bad)),
                LineSide::Theirs => ('+', Some(Tone::Good)),
            };
            let shown = format!("  {sign}{number:>3}  {}", line.text);
            self.line(match tone {
                Some(tone) => self.paint.paint(tone, shown),
                None => shown,
            });
            if let Some(marked) = line.marked {
                let mut mark = String::new();
                // Writing to a string does not fail.
                let _ = write!(mark, "{:>1$}", '^', marked.saturating_add(9));
                self.line(mark);
            }
        }
    }
}
