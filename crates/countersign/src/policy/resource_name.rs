//! Reads a resource of a JSON policy: a pattern of request names.

use wildmatch::WildMatch;

use super::{
    methods::KnownMethods,
    overlap::{Token, overlap},
    unreachable::{Foreign, WhyUnreachable},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::PlainPath,
};

/// The name of this service, which a resource must match.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServiceName<'n> {
    pub(super) region: &'n str,
    pub(super) account: &'n str,
    pub(super) api: &'n str,
    pub(super) stage: &'n str,
    pub(super) methods: &'n KnownMethods,
}

/// The requests that a resource matches.
#[derive(Debug)]
pub(super) enum ParsedResource {
    /// Requests to this service.
    Reachable(WildMatch),
    /// Requests to other services only.
    Foreign(Foreign),
    /// The parts name another API or stage, but a trailing star also matches requests to this one.
    Overlapping(WildMatch, Foreign),
}

/// Whether a wildcard stops at slashes.
#[derive(Clone, Copy)]
enum Reach {
    Segment,
    Text,
}

/// The part of a resource before its first slash.
struct Service {
    foreign: Option<Foreign>,
    /// Whether it ends in a star, which also matches the text after it.
    runs_on: bool,
}

const SHAPE: &str = "expected *, arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path, \
                     execute-api:/STAGE/METHOD/path or API/STAGE/METHOD/path";

const BELOW: &str = "expected /STAGE/METHOD/path after the API";

/// The parts of an ARN that come before its first slash.
const PARTS: [&str; 6] = [
    "arn",
    "the partition",
    "the service",
    "the region",
    "the account",
    "the API",
];

/// The possible texts of one segment.
const SEGMENT: [Token; 2] = [Token::OneInSegment, Token::RunInSegment];

