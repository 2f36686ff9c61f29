//! Parses AWS's shared credentials file: profiles in brackets, settings with `=`.

use zeroize::Zeroizing;

use super::{
    provider::SigV4Credentials,
    static_credentials::{Part, StaticCredentials},
};
use crate::error::{ConfigError, ConfigErrorKind, nearest};

const ACCESS_KEY_ID: &str = "aws_access_key_id";
const SECRET_ACCESS_KEY: &str = "aws_secret_access_key";
const SESSION_TOKEN: &str = "aws_session_token";

/// Settings with which AWS's tools get credentials from elsewhere.
const OTHER_WAYS: [&str; 7] = [
    "credential_process",
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "login_session",
    // Old tools wrote this name. Ignoring it would sign without the token, and every request would
    // be refused.
    "aws_security_token",
];

/// Parses the credentials of a profile.
pub(super) fn credentials(text: &str, profile: &str) -> Result<SigV4Credentials, ConfigError> {
    let found = Profile::find(text, profile)?;
    let required = |setting: Option<Setting>, name: &str| {
        setting.ok_or_else(|| {
            let problem = format!("profile {profile}: {name}: expected a value, found none");
            ConfigError::new(ConfigErrorKind::Key, problem)
        })
    };
    let id = required(found.access_key_id, ACCESS_KEY_ID)?;
    let secret = required(found.secret_access_key, SECRET_ACCESS_KEY)?;
    let token = found.session_token.as_ref();
    StaticCredentials {
        access_key_id: id.value.clone(),
        secret_access_key: secret.value.clone(),
        session_token: token.map(|token| token.value.clone()),
        expiration: None,
    }
    .read()
    .map_err(|(part, error)| {
        let (line, name) = match part {
            Part::AccessKeyId => (id.line, ACCESS_KEY_ID),
            Part::SecretAccessKey => (secret.line, SECRET_ACCESS_KEY),
            // The file holds no expiry.
            Part::SessionToken | Part::Expiration => {
                (token.map_or(secret.line, |token| token.line), SESSION_TOKEN)
            }
        };
        error.within(format_args!("line {line}: profile {profile}: {name}"))
    })
}

/// The settings of one profile that form credentials.
#[derive(Default)]
struct Profile {
    access_key_id: Option<Setting>,
    secret_access_key: Option<Setting>,
    session_token: Option<Setting>,
}

struct Setting {
    line: usize,
    value: Zeroizing<String>,
}

enum Line<'t> {
    Nothing,
    Profile(&'t str),
    Setting(&'t str, &'t str),
    /// A continuation of the previous setting.
    Continuation,
    Unknown,
}

impl Profile {
    fn find(text: &str, name: &str) -> Result<Self, ConfigError> {
        let wrong = |line: usize, problem: &str| {
            ConfigError::new(ConfigErrorKind::File, format!("line {line}: {problem}"))
        };
        if text.starts_with('\u{feff}') {
            return Err(wrong(1, "expected a profile, found a byte order mark"));
        }
        let mut found: Option<Self> = None;
        let mut names = Vec::new();
        let mut is_within = false;
        let mut last = "";
        for (number, line) in (1..).zip(text.lines()) {
            match Line::read(line) {
                Line::Nothing => {}
                Line::Profile(profile) => {
                    names.push(profile);
                    last = "";
                    is_within = profile == name;
                    if is_within {
                        found.get_or_insert_default();
                    }
                }
                Line::Setting(..) | Line::Continuation if names.is_empty() => {
                    return Err(wrong(
                        number,
                        "expected a profile in brackets, found a setting",
                    ));
                }
                Line::Setting(setting, value) => {
                    last = setting;
                    if let Some(profile) = found.as_mut().filter(|_| is_within) {
                        let place = format!("line {number}: profile {name}");
                        profile
                            .set(number, setting, value)
                            .map_err(|error| error.within(place))?;
                    }
                }
                Line::Continuation => {
                    if is_within && is_ours(last) {
                        let problem = format!(
                            "profile {name}: {}: expected one line, found another that belongs to \
                             it",
                            last.to_ascii_lowercase()
                        );
                        return Err(wrong(number, &problem));
                    }
                }
                Line::Unknown => {
                    return Err(wrong(
                        number,
                        "expected a profile in brackets, a setting with =, or a comment, found \
                         something else",
                    ));
                }
            }
        }
        found.ok_or_else(|| no_such_profile(name, &names))
    }

