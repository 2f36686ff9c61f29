use wildmatch::WildMatch;

use super::{execute_api::Target, overlap, overlap::Token, path_pattern::PathPattern};
use crate::error::{ConfigError, ConfigErrorKind};

/// What a statement is about.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    /// The TOML form: any of the methods on any of the paths.
    Paths {
        methods: Methods,
        paths: Vec<PathPattern>,
    },
    /// The JSON form: any of these patterns of whole names, `arn:…/METHOD/path`.
    Names(Vec<WildMatch>),
}

/// Methods, compared with their case. HEAD is not GET.
#[derive(Clone, Debug)]
pub(super) enum Methods {
    All,
    Of(Vec<Box<str>>),
}

impl Resource {
    pub(super) fn matches(&self, method: &str, path: &str, target: &Target<'_>) -> bool {
        match self {
            Self::Paths { methods, paths } => {
                methods.has(method) && paths.iter().any(|pattern| pattern.matches(path))
            }
            Self::Names(patterns) => {
                let name = target.name();
                patterns.iter().any(|pattern| pattern.matches(name))
            }
        }
    }

    /// Whether a request with this method can match, on a path that matches `route`. `api` is what names begin with.
    pub(super) fn reaches(&self, method: &str, route: &[Token], api: &str) -> bool {
        match self {
            Self::Paths { methods, paths } => {
                methods.has(method)
                    && paths
                        .iter()
                        .any(|pattern| overlap::overlap(&pattern.tokens(), route))
            }
            Self::Names(patterns) => {
                let before = api.chars().chain(method.chars()).map(Token::Char);
                let name: Vec<_> = before.chain(route.iter().copied()).collect();
                patterns
                    .iter()
                    .any(|pattern| overlap::overlap(&name_tokens(pattern), &name))
            }
        }
    }
}

pub(super) fn name_tokens(pattern: &WildMatch) -> Vec<Token> {
    let tokens = pattern.pattern_chars().iter().map(|char| match char {
        '*' => Token::Run,
        '?' => Token::One,
        char => Token::Char(*char),
    });
    tokens.collect()
}

impl Methods {
    /// `*` alone, or methods as [`check_method`] has them.
    pub(super) fn parse(methods: &[String]) -> Result<Self, ConfigError> {
        if let [all] = methods
            && all == "*"
        {
            return Ok(Self::All);
        }
        for method in methods {
            check_method(method)?;
        }
        let methods = methods.iter().map(|method| method.as_str().into());
        Ok(Self::Of(methods.collect()))
    }

    fn has(&self, method: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(methods) => methods.iter().any(|known| **known == *method),
        }
    }
}

/// Refuses what no verified request has as its method.
pub(super) fn check_method(method: &str) -> Result<(), ConfigError> {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    if (1..=32).contains(&method.len())
        && method.starts_with(|first: char| first.is_ascii_uppercase())
        && method.bytes().all(upper)
    {
        return Ok(());
    }
    Err(ConfigError::new(
        ConfigErrorKind::Policy,
        format!("method {method:?}: expected [A-Z][A-Z-]{{0,31}}, or * alone"),
    ))
}
