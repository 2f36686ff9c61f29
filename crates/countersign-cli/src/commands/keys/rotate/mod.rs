mod edit;
mod key_use;
mod step;

use std::{fmt::Write, path::PathBuf, time::Duration};

use clap::Args;
use countersign::{KeyVersion, Timestamp};
use serde::Serialize;
use zeroize::Zeroizing;

use self::{
    edit::Edit,
    key_use::KeyUse,
    step::{Next, Step, version},
};
use crate::{
    Exit, Terminal, calendar,
    commands::keygen::{Material, new_key_of_caller},
    failure::Failure,
    input,
    key_file::{self, ListedKey, Side},
    key_kind::KeyKind,
    output::{Answer, Format, Paint, Tone},
    replace_file,
};

/// Writes the next step of a rotation into the key file of a callee.
///
/// Step 1 adds a new key, and prints what the caller needs of it. Step 2 makes the old key
/// accept-only: it verifies, and its use is reported. Step 3 removes the old key; it needs
/// `--used`, or `--old-key-is-unused`. A step out of order is refused with exit code 1. The file
/// keeps its comments and its layout, and is replaced in one step.
#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// The TOML file with the callers.
    file: PathBuf,
    /// The caller whose key is rotated.
    caller: String,
    /// Refuse unless this is the next step.
    #[arg(long, value_enum)]
    step: Option<Step>,
    /// The label of the new key. Default: the year and the month.
    #[arg(long = "key-version", value_name = "LABEL")]
    version: Option<String>,
    /// The label of the old key, if two are active. Default: the first in the file.
    #[arg(long, value_name = "LABEL")]
    old: Option<String>,
    /// The scheme, if the caller has keys of several.
    #[arg(long, value_enum)]
    scheme: Option<KeyKind>,
    /// Read which keys are used from the metrics at this http URL, or in this file. Name every
    /// replica.
    #[arg(long, value_name = "URL")]
    used: Vec<String>,
    /// With --used: how long the old key must be unused before it can go.
    #[arg(long, value_name = "HOURS", default_value_t = 48)]
    unused_for: u32,
    /// Remove the old key without metrics.
    #[arg(long, conflicts_with = "used")]
    old_key_is_unused: bool,
    /// Change nothing, and say what the next step is.
    #[arg(long)]
    dry_run: bool,
}

impl Rotate {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        if self.file.as_os_str() == "-" {
            return Err(Failure::usage("expected a file, found standard input"));
        }
        let name = input::shown(&self.file);
        let text = input::read_text(terminal, &self.file, input::MAX_CONFIG_LEN)?;
        key_file::ensure_loads(&text).map_err(|error| Failure::from(error).within(&name))?;
        let listed = key_file::list(&text);
        let keys = self.keys(&listed)?;
        let now = terminal.now();
        let next = step::next(&keys, self.old.as_deref(), now)
            .map_err(|failure| failure.within(format_args!("caller {}", self.caller)))?;
        if let Some(step) = self.step.filter(|step| *step != next.step) {
            return Err(Failure::refused(format_args!(
                "caller {}: the next step is {}, not {}",
                self.caller,
                next.step.name(),
                step.name()
            )));
        }
        let uses = key_use::read(terminal, &self.used, &self.caller)?;
        if next.step == Step::Remove {
            self.ensure_unused(&next, &uses, now)?;
        }
        let mut answer = Rotated {
            caller: &self.caller,
            file: name,
            step: next.step,
            is_written: !self.dry_run,
            old: version(next.old),
            new: next.new.map(|key| version(key).to_owned()),
            snippet: None,
            uses: Use::list(&uses, now),
        };
        let mut edit = Edit::new(&text)?;
        match next.step {
            Step::Add => {
                let (version, snippet) = self.add(&mut edit, &keys, next.old, now)?;
                answer.new = Some(version);
                answer.snippet = (!self.dry_run).then_some(snippet);
            }
            Step::AcceptOnly => edit.set_state(&self.caller, answer.old, "accept-only")?,
            Step::Remove => edit.remove(&self.caller, answer.old)?,
        }
        let changed = Zeroizing::new(edit.into_text());
        key_file::ensure_loads(&changed)
            .map_err(|error| Failure::from(error).within("the file would not load"))?;
        if !self.dry_run {
            replace_file::replace(&self.file, &text, &changed)?;
        }
        terminal.answer(format, &answer)?;
        Ok(Exit::Yes)
    }

    /// Returns the keys of the caller that are not revoked, of one scheme.
    fn keys<'k>(&self, listed: &'k [ListedKey]) -> Result<Vec<&'k ListedKey>, Failure> {
        let of_caller = |key: &&ListedKey| key.side == Side::Caller && key.name == self.caller;
        if !listed.iter().any(|key| of_caller(&key)) {
            return Err(Failure::usage(format_args!(
                "caller {:?}: expected in the file, found none",
                self.caller
            )));
        }
        let wanted = self.scheme.map(|kind| kind.scheme().name());
        let keys: Vec<_> = listed
            .iter()
            .filter(of_caller)
            .filter(|key| key.state != "revoked")
            .filter(|key| wanted.is_none_or(|wanted| wanted == key.scheme))
            .collect();
        let first = keys.first().map(|key| key.scheme);
        match keys.iter().find(|key| Some(key.scheme) != first) {
            None => Ok(keys),
            Some(other) => Err(Failure::usage(format_args!(
                "caller {}: expected --scheme, because it has keys of {} and {}",
                self.caller,
                first.unwrap_or_default(),
                other.scheme
            ))),
        }
    }

    fn ensure_unused(&self, next: &Next<'_>, uses: &KeyUse, now: Timestamp) -> Result<(), Failure> {
        let old = version(next.old);
        let caller = &self.caller;
        let has_ended = next.old.ends_at().is_some_and(|end| end <= now);
        if has_ended || self.old_key_is_unused {
            return Ok(());
        }
        if self.used.is_empty() {
            return Err(Failure::refused(format_args!(
                "caller {caller}: expected --used URL or --old-key-is-unused, because key {old} \
                 still verifies"
            )));
        }
        let Some(last) = uses.get(old) else {
            return Err(Failure::refused(format_args!(
                "caller {caller}: no replica has seen key {old} since it started. If you know the \
                 time before as well, give --old-key-is-unused"
            )));
        };
        let unused = now.abs_diff(*last);
        let enough = Duration::from_secs(3600).saturating_mul(self.unused_for);
        if *last > now || unused < enough {
            return Err(Failure::refused(format_args!(
                "caller {caller}: key {old} was used {} ago, expected at least {} hours",
                ago(unused),
                self.unused_for
            )));
        }
        match next.new.map(version) {
            Some(new) if !uses.contains_key(new) => Err(Failure::refused(format_args!(
                "caller {caller}: the new key {new} has not been used, so the caller may be silent"
            ))),
            _ => Ok(()),
        }
    }

    /// Adds a new key like the old one. Returns its version and what the caller needs of it.
    fn add(
        &self,
        edit: &mut Edit,
        keys: &[&ListedKey],
        old: &ListedKey,
        now: Timestamp,
    ) -> Result<(String, Zeroizing<String>), Failure> {
        let version = match &self.version {
            Some(version) => version.clone(),
            None => free_version(&calendar::year_and_month(now)?, keys),
        };
        KeyVersion::new(&version).map_err(|error| error.within("--key-version"))?;
        let kind = KeyKind::of_listed(old.scheme, old.kind)
            .ok_or_else(|| Failure::usage("expected a scheme of this program"))?;
        let material = Material::generate(kind)?;
        let (name, text) = material.callee_entry();
        let mut entries = vec![("version", version.as_str())];
        if !kind.has_targets() {
            entries.push(("scheme", kind.scheme().name()));
        }
        if let Some(key_id) = material.key_id() {
            entries.push(("key_id", key_id));
        }
        entries.push((name, text));
        edit.add(&self.caller, step::version(old), &entries)?;
        let snippet = new_key_of_caller(&version, &material);
        Ok((version, snippet))
    }
}

