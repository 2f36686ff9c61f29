use std::time::Duration;

use http::{Uri, request::Parts};

use super::Signer;
use crate::{
    error::{ConfigError, SignError, SignErrorKind},
    families::{
        FamilySigner,
        sigv4::{self, SigV4SignSettings},
    },
    head::RequestHead,
    payload::Payload,
    timestamp::Timestamp,
};

impl Signer {
    /// Makes an `AWS4-HMAC-SHA256` signer for requests to these authorities.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new) for the authorities.
    pub fn sigv4<I>(settings: SigV4SignSettings, authorities: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let signer = sigv4::FamilySigner::new(settings);
        Self::in_family(FamilySigner::SigV4(signer), authorities)
    }

    /// Returns the URL of a request with the signature in the query, valid from now for 1 second to
    /// 7 days. Only signers of [`sigv4`](Self::sigv4) make such URLs.
    ///
    /// The URL is a secret: its holder can send the request until the URL expires. Headers of the
    /// request are covered like those of [`sign`](Self::sign) and must be sent with it. The body is
    /// not signed for a service called `s3`, or with
    /// [`insecure_unsigned_payload`](crate::SigV4SignSettings::insecure_unsigned_payload).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use countersign::{PayloadDigest, Secret, SigV4Credentials, SigV4SignSettings};
    /// # use countersign::{Signer, SigningKey, Timestamp};
    /// # let secret = Secret::from_text("correct/Horse+battery/Staple+0123456789")?;
    /// # let credentials = SigV4Credentials::new("AKIDBILLING", SigningKey::sigv4(&secret))?;
    /// # let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials)?;
    /// # let signer = Signer::sigv4(settings, ["user-service.internal"])?;
    /// let request = http::Request::get("https://user-service.internal/report?id=7");
    /// let (parts, ()) = request.body(()).unwrap().into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// let url = signer.presign(&parts, PayloadDigest::of(b""), Duration::from_secs(60), now)?;
    /// let start = "https://user-service.internal/report?id=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&";
    /// assert!(url.to_string().starts_with(start));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign). [`SignErrorKind::Target`] if the scheme has no such URLs, or the
    /// validity is out of range.
    #[expect(
        single_use_lifetimes,
        reason = "`impl Trait` takes no anonymous lifetime"
    )]
    pub fn presign<'b>(
        &self,
        parts: &Parts,
        payload: impl Into<Payload<'b>>,
        expires: Duration,
        now: Timestamp,
    ) -> Result<Uri, SignError> {
        let FamilySigner::SigV4(signer) = self.family() else {
            return Err(SignError::new(
                SignErrorKind::Target,
                format!("{}: expected a scheme that can sign a URL", self.scheme()),
            ));
        };
        let head = RequestHead::from(parts);
        let authority = self.bound_authority(&head)?.as_str();
        signer.presign(&head, authority, payload.into(), expires, now)
    }
}
