/// Whether a layer refuses requests or only reports what it would refuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a request is refused, or it is not"
)]
pub enum Mode {
    /// Refuses requests that fail a check.
    #[default]
    Enforced,
    /// Decides on, counts and logs each request, and refuses none.
    ReportOnly,
}

impl Mode {
    /// Returns the value of the label `mode`: `enforced` or `report_only`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::ReportOnly => "report_only",
        }
    }
}
