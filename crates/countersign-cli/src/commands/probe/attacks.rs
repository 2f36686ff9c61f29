//! What a careless verifier lets in: changes of a signed request that must make it be refused.

use super::wire_request::{Family, WireRequest, with_another_character};

/// The subject of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Signature,
    Target,
    Host,
    Headers,
    Body,
    Date,
    Replay,
    Resources,
}

impl Group {
    pub(super) const ALL: [Self; 8] = [
        Self::Signature,
        Self::Target,
        Self::Host,
        Self::Headers,
        Self::Body,
        Self::Date,
        Self::Replay,
        Self::Resources,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Target => "target",
            Self::Host => "host",
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Date => "date",
            Self::Replay => "replay",
            Self::Resources => "resources",
        }
    }
}

/// Changes a signed request. `None` if there is nothing to change.
type Change = Box<dyn Fn(&mut WireRequest) -> Option<()>>;

/// One change of a signed request.
pub(super) struct Attack {
    pub(super) group: Group,
    pub(super) name: String,
    pub(super) change: Change,
}

/// Returns every attack on a request like this one that changes its bytes.
pub(super) fn changes(sample: &WireRequest, family: Family) -> Vec<Attack> {
    let mut attacks = Attacks {
        found: Vec::new(),
        family,
    };
    attacks.signature(sample);
    if family != Family::Body {
        attacks.target();
        attacks.host();
    }
    attacks.headers(sample);
    attacks.body();
    attacks.found
}

struct Attacks {
    found: Vec<Attack>,
    family: Family,
}

impl Attacks {
    fn add(
        &mut self,
        group: Group,
        name: impl Into<String>,
        change: impl Fn(&mut WireRequest) -> Option<()> + 'static,
    ) {
        self.found.push(Attack {
            group,
            name: name.into(),
            change: Box::new(change),
        });
    }

    fn signature(&mut self, sample: &WireRequest) {
        let group = Group::Signature;
        self.add(group, "signature removed", |request| {
            if let Some(name) = request.signature_header() {
                request.remove(name);
                request.remove("signature-input");
                return Some(());
            }
            let at = request.target.find("&X-Amz-Signature=")?;
            request.target.truncate(at);
            Some(())
        });
        self.add(group, "signature empty", |request| {
            request.edit_signature(|_| String::new())
        });
        self.add(group, "signature with another character", forge);
        self.add(group, "signature cut in half", |request| {
            request.edit_signature(|text| text.chars().take(text.len() / 2).collect())
        });
        self.add(group, "signature of zeros", |request| {
            request.edit_signature(|text| {
                let zero = |c: char| if c.is_ascii_alphanumeric() { '0' } else { c };
                text.chars().map(zero).collect()
            })
        });
        self.add(group, "name of another caller", |request| {
            replace_in(request, &["credential=", "Credential=", "keyid=\""])
        });
        self.add(group, "name of another scheme", |request| {
            let value = request.header("authorization")?;
            let (scheme, rest) = value.split_once(' ')?;
            let other = match scheme {
                "HMAC-SHA256" => "ED25519",
                "ED25519" => "HMAC-SHA256",
                "AWS4-HMAC-SHA256" => "AWS4-ECDSA-P256-SHA256",
                _ => return None,
            };
            request.set("authorization", &[other, " ", rest].concat());
            Some(())
        });
        let Some(name) = sample.signature_header() else {
            return;
        };
        self.add(
            group,
            "forged signature before the right one",
            move |request| {
                let mut forged = request.clone();
                forge(&mut forged)?;
                request.add_first(name, &forged.header(name)?);
                Some(())
            },
        );
        self.add(
            group,
            "forged signature after the right one",
            move |request| {
                let mut forged = request.clone();
                forge(&mut forged)?;
                request.add(name, &forged.header(name)?);
                Some(())
            },
        );
        if name == "authorization" {
            self.add(group, "signature of a second scheme", |request| {
                request.add_first("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.");
                Some(())
            });
        }
    }

