//! The parts of this service's resource names, and the callers of accounts, for policies in JSON.

use std::fmt;

use countersign::{ExecuteApi, Membership};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use tower_countersign::BoxError;

use crate::config::variable;

const ACCOUNTS: &str = "POLICY_ACCOUNTS";

/// The variables that only a policy in JSON needs.
const VARIABLES: [&str; 6] = [
    "POLICY_REGION",
    "POLICY_ACCOUNT",
    "POLICY_API",
    "POLICY_STAGE",
    ACCOUNTS,
    "POLICY_SHARED",
];

/// Reads the parts of this service's resource names.
pub(crate) fn from_env() -> Result<ExecuteApi, BoxError> {
    let region = variable("POLICY_REGION")?;
    let account = variable("POLICY_ACCOUNT")?;
    let api = variable("POLICY_API")?;
    let stage = variable("POLICY_STAGE")?;
    let mut api = ExecuteApi::new(
        region.as_deref().unwrap_or("us-east-1"),
        account.as_deref().unwrap_or("000000000000"),
        api.as_deref().unwrap_or("user-service"),
        stage.as_deref().unwrap_or("prod"),
    )
    .map_err(|error| {
        format!("POLICY_REGION, POLICY_ACCOUNT, POLICY_API or POLICY_STAGE: {error}")
    })?;
    if let Some(json) = variable(ACCOUNTS)? {
        api = api.with_membership(membership(&json)?);
    }
    match variable("POLICY_SHARED")?.as_deref() {
        Some("true" | "1") => Ok(api.with_shared_documents()),
        Some("false" | "0") | None => Ok(api),
        Some(found) => {
            Err(format!("POLICY_SHARED: expected true or false, found {found:?}").into())
        }
    }
}

/// Refuses variables that have no effect, because the operator would expect one.
pub(crate) fn ensure_unset(why: &str) -> Result<(), BoxError> {
    for name in VARIABLES {
        if variable(name)?.is_some() {
            return Err(format!("{name}: expected to be unset, because {why}").into());
        }
    }
    Ok(())
}

/// Reads a JSON object of account to the names of its callers.
fn membership(json: &str) -> Result<Membership, BoxError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let accounts = deserializer
        .deserialize_map(Accounts)
        .and_then(|accounts| deserializer.end().map(|()| accounts))
        .map_err(|error| {
            format!("{ACCOUNTS}: expected a JSON object of account to names of callers: {error}")
        })?;
    let mut membership = Membership::new();
    for (account, callers) in accounts {
        membership = membership
            .with_account(&account, callers)
            .map_err(|error| format!("{ACCOUNTS}: {error}"))?;
    }
    Ok(membership)
}

/// Reads the members one by one: a map would silently keep only one of two equal accounts.
struct Accounts;

impl<'de> Visitor<'de> for Accounts {
    type Value = Vec<(String, Vec<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of lists of names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut accounts = Vec::new();
        while let Some(account) = map.next_entry()? {
            accounts.push(account);
        }
        Ok(accounts)
    }
}
