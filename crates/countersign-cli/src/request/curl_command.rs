//! Reads a `curl` command line, as `curl` 8 would send it over HTTP/1.1.
//!
//! An option that changes the request and is not known here is an error: guessing would name a
//! wrong cause. Files are never opened, because the command may come from a stranger.

use base64ct::{Base64, Encoding as _};

use super::{
    Read,
    head::{HeadBuilder, split_header},
    shell_words,
    unreadable::shown,
};

/// Options with a value that change nothing that is sent.
const IGNORED_WITH_VALUE: &[&str] = &[
    "--cacert",
    "--cert",
    "--ciphers",
    "--connect-timeout",
    "--connect-to",
    "--cookie-jar",
    "--dump-header",
    "--interface",
    "--key",
    "--limit-rate",
    "--max-redirs",
    "--max-time",
    "--noproxy",
    "--output",
    "--proxy",
    "--resolve",
    "--retry",
    "--retry-delay",
    "--retry-max-time",
    "--stderr",
    "--tls-max",
    "--trace",
    "--trace-ascii",
    "--trace-config",
    "--unix-socket",
    "--write-out",
];

/// Options without a value that change nothing that is sent.
const IGNORED: &[&str] = &[
    "--compressed-ssh",
    "--fail",
    "--fail-with-body",
    "--http1.1",
    "--http2",
    "--http2-prior-knowledge",
    "--include",
    "--insecure",
    "--ipv4",
    "--ipv6",
    "--location",
    "--no-buffer",
    "--no-keepalive",
    "--no-progress-meter",
    "--progress-bar",
    "--remote-name",
    "--retry-all-errors",
    "--retry-connrefused",
    "--show-error",
    "--silent",
    "--tcp-nodelay",
    "--tlsv1.2",
    "--tlsv1.3",
    "--trace-ids",
    "--trace-time",
    "--verbose",
];

/// Short options and their long names.
const SHORT: &[(u8, &str)] = &[
    (b'0', "--http1.0"),
    (b'4', "--ipv4"),
    (b'6', "--ipv6"),
    (b'#', "--progress-bar"),
    (b'A', "--user-agent"),
    (b'D', "--dump-header"),
    (b'E', "--cert"),
    (b'F', "--form"),
    (b'G', "--get"),
    (b'H', "--header"),
    (b'I', "--head"),
    (b'K', "--config"),
    (b'L', "--location"),
    (b'N', "--no-buffer"),
    (b'O', "--remote-name"),
    (b'S', "--show-error"),
    (b'T', "--upload-file"),
    (b'X', "--request"),
    (b'b', "--cookie"),
    (b'c', "--cookie-jar"),
    (b'd', "--data"),
    (b'e', "--referer"),
    (b'f', "--fail"),
    (b'g', "--globoff"),
    (b'i', "--include"),
    (b'k', "--insecure"),
    (b'm', "--max-time"),
    (b'o', "--output"),
    (b's', "--silent"),
    (b'u', "--user"),
    (b'v', "--verbose"),
    (b'w', "--write-out"),
    (b'x', "--proxy"),
];

pub(super) fn read(input: &[u8]) -> Read {
    let input = input.trim_ascii_start();
    let input = input.strip_prefix(b"$ ").unwrap_or(input);
    let words = shell_words::split(input)?;
    let mut words = words.into_iter();
    if words.next().as_deref() != Some(b"curl") {
        return Err("expected curl as the first word".to_owned());
    }
    let mut command = Command::default();
    let mut options_ended = false;
    while let Some(word) = words.next() {
        if options_ended || word == b"-" || !word.starts_with(b"-") {
            command.set_url(word)?;
        } else if word == b"--" {
            options_ended = true;
        } else if word.starts_with(b"--") {
            let name = String::from_utf8_lossy(&word).into_owned();
            command.option(&name, &mut words)?;
        } else {
            command.short_options(&word, &mut words)?;
        }
    }
    command.finish()
}

