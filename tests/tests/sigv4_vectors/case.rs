//! A case: a request, how it is signed, and the intermediate values that the source gives.

use std::{collections::BTreeSet, time::Duration};

use countersign::{
    CallerKey, KeyStore, Keyring, PayloadDigest, Rejection, Secret, SigV4Credentials,
    SigV4PathEncoding, SigV4PathNormalization, SigV4Presigned, SigV4PresignedPayload,
    SigV4SignSettings, SigV4VerifySettings, Signer, SigningKey, Timestamp, Verified, Verifier,
    VerifyingKey,
};
use http::{HeaderName, Method};
use serde_json::Value;
use tests::vectors::{assert_count, is_known_set, text};

use crate::{
    differences::{MISTAKEN, NOT_SIGNED, REFUSED, STRICT, STRICT_ELSEWHERE, refused},
    message::Message,
};

const WEEK: Duration = Duration::from_secs(604_800);

/// A request, how it is signed, and every value on the way.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) context: Context,
    pub(crate) is_presigned: bool,
    pub(crate) unsigned: Message,
    pub(crate) signed: Message,
    pub(crate) canonical_request: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
}

#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) access_key_id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) normalize: bool,
    pub(crate) double: bool,
    pub(crate) unsigned_payload: bool,
    pub(crate) expires: Option<u64>,
    pub(crate) signed_at: Timestamp,
    pub(crate) verify_at: Timestamp,
}

impl Context {
    pub(crate) fn of(case: &Value) -> Self {
        let context = &case["context"];
        let seconds = |value: &Value| Timestamp::from_unix_seconds(value.as_i64().unwrap());
        Self {
            access_key_id: text(context, "access_key_id").to_owned(),
            secret: text(context, "secret_access_key").to_owned(),
            session_token: context["session_token"].as_str().map(str::to_owned),
            region: text(context, "region").to_owned(),
            service: text(context, "service").to_owned(),
            normalize: context["normalize_path"].as_bool().unwrap(),
            double: text(context, "path_encoding") == "double",
            unsigned_payload: context["payload"]["value"] == "UNSIGNED-PAYLOAD",
            expires: context["expires_in"].as_u64(),
            signed_at: seconds(&context["timestamp_unix"]),
            verify_at: seconds(&case["verify_at_unix"]),
        }
    }

    fn encoding(&self) -> SigV4PathEncoding {
        if self.double {
            SigV4PathEncoding::Double
        } else {
            SigV4PathEncoding::Single
        }
    }

    fn normalization(&self) -> SigV4PathNormalization {
        if self.normalize {
            SigV4PathNormalization::Enabled
        } else {
            SigV4PathNormalization::Disabled
        }
    }

    fn presigned(&self) -> SigV4Presigned {
        let payload = if self.unsigned_payload {
            SigV4PresignedPayload::Unsigned
        } else {
            SigV4PresignedPayload::Sha256
        };
        SigV4Presigned::new()
            .with_max_age(WEEK)
            .unwrap()
            .with_method(Method::POST)
            .with_method(Method::PUT)
            .with_method(Method::DELETE)
            .with_payload(payload)
    }

    pub(crate) fn strict(&self) -> SigV4VerifySettings {
        let verify_settings = SigV4VerifySettings::new(&self.region, &self.service)
            .unwrap()
            .with_path_encoding(self.encoding())
            .with_path_normalization(self.normalization())
            .with_presigned(self.presigned());
        if self.unsigned_payload {
            verify_settings.insecure_accept_unsigned_payload()
        } else {
            verify_settings
        }
    }

    pub(crate) fn lenient(&self) -> SigV4VerifySettings {
        self.strict()
            .insecure_accept_noncanonical_paths()
            .insecure_accept_ambiguous_queries()
            .insecure_accept_repeated_query_names()
    }

    pub(crate) fn keyring(&self) -> Keyring {
        let token = self.session_token.as_deref();
        keyring([(&*self.access_key_id, &*self.secret, token)])
    }
}

pub(crate) fn keyring<'k>(
    keys: impl IntoIterator<Item = (&'k str, &'k str, Option<&'k str>)>,
) -> Keyring {
    let mut builder = Keyring::builder();
    for (count, (id, secret, token)) in keys.into_iter().enumerate() {
        let mut key =
            VerifyingKey::sigv4(&Secret::from_bytes(secret.as_bytes())).insecure_allow_weak_key();
        if let Some(token) = token {
            key = key
                .with_session_token(&Secret::from_text(token).unwrap())
                .unwrap();
        }
        let key = CallerKey::new("1", key).unwrap().with_key_id(id).unwrap();
        builder = builder.caller(format!("caller-{count}"), key);
    }
    builder.build().unwrap()
}

fn verifier(verify_settings: SigV4VerifySettings, message: &Message) -> Verifier {
    Verifier::builder()
        .accept_only(verify_settings)
        .expected_hosts([message.header("host")])
        .window(Duration::from_secs(900))
        .keep_evidence()
        .build()
        .unwrap()
}

