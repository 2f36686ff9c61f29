use super::{Change, Subject, Variations, quoted};
use crate::{
    diagnose::{
        cause::Cause,
        head_copy::Edit,
        percent::{KEPT_SETS, decoded, decoded_text, encoded, with_lower_case_digits},
        text_lines::TextEdit,
    },
    scheme::Scheme,
};

/// Adds the target without its query, the query in another order, and other encodings of spaces,
/// `=` and escapes.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    let Some(query) = subject.head.query() else {
        let detail = "signed target: with a question mark at its end";
        found.edit(Cause::QueryEmpty, detail, Edit::Query(Some(String::new())));
        return;
    };
    if query.is_empty() {
        let detail = "signed target: without the question mark";
        found.edit(Cause::QueryEmpty, detail, Edit::Query(None));
    } else if !is_presigned(query) {
        let detail = "signed target: without its query";
        found.edit(Cause::QueryLeftOut, detail, Edit::Query(None));
    }
    if subject.scheme == Scheme::SigV4
        && let Some(text) = subject.text
        && let Some(canonical) = text.split('\n').nth(2)
    {
        // The query in canonical order, with other encodings.
        for (cause, other) in spellings(canonical) {
            let shown = subject.redaction.line(&other);
            let detail = ["signed query: ", &quoted(&shown)].concat();
            found.text(cause, detail, TextEdit::Query(other));
        }
        let unsorted = with_equals(query);
        let detail = "signed query: with its parameters in the order as sent";
        found.text(Cause::QueryOrder, detail, TextEdit::Query(unsorted));
    }
    for (cause, other) in spellings(query) {
        let shown = subject.redaction.line(&other);
        let detail = ["signed query: ", &quoted(&shown)].concat();
        if subject.scheme == Scheme::SigV4 {
            // The canonical query is sorted, so only the text can hold another order.
            found.text(cause, detail.clone(), TextEdit::Query(other.clone()));
        }
        found.edit(cause, detail, Edit::Query(Some(other)));
    }
    if let Some(other) = decoded_text(query).filter(|other| other != query) {
        let detail = "signed query: with its escapes decoded";
        found.add(Cause::QueryEncoding, detail, Change::Query(other));
    }
}

/// Writes each parameter without a value with an equals sign.
fn with_equals(query: &str) -> String {
    let written = query.split('&').map(|parameter| {
        if parameter.is_empty() || parameter.contains('=') {
            parameter.to_owned()
        } else {
            [parameter, "="].concat()
        }
    });
    written.collect::<Vec<_>>().join("&")
}

fn is_presigned(query: &str) -> bool {
    query.contains("X-Amz-Signature=")
}

fn spellings(query: &str) -> Vec<(Cause, String)> {
    let parameters: Vec<&str> = query.split('&').collect();
    let mut sorted = parameters.clone();
    sorted.sort_unstable();
    let mut reversed = parameters.clone();
    reversed.reverse();
    let each = |write: &dyn Fn(&str) -> String| {
        let written: Vec<_> = parameters
            .iter()
            .map(|parameter| write(parameter))
            .collect();
        written.join("&")
    };
    let mut found = vec![
        (Cause::QueryOrder, sorted.join("&")),
        (Cause::QueryOrder, query.to_owned()),
        (Cause::QueryOrder, reversed.join("&")),
        (Cause::QueryPlus, query.replace('+', "%20")),
        (Cause::QueryPlus, query.replace("%20", "+")),
        (Cause::QueryPlus, query.replace('+', "%2B")),
        (Cause::QueryEquals, with_equals(query)),
        (
            Cause::QueryEquals,
            each(&|parameter| parameter.strip_suffix('=').unwrap_or(parameter).to_owned()),
        ),
    ];
    for kept in KEPT_SETS {
        let recode = |text: &str| encoded(&decoded(text), kept);
        let recoded = each(&|parameter| match parameter.split_once('=') {
            Some((name, value)) => [&recode(name), "=", &recode(value)].concat(),
            None => recode(parameter),
        });
        found.push((Cause::QueryEncoding, recoded));
    }
    let full: Vec<_> = parameters
        .iter()
        .filter(|text| !text.is_empty())
        .copied()
        .collect();
    found.push((Cause::QueryEncoding, full.join("&")));
    found.push((Cause::QueryEncoding, with_lower_case_digits(query)));
    found
}
