//! Reads samples of one metric from the text format of Prometheus.

use std::collections::BTreeMap;

/// The labels of a sample, and its value.
pub(crate) type Sample = (BTreeMap<String, String>, f64);

/// Returns the samples of this metric. Lines of another form are left out.
pub(crate) fn samples(text: &str, metric: &str) -> impl Iterator<Item = Sample> {
    text.lines().filter_map(move |line| {
        let rest = line.strip_prefix(metric)?;
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (BTreeMap::new(), rest),
        };
        if !rest.starts_with([' ', '\t']) {
            return None;
        }
        // A time may follow the value.
        let value = rest.split_ascii_whitespace().next()?;
        Some((labels, value.parse().ok()?))
    })
}

/// Reads `name="value",…}`, and returns what follows.
fn labels(text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = value(after)?;
        labels.insert(name.trim().to_owned(), value);
        rest = after;
    }
}

/// Reads a value up to its quote. `\\`, `\"` and `\n` are escapes.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP last_use Unix time.
# TYPE last_use gauge
last_use{caller="billing",key_version="2025-10"} 1767323045
last_use{caller="a\"b\\c\nd", key_version="1",} 1.5e9 1767323045000
last_use_total{caller="billing"} 1
last_use 7
last_use{caller="billing" 1
last_use{caller="billing"}
last_use{caller="billing"} soon
"#;

    #[test]
    fn the_samples_of_one_metric_are_read_with_their_labels() {
        let samples: Vec<_> = samples(TEXT, "last_use").collect();
        let callers: Vec<_> = samples
            .iter()
            .map(|(labels, _)| labels.get("caller"))
            .collect();
        let callers: Vec<_> = callers
            .into_iter()
            .map(|it| it.map(String::as_str))
            .collect();
        assert_eq!(callers, [Some("billing"), Some("a\"b\\c\nd"), None]);
        let values: Vec<_> = samples.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [1_767_323_045.0, 1.5e9, 7.0]);
    }
}
