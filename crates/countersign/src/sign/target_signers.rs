use std::{collections::BTreeMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use http::{header::HOST, request::Parts};

use super::TargetSignersBuilder;
use super::{SharedSigner, Signer};
use crate::{
    error::{ConfigError, SignError, SignErrorKind},
    head::{Authority, RequestHead},
    keyring::Keyring,
    timestamp::Timestamp,
};

/// The greatest number of authorities in an error.
const MAX_LISTED: usize = 16;

/// The signers of several targets. The authority of each request selects the signer.
///
/// ```
/// use countersign::{Secret, SignErrorKind, Signer, SigningKey, TargetSigners, Timestamp};
///
/// let signer = |authority| {
///     let key = SigningKey::hmac_sha256(&Secret::generate()?);
///     Signer::new("billing", key, [authority])
/// };
/// let signers = TargetSigners::builder()
///     .target("user-service", signer("user-service:8081")?)
///     .target("audit", signer("audit:8082")?)
///     .unsigned("metrics", ["metrics:9090"])
///     .build()?;
///
/// let now = Timestamp::from_unix_seconds(1_767_323_045);
/// let select = |url: &str| {
///     let (parts, ()) = http::Request::get(url).body(()).unwrap().into_parts();
///     signers.select(&parts, now)
/// };
/// assert!(select("http://audit:8082/events").unwrap().is_some());
/// assert!(select("http://metrics:9090/").unwrap().is_none());
/// assert_eq!(select("http://elsewhere/").unwrap_err().kind(), SignErrorKind::Authority);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
///
/// An authority without a signer is an error, so that a request that should be signed is never
/// sent without a signature. [`unsigned`](TargetSignersBuilder::unsigned) names the exceptions.
///
/// Clones share their content. [`replace`](Self::replace) on one clone replaces the targets of all,
/// without a lock for signing. A set made from one [`Signer`] or [`SharedSigner`] selects it for
/// every request.
#[derive(Clone)]
pub struct TargetSigners {
    targets: Arc<ArcSwap<Targets>>,
}

#[derive(Debug)]
pub(super) enum Targets {
    /// Signs every request. The signer itself refuses authorities that it is not bound to.
    One(SharedSigner),
    ByAuthority(ByAuthority),
}

#[derive(Debug)]
pub(super) struct ByAuthority {
    /// In lower case.
    pub(super) authorities: BTreeMap<Box<str>, Arc<Target>>,
    pub(super) elsewhere: Elsewhere,
}

#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: Box<str>,
    /// `None` if requests to the target are sent without a signature.
    pub(super) signer: Option<SharedSigner>,
}

/// The rule for an authority of no target.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Elsewhere {
    #[default]
    Refused,
    Unsigned,
}

impl TargetSigners {
    /// Builds a set target by target.
    pub fn builder() -> TargetSignersBuilder {
        TargetSignersBuilder::default()
    }

    /// Returns the signer for a request, or `None` if the request is to be sent unsigned.
    ///
    /// The authority is that of the URI, or of `Host` if the URI has none. The comparison ignores
    /// ASCII case and the default port of the URI's scheme. Call [`Signer::prepare_authority`] of
    /// the selected signer next.
    ///
    /// # Errors
    ///
    /// - [`SignErrorKind::Authority`] if no target has the authority. The error lists the known
    ///   ones.
    /// - [`SignErrorKind::Credentials`] if no active key of the target is within its validity.
    pub fn select(&self, parts: &Parts, now: Timestamp) -> Result<Option<Arc<Signer>>, SignError> {
        let targets = self.targets.load();
        let signer = match &**targets {
            Targets::One(signer) => Some(signer),
            Targets::ByAuthority(targets) => targets.select(parts)?,
        };
        signer.map(|signer| signer.at(now)).transpose()
    }

    /// Replaces the targets of every clone with those of another set. A request that is already
    /// being signed keeps its signer.
    pub fn replace(&self, with: &Self) {
        self.targets.store(with.targets.load_full());
    }

