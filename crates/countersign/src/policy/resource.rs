use wildmatch::WildMatch;

use super::{
    execute_api::Target, methods::KnownMethods, overlap, overlap::Token, path_pattern::PathPattern,
};
use crate::error::{ConfigError, ConfigErrorKind};

/// The requests that a statement applies to.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    /// The TOML form: any of the methods on any of the paths.
    Paths {
        methods: Methods,
        paths: Vec<PathPattern>,
    },
    /// The JSON form: any of these patterns of full names, `arn:…/METHOD/path`.
    Names(Vec<WildMatch>),
}

/// Methods, compared case-sensitively. HEAD is not GET.
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

    /// Returns whether a request with this method can match, on a path that matches `route`. `api`
    /// is the prefix of names.
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

fn name_tokens(pattern: &WildMatch) -> Vec<Token> {
    let tokens = pattern.pattern_chars().iter().map(|char| match char {
        '*' => Token::Run,
        '?' => Token::One,
        char => Token::Char(*char),
    });
    tokens.collect()
}

impl Methods {
    /// Reads one of several methods: a known method, or `*`, which must be alone.
    pub(super) fn check(
        method: &str,
        listed: usize,
        known: &KnownMethods,
    ) -> Result<(), ConfigError> {
        if method == "*" && listed == 1 {
            return Ok(());
        }
        if method == "*" {
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                "method \"*\": expected it alone, found others beside it",
            ));
        }
        known.check(method)
    }

    /// Makes methods that were checked already.
    pub(super) fn of(methods: Vec<String>) -> Self {
        if methods.iter().any(|method| method == "*") {
            return Self::All;
        }
        Self::Of(methods.into_iter().map(String::into).collect())
    }

    fn has(&self, method: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(methods) => methods.iter().any(|known| **known == *method),
        }
    }
}
