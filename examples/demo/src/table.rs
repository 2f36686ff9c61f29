//! The printed table.

/// Rows under a heading.
pub(crate) struct Section {
    heading: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// A request, its expected result and its actual result.
pub(crate) struct Row {
    sent: String,
    expected: String,
    got: String,
}

impl Section {
    pub(crate) fn new(heading: &'static str) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }
}

impl Row {
    pub(crate) fn new(
        sent: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self {
            sent: sent.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }

    pub(crate) fn is_as_expected(&self) -> bool {
        self.expected == self.got
    }
}

/// Formats the sections as one table with aligned columns.
pub(crate) fn render(sections: &[Section]) -> String {
    let titles = ["sent", "expected", "got"];
    let mut widths = titles.map(str::len);
    for row in sections.iter().flat_map(|section| &section.rows) {
        for (width, text) in widths.iter_mut().zip([&row.sent, &row.expected, &row.got]) {
            *width = text.chars().count().max(*width);
        }
    }
    let [sent, expected, got] = widths;
    let line = |texts: [&str; 3], ok: &str| {
        let [first, second, third] = texts;
        format!("{first:sent$}  {second:expected$}  {third:got$}  {ok}\n")
    };

    let mut table = line(titles, "ok");
    let rules = widths.map(|width| "-".repeat(width));
    table.push_str(&line(rules.each_ref().map(String::as_str), "---"));
    for section in sections {
        table.extend(["\n", section.heading, ":\n"]);
        for row in &section.rows {
            let ok = if row.is_as_expected() { "yes" } else { "NO" };
            table.push_str(&line([&row.sent, &row.expected, &row.got], ok));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_a_difference_is_seen() {
        let mut section = Section::new("refused");
        section.rows.push(Row::new("GET /", "401", "401"));
        section
            .rows
            .push(Row::new("GET /long/ż", "401 expired", "200"));
        assert_eq!(
            render(&[section]),
            "\
sent         expected     got  ok
-----------  -----------  ---  ---

refused:
GET /        401          401  yes
GET /long/ż  401 expired  200  NO
"
        );
    }
}