/// `None` if the types of the `http` crate have no room for the request.
pub(crate) fn judge(
    message: &Message,
    verify_settings: SigV4VerifySettings,
    keys: &Keyring,
    now: Timestamp,
) -> Option<Result<Verified, Rejection>> {
    let parts = message.parts()?;
    let verifier = verifier(verify_settings, message);
    Some(verifier.parse(&parts, now).and_then(|claim| {
        let found = keys.try_lookup(claim.key_id()).unwrap().unwrap();
        claim
            .authenticate(&found, now)?
            .finish_with(&message.body, now)
    }))
}

/// Reads a request with either line end. A raw space in the target is split off from the right; a
/// folded line is joined by one space, which is what a server hands on that takes such lines at
/// all.
pub(crate) fn parse_http(bytes: &[u8]) -> Message {
    let end = |separator: &[u8]| {
        let at = bytes
            .windows(separator.len())
            .position(|window| window == separator)?;
        Some((at, at + separator.len()))
    };
    let ends = [end(b"\r\n\r\n"), end(b"\n\n")].into_iter().flatten().min();
    let (head, body) = match ends {
        Some((at, behind)) => (&bytes[..at], &bytes[behind..]),
        None => (bytes, &b""[..]),
    };
    let head = String::from_utf8(head.to_vec()).unwrap();
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let target = target.rsplit_once(' ').unwrap().0;
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for line in lines {
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut().unwrap();
            value.push(b' ');
            value.extend(line.trim_matches([' ', '\t']).bytes());
        } else {
            let (name, value) = line.split_once(':').unwrap();
            let value = value.trim_matches([' ', '\t']);
            headers.push((name.to_lowercase(), value.as_bytes().to_vec()));
        }
    }
    Message {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: body.to_vec(),
    }
}

/// The entries of the tables of differences that some case has used.
#[derive(Default)]
pub(crate) struct Used {
    strict: BTreeSet<&'static str>,
    refused: BTreeSet<String>,
    not_signed: BTreeSet<String>,
}

impl Used {
    /// Asserts that the suite of the crate has used the entries that no other does.
    pub(crate) fn assert_elsewhere(&self) {
        for (reason, _) in STRICT_ELSEWHERE {
            assert!(
                self.strict.contains(reason),
                "{reason}: no case is refused for it"
            );
        }
    }

    /// Asserts that no entry is left over: such an entry says nothing true.
    pub(crate) fn assert_all(&self) {
        for (reason, _) in STRICT {
            assert!(
                self.strict.contains(reason),
                "{reason}: no case is refused for it"
            );
        }
        let refused = REFUSED.iter().flat_map(|(_, names, _)| *names).copied();
        for name in refused {
            assert!(
                self.refused.contains(name),
                "{name}: no case that is refused"
            );
        }
        for (name, _) in NOT_SIGNED {
            assert!(
                self.not_signed.contains(name),
                "{name}: no case that is not signed"
            );
        }
    }
}

/// How many cases a file has, and how many of them are refused and not signed here.
pub(crate) struct Counts {
    pub(crate) cases: usize,
    pub(crate) refused: usize,
    pub(crate) not_signed: usize,
}

/// The outcomes of a set of cases: those refused as the tables say, and the failures.
#[derive(Default)]
struct Outcome {
    differences: BTreeSet<String>,
    strict: BTreeSet<&'static str>,
    problems: Vec<String>,
}

fn check_verifying(case: &Case, outcome: &mut Outcome) {
    let Case { name, context, .. } = case;
    let keys = context.keyring();
    let known = refused(name);
    let judged = |verify_settings| judge(&case.signed, verify_settings, &keys, context.verify_at);
    let verified = match (judged(context.strict()), judged(context.lenient())) {
        (Some(Ok(verified)), Some(Ok(_))) => verified,
        (Some(Err(strict)), Some(Ok(verified))) => {
            let reason = strict.to_string();
            let mut all = STRICT.iter().chain(&STRICT_ELSEWHERE);
            let known = all.find(|(known, _)| reason.contains(known));
            let (known, _) = known.unwrap_or_else(|| panic!("{name}: {reason}"));
            outcome.strict.insert(known);
            verified
        }
        (strict, lenient) => {
            let reason = match lenient {
                None => "no HTTP".to_owned(),
                Some(Err(reason)) => reason.to_string(),
                Some(Ok(_)) => panic!("{name}: accepted by lenient settings alone: {strict:?}"),
            };
            if known.is_some_and(|expected| reason.contains(expected)) {
                outcome.differences.insert(name.clone());
            } else {
                outcome.problems.push(format!("{name}: {reason}"));
            }
            return;
        }
    };
    assert!(known.is_none(), "{name}: is accepted");
    let evidence = verified.evidence().unwrap();
    assert_eq!(
        evidence.canonical_request(),
        case.canonical_request,
        "{name}"
    );
    assert_eq!(
        evidence.string_to_sign(),
        Some(&*case.string_to_sign),
        "{name}"
    );
    assert_eq!(evidence.signature_hex(), case.signature, "{name}");
    assert_eq!(verified.presigned(), case.is_presigned, "{name}");
    let key = |secret| VerifyingKey::sigv4(&Secret::from_text(secret).unwrap());
    assert!(evidence.is_signed_with(&key(&context.secret)), "{name}");
    assert!(!evidence.is_signed_with(&key("another")), "{name}");
}

