use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde::Serialize;

use super::{
    cases::{Judgement, read},
    peer_process::PeerProcess,
};
use crate::{
    Exit, Terminal,
    failure::Failure,
    output::{Answer, Format, Paint, Tone},
    request::split_words,
};

/// The most wrong cases that the text shows.
const MAX_SHOWN: usize = 20;

/// Runs the project's golden vectors against another implementation.
///
/// Starts the command once, without a shell. Writes one case a line to its standard input, as JSON,
/// and reads one JSON object a line from its standard output. An answer is
/// `{"signature": "…"}` to a case of the kind `sign`, and may have `canonical_request`,
/// `signed_headers` and `authorization` as well; `{"answer": "accept"}` or `{"answer": "<code>"}`
/// to a case of the kind `verify`; or `{"skip": "<why>"}`. The README of the vectors describes the
/// members of a case.
///
/// Exits with 0 if every answer is right, and with 1 if one is wrong or if all cases are skipped.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The program to run, and its arguments.
    #[arg(long, value_name = "COMMAND")]
    command: String,
    /// Read the vector files of this folder, in place of those in this program.
    #[arg(long, value_name = "FOLDER")]
    vectors: Option<PathBuf>,
    /// The longest wait for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
}

impl Run {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let words = split_words(self.command.as_bytes())
            .map_err(|problem| Failure::usage(format_args!("--command: {problem}")))?;
        let cases = read(terminal, self.vectors.as_deref())?;
        let timeout = Duration::from_secs(self.timeout.clamp(1, 600));
        let mut peer = PeerProcess::start(&words, timeout)?;
        let mut results = Vec::new();
        for case in cases {
            let judgement = match peer.ask(&case.line) {
                Ok(answer) => case.judge(answer.trim_end()),
                Err(problem) => Judgement::Wrong {
                    expected: "an answer".to_owned(),
                    found: problem,
                },
            };
            results.push(JudgedCase::new(case.file, case.name, judgement));
        }
        let report = VectorsReport::new(results);
        terminal.answer(format, &report)?;
        Ok(Exit::yes_if(report.is_right()))
    }
}

#[derive(Serialize)]
struct JudgedCase {
    file: &'static str,
    name: String,
    outcome: &'static str,
    expected: Option<String>,
    found: Option<String>,
}

impl JudgedCase {
    fn new(file: &'static str, name: String, judgement: Judgement) -> Self {
        let (outcome, expected, found) = match judgement {
            Judgement::Right => ("right", None, None),
            Judgement::Skipped => ("skipped", None, None),
            Judgement::Wrong { expected, found } => ("wrong", Some(expected), Some(found)),
        };
        Self {
            file,
            name,
            outcome,
            expected,
            found,
        }
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct VectorsReport {
    right: usize,
    wrong: usize,
    skipped: usize,
    cases: Vec<JudgedCase>,
}

impl VectorsReport {
    fn new(cases: Vec<JudgedCase>) -> Self {
        let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
        Self {
            right: count("right"),
            wrong: count("wrong"),
            skipped: count("skipped"),
            cases,
        }
    }

    fn is_right(&self) -> bool {
        self.wrong == 0 && self.right > 0
    }
}

impl Answer for VectorsReport {
    fn to_text(&self, paint: Paint) -> String {
        let (tone, word) = if self.is_right() {
            (Tone::Good, "yes:")
        } else {
            (Tone::Bad, "no:")
        };
        let mut lines = vec![format!(
            "{} {} right, {} wrong, {} skipped",
            paint.paint(tone, word),
            self.right,
            self.wrong,
            self.skipped
        )];
        let mut files: Vec<&str> = self.cases.iter().map(|case| case.file).collect();
        files.dedup();
        for file in files {
            let count = |outcome| {
                let cases = self.cases.iter().filter(|case| case.file == file);
                cases.filter(|case| case.outcome == outcome).count()
            };
            let (right, wrong, skipped) = (count("right"), count("wrong"), count("skipped"));
            lines.push(format!(
                "  {file:<20} {right:>4} right {wrong:>4} wrong {skipped:>4} skipped"
            ));
        }
        let wrong = self.cases.iter().filter(|case| case.outcome == "wrong");
        for case in wrong.take(MAX_SHOWN) {
            lines.push(paint.paint(Tone::Bad, format_args!("{}: {}", case.file, case.name)));
            for (name, text) in [("expected", &case.expected), ("found", &case.found)] {
                if let Some(text) = text {
                    lines.push(format!("  {name:<9} {text}"));
                }
            }
        }
        if self.wrong > MAX_SHOWN {
            let more = self.wrong.saturating_sub(MAX_SHOWN);
            lines.push(format!("and {more} more: see --json"));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
