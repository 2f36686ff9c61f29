use std::fmt;

use super::{Policy, statement::StatementId};

/// A resource of a JSON statement that was kept out of the [`Policy`], because no request to this
/// service can match it.
///
/// `Display` is for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreachableStatement {
    /// The statement.
    pub statement: StatementId,
    /// Whether the statement denies. Such a statement protects nothing here.
    pub denies: bool,
    /// Whether the whole statement was kept out, because it has no other resource.
    pub kept_out: bool,
    /// The resource.
    pub resource: String,
    /// The reason for which no request can match.
    pub why: WhyUnreachable,
    /// The region, account, API or stage of this service.
    pub expected: String,
    /// The value of the resource.
    pub found: String,
}

/// The reason for which no request to this service can match a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyUnreachable {
    /// The resource is of another region.
    OtherRegion,
    /// The resource is of another account.
    OtherAccount,
    /// The resource is of another API.
    OtherApi,
    /// The resource is of another stage.
    OtherStage,
}

/// The part of a resource that names another service.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    pub(super) why: WhyUnreachable,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Policy {
    /// Returns the resources that no request to this service can match.
    ///
    /// Only a JSON policy that was read with
    /// [`with_shared_documents`](super::ExecuteApi::with_shared_documents) can have such resources:
    /// they belong to the other services that share the document. Other unreachable statements are
    /// errors when a policy is read.
    ///
    /// Check the list after each load: a `Deny` with a mistyped API protects nothing.
    ///
    /// ```
    /// use countersign::{ExecuteApi, Policy, WhyUnreachable};
    ///
    /// let api = ExecuteApi::new("eu-west-1", "222222222222", "a1b2c3d4e5", "prod")?
    ///     .with_shared_documents();
    /// let policy = Policy::from_json(
    ///     r#"{
    ///         "Version": "2012-10-17",
    ///         "Statement": [
    ///             {"Sid": "ours", "Effect": "Allow", "Principal": "*",
    ///              "Action": "execute-api:Invoke", "Resource": "a1b2c3d4e5/*"},
    ///             {"Sid": "theirs", "Effect": "Deny", "Principal": "*",
    ///              "Action": "execute-api:Invoke", "Resource": "f6g7h8i9j0/*"}
    ///         ]
    ///     }"#,
    ///     &api,
    /// )?;
    /// let [theirs] = policy.unreachable() else { panic!("expected one") };
    /// assert_eq!(theirs.statement.as_str(), "theirs");
    /// assert_eq!(theirs.why, WhyUnreachable::OtherApi);
    /// # Ok::<(), countersign::ConfigError>(())
    /// ```
    pub fn unreachable(&self) -> &[UnreachableStatement] {
        &self.unreachable
    }
}

impl fmt::Display for WhyUnreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherRegion => "region",
            Self::OtherAccount => "account",
            Self::OtherApi => "API",
            Self::OtherStage => "stage",
        })
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            why,
            expected,
            found,
        } = self;
        write!(f, "expected the {why} {expected:?}, found {found:?}")
    }
}

impl fmt::Display for UnreachableStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            statement,
            resource,
            why,
            expected,
            found,
            ..
        } = self;
        write!(
            f,
            "{}: Resource {resource:?}: expected the {why} {expected:?}, found {found:?}",
            statement.described()
        )
    }
}
