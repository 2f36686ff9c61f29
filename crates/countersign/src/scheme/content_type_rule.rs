/// Whether a `content-type` that is present must be covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentTypeRule {
    /// A `content-type` that is present must be covered.
    #[default]
    CoveredIfPresent,
    /// A `content-type` may be left uncovered, as by the clients of the article.
    Exempt,
}
