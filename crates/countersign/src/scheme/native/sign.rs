use std::ops::Range;

use hmac::Mac as _;
use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};
use smallvec::SmallVec;

use super::{
    ALWAYS_COVERED, X_CONTENT_SHA256, X_DATE, X_NONCE,
    canonical_request::{CanonicalRequest, CoveredHeader, FurtherHeaders},
    content_sha256, date,
    nonce::Nonce,
    signed_headers,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, SignError, SignErrorKind},
    head::{RequestHead, Target, parse_method},
    key::{KeyId, SigningKey, SigningOperation},
    payload::PayloadDigest,
    scheme::Scheme,
    timestamp::Timestamp,
};

/// What a signer covers besides `host;x-date;x-content-sha256`: the nonce, `content-type` and `content-encoding` where
/// present, then the headers that the application names. Seed-compatible coverage is none of this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    further: Vec<HeaderName>,
    seed_compatible: bool,
}

impl Coverage {
    /// Adds a header that must be present on every request.
    pub(crate) fn and(mut self, name: HeaderName) -> Result<Self, ConfigError> {
        if !signed_headers::may_be_covered(&name) {
            return Err(ConfigError::new(
                ConfigErrorKind::Coverage,
                format!(
                    "covered header {name}: it carries the signature or belongs to one connection"
                ),
            ));
        }
        let always = ALWAYS_COVERED.contains(&name.as_str()) || name == X_NONCE;
        if !always && !self.further.contains(&name) {
            self.further.push(name);
        }
        Ok(self)
    }

    /// Three headers and no nonce, for receivers that know no more.
    pub(crate) fn seed_compatible(mut self) -> Self {
        self.seed_compatible = true;
        self
    }

    pub(crate) fn has_nonce(&self) -> bool {
        !self.seed_compatible
    }

    /// The headers of this request to cover behind the nonce.
    fn further_of<'c>(
        &'c self,
        head: &RequestHead<'_>,
    ) -> Result<impl Iterator<Item = &'c HeaderName>, SignError> {
        const IF_PRESENT: [&HeaderName; 2] = [&CONTENT_TYPE, &CONTENT_ENCODING];
        if self.seed_compatible && !self.further.is_empty() {
            return Err(SignError::new(
                SignErrorKind::Header,
                "a seed-compatible signature cannot cover further headers",
            ));
        }
        let headers = head.headers();
        let if_present = IF_PRESENT.into_iter().filter(|name| {
            !self.seed_compatible && headers.contains_key(*name) && !self.further.contains(name)
        });
        Ok(if_present.chain(&self.further))
    }
}

/// The headers of a signature, in the order in which they are set.
pub(crate) type SignatureHeaders = SmallVec<[(HeaderName, HeaderValue); 4]>;

/// The key and what it covers.
pub(crate) struct Signing<'s> {
    pub(crate) caller: &'s KeyId,
    pub(crate) key: &'s SigningKey,
    pub(crate) coverage: &'s Coverage,
}

/// Signs a head for `authority`, the one that will stand in `Host` or `:authority`.
pub(crate) fn sign(
    signing: &Signing<'_>,
    head: RequestHead<'_>,
    authority: &str,
    payload: PayloadDigest,
    nonce: Option<Nonce>,
    now: Timestamp,
) -> Result<SignatureHeaders, SignError> {
    refuse_credentials(head)?;
    let method = parse_method(head.method())
        .map_err(|problem| SignError::new(SignErrorKind::Method, problem))?;
    let target = Target::parse(head.method(), head.uri())
        .map_err(|problem| SignError::new(SignErrorKind::Target, problem))?;
    let date = date::format(now).ok_or_else(|| {
        SignError::new(
            SignErrorKind::Date,
            format!("{now} is outside what an HTTP date can say"),
        )
    })?;
    let content_hash = content_sha256::format(payload)?;
    let nonce = nonce.map(Nonce::into_value);

    let further: SmallVec<[&HeaderName; 8]> = signing.coverage.further_of(&head)?.collect();
    let names = nonce.iter().map(|_| "x-nonce");
    let names = names.chain(further.iter().map(|name| name.as_str()));
    let value = Unsigned::new(signing, &names.collect::<SmallVec<[&str; 8]>>());

    let mut covered = FurtherHeaders::new();
    if let Some(nonce) = &nonce {
        covered.push(CoveredHeader {
            name: "x-nonce",
            value: text(nonce),
        });
    }
    for name in further {
        covered.push(CoveredHeader {
            name: name.as_str(),
            value: header_to_cover(&head, name)?,
        });
    }

    let request = CanonicalRequest {
        method,
        target,
        host: authority,
        x_date: text(&date),
        content_sha256: text(&content_hash),
        further: covered,
        signed_headers: value.signed_headers(),
    };
    let signature = signature(signing.key, &request)?;
    drop(request);
    let mut authorization = value.sign(&signature)?;
    // Not shown by `Debug`, and not kept in the compression tables of HTTP/2.
    authorization.set_sensitive(true);

    let mut headers = SignatureHeaders::new();
    headers.push((X_DATE.clone(), date));
    headers.push((X_CONTENT_SHA256.clone(), content_hash));
    if let Some(nonce) = nonce {
        headers.push((X_NONCE.clone(), nonce));
    }
    headers.push((AUTHORIZATION, authorization));
    Ok(headers)
}

