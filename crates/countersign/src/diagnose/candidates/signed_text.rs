use http::Method;

use super::{Subject, Variations, quoted};
use crate::{
    diagnose::{
        cause::Cause,
        head_copy::Edit,
        text_lines::{Layout, TextEdit, with_capitals},
    },
    head::{Authority, HostForm},
};

/// Methods that a redirect or a proxy may exchange for one another.
const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Adds other forms of the method, the header lines, the line ends and the parameters.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    let Some(lines) = subject.lines() else { return };
    let method = subject.head.method.as_str();
    for form in [method.to_ascii_lowercase(), with_capitals(method)] {
        let detail = ["signed method: ", &quoted(&form)].concat();
        found.text(Cause::MethodCase, detail, TextEdit::Method(form));
    }
    let ends = Cause::TextLineEnds;
    let detail = "signed text: with a line feed at its end";
    found.text(ends, detail, TextEdit::End("\n"));
    let detail = "signed text: with CRLF between its lines";
    let crlf = TextEdit::Piece {
        from: "\n".to_owned(),
        to: "\r\n".to_owned(),
    };
    found.text(ends, detail, crlf);
    match lines.layout {
        Layout::Native | Layout::SigV4 => {
            let order = Cause::HeaderOrder;
            for (detail, edit) in [
                (
                    "signed header lines: sorted by name",
                    TextEdit::SortedHeaders,
                ),
                (
                    "signed header lines: with a space after the colon",
                    TextEdit::SpacedHeaders,
                ),
                (
                    "signed header lines: with capitals in their names",
                    TextEdit::CapitalHeaders,
                ),
            ] {
                found.text(order, detail, edit);
            }
        }
        Layout::SignatureBase => add_to_base(subject, found),
        Layout::SigningString => {
            let detail = ["signed method: ", &quoted(method)].concat();
            found.text(
                Cause::MethodCase,
                detail,
                TextEdit::Method(method.to_owned()),
            );
        }
    }
    for method in METHODS {
        let detail = ["signed method: ", &quoted(method.as_str())].concat();
        found.edit(Cause::OtherMethod, detail, Edit::Method(method));
    }
}

/// Adds the variations that are specific to the signature base of RFC 9421.
fn add_to_base(subject: &Subject<'_>, found: &mut Variations) {
    let header = |name: &str, value: &str| TextEdit::Header(name.to_owned(), value.to_owned());
    if let Some(authority) = subject.head.authority() {
        // The base holds the host in lower case and without the default port.
        let mut sign = |cause, host: &str| {
            let detail = ["signed host: ", &quoted(host)].concat();
            found.text(cause, detail, header("@authority", host));
        };
        if let Ok(parsed) = Authority::parse(authority) {
            sign(Cause::HostWithoutPort, parsed.in_form(HostForm::StripPort));
            let lower = authority.to_ascii_lowercase();
            sign(Cause::HostWithPort, &lower);
            for port in [":80", ":443"] {
                let name = parsed.in_form(HostForm::StripPort);
                sign(
                    Cause::HostWithPort,
                    &[&name.to_ascii_lowercase(), port].concat(),
                );
            }
        }
        sign(Cause::HostCase, authority);
    }
    let query = subject.head.query().unwrap_or_default();
    let detail = "signed query: without the question mark";
    found.text(Cause::QueryEmpty, detail, header("@query", query));
    let path = subject.head.path();
    let with_query = [path, "?", query].concat();
    let detail = "signed path: with its query";
    found.text(Cause::TextForm, detail, header("@path", &with_query));
    let start = "\"@signature-params\": ";
    let sent = subject.head.headers.get_all("signature-input");
    for sent in sent.iter().filter_map(|line| line.to_str().ok()) {
        let value = sent.split_once('=').map_or(sent, |(_, value)| value);
        let detail = "signed parameters: as they are sent";
        let line = [start, value].concat();
        found.text(Cause::SignatureParams, detail, TextEdit::Last(line));
        let detail = "signed parameters: with the label";
        let line = [start, sent].concat();
        found.text(Cause::SignatureParams, detail, TextEdit::Last(line));
    }
}
