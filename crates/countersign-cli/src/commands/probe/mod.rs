mod attacks;
mod exchange;
mod grade;
mod wire_request;

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use clap::Args;
use countersign::{Signer, Timestamp};
use http::{HeaderMap, Method, Request, Uri, request::Parts};

use self::{
    attacks::{Attack, Group, changes, forge},
    exchange::{Exchange, Reply},
    grade::{Graded, Probed},
    wire_request::{Family, WireRequest},
};
use crate::{
    Exit, Terminal,
    failure::Failure,
    input,
    output::Format,
    request::{MAX_INPUT_BYTES, RecordedRequest},
    request_arguments::parse_header,
    signer_arguments::SignerArguments,
};

/// The length of the body that an unauthenticated peer announces and sends.
const LARGE_BODY: usize = 16 * 1024 * 1024;

/// The length of a header that no service needs.
const LARGE_HEADER: usize = 1024 * 1024;

/// Tries on an endpoint what a careless verifier lets in, and grades it.
///
/// Sends one valid signed request, then the same with every covered element changed, removed,
/// doubled or written in another way, with another body, stale and from the future, again, with a
/// large and with a slow body. Each must be refused.
///
/// Only a loopback address is tested, unless you say that the endpoint is yours.
///
/// Exits with 0 if nothing was accepted, with 1 if something was, and with 2 if the unchanged
/// request is refused, because then nothing is shown. The grades: A nothing accepted; B nothing
/// accepted, but the server failed, hung or took more than it needed; D something accepted; F a
/// request accepted whose signature, target, host or body was changed.
#[derive(Args, Debug)]
pub(crate) struct Probe {
    /// The URL of the endpoint, with http.
    url: String,
    /// A valid signed request for the endpoint, in any form that `verify` reads. Otherwise requests
    /// are signed with the given key.
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// The method of the signed request.
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "POST")]
    method: String,
    /// A header of the signed request, as `Name: value`.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// The body of the signed request.
    #[arg(short, long, value_name = "TEXT", default_value = "{\"probe\":true}")]
    data: String,
    #[command(flatten)]
    signer: SignerArguments,
    /// Test an address that is not loopback. Say so only of a service that is yours to test.
    #[arg(long)]
    i_own_this: bool,
    /// The longest wait for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    timeout: u64,
    /// A further status that shows an accepted request, besides 200 to 399.
    #[arg(long, value_name = "STATUS")]
    accepted_status: Vec<u16>,
}

