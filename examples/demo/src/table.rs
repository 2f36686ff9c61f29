//! The printed table.

/// Rows under a heading.
#[derive(Debug)]
pub struct Section {
    heading: &'static str,
    /// The rows, in the order of the calls.
    pub rows: Vec<Row>,
}

/// A request, its expected result and its actual result.
#[derive(Debug)]
pub struct Row {
    sent: String,
    expected: String,
    got: String,
}

impl Section {
    /// Creates a section without rows.
    pub fn new(heading: &'static str) -> Self {
        Self {
            heading,
            rows: Vec::new(),
        }
    }
}

impl Row {
    /// Creates a row of what was sent, expected and got.
    pub fn new(
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

    /// Returns whether the result is the expected one.
    pub fn is_as_expected(&self) -> bool {
        self.expected == self.got
    }
}

/// Formats the sections as one table with aligned columns.
pub fn render(sections: &[Section]) -> String {
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

/// Returns the number of rows that are as expected, and of all rows.
pub fn count(sections: &[Section]) -> (usize, usize) {
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let good = rows().filter(|row| row.is_as_expected());
    (good.count(), rows().count())
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
