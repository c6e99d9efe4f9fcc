//! The token endpoint's answer, and the token that a client keeps.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Secret, Timestamp};
use serde::Deserialize;

/// A token is renewed this long before it ends, so that a page that takes its time is not cut short.
const EARLY: i64 = 5 * Timestamp::MINUTE;

/// What an issued token says about itself. A token is opaque to its bearer: this is read without verification, may be missing at any time,
/// and is good for advice only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// The application permissions that the tenant has consented to; `None` when the token cannot be read.
    pub roles: Option<Vec<String>>,
    /// The tenant's id.
    pub tenant_id: Option<String>,
}

/// A token in use.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) bearer: Secret,
    renew_at: Timestamp,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    roles: Vec<String>,
    tid: Option<String>,
}

impl Token {
    /// Reads the answer of the token endpoint, received at `now`; `None` when it is not one.
    pub(super) fn read(body: &[u8], now: Timestamp) -> Option<Self> {
        let issued: Issued = serde_json::from_slice(body).ok()?;
        let usable =
            !issued.access_token.is_empty() && issued.access_token.bytes().all(|b| b.is_ascii_graphic());
        let life = issued.expires_in.max(0).saturating_mul(Timestamp::SECOND);
        // A token of a few minutes is used for half of them.
        let use_for = (life - EARLY).max(life / 2);
        usable.then(|| Self { bearer: Secret::new(issued.access_token), renew_at: now.plus(use_for) })
    }

    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.renew_at
    }

    pub(super) fn facts(&self) -> TokenFacts {
        let claims = self
            .bearer
            .expose()
            .split('.')
            .nth(1)
            .and_then(|payload| URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok())
            .and_then(|payload| serde_json::from_slice::<Claims>(&payload).ok());
        match claims {
            Some(Claims { roles, tid }) => TokenFacts { roles: Some(roles), tenant_id: tid },
            None => TokenFacts::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn token(access_token: &str, expires_in: i64) -> Option<Token> {
        let body =
            format!(r#"{{"token_type":"Bearer","expires_in":{expires_in},"access_token":"{access_token}"}}"#);
        Token::read(body.as_bytes(), NOW)
    }

    #[test]
    fn a_token_is_renewed_five_minutes_before_it_ends() {
        let token = token("a.b.c", 3_599).unwrap();
        assert!(token.is_fresh(NOW.plus(3_299 * Timestamp::SECOND - 1)));
        assert!(!token.is_fresh(NOW.plus(3_299 * Timestamp::SECOND)));
    }

    #[test]
    fn a_short_token_is_used_for_half_of_its_life() {
        let token = token("a.b.c", 60).unwrap();
        assert!(token.is_fresh(NOW.plus(29_999)));
        assert!(!token.is_fresh(NOW.plus(30_000)));
    }

    #[test]
    fn the_roles_are_read_and_an_opaque_token_has_none_to_read() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"tid":"t","roles":["User.Read.All"]}"#);
        let facts = token(&format!("h.{claims}.s"), 3_599).unwrap().facts();
        assert_eq!(facts.roles, Some(vec!["User.Read.All".to_owned()]));
        assert_eq!(facts.tenant_id.as_deref(), Some("t"));
        assert_eq!(token("opaque", 3_599).unwrap().facts(), TokenFacts::default());
    }

    #[test]
    fn a_token_without_the_claim_has_no_roles() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"tid":"t"}"#);
        assert_eq!(token(&format!("h.{claims}.s"), 3_599).unwrap().facts().roles, Some(Vec::new()));
    }

    #[test]
    fn a_token_that_cannot_stand_in_a_header_is_none() {
        assert!(token("a\\nb", 3_599).is_none());
        assert!(token("", 3_599).is_none());
        assert!(Token::read(b"<html>", NOW).is_none());
    }
}
