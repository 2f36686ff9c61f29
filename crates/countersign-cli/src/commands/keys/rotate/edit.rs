//! Changes the keys of one caller in a TOML text, and nothing else in it.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::failure::Failure;

/// A TOML text that is being changed.
pub(super) struct Edit {
    document: DocumentMut,
}

impl Edit {
    /// # Errors
    ///
    /// [`Exit::Usage`](crate::Exit::Usage) if the text is no TOML.
    pub(super) fn new(text: &str) -> Result<Self, Failure> {
        // The parser's message would quote a line, which may hold a key.
        let document = text.parse::<DocumentMut>();
        let document = document.map_err(|_| Failure::usage("expected TOML"))?;
        Ok(Self { document })
    }

    /// Adds a key after the last one of a caller. Copies the rules of the old key.
    pub(super) fn add(
        &mut self,
        caller: &str,
        old: &str,
        entries: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let keys = self.keys(caller)?;
        let mut table = Table::new();
        for (name, text) in entries {
            table.insert(name, value(*text));
        }
        let rules = find(keys, old).and_then(|at| keys.get(at));
        for name in ["nonce", "insecure_three_headers", "key_id"] {
            let rule = rules.and_then(|old| old.get(name)).and_then(Item::as_value);
            if let (Some(rule), false) = (rule, table.contains_key(name)) {
                let mut rule = rule.clone();
                rule.decor_mut().clear();
                table.insert(name, Item::Value(rule));
            }
        }
        keys.push(table);
        Ok(())
    }

    /// Sets the state of a key.
    pub(super) fn set_state(
        &mut self,
        caller: &str,
        version: &str,
        state: &str,
    ) -> Result<(), Failure> {
        let keys = self.keys(caller)?;
        let table = find(keys, version).and_then(|at| keys.get_mut(at));
        table.ok_or_else(not_found)?.insert("state", value(state));
        Ok(())
    }

    /// Removes a key, and the comment above it.
    pub(super) fn remove(&mut self, caller: &str, version: &str) -> Result<(), Failure> {
        let keys = self.keys(caller)?;
        let at = find(keys, version).ok_or_else(not_found)?;
        keys.remove(at);
        Ok(())
    }

    pub(super) fn into_text(self) -> String {
        self.document.to_string()
    }

    fn keys(&mut self, caller: &str) -> Result<&mut ArrayOfTables, Failure> {
        let callers = self.document.get_mut("callers");
        let callers = callers.and_then(Item::as_array_of_tables_mut);
        let mut callers = callers.ok_or_else(not_found)?.iter_mut();
        let table = callers.find(|it| it.get("name").and_then(Item::as_str) == Some(caller));
        let keys = table.and_then(|table| table.get_mut("keys"));
        keys.and_then(Item::as_array_of_tables_mut)
            .ok_or_else(not_found)
    }
}

fn find(keys: &ArrayOfTables, version: &str) -> Option<usize> {
    let is_it = |key: &Table| key.get("version").and_then(Item::as_str) == Some(version);
    keys.iter().position(is_it)
}

fn not_found() -> Failure {
    Failure::usage("expected the keys of the caller as [[callers.keys]], found another form")
}
