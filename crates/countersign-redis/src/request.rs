use countersign::{ClaimOutcome, ReplayKey, Unavailable};
use redis::{Cmd, Value, cmd};

use crate::error::Error;

/// A random value per claim, unchanged in a retry. A claim that finds its own token was the first.
#[derive(Clone, Copy)]
pub(crate) struct Token([u8; 16]);

impl Token {
    pub(crate) fn random() -> Result<Self, Unavailable> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)
            .map_err(|error| Unavailable::new("replay store").with_source(error))?;
        Ok(Self(token))
    }

    /// Returns the command `SET key token NX GET PX millis`: one round trip, atomic in the server.
    pub(crate) fn claim(&self, key: &str, millis: u64) -> Cmd {
        let mut command = cmd("SET");
        command
            .arg(key)
            .arg(&self.0[..])
            .arg("NX")
            .arg("GET")
            .arg("PX")
            .arg(millis);
        command
    }

    /// Interprets the answer. `Fresh` means that the entry did not exist, or that this claim
    /// created it.
    pub(crate) fn read(&self, answer: &Value) -> Result<ClaimOutcome, Error> {
        match answer {
            Value::Nil => Ok(ClaimOutcome::Fresh),
            Value::BulkString(token) if *token == self.0 => Ok(ClaimOutcome::Fresh),
            Value::BulkString(_) => Ok(ClaimOutcome::Replayed),
            _ => Err(Error::refused(
                "expected a token or nil in answer to SET, found another value",
            )),
        }
    }
}

/// Returns the name of an entry. Hexadecimal digits let an operator search for it. There are no
/// braces, because a cluster would hash only the text inside them.
pub(crate) fn entry(namespace: &str, key: &ReplayKey) -> String {
    let key = base16ct::lower::encode_string(key.as_bytes());
    format!("{namespace}:{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_one_command() {
        let command = Token(*b"0123456789abcdef").claim("countersign:00", 5001);
        let packed = String::from_utf8(command.get_packed_command()).unwrap();
        assert_eq!(
            packed,
            concat!(
                "*7\r\n$3\r\nSET\r\n$14\r\ncountersign:00\r\n$16\r\n0123456789abcdef\r\n",
                "$2\r\nNX\r\n$3\r\nGET\r\n$2\r\nPX\r\n$4\r\n5001\r\n"
            )
        );
    }

    #[test]
    fn only_nil_and_the_same_token_are_fresh() {
        let token = Token(*b"0123456789abcdef");
        let text = |text: &[u8]| Value::BulkString(text.to_vec());
        for (name, answer, expected) in [
            ("nil", Value::Nil, Some(ClaimOutcome::Fresh)),
            (
                "the same token",
                text(b"0123456789abcdef"),
                Some(ClaimOutcome::Fresh),
            ),
            (
                "another token",
                text(b"0123456789abcdeF"),
                Some(ClaimOutcome::Replayed),
            ),
            (
                "a part of the token",
                text(b"0123456789abcde"),
                Some(ClaimOutcome::Replayed),
            ),
            (
                "more than the token",
                text(b"0123456789abcdef0"),
                Some(ClaimOutcome::Replayed),
            ),
            ("an empty token", text(b""), Some(ClaimOutcome::Replayed)),
            ("the answer to SET without GET", Value::Okay, None),
            ("a number", Value::Int(1), None),
            ("a word", Value::SimpleString("QUEUED".to_owned()), None),
            ("a list", Value::Array(vec![Value::Nil]), None),
        ] {
            assert_eq!(token.read(&answer).ok(), expected, "{name}");
        }
    }

    #[test]
    fn tokens_differ() {
        let [one, other] = [Token::random().unwrap(), Token::random().unwrap()];
        assert_ne!(one.0, other.0);
    }

    #[test]
    fn an_entry_is_named_by_the_whole_key() {
        let key = ReplayKey::new("", "billing", "n");
        let name = entry("countersign", &key);
        assert_eq!(name.len(), "countersign:".len() + 32);
        assert!(name.starts_with("countersign:"));
        assert_ne!(
            name,
            entry("countersign", &ReplayKey::new("", "billing", "m"))
        );
        assert_ne!(name, entry("other", &key));
    }
}
