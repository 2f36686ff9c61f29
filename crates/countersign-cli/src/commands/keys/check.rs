use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use countersign::{ErrorChain, Timestamp};
use serde::Serialize;

use crate::{
    Exit, Terminal,
    failure::Failure,
    input,
    key_file::{self, ListedKey, Side},
    output::{Answer, Format, Paint, Tone},
};

const SECONDS_OF_A_DAY: u64 = 86_400;
const DAY: Duration = Duration::from_secs(SECONDS_OF_A_DAY);

/// Loads a key file as a service does, and lists its keys without their secrets.
///
/// Ends with 1 if a service would refuse the file. Warns of keys that end soon, that have ended or
/// that are weaker than they need be.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The TOML file with callers, roots or targets; `-` is standard input.
    file: PathBuf,
    /// Warn of keys that end within this many days.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    within: u32,
}

impl Check {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        let text = input::read_text(terminal, &self.file, input::MAX_CONFIG_LEN)?;
        let answer = match key_file::ensure_loads(&text) {
            Ok(()) => {
                let mut warnings = Vec::new();
                if is_read_by_others(&self.file) {
                    warnings.push(Warning {
                        key: None,
                        code: "readable_by_others",
                        message: "other users of this machine can read the file".to_owned(),
                    });
                }
                let now = terminal.now();
                let keys = key_file::list(&text);
                let soon = now.saturating_add(DAY.saturating_mul(self.within));
                warnings.extend(keys.iter().flat_map(|key| warnings_of(key, now, soon)));
                warnings.extend(names_without_keys(&keys, now));
                Checked {
                    loads: true,
                    problem: None,
                    keys: keys
                        .into_iter()
                        .map(|key| Key {
                            is_in_force: key.is_in_force(now),
                            key,
                        })
                        .collect(),
                    warnings,
                }
            }
            Err(error) => Checked {
                loads: false,
                problem: Some(format!(
                    "{}: {}",
                    input::shown(&self.file),
                    ErrorChain::new(&error)
                )),
                keys: Vec::new(),
                warnings: Vec::new(),
            },
        };
        terminal.answer(format, &answer)?;
        Ok(Exit::yes_if(answer.loads))
    }
}

#[cfg(unix)]
fn is_read_by_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // Standard input has no mode of a file.
    std::fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_read_by_others(_: &Path) -> bool {
    false
}

fn warnings_of(key: &ListedKey, now: Timestamp, soon: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, message: String| {
        warnings.push(Warning {
            key: Some(key.place()),
            code,
            message,
        });
    };
    if key.state == "revoked" {
        return Vec::new();
    }
    match key.ends_at() {
        Some(end) if end <= now => {
            let days = days(end.abs_diff(now));
            warn("ended", format!("ended {days} ago, remove it"));
        }
        Some(end) if end <= soon => {
            let days = days(end.abs_diff(now));
            warn("ends_soon", format!("ends in {days}"));
        }
        _ => {}
    }
    if let Some(begin) = key.begins_at().filter(|begin| *begin > now) {
        let days = days(begin.abs_diff(now));
        warn("not_yet", format!("is not valid yet, begins in {days}"));
    }
    if key.state == "accept-only" {
        let message = "is accept-only, remove it when no caller uses it";
        warn("accept_only", message.to_owned());
    }
    if key.insecure_three_headers {
        let message = "takes requests without a nonce, which can be replayed";
        warn("three_headers", message.to_owned());
    }
    if key.kind == "secret" && key.bytes < 32 {
        let message = format!("is {} bytes long, a new one has 32", key.bytes);
        warn("short", message);
    }
    warnings
}

/// Finds the names all of whose requests are refused, or that sign nothing.
fn names_without_keys(keys: &[ListedKey], now: Timestamp) -> Vec<Warning> {
    let names: BTreeSet<(bool, &str)> = keys.iter().map(name_of).collect();
    let in_force = keys.iter().filter(|key| key.is_in_force(now));
    let in_force: BTreeSet<_> = in_force.map(name_of).collect();
    let without = names.difference(&in_force);
    without
        .map(|(is_target, name)| Warning {
            key: Some(name.to_string()),
            code: "no_key_in_force",
            message: if *is_target {
                "no key is in force: nothing can be signed for it".to_owned()
            } else {
                "no key is in force: each of its requests is refused".to_owned()
            },
        })
        .collect()
}

fn name_of(key: &ListedKey) -> (bool, &str) {
    (key.side == Side::Target, &key.name)
}

fn days(distance: Duration) -> String {
    let days = distance.as_secs() / SECONDS_OF_A_DAY;
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Checked {
    loads: bool,
    problem: Option<String>,
    keys: Vec<Key>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Key {
    #[serde(flatten)]
    key: ListedKey,
    #[serde(rename = "in_force")]
    is_in_force: bool,
}

#[derive(Serialize)]
struct Warning {
    key: Option<String>,
    code: &'static str,
    message: String,
}

impl Answer for Checked {
    fn to_text(&self, paint: Paint) -> String {
        if let Some(problem) = &self.problem {
            return format!("{} {problem}\n", paint.paint(Tone::Bad, "refused:"));
        }
        let count = self.keys.len();
        let keys = if count == 1 { "key" } else { "keys" };
        let mut text = format!("{} {count} {keys}\n", paint.paint(Tone::Good, "loads:"));
        let width = |of: fn(&ListedKey) -> usize| {
            let widths = self.keys.iter().map(|key| of(&key.key));
            widths.max().unwrap_or_default()
        };
        let place = width(|key| key.place().len());
        let scheme = width(|key| key.scheme.len());
        for Key { key, is_in_force } in &self.keys {
            let _ = write!(text, "  {:place$}  {:scheme$}  ", key.place(), key.scheme);
            let kind = key.kind.replace('_', " ");
            let tone = if *is_in_force { Tone::Good } else { Tone::Bad };
            let state = paint.paint(tone, &key.state);
            let _ = write!(text, "{kind} of {} bytes  {state}", key.bytes);
            if let Some(id) = &key.key_id {
                let _ = write!(text, "  key id {id}");
            }
            for (word, date) in [("from", &key.not_before), ("until", &key.not_after)] {
                if let Some(date) = date {
                    let _ = write!(text, "  {word} {date}");
                }
            }
            text.push('\n');
        }
        for warning in &self.warnings {
            let word = paint.paint(Tone::Warning, "warning:");
            let key = warning
                .key
                .as_ref()
                .map_or(String::new(), |key| format!("{key}: "));
            let _ = writeln!(text, "{word} {key}{}", warning.message);
        }
        text
    }
}
