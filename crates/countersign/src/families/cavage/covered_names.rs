//! The parameter `headers`: the names of the covered headers, and names that stand for other parts.
//!
//! ```text
//! headers = name *( SP name )
//! name    = "(request-target)" / "(created)" / "(expires)" / field
//! field   = 1*( "a"-"z" / "0"-"9" / tchar without letters )
//! ```

use super::{dialect::Dialect, signing_string::TargetLine};
use crate::{
    error::{Escaped, Rejection, reason},
    head::{HeadLimits, cannot_be_covered},
    wire::{ByteSet, DistinctList},
};

/// A covered part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Covered<'r> {
    Target(&'r str, TargetLine),
    Created,
    Expires,
    /// A header by its name in lower case.
    Field(&'r str),
}

/// The covered parts, in the order of their lines.
#[derive(Clone, Debug, Default)]
pub(super) struct CoveredNames<'r>(DistinctList<Covered<'r>>);

impl<'r> CoveredNames<'r> {
    /// Parses the list. Refuses a name twice, and headers that carry the signature or belong to one
    /// connection.
    pub(super) fn parse(
        list: &'r str,
        dialect: &Dialect,
        limits: &HeadLimits,
    ) -> Result<Self, Rejection> {
        let mut names = Self::default();
        for name in list.split(' ') {
            if names.0.len() >= limits.covered_headers {
                let found = list.split(' ').count();
                return Err(Rejection::malformed(
                    limits.too_many_covered("parameter headers", found),
                ));
            }
            let covered = covered(name, dialect)?;
            names.push(covered).map_err(|()| {
                Rejection::malformed(reason!(
                    "parameter headers: expected each name once, found {} twice",
                    Escaped::text(name)
                ))
            })?;
        }
        Ok(names)
    }

    /// Appends a part, unless it is in the list.
    pub(super) fn push(&mut self, covered: Covered<'r>) -> Result<(), ()> {
        self.0.push(covered).map_err(|_| ())
    }

    pub(super) fn covers(&self, covered: Covered<'r>) -> bool {
        self.0.contains(&covered)
    }

    pub(super) fn covers_target(&self) -> bool {
        self.iter()
            .any(|covered| matches!(covered, Covered::Target(..)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Covered<'r>> {
        self.0.iter().copied()
    }

    /// Returns the names, for a reason.
    pub(super) fn names(&self) -> Vec<&'r str> {
        self.iter().map(Covered::name).collect()
    }
}

impl<'r> Covered<'r> {
    pub(super) fn name(self) -> &'r str {
        match self {
            Self::Created => "(created)",
            Self::Expires => "(expires)",
            Self::Target(name, _) | Self::Field(name) => name,
        }
    }
}

/// Returns whether a signature can cover a header of this name.
pub(super) fn may_be_covered(name: &str) -> bool {
    name != super::SIGNATURE.as_str() && !cannot_be_covered(name)
}

fn covered<'r>(name: &'r str, dialect: &Dialect) -> Result<Covered<'r>, Rejection> {
    let mut targets = dialect.targets.iter();
    if let Some((name, line)) = targets.find(|(known, _)| *known == name) {
        return Ok(Covered::Target(name, *line));
    }
    match name {
        "(created)" if dialect.has_times => return Ok(Covered::Created),
        "(expires)" if dialect.has_times => return Ok(Covered::Expires),
        _ => {}
    }
    if name.is_empty() || !name.bytes().all(|byte| NAME_BYTES.has(byte)) {
        return Err(Rejection::malformed(reason!(
            "parameter headers: expected names in lower case with one space between them, found \
             \"{}\"",
            Escaped::unless_secret(name)
        )));
    }
    if !may_be_covered(name) {
        return Err(Rejection::malformed(reason!(
            "parameter headers: expected headers that can be covered, found {}",
            Escaped::text(name)
        )));
    }
    Ok(Covered::Field(name))
}

/// A token (RFC 9110 section 5.6.2) without upper-case letters.
static NAME_BYTES: ByteSet = ByteSet::of(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

#[cfg(test)]
mod tests {
    use super::{
        super::dialect::{APISIX, DRAFT, KONG},
        *,
    };
    use crate::error::RejectionKind;

    fn parse<'r>(list: &'r str, dialect: &Dialect) -> Result<Vec<Covered<'r>>, RejectionKind> {
        CoveredNames::parse(list, dialect, &HeadLimits::default())
            .map(|names| names.iter().collect())
            .map_err(|rejection| rejection.kind())
    }

    #[test]
    fn keeps_the_order_of_the_names() {
        use Covered::{Created, Expires, Field, Target};
        assert_eq!(
            parse("z (request-target) (created) a (expires)", &DRAFT).unwrap(),
            [
                Field("z"),
                Target("(request-target)", TargetLine::Named),
                Created,
                Field("a"),
                Expires
            ]
        );
        assert_eq!(
            parse("date request-line @request-target", &KONG).unwrap(),
            [
                Field("date"),
                Target("request-line", TargetLine::RequestLine),
                Target("@request-target", TargetLine::Named)
            ]
        );
        assert_eq!(
            parse("@request-target", &APISIX).unwrap(),
            [Target("@request-target", TargetLine::MethodAndTarget)]
        );
    }

    #[test]
    fn a_name_that_stands_for_another_part_belongs_to_its_dialect() {
        for (list, dialect) in [
            ("@request-target", &DRAFT),
            ("(request-target)", &KONG),
            ("(created)", &KONG),
            ("(expires)", &APISIX),
        ] {
            assert_eq!(
                parse(list, dialect),
                Err(RejectionKind::Malformed),
                "{list}"
            );
        }
        // This one is also the name of a header that nobody sends.
        assert_eq!(
            parse("request-line", &DRAFT),
            Ok(vec![Covered::Field("request-line")])
        );
    }

    #[test]
    fn refuses_lists_that_are_malformed() {
        let many = (0..33).map(|number| format!("x-{number}"));
        let many = many.collect::<Vec<_>>().join(" ");
        for list in [
            "",
            " ",
            "date ",
            " date",
            "date  host",
            "date,host",
            "date;host",
            "Date",
            "date date",
            "(request-target) (request-target)",
            "(other)",
            "a:b",
            "é",
            "authorization",
            "signature",
            "connection",
            "transfer-encoding",
            &many,
        ] {
            assert_eq!(parse(list, &DRAFT), Err(RejectionKind::Malformed), "{list}");
        }
        assert_eq!(parse(&many[..many.len() - 5], &DRAFT).unwrap().len(), 32);
    }
}