impl ServiceName<'_> {
    /// Parses a resource: a full or an abbreviated name.
    ///
    /// A star also matches slashes, so a resource can match more than it appears to:
    /// `execute-api:/*/ANY/login` also matches `GET /ANY/login`. The checks here compare the parts
    /// of a resource with those of a request position by position.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Policy`] for a resource that no request to any service can match.
    pub(super) fn parse(&self, text: &str) -> Result<ParsedResource, ConfigError> {
        self.parsed(text).map_err(|problem| {
            ConfigError::new(
                ConfigErrorKind::Policy,
                format!("Resource {text:?}: {problem}"),
            )
        })
    }

    fn parsed(&self, text: &str) -> Result<ParsedResource, String> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("expected visible ASCII characters".to_owned());
        }
        if text.contains("${") {
            return Err("expected no policy variable: none is known here".to_owned());
        }
        if text.bytes().all(|byte| byte == b'*') {
            return Ok(ParsedResource::Reachable(WildMatch::new(text)));
        }
        let whole = self.whole(text)?;
        let mut segments = whole.split('/');
        let mut service = self.service(segments.next().unwrap_or_default())?;
        let below: Vec<_> = segments.collect();
        // Mistakes for every service are reported before names of other services.
        self.check_below(&service, &below)?;
        check_path(&below)?;
        let foreign = service.foreign.take().or_else(|| {
            (!self.fits(&service, &below, Some(self.stage))).then(|| Foreign {
                why: WhyUnreachable::OtherStage,
                expected: self.stage.to_owned(),
                found: below.first().copied().unwrap_or_default().to_owned(),
            })
        });
        let Some(foreign) = foreign else {
            return Ok(ParsedResource::Reachable(WildMatch::new(&whole)));
        };
        // A star also matches colons and slashes. A resource that is kept out must match nothing
        // here.
        if self.may_match(&whole) {
            return Ok(ParsedResource::Overlapping(WildMatch::new(&whole), foreign));
        }
        Ok(ParsedResource::Foreign(foreign))
    }

    /// Returns whether a request to this stage can match the pattern, for any text of its stars.
    fn may_match(&self, pattern: &str) -> bool {
        let own = format!(
            "arn:aws:execute-api:{}:{}:{}/{}/",
            self.region, self.account, self.api, self.stage
        );
        let mut own: Vec<_> = own.chars().map(Token::Char).collect();
        own.push(Token::Run);
        overlap(&tokens(pattern, Reach::Text), &own)
    }

    /// Returns the full name of an abbreviated resource.
    fn whole(&self, text: &str) -> Result<String, String> {
        let owner = format!("arn:aws:execute-api:{}:{}:", self.region, self.account);
        if text.starts_with("arn:") {
            return Ok(text.to_owned());
        }
        if let Some(below) = text.strip_prefix("execute-api:/") {
            return Ok([&owner, self.api, "/", below].concat());
        }
        // Misspellings of the two forms above. With a slash they would read as APIs of these names.
        let first = text.split(['/', ':']).next().unwrap_or_default();
        for prefix in ["execute-api:/", "arn:"] {
            if prefix.starts_with(&format!("{}:", first.to_ascii_lowercase())) {
                return Err(format!("expected {prefix} at its start"));
            }
        }
        if text.contains(':') || !text.contains('/') {
            return Err(SHAPE.to_owned());
        }
        Ok(owner + text)
    }

    /// Reads the part before the first slash.
    fn service(&self, text: &str) -> Result<Service, String> {
        let own = [
            "arn",
            "aws",
            "execute-api",
            self.region,
            self.account,
            self.api,
        ];
        let parts: Vec<_> = text.split(':').collect();
        let runs_on = text.ends_with('*');
        if parts.len() > own.len() {
            return Err("expected a slash after the API, found a colon".to_owned());
        }
        let mut foreign = None;
        for (place, (part, name)) in parts.iter().zip(PARTS).enumerate() {
            if !is_name(part) {
                return Err(format!(
                    "expected {name} in letters, digits, -, _, $ and wildcards, found {part:?}"
                ));
            }
            let own = own.get(place..).unwrap_or_default();
            let last = parts.len() == place.saturating_add(1);
            let expected = own.first().copied().unwrap_or_default();
            let pattern = WildMatch::new(part);
            // A trailing star also matches the omitted parts.
            if pattern.matches(expected) || (last && runs_on && pattern.matches(&own.join(":"))) {
                continue;
            }
            let why = match name {
                "the region" => WhyUnreachable::OtherRegion,
                "the account" => WhyUnreachable::OtherAccount,
                "the API" => WhyUnreachable::OtherApi,
                _ => {
                    return Err(format!("expected {expected} as {name}, found {part:?}"));
                }
            };
            let (expected, found) = (expected.to_owned(), (*part).to_owned());
            foreign = foreign.or(Some(Foreign {
                why,
                expected,
                found,
            }));
        }
        // A star may replace the end, but not the service.
        let missing = PARTS.get(parts.len()..).unwrap_or_default();
        if !missing.is_empty() && (!runs_on || missing.contains(&"the region")) {
            return Err(format!(
                "expected {} and /STAGE/METHOD/path as well",
                missing.join(", ")
            ));
        }
        Ok(Service { foreign, runs_on })
    }

    /// Refuses text after the API that is no stage, method and path of any service.
    fn check_below(&self, service: &Service, below: &[&str]) -> Result<(), String> {
        if self.fits(service, below, None) {
            return Ok(());
        }
        let is_method = |part: &str| {
            self.methods
                .iter()
                .any(|method| WildMatch::new(part).matches(method))
        };
        Err(match below {
            [] => format!("{BELOW}, found nothing"),
            [stage, ..] if !is_name(stage) => format!(
                "expected the stage in letters, digits, -, _, $ and wildcards, found {stage:?}"
            ),
            [_] => format!("{BELOW}, found no method and no path"),
            [_, "", ..] => format!("{BELOW}, found no method"),
            [_, method] if is_method(method) => {
                format!("{BELOW}, found no path: that of the root is a slash after the method")
            }
            [_, method, ..] => self.methods.unknown(method).to_string(),
        })
    }

    /// Returns whether the text after the API can be this stage (with `None`, any stage), a method
    /// and a path.
    fn fits(&self, service: &Service, below: &[&str], stage: Option<&str>) -> bool {
        let any_or_own: Vec<_> = match stage {
            Some(own) => own.chars().map(Token::Char).collect(),
            None => SEGMENT.to_vec(),
        };
        match below {
            [] => service.runs_on,
            // `STAGE*`, whose star also matches the method and the path.
            [last] => {
                is_name(last)
                    && last.ends_with('*')
                    && self.overlaps_method_and_path(
                        last,
                        &[&*any_or_own, &[Token::Char('/')]].concat(),
                    )
            }
            // `*/METHOD/path`, whose star also matches the stage.
            [method, ..] if service.runs_on && self.methods.has(method) => {
                self.overlaps_method_and_path(&below.join("/"), &[])
            }
            [first, rest @ ..] => {
                let fits = is_name(first) && overlap(&tokens(first, Reach::Segment), &any_or_own);
                let next = rest.first().copied().unwrap_or_default();
                // A word that can only be meant as a method must be a known one, because no request
                // has it there.
                let misplaced = self.methods.looks_like_one(next) && !self.methods.has(next);
                // `STAGE*/path`, whose star also matches the method.
                let over_method =
                    first.ends_with('*') && !next.is_empty() && !self.methods.has(next);
                let reached = self.overlaps_method_and_path(&rest.join("/"), &[]) || over_method;
                fits && !misplaced && reached
            }
        }
    }

    /// Returns whether a pattern, whose wildcards match slashes, can match a method and a path
    /// after `before`.
    fn overlaps_method_and_path(&self, pattern: &str, before: &[Token]) -> bool {
        let pattern = tokens(pattern, Reach::Text);
        self.methods.iter().any(|method| {
            let method = method.chars().map(Token::Char);
            let path = [Token::Char('/'), Token::Run];
            let name: Vec<_> = before.iter().copied().chain(method).chain(path).collect();
            overlap(&pattern, &name)
        })
    }
}

