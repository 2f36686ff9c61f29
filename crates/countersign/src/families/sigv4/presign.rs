use std::time::Duration;

use http::{Uri, header::AUTHORIZATION, request::Parts, uri::PathAndQuery};

use super::{
    X_AMZ_DATE,
    payload_hash::PayloadHash,
    query_parameters::{
        ALGORITHM, CREDENTIAL, DATE, EXPIRES, MAX_EXPIRES, SECURITY_TOKEN, SIGNATURE,
        SIGNED_HEADERS,
    },
    sign::{
        FamilySigner, date_of, headers_to_cover, push_digits, refuse_credentials, refuse_header,
        request_hash, scope_of, signature, sort,
    },
    sign_settings::PayloadMode,
    uri_encode::{self, Slash},
    verify_settings::{SigV4PresignedPayload, presigned_payload_of},
};
use crate::{
    error::{SignError, SignErrorKind},
    families,
    head::RequestHead,
    payload::Payload,
    scheme::Scheme,
    signer::Signer,
    timestamp::Timestamp,
};

impl Signer {
    /// The URL of a request with the signature in it, valid from now for 1 second to 7 days, in the schemes that have such
    /// URLs: those of [`sigv4`](Self::sigv4).
    ///
    /// Whoever is given the URL can send the request until it expires: it is a secret. The headers that the request has are
    /// covered as [`sign`](Self::sign) covers them, and must be sent along. For a service called `s3`, and where the
    /// [settings](crate::SigV4SignSettings::insecure_unsigned_payload) say so, the body is not signed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use countersign::{PayloadDigest, Secret, SigV4Credentials, SigV4SignSettings, Signer, SigningKey, Timestamp};
    /// # let secret = Secret::from_text("correct/Horse+battery/Staple+0123456789")?;
    /// # let credentials = SigV4Credentials::new("AKIDBILLING", SigningKey::sigv4(&secret))?;
    /// # let settings = SigV4SignSettings::new("eu-central-1", "user-service", credentials)?;
    /// # let signer = Signer::sigv4(settings, ["user-service.internal"])?;
    /// let (parts, ()) = http::Request::get("https://user-service.internal/report?id=7").body(()).unwrap().into_parts();
    /// let now = Timestamp::from_unix_seconds(1_767_323_045);
    /// let url = signer.presign(&parts, PayloadDigest::of(b""), Duration::from_secs(60), now)?;
    /// assert!(url.to_string().starts_with("https://user-service.internal/report?id=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign), and [`SignErrorKind::Target`] if the scheme has no such URLs, or the time is out of range.
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
        let families::FamilySigner::SigV4(signer) = self.family() else {
            return Err(SignError::new(
                SignErrorKind::Target,
                format!("{}: expected a scheme that can sign a URL", self.scheme()),
            ));
        };
        let head = RequestHead::from(parts);
        let authority = self.bound_authority(&head)?.as_str();
        presign(signer, &head, authority, payload.into(), expires, now)
    }
}

fn presign(
    signer: &FamilySigner,
    head: &RequestHead<'_>,
    authority: &str,
    payload: Payload<'_>,
    expires: Duration,
    now: Timestamp,
) -> Result<Uri, SignError> {
    let FamilySigner {
        settings,
        credentials,
    } = signer;
    refuse_credentials(head)?;
    refuse_header(head, &AUTHORIZATION)?;
    refuse_header(head, &X_AMZ_DATE)?;
    if !(Duration::from_secs(1)..=MAX_EXPIRES).contains(&expires) {
        return Err(SignError::new(
            SignErrorKind::Target,
            format!("expiry: expected 1 to 604800 seconds, found {expires:?}"),
        ));
    }
    let credentials = credentials.at(now)?;
    let date = date_of(now)?;
    let scope = scope_of(settings, &date);
    let mut query = head.uri().query().unwrap_or_default().to_owned();
    let mut covered = headers_to_cover(head, authority, settings)?;
    sort(&mut covered);

    let mut append = |name: &str, value: &str| {
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        uri_encode::encode(value, Slash::Encode, &mut query);
    };
    let mut credential = format!("{}/", credentials.access_key_id);
    scope.write_to(&mut credential);
    let names: Vec<_> = covered.iter().map(|header| header.name).collect();
    append(ALGORITHM, Scheme::SigV4.name());
    append(CREDENTIAL, &credential);
    append(DATE, date.as_str());
    append(EXPIRES, &expires.as_secs().to_string());
    append(SIGNED_HEADERS, &names.join(";"));
    if let Some(token) = &credentials.session_token {
        append(SECURITY_TOKEN, token.as_str());
    }

    let payload_hash = match (settings.payload, presigned_payload_of(&settings.service)) {
        (PayloadMode::Unsigned, _) | (_, SigV4PresignedPayload::Unsigned) => PayloadHash::Unsigned,
        (PayloadMode::Header | PayloadMode::Implied, SigV4PresignedPayload::Sha256) => {
            PayloadHash::Sha256(payload.digest())
        }
    };
    let request_hash = request_hash(head, Some(&query), settings, &covered, payload_hash)?;
    let signature = signature(&credentials, date, scope, request_hash)?;

    let mut target = format!("{}?{query}&{SIGNATURE}=", head.uri().path());
    push_digits(&mut target, &signature);
    let no_target = |error: http::Error| SignError::new(SignErrorKind::Target, error.to_string());
    let mut uri = head.uri().clone().into_parts();
    uri.path_and_query =
        Some(PathAndQuery::try_from(target).map_err(|error| no_target(error.into()))?);
    Uri::from_parts(uri).map_err(|error| no_target(error.into()))
}
