use std::cell::OnceCell;

use wildmatch::WildMatch;

use super::{
    overlap::{Token, overlap},
    principal::{Membership, Principal, caller},
    request::PolicyRequest,
    resource::name_tokens,
};
use crate::error::{ConfigError, ConfigErrorKind};

/// What a policy in JSON calls this service, and whom it means by accounts.
///
/// API Gateway names a request `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`. A service that is not behind it
/// has no such name; here it is given one, so that a policy's resources have something to match.
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
    /// `arn:aws:execute-api:REGION:ACCOUNT:`
    owner: String,
    api: String,
    stage: String,
    membership: Membership,
}

impl ExecuteApi {
    /// The name of this service.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Policy`] if one of the four is empty or holds other characters than `A-Z a-z 0-9 - _ $`.
    pub fn new(region: &str, account: &str, api: &str, stage: &str) -> Result<Self, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$');
        for (name, text) in [
            ("region", region),
            ("account", account),
            ("API", api),
            ("stage", stage),
        ] {
            if text.is_empty() || !text.bytes().all(plain) {
                return Err(ConfigError::new(
                    ConfigErrorKind::Policy,
                    format!("{name} {text:?}: expected letters, digits, - _ and $"),
                ));
            }
        }
        Ok(Self {
            owner: format!("arn:aws:execute-api:{region}:{account}:"),
            api: api.to_owned(),
            stage: stage.to_owned(),
            membership: Membership::new(),
        })
    }

    /// Says which callers belong to the accounts, and are in the groups, that the policy names.
    pub fn with_membership(mut self, membership: Membership) -> Self {
        self.membership = membership;
        self
    }

    pub(super) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// What the names of all requests to this service begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{}{}/{}/", self.owner, self.api, self.stage)
    }

    /// A pattern of names: a whole one, `execute-api:/STAGE/METHOD/path`, or `API/STAGE/METHOD/path`.
    pub(super) fn resource(&self, text: &str) -> Result<WildMatch, ConfigError> {
        let wrong = |problem: &str| {
            let message = format!("resource {text:?}: {problem}");
            ConfigError::new(ConfigErrorKind::Policy, message)
        };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("expected visible ASCII characters"));
        }
        if text.contains("${") {
            return Err(wrong("expected no policy variable: none is known here"));
        }
        let (Self { owner, api, .. }, all) = (self, text == "*");
        let whole = if all || text.starts_with("arn:") {
            text.to_owned()
        } else if let Some(behind) = text.strip_prefix("execute-api:/") {
            format!("{owner}{api}/{behind}")
        } else if text.contains(':') || !text.contains('/') {
            return Err(wrong(
                "expected arn:aws:execute-api:…, API/STAGE/METHOD/path or *",
            ));
        } else {
            format!("{owner}{text}")
        };
        let mut parts = whole.splitn(4, ':').skip(2);
        if !all && parts.next() != Some("execute-api") {
            return Err(wrong("expected a resource of execute-api"));
        }
        let pattern = WildMatch::new(&whole);
        // In a `Deny` it would deny nothing.
        if !overlap(&name_tokens(&pattern), &any_name()) {
            return Err(wrong(
                "expected one that a request can have: arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path, the method in upper case",
            ));
        }
        Ok(pattern)
    }

    /// A principal under `AWS`: `*`, an account by its number or its root, or a caller of an account as its user or role.
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
                    "principal {text:?}: expected *, an account, or arn:aws:iam::ACCOUNT: with root, user/NAME or role/NAME"
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
        // The name is behind the path: `user/team/NAME`.
        let name = name.and_then(|name| name.rsplit('/').next());
        let name = caller(name.ok_or_else(wrong)?)?;
        if !self.membership.named_by(&whole).contains(&&name) {
            return Err(ConfigError::new(
                ConfigErrorKind::Policy,
                format!("principal {text:?}: expected a caller that is listed in that account"),
            ));
        }
        Ok(Principal::Caller(name))
    }
}

/// The names of all requests to all services.
fn any_name() -> Vec<Token> {
    const PART: [Token; 2] = [Token::OneInSegment, Token::RunInSegment];
    let chars = |text: &'static str| text.chars().map(Token::Char);
    let mut name: Vec<_> = chars("arn:aws:execute-api:").collect();
    for behind in [":", ":", "/", "/"] {
        name.extend(PART.into_iter().chain(chars(behind)));
    }
    name.extend([Token::OneOfMethod, Token::RunOfMethod]);
    name.extend(chars("/").chain([Token::Run]));
    name
}

/// The name of a request, made when the first pattern asks for it.
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
