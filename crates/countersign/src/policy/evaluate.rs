use super::{Policy, Statements, decision::Decision, execute_api::Target, request::PolicyRequest};
use crate::{head::PlainPath, key_id::KeyId};

impl Policy {
    /// Evaluates a request like IAM: a matching `Deny` refuses it; otherwise a matching `Allow`
    /// allows it; otherwise it is refused.
    ///
    /// Evaluates only statements about the caller, its groups, its account and everyone.
    pub fn evaluate(&self, request: &PolicyRequest<'_>) -> Decision<'_> {
        let target = Target::new(&self.api, request);
        let denies = self.about(request.caller).flat_map(|about| &about.denies);
        for statement in denies {
            if statement.denies(request, &target) {
                return Decision::Denied(&statement.id);
            }
        }
        let path = match PlainPath::parse(request.path) {
            Ok(path) => path,
            Err(reason) => return Decision::NotPlain(reason),
        };
        let allows = self.about(request.caller).flat_map(|about| &about.allows);
        for statement in allows {
            if statement.allows(request, path, &target) {
                return Decision::Allowed(&statement.id);
            }
        }
        Decision::NoMatch
    }

    /// Returns the number of statements evaluated for a request of this caller: those about its
    /// name, its groups, its account and everyone. A statement that names the caller twice, such as
    /// by name and by group, counts twice.
    pub fn statements_about(&self, caller: &KeyId) -> usize {
        let lengths = self
            .about(caller)
            .map(|about| about.denies.len().saturating_add(about.allows.len()));
        lengths.fold(0, usize::saturating_add)
    }

    fn about(&self, caller: &KeyId) -> impl Iterator<Item = &Statements> {
        let own = self.by_caller.get(caller).map_or(&[][..], |own| own);
        let own = own.iter().map(|about| &**about);
        own.chain(std::iter::once(&self.about_everyone))
    }
}
