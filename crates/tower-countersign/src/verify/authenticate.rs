//! Steps 1 to 8: who a request is from, and that its body is the one that was signed.

use std::{future::Future, pin::Pin, time::Duration};

use countersign::{
    Authentication, CallerKeys, DetachedHead, KeyStore, PendingBody, ReplayKey, ReplayStore,
    RequestHead, Timestamp, UnverifiedHead, Verified,
};
use http::{Uri, request::Parts};
use http_body::Body;

use super::{
    body,
    intake::Intake,
    peer::Peer,
    public_uri::PublicHead,
    refusal::Refusal,
    request_uri,
    service::{Refused, Verification, answered, within},
};
use crate::{
    BoxError,
    caller::VerifiedTarget,
    metrics::{Decision, Store},
};

/// A request whose body has been read and is the one that was signed.
pub(super) struct Read {
    pub(super) verified: Verified,
    pub(super) replay_key: Option<ReplayKey>,
    /// How long the body may have been on its way after the date was judged.
    pub(super) judged_before: Duration,
}

/// What the head of a request came to without waiting for anything.
#[expect(
    clippy::large_enum_variant,
    reason = "a box for what most requests come to would be one more allocation for each"
)]
enum Head<'r> {
    /// The signature matched.
    Authenticated(DetachedHead),
    /// The keys are still to be looked up, or the signature is over the body.
    Undecided(Box<UnverifiedHead<'r>>, Option<CallerKeys>),
}

