//! Repairs heads that the verifier cannot read.

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};
use http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, HOST},
};

use super::{
    candidates::known_values,
    cause::Cause,
    dates,
    difference::visible,
    head_copy::{Edit, HeadCopy},
    report::Finding,
};
use crate::scheme::Scheme;

/// The greatest number of headers that are repaired.
const MAX_HEADERS: usize = 8;

/// A head in a repaired form.
pub(super) struct Repair {
    pub(super) cause: Cause,
    pub(super) detail: String,
    pub(super) head: HeadCopy,
    /// The text that the caller may have signed in place of the repaired form.
    pub(super) as_sent: Option<AsSent>,
    /// The repaired covered header, if any.
    pub(super) header: Option<HeaderName>,
}

impl Repair {
    /// Returns the finding for this repair, if the signature matches under it.
    pub(super) fn finding(&self) -> Finding {
        Finding {
            header: self.header.clone(),
            ..Finding::matched(self.cause, self.detail.clone())
        }
    }
}

/// The part of the signed text that the repair exchanged.
pub(super) enum AsSent {
    Method(String),
    Header(HeaderName, String),
    /// At every occurrence in the text, or in the part before the body.
    Piece {
        repaired: String,
        sent: String,
    },
    /// In the third line of the string to sign.
    Day {
        repaired: String,
        sent: String,
    },
}

/// The names of the timestamp and signature headers in a scheme where they can be configured.
pub(super) type DrfNames = Vec<(HeaderName, HeaderName)>;

/// Returns every repair that changes something.
pub(super) fn of(head: &HeadCopy, expected_hosts: &[String], drf: &DrfNames) -> Vec<Repair> {
    let mut repairs = Repairs {
        head,
        found: Vec::new(),
    };
    repairs.add_scheme_names();
    repairs.add_signatures(drf);
    repairs.add_hashes();
    repairs.add_dates(drf);
    repairs.add_method();
    repairs.add_scope_day();
    repairs.add_lines();
    repairs.add_missing();
    repairs.add_authorities(expected_hosts);
    repairs.add_uncovered();
    repairs.found
}

struct Repairs<'h> {
    head: &'h HeadCopy,
    found: Vec<Repair>,
}

