use std::{borrow::Cow, ops::Range};

use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE},
};
use smallvec::SmallVec;

use super::{
    ALWAYS_COVERED, X_CONTENT_SHA256, X_DATE,
    authorization::Signature,
    canonical_request::{CanonicalRequest, CoveredHeader, FurtherHeaders},
    content_sha256,
    fields::Fields,
    signed_headers,
};
use crate::{
    error::{ConfigError, ConfigErrorKind, SignError, SignErrorKind},
    families::{Nonce, SignatureHeaders, SignerOfFamily, SigningInput, SigningText, X_NONCE},
    head::{RequestHead, Target, cookie, parse_method},
    key::{Fingerprint, SigningKey, SigningOperation},
    key_id::KeyId,
    scheme::{Algorithm, Scheme},
    wire::imf_fixdate,
};

/// The coverage of a signer after `host;x-date;x-content-sha256`: the nonce, `content-type` and
/// `content-encoding` if present, then the headers that the application names. With
/// `insecure_three_headers`, none of these.
#[derive(Clone, Debug, Default)]
struct Coverage {
    further: Vec<HeaderName>,
    insecure_three_headers: bool,
}

impl Coverage {
    fn add(&mut self, name: HeaderName) -> Result<(), ConfigError> {
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
        Ok(())
    }

    fn has_nonce(&self) -> bool {
        !self.insecure_three_headers
    }

    /// Yields this request's headers to cover after the nonce.
    fn further_of<'c>(
        &'c self,
        fields: &Fields<'_>,
    ) -> Result<impl Iterator<Item = &'c HeaderName>, SignError> {
        const IF_PRESENT: [&HeaderName; 2] = [&CONTENT_TYPE, &CONTENT_ENCODING];
        if self.insecure_three_headers && !self.further.is_empty() {
            return Err(SignError::new(
                SignErrorKind::Header,
                "expected three covered headers alone, found further ones to cover",
            ));
        }
        let found = [fields.content_type, fields.content_encoding];
        let if_present = IF_PRESENT.into_iter().zip(found).filter(|(name, field)| {
            !self.insecure_three_headers && !field.is_absent() && !self.further.contains(name)
        });
        Ok(if_present.map(|(name, _)| name).chain(&self.further))
    }
}

/// A caller, its key and its coverage.
#[derive(Clone, Debug)]
pub(crate) struct FamilySigner {
    caller: KeyId,
    key: SigningKey,
    coverage: Coverage,
}

impl FamilySigner {
    pub(crate) fn new(caller: &str, key: SigningKey) -> Result<Self, ConfigError> {
        let caller = KeyId::new(caller)?;
        key.ensure_for(&[Scheme::HmacSha256, Scheme::Ed25519])
            .and_then(|()| key.ensure_strong())
            .map_err(|error| error.within(format_args!("signer {caller}")))?;
        Ok(Self {
            caller,
            key,
            coverage: Coverage::default(),
        })
    }

    /// Covers a header that every request must then have.
    pub(crate) fn cover(&mut self, name: HeaderName) -> Result<(), ConfigError> {
        self.coverage.add(name)
    }

    /// Covers three headers and no nonce, for receivers that support no others.
    pub(crate) fn cover_three_headers(&mut self) {
        self.coverage.insecure_three_headers = true;
    }
}

impl SignerOfFamily for FamilySigner {
    fn scheme(&self) -> Scheme {
        self.key.scheme()
    }

    fn caller(&self) -> Option<&KeyId> {
        Some(&self.caller)
    }

