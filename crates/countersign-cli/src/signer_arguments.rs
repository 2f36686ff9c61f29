//! The signer that a command signs with, from its arguments.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use countersign::{
    CavageSignSettings, ComponentId, DrfHeaders, MessageSignaturesSignSettings, Scheme, Secret,
    SharedSigner, SigV4Credentials, SigV4PathEncoding, SigV4PathNormalization, SigV4SignSettings,
    Signer, SigningKey, Timestamp,
};
use http::{HeaderName, request::Parts};

use crate::{
    Terminal,
    dialect::Dialect,
    failure::Failure,
    input,
    key_kind::KeyKind,
    secret_source::{KeyEncoding, SecretSource, read_variable},
};

/// The arguments that choose a key, a scheme and its options.
#[derive(Args, Debug)]
pub(crate) struct SignerArguments {
    /// Read the key, the caller and the hosts of a target from this TOML file.
    #[arg(long, value_name = "FILE", requires = "target", conflicts_with_all = ["key_file", "key_env"], help_heading = "Key")]
    keys: Option<PathBuf>,
    /// The name of the target in the file.
    #[arg(long, value_name = "NAME", requires = "keys", help_heading = "Key")]
    target: Option<String>,
    #[command(flatten)]
    secret: SecretSource,
    /// How the key is written. Default: as `keygen` writes it.
    #[arg(
        long,
        value_enum,
        value_name = "ENCODING",
        conflicts_with = "keys",
        help_heading = "Key"
    )]
    key_encoding: Option<KeyEncoding>,
    /// Sign as this caller: a name, a `keyid` of RFC 9421, or an access key id.
    #[arg(
        long = "as",
        value_name = "NAME",
        conflicts_with = "keys",
        help_heading = "Key"
    )]
    caller: Option<String>,
    /// The scheme to sign in. Default: hmac-sha256.
    #[arg(long, value_enum, conflicts_with = "keys", help_heading = "Scheme")]
    scheme: Option<KeyKind>,
    /// Also cover this header, or this component of RFC 9421. May be given several times.
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "keys",
        help_heading = "Scheme"
    )]
    cover: Vec<String>,
    /// Sign and send this `Host` in place of the URL's.
    #[arg(
        long,
        value_name = "HOST",
        conflicts_with = "keys",
        help_heading = "Scheme"
    )]
    signed_host: Option<String>,
    /// Cover three headers and send no nonce. Such a request can be replayed.
    #[arg(long, conflicts_with = "keys", help_heading = "Scheme")]
    insecure_three_headers: bool,
    #[command(flatten)]
    sigv4: SigV4Arguments,
    #[command(flatten)]
    message: MessageArguments,
    #[command(flatten)]
    drf: DrfArguments,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "SigV4")]
struct SigV4Arguments {
    /// The region of the credential scope.
    #[arg(long, value_name = "REGION", conflicts_with = "keys")]
    region: Option<String>,
    /// The service of the credential scope.
    #[arg(long, value_name = "SERVICE", conflicts_with = "keys")]
    service: Option<String>,
    /// Read the session token from this environment variable.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "keys")]
    session_token_env: Option<String>,
    /// Encode the path once and do not normalize it, as S3 does.
    #[arg(long, conflicts_with = "keys")]
    s3_path: bool,
    /// Send and cover an `x-nonce`.
    #[arg(long, conflicts_with = "keys")]
    with_nonce: bool,
    /// Do not sign the body. Anyone who sees the request can send another body.
    #[arg(long, conflicts_with = "keys")]
    insecure_unsigned_payload: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "HTTP Message Signatures")]
struct MessageArguments {
    /// The dialect to sign in. Default: strict.
    #[arg(long, value_enum, value_name = "DIALECT", conflicts_with = "keys")]
    dialect: Option<Dialect>,
    /// The label of the signature. Default: sig1.
    #[arg(long, conflicts_with = "keys")]
    label: Option<String>,
    /// The tag that selects the signature.
    #[arg(long, conflicts_with = "keys")]
    tag: Option<String>,
    /// Send `expires`, this many seconds after the date.
    #[arg(long, value_name = "SECONDS", conflicts_with = "keys")]
    expires_in: Option<u64>,
    /// Send `alg`.
    #[arg(long, conflicts_with = "keys")]
    alg: bool,
    /// Cover the components of `--cover` and no others.
    #[arg(long, conflicts_with = "keys", requires = "cover")]
    insecure_cover_only: bool,
    /// Send no nonce. Such a request can be replayed.
    #[arg(long, conflicts_with = "keys")]
    insecure_omit_nonce: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "DRF")]
