use http::HeaderName;

/// The values that a report redacts.
///
/// By default, redacts the values of `authorization`, `proxy-authorization`, `cookie`,
/// `x-amz-security-token`, and of every name that ends in `-token` or `-key`. For query parameters,
/// also the names `token`, `key`, `signature`, `secret` and `password`.
#[derive(Clone, Debug, Default)]
pub(super) struct Redaction {
    further: Vec<HeaderName>,
}

const NAMES: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-amz-security-token",
];

const PARAMETERS: [&str; 8] = [
    "token",
    "access_token",
    "key",
    "api_key",
    "signature",
    "x-amz-signature",
    "secret",
    "password",
];

const LEFT_OUT: &str = "[redacted]";

impl Redaction {
    pub(super) fn add(&mut self, name: HeaderName) {
        self.further.push(name);
    }

    /// Returns whether the value of a header of this name is redacted.
    pub(super) fn hides(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        NAMES.contains(&name.as_str())
            || name.ends_with("-token")
            || name.ends_with("-key")
            || self.further.iter().any(|further| *further == *name)
    }

    /// Redacts a value by the name of its header.
    pub(super) fn value<'v>(&self, name: &str, value: &'v str) -> &'v str {
        if self.hides(name) { LEFT_OUT } else { value }
    }

    /// Redacts a line of a signed text.
    pub(super) fn line(&self, line: &str) -> String {
        // `"name";params: value` in a signature base, `name:value` in other texts.
        if let Some(quoted) = line.strip_prefix('"') {
            let (name, _) = quoted.split_once('"').unwrap_or((quoted, ""));
            if name == "@signature-params" {
                return line.to_owned();
            }
            let Some((identifier, value)) =
                line.split_once("\": ").or_else(|| line.split_once(": "))
            else {
                return line.to_owned();
            };
            let end = if line.contains("\": ") { "\": " } else { ": " };
            let hides_parameter = identifier
                .split_once(";name=\"")
                .is_some_and(|(_, name)| self.hides_parameter(name.trim_matches('"')));
            let value = if self.hides(name) || hides_parameter {
                LEFT_OUT.to_owned()
            } else {
                self.query_of(value)
            };
            return [identifier, end, &value].concat();
        }
        match line.split_once(':') {
            Some((name, _)) if is_token(name) && self.hides(name) => [name, ":", LEFT_OUT].concat(),
            _ => self.query_of(line),
        }
    }

    fn hides_parameter(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        PARAMETERS.contains(&name.as_str()) || self.hides(&name)
    }

    /// Redacts the values of parameters in a text: `/path?query`, or a query alone.
    fn query_of(&self, text: &str) -> String {
        let (before, query) = match text.split_once('?') {
            Some((path, query)) => (Some(path), query),
            None => (None, text),
        };
        let parameters: Vec<String> = query
            .split('&')
            .map(|parameter| match parameter.split_once('=') {
                Some((name, _)) if self.hides_parameter(name) => [name, "=", LEFT_OUT].concat(),
                _ => parameter.to_owned(),
            })
            .collect();
        let query = parameters.join("&");
        match before {
            Some(path) => [path, "?", &query].concat(),
            None => query,
        }
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_the_values_of_the_names_on_the_list() {
        let mut redaction = Redaction::default();
        redaction.add(HeaderName::from_static("x-user"));
        for (line, shown) in [
            ("GET", "GET"),
            ("/a?b=c&d", "/a?b=c&d"),
            ("/a?token=hunter2&b=c", "/a?token=[redacted]&b=c"),
            ("Api_Key=hunter2", "Api_Key=[redacted]"),
            (
                "X-Amz-Security-Token=hunter2&a=b",
                "X-Amz-Security-Token=[redacted]&a=b",
            ),
            ("host:a:1", "host:a:1"),
            ("cookie:hunter2", "cookie:[redacted]"),
            ("x-csrf-token:hunter2", "x-csrf-token:[redacted]"),
            ("x-api-key:hunter2", "x-api-key:[redacted]"),
            ("x-user:hunter2", "x-user:[redacted]"),
            ("x-users:a", "x-users:a"),
            (
                "\"authorization\": hunter2",
                "\"authorization\": [redacted]",
            ),
            ("\"x-user\";bs: :aHVudGVyMg==:", "\"x-user\";bs: [redacted]"),
            (
                "\"@query-param\";name=\"token\": hunter2",
                "\"@query-param\";name=\"token\": [redacted]",
            ),
            ("\"@query\": ?key=hunter2", "\"@query\": ?key=[redacted]"),
            (
                "\"@signature-params\": (\"a\");keyid=\"b\"",
                "\"@signature-params\": (\"a\");keyid=\"b\"",
            ),
        ] {
            assert_eq!(redaction.line(line), shown);
        }
    }
}