    fn target(&mut self) {
        let group = Group::Target;
        self.add(group, "another method", |request| {
            let other = if request.method == "POST" {
                "PUT"
            } else {
                "POST"
            };
            other.clone_into(&mut request.method);
            Some(())
        });
        self.add(group, "method in lower case", |request| {
            request.method.make_ascii_lowercase();
            Some(())
        });
        for (name, start) in [
            ("dot segment added", "/."),
            ("parent segment added", "/x/.."),
            ("empty segment added", "/"),
        ] {
            self.add(group, name, move |request| {
                request.target = [start, &*request.target].concat();
                Some(())
            });
        }
        for (name, end) in [
            ("segment added", "/x"),
            ("trailing slash added", "/"),
            ("path parameter added", ";x=1"),
            ("null byte added, encoded", "%00"),
        ] {
            self.add(group, name, move |request| {
                with_path(request, |path| Some([path, end].concat()))
            });
        }
        self.add(group, "letter of the path encoded", |request| {
            with_path(request, |path| {
                let at = path.find(|c: char| c.is_ascii_alphabetic())?;
                let (before, rest) = path.split_at_checked(at)?;
                let letter = rest.bytes().next()?;
                Some(format!("{before}%{letter:02X}{}", rest.get(1..)?))
            })
        });
        self.add(group, "letter of the path in the other case", |request| {
            with_path(request, |path| {
                let at = path.rfind(|c: char| c.is_ascii_alphabetic())?;
                let mut other = path.to_owned();
                let letter = other.get_mut(at..at.checked_add(1)?)?;
                if letter.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    letter.make_ascii_uppercase();
                } else {
                    letter.make_ascii_lowercase();
                }
                Some(other)
            })
        });
        self.query();
    }

    fn query(&mut self) {
        let group = Group::Target;
        self.add(group, "query parameter added", |request| {
            let separator = if request.target.contains('?') {
                "&"
            } else {
                "?"
            };
            request.target = [&*request.target, separator, "added=1"].concat();
            Some(())
        });
        self.add(group, "query removed", |request| {
            request
                .path_and_query()
                .1
                .filter(|query| !query.is_empty())?;
            request.target = request.path_and_query().0.to_owned();
            Some(())
        });
        self.add(group, "query parameter changed", |request| {
            with_query(request, with_another_character)
        });
        self.add(
            group,
            "query parameter doubled with another value",
            |request| {
                with_query(request, |query| {
                    let first = query.split('&').next()?;
                    let name = first.split('=').next().filter(|name| !name.is_empty())?;
                    Some([query, "&", name, "=doubled"].concat())
                })
            },
        );
        if self.family == Family::SigV4 {
            // The canonical query is sorted, and has an equals sign after each name.
            return;
        }
        self.add(group, "query parameters in another order", |request| {
            with_query(request, |query| {
                let mut parameters: Vec<&str> = query.split('&').collect();
                parameters.reverse();
                let other = parameters.join("&");
                (other != query).then_some(other)
            })
        });
        self.add(group, "%20 in the query as a plus sign", |request| {
            with_query(request, |query| {
                query.contains("%20").then(|| query.replace("%20", "+"))
            })
        });
    }

    fn host(&mut self) {
        let group = Group::Host;
        self.add(group, "another host", |request| {
            request.set("host", "elsewhere.invalid");
            Some(())
        });
        self.add(group, "another port", |request| {
            let host = request.header("host")?;
            let name = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
            request.set("host", &[name, ":1"].concat());
            Some(())
        });
        self.add(group, "host removed", |request| {
            request.remove("host");
            Some(())
        });
        self.add(group, "second host before the right one", |request| {
            request.add_first("host", "elsewhere.invalid");
            Some(())
        });
        self.add(group, "second host after the right one", |request| {
            request.add("host", "elsewhere.invalid");
            Some(())
        });
        self.add(group, "another host in the request line", |request| {
            request.target = ["http://elsewhere.invalid", &request.target].concat();
            Some(())
        });
    }

    fn headers(&mut self, sample: &WireRequest) {
        let group = Group::Headers;
        for name in sample.covered() {
            if name == "host" || sample.header(&name).is_none() {
                continue;
            }
            let header = name.clone();
            self.add(group, format!("{name} changed"), move |request| {
                let value = with_another_character(&request.header(&header)?)?;
                request.set(&header, &value);
                Some(())
            });
            let header = name.clone();
            self.add(group, format!("{name} removed"), move |request| {
                request.remove(&header);
                Some(())
            });
            for (when, is_first) in [("before", true), ("after", false)] {
                let header = name.clone();
                let name = format!("{name} doubled with another value {when} it");
                self.add(group, name, move |request| {
                    let value = with_another_character(&request.header(&header)?)?;
                    if is_first {
                        request.add_first(&header, &value);
                    } else {
                        request.add(&header, &value);
                    }
                    Some(())
                });
            }
            let header = name.clone();
            self.add(
                group,
                format!("{name} changed and named in connection"),
                move |request| {
                    let value = with_another_character(&request.header(&header)?)?;
                    request.set(&header, &value);
                    request.add("connection", &header);
                    Some(())
                },
            );
        }
        if self.family == Family::MessageSignatures {
            self.add(group, "component removed from signature-input", |request| {
                let value = request.header("signature-input")?;
                let (before, rest) = value.split_once('(')?;
                let (_, after) = rest.split_once(' ')?;
                let value = [before, "(", after].concat();
                request.set("signature-input", &value);
                Some(())
            });
            self.add(group, "created changed", |request| {
                replace_in(request, &["created="])
            });
        }
    }

    fn body(&mut self) {
        let group = Group::Body;
        self.add(group, "byte of the body changed", |request| {
            let last = request.body.last_mut()?;
            *last ^= 1;
            Some(())
        });
        self.add(group, "byte added to the body", |request| {
            request.body.push(b' ');
            Some(())
        });
        self.add(group, "byte removed from the body", |request| {
            request.body.pop().map(drop)
        });
        self.add(group, "body removed", |request| {
            if request.body.is_empty() {
                return None;
            }
            request.body.clear();
            Some(())
        });
        if matches!(self.family, Family::Native | Family::MessageSignatures) {
            self.add(group, "content-encoding added", |request| {
                if request.body.is_empty() || request.header("content-encoding").is_some() {
                    return None;
                }
                request.add("content-encoding", "gzip");
                Some(())
            });
        }
    }
}