    fn set(&mut self, line: usize, name: &str, value: &str) -> Result<(), ConfigError> {
        let name = name.to_ascii_lowercase();
        let setting = match &*name {
            ACCESS_KEY_ID => &mut self.access_key_id,
            SECRET_ACCESS_KEY => &mut self.secret_access_key,
            SESSION_TOKEN => &mut self.session_token,
            other if OTHER_WAYS.contains(&other) || other.starts_with("sso_") => {
                return Err(ConfigError::new(
                    ConfigErrorKind::File,
                    format!(
                        "expected {ACCESS_KEY_ID}, {SECRET_ACCESS_KEY} and {SESSION_TOKEN} alone, \
                         found {other}"
                    ),
                ));
            }
            _ => return Ok(()),
        };
        if value.is_empty() {
            return Ok(());
        }
        if setting.is_some() {
            return Err(ConfigError::new(
                ConfigErrorKind::File,
                format!("{name}: expected once, found twice"),
            ));
        }
        *setting = Some(Setting {
            line,
            value: Zeroizing::new(value.to_owned()),
        });
        Ok(())
    }
}

fn is_ours(name: &str) -> bool {
    [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

impl<'t> Line<'t> {
    fn read(line: &'t str) -> Self {
        let text = line.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            return Self::Nothing;
        }
        if line.starts_with([' ', '\t']) {
            return Self::Continuation;
        }
        if let Some(rest) = text.strip_prefix('[') {
            return match rest.split_once(']') {
                Some((name, after)) if without_comment(after).is_empty() => {
                    Self::Profile(name.trim())
                }
                Some(_) | None => Self::Unknown,
            };
        }
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Self::Setting(name.trim(), without_comment(value))
            }
            Some(_) | None => Self::Unknown,
        }
    }
}

/// Trims a value and removes its comment. Inside a value, a comment starts after white space.
fn without_comment(value: &str) -> &str {
    let mut before = ' ';
    for (at, character) in value.char_indices() {
        if matches!(character, '#' | ';') && before.is_whitespace() {
            return value.get(..at).unwrap_or(value).trim();
        }
        before = character;
    }
    value.trim()
}

