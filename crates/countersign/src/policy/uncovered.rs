use super::{Policy, methods::check_method, overlap::Token, statement::Effect};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::PlainPath,
};

/// A method on a route of an application that no caller may use under a [`Policy`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UncoveredRoute {
    /// The method.
    pub method: String,
    /// The route, as the application writes it.
    pub route: String,
    /// The reason for which no caller may use it.
    pub why: WhyUncovered,
}

/// The reason for which no caller may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyUncovered {
    /// No statement reaches the route: it may have been forgotten.
    NoStatement,
    /// A `Deny` reaches the route and no `Allow`: it is closed on purpose.
    OnlyDeny,
    /// The route is not in plain form, and no request for it is allowed.
    NotPlain,
}

impl Policy {
    /// Returns the methods and routes that no `Allow` reaches, of those of an application. Use this
    /// in a test of the application, to find a route that was added without a statement.
    ///
    /// Routes are in axum's syntax. A statement reaches a route if its methods, its paths and its
    /// route condition, if any, match some request. Callers and other conditions are ignored.
    ///
    /// ```
    /// use countersign::{Policy, WhyUncovered};
    ///
    /// let policy = Policy::from_toml(r#"
    /// [[statements]]
    /// id = "read"
    /// effect = "allow"
    /// callers = ["billing"]
    /// methods = ["GET"]
    /// paths = ["/api/account/*"]
    /// "#)?;
    /// let route = "/api/account/{id}";
    /// let uncovered = policy.uncovered([("GET", route), ("DELETE", route)])?;
    /// assert_eq!(uncovered.len(), 1);
    /// assert_eq!(uncovered[0].method, "DELETE");
    /// assert_eq!(uncovered[0].why, WhyUncovered::NoStatement);
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Policy`] for a method that no verified request has, and for a route that
    /// does not start with a slash or has unbalanced braces.
    pub fn uncovered<M, R>(
        &self,
        routes: impl IntoIterator<Item = (M, R)>,
    ) -> Result<Vec<UncoveredRoute>, ConfigError>
    where
        M: AsRef<str>,
        R: AsRef<str>,
    {
        let mut uncovered = Vec::new();
        for (method, route) in routes {
            let (method, route) = (method.as_ref(), route.as_ref());
            check_method(method)?;
            if let Some(why) = self.why_uncovered(method, route)? {
                uncovered.push(UncoveredRoute {
                    method: method.to_owned(),
                    route: route.to_owned(),
                    why,
                });
            }
        }
        Ok(uncovered)
    }

    fn why_uncovered(
        &self,
        method: &str,
        route: &str,
    ) -> Result<Option<WhyUncovered>, ConfigError> {
        let tokens = route_tokens(route)?;
        let example: String = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Char(char) => Some(*char),
                Token::One | Token::OneInSegment => Some('x'),
                Token::Run | Token::RunInSegment | Token::MaybeBelow => None,
            })
            .collect();
        if PlainPath::parse(&example).is_err() {
            return Ok(Some(WhyUncovered::NotPlain));
        }
        let mut why = Some(WhyUncovered::NoStatement);
        for statement in &self.statements {
            if statement.reaches(method, route, &tokens, &self.api) {
                match statement.effect {
                    Effect::Allow => return Ok(None),
                    Effect::Deny => why = Some(WhyUncovered::OnlyDeny),
                }
            }
        }
        Ok(why)
    }
}

/// Reads a route. `{name}` is a non-empty part of a segment, `{*name}` the rest of the path, `{{`
/// and `}}` are braces.
pub(super) fn route_tokens(route: &str) -> Result<Vec<Token>, ConfigError> {
    let wrong = || {
        ConfigError::new(
            ConfigErrorKind::Policy,
            format!("route {route:?}: expected a slash at its start and captures in {{braces}}"),
        )
    };
    if !route.starts_with('/') {
        return Err(wrong());
    }
    let mut tokens = Vec::new();
    let mut chars = route.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '{' if chars.next_if_eq(&'{').is_some() => tokens.push(Token::Char('{')),
            '}' if chars.next_if_eq(&'}').is_some() => tokens.push(Token::Char('}')),
            '{' => {
                let rest = chars.next_if_eq(&'*').is_some();
                let mut name = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some('{' | '/') | None => return Err(wrong()),
                        Some(char) => name.push(char),
                    }
                }
                if name.is_empty() {
                    return Err(wrong());
                }
                tokens.extend(if rest {
                    [Token::One, Token::Run]
                } else {
                    [Token::OneInSegment, Token::RunInSegment]
                });
            }
            '}' => return Err(wrong()),
            char => tokens.push(Token::Char(char)),
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_routes_that_are_none() {
        for route in [
            "", "api", "/{", "/}", "/{}", "/{*}", "/{a/b}", "/a}", "/{a{b}",
        ] {
            assert!(route_tokens(route).is_err(), "{route}");
        }
        for route in ["/", "/a", "/{id}", "/{*rest}", "/a/{id}.json", "/{{x}}"] {
            assert!(route_tokens(route).is_ok(), "{route}");
        }
    }
}
