//! Tests whether two patterns match a common text, for the check of an application's routes.

use std::collections::HashSet;

/// A part of a pattern. A text matches if the parts, in order, match all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    One,
    OneInSegment,
    Run,
    RunInSegment,
    /// A slash, or the end of the text.
    MaybeBelow,
}

/// The characters that one character may be.
#[derive(Clone, Copy, Debug)]
enum Class {
    Char(char),
    NoSlash,
    Any,
}

impl Token {
    /// Any number of segments, each with the slash before it.
    pub(super) const ANY_SEGMENTS: [Self; 2] = [Self::MaybeBelow, Self::Run];

    /// Returns how many tokens can be skipped from here without a character.
    fn skips(self) -> Option<usize> {
        match self {
            Self::Run | Self::RunInSegment => Some(1),
            Self::MaybeBelow => Some(2),
            Self::Char(_) | Self::One | Self::OneInSegment => None,
        }
    }

    /// Returns the class of the character that this token matches, and how far to advance after it.
    fn takes(self) -> (Class, usize) {
        match self {
            Self::Char(char) => (Class::Char(char), 1),
            Self::One => (Class::Any, 1),
            Self::OneInSegment => (Class::NoSlash, 1),
            Self::Run => (Class::Any, 0),
            Self::RunInSegment => (Class::NoSlash, 0),
            Self::MaybeBelow => (Class::Char('/'), 1),
        }
    }
}

impl Class {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::Char(char), Self::NoSlash) | (Self::NoSlash, Self::Char(char)) => char != '/',
            (Self::Any, _) | (_, Self::Any) | (Self::NoSlash, Self::NoSlash) => true,
        }
    }
}

/// Returns whether some text matches both patterns.
pub(super) fn overlap(a: &[Token], b: &[Token]) -> bool {
    let mut seen = HashSet::new();
    let mut left = vec![(0_usize, 0_usize)];
    while let Some(at) = left.pop() {
        let (i, j) = at;
        if !seen.insert(at) {
            continue;
        }
        if i == a.len() && j == b.len() {
            return true;
        }
        let (next_a, next_b) = (a.get(i), b.get(j));
        if let Some(skipped) = next_a.and_then(|token| token.skips()) {
            left.push((i.saturating_add(skipped), j));
        }
        if let Some(skipped) = next_b.and_then(|token| token.skips()) {
            left.push((i, j.saturating_add(skipped)));
        }
        if let (Some(token_a), Some(token_b)) = (next_a, next_b) {
            let ((class_a, on_a), (class_b, on_b)) = (token_a.takes(), token_b.takes());
            if class_a.meets(class_b) {
                left.push((i.saturating_add(on_a), j.saturating_add(on_b)));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `?` as one character, `*` as a run, `_` as one in a segment, `-` as a run in a
    /// segment, `>` as any segments.
    fn tokens(text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        for char in text.chars() {
            match char {
                '?' => tokens.push(Token::One),
                '*' => tokens.push(Token::Run),
                '_' => tokens.push(Token::OneInSegment),
                '-' => tokens.push(Token::RunInSegment),
                '>' => tokens.extend(Token::ANY_SEGMENTS),
                char => tokens.push(Token::Char(char)),
            }
        }
        tokens
    }

    #[test]
    fn patterns_overlap_where_they_have_a_text_in_common() {
        for (a, b, expected) in [
            ("", "", true),
            ("a", "", false),
            ("a", "a", true),
            ("a", "b", false),
            ("ab", "a", false),
            ("*", "", true),
            ("*", "abc", true),
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a*c", "abd", false),
            ("?", "", false),
            ("?", "/", true),
            ("_", "/", false),
            ("/-", "/a/b", false),
            ("/-", "/a-b", true),
            ("/*", "/a/b", true),
            ("/_-/x", "/a/_-", true),
            ("/_-/x", "//x", false),
            ("/a>", "/a", true),
            ("/a>", "/a/b/c", true),
            ("/a>", "/ab", false),
            ("/a>/c", "/a/c", true),
            ("/a>/c", "/a/-/-", true),
            ("/a>/c", "/a/-/d", false),
            ("/a-", "/-b>", true),
        ] {
            assert_eq!(overlap(&tokens(a), &tokens(b)), expected, "{a} and {b}");
            assert_eq!(overlap(&tokens(b), &tokens(a)), expected, "{b} and {a}");
        }
    }
}