struct DrfArguments {
    /// The headers of the timestamp and of the signature.
    #[arg(
        long,
        value_name = "TIMESTAMP,SIGNATURE",
        value_delimiter = ',',
        num_args = 2,
        conflicts_with = "keys"
    )]
    drf_headers: Vec<String>,
    /// Send a nonce.
    #[arg(long, conflicts_with = "keys")]
    nonce_always: bool,
}

impl SignerArguments {
    /// Returns whether the key is on standard input, which then holds nothing else.
    pub(crate) fn is_stdin(&self) -> bool {
        self.secret.is_stdin()
    }

    /// Makes the signer for a request at this moment.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`](crate::Exit::Usage) if an option is missing or does not fit the scheme, or
    /// if the key is malformed or weak. [`Exit::Unavailable`](crate::Exit::Unavailable) if the key
    /// cannot be read.
    pub(crate) fn signer(
        &self,
        terminal: &mut Terminal<'_>,
        parts: &Parts,
        now: Timestamp,
    ) -> Result<Arc<Signer>, Failure> {
        if let (Some(path), Some(target)) = (&self.keys, &self.target) {
            let text = input::read_text(terminal, path, input::MAX_CONFIG_LEN)?;
            let signer = SharedSigner::from_toml(&text, target)
                .map_err(|error| error.within(input::shown(path)))?;
            return Ok(signer.at(now)?);
        }
        if !self.secret.is_given() {
            return Err(Failure::usage(
                "expected a key: --keys FILE --target NAME, or --key-file or --key-env with --as",
            ));
        }
        let kind = self.scheme.unwrap_or(KeyKind::HmacSha256);
        self.ensure_options_fit(kind.scheme())?;
        let text = self.secret.read(terminal)?;
        let key = kind.signing_key(&text, self.key_encoding)?;
        // The URL was checked to have one.
        let authority = parts.uri.authority().map_or("", |it| it.as_str());
        let signer = match kind.scheme() {
            Scheme::HmacSha256 | Scheme::Ed25519 => self.native(key, authority)?,
            Scheme::MessageSignatures => self.message(key, authority)?,
            Scheme::SigV4 => self.sigv4(terminal, key, authority)?,
            Scheme::StandardWebhooks => Signer::standard_webhooks([key], [authority])?,
            Scheme::Cavage => self.cavage(key, authority)?,
            Scheme::Drf => self.drf(key, authority)?,
            other => return Err(Failure::usage(format_args!("{other}: not supported here"))),
        };
        let signer = match &self.signed_host {
            Some(host) => signer.with_signed_host(authority, host)?,
            None => signer,
        };
        Ok(Arc::new(signer))
    }

    fn native(&self, key: SigningKey, authority: &str) -> Result<Signer, Failure> {
        let mut signer = Signer::new(self.caller()?, key, [authority])?;
        for name in &self.cover {
            signer = signer.with_covered_header(header_name(name)?)?;
        }
        if self.insecure_three_headers {
            signer = signer.insecure_three_headers();
        }
        Ok(signer)
    }

