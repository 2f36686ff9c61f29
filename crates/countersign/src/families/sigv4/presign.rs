use std::time::Duration;

use http::{Uri, header::AUTHORIZATION, uri::PathAndQuery};

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
    verify_settings::SigV4PresignedPayload,
};
use crate::{
    error::{SignError, SignErrorKind},
    head::RequestHead,
    payload::Payload,
    scheme::Scheme,
    timestamp::Timestamp,
};

impl FamilySigner {
    /// Returns the URL of the request, including the signature.
    pub(crate) fn presign(
        &self,
        head: &RequestHead<'_>,
        authority: &str,
        payload: Payload<'_>,
        expires: Duration,
        now: Timestamp,
    ) -> Result<Uri, SignError> {
        let FamilySigner {
            settings,
            credentials,
        } = self;
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

        let payload_hash = match (settings.payload, settings.scope.presigned_payload()) {
            (PayloadMode::Unsigned, _) | (_, SigV4PresignedPayload::Unsigned) => {
                PayloadHash::Unsigned
            }
            (PayloadMode::Header | PayloadMode::Implied, SigV4PresignedPayload::Sha256) => {
                PayloadHash::Sha256(payload.digest())
            }
        };
        let request_hash =
            request_hash(head, Some(&query), settings, &covered, payload_hash, None)?;
        let signature = signature(&credentials, date, scope, request_hash)?;

        let mut target = format!("{}?{query}&{SIGNATURE}=", head.uri().path());
        push_digits(&mut target, &signature);
        let no_target =
            |error: http::Error| SignError::new(SignErrorKind::Target, error.to_string());
        let mut uri = head.uri().clone().into_parts();
        uri.path_and_query =
            Some(PathAndQuery::try_from(target).map_err(|error| no_target(error.into()))?);
        Uri::from_parts(uri).map_err(|error| no_target(error.into()))
    }
}
