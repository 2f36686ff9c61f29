/// Whether a `content-type` that is present must be covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentTypeRule {
    /// A `content-type` that is present must be covered.
    #[default]
    CoveredIfPresent,
    /// A `content-type` may be left uncovered, as the clients of the article leave it.
    Exempt,
}
