//! Decides on a request, one step after the other.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use countersign::{
    Authentication, BodyCheck, CallerKeys, DetachedHead, HeadVerified, KeyStore, ReplayKey,
    ReplayStore, RequestHead, Timestamp, UnverifiedHead, Verified,
};
use http::request::Parts;
use http_body::Body;

use super::{
    body,
    body_mode::BodyMode,
    buffered::Buffered,
    chunked::{self, ChunkedBody},
    peer::Peer,
    progress::Progress,
    request_uri,
    settings::Settings,
    spill,
    store_answer::{counted, within},
    stream,
    verification::{Refused, Verification},
};
use crate::{
    BoxError,
    caller_facts::{CallerFacts, VerifiedTarget},
    head_verified_caller::HeadVerifiedCaller,
    metrics::Store,
    mode::Mode,
    verified_caller::VerifiedCaller,
};

/// A request whose signature is verified.
pub(super) struct Authenticated {
    proof: Proof,
    pub(super) replay_key: Option<ReplayKey>,
    /// The time that the body may take between the check of the date and the claim of the nonce.
    pub(super) body_deadline: Duration,
}

enum Proof {
    /// The body is verified.
    Request(Verified),
    /// The handler reads the body while it is verified. The check is boxed, because every waiting
    /// request has room for it.
    Head(Arc<HeadVerified>, Box<BodyCheck>),
}

impl Authenticated {
    pub(super) fn head(&self) -> &HeadVerified {
        match &self.proof {
            Proof::Request(verified) => verified.head(),
            Proof::Head(head, _) => head,
        }
    }
}

/// A request that passed all steps before the call.
pub(super) enum Accepted {
    /// The body is verified.
    Request(VerifiedCaller),
    /// The handler reads the body while it is verified.
    Head(HeadVerifiedCaller, Box<BodyCheck>),
}

impl Accepted {
    pub(super) fn facts(&self) -> CallerFacts<'_> {
        match self {
            Self::Request(caller) => caller.facts(),
            Self::Head(caller, _) => caller.facts(),
        }
    }

    /// Returns the caller if the body is verified.
    pub(super) fn caller(&self) -> Option<&VerifiedCaller> {
        match self {
            Self::Request(caller) => Some(caller),
            Self::Head(..) => None,
        }
    }
}