/// The signer for a case, which covers what the case covers, and the request without what the
/// signer adds.
fn signer(case: &Case) -> (Signer, Message) {
    let context = &case.context;
    let key =
        SigningKey::sigv4(&Secret::from_text(&context.secret).unwrap()).insecure_allow_weak_key();
    let mut credentials = SigV4Credentials::new(&context.access_key_id, key).unwrap();
    if let Some(token) = &context.session_token {
        credentials = credentials
            .with_session_token(&Secret::from_text(token).unwrap())
            .unwrap();
    }
    let lines: Vec<_> = case.canonical_request.lines().collect();
    let covered: Vec<_> = lines[lines.len() - 2].split(';').collect();
    let mut settings = SigV4SignSettings::new(&context.region, &context.service, credentials)
        .unwrap()
        .with_path_encoding(context.encoding())
        .with_path_normalization(context.normalization());
    if context.unsigned_payload {
        settings = settings.insecure_unsigned_payload();
    } else if !covered.contains(&"x-amz-content-sha256") {
        settings = settings.with_implied_payload_hash();
    }
    let mut message = case.unsigned.clone();
    for name in ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"] {
        message.remove(name);
    }
    for (name, _) in &message.headers {
        let header = HeaderName::try_from(name).unwrap();
        if !covered.contains(&&**name) {
            settings = settings.with_excluded_header(header);
        } else if name == "content-length" {
            // DIFFERENCE: it is left out here unless it is asked for: a hop that frames the body
            // again may drop it.
            settings = settings.with_covered_header(header).unwrap();
        }
    }
    let signer = Signer::sigv4(settings, ["unused"]).unwrap();
    (signer.insecure_any_authority(), message)
}

/// The signed text of a case, and its headers or parameters in order; an error as text.
fn sign(case: &Case) -> Result<String, String> {
    let (signer, message) = signer(case);
    let parts = message.parts().ok_or("no HTTP")?;
    let digest = PayloadDigest::of(&message.body);
    let now = case.context.signed_at;
    if case.is_presigned {
        let expires = Duration::from_secs(case.context.expires.ok_or("no expiry")?);
        let uri = signer
            .presign(&parts, digest, expires, now)
            .map_err(|error| error.to_string())?;
        let parameters = |target: &str| -> BTreeSet<String> {
            let query = target.split_once('?').unwrap().1;
            query.split('&').map(str::to_owned).collect()
        };
        let found = uri.query().unwrap();
        let (found_set, expected) = (
            parameters(&uri.to_string()),
            parameters(&case.signed.target),
        );
        if found_set != expected {
            return Err(format!("found {found_set:?}, expected {expected:?}"));
        }
        return Ok(found.rsplit_once("&X-Amz-Signature=").unwrap().1.to_owned());
    }
    let signature = signer
        .sign(&parts, digest, now)
        .map_err(|error| error.to_string())?;
    let (_, authorization) = signature.headers().last().unwrap();
    let authorization = authorization.to_str().unwrap();
    Ok(authorization
        .rsplit_once("Signature=")
        .unwrap()
        .1
        .to_owned())
}

fn check_signing(case: &Case, outcome: &mut Outcome) {
    let name = &case.name;
    // A refused case is not signed either, unless the mistake is in the signed request alone.
    let is_known = NOT_SIGNED.iter().any(|(known, _)| known == name)
        || (refused(name).is_some() && name != MISTAKEN);
    match sign(case) {
        Ok(signature) if signature == case.signature => assert!(!is_known, "{name}: is signed"),
        _ if is_known => {
            outcome.differences.insert(name.clone());
        }
        other => outcome
            .problems
            .push(format!("{name}: not signed: {other:?}")),
    }
}

/// Verifies and signs each case. The counts are those of the set that is known here.
pub(crate) fn run(file: &str, cases: &[Case], known: &Counts, used: &mut Used) {
    let (mut verified, mut signed) = (Outcome::default(), Outcome::default());
    for case in cases {
        check_verifying(case, &mut verified);
        check_signing(case, &mut signed);
    }
    let problems: Vec<_> = verified.problems.iter().chain(&signed.problems).collect();
    assert!(problems.is_empty(), "{file}: {problems:#?}");
    let (refused, unsigned) = (verified.differences.len(), signed.differences.len());
    eprintln!(
        "{file}: {} cases, {} verified, {refused} refused here, {} signed, {unsigned} not signed here",
        cases.len(),
        cases.len() - refused,
        cases.len() - unsigned,
    );
    assert_count(file, cases.len(), known.cases);
    if is_known_set() {
        assert_eq!(
            (refused, unsigned),
            (known.refused, known.not_signed),
            "{file}"
        );
    }
    used.strict.extend(verified.strict);
    used.refused.extend(verified.differences);
    used.not_signed.extend(signed.differences);
}