/// The request that the options describe.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of curl without a value"
)]
struct Command {
    url: Option<Vec<u8>>,
    method: Option<Vec<u8>>,
    headers: Vec<Vec<u8>>,
    data: Option<Vec<u8>>,
    is_json: bool,
    is_encoded: bool,
    is_get: bool,
    is_head: bool,
    is_compressed: bool,
    path_as_is: bool,
    globs_off: bool,
    user_agent: Option<Vec<u8>>,
    referer: Option<Vec<u8>>,
    cookie: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl Command {
    fn set_url(&mut self, url: Vec<u8>) -> Result<(), String> {
        if self.url.is_some() {
            return Err(format!(
                "expected one URL, found another: \"{}\"",
                shown(&url)
            ));
        }
        self.url = Some(url);
        Ok(())
    }

    /// Reads a word of short options: `-sSXPOST`.
    fn short_options(
        &mut self,
        word: &[u8],
        words: &mut impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), String> {
        let mut letters = word.get(1..).unwrap_or_default();
        while let Some((letter, rest)) = letters.split_first() {
            let known = SHORT.iter().find(|(known, _)| known == letter);
            let Some((_, name)) = known else {
                return Err(unknown(&format!("-{}", shown(&[*letter]))));
            };
            if takes_value(name) && !rest.is_empty() {
                let mut rest = std::iter::once(rest.to_vec());
                return self.option(name, &mut rest);
            }
            self.option(name, words)?;
            letters = rest;
        }
        Ok(())
    }

    fn option(
        &mut self,
        name: &str,
        words: &mut impl Iterator<Item = Vec<u8>>,
    ) -> Result<(), String> {
        let mut value = || {
            words
                .next()
                .ok_or_else(|| format!("{name}: expected a value, found the end"))
        };
        match name {
            "--url" => {
                let url = value()?;
                self.set_url(url)?;
            }
            "--request" => self.method = Some(value()?),
            "--header" => {
                let line = value()?;
                if line.starts_with(b"@") {
                    return Err(in_file(name));
                }
                self.headers.push(line);
            }
            "--data" | "--data-ascii" | "--data-binary" | "--json" => {
                let data = value()?;
                if data.starts_with(b"@") {
                    return Err(in_file(name));
                }
                if name == "--json" {
                    self.is_json = true;
                    self.data.get_or_insert_default().extend_from_slice(&data);
                } else {
                    self.add_data(&data);
                }
            }
            "--data-raw" => {
                let data = value()?;
                self.add_data(&data);
            }
            "--data-urlencode" => {
                let data = urlencoded(&value()?)?;
                self.is_encoded = true;
                self.add_data(&data);
            }
            "--get" => self.is_get = true,
            "--head" => self.is_head = true,
            "--compressed" => self.is_compressed = true,
            "--path-as-is" => self.path_as_is = true,
            "--globoff" => self.globs_off = true,
            "--user-agent" => self.user_agent = Some(value()?),
            "--referer" => self.referer = Some(value()?),
            "--user" => self.user = Some(value()?),
            "--request-target" => self.target = Some(value()?),
            "--cookie" => {
                let cookie = value()?;
                if !cookie.contains(&b'=') {
                    return Err(in_file(name));
                }
                self.cookie = Some(cookie);
            }
            "--aws-sigv4" => {
                let problem = "curl makes this signature when it sends; record the request with \
                               curl --trace";
                return Err(format!("{name}: {problem}"));
            }
            "--form" | "--form-string" => {
                let problem = "the boundary of the body is random; record the request with curl \
                               --trace";
                return Err(format!("{name}: {problem}"));
            }
            "--upload-file" | "--config" => return Err(in_file(name)),
            _ if IGNORED_WITH_VALUE.contains(&name) => {
                value()?;
            }
            _ if IGNORED.contains(&name) => {}
            _ => return Err(unknown(&shown(name.as_bytes()))),
        }
        Ok(())
    }

    fn add_data(&mut self, data: &[u8]) {
        match &mut self.data {
            Some(all) => {
                all.push(b'&');
                all.extend_from_slice(data);
            }
            None => self.data = Some(data.to_vec()),
        }
    }

    fn finish(mut self) -> Read {
        let url = self.url.take().ok_or("expected a URL, found none")?;
        let url = Url::parse(&url, self.globs_off, self.path_as_is)?;
        if self.is_get && self.is_encoded {
            let problem = "--data-urlencode with --get: versions of curl encode it differently; \
                           record the request with curl --trace";
            return Err(problem.to_owned());
        }
        let mut body = self.data.take();
        let mut target = url.target;
        if self.is_get
            && let Some(data) = body.take()
        {
            target.push(if target.contains(&b'?') { b'&' } else { b'?' });
            target.extend_from_slice(&data);
        }
        if let Some(given) = self.target.take() {
            target = given;
        }
        let usual: &[u8] = match (self.is_head, &body) {
            (true, _) => b"HEAD",
            (false, Some(_)) => b"POST",
            (false, None) => b"GET",
        };
        let method = self.method.take().unwrap_or_else(|| usual.to_vec());
        let mut notes = Vec::new();
        if self.is_encoded && body.as_ref().is_some_and(|body| body.contains(&b'+')) {
            let note = "a space of --data-urlencode is read as +: old versions of curl send %20";
            notes.push(note.to_owned());
        }
        let builder = self.head(&url.host, url.user, body.as_deref(), &mut notes)?;
        let parts = builder.finish(&method, &target)?;
        Ok((parts, Some(body.unwrap_or_default().into()), notes))
    }

    /// Adds the given headers, then those that `curl` adds.
    fn head(
        &self,
        host: &[u8],
        user_of_url: Option<Vec<u8>>,
        body: Option<&[u8]>,
        notes: &mut Vec<String>,
    ) -> Result<HeadBuilder, String> {
        let mut builder = HeadBuilder::new();
        let mut removed: Vec<Vec<u8>> = Vec::new();
        for line in &self.headers {
            if let Some((name, value)) = split_header(line) {
                if value.trim_ascii().is_empty() {
                    removed.push(name.to_ascii_lowercase());
                } else {
                    builder.header(name, value)?;
                }
            } else if let Some(name) = line.strip_suffix(b";") {
                builder.header(name, b"")?;
            } else {
                let problem = format!("--header: expected a colon, found \"{}\"", shown(line));
                return Err(problem);
            }
        }
        let add = |builder: &mut HeadBuilder, name: &str, value: &[u8]| {
            if builder.contains(name) || removed.iter().any(|gone| gone == name.as_bytes()) {
                return Ok(());
            }
            builder.header(name.as_bytes(), value)
        };
        add(&mut builder, "host", host)?;
        if let Some(user) = self.user.clone().or(user_of_url) {
            let value = ["Basic ", &Base64::encode_string(&user)].concat();
            add(&mut builder, "authorization", value.as_bytes())?;
        }
        for (name, value) in [
            ("user-agent", &self.user_agent),
            ("referer", &self.referer),
            ("cookie", &self.cookie),
        ] {
            if let Some(value) = value {
                add(&mut builder, name, value)?;
            }
        }
        if self.user_agent.is_none() && !builder.contains("user-agent") {
            notes.push("the user-agent of curl is not in a command".to_owned());
        }
        let accept: &[u8] = if self.is_json {
            b"application/json"
        } else {
            b"*/*"
        };
        add(&mut builder, "accept", accept)?;
        if self.is_compressed {
            let problem = "the accept-encoding of --compressed depends on the build of curl";
            notes.push(problem.to_owned());
        }
        if let Some(body) = body {
            let kind: &[u8] = if self.is_json {
                b"application/json"
            } else {
                b"application/x-www-form-urlencoded"
            };
            add(&mut builder, "content-type", kind)?;
            add(
                &mut builder,
                "content-length",
                body.len().to_string().as_bytes(),
            )?;
        }
        Ok(builder)
    }
}

/// The parts of a URL that are sent.
struct Url {
    host: Vec<u8>,
    user: Option<Vec<u8>>,
    target: Vec<u8>,
}

impl Url {
    fn parse(url: &[u8], globs_off: bool, path_as_is: bool) -> Result<Self, String> {
        let position = url.windows(3).position(|bytes| bytes == b"://");
        let (scheme, rest) = match position {
            Some(at) => (
                url.get(..at).unwrap_or_default().to_ascii_lowercase(),
                url.get(at.saturating_add(3)..).unwrap_or_default(),
            ),
            None => (b"http".to_vec(), url),
        };
        let default_port: &[u8] = match scheme.as_slice() {
            b"http" => b":80",
            b"https" => b":443",
            _ => return Err(format!("expected http or https, found \"{}\"", shown(url))),
        };
        let end = rest.iter().position(|byte| b"/?#".contains(byte));
        let (authority, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if !globs_off && rest.iter().any(|byte| b"[]{}".contains(byte)) {
            let problem = "expected one URL, found brackets, which curl reads as a pattern; add \
                           --globoff if it was given";
            return Err(problem.to_owned());
        }
        let at = authority.iter().rposition(|byte| *byte == b'@');
        let (user, host) = match at {
            Some(at) => (
                authority.get(..at).map(<[u8]>::to_vec),
                authority.get(at.saturating_add(1)..).unwrap_or_default(),
            ),
            None => (None, authority),
        };
        if host.is_empty() {
            return Err(format!("expected a host in the URL \"{}\"", shown(url)));
        }
        let host = host.strip_suffix(default_port).unwrap_or(host);
        let fragment = rest.iter().position(|byte| *byte == b'#');
        let rest = rest.get(..fragment.unwrap_or(rest.len())).unwrap_or(rest);
        let question = rest.iter().position(|byte| *byte == b'?');
        let (path, query) = rest.split_at(question.unwrap_or(rest.len()));
        let path = match path {
            b"" => b"/".to_vec(),
            path if path_as_is => path.to_vec(),
            path => without_dot_segments(path),
        };
        Ok(Self {
            host: host.to_vec(),
            user,
            target: [&path, query].concat(),
        })
    }
}

/// Removes `.` and `..` segments (RFC 3986 section 5.2.4), as `curl` does without `--path-as-is`.
fn without_dot_segments(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let segments = path
        .get(1..)
        .unwrap_or_default()
        .split(|byte| *byte == b'/');
    let mut ends_in_slash = false;
    for segment in segments {
        ends_in_slash = matches!(segment, b"." | b"..");
        match segment {
            b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut clean = Vec::with_capacity(path.len());
    for segment in &kept {
        clean.push(b'/');
        clean.extend_from_slice(segment);
    }
    if ends_in_slash || kept.is_empty() {
        clean.push(b'/');
    }
    clean
}

/// Encodes the value of `--data-urlencode`: `content`, `=content` or `name=content`.
fn urlencoded(value: &[u8]) -> Result<Vec<u8>, String> {
    let at = value.iter().position(|byte| matches!(byte, b'=' | b'@'));
    let (name, content) = match at {
        Some(at) if value.get(at) == Some(&b'@') => return Err(in_file("--data-urlencode")),
        Some(at) => (
            value.get(..at).unwrap_or_default(),
            value.get(at.saturating_add(1)..).unwrap_or_default(),
        ),
        None => (&b""[..], value),
    };
    let mut encoded = name.to_vec();
    if !name.is_empty() {
        encoded.push(b'=');
    }
    for byte in content {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(*byte),
            // Old versions of curl write %20.
            b' ' => encoded.push(b'+'),
            byte if byte.is_ascii_alphanumeric() => encoded.push(*byte),
            byte => encoded.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Ok(encoded)
}

fn takes_value(name: &str) -> bool {
    IGNORED_WITH_VALUE.contains(&name)
        || matches!(
            name,
            "--config"
                | "--cookie"
                | "--data"
                | "--form"
                | "--header"
                | "--referer"
                | "--request"
                | "--upload-file"
                | "--user"
                | "--user-agent"
        )
}

fn in_file(name: &str) -> String {
    format!("{name}: expected a value, found a file, which is not opened: use --body for a body")
}

fn unknown(name: &str) -> String {
    format!("unknown option {name}: record the request with curl --trace instead")
}

#[cfg(test)]
mod tests;