/// Exchanges a character of the signature.
pub(super) fn forge(request: &mut WireRequest) -> Option<()> {
    request.edit_signature(|text| with_another_character(text).unwrap_or_default())
}

/// Changes the value that follows one of these marks, in the headers of the signature.
fn replace_in(request: &mut WireRequest, marks: &[&str]) -> Option<()> {
    for name in ["authorization", "signature-input"] {
        let Some(value) = request.header(name) else {
            continue;
        };
        for mark in marks {
            let Some((before, rest)) = value.split_once(mark) else {
                continue;
            };
            let end = rest.find([',', '/', '"', ';']).unwrap_or(rest.len());
            let (text, after) = rest.split_at_checked(end)?;
            let other = with_another_character(text)?;
            request.set(name, &[before, mark, &other, after].concat());
            return Some(());
        }
    }
    None
}

fn with_path(request: &mut WireRequest, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    let (path, query) = request.path_and_query();
    let path = change(path)?;
    request.target = match query {
        Some(query) => [&path, "?", query].concat(),
        None => path,
    };
    Some(())
}

fn with_query(request: &mut WireRequest, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    let (path, query) = request.path_and_query();
    let query = change(query.filter(|query| !query.is_empty())?)?;
    request.target = [path, "?", &query].concat();
    Some(())
}