impl Repairs<'_> {
    fn add(&mut self, cause: Cause, detail: &str, edit: &Edit, as_sent: Option<AsSent>) {
        if let Some(head) = self.head.with(edit) {
            self.found.push(Repair {
                cause,
                detail: detail.to_owned(),
                head,
                as_sent,
                header: match edit {
                    Edit::Header(name, _) => Some(name.clone()),
                    _ => None,
                },
            });
        }
    }

    fn set(
        &mut self,
        cause: Cause,
        detail: &str,
        name: &HeaderName,
        value: &str,
        as_sent: Option<AsSent>,
    ) {
        if let Ok(value) = HeaderValue::from_str(value) {
            let edit = Edit::Header(name.clone(), Some(value));
            self.add(cause, detail, &edit, as_sent);
        }
    }

    fn add_scheme_names(&mut self) {
        let Some(value) = self.head.text_of(&AUTHORIZATION).map(str::to_owned) else {
            return;
        };
        let (name, rest) = value.split_once(' ').unwrap_or((&value, ""));
        for scheme in Scheme::ALL {
            if scheme.name().eq_ignore_ascii_case(name) && scheme.name() != name {
                let detail = ["found ", &visible(name), ", expected ", scheme.name()].concat();
                let other = [scheme.name(), " ", rest].concat();
                self.set(Cause::SchemeName, &detail, &AUTHORIZATION, &other, None);
            }
        }
    }

    fn add_signatures(&mut self, drf: &DrfNames) {
        let cause = Cause::SignatureEncoding;
        if let Some(value) = self.head.text_of(&AUTHORIZATION).map(str::to_owned) {
            let at = ["signature=", "Signature="].iter().find_map(|name| {
                let at = value.find(name)?;
                Some(at.saturating_add(name.len()))
            });
            if let Some((before, rest)) = at.and_then(|at| value.split_at_checked(at)) {
                let (found, behind) = match rest.find(',') {
                    Some(end) => rest.split_at_checked(end).unwrap_or((rest, "")),
                    None => (rest, ""),
                };
                for (detail, other) in hex_of(found.trim_matches('"')) {
                    let other = [before, &other, behind].concat();
                    self.set(cause, detail, &AUTHORIZATION, &other, None);
                }
            }
        }
        for (_, name) in drf {
            if let Some(value) = self.head.text_of(name).map(str::to_owned) {
                let bare = value
                    .trim_start_matches("sha256=")
                    .trim_start_matches("v1=");
                for (detail, other) in hex_of(bare) {
                    self.set(cause, detail, name, &other, None);
                }
                self.set(cause, "the signature had a prefix", name, bare, None);
            }
        }
        let webhook = HeaderName::from_static("webhook-signature");
        if let Some(value) = self.head.text_of(&webhook).map(str::to_owned) {
            let bare = value.trim_start_matches("v1,").trim_start_matches("v1=");
            for (detail, other) in base64_of(bare) {
                self.set(cause, detail, &webhook, &["v1,", &other].concat(), None);
            }
        }
        let signature = HeaderName::from_static("signature");
        if let Some(value) = self.head.text_of(&signature).map(str::to_owned)
            && let Some((label, bytes)) = value.split_once('=')
        {
            let bare = bytes.trim_matches([':', '"']);
            for (detail, other) in base64_of(bare) {
                let other = [label, "=:", &other, ":"].concat();
                self.set(cause, detail, &signature, &other, None);
            }
        }
        let Some(query) = self.head.query() else {
            return;
        };
        if let Some((before, rest)) = query.split_once("X-Amz-Signature=") {
            let (found, behind) = rest.split_once('&').unwrap_or((rest, ""));
            let amp = if behind.is_empty() { "" } else { "&" };
            let lower = found.to_ascii_lowercase();
            let other = [before, "X-Amz-Signature=", &lower, amp, behind].concat();
            let detail = "the signature is in upper-case digits";
            self.add(cause, detail, &Edit::Query(Some(other)), None);
        }
    }

    fn add_hashes(&mut self) {
        for name in ["x-content-sha256", "x-amz-content-sha256"] {
            let name = HeaderName::from_static(name);
            let Some(sent) = self.head.text_of(&name).map(str::to_owned) else {
                continue;
            };
            for (_, repaired) in hex_of(&sent).into_iter().filter(|(_, hex)| hex.len() == 64) {
                let detail = [name.as_str(), ": ", &visible(&sent)].concat();
                let as_sent = AsSent::Piece {
                    repaired: repaired.clone(),
                    sent: sent.clone(),
                };
                let form = Cause::ContentHashForm;
                self.set(form, &detail, &name, &repaired, Some(as_sent));
            }
        }
    }

    fn add_dates(&mut self, drf: &DrfNames) {
        let x_date = HeaderName::from_static("x-date");
        let x_amz_date = HeaderName::from_static("x-amz-date");
        let webhook = HeaderName::from_static("webhook-timestamp");
        let mut names = vec![x_date.clone(), x_amz_date.clone(), webhook];
        names.extend(drf.iter().map(|(timestamp, _)| timestamp.clone()));
        for name in names {
            let Some(sent) = self.head.text_of(&name).map(str::to_owned) else {
                continue;
            };
            let Some((at, unit)) = dates::read(&sent) else {
                continue;
            };
            let repaired = if name == x_date {
                at.to_http_date()
            } else if name == x_amz_date {
                Some(dates::basic(at))
            } else {
                Some(at.as_unix_seconds().to_string())
            };
            let Some(repaired) = repaired else { continue };
            let cause = match unit {
                dates::Unit::Milliseconds => Cause::Milliseconds,
                dates::Unit::Date | dates::Unit::Seconds => Cause::DateForm,
            };
            let detail = [name.as_str(), ": ", &visible(&sent)].concat();
            let as_sent = if name == x_date || name == x_amz_date {
                AsSent::Header(name.clone(), sent)
            } else {
                AsSent::Piece {
                    repaired: repaired.clone(),
                    sent,
                }
            };
            self.set(cause, &detail, &name, &repaired, Some(as_sent));
        }
    }

    fn add_method(&mut self) {
        let sent = self.head.method.as_str();
        if let Ok(method) = Method::from_bytes(sent.to_ascii_uppercase().as_bytes()) {
            let detail = ["method: ", &visible(sent)].concat();
            let as_sent = AsSent::Method(sent.to_owned());
            self.add(
                Cause::MethodCase,
                &detail,
                &Edit::Method(method),
                Some(as_sent),
            );
        }
    }

    /// Repairs the day of the scope, if it differs from that of the date.
    fn add_scope_day(&mut self) {
        let date = self.head.text_of(&HeaderName::from_static("x-amz-date"));
        let day = date.and_then(|date| date.get(..8)).map(str::to_owned);
        let value = self.head.text_of(&AUTHORIZATION).map(str::to_owned);
        let (Some(day), Some(value)) = (day, value) else {
            return;
        };
        let Some(scope) = crate::families::sigv4::AssertedScope::of(&self.head.head()) else {
            return;
        };
        let from = ["/", &scope.day, "/", &scope.region, "/"].concat();
        let to = ["/", &day, "/", &scope.region, "/"].concat();
        let detail = ["scope of day ", &scope.day, ", date of day ", &day].concat();
        let as_sent = AsSent::Day {
            repaired: day,
            sent: scope.day,
        };
        let other = value.replacen(&from, &to, 1);
        self.set(
            Cause::ScopeDate,
            &detail,
            &AUTHORIZATION,
            &other,
            Some(as_sent),
        );
    }

    /// Joins headers on several lines.
    fn add_lines(&mut self) {
        let names: Vec<HeaderName> = self.head.headers.keys().cloned().collect();
        let mut repaired: usize = 0;
        for name in names {
            let lines = self.head.headers.get_all(&name).iter();
            let lines: Option<Vec<String>> = lines
                .map(|line| line.to_str().ok().map(str::to_owned))
                .collect();
            let Some(lines) = lines.filter(|lines| lines.len() > 1) else {
                continue;
            };
            repaired = repaired.saturating_add(1);
            if repaired > MAX_HEADERS {
                return;
            }
            let first = lines.first().cloned().unwrap_or_default();
            let last = lines.last().cloned().unwrap_or_default();
            for (form, value) in [
                ("the first line", first),
                ("the last line", last),
                ("the lines joined by a comma", lines.join(",")),
                ("the lines joined by a comma and a space", lines.join(", ")),
                ("the lines joined by a semicolon", lines.join("; ")),
            ] {
                let count = lines.len();
                let detail = format!("header {name}, found {count} times; signed: {form}");
                self.set(Cause::HeaderLines, &detail, &name, &value, None);
            }
        }
    }

    /// Adds covered headers that are absent, with common values.
    fn add_missing(&mut self) {
        for name in missing(self.head).into_iter().take(MAX_HEADERS) {
            let detail = ["header ", name.as_str(), " is covered, found none"].concat();
            for value in known_values(name.as_str()).iter().chain(&[""]) {
                self.set(Cause::HeaderRemoved, &detail, &name, value, None);
            }
        }
    }

    fn add_authorities(&mut self, expected_hosts: &[String]) {
        let of_uri = self.head.uri.authority().map(ToString::to_string);
        let of_host = self.head.text_of(&HOST).map(str::to_owned);
        let authorities: Vec<String> = match (of_uri, of_host) {
            (Some(of_uri), Some(of_host)) if of_uri != of_host => vec![of_uri, of_host],
            (None, None) => expected_hosts.iter().take(4).cloned().collect(),
            _ => return,
        };
        for authority in authorities {
            let detail = ["signed host: ", &visible(&authority)].concat();
            let mut both = self.head.clone();
            both.headers.remove(HOST);
            if let Some(head) = both.with(&Edit::Authority(authority)).or(Some(both)) {
                self.found.push(Repair {
                    cause: Cause::OtherHost,
                    detail,
                    head,
                    as_sent: None,
                    header: None,
                });
            }
        }
    }

    /// Removes headers that must be covered if present.
    fn add_uncovered(&mut self) {
        let names: Vec<HeaderName> = self.head.headers.keys().cloned().collect();
        let speaks = |name: &HeaderName| {
            name.as_str().starts_with("x-amz-")
                || matches!(name.as_str(), "x-nonce" | "content-encoding")
        };
        for name in names.into_iter().filter(speaks).take(MAX_HEADERS) {
            let detail = ["header ", name.as_str(), " is present and not covered"].concat();
            self.add(
                Cause::HeaderNotCovered,
                &detail,
                &Edit::Header(name, None),
                None,
            );
        }
    }
}