impl<K: KeyStore, R: ReplayStore> Verification<K, R> {
    /// Steps 1 to 8. Also returns what was verified to be the target.
    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn keeps its arguments twice"
    )]
    pub(super) fn authenticate<B>(
        &self,
        parts: &Parts,
        mut body: Pin<&mut B>,
        now: Timestamp,
        decision: &mut Decision,
        intake: &mut Intake,
    ) -> impl Future<Output = Result<(Read, VerifiedTarget), Refused>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        async move {
            let uri = request_uri::of(parts)?;
            let public = self.settings.public_head(parts, uri)?;
            let mut head = self.head(parts, uri, public.as_deref(), now, decision)?;
            let mut replay_key = None;
            if let Head::Authenticated(head) = &mut head {
                replay_key = self.unseen(parts, head)?;
                self.read_body(head, body.as_mut(), intake)
                    .await
                    .map_err(|refusal| Refused::by(head.caller(), refusal))?;
            }
            let read = match head {
                Head::Authenticated(head) => self.finish(head, replay_key)?,
                Head::Undecided(claim, keys) => {
                    let wait = self.wait(parts, &claim, keys, body, decision, intake);
                    Box::pin(wait).await?
                }
            };
            Ok((read, VerifiedTarget::new(&parts.method, uri)))
        }
    }

    /// Steps 1 to 7, as far as they can be done at once.
    fn head<'r>(
        &self,
        parts: &'r Parts,
        uri: &'r Uri,
        public: Option<&'r PublicHead>,
        now: Timestamp,
        decision: &mut Decision,
    ) -> Result<Head<'r>, Refused> {
        let head = match public {
            Some(public) => public.head(&parts.method),
            None => RequestHead::new(&parts.method, uri, &parts.headers),
        };
        // Steps 1 to 5: one signature, its grammar, the authority, the coverage, the date.
        let claim = self.settings.verifier.parse(head, now)?;
        decision.parsed(claim.scheme());

        // Step 6: the keys.
        let Some(answer) = self.keys.try_lookup(claim.key_id()) else {
            return Ok(Head::Undecided(Box::new(claim), None));
        };
        let keys = answered(Store::Keys, answer)?;

        // Step 7: the signature over the head. Not a byte of the body has been read.
        if !claim.needs_body()
            && let Authentication::Head(head) = claim.authenticate(&keys, now)?
        {
            decision.head_matched();
            return Ok(Head::Authenticated(head.detach()));
        }
        Ok(Head::Undecided(Box::new(claim), Some(keys)))
    }

    /// Steps 6 to 8 where something other than the body of a proven caller must be waited for.
    async fn wait<B>(
        &self,
        parts: &Parts,
        claim: &UnverifiedHead<'_>,
        keys: Option<CallerKeys>,
        body: Pin<&mut B>,
        decision: &mut Decision,
        intake: &mut Intake,
    ) -> Result<Read, Refused>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        let keys = if let Some(keys) = keys {
            keys
        } else {
            let lookup = self.keys.lookup(claim.key_id());
            within(settings.store_deadline, Store::Keys, lookup).await?
        };
        // The look-up may have taken a while.
        match claim.authenticate(&keys, settings.clock.now())? {
            Authentication::Head(head) => {
                decision.head_matched();
                let mut head = head.detach();
                let replay_key = self.unseen(parts, &head)?;
                self.read_body(&mut head, body, intake)
                    .await
                    .map_err(|refusal| Refused::by(head.caller(), refusal))?;
                self.finish(head, replay_key)
            }
            Authentication::Body(mac) => {
                let peer = self.peer(parts, &*body);
                self.read_body_to_authenticate(mac, body, peer, intake)
                    .await
            }
        }
    }

    /// The replay identity of a proven head, if there is one. A head that has been through once opens no second body.
    fn unseen(&self, parts: &Parts, head: &DetachedHead) -> Result<Option<ReplayKey>, Refused> {
        let Some(key) = head.replay_key(&self.audience) else {
            return Ok(None);
        };
        if self.claim_of_this_request(parts, key).is_none() && self.replay.seen(&key) {
            return Err(head.replayed().into());
        }
        Ok(Some(key))
    }

    /// Whom a body counts towards while its sender has proven nothing.
    fn peer<B: Body>(&self, parts: &Parts, body: &B) -> Peer {
        let settings = &self.settings;
        let address = settings.source.of(&parts.headers, &parts.extensions);
        let peer = Peer::new(address, &parts.extensions);
        if peer == Peer::Unknown && !body.is_end_stream() {
            settings.events.peers_unknown();
        }
        peer
    }

    /// Step 8 for a peer whose signature has matched.
    fn read_body<'b, B>(
        &'b self,
        head: &'b mut DetachedHead,
        body: Pin<&'b mut B>,
        intake: &'b mut Intake,
    ) -> impl Future<Output = Result<(), Refusal>> + use<'b, B, K, R>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        body::read(head, body, &settings.limits, &settings.budget, intake)
    }

    /// The end of step 8 for such a peer: the digest of the body that was read.
    fn finish(&self, head: DetachedHead, replay_key: Option<ReplayKey>) -> Result<Read, Refused> {
        let verified = head.finish()?;
        Ok(Read {
            verified,
            replay_key,
            judged_before: self.settings.limits.deadline,
        })
    }

    /// Step 8 for a peer that has proven nothing yet: within limits of their own, and the signature
    /// after it.
    async fn read_body_to_authenticate<B>(
        &self,
        mut mac: PendingBody<'_, '_>,
        body: Pin<&mut B>,
        peer: Peer,
        intake: &mut Intake,
    ) -> Result<Read, Refused>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let settings = &self.settings;
        let limits = &settings.limits;
        let budget = &settings.unauthenticated;
        body::read_unauthenticated(&mut mac, body, peer, limits, budget, intake).await?;
        let verified = mac.finish(settings.clock.now())?;
        // From here on it is the caller's own memory.
        body::hand_over(intake, verified.caller(), &settings.budget)
            .map_err(|refusal| Refused::by(verified.caller(), refusal))?;
        // A request whose body passes by is being handled already.
        let replay_key = if intake.is_passing() {
            None
        } else {
            verified.replay_key(&self.audience)
        };
        Ok(Read {
            verified,
            replay_key,
            // The date was judged again when the body was there.
            judged_before: Duration::ZERO,
        })
    }
}
