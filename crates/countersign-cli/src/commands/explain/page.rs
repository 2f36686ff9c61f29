//! The answer of the doctor as one page of HTML.
//!
//! The page has no script, loads nothing, and shows all text from the peer escaped.

use std::fmt::{self, Write as _};

use countersign::diagnose::{Comparison, Finding, StepOutcome};

use super::{
    alignment::{AlignedLine, LineSide},
    explanation::{Explanation, certainty, code},
};
use crate::output::Tone;

/// Light and dark by the reader's setting. All pairs of colours have a contrast of 4.5 or more.
const STYLE: &str = include_str!("page.css");

/// Writes the page.
pub(super) fn page(explanation: &Explanation) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut page, explanation);
    page
}

fn write_page(page: &mut String, explanation: &Explanation) -> fmt::Result {
    let (tone, verdict) = explanation.verdict();
    let verdict = Html(&verdict);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<meta \
         name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" \
         href=\"data:,\">\n<title>{verdict}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <main>\n"
    )?;
    let class = match tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        _ => "open",
    };
    writeln!(page, "<h1 class=\"{class}\">{verdict}</h1>")?;
    if let Some(nothing) = explanation.nothing_known() {
        writeln!(page, "<p>{}</p>", Html(&nothing))?;
    }
    for finding in explanation.causes() {
        write_cause(page, finding)?;
    }
    write_decision(page, explanation)?;
    if let Some(comparison) = explanation.report.comparison() {
        write_comparison(page, explanation, comparison)?;
    }
    write_list(page, "Collect next", &explanation.next)?;
    for (title, lines) in [
        (
            "The text that the verifier expects",
            explanation.report.signed_text(),
        ),
        ("The string to sign", explanation.report.string_to_sign()),
    ] {
        if let Some(lines) = lines {
            writeln!(page, "<section>\n<h2>{title}</h2>\n<pre>")?;
            for line in lines {
                writeln!(page, "{}", Html(line))?;
            }
            writeln!(page, "</pre>\n</section>")?;
        }
    }
    write_list(page, "Assumed settings", &explanation.assumed)?;
    write_list(page, "Notes", &explanation.notes)?;
    page.write_str("</main>\n</body>\n</html>\n")
}

fn write_cause(page: &mut String, finding: &Finding) -> fmt::Result {
    let cause = finding.cause();
    let side = match cause.side().as_str() {
        "between" => "Between the two",
        "callee" => "At the service that verifies",
        _ => "At the service that signs",
    };
    writeln!(
        page,
        "<section class=\"cause\">\n<h2>{}</h2>\n<dl>",
        Html(cause.meaning())
    )?;
    for (name, value) in [
        ("Cause", code(finding).as_str()),
        ("Found", finding.detail()),
        ("How sure", certainty(finding)),
        (side, cause.remedy()),
    ] {
        if !value.is_empty() {
            writeln!(page, "<dt>{name}</dt>\n<dd>{}</dd>", Html(value))?;
        }
    }
    page.write_str("</dl>\n</section>\n")
}

fn write_decision(page: &mut String, explanation: &Explanation) -> fmt::Result {
    let request = explanation.request.to_string();
    writeln!(
        page,
        "<section>\n<h2>The decision</h2>\n<p>{}</p>\n<ol>",
        Html(&request)
    )?;
    for step in explanation.report.steps() {
        let name = step.name().as_str().replace('_', " ");
        let outcome = step.outcome().as_str();
        let shown = outcome.replace('_', " ");
        write!(page, "<li class=\"{outcome}\"><b>{name}</b> {shown}")?;
        if let StepOutcome::Failed(reason) = step.outcome() {
            write!(page, ": {}", Html(reason))?;
        }
        page.write_str("</li>\n")?;
    }
    page.write_str("</ol>\n</section>\n")
}

fn write_comparison(
    page: &mut String,
    explanation: &Explanation,
    comparison: &Comparison,
) -> fmt::Result {
    page.write_str("<section>\n<h2>The two signed texts</h2>\n")?;
    for sentence in Explanation::compared(comparison) {
        writeln!(page, "<p>{}</p>", Html(&sentence))?;
    }
    if !explanation.lines.is_empty() {
        page.write_str("<pre>\n")?;
        for line in &explanation.lines {
            write_line(page, line)?;
        }
        page.write_str("</pre>\n<p>&minus; the verifier's line, + the sender's</p>\n")?;
    }
    page.write_str("</section>\n")
}

fn write_line(page: &mut String, line: &AlignedLine) -> fmt::Result {
    let (class, sign) = match line.side {
        LineSide::Both => ("both", "&nbsp;"),
        LineSide::Ours => ("ours", "&minus;"),
        LineSide::Theirs => ("theirs", "+"),
    };
    let number = line.ours.or(line.theirs).unwrap_or_default();
    write!(page, "<span class=\"{class}\">{sign}{number:>3} ")?;
    match line.marked {
        Some(marked) => {
            let start: String = line.text.chars().take(marked).collect();
            let first: String = line.text.chars().skip(marked).take(1).collect();
            let rest: String = line.text.chars().skip(marked.saturating_add(1)).collect();
            // Where a line ends before the other, its end is marked.
            let first = if first.is_empty() { " " } else { &first };
            write!(
                page,
                "{}<mark>{}</mark>{}",
                Html(&start),
                Html(first),
                Html(&rest)
            )?;
        }
        None => write!(page, "{}", Html(&line.text))?,
    }
    page.write_str("</span>")
}

fn write_list(page: &mut String, title: &str, sentences: &[String]) -> fmt::Result {
    if sentences.is_empty() {
        return Ok(());
    }
    writeln!(page, "<section>\n<h2>{title}</h2>\n<ul>")?;
    for sentence in sentences {
        writeln!(page, "<li>{}</li>", Html(sentence))?;
    }
    page.write_str("</ul>\n</section>\n")
}

/// A text, escaped for HTML.
struct Html<'t>(&'t str);

impl fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn markup_in_a_text_is_text() {
        let text = "<script>alert('x')</script> & \"y\"";
        let shown = Html(text).to_string();
        assert_eq!(
            shown,
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;"
        );
    }
}
