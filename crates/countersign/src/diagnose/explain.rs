//! From a refusal to its causes.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::{
    Diagnosis,
    candidates::{self, Change, Subject, Variation},
    cause::Cause,
    dates,
    difference::{Difference, visible},
    head_copy::{Edit, HeadCopy},
    keys, relaxed,
    repairs::{self, AsSent, Repair},
    report::{Certainty, Comparison, Finding},
    text_lines::{Layout, TextLines},
    trial::{self, Base, Trials},
};
use crate::{
    error::{Rejection, RejectionKind},
    keyring::CallerKeys,
    payload::PayloadDigest,
    scheme::Scheme,
    timestamp::Timestamp,
    verify::{Claim, OtherText, SignedText, Verifier},
};

/// The greatest number of variations of one group that are tried together with those of another.
const PAIRED: usize = 12;

/// What was found out about a refusal.
pub(super) struct Explanation {
    pub(super) scheme: Option<Scheme>,
    pub(super) claimed: Option<String>,
    pub(super) causes: Vec<Finding>,
    pub(super) trials: Trials,
    pub(super) text: Option<Vec<String>>,
    pub(super) string_to_sign: Option<Vec<String>>,
    pub(super) comparison: Option<Comparison>,
}

/// How much is tried on a head.
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
    /// Explains a refusal, or shows the signed text where there is none.
    pub(super) fn of(diagnosis: &Diagnosis<'_>, rejection: Option<&Rejection>) -> Self {
        let head = HeadCopy::of(&diagnosis.head);
        let mut explanation = Self {
            scheme: diagnosis.verifier.claimed_scheme(&diagnosis.head),
            claimed: diagnosis
                .verifier
                .claimed_key_id(diagnosis.head)
                .map(|claimed| visible(&claimed.chars().take(128).collect::<String>())),
            causes: Vec::new(),
            trials: Trials::new(diagnosis.limit),
            text: None,
            string_to_sign: None,
            comparison: None,
        };
        let hosts = diagnosis.verifier.expected_hosts();
        let drf = relaxed::drf_names(diagnosis.verifier);
        let repairs = repairs::of(&head, hosts, &drf);
        let readable = readable(diagnosis, &head, repairs);
        // Whether the signature is right as it is comes first, for every head that can be read.
        for depth in [Depth::AsItIs, Depth::Varied] {
            for readable in &readable {
                if !explanation.causes.is_empty() {
                    break;
                }
                let read = trial::read(&readable.verifier, readable.head.head(), diagnosis.now);
                let Ok((claim, at)) = read else { continue };
                if explanation.text.is_none() {
                    explanation.show(diagnosis, &claim);
                }
                let (Some(rejection), Some(keys)) = (rejection, diagnosis.keys.of(claim.key_id()))
                else {
                    continue;
                };
                let keys = keys.with_own_caches();
                let base = Base {
                    head: &readable.head,
                    verifier: &readable.verifier,
                    claim: &claim,
                    at,
                    keys: &keys,
                    body: diagnosis.body,
                    digest: diagnosis.body.map(PayloadDigest::of),
                };
                match depth {
                    Depth::AsItIs => explanation.check(diagnosis, rejection, readable, &base),
                    Depth::Varied => explanation.vary(diagnosis, readable, &base),
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

    /// Finds out whether the signature is right for a head as it can be read.
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
                Some(repair) => vec![of_repair(repair)],
                None => requirement(diagnosis, rejection, base),
            };
            self.causes.extend(findings);
        } else if let Some(repair) = &readable.repair {
            self.try_as_sent(base, repair);
        }
    }

    /// Tries everything else on a head that can be read.
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
            self.causes.push(matched(Cause::SignedTextDiffers, detail));
        }
        if self.causes.is_empty() && !diagnosis.single_changes_only {
            self.try_pairs(diagnosis, base);
        }
    }

    /// Shows what the head says, and compares it with what the sender shows.
    fn show(&mut self, diagnosis: &Diagnosis<'_>, claim: &Claim<'_>) {
        self.scheme = Some(claim.scheme());
        self.claimed = Some(claim.key_id().to_owned());
        let digest = diagnosis.body.map(PayloadDigest::of);
        let digest = digest.as_ref();
        let keys = diagnosis.keys.of(claim.key_id());
        if let Some(theirs) = diagnosis.their_text {
            let keys = keys.as_ref().map(CallerKeys::with_own_caches);
            self.comparison = compare(diagnosis, claim, digest, theirs, keys.as_ref());
        }
        let lines = |text: &str| {
            let lines = text.split('\n');
            lines
                .map(|line| visible(&diagnosis.redaction.line(line)))
                .collect()
        };
        match claim.signed_text(digest) {
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

    /// Whether the signature is right for the head as it can be read.
    fn matches_as_it_is(&mut self, base: &Base<'_, '_>, readable: &Readable) -> bool {
        let is_matched = self.trials.matches(base) == Some(true);
        if let Some(repair) = &readable.repair {
            self.trials
                .record(repair.cause, repair.detail.clone(), is_matched);
        }
        is_matched
    }

    /// Changes one thing at a time.
    fn change(&mut self, diagnosis: &Diagnosis<'_>, readable: &Readable, base: &Base<'_, '_>) {
        let text = base.text();
        // What is checked apart from the text: the session token and the algorithm.
        if let Some(text) = &text
            && base.claim.is_over(OtherText::Head(text), base.keys)
        {
            let cause = match base.claim.scheme() {
                Scheme::SigV4 => Cause::SessionToken,
                _ => Cause::Algorithm,
            };
            self.causes.push(matched(cause, "the signature is right"));
            return;
        }
        let mut variations = self.with_subject(diagnosis, base, candidates::of);
        let uri_schemes = uri_schemes(base);
        variations.splice(0..0, uri_schemes);
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
        &self,
        diagnosis: &Diagnosis<'_>,
        base: &Base<'_, '_>,
        make: impl FnOnce(&Subject<'_>) -> T,
    ) -> T {
        let signed = base.claim.signed_text(base.digest.as_ref());
        let (text, string_to_sign, prefix) = match &signed {
            SignedText::Head {
                text,
                string_to_sign,
            } => (Some(text.as_str()), string_to_sign.as_deref(), None),
            SignedText::Body { prefix } => (None, None, Some(prefix.as_slice())),
        };
        let scheme = base.claim.scheme();
        make(&Subject {
            head: base.head,
            scheme,
            profile: relaxed::profile_of(base.verifier, scheme),
            verifier: base.verifier,
            text,
            string_to_sign,
            prefix,
            body: diagnosis.body,
            covered: base.claim.covered_names(),
            signed_at: base.claim.signed_at(),
            expected_hosts: diagnosis.verifier.expected_hosts(),
            path_prefixes: &diagnosis.path_prefixes,
            redaction: &diagnosis.redaction,
        })
    }

    /// Tries what was sent in place of what it was repaired to.
    fn try_as_sent(&mut self, base: &Base<'_, '_>, repair: &Repair) {
        let Some(as_sent) = &repair.as_sent else { return };
        let signed = base.claim.signed_text(base.digest.as_ref());
        let layout = match base.claim.scheme() {
            Scheme::SigV4 => Layout::SigV4,
            Scheme::MessageSignatures => Layout::SignatureBase,
            _ => Layout::Native,
        };
        let change = match (&signed, as_sent) {
            (SignedText::Head { text, .. }, AsSent::Method(sent)) => {
                TextLines { text, layout }.with_method(sent).map(Change::Text)
            }
            (SignedText::Head { text, .. }, AsSent::Header(name, sent)) => {
                let lines = TextLines { text, layout };
                lines.with_header(name.as_str(), sent).map(Change::Text)
            }
            (SignedText::Head { text, .. }, AsSent::Piece { repaired, sent }) => {
                let lines = TextLines { text, layout };
                lines.replacing(repaired, sent).map(Change::Text)
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
            self.causes.push(of_repair(repair));
        }
    }

    fn try_other_keys(&mut self, diagnosis: &Diagnosis<'_>, base: &Base<'_, '_>) {
        for other in keys::others(diagnosis, base.claim, base.keys) {
            if self.trials.try_key(base, &other) == Some(true) {
                self.causes.push(matched(other.cause, other.detail));
                return;
            }
        }
    }

    /// Tries two changes of the head at once, of different groups.
    fn try_pairs(&mut self, diagnosis: &Diagnosis<'_>, base: &Base<'_, '_>) {
        let variations = self.with_subject(diagnosis, base, candidates::of);
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
                for (one, other) in one.iter().flat_map(|one| other.iter().map(move |b| (one, b))) {
                    if self.trials.left() == 0 {
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

/// Every head that some verifier can read: the one that was sent, or its repairs.
fn readable(diagnosis: &Diagnosis<'_>, head: &HeadCopy, repairs: Vec<Repair>) -> Vec<Readable> {
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
    for repair in repairs {
        let verifiers = relaxed::all(diagnosis.verifier, &repair.head);
        let verifier = verifiers.into_iter().find(|verifier| can_read(verifier, &repair.head));
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

/// What a verifier of RFC 9421 would read with another scheme of the URI.
fn uri_schemes(base: &Base<'_, '_>) -> Vec<Variation> {
    use crate::scheme::Profile;
    let mut found = Vec::new();
    let scheme = base.claim.scheme();
    let Some(Profile::MessageSignatures(profile)) = relaxed::profile_of(base.verifier, scheme)
    else {
        return found;
    };
    for (uri_scheme, other) in profile.for_each_uri_scheme() {
        let mut policy = base.verifier.policy().clone();
        for accepted in &mut policy.accepted {
            if let Profile::MessageSignatures(accepted) = accepted {
                *accepted = other.clone();
            }
        }
        found.push(Variation {
            cause: Cause::SchemeOfUri,
            detail: format!("signed scheme: {uri_scheme:?}").to_ascii_lowercase(),
            change: Change::Verifier(Box::new(Verifier::unchecked(policy))),
            header: None,
        });
    }
    found
}

/// The causes of a refusal for something else than the signature, which is right.
fn requirement(
    diagnosis: &Diagnosis<'_>,
    rejection: &Rejection,
    base: &Base<'_, '_>,
) -> Vec<Finding> {
    let is_after_mac = rejection.proven_caller().is_some();
    match rejection.kind() {
        RejectionKind::Expired => {
            let signed_at = rejection.stale_date().unwrap_or(base.claim.signed_at());
            return vec![of_date(signed_at, diagnosis.now)];
        }
        RejectionKind::BodyMismatch => return of_body(diagnosis, base),
        RejectionKind::InvalidSignature if is_after_mac => {
            return vec![matched(Cause::KeyNotInForce, rejection.to_string())];
        }
        RejectionKind::InsufficientCoverage if is_after_mac => {
            let cause = if base.claim.has_replay_identity() {
                Cause::HeaderNotCovered
            } else {
                Cause::NonceMissing
            };
            return vec![matched(cause, rejection.to_string())];
        }
        RejectionKind::Misdirected if is_after_mac => {
            return vec![matched(Cause::HostNotExpected, rejection.to_string())];
        }
        _ => {}
    }
    if trial::read(diagnosis.verifier, base.head.head(), diagnosis.now).is_ok() {
        // The head is read, and the signature is right under any algorithm.
        return vec![matched(Cause::Algorithm, rejection.to_string())];
    }
    let body = (base.body, base.digest.as_ref());
    for relaxed in relaxed::each(diagnosis.verifier, base.head) {
        // The one point in which the verifier asks for too much, if it is one.
        let read = trial::read(&relaxed.verifier, base.head.head(), diagnosis.now);
        if let Ok((claim, at)) = read
            && trial::matches(&claim, base.keys, at, body) == Some(true)
        {
            return vec![matched(relaxed.cause, relaxed.detail)];
        }
    }
    let cause = match rejection.kind() {
        RejectionKind::Misdirected => Cause::HostNotExpected,
        RejectionKind::InsufficientCoverage => Cause::HeaderNotCovered,
        _ => Cause::Malformed,
    };
    vec![matched(cause, rejection.to_string())]
}

fn of_date(signed_at: Timestamp, now: Timestamp) -> Finding {
    if dates::looks_like_millis(signed_at, now) {
        let detail = format!("found {}", signed_at.as_unix_seconds());
        return matched(Cause::Milliseconds, detail);
    }
    let seconds = signed_at.abs_diff(now).as_secs();
    let direction = if signed_at < now { "behind" } else { "ahead of" };
    if let Some(offset) = dates::offset_of(signed_at, now) {
        let detail = format!("the date is {seconds} s {direction} the clock, {offset} minutes");
        return matched(Cause::TimeZone, detail);
    }
    let detail = format!("the date is {seconds} s {direction} the clock");
    matched(Cause::Clock, detail)
}

/// The causes of another body than the one that was signed.
fn of_body(diagnosis: &Diagnosis<'_>, base: &Base<'_, '_>) -> Vec<Finding> {
    let body = diagnosis.body.unwrap_or_default();
    for (cause, detail, other) in candidates::forms_of(Some(body)) {
        let authenticated = base.claim.authenticate(base.keys, base.at);
        if authenticated.is_ok_and(|head| head.finish_with(&other, base.at).is_ok()) {
            return vec![matched(cause, detail)];
        }
    }
    let is_compressed = body.starts_with(&[0x1f, 0x8b]);
    let says_so = base.head.headers.contains_key(CONTENT_ENCODING);
    let (cause, detail) = if body.is_empty() {
        (Cause::BodyEmpty, "found an empty body")
    } else if says_so && !is_compressed {
        (
            Cause::BodyDecompressed,
            "found a content-encoding, and a body that is not compressed with gzip",
        )
    } else {
        (Cause::OtherBody, "the hash of the body is not the signed one")
    };
    vec![observed_as(cause, detail)]
}

/// What the refusal itself says, where no candidate matched.
fn observed(diagnosis: &Diagnosis<'_>, head: &HeadCopy, rejection: &Rejection) -> Vec<Finding> {
    let reason = rejection.to_string();
    let found = match rejection.kind() {
        RejectionKind::MissingSignature | RejectionKind::Malformed => {
            let foreign = relaxed::each(diagnosis.verifier, head);
            let mut foreign = foreign.into_iter();
            let foreign = foreign.find(|relaxed| {
                relaxed.cause == Cause::SchemeNotAccepted
                    && relaxed.verifier.claimed_scheme(&head.head()).is_some()
            });
            let missing = repairs::missing(head);
            match (rejection.kind(), foreign, missing.first()) {
                (RejectionKind::MissingSignature, Some(foreign), _) => {
                    observed_as(Cause::SchemeNotAccepted, foreign.detail)
                }
                (RejectionKind::MissingSignature, None, _) => return Vec::new(),
                (_, _, Some(name)) => {
                    let detail = format!("header {name} is covered, found none");
                    Finding {
                        header: Some(name.clone()),
                        ..observed_as(Cause::HeaderRemoved, detail)
                    }
                }
                _ => observed_as(Cause::Malformed, reason),
            }
        }
        RejectionKind::Misdirected => observed_as(Cause::HostNotExpected, reason),
        RejectionKind::InsufficientCoverage => observed_as(Cause::Uncovered, reason),
        RejectionKind::Expired => {
            let signed_at = rejection.stale_date().unwrap_or(diagnosis.now);
            let of_date = of_date(signed_at, diagnosis.now);
            observed_as(of_date.cause, of_date.detail)
        }
        RejectionKind::InvalidSignature => return of_keys(diagnosis, head),
        _ => return Vec::new(),
    };
    vec![found]
}

/// Whether the keys alone explain a wrong signature.
fn of_keys(diagnosis: &Diagnosis<'_>, head: &HeadCopy) -> Vec<Finding> {
    let Ok((claim, _)) = trial::read(diagnosis.verifier, head.head(), diagnosis.now) else {
        return Vec::new();
    };
    let Some(keys) = diagnosis.keys.of(claim.key_id()) else {
        return Vec::new();
    };
    if keys.is_unknown() {
        let detail = ["found ", &visible(claim.key_id())].concat();
        return vec![observed_as(Cause::UnknownCaller, detail)];
    }
    if keys.keys_for(claim.scheme(), claim.key_id()).next().is_none() {
        let detail = format!("signed in {}", claim.scheme());
        return vec![observed_as(Cause::NoKeyOfScheme, detail)];
    }
    let is_over_the_body = matches!(claim.signed_text(None), SignedText::Body { .. });
    let is_empty = diagnosis.body.is_some_and(<[u8]>::is_empty);
    if is_over_the_body && is_empty && head.headers.contains_key(CONTENT_TYPE) {
        return vec![observed_as(Cause::BodyEmpty, "found an empty body")];
    }
    Vec::new()
}

/// Compares the sender's text with this verifier's, and checks the signature over it.
fn compare(
    diagnosis: &Diagnosis<'_>,
    claim: &Claim<'_>,
    digest: Option<&PayloadDigest>,
    theirs: &str,
    keys: Option<&CallerKeys>,
) -> Option<Comparison> {
    let is_over = |text: &str, is_string: bool| {
        let text = if is_string {
            OtherText::StringToSign(text)
        } else {
            OtherText::Head(text)
        };
        keys.map(|keys| claim.is_over(text, keys))
    };
    let SignedText::Head {
        text,
        string_to_sign,
    } = claim.signed_text(digest)
    else {
        let bytes = theirs.as_bytes();
        let is_signed = keys.map(|keys| claim.is_over(OtherText::Bytes(bytes), keys));
        return Some(Comparison {
            difference: None,
            is_signed,
        });
    };
    let is_string = theirs.starts_with("AWS4-HMAC-SHA256\n");
    let ours = match string_to_sign {
        Some(string) if is_string => string,
        _ => text,
    };
    // A file often ends in a line feed that was not signed.
    let trimmed = theirs.strip_suffix('\n').unwrap_or(theirs);
    let as_given = is_over(theirs, is_string);
    let (theirs, is_signed) = if as_given == Some(true) || trimmed == theirs {
        (theirs, as_given)
    } else {
        (trimmed, is_over(trimmed, is_string))
    };
    Some(Comparison {
        difference: Difference::between(&ours, theirs, &diagnosis.redaction),
        is_signed,
    })
}

fn of_repair(repair: &Repair) -> Finding {
    Finding {
        header: repair.header.clone(),
        ..matched(repair.cause, repair.detail.clone())
    }
}

fn matched(cause: Cause, detail: impl Into<String>) -> Finding {
    Finding {
        cause,
        also: None,
        certainty: Certainty::Matched,
        detail: detail.into(),
        header: None,
    }
}

fn observed_as(cause: Cause, detail: impl Into<String>) -> Finding {
    Finding {
        certainty: Certainty::Observed,
        ..matched(cause, detail)
    }
}
