//! A TOML file with keys, as a list. No secret leaves this room.

use countersign::{
    ConfigError, DerivedKeyring, Keyring, Scheme, TargetSigners, Timestamp, Verifier,
};
use serde::Serialize;
use toml_edit::{Document, Item, Table, TableLike};

/// Loads the callers, the roots and the targets of a text as a service does.
///
/// # Errors
///
/// The error with which the service would refuse the text. It holds no key.
pub(crate) fn ensure_loads(text: &str) -> Result<(), ConfigError> {
    let document = text.parse::<Document<String>>();
    let has = |name| document.as_ref().is_ok_and(|it| it.contains_key(name));
    if has("derived") {
        // The service has expected hosts, which are in no file.
        let verifier = Verifier::builder().expected_hosts(["callee"]).build()?;
        DerivedKeyring::from_toml(text, &verifier)?;
    } else if has("callers") || !has("targets") {
        Keyring::from_toml(text)?;
    }
    if has("targets") {
        TargetSigners::from_toml(text)?;
    }
    Ok(())
}

/// The use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// Verifies the requests of a caller.
    Caller,
    /// Derives the keys of callers.
    Root,
    /// Signs requests to a target.
    Target,
}

/// A key of a file, without its text.
#[derive(Debug, Serialize)]
pub(crate) struct ListedKey {
    pub(crate) side: Side,
    /// The caller, the target, or the callee of a root.
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    /// The start of the key id, if it is not the caller's name. It may be a misplaced secret.
    pub(crate) key_id: Option<String>,
    pub(crate) scheme: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) bytes: usize,
    pub(crate) state: String,
    pub(crate) not_before: Option<String>,
    pub(crate) not_after: Option<String>,
    pub(crate) insecure_three_headers: bool,
}

impl ListedKey {
    /// Returns the key's place in a message.
    pub(crate) fn place(&self) -> String {
        let side = match self.side {
            Side::Caller => "caller",
            Side::Root => "root of",
            Side::Target => "target",
        };
        match &self.version {
            Some(version) => format!("{side} {}, key {version}", self.name),
            None => format!("{side} {}", self.name),
        }
    }

    /// Returns whether the key verifies or signs at this moment.
    pub(crate) fn is_in_force(&self, now: Timestamp) -> bool {
        let is_stated = match self.side {
            Side::Caller | Side::Root => self.state != "revoked",
            Side::Target => self.state == "active",
        };
        is_stated
            && moment(self.not_before.as_deref()).is_none_or(|from| from <= now)
            && moment(self.not_after.as_deref()).is_none_or(|until| now < until)
    }

    /// Returns the end of validity.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        moment(self.not_after.as_deref())
    }

    /// Returns the start of validity.
    pub(crate) fn begins_at(&self) -> Option<Timestamp> {
        moment(self.not_before.as_deref())
    }
}

fn moment(text: Option<&str>) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text?.parse().ok()?;
    Some(Timestamp::from_unix_micros(moment.as_microsecond()))
}

/// Lists the keys of a text that loads.
pub(crate) fn list(text: &str) -> Vec<ListedKey> {
    let Ok(document) = text.parse::<Document<String>>() else {
        return Vec::new();
    };
    let document = document.as_table();
    let mut keys = Vec::new();
    for caller in tables(document, "callers") {
        let name = string(caller, "name").unwrap_or_default();
        let listed = tables(caller, "keys").into_iter();
        keys.extend(listed.map(|key| listed_key(Side::Caller, &name, key, false)));
    }
    if let Some(derived) = document.get("derived").and_then(|it| it.as_table_like()) {
        let name = string(derived, "callee").unwrap_or_default();
        let roots = tables(derived, "roots").into_iter();
        keys.extend(roots.map(|root| listed_key(Side::Root, &name, root, false)));
    }
    for target in tables(document, "targets") {
        let name = string(target, "name").unwrap_or_default();
        let is_three = boolean(target, "insecure_three_headers");
        let several = tables(target, "keys");
        if several.is_empty() && !boolean(target, "unsigned") {
            keys.push(listed_key(Side::Target, &name, target, is_three));
        }
        let several = several.into_iter();
        keys.extend(several.map(|key| listed_key(Side::Target, &name, key, is_three)));
    }
    keys
}

/// Returns the tables of an array, in either of its two forms.
fn tables<'d>(table: &'d dyn TableLike, name: &str) -> Vec<&'d dyn TableLike> {
    let Some(item) = table.get(name) else {
        return Vec::new();
    };
    if let Some(array) = item.as_array_of_tables() {
        return array
            .iter()
            .map(|it: &Table| -> &dyn TableLike { it })
            .collect();
    }
    let values = item.as_array().into_iter().flatten();
    values
        .filter_map(|value| value.as_inline_table())
        .map(|it| -> &dyn TableLike { it })
        .collect()
}

fn string(table: &dyn TableLike, name: &str) -> Option<String> {
    table.get(name)?.as_str().map(str::to_owned)
}

fn boolean(table: &dyn TableLike, name: &str) -> bool {
    table.get(name).and_then(Item::as_bool).unwrap_or(false)
}

fn date(table: &dyn TableLike, name: &str) -> Option<String> {
    table.get(name)?.as_datetime().map(ToString::to_string)
}

fn listed_key(side: Side, name: &str, key: &dyn TableLike, is_three: bool) -> ListedKey {
    let length = |name: &str| key.get(name).and_then(|it| it.as_str());
    let secret = [
        length("secret_hex").map(|text| text.len() / 2),
        length("secret_base64").map(|text| {
            let base64 = text.strip_prefix("whsec_").unwrap_or(text);
            base64.trim_end_matches('=').len().saturating_mul(3) / 4
        }),
        length("secret_text").map(str::len),
    ];
    let (kind, bytes, default) = match secret.into_iter().flatten().next() {
        Some(bytes) => ("secret", bytes, Scheme::HmacSha256),
        None if side == Side::Target => ("private_key", 32, Scheme::Ed25519),
        None => ("public_key", 32, Scheme::Ed25519),
    };
    let scheme = string(key, "scheme");
    let mut schemes = Scheme::ALL.iter().map(|scheme| scheme.name());
    let scheme = scheme.and_then(|name| schemes.find(|known| *known == name));
    ListedKey {
        side,
        name: name.to_owned(),
        version: string(key, "version"),
        key_id: string(key, "key_id").map(|id| shortened(&id)),
        scheme: scheme.unwrap_or(default.name()),
        kind,
        bytes,
        state: string(key, "state").unwrap_or_else(|| "active".to_owned()),
        not_before: date(key, "not_before"),
        not_after: date(key, "not_after"),
        insecure_three_headers: is_three || boolean(key, "insecure_three_headers"),
    }
}

/// Shows the start of a key id, as errors of the core do.
fn shortened(id: &str) -> String {
    let start: String = id.chars().take(4).collect();
    if start == id {
        start
    } else {
        format!("{start}…")
    }
}