    fn sign(&self, input: SigningInput<'_>) -> Result<SignatureHeaders, SignError> {
        let nonce = match (self.coverage.has_nonce(), input.nonce.clone()) {
            (false, _) => None,
            (true, Some(given)) => Some(given),
            (true, None) => Some(Nonce::generate()?),
        };
        sign(self, &input, nonce)
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn fingerprints(&self, each: &mut dyn FnMut(&Fingerprint)) {
        self.key.fingerprints().for_each(each);
    }
}

fn sign(
    signer: &FamilySigner,
    input: &SigningInput<'_>,
    nonce: Option<Nonce>,
) -> Result<SignatureHeaders, SignError> {
    let head = input.head;
    let fields = Fields::of(head.headers());
    refuse_credentials(&head, &fields)?;
    let method = parse_method(head.method())
        .map_err(|problem| SignError::new(SignErrorKind::Method, problem))?;
    let target = Target::parse(head.method(), head.uri())
        .map_err(|problem| SignError::new(SignErrorKind::Target, problem))?;
    let date = imf_fixdate(input.now).ok_or_else(|| {
        SignError::new(
            SignErrorKind::Date,
            format!("{} is outside what an HTTP date can say", input.now),
        )
    })?;
    let content_hash = content_sha256::format(input.payload.digest())?;
    let nonce = nonce.map(Nonce::into_value);

    let further: SmallVec<[&HeaderName; 8]> = signer.coverage.further_of(&fields)?.collect();
    let names = nonce.iter().map(|_| "x-nonce");
    let names = names.chain(further.iter().map(|name| name.as_str()));
    let value = Unsigned::new(signer, &names.collect::<SmallVec<[&str; 8]>>());

    let mut covered = FurtherHeaders::new();
    if let Some(nonce) = &nonce {
        covered.push(CoveredHeader {
            name: "x-nonce",
            value: Cow::Borrowed(text(nonce)),
        });
    }
    for name in further {
        covered.push(CoveredHeader {
            name: name.as_str(),
            value: header_to_cover(&head, &fields, name)?,
        });
    }

    let request = CanonicalRequest {
        method,
        target,
        host: input.authority,
        x_date: text(&date),
        content_sha256: text(&content_hash),
        further: covered,
        signed_headers: value.signed_headers(),
    };
    input.keep_text(|| {
        let mut text = String::new();
        request.write_to(&mut text);
        SigningText::new(text.into_bytes())
    });
    let signature = signature(&signer.key, &request)?;
    drop(request);
    let mut authorization = value.sign(&signature)?;
    // Keeps the value out of `Debug` and of the compression tables of HTTP/2.
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

/// Refuses a request that already carries credentials, so that a request is signed once.
fn refuse_credentials(head: &RequestHead<'_>, fields: &Fields<'_>) -> Result<(), SignError> {
    for (name, is_there) in [
        (&AUTHORIZATION, head.headers().contains_key(AUTHORIZATION)),
        (&X_DATE, !fields.x_date.is_absent()),
        (&X_CONTENT_SHA256, !fields.x_content_sha256.is_absent()),
        (&X_NONCE, !fields.x_nonce.is_absent()),
    ] {
        if is_there {
            let message = format!("header {name} is already there");
            return Err(SignError::new(SignErrorKind::AlreadySigned, message));
        }
    }
    Ok(())
}

/// Returns the only value of a header, as the receiver will read it.
fn header_to_cover<'r>(
    head: &RequestHead<'r>,
    fields: &Fields<'r>,
    name: &HeaderName,
) -> Result<Cow<'r, str>, SignError> {
    let refused = |problem: &str| {
        SignError::new(
            SignErrorKind::Header,
            format!("covered header {name}: {problem}"),
        )
    };
    if *name == COOKIE {
        let found = cookie::value(head.headers());
        return found.ok_or_else(|| refused("expected visible ASCII, found another byte or none"));
    }
    let field = match *name {
        CONTENT_TYPE => fields.content_type,
        CONTENT_ENCODING => fields.content_encoding,
        _ => head.headers().get_all(name).iter().collect(),
    };
    let value = field
        .text(name)
        .map_err(|_| refused("expected once and in visible ASCII"))?
        .ok_or_else(|| refused("expected once, found none"))?;
    // A receiver trims white space around a value (RFC 9110 section 5.5), so the signed value must
    // have none.
    if value.trim_matches([' ', '\t']).len() == value.len() {
        Ok(Cow::Borrowed(value))
    } else {
        Err(refused("expected no white space at its ends"))
    }
}

/// Returns the signature over a request.
fn signature(key: &SigningKey, request: &CanonicalRequest<'_>) -> Result<Signature, SignError> {
    Ok(match key.operation() {
        SigningOperation::Mac(mac) => Signature::HmacSha256(request.mac(mac).finish()),
        SigningOperation::Ed25519(key) => {
            let mut message = String::with_capacity(512);
            request.write_to(&mut message);
            Signature::Ed25519(key.sign(message.as_bytes()))
        }
        // Invariant: the schemes have no such keys.
        SigningOperation::Other => {
            let message = "expected a shared secret or an Ed25519 key, found another key";
            return Err(SignError::new(SignErrorKind::Credentials, message));
        }
    })
}

const fn digits_of(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Ed25519 => 128,
        _ => 64,
    }
}

fn no_header_value() -> SignError {
    SignError::new(SignErrorKind::Header, "the signature is no header value")
}

/// Writes the value of `Authorization` up to the signature, which covers its list.
struct Unsigned {
    text: String,
    list: Range<usize>,
}

impl Unsigned {
    fn new(signer: &FamilySigner, further: &[&str]) -> Self {
        let start = [
            signer.key.scheme().name(),
            " credential=",
            signer.caller.as_str(),
            ", signed-headers=",
        ];
        let further = further.iter().flat_map(|name| [";", *name]);
        let list = std::iter::once(signed_headers::START).chain(further);
        let length = |length: usize, piece: &str| length.saturating_add(piece.len());
        let begin = start.into_iter().fold(0, length);
        let end = list.clone().fold(begin, length);
        // A header value takes over a string without a copy if its length equals its capacity.
        let capacity = length(end, SIGNATURE).saturating_add(digits_of(signer.key.algorithm()));
        let mut text = String::with_capacity(capacity);
        text.extend(start.into_iter().chain(list));
        Self {
            text,
            list: begin..end,
        }
    }

    fn signed_headers(&self) -> &str {
        // Invariant: the range was measured when the text was written.
        self.text.get(self.list.clone()).unwrap_or_default()
    }

    fn sign(self, signature: &Signature) -> Result<HeaderValue, SignError> {
        let mut text = self.text;
        text.push_str(SIGNATURE);
        let mut digits = [0; 128];
        let digits = base16ct::lower::encode_str(signature.as_bytes(), &mut digits);
        text.push_str(digits.map_err(|_| no_header_value())?);
        HeaderValue::try_from(text).map_err(|_| no_header_value())
    }
}

const SIGNATURE: &str = ", signature=";

fn text(value: &HeaderValue) -> &str {
    // Invariant: the values written in this file are visible ASCII.
    value.to_str().unwrap_or_default()
}
