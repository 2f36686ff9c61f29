use super::nearest::Expected;
use crate::error::{ConfigError, ConfigErrorKind};

/// The methods that a service answers: those of RFC 9110 section 9.3 and RFC 5789. The policy's
/// owner can add others.
///
/// CONNECT is not among them, because a CONNECT request cannot be signed.
const STANDARD: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
];

/// The methods that a statement may name.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownMethods {
    extensions: Vec<Box<str>>,
}

impl KnownMethods {
    /// Adds methods that are not standard, such as `PURGE`.
    pub(super) fn with_extensions<I>(mut self, methods: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        for method in methods {
            let method = method.as_ref();
            check_method(method)?;
            if is_any(method) || method == "CONNECT" {
                return Err(wrong(
                    method,
                    "expected a method that a signed request can have",
                ));
            }
            if self.has(method) {
                return Err(wrong(method, "expected one that is not known already"));
            }
            self.extensions.push(method.into());
        }
        Ok(self)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let extensions = self.extensions.iter().map(|method| &**method);
        STANDARD.into_iter().chain(extensions)
    }

    pub(super) fn has(&self, method: &str) -> bool {
        self.iter().any(|known| known == method)
    }

    /// Returns whether a text can only be meant as a method: it has the form of one, differs from
    /// one only in case, or begins with one before a missing slash.
    pub(super) fn looks_like_one(&self, text: &str) -> bool {
        let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
        (!text.is_empty() && text.bytes().all(upper))
            || is_any(text)
            || self.iter().any(|known| known.eq_ignore_ascii_case(text))
            || (!text.contains(['*', '?']) && self.iter().any(|known| text.starts_with(known)))
    }

    /// Refuses a method that no request to this service has: in a `Deny` it would deny nothing.
    pub(super) fn check(&self, method: &str) -> Result<(), ConfigError> {
        if self.has(method) {
            return Ok(());
        }
        Err(self.unknown(method))
    }

    pub(super) fn unknown(&self, method: &str) -> ConfigError {
        let mut expected = Expected::one_of(self.iter(), method);
        expected
            .known
            .push("* (others are added as extension methods)");
        if is_any(method) {
            expected.nearest = Some("*");
        }
        wrong(method, &expected.to_string())
    }
}

/// Returns whether other tools write every method this way. A policy writes `*`.
fn is_any(method: &str) -> bool {
    ["ANY", "ALL"]
        .iter()
        .any(|any| any.eq_ignore_ascii_case(method))
}

/// Refuses a method that no verified request has.
pub(super) fn check_method(method: &str) -> Result<(), ConfigError> {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    if (1..=32).contains(&method.len())
        && method.starts_with(|first: char| first.is_ascii_uppercase())
        && method.bytes().all(upper)
    {
        return Ok(());
    }
    Err(wrong(method, "expected [A-Z][A-Z-]{0,31}"))
}

fn wrong(method: &str, problem: &str) -> ConfigError {
    ConfigError::new(
        ConfigErrorKind::Policy,
        format!("method {method:?}: {problem}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_the_standard_ones_and_those_that_were_added() {
        let standard = KnownMethods::default();
        let more = KnownMethods::default().with_extensions(["PURGE", "M-SEARCH"]);
        let more = more.unwrap();
        for method in STANDARD {
            standard.check(method).unwrap();
            more.check(method).unwrap();
        }
        more.check("PURGE").unwrap();
        for method in [
            "PURGE", "ANY", "get", "Get", "GETS", "CONNECT", "*", "", "G*",
        ] {
            let error = standard.check(method).unwrap_err().to_string();
            assert!(error.contains("expected one of GET, HEAD"), "{error}");
        }
        for (method, nearest) in [("ANY", "*"), ("All", "*"), ("get", "GET"), ("POTS", "POST")] {
            let error = standard.check(method).unwrap_err().to_string();
            assert!(error.ends_with(&format!("; nearest: {nearest}")), "{error}");
        }
    }

    #[test]
    fn refuses_to_add_what_is_no_method_or_is_known() {
        for method in ["ANY", "ALL", "CONNECT", "GET", "purge", "", "*"] {
            let added = KnownMethods::default().with_extensions([method]);
            assert!(added.is_err(), "{method}");
        }
        let longest = "P".repeat(32);
        KnownMethods::default().with_extensions([&longest]).unwrap();
        let longer = KnownMethods::default().with_extensions([longest + "P"]);
        assert!(longer.is_err());
        let twice = KnownMethods::default().with_extensions(["PURGE", "PURGE"]);
        assert!(twice.is_err());
    }

    #[test]
    fn words_that_can_only_be_methods_are_told_from_segments_of_paths() {
        let methods = KnownMethods::default();
        for text in [
            "GET", "get", "Post", "ANY", "any", "all", "GTE", "M-SEARCH", "GETpets", "GET:pets",
        ] {
            assert!(methods.looks_like_one(text), "{text}");
        }
        for text in ["", "pets", "Pets", "get*", "GET*", "getpets", "*", "v1"] {
            assert!(!methods.looks_like_one(text), "{text}");
        }
    }
}