    /// Refuses to sign with a secret that this process also verifies with, whatever the state of
    /// the key. See [`Keyring::ensure_distinct_from`].
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::SharedKey`](crate::ConfigErrorKind::SharedKey) if a caller of the keyring
    /// has one of the keys.
    pub fn ensure_distinct_from(&self, keyring: &Keyring) -> Result<(), ConfigError> {
        match &**self.targets.load() {
            Targets::One(signer) => signer.ensure_distinct_from(keyring),
            Targets::ByAuthority(targets) => targets
                .authorities
                .values()
                .filter_map(|target| target.signer.as_ref())
                .try_for_each(|signer| signer.ensure_distinct_from(keyring)),
        }
    }

    pub(super) fn of(targets: Targets) -> Self {
        Self {
            targets: Arc::new(ArcSwap::from_pointee(targets)),
        }
    }
}

impl ByAuthority {
    fn select(&self, parts: &Parts) -> Result<Option<&SharedSigner>, SignError> {
        let refused = |problem: String| SignError::new(SignErrorKind::Authority, problem);
        let found = match parts.uri.authority() {
            // The signer checks whether `Host` agrees, because it may set another one.
            Some(authority) => authority.as_str(),
            None => RequestHead::from(parts)
                .single(&HOST)
                .map_err(|rejection| refused(rejection.to_string()))?
                .unwrap_or_default(),
        };
        let found = found.strip_suffix(':').unwrap_or(found);
        let found = Authority::parse(found).map_err(|problem| refused(problem.to_owned()))?;
        match (
            self.target(found.as_str(), parts.uri.scheme_str()),
            self.elsewhere,
        ) {
            (Some(target), _) => Ok(target.signer.as_ref()),
            (None, Elsewhere::Unsigned) => Ok(None),
            (None, Elsewhere::Refused) => Err(self.unknown(found.as_str())),
        }
    }

    /// Finds the target of an authority. Two targets cannot share one, with or without the default
    /// port.
    fn target(&self, found: &str, scheme: Option<&str>) -> Option<&Target> {
        let found = found.to_ascii_lowercase();
        if let Some(target) = self.authorities.get(&*found) {
            return Some(target);
        }
        let port = match scheme {
            Some("http") => ":80",
            Some("https") => ":443",
            _ => return None,
        };
        let target = match found.strip_suffix(port) {
            Some(without_port) => self.authorities.get(without_port),
            None => self.authorities.get(&*(found + port)),
        };
        target.map(|target| &**target)
    }

    fn unknown(&self, found: &str) -> SignError {
        let listed = self.authorities.iter().take(MAX_LISTED);
        let mut known: Vec<_> = listed
            .map(|(authority, target)| format!("{authority} ({})", target.name))
            .collect();
        let more = self.authorities.len().saturating_sub(known.len());
        if more > 0 {
            known.push(format!("{more} more"));
        }
        SignError::new(
            SignErrorKind::Authority,
            format!(
                "authority {found}: expected that of a target, one of {}; found no target for it",
                known.join(", ")
            ),
        )
    }
}

impl From<SharedSigner> for TargetSigners {
    /// Selects this signer for every request.
    fn from(signer: SharedSigner) -> Self {
        Self::of(Targets::One(signer))
    }
}

impl From<Signer> for TargetSigners {
    /// Selects this signer for every request.
    fn from(signer: Signer) -> Self {
        SharedSigner::from(signer).into()
    }
}

impl fmt::Debug for TargetSigners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TargetSigners")
            .field(&**self.targets.load())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::ConfigErrorKind,
        key::{CallerKey, Secret, SigningKey},
        sign::SignerKey,
    };

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_323_045);

    fn signer(caller: &str, authorities: &[&str]) -> Signer {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        Signer::new(caller, key, authorities).unwrap()
    }

    /// Returns the caller that signs a request to this URL. Every target here has a different one.
    fn selected(signers: &TargetSigners, url: &str) -> Result<Option<String>, SignErrorKind> {
        let (mut parts, ()) = http::Request::get(url).body(()).unwrap().into_parts();
        let signer = signers.select(&parts, NOW).map_err(|error| error.kind())?;
        let Some(signer) = signer else {
            return Ok(None);
        };
        let digest = crate::payload::PayloadDigest::of(b"");
        signer.prepare_authority(&mut parts).unwrap();
        let signature = signer.sign(&parts, digest, NOW);
        assert!(signature.is_ok(), "the selected signer: {signature:?}");
        Ok(signer.caller().map(ToString::to_string))
    }

    #[test]
    fn the_authority_of_a_request_selects_its_signer() {
        let signers = TargetSigners::builder()
            .target("a", signer("for-a", &["a.internal", "A2.internal:8081"]))
            .target("b", signer("for-b", &["b.internal:80", "b.internal:8443"]))
            .target("c", signer("for-c", &["c.internal:443"]))
            .unsigned("d", ["D.internal:9090"])
            .build()
            .unwrap();
        for (url, expected) in [
            ("http://a.internal/", Ok(Some("for-a"))),
            ("https://A.Internal/", Ok(Some("for-a"))),
            ("http://a.internal:80/", Ok(Some("for-a"))),
            ("http://a2.internal:8081/", Ok(Some("for-a"))),
            ("http://b.internal/", Ok(Some("for-b"))),
            ("https://b.internal:8443/", Ok(Some("for-b"))),
            ("https://c.internal/", Ok(Some("for-c"))),
            ("http://d.internal:9090/", Ok(None)),
            ("http://a.internal:8081/", Err(SignErrorKind::Authority)),
            ("https://b.internal/", Err(SignErrorKind::Authority)),
            ("http://c.internal/", Err(SignErrorKind::Authority)),
            ("http://d.internal/", Err(SignErrorKind::Authority)),
            ("http://a.internal:/", Ok(Some("for-a"))),
            ("http://b.internal:80/", Ok(Some("for-b"))),
            ("http://c.internal:443/", Ok(Some("for-c"))),
            ("http://a@a.internal/", Err(SignErrorKind::Authority)),
            ("http://a.internal.evil/", Err(SignErrorKind::Authority)),
            ("http://evil/a.internal", Err(SignErrorKind::Authority)),
        ] {
            let found = selected(&signers, url);
            assert_eq!(found, expected.map(|name| name.map(str::to_owned)), "{url}");
        }
    }

    #[test]
    fn the_authority_of_the_url_selects_where_another_host_is_signed() {
        let tunnel = signer("for-a", &["127.0.0.1:9000"]);
        let tunnel = tunnel.with_signed_host("127.0.0.1:9000", "a.internal:8081");
        let signers = TargetSigners::builder()
            .target("a", tunnel.unwrap())
            .target("b", signer("for-b", &["a.internal:8081"]))
            .build()
            .unwrap();
        let found = selected(&signers, "http://127.0.0.1:9000/");
        assert_eq!(found, Ok(Some("for-a".to_owned())));
        let found = selected(&signers, "http://a.internal:8081/");
        assert_eq!(found, Ok(Some("for-b".to_owned())));
        // The state that an earlier attempt leaves.
        let request = http::Request::get("http://127.0.0.1:9000/").header(HOST, "a.internal:8081");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let signer = signers.select(&parts, NOW).unwrap().unwrap();
        assert_eq!(signer.caller().unwrap(), &"for-a");
    }

    #[test]
    fn host_selects_where_the_url_names_no_authority() {
        let signers = TargetSigners::builder()
            .target("a", signer("for-a", &["a"]))
            .build()
            .unwrap();
        for (hosts, is_found) in [
            (&["a"][..], true),
            (&["b"], false),
            (&[], false),
            (&["a", "a"], false),
        ] {
            let mut request = http::Request::get("/");
            for host in hosts {
                request = request.header(HOST, *host);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            match signers.select(&parts, NOW) {
                Ok(signer) => assert!(is_found && signer.is_some(), "{hosts:?}"),
                Err(error) => {
                    assert!(!is_found, "{hosts:?}: {error}");
                    assert_eq!(error.kind(), SignErrorKind::Authority);
                }
            }
        }
    }

    #[test]
    fn an_unknown_authority_is_named_beside_the_known_ones() {
        let few = TargetSigners::builder()
            .target("users", signer("billing", &["users:8081"]))
            .target("audit", signer("billing", &["audit:8082"]))
            .build()
            .unwrap();
        let (parts, ()) = http::Request::get("http://elsewhere/")
            .body(())
            .unwrap()
            .into_parts();
        assert_eq!(
            few.select(&parts, NOW).unwrap_err().to_string(),
            "authority elsewhere: expected that of a target, one of audit:8082 (audit), \
             users:8081 (users); found no target for it"
        );
        let mut many = TargetSigners::builder();
        for n in 0..40 {
            many = many.unsigned(&format!("t{n}"), [format!("t{n}.internal")]);
        }
        let message = many.build().unwrap().select(&parts, NOW);
        let message = message.unwrap_err().to_string();
        assert!(message.contains("24 more"), "{message}");
    }

    #[test]
    fn elsewhere_is_unsigned_only_where_the_set_says_so() {
        let builder = || TargetSigners::builder().target("a", signer("for-a", &["a"]));
        let refused = builder().build().unwrap();
        assert_eq!(
            selected(&refused, "http://b/"),
            Err(SignErrorKind::Authority)
        );
        let unsigned = builder().insecure_unsigned_elsewhere().build().unwrap();
        assert_eq!(selected(&unsigned, "http://b/"), Ok(None));
        let still_signed = selected(&unsigned, "http://a/");
        assert_eq!(still_signed, Ok(Some("for-a".to_owned())));
    }

    #[test]
    fn refuses_sets_that_leave_open_which_signer_is_meant() {
        use ConfigErrorKind::{Authority, Name};
        let a = |authorities: &[&str]| {
            TargetSigners::builder().target("a", signer("billing", authorities))
        };
        let b = |authorities: &[&str]| signer("billing", authorities);
        for (name, builder, kind) in [
            ("no target", TargetSigners::builder(), Authority),
            (
                "one authority",
                a(&["x:1"]).target("b", b(&["x:1"])),
                Authority,
            ),
            ("another case", a(&["x"]).target("b", b(&["X"])), Authority),
            (
                "the port of http",
                a(&["x"]).target("b", b(&["x:80"])),
                Authority,
            ),
            (
                "the port of https",
                a(&["x:443"]).target("b", b(&["x"])),
                Authority,
            ),
            (
                "signed and unsigned",
                a(&["x"]).unsigned("b", ["x"]),
                Authority,
            ),
            ("one name", a(&["x"]).target("a", b(&["y"])), Name),
            ("no authority", a(&["x"]).unsigned("b", [""; 0]), Authority),
            ("no host", a(&["x"]).unsigned("b", ["http://y/"]), Authority),
            (
                "any authority",
                a(&["x"]).target("b", b(&["y"]).insecure_any_authority()),
                Authority,
            ),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.kind(), kind, "{name}: {error}");
        }
        for (name, builder) in [
            ("another port", a(&["x:1"]).target("b", b(&["x:2"]))),
            ("two schemes", a(&["x:80"]).target("b", b(&["x:443"]))),
            ("one target twice", a(&["x", "X", "x:80"])),
        ] {
            assert!(builder.build().is_ok(), "{name}");
        }
    }

    #[test]
    fn every_authority_of_every_key_of_a_target_is_bound() {
        let keys = [
            SignerKey::new("1", signer("billing", &["x:1"])).unwrap(),
            SignerKey::new("2", signer("billing", &["x:2"])).unwrap(),
        ];
        let rotating = SharedSigner::new(keys).unwrap();
        let error = TargetSigners::builder()
            .target("a", rotating)
            .target("b", signer("billing", &["x:1"]))
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Authority);
    }

    #[test]
    fn every_clone_selects_from_the_targets_that_one_was_given() {
        let signers = TargetSigners::from(signer("before", &["a"]));
        let clone = signers.clone();
        let after = TargetSigners::builder().target("b", signer("after", &["b"]));
        signers.replace(&after.build().unwrap());
        let found = selected(&clone, "http://b/");
        assert_eq!(found, Ok(Some("after".to_owned())));
        assert_eq!(selected(&clone, "http://a/"), Err(SignErrorKind::Authority));
    }

    #[test]
    fn refuses_a_secret_that_the_process_also_verifies_with() {
        let key = SigningKey::hmac_sha256(&Secret::generate().unwrap());
        let callers = CallerKey::new("1", key.verifying_key()).unwrap();
        let callers = Keyring::builder().caller("a", callers).build().unwrap();
        let shared = Signer::new("billing", key, ["b"]).unwrap();
        let signers = TargetSigners::builder()
            .target("a", signer("billing", &["a"]))
            .target("b", shared)
            .build()
            .unwrap();
        let error = signers.ensure_distinct_from(&callers).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::SharedKey);
    }
}
