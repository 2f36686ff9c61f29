use wildmatch::WildMatch;

use super::overlap::Token;
use crate::{
    error::{ConfigError, ConfigErrorKind},
    head::PlainPath,
};

/// A path pattern of the TOML form. `*` matches any run of characters within a segment, including
/// none. `**`, as a whole segment, matches any number of segments, including none.
#[derive(Clone, Debug)]
pub(super) struct PathPattern(Vec<Segment>);

#[derive(Clone, Debug)]
enum Segment {
    Literal(Box<str>),
    Wild(WildMatch),
    AnyNumber,
}

impl PathPattern {
    /// Parses a pattern. Refuses a pattern that no plain path can match: in a `Deny` it would
    /// refuse nothing.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| {
            let message = format!("path {text:?}: {problem}");
            ConfigError::new(ConfigErrorKind::Policy, message)
        };
        let Some(segments) = text.strip_prefix('/') else {
            return Err(wrong("expected a slash at its start"));
        };
        if text.contains(['{', '}']) {
            return Err(wrong(
                "expected no braces: a parameter of a path is written as *",
            ));
        }
        let parsed = segments.split('/').map(|segment| match segment {
            "**" => Ok(Segment::AnyNumber),
            _ if segment.contains("**") => Err(wrong(
                "expected ** to be a segment by itself, and * within one",
            )),
            _ if segment.contains('*') => Ok(Segment::Wild(WildMatch::new(segment))),
            _ => Ok(Segment::Literal(segment.into())),
        });
        let parsed = parsed.collect::<Result<Vec<_>, _>>()?;
        // The text between wildcards must be plain. `WildMatch` also treats `?` as a wildcard, but
        // no plain path holds it.
        PlainPath::parse(&text.replace('*', "x")).map_err(|problem| {
            wrong(&format!(
                "expected a pattern that a path in plain form can match: {problem}"
            ))
        })?;
        Ok(Self(parsed))
    }

    /// Returns whether the whole path matches, byte for byte outside the wildcards.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some(segments) = path.strip_prefix('/') else {
            return false;
        };
        let mut segments = segments.split('/');
        let mut pattern = self.0.as_slice();
        // The position after the last `**`, and the path that it has not yet matched.
        let mut retry = None;
        loop {
            if let [Segment::AnyNumber, behind @ ..] = pattern {
                retry = Some((behind, segments.clone()));
                pattern = behind;
                continue;
            }
            let mut ahead = segments.clone();
            match (pattern, ahead.next()) {
                ([], None) => return true,
                ([first, behind @ ..], Some(segment)) if first.matches(segment) => {
                    pattern = behind;
                    segments = ahead;
                    continue;
                }
                _ => {}
            }
            let Some((behind, mut left)) = retry else {
                return false;
            };
            if left.next().is_none() {
                return false;
            }
            pattern = behind;
            segments = left.clone();
            retry = Some((behind, left));
        }
    }

    pub(super) fn tokens(&self) -> Vec<Token> {
        let mut tokens = Vec::new();
        for segment in &self.0 {
            match segment {
                Segment::AnyNumber => tokens.extend(Token::ANY_SEGMENTS),
                Segment::Literal(text) => {
                    tokens.push(Token::Char('/'));
                    tokens.extend(text.chars().map(Token::Char));
                }
                Segment::Wild(wild) => {
                    tokens.push(Token::Char('/'));
                    tokens.extend(wild.pattern_chars().iter().map(|char| match char {
                        '*' => Token::RunInSegment,
                        char => Token::Char(*char),
                    }));
                }
            }
        }
        tokens
    }
}

impl Segment {
    fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => **text == *segment,
            Self::Wild(wild) => wild.matches(segment),
            Self::AnyNumber => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_segment_and_double_stars_do_not() {
        for (pattern, path, expected) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/a", "/a", true),
            ("/a", "/A", false),
            ("/a", "/a/", false),
            ("/a/", "/a", false),
            ("/a", "/ab", false),
            ("/ab", "/a", false),
            ("/*", "/a", true),
            ("/*", "/", true),
            ("/*", "/a/b", false),
            ("/*", "/a/", false),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/b/b/c", false),
            ("/a/*/c", "/a/c", false),
            ("/a/v*", "/a/v1", true),
            ("/a/v*", "/a/v", true),
            ("/a/v*", "/a/v/1", false),
            ("/a/*.json", "/a/x.json", true),
            ("/a/*.json", "/a/x.json.bak", false),
            ("/a/*-*-z", "/a/1-2-3-z", true),
            ("/**", "/", true),
            ("/**", "/a/b/c", true),
            ("/**", "a", false),
            ("/a/**", "/a", true),
            ("/a/**", "/a/", true),
            ("/a/**", "/a/b/c", true),
            ("/a/**", "/ab", false),
            ("/a/**", "/b/a", false),
            ("/a/**/c", "/a/c", true),
            ("/a/**/c", "/a/b/c", true),
            ("/a/**/c", "/a/b/c/c", true),
            ("/a/**/c", "/a/b/c/d", false),
            ("/**/c/**/e", "/a/c/d/c/e", true),
            ("/**/c/**/e", "/a/c/d/c/f", false),
            ("/**/*", "/a/b", true),
            ("/a%20b", "/a%20b", true),
            ("/a*c", "/a%20c", true),
        ] {
            let found = PathPattern::parse(pattern).unwrap().matches(path);
            assert_eq!(found, expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn refuses_patterns_that_are_mistakes() {
        for pattern in [
            "", "a", "*", "**", "/a**", "/**a", "/a/***", "//", "/a//b", "/a/../b", "/a%2fb",
            "/%61", "/a?", "/[a]", "/{a,b}", "/a;b", "/\\*", "/bücher", "/a%*",
        ] {
            let error = PathPattern::parse(pattern).unwrap_err();
            assert_eq!(error.kind(), ConfigErrorKind::Policy, "{pattern}");
        }
    }
}