/// Returns the names of covered headers that the head does not have.
pub(super) fn missing(head: &HeadCopy) -> Vec<HeaderName> {
    let mut names: Vec<String> = Vec::new();
    if let Some(value) = head.text_of(&AUTHORIZATION) {
        for start in ["signed-headers=", "SignedHeaders="] {
            let list = value.split_once(start).map(|(_, rest)| rest);
            let list = list.and_then(|list| list.split(',').next());
            names.extend(
                list.into_iter()
                    .flat_map(|list| list.split(';'))
                    .map(str::to_owned),
            );
        }
    }
    // draft-cavage-12: names in quotes, in either header.
    for header in [AUTHORIZATION, HeaderName::from_static("signature")] {
        let value = head.text_of(&header).unwrap_or_default();
        let list = value
            .split_once("headers=\"")
            .and_then(|(_, rest)| rest.split('"').next());
        let items = list.into_iter().flat_map(|list| list.split(' '));
        // This name means the target in the form of a gateway.
        names.extend(
            items
                .filter(|name| *name != "request-line")
                .map(str::to_owned),
        );
    }
    if let Some(input) = head.text_of(&HeaderName::from_static("signature-input")) {
        let list = input
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'));
        let items = list.into_iter().flat_map(|(list, _)| list.split(' '));
        names.extend(items.map(|item| item.split(';').next().unwrap_or_default().replace('"', "")));
    }
    let names = names.iter().map(|name| name.trim());
    names
        .filter(|name| !name.starts_with('@') && *name != "host")
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .filter(|name| !head.headers.contains_key(name))
        .collect()
}

