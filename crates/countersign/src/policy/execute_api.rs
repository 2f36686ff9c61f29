use std::cell::OnceCell;

use super::{
    methods::KnownMethods,
    nearest::Expected,
    principal::{Membership, Principal, caller},
    request::PolicyRequest,
    resource_name::{ParsedResource, ServiceName, is_name_byte},
};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    key_id::KeyId,
};

/// The names of this service and of its accounts in a JSON policy.
///
/// API Gateway names a request `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`. A
/// service outside API Gateway has no such name. This type gives it one that the resources of a
/// policy can match.
///
/// ```
/// use countersign::{ExecuteApi, Membership};
///
/// let api = ExecuteApi::new("eu-west-1", "222222222222", "Api-Id", "prod")?
///     .with_membership(Membership::new().with_account("111111111111", ["billing"])?);
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ExecuteApi {
    region: String,
    account: String,
    api: String,
    stage: String,
    membership: Membership,
    methods: KnownMethods,
    shared_documents: bool,
}

impl ExecuteApi {
    /// Names this service.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Policy`] if one of the four is empty or holds other characters than
    /// `A-Z a-z 0-9 - _ $`.
    pub fn new(region: &str, account: &str, api: &str, stage: &str) -> Result<Self, ConfigError> {
        for (name, text) in [
            ("region", region),
            ("account", account),
            ("API", api),
            ("stage", stage),
        ] {
            if text.is_empty() || !text.bytes().all(is_name_byte) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Policy,
                    format!("{name} {text:?}: expected letters, digits, - _ and $"),
                ));
            }
        }
        Ok(Self {
            region: region.to_owned(),
            account: account.to_owned(),
            api: api.to_owned(),
            stage: stage.to_owned(),
            membership: Membership::new(),
            methods: KnownMethods::default(),
            shared_documents: false,
        })
    }

    /// Sets the callers of the accounts and groups that the policy names.
    pub fn with_membership(mut self, membership: Membership) -> Self {
        self.membership = membership;
        self
    }

    /// Accepts documents that several APIs share.
    ///
    /// Without this setting, a resource of another region, account, API or stage is refused: a
    /// `Deny` on it would protect nothing. With it, such resources are kept out, and
    /// [`Policy::unreachable`](super::Policy::unreachable) lists them. Mistakes for every API, such
    /// as an unknown method, are still refused.
    pub fn with_shared_documents(mut self) -> Self {
        self.shared_documents = true;
        self
    }

    /// Adds methods that resources may name besides GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
    /// and TRACE, such as `PURGE`.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Policy`] for a method that no signed request has (`[A-Z][A-Z-]{0,31}`,
    /// not `CONNECT`), for `ANY` and `ALL`, which policies write as `*`, and for a known method.
    pub fn with_extension_methods<I>(mut self, methods: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.methods = self.methods.with_extensions(methods)?;
        Ok(self)
    }

    pub(super) fn membership(&self) -> &Membership {
        &self.membership
    }

    pub(super) fn takes_shared_documents(&self) -> bool {
        self.shared_documents
    }

    /// Returns the prefix of the names of all requests to this service.
    pub(super) fn prefix(&self) -> String {
        let Self {
            region,
            account,
            api,
            stage,
            ..
        } = self;
        format!("arn:aws:execute-api:{region}:{account}:{api}/{stage}/")
    }

    /// Reads a pattern of names: a full name, `execute-api:/STAGE/METHOD/path`, or
    /// `API/STAGE/METHOD/path`.
    pub(super) fn resource(&self, text: &str) -> Result<ParsedResource, ConfigError> {
        let name = ServiceName {
            region: &self.region,
            account: &self.account,
            api: &self.api,
            stage: &self.stage,
            methods: &self.methods,
        };
        name.parse(text)
    }

    /// Reads a principal under `AWS`: `*`, an account by its number or root, or a caller of an
    /// account as a user or role.
    pub(super) fn principal(&self, text: &str) -> Result<Principal, ConfigError> {
        if text == "*" {
            return Ok(Principal::Everyone);
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if is_number(text) {
            return self.membership.account(text);
        }
        let wrong = || {
            ConfigError::new(
                ConfigErrorKind::Policy,
                format!(
                    "{text:?}: expected *, an account, or arn:aws:iam::ACCOUNT: with root, \
                    user/NAME or role/NAME"
                ),
            )
        };
        let name = text.strip_prefix("arn:aws:iam::").ok_or_else(wrong)?;
        let (account, name) = name.split_once(':').ok_or_else(wrong)?;
        if !is_number(account) {
            return Err(wrong());
        }
        let whole = self.membership.account(account)?;
        if name == "root" {
            return Ok(whole);
        }
        let name = name.strip_prefix("user/").or(name.strip_prefix("role/"));
        // The name follows its path: `user/team/NAME`.
        let name = name.and_then(|name| name.rsplit('/').next());
        let name = caller(name.ok_or_else(wrong)?)?;
        let listed = self.membership.named_by(&whole);
        if !listed.contains(&&name) {
            let listed = listed.into_iter().map(KeyId::as_str);
            let expected = Expected::one_of(listed, name.as_str());
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                format!("{text:?}: no caller of that account: {expected}"),
            ));
        }
        Ok(Principal::Caller(name))
    }
}

/// The name of a request, made when the first pattern needs it.
pub(super) struct Target<'r> {
    prefix: &'r str,
    request: &'r PolicyRequest<'r>,
    name: OnceCell<String>,
}

impl<'r> Target<'r> {
    pub(super) fn new(prefix: &'r str, request: &'r PolicyRequest<'r>) -> Self {
        Self {
            prefix,
            request,
            name: OnceCell::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.name
            .get_or_init(|| [self.prefix, self.request.method, self.request.path].concat())
    }
}
