//! Finds the causes of a refusal.

use super::{
    Diagnosis,
    candidates::{self, Change, Subject, Variation},
    cause::Cause,
    comparison::compare,
    difference::visible,
    head_copy::{Edit, HeadCopy},
    keys,
    observed::observed,
    relaxed,
    repairs::{self, AsSent, Repair},
    report::{Certainty, Comparison, Finding},
    requirement::{of_date, requirement},
    text_lines::TextEdit,
    trial::{self, Base, Trials},
};
use crate::{
    error::{Rejection, RejectionKind},
    keyring::CallerKeys,
    payload::PayloadDigest,
    scheme::Scheme,
    verify::{Asserted, OtherText, SignedText, UnverifiedHead, Verifier},
};

/// The greatest number of variations of one group that are tried together with those of another.
const PAIRED: usize = 12;

/// The number of checks per repair of a head.
const REPAIRS_SHARE: usize = 8;

/// The explanation of a refusal.
pub(super) struct Explanation {
    pub(super) scheme: Option<Scheme>,
    pub(super) asserted_key_id: Option<String>,
    pub(super) causes: Vec<Finding>,
    pub(super) trials: Trials,
    pub(super) text: Option<Vec<String>>,
    pub(super) string_to_sign: Option<Vec<String>>,
    pub(super) comparison: Option<Comparison>,
}

/// The extent of the trials on a head.
#[derive(Clone, Copy)]
enum Depth {
    AsItIs,
    Varied,
}

/// A head that some verifier can read.
struct Readable {
    head: HeadCopy,
    verifier: Verifier,
    repair: Option<Repair>,
}

impl Explanation {
    /// Shows what the head asserts, and explains nothing.
    pub(super) fn none(diagnosis: &Diagnosis<'_>) -> Self {
        let asserted = diagnosis.verifier.asserted(diagnosis.head);
        let asserted = asserted.as_ref();
        Self {
            scheme: asserted.map(Asserted::scheme),
            asserted_key_id: asserted
                .and_then(Asserted::key_id)
                .map(|key_id| visible(&key_id.chars().take(128).collect::<String>())),
            causes: Vec::new(),
            trials: Trials::none(),
            text: None,
            string_to_sign: None,
            comparison: None,
        }
    }

    /// Explains a refusal, or shows the signed text if there is none.
    pub(super) fn of(diagnosis: &Diagnosis<'_>, rejection: Option<&Rejection>) -> Self {
        let head = HeadCopy::of(&diagnosis.head);
        let mut explanation = Self::none(diagnosis);
        explanation.trials = Trials::new(diagnosis.limit, &head);
        let hosts = diagnosis.verifier.expected_hosts();
        let drf = relaxed::drf_names(diagnosis.verifier);
        let repairs = repairs::of(&head, hosts, &drf);
        let readable = readable(diagnosis, &head, repairs, &mut explanation.trials);
        // For every readable head, checks the unchanged signature first.
        for depth in [Depth::AsItIs, Depth::Varied] {
            for readable in &readable {
                if !explanation.causes.is_empty() {
                    break;
                }
                if explanation.text.is_some() && !explanation.trials.may_read() {
                    break;
                }
                let read = trial::read(&readable.verifier, readable.head.head(), diagnosis.now);
                let Ok((unverified, at)) = read else { continue };
                if explanation.text.is_none() {
                    explanation.show(diagnosis, &unverified);
                }
                let (Some(rejection), Some(keys)) =
                    (rejection, diagnosis.keys.of(unverified.key_id()))
                else {
                    continue;
                };
                let keys = keys.with_own_caches();
                let digest = diagnosis.body.map(PayloadDigest::of);
                let text = match unverified.signed_text(digest.as_ref()) {
                    SignedText::Head { text, .. } => Some(text),
                    SignedText::Body { .. } => None,
                };
                let base = Base {
                    head: &readable.head,
                    verifier: &readable.verifier,
                    unverified: &unverified,
                    at,
                    keys: &keys,
                    body: diagnosis.body,
                    digest,
                    text,
                };
                match depth {
                    Depth::AsItIs => explanation.check(diagnosis, rejection, readable, &base),
                    Depth::Varied => {
                        explanation.vary(diagnosis, readable, &base);
                        if !explanation.causes.is_empty() {
                            explanation.add_refused_for(diagnosis, rejection);
                        }
                    }
                }
            }
        }
        if let Some(rejection) = rejection
            && explanation.causes.is_empty()
        {
            explanation.causes = observed(diagnosis, &head, rejection);
        }
        explanation
    }