impl Probe {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let uri = self.uri()?;
        let exchange = Exchange {
            address: self.address(&uri)?,
            timeout: Duration::from_secs(self.timeout.clamp(1, 600)),
        };
        let source = self.source(terminal, &uri)?;
        let sample = source.signed(terminal.now())?;
        let family = sample.family().ok_or_else(|| {
            Failure::usage("expected a signed request, found no signature that is known here")
        })?;
        let mut probing = Probing {
            exchange,
            source,
            accepted: self.accepted_status,
            probes: Vec::new(),
        };
        let unchanged = probing.run(terminal, &sample, family)?;
        let graded = Graded::new(self.url, unchanged, probing.probes);
        if !graded.has_accepted() && !probing_shows(unchanged, &probing.accepted) {
            return Err(Failure::usage(match unchanged {
                Some(status) => format!(
                    "the unchanged request is refused with {status}, so that nothing is shown: \
                     check it with verify or explain"
                ),
                None => "the unchanged request gets no answer".to_owned(),
            }));
        }
        terminal.answer(format, &graded)?;
        Ok(Exit::yes_if(!graded.has_accepted()))
    }

    fn uri(&self) -> Result<Uri, Failure> {
        let uri: Uri = self
            .url
            .parse()
            .map_err(|error| Failure::usage(format_args!("URL: {error}")))?;
        if uri.scheme_str() != Some("http") || uri.authority().is_none() {
            return Err(Failure::usage(
                "URL: expected http:// with a host; test a service without its TLS",
            ));
        }
        Ok(uri)
    }

    /// Returns the address to test, if it may be tested.
    fn address(&self, uri: &Uri) -> Result<SocketAddr, Failure> {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(80);
        let found = (host, port).to_socket_addrs().map_err(|error| {
            Failure::unavailable(format_args!("{host}: no address is found: {error}"))
        })?;
        let addresses: Vec<SocketAddr> = found.collect();
        if !self.i_own_this && addresses.iter().any(|address| !address.ip().is_loopback()) {
            return Err(Failure::usage(format_args!(
                "{host}: expected a loopback address; give --i-own-this to attack a service of \
                 yours elsewhere"
            )));
        }
        let first = addresses.first().copied();
        first.ok_or_else(|| Failure::unavailable(format_args!("{host}: no address is found")))
    }

    fn source(&self, terminal: &mut Terminal<'_>, uri: &Uri) -> Result<Source, Failure> {
        if let Some(path) = &self.request {
            let limit = MAX_INPUT_BYTES;
            let mut bytes = input::read_bytes(terminal, path, limit)?;
            let bytes = Bytes::from(std::mem::take(&mut *bytes));
            let place = input::shown(path);
            let record = RecordedRequest::read(&bytes, None, None)
                .map_err(|error| Failure::usage(error).within(&place))?;
            let body = record
                .body
                .ok_or_else(|| Failure::usage("expected a record with its body").within(&place))?;
            return Ok(Source::Recorded(WireRequest::of(&record.parts, &body)));
        }
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let (name, value) = parse_header(header)?;
            headers.append(name, value);
        }
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| Failure::usage("method: expected a token such as GET"))?;
        parts.uri = uri.clone();
        parts.headers = headers;
        let signer = self.signer.signer(terminal, &parts, terminal.now())?;
        let body = self.data.clone().into_bytes();
        Ok(Source::Signer {
            signer,
            parts: Box::new(parts),
            body,
        })
    }
}

/// Where valid signed requests come from.
enum Source {
    /// One request. Its nonce is used once, so it is sent unchanged after everything else.
    Recorded(WireRequest),
    Signer {
        signer: Arc<Signer>,
        parts: Box<Parts>,
        body: Vec<u8>,
    },
}

impl Source {
    /// Returns a valid request: signed at this moment, or the recorded one.
    fn signed(&self, now: Timestamp) -> Result<WireRequest, Failure> {
        match self {
            Self::Recorded(request) => Ok(request.clone()),
            Self::Signer {
                signer,
                parts,
                body,
            } => {
                let mut parts = parts.as_ref().clone();
                signer.sign(&parts, body.as_slice(), now)?.apply(&mut parts);
                Ok(WireRequest::of(&parts, body))
            }
        }
    }
}

fn probing_shows(status: Option<u16>, accepted: &[u16]) -> bool {
    status.is_some_and(|status| (200..400).contains(&status) || accepted.contains(&status))
}

/// The attacks on one endpoint.
struct Probing {
    exchange: Exchange,
    source: Source,
    accepted: Vec<u16>,
    probes: Vec<Probed>,
}

impl Probing {
    /// Makes every attack. Returns the status of the unchanged request.
    fn run(
        &mut self,
        terminal: &mut Terminal<'_>,
        sample: &WireRequest,
        family: Family,
    ) -> Result<Option<u16>, Failure> {
        for attack in changes(sample, family) {
            self.change(terminal, &attack)?;
        }
        if family == Family::Body {
            let note = "this scheme covers the body and no more";
            for group in [Group::Target, Group::Host] {
                self.probes
                    .push(Probed::skipped(group, "all changes", note));
            }
        }
        self.resources(terminal)?;
        self.dates(terminal)?;
        self.connection_replay(terminal, sample)?;
        self.replay(terminal)
    }

    fn change(&mut self, terminal: &Terminal<'_>, attack: &Attack) -> Result<(), Failure> {
        let mut request = self.source.signed(terminal.now())?;
        let before = request.bytes();
        // An attack that changes nothing is none.
        if (attack.change)(&mut request).is_none() || request.bytes() == before {
            return Ok(());
        }
        let reply = self.send(&request.bytes())?;
        self.judge(attack.group, &attack.name, reply);
        Ok(())
    }

