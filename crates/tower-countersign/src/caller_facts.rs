use countersign::{HeadVerified, KeyId};
#[cfg(feature = "policy")]
use http::Extensions;
use http::{Method, Uri, uri::PathAndQuery};

#[cfg(feature = "policy")]
use crate::{head_verified_caller::HeadVerifiedCaller, verified_caller::VerifiedCaller};

/// The facts about a caller that its signature over the head proves. They are the same before and
/// after the body is checked.
#[derive(Clone, Copy)]
pub(crate) struct CallerFacts<'r> {
    pub(crate) head: &'r HeadVerified,
    pub(crate) target: &'r VerifiedTarget,
    pub(crate) replay_protected: bool,
}

impl<'r> CallerFacts<'r> {
    /// Returns the facts about the verified caller of a request, whether or not its body is
    /// checked.
    #[cfg(feature = "policy")]
    pub(crate) fn of(extensions: &'r Extensions) -> Option<Self> {
        match extensions.get::<VerifiedCaller>() {
            Some(caller) => Some(caller.facts()),
            None => Some(extensions.get::<HeadVerifiedCaller>()?.facts()),
        }
    }

    pub(crate) fn id(&self) -> &'r KeyId {
        self.head.caller()
    }
}

/// The method and the target of the request at the time of verification.
#[derive(Clone)]
pub(crate) struct VerifiedTarget {
    method: Method,
    path_and_query: Option<PathAndQuery>,
}

impl VerifiedTarget {
    pub(crate) fn new(method: &Method, uri: &Uri) -> Self {
        Self {
            method: method.clone(),
            path_and_query: uri.path_and_query().cloned(),
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn path(&self) -> &str {
        self.path_and_query.as_ref().map_or("", PathAndQuery::path)
    }
}
