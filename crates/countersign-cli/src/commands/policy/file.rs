//! A policy in a file, from the arguments of a command.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign::{ConfigError, ExecuteApi, Membership, Policy};

use crate::{Terminal, failure::Failure, input};

/// The arguments that name a policy, and the service that a JSON policy is about.
#[derive(Args, Debug)]
pub(super) struct PolicyFile {
    /// The policy, in TOML, or in JSON if the name ends in `.json`; `-` is standard input, TOML.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the service in a JSON policy.
    #[arg(
        long,
        value_name = "REGION/ACCOUNT/API/STAGE",
        help_heading = "JSON policies"
    )]
    api: Option<String>,
    /// The callers of an account that a JSON policy names. May be given several times.
    #[arg(long, value_name = "ACCOUNT=CALLER,…", help_heading = "JSON policies")]
    account: Vec<String>,
    /// The callers of a group that a JSON policy names. May be given several times.
    #[arg(long, value_name = "GROUP=CALLER,…", help_heading = "JSON policies")]
    group: Vec<String>,
    /// A further method that a JSON policy may name, such as PURGE. May be given several times.
    #[arg(long, value_name = "METHOD", help_heading = "JSON policies")]
    extension_method: Vec<String>,
    /// Accept a JSON policy that several APIs share, and list the parts about other APIs.
    #[arg(long, help_heading = "JSON policies")]
    shared: bool,
}

impl PolicyFile {
    /// Returns the name of the file for a message.
    pub(super) fn name(&self) -> String {
        input::shown(&self.file)
    }

    /// Loads the policy as a service does. The inner error is the one with which the service would
    /// refuse it.
    ///
    /// # Errors
    ///
    /// [`Exit::Unavailable`](crate::Exit::Unavailable) if the file cannot be read,
    /// [`Exit::Usage`](crate::Exit::Usage) if an argument is malformed.
    pub(super) fn load(
        &self,
        terminal: &mut Terminal<'_>,
    ) -> Result<Result<Policy, ConfigError>, Failure> {
        let text = input::read_text(terminal, &self.file, input::MAX_CONFIG_LEN)?;
        let is_json = Path::new(&self.file)
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("json"));
        if is_json {
            let api = self.execute_api()?;
            return Ok(Policy::from_json(&text, &api));
        }
        let json_alone = [&self.account, &self.group, &self.extension_method];
        if self.api.is_some() || self.shared || json_alone.iter().any(|it| !it.is_empty()) {
            return Err(Failure::usage(
                "expected a JSON policy, because an option for one is given, found TOML",
            ));
        }
        Ok(Policy::from_toml(&text))
    }

    fn execute_api(&self) -> Result<ExecuteApi, Failure> {
        let expected =
            || Failure::usage("expected --api REGION/ACCOUNT/API/STAGE, which names the service");
        let api = self.api.as_deref().ok_or_else(expected)?;
        let parts: Vec<&str> = api.split('/').collect();
        let [region, account, api, stage] = parts[..] else {
            return Err(expected());
        };
        let mut membership = Membership::new();
        for entry in &self.account {
            let (name, callers) = members(entry)?;
            membership = membership.with_account(name, callers)?;
        }
        for entry in &self.group {
            let (name, callers) = members(entry)?;
            membership = membership.with_group(name, callers)?;
        }
        let api = ExecuteApi::new(region, account, api, stage)?
            .with_membership(membership)
            .with_extension_methods(&self.extension_method)?;
        Ok(if self.shared {
            api.with_shared_documents()
        } else {
            api
        })
    }
}

fn members(entry: &str) -> Result<(&str, impl Iterator<Item = &str>), Failure> {
    let (name, callers) = entry
        .split_once('=')
        .ok_or_else(|| Failure::usage("expected NAME=CALLER,CALLER, found no equals sign"))?;
    Ok((name, callers.split(',')))
}