/// A request is signed once: what already carries credentials is somebody else's request.
fn refuse_credentials(head: RequestHead<'_>) -> Result<(), SignError> {
    for name in [&AUTHORIZATION, &X_DATE, &X_CONTENT_SHA256, &X_NONCE] {
        if head.headers().contains_key(name) {
            let message = format!("header {name} is already there");
            return Err(SignError::new(SignErrorKind::AlreadySigned, message));
        }
    }
    Ok(())
}

/// The one value of a header, as the receiver will read it.
fn header_to_cover<'r>(head: &RequestHead<'r>, name: &HeaderName) -> Result<&'r str, SignError> {
    let refused = |problem: &str| {
        SignError::new(
            SignErrorKind::Header,
            format!("covered header {name}: {problem}"),
        )
    };
    let value = head
        .single(name)
        .map_err(|_| refused("expected once and in visible ASCII"))?
        .ok_or_else(|| refused("expected once, found none"))?;
    // A receiver trims the white space around a value (RFC 9110 section 5.5), so what is signed must have none.
    if value.trim_matches([' ', '\t']).len() == value.len() {
        Ok(value)
    } else {
        Err(refused("expected no white space at its ends"))
    }
}

/// The lower-case hexadecimal digits of the signature over a request.
fn signature(
    key: &SigningKey,
    request: &CanonicalRequest<'_>,
) -> Result<SmallVec<[u8; 128]>, SignError> {
    let mut digits = SmallVec::from_elem(0, digits_of(key.scheme()));
    match key.operation() {
        SigningOperation::Mac(mac) => {
            let signature = request.mac(mac).finalize().into_bytes();
            base16ct::lower::encode(&signature, &mut digits)
        }
        SigningOperation::Ed25519(key) => {
            let mut message = String::with_capacity(512);
            request.write_to(&mut message);
            base16ct::lower::encode(&key.sign(message.as_bytes()), &mut digits)
        }
    }
    .map_err(|_| no_header_value())?;
    Ok(digits)
}

const fn digits_of(scheme: Scheme) -> usize {
    match scheme {
        Scheme::HmacSha256 => 64,
        Scheme::Ed25519 => 128,
    }
}

fn no_header_value() -> SignError {
    SignError::new(SignErrorKind::Header, "the signature is no header value")
}

/// The value of `Authorization` up to the signature, which is over the list in it.
struct Unsigned {
    text: String,
    list: Range<usize>,
}

impl Unsigned {
    fn new(signing: &Signing<'_>, further: &[&str]) -> Self {
        let scheme = signing.key.scheme();
        let start = [
            scheme.name(),
            " credential=",
            signing.caller.as_str(),
            ", signed-headers=",
        ];
        let further = further.iter().flat_map(|name| [";", *name]);
        let list = std::iter::once(signed_headers::START).chain(further);
        let length = |length: usize, piece: &str| length.saturating_add(piece.len());
        let begin = start.into_iter().fold(0, length);
        let end = list.clone().fold(begin, length);
        // A header value takes a string over without a copy if it is exactly as long as its capacity.
        let capacity = length(end, SIGNATURE).saturating_add(digits_of(scheme));
        let mut text = String::with_capacity(capacity);
        text.extend(start.into_iter().chain(list));
        Self {
            text,
            list: begin..end,
        }
    }

    fn signed_headers(&self) -> &str {
        // Invariant: the range was measured when the text was made.
        self.text.get(self.list.clone()).unwrap_or_default()
    }

    fn sign(self, digits: &[u8]) -> Result<HeaderValue, SignError> {
        let mut text = self.text;
        text.push_str(SIGNATURE);
        text.extend(digits.iter().copied().map(char::from));
        HeaderValue::try_from(text).map_err(|_| no_header_value())
    }
}

const SIGNATURE: &str = ", signature=";

fn text(value: &HeaderValue) -> &str {
    // Invariant: the values this file makes are visible ASCII.
    value.to_str().unwrap_or_default()
}
