use super::{Subject, Variations, quoted, said_by};
use crate::{
    diagnose::{cause::Cause, head_copy::Edit},
    head::{Authority, HostForm},
};

/// The headers in which proxies send the client's host.
const HEADERS: [&str; 3] = ["x-forwarded-host", "x-original-host", "x-forwarded-server"];

/// The ports that services listen on by default.
const PORTS: [&str; 8] = [
    ":8080", ":8443", ":8000", ":8081", ":3000", ":5000", ":9000", ":50051",
];

/// Adds the host with and without port, each expected host, and the host in proxy headers.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    let Some(authority) = subject.head.authority() else {
        return;
    };
    let Ok(parsed) = Authority::parse(authority) else {
        return;
    };
    let name = parsed.in_form(HostForm::StripPort);
    let mut edit = |cause, host: &str| {
        let detail = ["signed host: ", &quoted(host)].concat();
        found.edit(cause, detail, Edit::Authority(host.to_owned()));
    };
    edit(Cause::HostWithoutPort, name);
    let ports = subject.expected_hosts.iter().filter_map(|expected| {
        let expected_name = Authority::parse(expected)
            .ok()?
            .in_form(HostForm::StripPort);
        expected.strip_prefix(expected_name)
    });
    let mut ports: Vec<&str> = [":443", ":80"].into_iter().chain(ports).collect();
    ports.dedup();
    ports.truncate(8);
    if name == authority {
        ports.extend(PORTS);
    }
    for port in ports.iter().filter(|port| !port.is_empty()) {
        edit(Cause::HostWithPort, &[name, port].concat());
    }
    edit(Cause::HostCase, &authority.to_ascii_lowercase());
    for expected in subject.expected_hosts.iter().take(8) {
        if expected.eq_ignore_ascii_case(authority) {
            edit(Cause::HostCase, expected);
            continue;
        }
        edit(Cause::OtherHost, expected);
        if let Ok(expected) = Authority::parse(expected) {
            edit(Cause::OtherHost, expected.in_form(HostForm::StripPort));
        }
    }
    let port = authority.strip_prefix(name).unwrap_or_default();
    for (_, said) in said_by(subject.head, &HEADERS) {
        for host in said.split(',').map(str::trim).take(2) {
            edit(Cause::OtherHost, host);
            edit(Cause::OtherHost, &[host, port].concat());
        }
    }
    for local in ["localhost", "127.0.0.1"] {
        edit(Cause::OtherHost, &[local, port].concat());
    }
}