    fn message(&self, key: SigningKey, authority: &str) -> Result<Signer, Failure> {
        let options = &self.message;
        let mut settings = MessageSignaturesSignSettings::new(self.caller()?, key)?;
        if let Some(dialect) = options.dialect {
            settings = dialect.sign_settings(settings);
        }
        let components = self
            .cover
            .iter()
            .map(|name| name.parse::<ComponentId<'_>>());
        let components: Vec<_> = components.collect::<Result<_, _>>()?;
        if options.insecure_cover_only {
            settings = settings.insecure_cover_only(components);
        } else {
            for component in components {
                settings = settings.with_covered_component(component)?;
            }
        }
        if let Some(label) = &options.label {
            settings = settings.with_label(label)?;
        }
        if let Some(tag) = &options.tag {
            settings = settings.with_tag(tag)?;
        }
        if let Some(seconds) = options.expires_in {
            settings = settings.with_expires_in(Duration::from_secs(seconds));
        }
        if options.alg {
            settings = settings.with_alg();
        }
        if options.insecure_omit_nonce {
            settings = settings.insecure_omit_nonce();
        }
        Ok(Signer::message_signatures(settings, [authority])?)
    }

    fn sigv4(
        &self,
        terminal: &Terminal<'_>,
        key: SigningKey,
        authority: &str,
    ) -> Result<Signer, Failure> {
        let options = &self.sigv4;
        let given = |name: &str, value: &Option<String>| {
            let missing = || Failure::usage(format_args!("sigv4: expected {name}, found none"));
            value.clone().ok_or_else(missing)
        };
        let region = given("--region", &options.region)?;
        let service = given("--service", &options.service)?;
        let mut credentials = SigV4Credentials::new(self.caller()?, key)?;
        if let Some(variable) = &options.session_token_env {
            let token = read_variable(terminal, variable)?;
            credentials = credentials.with_session_token(&Secret::from_text(&token)?)?;
        }
        let mut settings = SigV4SignSettings::new(&region, &service, credentials)?;
        for name in &self.cover {
            settings = settings.with_covered_header(header_name(name)?)?;
        }
        if options.s3_path {
            settings = settings
                .with_path_encoding(SigV4PathEncoding::Single)
                .with_path_normalization(SigV4PathNormalization::Disabled);
        }
        if options.with_nonce {
            settings = settings.with_nonce();
        }
        if options.insecure_unsigned_payload {
            settings = settings.insecure_unsigned_payload();
        }
        Ok(Signer::sigv4(settings, [authority])?)
    }

    fn cavage(&self, key: SigningKey, authority: &str) -> Result<Signer, Failure> {
        let mut settings = CavageSignSettings::new(self.caller()?, key)?;
        for name in &self.cover {
            settings = settings.with_covered_header(header_name(name)?)?;
        }
        Ok(Signer::cavage(settings, [authority])?)
    }

    fn drf(&self, key: SigningKey, authority: &str) -> Result<Signer, Failure> {
        let signer = match &*self.drf.drf_headers {
            [timestamp, signature] => {
                let headers = DrfHeaders::new(header_name(timestamp)?, header_name(signature)?)?;
                Signer::drf_with_headers(key, headers, [authority])?
            }
            _ => Signer::drf(key, [authority])?,
        };
        Ok(match (self.insecure_three_headers, self.drf.nonce_always) {
            (true, _) => signer.insecure_three_headers(),
            (false, true) => signer.with_nonce_always(),
            (false, false) => signer,
        })
    }

    fn caller(&self) -> Result<&str, Failure> {
        let missing = || Failure::usage("expected --as NAME, the name of the key, found none");
        self.caller.as_deref().ok_or_else(missing)
    }

    /// Refuses an option of another scheme, which would have no effect.
    fn ensure_options_fit(&self, scheme: Scheme) -> Result<(), Failure> {
        let is_sigv4 = scheme == Scheme::SigV4;
        let is_message = scheme == Scheme::MessageSignatures;
        let is_cavage = scheme == Scheme::Cavage;
        let is_drf = scheme == Scheme::Drf;
        let is_native = matches!(scheme, Scheme::HmacSha256 | Scheme::Ed25519);
        let (sigv4, message) = (&self.sigv4, &self.message);
        for (name, is_given, fits) in [
            ("--region", sigv4.region.is_some(), is_sigv4),
            ("--service", sigv4.service.is_some(), is_sigv4),
            (
                "--session-token-env",
                sigv4.session_token_env.is_some(),
                is_sigv4,
            ),
            ("--s3-path", sigv4.s3_path, is_sigv4),
            ("--with-nonce", sigv4.with_nonce, is_sigv4),
            (
                "--insecure-unsigned-payload",
                sigv4.insecure_unsigned_payload,
                is_sigv4,
            ),
            ("--dialect", message.dialect.is_some(), is_message),
            ("--label", message.label.is_some(), is_message),
            ("--tag", message.tag.is_some(), is_message),
            ("--expires-in", message.expires_in.is_some(), is_message),
            ("--alg", message.alg, is_message),
            (
                "--insecure-cover-only",
                message.insecure_cover_only,
                is_message,
            ),
            (
                "--insecure-omit-nonce",
                message.insecure_omit_nonce,
                is_message,
            ),
            ("--drf-headers", !self.drf.drf_headers.is_empty(), is_drf),
            ("--nonce-always", self.drf.nonce_always, is_drf),
            (
                "--insecure-three-headers",
                self.insecure_three_headers,
                is_native || is_drf,
            ),
            (
                "--cover",
                !self.cover.is_empty(),
                is_native || is_message || is_sigv4 || is_cavage,
            ),
            (
                "--as",
                self.caller.is_some(),
                is_native || is_message || is_sigv4 || is_cavage,
            ),
        ] {
            if is_given && !fits {
                let problem = format_args!("{name}: it has no effect in the scheme {scheme}");
                return Err(Failure::usage(problem));
            }
        }
        Ok(())
    }
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::try_from(name)
        .map_err(|_| Failure::usage("expected a header name, found other characters"))
}
