//! The settings of the verifier, from arguments. Settings that are not given come from the keys and
//! the request, and are listed.

use std::time::Duration;

use clap::{Args, ValueEnum};
use countersign::{
    DrfVerifySettings, Escaped, HostForm, MessageSignaturesVerifySettings, RequestHead, Scheme,
    SigV4PathEncoding, SigV4PathNormalization, SigV4Presigned, SigV4VerifySettings,
    StandardWebhooksVerifySettings, UriScheme, Verifier,
};
use http::{HeaderName, Method};

use super::{
    callers::Callers,
    sender::{has_signature_in, in_query, scope_of},
};
use crate::{dialect::Dialect, failure::Failure, request::RecordedRequest};

/// The settings of the service's verifier.
#[derive(Args, Debug)]
#[command(next_help_heading = "Settings of the verifier")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting that is on or off"
)]
pub(crate) struct VerifierArguments {
    /// Accept this scheme, and with several options several. Default: the schemes of the keys.
    #[arg(long, value_enum, value_name = "SCHEME")]
    accept: Vec<AcceptedScheme>,
    /// An expected host of the service, with its port unless that is 80 or 443.
    #[arg(long, value_name = "HOST:PORT")]
    expect_host: Vec<String>,
    /// The greatest difference of the date from the clock, in seconds.
    #[arg(long, value_name = "SECONDS")]
    window: Option<u64>,
    /// The hosts are signed without their ports.
    #[arg(long)]
    strip_port: bool,
    /// A header that every signature must cover.
    #[arg(long, value_name = "NAME")]
    require_header: Vec<HeaderName>,
    /// Accept dates in RFC 3339 as well.
    #[arg(long)]
    accept_rfc3339: bool,
    /// Region and service of SigV4. Default: those of the request.
    #[arg(long, value_name = "REGION/SERVICE")]
    sigv4: Vec<String>,
    /// Encode and normalize paths of SigV4 as S3 does.
    #[arg(long)]
    sigv4_s3_paths: bool,
    /// Accept presigned requests of SigV4.
    #[arg(long)]
    presigned: bool,
    /// Accept SigV4 requests that do not sign their body.
    #[arg(long)]
    insecure_unsigned_payload: bool,
    /// The dialect of HTTP Message Signatures. Default: strict.
    #[arg(long, value_enum, value_name = "DIALECT")]
    dialect: Option<Dialect>,
    /// The URI scheme that clients of HTTP Message Signatures use.
    #[arg(long, value_enum, value_name = "SCHEME")]
    uri_scheme: Option<SchemeOfUri>,
    /// The tag that HTTP Message Signatures must have.
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// The caller that sends requests signed over the body (Standard Webhooks, DRF). Default: the
    /// only caller with such a key.
    #[arg(long, value_name = "NAME")]
    sender: Option<String>,
    /// A request that the sender may make, such as `"POST /hooks"`. Default: the given request.
    #[arg(long, value_name = "METHOD TARGET")]
    route: Vec<String>,
    /// Accept Standard Webhooks with the header names of Svix.
    #[arg(long)]
    svix_headers: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AcceptedScheme {
    #[value(name = "hmac-sha256")]
    HmacSha256,
    Ed25519,
    #[value(alias = "rfc9421")]
    MessageSignatures,
    #[value(name = "sigv4", alias = "aws4-hmac-sha256")]
    SigV4,
    #[value(alias = "standard-webhooks")]
    Webhook,
    #[value(alias = "draft-cavage-12")]
    Cavage,
    #[value(alias = "x-hmac-sha256")]
    Drf,
}

impl AcceptedScheme {
    const fn scheme(self) -> Scheme {
        match self {
            Self::HmacSha256 => Scheme::HmacSha256,
            Self::Ed25519 => Scheme::Ed25519,
            Self::MessageSignatures => Scheme::MessageSignatures,
            Self::SigV4 => Scheme::SigV4,
            Self::Webhook => Scheme::StandardWebhooks,
            Self::Cavage => Scheme::Cavage,
            Self::Drf => Scheme::Drf,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SchemeOfUri {
    Http,
    Https,
}

impl VerifierArguments {
    pub(super) fn verifier(
        &self,
        callers: &Callers,
        request: &RecordedRequest,
        assumed: &mut Vec<String>,
    ) -> Result<Verifier, Failure> {
        let given: Vec<Scheme> = self.accept.iter().map(|it| it.scheme()).collect();
        let is_given = !given.is_empty();
        let schemes = if is_given { given } else { callers.schemes() };
        let hosts = self.hosts(&schemes, request, assumed)?;
        let mut builder = Verifier::builder().expected_hosts(&hosts);
        let mut is_first = true;
        for scheme in schemes {
            let is_used = has_signature_in(scheme, &request.parts);
            let accepted = match scheme {
                // These need settings, which a request without such a signature does not show.
                Scheme::SigV4 | Scheme::Drf | Scheme::StandardWebhooks
                    if !is_used && !self.has_settings_of(scheme) =>
                {
                    continue;
                }
                Scheme::SigV4 => self.sigv4(request, assumed)?,
                Scheme::Drf => vec![self.drf(callers, request, assumed)?.into()],
                Scheme::StandardWebhooks => vec![self.webhooks(callers, request, assumed)?.into()],
                Scheme::MessageSignatures => vec![self.message_signatures()?.into()],
                plain => vec![plain.into()],
            };
            for accepted in accepted {
                builder = if is_first {
                    builder.accept_only(accepted)
                } else {
                    builder.accept(accepted)
                };
                is_first = false;
            }
        }
        if let Some(seconds) = self.window {
            builder = builder.window(Duration::from_secs(seconds));
        }
        if self.strip_port {
            builder = builder.host_form(HostForm::StripPort);
        }
        if self.accept_rfc3339 {
            builder = builder.accept_rfc3339_dates();
        }
        builder = builder.require_headers(self.require_header.iter().cloned());
        Ok(builder.build()?)
    }

    /// Returns the expected hosts. Schemes that require them get the request's own.
    fn hosts(
        &self,
        schemes: &[Scheme],
        request: &RecordedRequest,
        assumed: &mut Vec<String>,
    ) -> Result<Vec<String>, Failure> {
        let requires = |scheme: &Scheme| {
            matches!(
                scheme,
                Scheme::Ed25519 | Scheme::MessageSignatures | Scheme::Cavage
            )
        };
        if !self.expect_host.is_empty() || !schemes.iter().any(requires) {
            return Ok(self.expect_host.clone());
        }
        let host = RequestHead::from(&request.parts).authority();
        let host = host.map_err(|rejection| {
            Failure::usage(format_args!("expected --expect-host: {rejection}"))
        })?;
        let host = match (self.strip_port, host.rsplit_once(':')) {
            (true, Some((name, _))) => name,
            _ => host,
        };
        let shown = Escaped::text(host);
        assumed.push(format!("--expect-host {shown}, the host of the request"));
        Ok(vec![host.to_owned()])
    }

    fn has_settings_of(&self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::SigV4 => !self.sigv4.is_empty(),
            _ => !self.route.is_empty() && self.sender.is_some(),
        }
    }

    fn sigv4(
        &self,
        request: &RecordedRequest,
        assumed: &mut Vec<String>,
    ) -> Result<Vec<countersign::AcceptedScheme>, Failure> {
        let mut scopes = Vec::new();
        for scope in &self.sigv4 {
            let parts = scope.split_once('/');
            let (region, service) = parts.ok_or_else(|| {
                Failure::usage("--sigv4: expected a region and a service, such as eu-west-1/s3")
            })?;
            scopes.push((region.to_owned(), service.to_owned()));
        }
        if scopes.is_empty() {
            let scope = scope_of(&request.parts).ok_or_else(|| {
                Failure::usage("expected --sigv4 REGION/SERVICE: the request names no scope")
            })?;
            let shown = format!("{}/{}", scope.0, scope.1);
            let shown = Escaped::text(&shown);
            assumed.push(format!("--sigv4 {shown}, the scope of the request"));
            scopes.push(scope);
        }
        let is_presigned = in_query(&request.parts);
        if is_presigned && !self.presigned {
            assumed.push("no --presigned: requests signed in their URL are refused".to_owned());
        }
        let mut accepted = Vec::new();
        for (region, service) in &scopes {
            let mut settings = SigV4VerifySettings::new(region, service)?;
            if self.sigv4_s3_paths {
                settings = settings
                    .with_path_encoding(SigV4PathEncoding::Single)
                    .with_path_normalization(SigV4PathNormalization::Disabled);
            }
            if self.presigned {
                settings = settings.with_presigned(SigV4Presigned::new());
            }
            if self.insecure_unsigned_payload {
                settings = settings.insecure_accept_unsigned_payload();
            }
            accepted.push(settings.into());
        }
        Ok(accepted)
    }

    fn message_signatures(&self) -> Result<MessageSignaturesVerifySettings, Failure> {
        let dialect = self.dialect.unwrap_or(Dialect::Strict);
        let mut settings = dialect.verify_settings();
        match self.uri_scheme {
            Some(SchemeOfUri::Http) => settings = settings.with_scheme(UriScheme::Http),
            Some(SchemeOfUri::Https) => settings = settings.with_scheme(UriScheme::Https),
            None => {}
        }
        if let Some(tag) = &self.tag {
            settings = settings.with_tag(tag)?;
        }
        Ok(settings)
    }

    fn drf(
        &self,
        callers: &Callers,
        request: &RecordedRequest,
        assumed: &mut Vec<String>,
    ) -> Result<DrfVerifySettings, Failure> {
        let sender = self.sender(Scheme::Drf, callers, assumed)?;
        let mut settings = DrfVerifySettings::for_caller(&sender)?;
        for (method, target) in self.routes(request, assumed)? {
            settings = settings.with_route(method, &target)?;
        }
        if let Some(seconds) = self.window {
            settings = settings.with_window(Duration::from_secs(seconds))?;
        }
        Ok(settings)
    }

    fn webhooks(
        &self,
        callers: &Callers,
        request: &RecordedRequest,
        assumed: &mut Vec<String>,
    ) -> Result<StandardWebhooksVerifySettings, Failure> {
        let sender = self.sender(Scheme::StandardWebhooks, callers, assumed)?;
        let mut settings = StandardWebhooksVerifySettings::for_caller(&sender)?;
        for (method, target) in self.routes(request, assumed)? {
            settings = settings.with_route(method, &target)?;
        }
        if let Some(seconds) = self.window {
            settings = settings.with_window(Duration::from_secs(seconds))?;
        }
        if self.svix_headers {
            settings = settings.with_svix_headers();
        }
        Ok(settings)
    }

    fn sender(
        &self,
        scheme: Scheme,
        callers: &Callers,
        assumed: &mut Vec<String>,
    ) -> Result<String, Failure> {
        if let Some(sender) = &self.sender {
            return Ok(sender.clone());
        }
        match callers.with_keys_in(scheme).as_slice() {
            [only] => {
                assumed.push(format!("--sender {only}, the only caller with such a key"));
                Ok((*only).to_owned())
            }
            several => Err(Failure::usage(format_args!(
                "expected --sender for {scheme}: the request names no caller, and {} callers have \
                 such a key",
                several.len()
            ))),
        }
    }

    fn routes(
        &self,
        request: &RecordedRequest,
        assumed: &mut Vec<String>,
    ) -> Result<Vec<(Method, String)>, Failure> {
        let mut routes = Vec::new();
        for route in &self.route {
            let parts = route.split_once(' ');
            let route = parts.and_then(|(method, target)| {
                Some((
                    Method::from_bytes(method.as_bytes()).ok()?,
                    target.to_owned(),
                ))
            });
            routes.push(route.ok_or_else(|| {
                Failure::usage("--route: expected a method and a target, such as \"POST /hooks\"")
            })?);
        }
        if routes.is_empty() {
            let target = request.parts.uri.path_and_query();
            let target = target.map_or("/", |target| target.as_str()).to_owned();
            let method = request.parts.method.clone();
            let shown = format!("{method} {target}");
            let shown = Escaped::text(&shown);
            assumed.push(format!("--route \"{shown}\", the given request"));
            routes.push((method, target));
        }
        Ok(routes)
    }
}
