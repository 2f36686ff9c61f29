//! The outcome of each attack, and the grade of all.

use std::fmt::Write as _;

use serde::Serialize;

use super::{attacks::Group, exchange::Reply};
use crate::output::{Answer, Paint, Tone};

/// What a server did with a changed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The request was refused, as it must be.
    Refused,
    /// The request was accepted.
    Accepted,
    /// The request was not accepted, but the server failed, hung, or took more than it needed.
    Weak,
    /// The answer does not show whether the request was accepted.
    Unclear,
    /// The attack was not made.
    Skipped,
}

impl Outcome {
    const ALL: [Self; 5] = [
        Self::Refused,
        Self::Accepted,
        Self::Weak,
        Self::Unclear,
        Self::Skipped,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Weak => "weak",
            Self::Unclear => "unclear",
            Self::Skipped => "skipped",
        }
    }
}

/// The result of one attack.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Probed {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) note: Option<&'static str>,
}

impl Probed {
    /// Judges the reply to a request that must be refused.
    pub(super) fn of(group: Group, name: &str, reply: Reply, accepted: &[u16]) -> Self {
        let (outcome, status, note) = match reply {
            Reply::Closed => (Outcome::Refused, None, Some("closed without an answer")),
            Reply::Silence => (Outcome::Weak, None, Some("no answer in time")),
            Reply::Status(status) if accepted.contains(&status) => {
                (Outcome::Accepted, Some(status), None)
            }
            Reply::Status(status) => {
                let (outcome, note) = judge(status);
                (outcome, Some(status), note)
            }
        };
        Self {
            group: group.as_str(),
            name: name.to_owned(),
            outcome,
            status,
            note,
        }
    }

    pub(super) fn skipped(group: Group, name: &str, note: &'static str) -> Self {
        Self {
            group: group.as_str(),
            name: name.to_owned(),
            outcome: Outcome::Skipped,
            status: None,
            note: Some(note),
        }
    }

    /// Calls a refused attack weak, because of what the server took before.
    pub(super) fn weak_because(self, note: &'static str) -> Self {
        match self.outcome {
            Outcome::Refused => Self {
                outcome: Outcome::Weak,
                note: Some(note),
                ..self
            },
            _ => self,
        }
    }
}

fn judge(status: u16) -> (Outcome, Option<&'static str>) {
    match status {
        200..=399 => (Outcome::Accepted, None),
        404 | 405 => (
            Outcome::Unclear,
            Some("the answer may come after the verification"),
        ),
        400..=499 | 501 | 505 => (Outcome::Refused, None),
        _ => (Outcome::Weak, Some("the server failed")),
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
pub(super) struct Graded {
    pub(super) url: String,
    /// `A`: nothing was accepted. `B`: nothing was accepted, but something was weak. `D`: something
    /// was accepted. `F`: a request was accepted whose signature, target, host or body was changed.
    grade: char,
    /// The status of the unchanged request.
    pub(super) unchanged: Option<u16>,
    accepted: usize,
    probes: Vec<Probed>,
}

impl Graded {
    pub(super) fn new(url: String, unchanged: Option<u16>, probes: Vec<Probed>) -> Self {
        let accepted: Vec<&Probed> = probes
            .iter()
            .filter(|probed| probed.outcome == Outcome::Accepted)
            .collect();
        let is_basic =
            |probed: &&Probed| matches!(probed.group, "signature" | "target" | "host" | "body");
        let has_weak = probes.iter().any(|probed| probed.outcome == Outcome::Weak);
        let grade = match (accepted.is_empty(), accepted.iter().any(is_basic), has_weak) {
            (true, _, false) => 'A',
            (true, _, true) => 'B',
            (false, false, _) => 'D',
            (false, true, _) => 'F',
        };
        Self {
            url,
            grade,
            unchanged,
            accepted: accepted.len(),
            probes,
        }
    }

    pub(super) fn has_accepted(&self) -> bool {
        self.accepted > 0
    }
}

impl Answer for Graded {
    fn to_text(&self, paint: Paint) -> String {
        let all = self.probes.len();
        let tone = match self.grade {
            'A' => Tone::Good,
            'B' => Tone::Warning,
            _ => Tone::Bad,
        };
        let grade = paint.paint(tone, format_args!("grade {}", self.grade));
        let accepted = self.accepted;
        let mut text = format!("{grade}: {accepted} of {all} attacks were accepted\n\n");
        let header = "group      refused accepted weak unclear skipped";
        text.push_str(&paint.paint(Tone::Faint, header));
        text.push('\n');
        for group in Group::ALL {
            let count = |outcome: Outcome| {
                let probes = self.probes.iter();
                let of_group = probes.filter(|probed| probed.group == group.as_str());
                of_group.filter(|probed| probed.outcome == outcome).count()
            };
            let [refused, accepted, weak, unclear, skipped] = Outcome::ALL.map(count);
            let line = format!(
                "{:<10} {refused:>7} {accepted:>8} {weak:>4} {unclear:>7} {skipped:>7}",
                group.as_str()
            );
            text.push_str(&line);
            text.push('\n');
        }
        for outcome in [
            Outcome::Accepted,
            Outcome::Weak,
            Outcome::Unclear,
            Outcome::Skipped,
        ] {
            self.list(outcome, paint, &mut text);
        }
        text
    }
}

impl Graded {
    fn list(&self, outcome: Outcome, paint: Paint, text: &mut String) {
        let probes = self.probes.iter();
        let mut probes = probes.filter(|probed| probed.outcome == outcome).peekable();
        if probes.peek().is_none() {
            return;
        }
        let tone = match outcome {
            Outcome::Accepted => Tone::Bad,
            Outcome::Weak => Tone::Warning,
            _ => Tone::Faint,
        };
        text.push('\n');
        text.push_str(&paint.paint(tone, outcome.as_str()));
        text.push('\n');
        for probed in probes {
            // Writing to a string does not fail.
            let _ = write!(text, "  {:<10} {}", probed.group, probed.name);
            if let Some(status) = probed.status {
                let _ = write!(text, " ({status})");
            }
            if let Some(note) = probed.note {
                let _ = write!(text, ": {note}");
            }
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(outcomes: &[(Group, Reply)]) -> char {
        let probes = outcomes.iter();
        let probes = probes.map(|(group, reply)| Probed::of(*group, "x", *reply, &[]));
        Graded::new(String::new(), Some(200), probes.collect()).grade
    }

    #[test]
    fn the_grade_is_that_of_the_worst_outcome() {
        let refused = (Group::Body, Reply::Status(401));
        for (name, other, expected) in [
            ("refused", (Group::Date, Reply::Status(400)), 'A'),
            ("closed", (Group::Date, Reply::Closed), 'A'),
            ("not found", (Group::Date, Reply::Status(404)), 'A'),
            ("silent", (Group::Date, Reply::Silence), 'B'),
            ("failed", (Group::Date, Reply::Status(500)), 'B'),
            ("replayed", (Group::Replay, Reply::Status(200)), 'D'),
            ("redirected", (Group::Headers, Reply::Status(302)), 'D'),
            ("another body", (Group::Body, Reply::Status(204)), 'F'),
        ] {
            assert_eq!(grade(&[refused, other]), expected, "{name}");
        }
    }
}
