//! Aligns the signed text of the verifier with that of the sender, line by line.

use countersign::diagnose::Comparison;
use serde::Serialize;
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices};

/// The most lines of a text that are aligned. The signed text of a request has far fewer.
const MAX_LINES: usize = 1000;

/// One line of two aligned texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct AlignedLine {
    pub(super) side: LineSide,
    /// The number of the line in the verifier's text, from 1.
    pub(super) ours: Option<usize>,
    /// The number of the line in the sender's text, from 1.
    pub(super) theirs: Option<usize>,
    /// The line, with invisible characters shown.
    pub(super) text: String,
    /// The first character that differs, counted from 0, in the first line that differs.
    #[serde(skip)]
    pub(super) marked: Option<usize>,
}

/// The texts that have a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LineSide {
    Both,
    Ours,
    Theirs,
}

/// Aligns two texts. Empty if they are equal, or if the text is that of a body.
pub(super) fn align(comparison: &Comparison) -> Vec<AlignedLine> {
    let Some(difference) = comparison.difference() else {
        return Vec::new();
    };
    let cut = |lines: &[String]| lines.iter().take(MAX_LINES).cloned().collect::<Vec<_>>();
    let (ours, theirs) = (cut(comparison.ours()), cut(comparison.theirs()));
    let operations = capture_diff_slices(Algorithm::Myers, &ours, &theirs);
    let mut lines = Vec::new();
    for change in operations.iter().flat_map(|it| changes(it, &ours, &theirs)) {
        lines.push(change);
    }
    mark(&mut lines, difference.line());
    lines
}

fn changes(operation: &DiffOp, ours: &[String], theirs: &[String]) -> Vec<AlignedLine> {
    let changes = operation.iter_changes(ours, theirs);
    let line = |number: Option<usize>| number.map(|number| number.saturating_add(1));
    changes
        .map(|change| AlignedLine {
            side: match change.tag() {
                ChangeTag::Equal => LineSide::Both,
                ChangeTag::Delete => LineSide::Ours,
                ChangeTag::Insert => LineSide::Theirs,
            },
            ours: line(change.old_index()),
            theirs: line(change.new_index()),
            text: change.value(),
            marked: None,
        })
        .collect()
}

/// Marks the first character that differs, in the first line that differs.
fn mark(lines: &mut [AlignedLine], number: usize) {
    let text_of = |side: LineSide| {
        let mut lines = lines.iter();
        lines.find_map(|line| {
            let at = match side {
                LineSide::Theirs => line.theirs,
                LineSide::Ours | LineSide::Both => line.ours,
            };
            (line.side == side && at == Some(number)).then(|| line.text.clone())
        })
    };
    let (Some(ours), Some(theirs)) = (text_of(LineSide::Ours), text_of(LineSide::Theirs)) else {
        return;
    };
    let equal = ours.chars().zip(theirs.chars());
    let equal = equal.take_while(|(ours, theirs)| ours == theirs).count();
    for line in lines.iter_mut() {
        let at = line.theirs.or(line.ours);
        if line.side != LineSide::Both && at == Some(number) {
            line.marked = Some(equal);
        }
    }
}
