use super::{Change, Subject, Variations, quoted};
use crate::{
    diagnose::cause::Cause,
    families::{FamilyVerifier, sigv4::AssertedScope},
    scheme::Scheme,
    verify::Verifier,
};

/// Default regions and services of clients.
const REGIONS: [&str; 3] = ["us-east-1", "aws-global", "local"];
const SERVICES: [&str; 4] = ["execute-api", "s3", "lambda", "service"];

/// Adds the path in the other form, and the scope with another region, service or day.
pub(super) fn add(subject: &Subject<'_>, found: &mut Variations) {
    let (Scheme::SigV4, Some(FamilyVerifier::SigV4(family))) = (subject.scheme, subject.family)
    else {
        return;
    };
    for ((encoding, normalization), other) in family.other_path_forms() {
        let mut requirements = subject.verifier.requirements().clone();
        for accepted in &mut requirements.accepted {
            if let FamilyVerifier::SigV4(accepted) = accepted {
                *accepted = other.clone();
            }
        }
        let detail = format!("path encoding {encoding:?}, normalization {normalization:?}");
        let verifier = Box::new(Verifier::unchecked(requirements));
        found.add(Cause::SigV4Encoding, detail, Change::Verifier(verifier));
    }
    let Some(scope) = AssertedScope::of(&subject.head.head()) else {
        return;
    };
    let Some(text) = subject.string_to_sign else {
        return;
    };
    let mut sign = |cause, detail: String, day: &str, region: &str, service: &str| {
        let mut lines: Vec<&str> = text.split('\n').collect();
        let line = [day, "/", region, "/", service, "/aws4_request"].concat();
        if let Some(scope) = lines.get_mut(2)
            && *scope != line
        {
            *scope = &line;
            found.add(cause, detail, Change::StringToSign(lines.join("\n")));
        }
    };
    let accepted: Vec<(&str, &str)> = family.scopes().take(8).collect();
    let AssertedScope {
        day,
        region,
        service,
    } = &scope;
    for (region, service) in &accepted {
        let detail = format!(
            "signed scope: region {}, service {}",
            quoted(region),
            quoted(service)
        );
        let cause = if *region == scope.region {
            Cause::Service
        } else {
            Cause::Region
        };
        sign(cause, detail, day, region, service);
    }
    for region in REGIONS {
        let detail = ["signed region: ", &quoted(region)].concat();
        sign(Cause::Region, detail, day, region, service);
    }
    for service in SERVICES {
        let detail = ["signed service: ", &quoted(service)].concat();
        sign(Cause::Service, detail, day, region, service);
    }
}
