use serde_json::{Value, json};

use super::report::{Comparison, Report, StepOutcome};
use crate::scheme::Scheme;

impl Report {
    /// Writes the report as one JSON object.
    ///
    /// | member | value |
    /// |---|---|
    /// | `accepted` | whether the request passes |
    /// | `code`, `reason` | of the refusal; `null` if there is none |
    /// | `scheme`, `asserted_key_id`, `caller`, `key_version` | texts or `null` |
    /// | `causes` | objects with `code`, `also`, `certainty`, `side`, |
    /// | | `detail`, `header`, `meaning`, `remedy` |
    /// | `steps` | objects with `name`, `outcome`, `reason` |
    /// | `tried` | objects with `code`, `also`, `detail`, `matched` |
    /// | `checks`, `complete` | the number of signature checks, and whether that was all |
    /// | `signed_text`, `string_to_sign` | lists of lines, or `null` |
    /// | `comparison` | `null`, or `signed`, `line`, `byte`, `ours`, `theirs` |
    /// | `next` | a list of sentences |
    pub fn to_json(&self) -> String {
        let causes = self.causes.iter().map(|finding| {
            json!({
                "code": finding.cause.as_str(),
                "also": finding.also.map(super::Cause::as_str),
                "certainty": finding.certainty.as_str(),
                "side": finding.cause.side().as_str(),
                "detail": finding.detail,
                "header": finding.header.as_ref().map(http::HeaderName::as_str),
                "meaning": finding.cause.meaning(),
                "remedy": finding.cause.remedy(),
            })
        });
        let steps = self.steps.iter().map(|step| {
            let reason = match &step.outcome {
                StepOutcome::Failed(reason) => Some(reason),
                _ => None,
            };
            json!({
                "name": step.name.as_str(),
                "outcome": step.outcome.as_str(),
                "reason": reason,
            })
        });
        let tried = self.tried.iter().map(|candidate| {
            json!({
                "code": candidate.cause.as_str(),
                "also": candidate.also.map(super::Cause::as_str),
                "detail": candidate.detail,
                "matched": candidate.matched,
            })
        });
        let rejection = self.rejection.as_ref();
        let proven = self.proven.as_ref();
        json!({
            "accepted": self.is_accepted(),
            "code": rejection.map(|rejection| rejection.kind().code()),
            "reason": rejection.map(ToString::to_string),
            "scheme": self.scheme.map(Scheme::name),
            "asserted_key_id": self.asserted_key_id,
            "caller": proven.map(|(caller, _)| caller.as_str()),
            "key_version": proven.map(|(_, version)| version.as_str()),
            "causes": causes.collect::<Value>(),
            "steps": steps.collect::<Value>(),
            "tried": tried.collect::<Value>(),
            "checks": self.checks,
            "complete": self.is_complete,
            "signed_text": self.text,
            "string_to_sign": self.string_to_sign,
            "comparison": self.comparison.as_ref().map(compared),
            "next": self.next,
        })
        .to_string()
    }
}

fn compared(comparison: &Comparison) -> Value {
    let difference = comparison.difference();
    json!({
        "signed": comparison.is_signed(),
        "line": difference.map(super::Difference::line),
        "byte": difference.map(super::Difference::byte),
        "ours": difference.and_then(super::Difference::ours),
        "theirs": difference.and_then(super::Difference::theirs),
    })
}