    /// Checks whether the signature is right for a readable head.
    fn check(
        &mut self,
        diagnosis: &Diagnosis<'_>,
        rejection: &Rejection,
        readable: &Readable,
        base: &Base<'_, '_>,
    ) {
        if readable.repair.is_none() {
            self.trials.note(base);
        }
        if self.matches_as_it_is(base, readable) {
            let findings = match &readable.repair {
                Some(repair) => vec![repair.finding()],
                None => requirement(diagnosis, rejection, base),
            };
            self.causes.extend(findings);
        } else if let Some(repair) = &readable.repair {
            self.try_as_sent(base, repair);
        }
    }

    /// Tries all variations of a readable head.
    fn vary(&mut self, diagnosis: &Diagnosis<'_>, readable: &Readable, base: &Base<'_, '_>) {
        if let Some(repair) = &readable.repair
            && repair.cause == Cause::SignatureEncoding
        {
            self.trials.forget_texts();
        }
        self.change(diagnosis, readable, base);
        if self.causes.is_empty() {
            self.try_other_keys(diagnosis, base);
        }
        let is_theirs = self.comparison.as_ref().is_some_and(|comparison| {
            comparison.is_signed == Some(true) && comparison.difference.is_some()
        });
        if self.causes.is_empty() && is_theirs {
            let detail = "the signature is over the sender's text";
            self.causes
                .push(Finding::matched(Cause::SignedTextDiffers, detail));
        }
        if self.causes.is_empty() && !diagnosis.single_changes_only {
            self.try_pairs(diagnosis, base);
        }
    }

    /// Adds a stale date as a cause. It would refuse the request even with the right signature.
    fn add_refused_for(&mut self, diagnosis: &Diagnosis<'_>, rejection: &Rejection) {
        if let RejectionKind::Expired = rejection.kind() {
            let signed_at = rejection.stale_date().unwrap_or(diagnosis.now);
            self.causes.push(Finding {
                certainty: Certainty::Observed,
                ..of_date(signed_at, diagnosis.now)
            });
        }
    }

    /// Shows the content of the head, and compares it with the sender's text.
    fn show(&mut self, diagnosis: &Diagnosis<'_>, unverified: &UnverifiedHead<'_>) {
        self.scheme = Some(unverified.scheme());
        self.asserted_key_id = Some(unverified.key_id().to_owned());
        let digest = diagnosis.body.map(PayloadDigest::of);
        let digest = digest.as_ref();
        let keys = diagnosis.keys.of(unverified.key_id());
        if let Some(theirs) = diagnosis.their_text {
            let keys = keys.as_ref().map(CallerKeys::with_own_caches);
            self.comparison = Some(compare(
                diagnosis,
                unverified,
                digest,
                theirs,
                keys.as_ref(),
            ));
        }
        let lines = |text: &str| {
            let lines = text.split('\n');
            lines
                .map(|line| visible(&diagnosis.redaction.line(line)))
                .collect()
        };
        match unverified.signed_text(digest) {
            SignedText::Head {
                text,
                string_to_sign,
            } => {
                self.text = Some(lines(&text));
                self.string_to_sign = string_to_sign.as_deref().map(lines);
            }
            SignedText::Body { prefix } => {
                let prefix = visible(&String::from_utf8_lossy(&prefix));
                let body = match diagnosis.body {
                    Some(body) => format!("[{} bytes of the body]", body.len()),
                    None => "[the body]".to_owned(),
                };
                self.text = Some(vec![[prefix, body].concat()]);
            }
        }
    }

    /// Returns whether the signature is right for the readable head.
    fn matches_as_it_is(&mut self, base: &Base<'_, '_>, readable: &Readable) -> bool {
        let is_matched = self.trials.matches(base) == Some(true);
        if let Some(repair) = &readable.repair {
            self.trials
                .record(repair.cause, repair.detail.clone(), is_matched);
        }
        is_matched
    }

