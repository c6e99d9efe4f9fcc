//! Who calls, and what they may: the bearer token and the application permissions in it.

use axum::http::{HeaderMap, header};

use super::error::GraphError;
use crate::login::access_token::{self, Refusal};
use crate::state::Sim;

pub(super) const ORGANIZATION: &[&str] = &["Organization.Read.All", "Directory.Read.All"];
pub(super) const DOMAINS: &[&str] = &["Domain.Read.All", "Directory.Read.All"];
pub(super) const USERS: &[&str] = &["User.Read.All", "Directory.Read.All"];
pub(super) const GROUPS: &[&str] = &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];

/// A client with a valid token.
pub(super) struct Caller {
    roles: Vec<String>,
}

impl Caller {
    /// Whether one of these permissions was granted; one to write includes the one to read.
    pub(super) fn has(&self, one_of: &[&str]) -> bool {
        self.roles.iter().any(|role| one_of.contains(&role.replace("ReadWrite", "Read").as_str()))
    }

    pub(super) fn require(&self, one_of: &[&str]) -> Result<(), GraphError> {
        if self.has(one_of) { Ok(()) } else { Err(GraphError::denied()) }
    }
}

pub(super) fn caller(sim: &Sim, headers: &HeaderMap) -> Result<Caller, GraphError> {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = match sent.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    };
    if token.is_empty() {
        return Err(GraphError::unauthenticated("Access token is empty."));
    }
    match access_token::verify(sim, token) {
        Ok(claims) => Ok(Caller { roles: claims.roles }),
        Err(refusal) => Err(GraphError::unauthenticated(match refusal {
            Refusal::Invalid => "CompactToken validation failed with reason code: 80049228.",
            Refusal::Audience => "Access token validation failure. Invalid audience.",
            Refusal::Expired => "Lifetime validation failed, the token is expired.",
            Refusal::NotYetValid => "Access token has expired or is not yet valid.",
        })),
    }
}