fn no_such_profile(name: &str, names: &[&str]) -> ConfigError {
    let wrong = |found: String| {
        ConfigError::new(
            ConfigErrorKind::File,
            format!("profile {name:?}: expected it in the file, found {found}"),
        )
    };
    let of_config = |found: &&&str| {
        let rest = found.strip_prefix("profile");
        rest.is_some_and(|rest| rest.trim() == name)
    };
    if let Some(found) = names.iter().find(of_config) {
        return wrong(format!(
            "[{found}], which is the form of the config file: expected [{name}]"
        ));
    }
    let known: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| name.len() <= 24)
        .take(8)
        .collect();
    if known.is_empty() {
        return wrong("none".to_owned());
    }
    let near = match nearest(name, known.iter().copied()) {
        Some(near) => format!(" (did you mean {near}?)"),
        None => String::new(),
    };
    wrong(format!("{}{near}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct/Horse+battery/Staple+0123456789";
    const OTHER: &str = "another/Horse+battery/Staple+0123456789";

    fn complete() -> String {
        format!(
            "# written by a tool\n[default]\naws_access_key_id = AKIDBILLING\n\
             aws_secret_access_key = {SECRET}\n\n\
             [ temporary ] ; for an hour\nAWS_Access_Key_Id=ASIABILLING\n\
             aws_secret_access_key={OTHER} # rotated\n\
             aws_session_token = token//+==\nregion = eu-central-1\ns3 =\n  max_retries = 3\n"
        )
    }

    #[test]
    fn each_profile_has_its_own_credentials() {
        for text in [complete(), complete().replace('\n', "\r\n")] {
            let default = credentials(&text, "default").unwrap();
            assert_eq!(default.access_key_id(), &"AKIDBILLING");
            assert!(default.session_token.is_none());
            let temporary = credentials(&text, "temporary").unwrap();
            assert_eq!(temporary.access_key_id(), &"ASIABILLING");
            assert_eq!(temporary.session_token.unwrap().as_str(), "token//+==");
            assert!(!default.key.fingerprints().eq(temporary.key.fingerprints()));
        }
    }

    #[test]
    fn a_profile_in_two_parts_is_one() {
        let text =
            format!("[a]\naws_access_key_id = AKID\n[b]\n[a]\naws_secret_access_key = {SECRET}\n");
        assert!(credentials(&text, "a").is_ok());
    }

    /// Source: AWS SDKs and Tools Reference Guide, the settings of each way to get credentials.
    #[test]
    fn refuses_profiles_that_get_their_credentials_in_another_way_and_names_it() {
        for name in [
            "credential_process",
            "role_arn",
            "source_profile",
            "credential_source",
            "web_identity_token_file",
            "login_session",
            "sso_session",
            "sso_start_url",
            "SSO_Account_Id",
            "aws_security_token",
        ] {
            let text = format!("{}{name} = value\n", complete());
            let error = credentials(&text, "temporary").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "line 13: profile temporary: expected aws_access_key_id, aws_secret_access_key \
                     and aws_session_token alone, found {}",
                    name.to_ascii_lowercase()
                )
            );
            assert!(credentials(&text, "default").is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_without_the_secret() {
        let with = |from: &str, to: &str| complete().replace(from, to);
        for (text, profile, expected) in [
            (
                complete(),
                "temprary",
                "profile \"temprary\": expected it in the file, found default, temporary (did you \
                 mean temporary?)",
            ),
            (
                String::new(),
                "default",
                "profile \"default\": expected it in the file, found none",
            ),
            (
                with("[ temporary ]", "[profile temporary]"),
                "temporary",
                "profile \"temporary\": expected it in the file, found [profile temporary], which \
                 is the form of the config file: expected [temporary]",
            ),
            (
                with("aws_access_key_id = AKIDBILLING", "aws_access_key_id ="),
                "default",
                "profile default: aws_access_key_id: expected a value, found none",
            ),
            (
                with(&format!(" = {SECRET}"), &format!(" = \"{SECRET}\"")),
                "default",
                "line 4: profile default: aws_secret_access_key: expected the key alone, found a \
                 text that is enclosed in quotes",
            ),
            (
                with("token//", "to ken//"),
                "temporary",
                "line 9: profile temporary: aws_session_token: expected visible ASCII characters, \
                 found none or others",
            ),
            (
                with("AKIDBILLING", "AKID=BILLING"),
                "default",
                "line 3: profile default: aws_access_key_id: expected an access key id of 1 to 128 \
                 visible ASCII characters without = , ; \" \\, found another text",
            ),
            (
                with("aws_session_token = ", "aws_secret_access_key = "),
                "temporary",
                "line 9: profile temporary: aws_secret_access_key: expected once, found twice",
            ),
            (
                with("\n\n", "\n  and more\n"),
                "default",
                "line 5: profile default: aws_secret_access_key: expected one line, found another \
                 that belongs to it",
            ),
            (
                with("# written by a tool", "aws_access_key_id = AKID"),
                "default",
                "line 1: expected a profile in brackets, found a setting",
            ),
            (
                with("# written by a tool", "[default"),
                "default",
                "line 1: expected a profile in brackets, a setting with =, or a comment, found \
                 something else",
            ),
            (
                with("# written", "\u{feff}# written"),
                "default",
                "line 1: expected a profile, found a byte order mark",
            ),
            (
                with(SECRET, "short"),
                "default",
                "line 4: profile default: aws_secret_access_key: weak key: expected at least 32 \
                 bytes, found 5",
            ),
        ] {
            let error = credentials(&text, profile).unwrap_err().to_string();
            assert_eq!(error, expected);
            assert!(!error.contains("Horse"), "{error}");
        }
    }
}