    /// Sends what costs memory or time, with a forged signature.
    fn resources(&mut self, terminal: &Terminal<'_>) -> Result<(), Failure> {
        let group = Group::Resources;
        let mut forged = self.source.signed(terminal.now())?;
        if forge(&mut forged).is_none() {
            return Ok(());
        }
        "POST".clone_into(&mut forged.method);
        let head = forged.head(LARGE_BODY);
        let sent = self.exchange.send_zeros(&head, LARGE_BODY);
        let (reply, is_taken) = sent.map_err(|error| self.unreachable(&error))?;
        let name = "16 MiB of body with a forged signature";
        let probed = Probed::of(group, name, reply, &self.accepted);
        self.probes.push(if is_taken {
            probed.weak_because("the whole body was read from an unauthenticated peer")
        } else {
            probed
        });
        let reply = self.send(&forged.head(100))?;
        self.judge(
            group,
            "a body that never comes, with a forged signature",
            reply,
        );
        let mut request = self.source.signed(terminal.now())?;
        request.add("x-large", &"x".repeat(LARGE_HEADER));
        forge(&mut request);
        let reply = self.send(&request.bytes())?;
        self.judge(group, "1 MiB of header", reply);
        Ok(())
    }

    fn dates(&mut self, terminal: &Terminal<'_>) -> Result<(), Failure> {
        let group = Group::Date;
        if matches!(self.source, Source::Recorded(_)) {
            let note = "a recorded request has one date: give a key to sign others";
            self.probes.push(Probed::skipped(group, "all dates", note));
            return Ok(());
        }
        let now = terminal.now();
        let day = Duration::from_secs(86_400);
        let hours = Duration::from_secs(2 * 3600);
        for (name, at) in [
            ("signed a day ago", now.saturating_sub(day)),
            ("signed two hours ago", now.saturating_sub(hours)),
            ("signed two hours from now", now.saturating_add(hours)),
            ("signed a day from now", now.saturating_add(day)),
        ] {
            let request = self.source.signed(at)?;
            let reply = self.send(&request.bytes())?;
            self.judge(group, name, reply);
        }
        Ok(())
    }

    /// Has `Connection` name the headers that make a request unique, and sends it twice.
    fn connection_replay(
        &mut self,
        terminal: &Terminal<'_>,
        sample: &WireRequest,
    ) -> Result<(), Failure> {
        if matches!(self.source, Source::Recorded(_)) {
            return Ok(());
        }
        let names = [
            "x-nonce",
            "x-hmac-nonce",
            "webhook-id",
            "x-date",
            "x-amz-date",
        ];
        for name in names
            .into_iter()
            .filter(|name| sample.header(name).is_some())
        {
            let mut request = self.source.signed(terminal.now())?;
            request.add("connection", name);
            let bytes = request.bytes();
            self.send(&bytes)?;
            let reply = self.send(&bytes)?;
            let name = format!("sent twice, with {name} named in connection");
            self.judge(Group::Replay, &name, reply);
        }
        Ok(())
    }

    /// Sends the unchanged request, then the same bytes again.
    fn replay(&mut self, terminal: &Terminal<'_>) -> Result<Option<u16>, Failure> {
        let bytes = self.source.signed(terminal.now())?.bytes();
        let Reply::Status(status) = self.send(&bytes)? else {
            return Ok(None);
        };
        if probing_shows(Some(status), &self.accepted) {
            let reply = self.send(&bytes)?;
            self.judge(Group::Replay, "sent twice", reply);
        }
        Ok(Some(status))
    }

    fn send(&self, bytes: &[u8]) -> Result<Reply, Failure> {
        let reply = self.exchange.send(bytes);
        reply.map_err(|error| self.unreachable(&error))
    }

    fn judge(&mut self, group: Group, name: &str, reply: Reply) {
        self.probes
            .push(Probed::of(group, name, reply, &self.accepted));
    }

    fn unreachable(&self, error: &std::io::Error) -> Failure {
        let address = self.exchange.address;
        Failure::unavailable(format_args!("{address}: cannot be reached: {error}"))
    }
}