    /// Tries single changes.
    fn change(&mut self, diagnosis: &Diagnosis<'_>, readable: &Readable, base: &Base<'_, '_>) {
        // The session token and the algorithm are checked apart from the text.
        if let Some(text) = &base.text
            && base.unverified.is_over(OtherText::Head(text), base.keys)
        {
            let cause = match base.unverified.scheme() {
                Scheme::SigV4 => Cause::SessionToken,
                _ => Cause::Algorithm,
            };
            self.causes
                .push(Finding::matched(cause, "the signature is right"));
            return;
        }
        let room = self.trials.room();
        let candidates =
            Self::with_subject(diagnosis, base, |subject| candidates::of(subject, room));
        self.trials.is_complete &= !candidates.is_full;
        let mut variations = uri_schemes(base);
        variations.extend(candidates.found);
        let repair = readable.repair.as_ref();
        let also = repair.map(|repair| repair.cause);
        for variation in &variations {
            if self.trials.vary(base, variation) == Some(true) {
                self.causes.push(Finding {
                    cause: variation.cause,
                    also: also.filter(|also| *also != variation.cause),
                    certainty: Certainty::Matched,
                    detail: variation.detail.clone(),
                    header: variation.header.clone(),
                });
            }
        }
    }

    fn with_subject<T>(
        diagnosis: &Diagnosis<'_>,
        base: &Base<'_, '_>,
        make: impl FnOnce(&Subject<'_>) -> T,
    ) -> T {
        let signed = base.unverified.signed_text(base.digest.as_ref());
        let (text, string_to_sign, prefix) = match &signed {
            SignedText::Head {
                text,
                string_to_sign,
            } => (Some(text.as_str()), string_to_sign.as_deref(), None),
            SignedText::Body { prefix } => (None, None, Some(prefix.as_slice())),
        };
        let scheme = base.unverified.scheme();
        make(&Subject {
            head: base.head,
            scheme,
            family: relaxed::family_of(base.verifier, scheme),
            verifier: base.verifier,
            text,
            string_to_sign,
            prefix,
            body: diagnosis.body,
            covered: base.unverified.covered_names(),
            signed_at: base.unverified.signed_at(),
            expected_hosts: diagnosis.verifier.expected_hosts(),
            path_prefixes: &diagnosis.path_prefixes,
            redaction: &diagnosis.redaction,
        })
    }

    /// Tries the sent form in place of its repaired form.
    fn try_as_sent(&mut self, base: &Base<'_, '_>, repair: &Repair) {
        let Some(as_sent) = &repair.as_sent else {
            return;
        };
        let signed = base.unverified.signed_text(base.digest.as_ref());
        let change = match (&signed, as_sent) {
            (SignedText::Head { .. }, AsSent::Method(sent)) => {
                Some(Change::Text(TextEdit::Method(sent.clone())))
            }
            (SignedText::Head { .. }, AsSent::Header(name, sent)) => {
                let name = name.as_str().to_owned();
                Some(Change::Text(TextEdit::Header(name, sent.clone())))
            }
            (SignedText::Head { .. }, AsSent::Piece { repaired, sent }) => {
                Some(Change::Text(TextEdit::Piece {
                    from: repaired.clone(),
                    to: sent.clone(),
                }))
            }
            (
                SignedText::Head {
                    string_to_sign: Some(text),
                    ..
                },
                AsSent::Day { repaired, sent },
            ) => {
                let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
                if let Some(scope) = lines.get_mut(2) {
                    *scope = scope.replacen(repaired.as_str(), sent, 1);
                }
                Some(Change::StringToSign(lines.join("\n")))
            }
            (SignedText::Body { prefix }, AsSent::Piece { repaired, sent }) => {
                let prefix = String::from_utf8_lossy(prefix).replace(repaired.as_str(), sent);
                let body = base.body.unwrap_or_default();
                Some(Change::Bytes([prefix.as_bytes(), body].concat()))
            }
            _ => None,
        };
        let Some(change) = change else { return };
        let variation = Variation {
            cause: repair.cause,
            detail: repair.detail.clone(),
            change,
            header: None,
        };
        if self.trials.vary(base, &variation) == Some(true) {
            self.causes.push(repair.finding());
        }
    }

    fn try_other_keys(&mut self, diagnosis: &Diagnosis<'_>, base: &Base<'_, '_>) {
        for other in keys::others(diagnosis, base.unverified, base.keys) {
            if self.trials.try_key(base, &other) == Some(true) {
                self.causes
                    .push(Finding::matched(other.cause, other.detail));
                return;
            }
        }
    }

    /// Tries two changes of the head at once, from different groups.
    fn try_pairs(&mut self, diagnosis: &Diagnosis<'_>, base: &Base<'_, '_>) {
        let room = self.trials.room();
        let variations = Self::with_subject(diagnosis, base, |subject| {
            candidates::of(subject, room).found
        });
        let mut groups: [Vec<(&Variation, &Edit)>; 4] = Default::default();
        for variation in &variations {
            let Change::Head(edit) = &variation.change else {
                continue;
            };
            let group = match edit {
                Edit::Authority(_) => 0,
                Edit::Path(_) => 1,
                Edit::Query(_) => 2,
                Edit::Header(..) => 3,
                Edit::Method(_) => continue,
            };
            if let Some(group) = groups.get_mut(group)
                && group.len() < PAIRED
            {
                group.push((variation, edit));
            }
        }
        for (number, one) in groups.iter().enumerate() {
            for other in groups.iter().skip(number.saturating_add(1)) {
                for (one, other) in one
                    .iter()
                    .flat_map(|one| other.iter().map(move |b| (one, b)))
                {
                    if self.trials.is_spent() {
                        return;
                    }
                    if self.trials.try_pair(base, *one, *other) == Some(true) {
                        self.causes.push(Finding {
                            cause: one.0.cause,
                            also: Some(other.0.cause),
                            certainty: Certainty::Matched,
                            detail: [&*one.0.detail, "; ", &other.0.detail].concat(),
                            header: other.0.header.clone(),
                        });
                        return;
                    }
                }
            }
        }
    }
}

/// Returns every head that some verifier can read: the sent head or its repairs.
fn readable(
    diagnosis: &Diagnosis<'_>,
    head: &HeadCopy,
    repairs: Vec<Repair>,
    trials: &mut Trials,
) -> Vec<Readable> {
    let mut found = Vec::new();
    let can_read = |verifier: &Verifier, head: &HeadCopy| {
        trial::read(verifier, head.head(), diagnosis.now).is_ok()
    };
    for verifier in relaxed::all(diagnosis.verifier, head) {
        if can_read(&verifier, head) {
            found.push(Readable {
                head: head.clone(),
                verifier,
                repair: None,
            });
        }
    }
    // Reading a repaired head costs time too, so that few are read.
    let repairs = repairs.into_iter().take(diagnosis.limit / REPAIRS_SHARE);
    for repair in repairs {
        if !trials.may_read() {
            break;
        }
        let verifiers = relaxed::all(diagnosis.verifier, &repair.head);
        let verifier = verifiers
            .into_iter()
            .find(|verifier| can_read(verifier, &repair.head));
        if let Some(verifier) = verifier {
            found.push(Readable {
                head: repair.head.clone(),
                verifier,
                repair: Some(repair),
            });
        }
    }
    found
}

/// Returns the variations in the URI scheme that an RFC 9421 verifier reads.
fn uri_schemes(base: &Base<'_, '_>) -> Vec<Variation> {
    use crate::families::FamilyVerifier;
    let mut found = Vec::new();
    let scheme = base.unverified.scheme();
    let Some(FamilyVerifier::MessageSignatures(family)) = relaxed::family_of(base.verifier, scheme)
    else {
        return found;
    };
    for (uri_scheme, other) in family.for_each_uri_scheme() {
        let mut requirements = base.verifier.requirements().clone();
        for accepted in &mut requirements.accepted {
            if let FamilyVerifier::MessageSignatures(accepted) = accepted {
                *accepted = other.clone();
            }
        }
        found.push(Variation {
            cause: Cause::SchemeOfUri,
            detail: format!("signed scheme: {uri_scheme:?}").to_ascii_lowercase(),
            change: Change::Verifier(Box::new(Verifier::unchecked(requirements))),
            header: None,
        });
    }
    found
}
