use std::{fmt::Write, path::PathBuf};

use clap::Args;
use countersign::{ErrorChain, Policy, UncoveredRoute, UnreachableStatement, WhyUncovered};
use serde::Serialize;

use super::file::PolicyFile;
use crate::{
    Exit, Terminal,
    failure::Failure,
    input,
    output::{Answer, Format, Paint, Tone},
};

/// Loads a policy as a service does, and lists the routes that it leaves out.
///
/// Ends with 1 if a service would refuse the policy, or if a route has no statement.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    policy: PolicyFile,
    /// A method and a route of the application, as in `GET /api/account/{id}`. May be given several
    /// times.
    #[arg(long = "route", value_name = "METHOD ROUTE")]
    routes: Vec<String>,
    /// A file with a method and a route in each line. Lines that begin with # are comments.
    #[arg(long, value_name = "FILE")]
    routes_file: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let listed = match &self.routes_file {
            Some(path) => Some(input::read_text(terminal, path, input::MAX_CONFIG_LEN)?),
            None => None,
        };
        let lines = listed.iter().flat_map(|text| text.lines());
        let routes = self.routes.iter().map(String::as_str).chain(lines);
        let routes = routes
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(route)
            .collect::<Result<Vec<_>, _>>()?;
        let answer = match self.policy.load(terminal)? {
            Ok(policy) => Checked::of(&policy, &routes)?,
            Err(error) => Checked::refused(format!(
                "{}: {}",
                self.policy.name(),
                ErrorChain::new(&error)
            )),
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::yes_if(answer.is_good()))
    }
}

fn route(line: &str) -> Result<(&str, &str), Failure> {
    let words = line.split_once(char::is_whitespace);
    let (method, route) = words
        .ok_or_else(|| Failure::usage("route: expected a method and a route, as in `GET /api`"))?;
    Ok((method, route.trim_start()))
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Checked {
    loads: bool,
    problem: Option<String>,
    statements: Vec<String>,
    routes: usize,
    uncovered: Vec<Uncovered>,
    unreachable: Vec<Unreachable>,
}

#[derive(Serialize)]
struct Uncovered {
    method: String,
    route: String,
    why: &'static str,
}

#[derive(Serialize)]
struct Unreachable {
    statement: String,
    denies: bool,
    resource: String,
    reason: String,
}

impl Checked {
    fn refused(problem: String) -> Self {
        Self {
            loads: false,
            problem: Some(problem),
            statements: Vec::new(),
            routes: 0,
            uncovered: Vec::new(),
            unreachable: Vec::new(),
        }
    }

    fn of(policy: &Policy, routes: &[(&str, &str)]) -> Result<Self, Failure> {
        let uncovered = policy.uncovered(routes.iter().copied())?;
        let statements = policy.statement_ids().map(ToString::to_string);
        Ok(Self {
            loads: true,
            problem: None,
            statements: statements.collect(),
            routes: routes.len(),
            uncovered: uncovered.into_iter().map(Uncovered::from).collect(),
            unreachable: policy.unreachable().iter().map(Unreachable::from).collect(),
        })
    }

    /// A route that is closed on purpose is no fault.
    fn is_good(&self) -> bool {
        self.loads && self.uncovered.iter().all(|route| route.why == ONLY_DENY)
    }
}

const ONLY_DENY: &str = "only_deny";

impl From<UncoveredRoute> for Uncovered {
    fn from(route: UncoveredRoute) -> Self {
        Self {
            why: match route.why {
                WhyUncovered::OnlyDeny => ONLY_DENY,
                WhyUncovered::NotPlain => "not_plain",
                _ => "no_statement",
            },
            method: route.method,
            route: route.route,
        }
    }
}

impl From<&UnreachableStatement> for Unreachable {
    fn from(unreachable: &UnreachableStatement) -> Self {
        Self {
            statement: unreachable.statement.to_string(),
            denies: unreachable.denies,
            resource: unreachable.resource.clone(),
            reason: unreachable.to_string(),
        }
    }
}

impl Answer for Checked {
    fn to_text(&self, paint: Paint) -> String {
        if let Some(problem) = &self.problem {
            return format!("{} {problem}\n", paint.paint(Tone::Bad, "refused:"));
        }
        let count = self.statements.len();
        let statements = if count == 1 {
            "statement"
        } else {
            "statements"
        };
        let mut text = format!(
            "{} {count} {statements}\n",
            paint.paint(Tone::Good, "loads:"),
        );
        for id in &self.statements {
            let _ = writeln!(text, "  {id}");
        }
        if self.routes > 0 {
            let covered = self.routes.saturating_sub(self.uncovered.len());
            let _ = writeln!(text, "\n{covered} of {} routes can be allowed", self.routes);
        }
        for Uncovered { method, route, why } in &self.uncovered {
            let (tone, why) = match *why {
                ONLY_DENY => (Tone::Faint, "closed: only a deny reaches it"),
                "not_plain" => (Tone::Bad, "no request is allowed in this form of a path"),
                _ => (Tone::Bad, "no statement reaches it"),
            };
            let _ = writeln!(text, "  {method} {route}: {}", paint.paint(tone, why));
        }
        if !self.unreachable.is_empty() {
            let _ = writeln!(text, "\nno request to this service can match:");
        }
        for unreachable in &self.unreachable {
            let tone = if unreachable.denies {
                Tone::Warning
            } else {
                Tone::Faint
            };
            let _ = writeln!(text, "  {}", paint.paint(tone, &unreachable.reason));
        }
        text
    }
}