/// Returns the label, or the label and a number if a key has it.
fn free_version(label: &str, keys: &[&ListedKey]) -> String {
    let is_taken = |label: &str| keys.iter().any(|key| version(key) == label);
    if !is_taken(label) {
        return label.to_owned();
    }
    // A caller has four keys at most.
    let mut numbered = (2..=6).map(|number| format!("{label}-{number}"));
    numbered.find(|label| !is_taken(label)).unwrap_or_default()
}

fn ago(distance: Duration) -> String {
    match distance.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Rotated<'r> {
    caller: &'r str,
    file: String,
    step: Step,
    #[serde(rename = "written")]
    is_written: bool,
    old: &'r str,
    new: Option<String>,
    snippet: Option<Zeroizing<String>>,
    uses: Vec<Use>,
}

/// The last use of a key.
#[derive(Serialize)]
struct Use {
    version: String,
    #[serde(rename = "last_use")]
    last: String,
    #[serde(skip)]
    ago: String,
}

impl Use {
    fn list(uses: &KeyUse, now: Timestamp) -> Vec<Self> {
        let uses = uses.iter();
        uses.map(|(version, last)| Self {
            version: version.clone(),
            last: last.to_string(),
            ago: ago(now.abs_diff(*last)),
        })
        .collect()
    }
}

impl Answer for Rotated<'_> {
    fn to_text(&self, paint: Paint) -> String {
        let Self {
            caller, file, old, ..
        } = self;
        let new = self.new.as_deref().unwrap_or_default();
        let (what, next) = match self.step {
            Step::Add => (
                format!("key {new} is in {file} beside key {old}"),
                format!("reload the callee, give {caller} the key below, then run this again"),
            ),
            Step::AcceptOnly => (
                format!("key {old} is accept-only, key {new} is the one to sign with"),
                format!("wait until {caller} no longer uses key {old}, then run this with --used"),
            ),
            Step::Remove => (
                format!("key {old} is no longer in {file}, key {new} is"),
                "reload the callee: the rotation is done".to_owned(),
            ),
        };
        let step = format!("step {} of 3, {}:", self.step.number(), self.step.name());
        let mut text = format!("{} {what}\n", paint.paint(Tone::Good, step));
        if !self.is_written {
            text = format!(
                "{} would write {text}",
                paint.paint(Tone::Warning, "dry run:")
            );
        }
        for Use { version, ago, .. } in &self.uses {
            let _ = writeln!(text, "used: key {version}, {ago} ago");
        }
        let _ = writeln!(text, "next: {next}");
        if let Some(snippet) = &self.snippet {
            let _ = write!(text, "\n{}", snippet.as_str());
        }
        text
    }
}
