//! One thing changed at a time.

use super::service::Sent;

/// What a signature binds, and so what cannot be changed.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Method, path and query.
    pub request_line: bool,
    /// Header fields, each with the value it was sent with.
    pub headers: Vec<String>,
    pub body: bool,
}

/// Every change to a signed part, with a name.
pub fn all(sent: &Sent, bound: &Bound) -> Vec<(String, Sent)> {
    let mut changes = Vec::new();
    if bound.request_line {
        changes.push(("another method".to_owned(), sent.clone().with_method("PUT")));
        changes.push((
            "another path".to_owned(),
            sent.clone().with_target(|target| format!("/x{target}")),
        ));
        changes.push((
            "a path in another case".to_owned(),
            sent.clone().with_target(|target| {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                format!("{}?{query}", path.replacen('a', "A", 1))
            }),
        ));
        changes.push((
            "one more query parameter".to_owned(),
            sent.clone().with_target(|target| {
                let joint = if target.contains('?') { '&' } else { '?' };
                format!("{target}{joint}admin=1")
            }),
        ));
        if sent
            .parts
            .uri
            .query()
            .is_some_and(|query| !query.is_empty())
        {
            changes.push((
                "no query".to_owned(),
                sent.clone()
                    .with_target(|target| target.split('?').next().unwrap_or_default().to_owned()),
            ));
            changes.push((
                "a query value changed".to_owned(),
                sent.clone().with_target(|target| format!("{target}0")),
            ));
        }
    }
    for name in &bound.headers {
        let value = sent
            .header(name)
            .unwrap_or_else(|| panic!("{name} is bound and not there: {sent:?}"));
        changes.push((
            format!("{name} changed"),
            sent.clone().with_header(name, &changed(value)),
        ));
        changes.push((
            format!("{name} taken away"),
            sent.clone().without_header(name),
        ));
        changes.push((
            format!("{name} added a second time"),
            sent.clone().with_header_added(name, &changed(value)),
        ));
    }
    if bound.body {
        changes.push((
            "one more byte".to_owned(),
            sent.clone().with_body(|body| body.push(0)),
        ));
        if !sent.body.is_empty() {
            changes.push((
                "one bit of the body".to_owned(),
                sent.clone().with_body(|body| {
                    if let Some(byte) = body.first_mut() {
                        *byte ^= 1;
                    }
                }),
            ));
            changes.push(("no body".to_owned(), sent.clone().with_body(Vec::clear)));
        }
    }
    changes
}

/// The same text with its last digit or letter replaced by another.
pub fn changed(value: &str) -> String {
    let mut text: Vec<char> = value.chars().collect();
    let last = text.iter_mut().rev().find(|c| c.is_ascii_alphanumeric());
    match last {
        Some(last) => {
            *last = match *last {
                '0' => '1',
                '1'..='9' => '0',
                'a' => 'b',
                _ => 'a',
            };
        }
        None => text.push('x'),
    }
    text.into_iter().collect()
}
