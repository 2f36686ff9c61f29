//! The decision on the unchanged request, step by step, from the chain of types that layers use.

use super::{
    Diagnosis,
    report::{Step, StepName, StepOutcome},
};
use crate::{
    error::{Rejection, RejectionKind},
    families::Coverage,
    key_id::KeyId,
    key_version::KeyVersion,
    verify::Authentication,
};

/// The decision, and the step at which it ended.
pub(super) struct Decision {
    pub(super) steps: Vec<Step>,
    pub(super) rejection: Option<Rejection>,
    pub(super) proven: Option<(KeyId, KeyVersion)>,
    pub(super) coverage: Option<Coverage>,
}

/// The end of the decision.
enum End {
    Refused(StepName, Rejection),
    /// No failure so far, but this step lacks its input.
    Open(StepName),
    Accepted,
}

impl Decision {
    /// Decides like a layer.
    pub(super) fn of(diagnosis: &Diagnosis<'_>) -> Self {
        let mut proven = None;
        let mut coverage = None;
        let end = decide(diagnosis, &mut proven, &mut coverage);
        let steps = StepName::ALL.iter().map(|name| Step {
            name: *name,
            outcome: outcome(*name, &end),
        });
        Self {
            steps: steps.collect(),
            proven,
            coverage,
            rejection: match end {
                End::Refused(_, rejection) => Some(rejection),
                End::Open(_) | End::Accepted => None,
            },
        }
    }
}

fn outcome(name: StepName, end: &End) -> StepOutcome {
    match end {
        End::Accepted => StepOutcome::Passed,
        End::Refused(at, rejection) if *at == name => StepOutcome::Failed(rejection.to_string()),
        End::Refused(at, _) | End::Open(at) if name < *at => StepOutcome::Passed,
        End::Refused(..) => StepOutcome::NotReached,
        End::Open(_) => StepOutcome::NotJudged,
    }
}

fn decide(
    diagnosis: &Diagnosis<'_>,
    proven: &mut Option<(KeyId, KeyVersion)>,
    coverage: &mut Option<Coverage>,
) -> End {
    let now = diagnosis.now;
    let unverified = match diagnosis.verifier.parse(diagnosis.head, now) {
        Ok(unverified) => unverified,
        Err(rejection) => {
            let step = match rejection.kind() {
                RejectionKind::MissingSignature => StepName::Signature,
                RejectionKind::Misdirected => StepName::Authority,
                RejectionKind::InsufficientCoverage => StepName::Coverage,
                RejectionKind::Expired => StepName::Date,
                RejectionKind::InvalidSignature => StepName::Keys,
                _ => StepName::Grammar,
            };
            return End::Refused(step, rejection);
        }
    };
    let Some(keys) = diagnosis.keys.of(unverified.key_id()) else {
        return End::Open(StepName::Keys);
    };
    let has_key = keys
        .keys_for(unverified.scheme(), unverified.key_id())
        .next()
        .is_some();
    let refused = |rejection: Rejection| {
        let step = match rejection.kind() {
            RejectionKind::Expired => StepName::Date,
            RejectionKind::BodyMismatch => StepName::Body,
            _ if rejection.proven_caller().is_some() => StepName::KeyRules,
            _ if has_key => StepName::Proof,
            _ => StepName::Keys,
        };
        End::Refused(step, rejection)
    };
    let authentication = match unverified.authenticate(&keys, now) {
        Ok(authentication) => authentication,
        Err(rejection) => return refused(rejection),
    };
    let Some(body) = diagnosis.body else {
        return match authentication {
            Authentication::Head(head) => {
                *proven = Some((head.caller().clone(), head.key_version().clone()));
                End::Open(StepName::Body)
            }
            Authentication::Body(_) => End::Open(StepName::Proof),
        };
    };
    match authentication.finish_with(body, now) {
        Ok(verified) => {
            *proven = Some((verified.caller().clone(), verified.key_version().clone()));
            *coverage = Some(verified.coverage());
            End::Accepted
        }
        Err(rejection) => refused(rejection),
    }
}