/// Returns the lower-case hexadecimal digits of bytes in another form.
fn hex_of(text: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut bytes = vec![0; text.len()];
    if base16ct::mixed::decode(text, &mut bytes).is_ok() {
        let lower = text.to_ascii_lowercase();
        if lower != text {
            found.push(("found upper-case hexadecimal digits", lower));
        }
        return found;
    }
    if let Some(bytes) = from_base64(text) {
        found.push(("found Base64", base16ct::lower::encode_string(&bytes)));
    }
    found
}

/// Returns the Base64 of bytes in another form.
fn base64_of(text: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut bytes = vec![0; text.len()];
    if let Ok(decoded) = base16ct::mixed::decode(text, &mut bytes)
        && matches!(decoded.len(), 32 | 64)
    {
        found.push(("found hexadecimal digits", Base64::encode_string(decoded)));
    }
    if let Some(bytes) = from_base64(text) {
        let canonical = Base64::encode_string(&bytes);
        if canonical != text {
            found.push(("found another form of Base64", canonical));
        }
        // Hexadecimal digits that were encoded as Base64.
        let mut inner = vec![0; bytes.len()];
        if let Ok(inner) = base16ct::mixed::decode(&bytes, &mut inner)
            && matches!(inner.len(), 32 | 64)
        {
            let detail = "found Base64 of hexadecimal digits";
            found.push((detail, Base64::encode_string(inner)));
        }
    }
    found
}

/// Decodes any form of Base64, if the bytes have the length of a signature or a hash.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let decoded = Base64::decode_vec(text)
        .or_else(|_| Base64Unpadded::decode_vec(text))
        .or_else(|_| Base64Url::decode_vec(text))
        .or_else(|_| Base64UrlUnpadded::decode_vec(text))
        .ok()?;
    matches!(decoded.len(), 32 | 64 | 128).then_some(decoded)
}