/// Refuses a path that is not in plain form: no request with it is allowed.
fn check_path(below: &[&str]) -> Result<(), String> {
    let path = below.join("/");
    if path
        .split_once('?')
        .is_some_and(|(_, query)| query.contains('='))
    {
        return Err("expected no query: names have none, and ? is any one character".to_owned());
    }
    if path.contains(['{', '}']) {
        return Err("expected no braces: a parameter of a path is written as *".to_owned());
    }
    let example = format!("/{}", path.replace(['*', '?'], "x"));
    match PlainPath::parse(&example) {
        Ok(_) => Ok(()),
        Err(problem) => Err(format!(
            "expected one that a path in plain form can match: {problem}"
        )),
    }
}

/// Returns whether a text can be a part of a service's name, or a pattern of such parts.
fn is_name(text: &str) -> bool {
    let wildcard = |byte| matches!(byte, b'*' | b'?');
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| is_name_byte(byte) || wildcard(byte))
}

/// Returns whether a region, an account, an API or a stage can hold this byte.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$')
}

fn tokens(pattern: &str, reach: Reach) -> Vec<Token> {
    let tokens = pattern.chars().map(|char| match (char, reach) {
        ('*', Reach::Text) => Token::Run,
        ('?', Reach::Text) => Token::One,
        ('*', Reach::Segment) => Token::RunInSegment,
        ('?', Reach::Segment) => Token::OneInSegment,
        (char, _) => Token::Char(char),
    });
    tokens.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ParsedResource, ConfigError> {
        ServiceName {
            region: "eu-west-1",
            account: "222222222222",
            api: "a1b2c3",
            stage: "prod",
            methods: &KnownMethods::default(),
        }
        .parse(text)
    }

    #[test]
    fn resources_of_this_service_are_reachable() {
        for text in [
            "*",
            "arn:aws:execute-api:*",
            "arn:*:execute-api:*",
            "arn:aws:execute-api:eu-*",
            "arn:aws:execute-api:eu-west-1:222222222222:*",
            "arn:aws:execute-api:eu-west-1:*:*/*/POST/login",
            "arn:aws:execute-api:*:*:*/*/*",
            "arn:aws:execute-api:*:*:*/*/*/pets/*",
            "arn:aws:execute-api:eu-west-1:222222222222:a1b2c3/*",
            "arn:aws:execute-api:eu-west-1:222222222222:a1*/prod/GET/",
            "arn:aws:execute-api:eu-west-?:222222222222:a?b2c3/pro?/GE?/x",
            "execute-api:/*",
            "execute-api:/prod*",
            "execute-api:/prod/*",
            "execute-api:/*/*/*",
            "execute-api:/prod/GET*",
            "execute-api:/*/G?T/pets",
            "execute-api:/*/*/v1/ANY/get",
            // A star also matches the method, and the text after it is not a method in another
            // case.
            "execute-api:/*/pets",
            "execute-api:/prod/*pets",
            "a1b2c3/prod/GET/pets",
            "a1b2c3/*",
            "*/GET/pets",
            "*/*",
        ] {
            let parsed = parse(text);
            assert!(
                matches!(parsed, Ok(ParsedResource::Reachable(_))),
                "{text}: {parsed:?}"
            );
        }
    }

    #[test]
    fn resources_of_other_services_are_told_by_the_part_that_differs() {
        use WhyUnreachable::{OtherAccount, OtherApi, OtherRegion, OtherStage};
        for (text, expected) in [
            (
                "arn:aws:execute-api:us-east-1:222222222222:a1b2c3/*",
                OtherRegion,
            ),
            (
                "arn:aws:execute-api:e*3:222222222222:*/prod/GET/x",
                OtherRegion,
            ),
            ("arn:aws:execute-api:us-*", OtherRegion),
            (
                "arn:aws:execute-api:eu-west-1:333333333333:a1b2c3/*",
                OtherAccount,
            ),
            ("arn:aws:execute-api:eu-west-1:333333333333:*", OtherAccount),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:other/*",
                OtherApi,
            ),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:A1B2C3/*",
                OtherApi,
            ),
            ("other/prod/GET/pets", OtherApi),
            ("execute-api:/test/*", OtherStage),
            ("execute-api:/test*", OtherStage),
            ("execute-api:/Prod/GET/pets", OtherStage),
            ("execute-api:/pets/GET/pets", OtherStage),
            ("arn:aws:execute-api:*:*:*/test/*", OtherStage),
            ("arn:aws:execute-api:*:*:*/test/GET/x", OtherStage),
        ] {
            match parse(text) {
                Ok(ParsedResource::Foreign(foreign) | ParsedResource::Overlapping(_, foreign)) => {
                    assert_eq!(foreign.why, expected, "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn refuses_resources_of_no_service_and_says_what_is_wrong() {
        for (text, says) in [
            ("", "visible ASCII"),
            ("execute-api:/prod/GET/a b", "visible ASCII"),
            ("execute-api:/${stage}/GET/a", "policy variable"),
            (
                "execute-api/*/POST/*",
                "expected execute-api:/ at its start",
            ),
            ("execute-api:*", "expected execute-api:/ at its start"),
            (
                "execute-api:prod/GET/a",
                "expected execute-api:/ at its start",
            ),
            (
                "Execute-API:/prod/GET/a",
                "expected execute-api:/ at its start",
            ),
            ("ARN:aws:execute-api:*", "expected arn: at its start"),
            ("arn/aws/execute-api/x", "expected arn: at its start"),
            ("pets", "expected *, arn:"),
            ("arn", "expected arn: at its start"),
            ("aws:execute-api:eu-west-1:1:a/b/GET/c", "expected *, arn:"),
            ("arn:aws-cn:execute-api:*", "as the partition"),
            ("arn:aws:s3:::bucket/*", "as the service"),
            (
                "arn:aws:apigateway:eu-west-1::/restapis/x",
                "as the service",
            ),
            ("arn:aws:*", "the region"),
            ("arn:*", "the service"),
            (
                "arn:aws:execute-api",
                "the region, the account, the API and /STAGE",
            ),
            (
                "arn:aws:execute-api:eu-west-1:222222222222",
                "expected the API and /STAGE",
            ),
            ("arn:aws:execute-api:eu-west-1:a1b2c3/prod/GET/x", "the API"),
            ("arn:aws:execute-api::222222222222:a1b2c3/*", "the region"),
            ("arn:aws:execute-api:eu-west-1::a1b2c3/*", "the account"),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:/prod/GET/x",
                "the API",
            ),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:a1b2c3",
                "STAGE/METHOD/path after the API, found nothing",
            ),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:a1b2c3:prod/GET/x",
                "found a colon",
            ),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:a1b2c3/",
                "the stage",
            ),
            (
                "arn:aws:execute-api:eu-west-1:222222222222:a1b2c3/prod",
                "no method and no path",
            ),
            ("arn:aws:execute-api:*:*:*/prod", "no method and no path"),
            ("execute-api:/prod/GET", "found no path"),
            ("execute-api:/*/GET", "found no path"),
            ("execute-api:/prod/O?TIONS", "found no path"),
            ("execute-api://GET/x", "the stage"),
            ("execute-api:/{{stage}}/GET/x", "the stage"),
            ("execute-api:/prod//x", "found no method"),
            ("execute-api:/*//x", "found no method"),
            ("execute-api:/*/", "found no method"),
            ("execute-api:/*pets", "found no method and no path"),
            ("execute-api:/prod/ANY/login", "nearest: *"),
            ("execute-api:/*/ANY/login", "nearest: *"),
            ("execute-api:/*/any/login", "nearest: *"),
            ("arn:aws:execute-api:*:*:*/*/ANY/login", "nearest: *"),
            ("*/ANY/login", "method \"login\""),
            ("execute-api:/prod/get/pets", "nearest: GET"),
            ("execute-api:/*/get/pets", "nearest: GET"),
            ("execute-api:/*/Post/pets", "nearest: POST"),
            ("execute-api:/*/FETCH/pets", "method \"FETCH\""),
            ("execute-api:/prod/get*", "nearest: GET"),
            ("execute-api:/prod/GETpets/7", "method \"GETpets\""),
            ("execute-api:/*/GETpets/7", "method \"GETpets\""),
            ("execute-api:/*/GET:pets", "method \"GET:pets\""),
            ("execute-api:/prod:GET/pets", "the stage"),
            ("execute-api:/prod/pets", "method \"pets\""),
            ("other/prod/ANY/x", "nearest: *"),
            ("a1b2c3/prod/$connect", "method \"$connect\""),
            ("execute-api:/prod/GET//pets", "empty segment"),
            ("execute-api:/prod/GET/../pets", "dot segment"),
            ("execute-api:/prod/GET/pets%2F1", "escapes a slash"),
            ("execute-api:/prod/GET/%70ets", "needs no escape"),
            ("execute-api:/*/GET/pets;v=1", "must not be there"),
            ("execute-api:/prod/GET/pets?limit=1", "no query"),
            ("execute-api:/prod/GET/pets/{id}", "no braces"),
            ("execute-api:/prod/*/{proxy+}", "no braces"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Policy, "{text}");
            let error = error.to_string();
            assert!(
                error.starts_with(&format!("Resource {text:?}: ")),
                "{error}"
            );
            assert!(error.contains(says), "{error}");
        }
    }
}