/// The result of the steps that never wait.
#[expect(
    clippy::large_enum_variant,
    reason = "a box for the usual variant would be one more allocation for each request"
)]
enum Head<'r> {
    /// The signature over the head matched.
    Authenticated(DetachedHead),
    /// The key store answers later, or the signature is over the body. The keys are those that were
    /// found without waiting.
    Pending(Box<UnverifiedHead<'r>>, Option<CallerKeys>),
}

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Takes steps 1 to 11 of the [module documentation](crate::verify), in that order. The caller
    /// of this function takes step 12.
    ///
    /// If the handler reads the body, step 9 is the check of its declared length, and the steps 10
    /// and 11 come before the body.
    ///
    /// The bytes that were read of the body are in `buffered`, after a refusal too.
    // The future is kept for every request that waits for its body, so nothing large may live
    // across an await. The block keeps the parsed head on the stack, and rare waits are boxed. An
    // `async fn` would keep its arguments twice.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` keeps its arguments twice"
    )]
    pub(super) fn decide<B>(
        &self,
        parts: &mut Parts,
        mut body: Pin<&mut B>,
        now: Timestamp,
        progress: &mut Progress,
        buffered: &mut Buffered,
    ) -> impl Future<Output = Result<Accepted, Refused>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        async move {
            let (request, target) = async {
                let settings = &self.settings;
                let uri = request_uri::of(parts)?;
                let public = settings.public_head(parts, uri)?;
                let mut head = {
                    let head = match &public {
                        Some(public) => public.head(&parts.method),
                        None => RequestHead::new(&parts.method, uri, &parts.headers),
                    };

                    // Steps 1 to 5: one signature, grammar, authority, coverage, date.
                    let unverified = settings.verifier.parse(head, now)?;
                    progress.decision.parsed(unverified.scheme());
                    progress.prepare(settings, parts, &head, &unverified);

                    // Step 6: the caller's keys.
                    let keys = self.keys.try_lookup(unverified.key_id());
                    let keys = keys.map(|answer| counted(Store::Keys, answer));
                    let keys = keys.transpose()?;

                    // Step 7: the signature over the head.
                    if let Some(keys) = &keys
                        && !unverified.needs_body()
                        && let Authentication::Head(matched) =
                            progress.authenticate(&unverified, keys, now)?
                    {
                        Head::Authenticated(matched.detach())
                    } else {
                        Head::Pending(Box::new(unverified), keys)
                    }
                };

                // Step 8: whether the nonce is known already.
                let mut replay_key = None;
                if let Head::Authenticated(head) = &mut head {
                    replay_key = self.ensure_not_replayed(parts, head)?;

                    // Step 9: the body.
                    if buffered.is_streamed(&*body) {
                        self.ensure_fits(head, &*body)?;
                    } else if Self::is_decoded(head, progress.decision.mode()) {
                        Box::pin(self.receive_decoded(head, body.as_mut(), buffered)).await?;
                    } else if buffered.is_spilled(&*body) {
                        Box::pin(self.receive_spilled(head, body.as_mut(), buffered)).await?;
                    } else {
                        body::read(
                            head,
                            body.as_mut(),
                            &settings.limits,
                            &settings.budget,
                            buffered,
                        )
                        .await
                        .map_err(|refusal| Refused::by(head.caller(), refusal))?;
                    }
                }
                let request = match head {
                    Head::Authenticated(head) if buffered.is_streamed(&*body) => {
                        unread(head, replay_key)
                    }
                    Head::Authenticated(head) => self.compare_body(head, replay_key, buffered)?,
                    // Steps 6 to 9, if they wait for the key store or need the body first.
                    Head::Pending(unverified, keys) => {
                        let steps = self.decide_after_waiting(
                            parts,
                            &unverified,
                            keys,
                            body,
                            progress,
                            buffered,
                        );
                        Box::pin(steps).await?
                    }
                };
                Ok::<_, Refused>((request, VerifiedTarget::new(&parts.method, uri)))
            }
            .await?;
            let refused = |refusal| Refused::by(request.head().caller(), refusal);

            // Step 10: the headers that are not covered.
            let uncovered = &self.settings.uncovered;
            match progress.decision.mode() {
                Mode::Enforced => uncovered.apply(&mut parts.headers, request.head()),
                // The handler must get the headers unchanged.
                Mode::ReportOnly => uncovered.apply(&mut parts.headers.clone(), request.head()),
            }
            .map_err(|rejection| refused(rejection.into()))?;

            if progress.decision.mode() == Mode::Enforced && chunked::is_declared(request.head()) {
                chunked::describe_decoded(&mut parts.headers, request.head());
            }

            // Step 11: the claim of the nonce.
            let replay_protected = self
                .claim(parts, &request, progress.decision.mode())
                .await
                .map_err(refused)?;

            Ok(match request.proof {
                Proof::Request(verified) => {
                    Accepted::Request(VerifiedCaller::new(verified, replay_protected, target))
                }
                Proof::Head(head, check) => {
                    let caller = HeadVerifiedCaller::new(head, replay_protected, target);
                    Accepted::Head(caller, check)
                }
            })
        }
    }

    /// Takes steps 6 to 9 if the key store answers later, or if the signature is over the body.
    async fn decide_after_waiting<B>(
        &self,
        parts: &Parts,
        unverified: &UnverifiedHead<'_>,
        keys: Option<CallerKeys>,
        body: Pin<&mut B>,
        progress: &mut Progress,
        buffered: &mut Buffered,
    ) -> Result<Authenticated, Refused>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;

        // Step 6: the caller's keys.
        let keys = if let Some(keys) = keys {
            keys
        } else {
            let lookup = self.keys.lookup(unverified.key_id());
            within(settings.store_deadline, Store::Keys, lookup).await?
        };

        // Step 7: the signature over the head. The date is checked again, because the lookup took
        // time.
        match progress.authenticate(unverified, &keys, settings.clock.now())? {
            Authentication::Head(head) => {
                let mut head = head.detach();

                // Step 8: whether the nonce is known already.
                let replay_key = self.ensure_not_replayed(parts, &head)?;

                // Step 9: the body.
                if buffered.is_streamed(&*body) {
                    self.ensure_fits(&head, &*body)?;
                    return Ok(unread(head, replay_key));
                }
                if Self::is_decoded(&head, progress.decision.mode()) {
                    self.receive_decoded(&mut head, body, buffered).await?;
                    return self.compare_body(head, replay_key, buffered);
                }
                if buffered.is_spilled(&*body) {
                    self.receive_spilled(&mut head, body, buffered).await?;
                    return self.compare_body(head, replay_key, buffered);
                }
                body::read(
                    &mut head,
                    body,
                    &settings.limits,
                    &settings.budget,
                    buffered,
                )
                .await
                .map_err(|refusal| Refused::by(head.caller(), refusal))?;
                self.compare_body(head, replay_key, buffered)
            }
            // Step 9 comes before step 7: the body is read, then the signature over it is checked.
            Authentication::Body(mut pending) => {
                let peer = self.peer(parts, &*body);
                let (limits, budget) = (&settings.limits, &settings.unauthenticated);
                body::read_unauthenticated(&mut pending, body, peer, limits, budget, buffered)
                    .await?;
                let verified = pending.finish(settings.clock.now())?;
                body::hand_over(buffered, verified.caller(), &settings.budget)
                    .map_err(|refusal| Refused::by(verified.caller(), refusal))?;
                // If the body is not kept, the handler already has the request, so no nonce is
                // claimed.
                let replay_key = if buffered.is_discarding() {
                    None
                } else {
                    verified.replay_key(&self.audience)
                };
                Ok(Authenticated {
                    proof: Proof::Request(verified),
                    replay_key,
                    // The date is checked after the body has arrived.
                    body_deadline: Duration::ZERO,
                })
            }
        }
    }

    /// Checks the signature of a request whose date is not accepted: its refusal is signed, and
    /// tells the time, only for a holder of the key.
    pub(super) async fn authenticate_stale(
        &self,
        parts: &Parts,
        date: Timestamp,
        now: Timestamp,
        progress: &mut Progress,
    ) {
        let settings = &self.settings;
        let Ok(uri) = request_uri::of(parts) else {
            return;
        };
        let Ok(public) = settings.public_head(parts, uri) else {
            return;
        };
        let head = match &public {
            Some(public) => public.head(&parts.method),
            None => RequestHead::new(&parts.method, uri, &parts.headers),
        };
        let Ok(unverified) = settings.verifier.parse(head, date) else {
            return;
        };
        let keys = if let Some(keys) = self.keys.try_lookup(unverified.key_id()) {
            counted(Store::Keys, keys)
        } else {
            let lookup = self.keys.lookup(unverified.key_id());
            within(settings.store_deadline, Store::Keys, lookup).await
        };
        if let Ok(keys) = keys {
            progress.prepare(settings, parts, &head, &unverified);
            progress.find_key(&unverified, &keys, now);
        }
    }

    /// Returns the replay identity of an authenticated head, if any. Refuses a known replay, so
    /// that its body is not read.
    fn ensure_not_replayed(
        &self,
        parts: &Parts,
        head: &DetachedHead,
    ) -> Result<Option<ReplayKey>, Refused> {
        let key = head.replay_key(&self.audience);
        if key.is_some_and(|key| self.is_replayed(parts, key)) {
            return Err(head.replayed().into());
        }
        Ok(key)
    }

    /// Reads a body into a file, if it is long.
    async fn receive_spilled<B>(
        &self,
        head: &mut DetachedHead,
        body: Pin<&mut B>,
        buffered: &mut Buffered,
    ) -> Result<(), Refused>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let Settings {
            spill,
            limits,
            budget,
            ..
        } = &self.settings;
        let received = match spill {
            Some(spill) => spill::receive(head, body, spill, budget, buffered).await,
            None => body::read(head, body, limits, budget, buffered).await,
        };
        received.map_err(|refusal| Refused::by(head.caller(), refusal))
    }

    /// Returns whether this body is decoded while it is read. A report-only layer passes on the
    /// encoded body, and checks a copy.
    fn is_decoded(head: &DetachedHead, mode: Mode) -> bool {
        mode == Mode::Enforced && chunked::is_declared(head.head())
    }

    /// Reads and decodes a chunked body, into memory or into a file.
    async fn receive_decoded<B>(
        &self,
        head: &mut DetachedHead,
        body: Pin<&mut B>,
        buffered: &mut Buffered,
    ) -> Result<(), Refused>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let Some(decoder) = head.take_decoder() else {
            return Ok(());
        };
        let body = pin!(ChunkedBody::new(body, decoder));
        let Settings { limits, budget, .. } = &self.settings;
        if buffered.mode() == BodyMode::Spill {
            return self.receive_spilled(head, body, buffered).await;
        }
        let received = body::read(head, body, limits, budget, buffered).await;
        received.map_err(|refusal| Refused::by(head.caller(), refusal))
    }

    /// Refuses a body that declares more than a streamed body may have.
    fn ensure_fits<B: Body>(&self, head: &DetachedHead, body: &B) -> Result<(), Refused> {
        let limits = &self.settings.stream_limits;
        let declared = body.size_hint().lower();
        if declared <= limits.max_bytes {
            return Ok(());
        }
        let too_large = stream::too_large(limits, declared);
        Err(Refused::by(head.caller(), too_large))
    }

    /// Compares the digest of the body with the signed digest.
    fn compare_body(
        &self,
        head: DetachedHead,
        replay_key: Option<ReplayKey>,
        buffered: &Buffered,
    ) -> Result<Authenticated, Refused> {
        let settings = &self.settings;
        let body_deadline = match (&settings.spill, buffered.mode()) {
            (Some(spill), BodyMode::Spill) => spill.deadline(),
            _ => settings.limits.deadline,
        };
        Ok(Authenticated {
            proof: Proof::Request(head.finish()?),
            replay_key,
            body_deadline,
        })
    }

    /// Returns the peer that the memory of an unauthenticated body counts towards.
    fn peer<B: Body>(&self, parts: &Parts, body: &B) -> Peer {
        let settings = &self.settings;
        let address = settings.source.of(&parts.headers, &parts.extensions);
        let peer = Peer::new(address, &parts.extensions);
        if peer == Peer::Unknown && !body.is_end_stream() {
            settings.events.peers_unknown();
        }
        peer
    }
}

/// Returns a request whose body the handler reads.
fn unread(head: DetachedHead, replay_key: Option<ReplayKey>) -> Authenticated {
    let (head, check) = head.into_body_check();
    Authenticated {
        proof: Proof::Head(head, Box::new(check)),
        replay_key,
        // The nonce is claimed before the body.
        body_deadline: Duration::ZERO,
    }
}
