use std::net::IpAddr;

use clap::{Args, ValueEnum};
use countersign::{Coverage, Decision, KeyId, KeyVersion, PolicyRequest, Timestamp};
use serde::Serialize;

use super::file::PolicyFile;
use crate::{
    Exit, Terminal, calendar,
    failure::Failure,
    key_kind::KeyKind,
    output::{Answer, Format, Paint, Tone},
};

/// Asks a policy about one request, and names the statement that decides.
///
/// Ends with 0 if the request is allowed and with 1 if it is not. A value that is not given is
/// unknown, as it may be to a service: a condition on it never grants access.
#[derive(Args, Debug)]
pub(crate) struct Test {
    #[command(flatten)]
    policy: PolicyFile,
    /// The method of the request.
    method: String,
    /// The path of the request, encoded as in the request, without the query.
    path: String,
    /// The caller.
    #[arg(long, value_name = "NAME")]
    caller: String,
    /// The address that the request comes from.
    #[arg(long, value_name = "IP")]
    source: Option<IpAddr>,
    /// The route that the router matches, as the application writes it.
    #[arg(long)]
    route: Option<String>,
    /// The scheme of the signature.
    #[arg(long, value_enum)]
    scheme: Option<KeyKind>,
    /// What the signature covers.
    #[arg(long, value_enum)]
    coverage: Option<Covers>,
    /// The version of the caller's key.
    #[arg(long, value_name = "LABEL")]
    key_version: Option<String>,
    /// The time of the request: RFC 3339, or seconds since 1970. Default: now.
    #[arg(long, value_parser = calendar::parse)]
    date: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Covers {
    /// The whole request.
    Request,
    /// A part of it.
    Partial,
    /// The body alone.
    BodyOnly,
}

impl Test {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        if self.path.contains(['?', '#']) || !self.path.starts_with('/') {
            return Err(Failure::usage(
                "path: expected a path such as /api/account/7, without a host and a query",
            ));
        }
        let policy = self
            .policy
            .load(terminal)?
            .map_err(|error| Failure::from(error).within(self.policy.name()))?;
        let caller = KeyId::new(&self.caller)?;
        let version = self
            .key_version
            .as_deref()
            .map(KeyVersion::new)
            .transpose()?;
        let now = self.date.unwrap_or_else(|| terminal.now());
        let mut request = PolicyRequest::new(&caller, &self.method, &self.path).at(now);
        if let Some(source) = self.source {
            request = request.with_source(source);
        }
        if let Some(route) = &self.route {
            request = request.with_route(route);
        }
        if let Some(kind) = self.scheme {
            request = request.with_scheme(kind.scheme());
        }
        if let Some(covers) = self.coverage {
            request = request.with_coverage(match covers {
                Covers::Request => Coverage::Request,
                Covers::Partial => Coverage::Partial,
                Covers::BodyOnly => Coverage::BodyOnly,
            });
        }
        if let Some(version) = &version {
            request = request.with_key_version(version);
        }
        let decision = policy.evaluate(&request);
        let answer = Tested {
            decision: match decision {
                Decision::Allowed(_) => "allowed",
                Decision::Denied(_) => "denied",
                Decision::NotPlain(_) => "not_plain",
                _ => "no_match",
            },
            statement: decision.statement().map(ToString::to_string),
            reason: decision.to_string(),
            unknown: self.unknown(),
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::yes_if(decision.is_allowed()))
    }

    /// Names the values that are not given.
    fn unknown(&self) -> Vec<&'static str> {
        let values = [
            ("source", self.source.is_none()),
            ("route", self.route.is_none()),
            ("scheme", self.scheme.is_none()),
            ("coverage", self.coverage.is_none()),
            ("key_version", self.key_version.is_none()),
        ];
        let unknown = values.into_iter().filter(|(_, is_unknown)| *is_unknown);
        unknown.map(|(name, _)| name).collect()
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Tested {
    decision: &'static str,
    statement: Option<String>,
    reason: String,
    unknown: Vec<&'static str>,
}

impl Answer for Tested {
    fn to_text(&self, paint: Paint) -> String {
        let is_allowed = self.decision == "allowed";
        let tone = if is_allowed { Tone::Good } else { Tone::Bad };
        let word = if is_allowed { "yes:" } else { "no:" };
        let mut text = format!("{} {}\n", paint.paint(tone, word), self.reason);
        if !is_allowed && !self.unknown.is_empty() {
            let unknown = format!("unknown, because not given: {}", self.unknown.join(", "));
            text.push_str(&paint.paint(Tone::Faint, unknown));
            text.push('\n');
        }
        text
    }
}
