use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use countersign::{AnswerError, AuthenticatedAnswer};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::{BoxError, cooperative_hash::CooperativeHash};

pin_project! {
    /// The body of a response, verified while it is read.
    ///
    /// Each frame waits for the next one or the end, so that the last one comes only after the
    /// digest has matched. A wrong body ends with an
    /// [`AnswerError`](countersign::AnswerError). Trailers are dropped: no signature covers them.
    pub struct CheckedBody<B> {
        #[pin]
        body: B,
        check: Check,
        slices: CooperativeHash,
        held: Option<Bytes>,
    }
}

enum Check {
    Open(Box<AuthenticatedAnswer>),
    Done,
    /// The response is not signed.
    None,
}

impl Check {
    fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Open(answer) => answer.update(chunk),
            Self::Done | Self::None => {}
        }
    }

    fn finish(&mut self) -> Result<(), AnswerError> {
        match mem::replace(self, Self::Done) {
            Self::Open(answer) => answer.finish(),
            Self::Done | Self::None => Ok(()),
        }
    }
}

impl<B: Body> CheckedBody<B> {
    /// Returns the body of a signed response. Judges a body that has ended already.
    pub(super) fn checked(body: B, answer: AuthenticatedAnswer) -> Result<Self, AnswerError> {
        let mut checked = Self {
            check: Check::Open(Box::new(answer)),
            ..Self::unchecked(body)
        };
        if checked.body.is_end_stream() {
            checked.check.finish()?;
        }
        Ok(checked)
    }

    pub(super) fn unchecked(body: B) -> Self {
        Self {
            body,
            check: Check::None,
            slices: CooperativeHash::default(),
            held: None,
        }
    }
}

impl<B> Body for CheckedBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        loop {
            // The last chunk is hashed before the body is polled again.
            let check = &mut *this.check;
            let mut hashed = ready!(this.slices.poll(cx, |slice| check.update(slice)));
            if hashed.is_none() {
                if matches!(this.check, Check::Done) {
                    return Poll::Ready(this.held.take().map(|last| Ok(Frame::data(last))));
                }
                match ready!(this.body.as_mut().poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        let Ok(mut data) = frame.into_data() else {
                            continue;
                        };
                        let chunk = data.copy_to_bytes(data.remaining());
                        if chunk.is_empty() {
                            continue;
                        }
                        let check = &mut *this.check;
                        hashed = this.slices.take(chunk, |slice| check.update(slice));
                    }
                    Some(Err(error)) => {
                        *this.check = Check::Done;
                        *this.held = None;
                        return Poll::Ready(Some(Err(error.into())));
                    }
                    None => {
                        if let Err(error) = this.check.finish() {
                            *this.held = None;
                            return Poll::Ready(Some(Err(error.into())));
                        }
                        continue;
                    }
                }
            }
            if let Some(chunk) = hashed
                && let Some(released) = this.held.replace(chunk)
            {
                return Poll::Ready(Some(Ok(Frame::data(released))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.check, Check::Done) && self.held.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, Bytes::len);
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        // The bytes that are hashed at the moment are not counted, so there is no upper bound.
        hint.set_lower(rest.lower().saturating_add(held));
        hint
    }
}

impl<B> fmt::Debug for CheckedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedBody").finish_non_exhaustive()
    }
}
