//! `Signature-Agent` (draft-ietf-webbotauth-httpsig-protocol-01): the signer, as the URL of its
//! keys.

use std::borrow::Cow;

use http::HeaderName;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

use super::{
    MessageSignaturesVerifySettings, labeled_signature::LabeledSignature, normal_uri::agent,
    parse::of_label,
};
use crate::{
    error::{Rejection, reason},
    families::Requirements,
    head::{HeadLimits, RequestHead},
};

impl MessageSignaturesVerifySettings {
    /// Returns the key id by which the keys of a signature are found.
    pub(super) fn key_id<'r>(
        &self,
        signature: &LabeledSignature<'_>,
        key_id: &Cow<'r, str>,
        head: &RequestHead<'_>,
        requirements: &Requirements,
    ) -> Result<Cow<'r, str>, Rejection> {
        match &self.agent {
            None => Ok(key_id.clone()),
            Some(field) => agent_key_id(field, signature, head, key_id, &requirements.limits),
        }
    }
}

/// Returns the key id of a signature: the agent's name, a space and the thumbprint. The member that
/// is named as the signature's label says who the agent is. Without one, or if it has parameters or
/// user information, the thumbprint alone.
///
/// A thumbprint alone says nothing about the agent: anyone can publish anyone's public key.
fn agent_key_id<'r>(
    field: &HeaderName,
    signature: &LabeledSignature<'_>,
    head: &RequestHead<'_>,
    thumbprint: &Cow<'r, str>,
    limits: &HeadLimits,
) -> Result<Cow<'r, str>, Rejection> {
    let malformed = |problem| {
        let reason = reason!("header {}: {}", field, problem);
        Rejection::malformed(of_label(signature.label, &reason))
    };
    let mut text = String::new();
    for line in head.headers().get_all(field) {
        let line = line.to_str().map_err(|_| malformed("expected ASCII"))?;
        if text.len().saturating_add(line.len()) > limits.covered_value_bytes {
            return Err(malformed("expected fewer bytes"));
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(line);
    }
    if text.is_empty() {
        return Ok(thumbprint.clone());
    }
    let members: Dictionary = Parser::new(&text)
        .parse()
        .map_err(|_| malformed("expected a dictionary of URLs"))?;
    let Some(ListEntry::Item(member)) = members.get(signature.label) else {
        return Err(malformed(
            "expected a member under the label of the signature",
        ));
    };
    let BareItem::String(url) = &member.bare_item else {
        return Err(malformed("expected a URL in quotes"));
    };
    let url = url.as_str();
    if !member.params.is_empty() || has_user_information(url) {
        return Ok(thumbprint.clone());
    }
    let agent = agent(url).ok_or_else(|| malformed("expected an absolute https URL"))?;
    Ok(Cow::Owned([&agent, " ", thumbprint].concat()))
}

fn has_user_information(url: &str) -> bool {
    let authority = url.split_once("://").map(|(_, rest)| rest);
    authority
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .is_some_and(|authority| authority.contains('@'))
}
