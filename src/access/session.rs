//! Sessions: an opaque random token in a cookie, its hash in the database, an idle and an absolute limit.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header, request::Parts};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::Timestamp;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use sha2::{Digest, Sha256};
use store::{NewSession, Session, StoreError};

use super::{Portal, PublicUrl, internal};
use crate::error::AppError;

/// A session that nobody uses ends after this time.
const IDLE: i64 = 8 * Timestamp::HOUR;
/// A session ends after this time, used or not.
const ABSOLUTE: i64 = 24 * Timestamp::HOUR;
/// How old the note of the last use may grow before it is written again: reading a page is not to be a write each time.
const TOUCH: i64 = 5 * Timestamp::MINUTE;

/// Where the request came from: the peer, or what a trusted proxy says of it. A middleware puts it into the request.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The secret in the cookie. The database knows its hash only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionToken([u8; 32]);

impl SessionToken {
    /// A new one, from 256 random bits.
    #[must_use]
    pub const fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// Reads the token from a request's cookies.
    #[must_use]
    pub fn of(headers: &HeaderMap, public: &PublicUrl) -> Option<Self> {
        let text = cookie(headers, cookie_name(public))?;
        BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What the database knows it by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The cookie that hands the token to the browser.
    #[must_use]
    pub fn cookie(&self, public: &PublicUrl) -> String {
        set_cookie(
            cookie_name(public),
            &BASE64_URL_SAFE_NO_PAD.encode(self.0),
            ABSOLUTE / Timestamp::SECOND,
            public,
        )
    }
}

/// The cookie's name. `__Host-` makes browsers refuse it from a subdomain or over plain http.
const fn cookie_name(public: &PublicUrl) -> &'static str {
    if public.secure { "__Host-rollcall" } else { "rollcall" }
}

/// One cookie of a request.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// A `Set-Cookie` value; `seconds` of 0 takes the cookie away.
#[must_use]
pub fn set_cookie(name: &str, value: &str, seconds: i64, public: &PublicUrl) -> String {
    let secure = if public.secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// Adds a cookie to the response.
pub(super) fn send_cookie(cookie: &str) {
    if let (Some(response), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(cookie)) {
        response.append_header(header::SET_COOKIE, value);
    }
}

/// The session of the present request; its last use is noted.
pub(super) async fn current(portal: &Portal) -> Result<Option<Session>, StoreError> {
    match use_context::<Parts>() {
        Some(parts) => of_request(portal, &parts.headers).await,
        None => Ok(None),
    }
}

/// The session of a request with these headers; its last use is noted.
pub(super) async fn of_request(portal: &Portal, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    let Some(token) = SessionToken::of(headers, &portal.public) else { return Ok(None) };
    let now = portal.now();
    let store = &portal.engine.store;
    let Some(session) = store.session(&token.hash(), now).await? else { return Ok(None) };
    if now.since(session.seen_at) > TOUCH {
        let limit = session.created_at.plus(ABSOLUTE);
        let mut write = store.begin().await?;
        write.touch_session(session.id, now, now.plus(IDLE).min(limit)).await?;
        write.commit().await?;
    }
    Ok(Some(session))
}

/// Begins a session for the administrator and hands its cookie to the browser. The token is always a new one, so that nobody can have
/// planted it beforehand. `None` when the account was deactivated at this very moment.
pub(super) async fn begin(portal: &Portal, administrator_id: i64) -> Result<Option<Session>, StoreError> {
    let token = SessionToken::new(portal.engine.random.token());
    let now = portal.now();
    let mut write = portal.engine.store.begin().await?;
    write.prune(now).await?;
    write
        .add_session(NewSession {
            token_hash: token.hash(),
            administrator_id,
            created_at: now,
            expires_at: now.plus(IDLE),
        })
        .await?;
    write.commit().await?;
    send_cookie(&token.cookie(&portal.public));
    portal.engine.store.session(&token.hash(), now).await
}

/// Begins a session of an administrator in place of one that was ended a moment ago.
///
/// # Errors
/// When the database does not answer, and when the account may not sign in any more.
pub async fn begin_session(portal: &Portal, administrator_id: i64) -> Result<Session, AppError> {
    let begun = begin(portal, administrator_id).await.map_err(|error| internal(&error))?;
    begun.ok_or(AppError::SignedOut)
}

/// Ends the visitor's session.
///
/// # Errors
/// When the database does not answer.
pub async fn end_session(portal: &Portal, session: &Session) -> Result<(), AppError> {
    end(portal, session, false).await
}

/// Ends every session of the visitor's, on every device.
///
/// # Errors
/// When the database does not answer.
pub async fn end_every_session(portal: &Portal, session: &Session) -> Result<(), AppError> {
    end(portal, session, true).await
}

async fn end(portal: &Portal, session: &Session, everywhere: bool) -> Result<(), AppError> {
    let ended = async {
        let mut write = portal.engine.store.begin().await?;
        if everywhere {
            write.end_sessions_of(session.administrator.id).await?;
        } else {
            write.end_session(session.id).await?;
        }
        write.commit().await
    };
    ended.await.map_err(|error: StoreError| internal(&error))?;
    send_cookie(&set_cookie(cookie_name(&portal.public), "", 0, &portal.public));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(secure: bool) -> PublicUrl {
        PublicUrl { origin: String::new(), secure }
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let cookie = SessionToken::new([1; 32]).cookie(&public(true));
        assert!(cookie.starts_with("__Host-rollcall="), "{cookie}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!SessionToken::new([1; 32]).cookie(&public(false)).contains("Secure"));
    }

    #[test]
    fn a_token_is_read_back_from_its_cookie_among_others() {
        let token = SessionToken::new([9; 32]);
        let cookie = token.cookie(&public(false));
        let pair = cookie.split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_str(&format!("theme=dark; {pair}")).unwrap());
        assert!(SessionToken::of(&headers, &public(false)) == Some(token));
        assert!(SessionToken::of(&headers, &public(true)).is_none());
    }

    #[test]
    fn a_mangled_cookie_is_no_session() {
        for value in ["rollcall=", "rollcall=abc", "rollcall=%%%", "rollcall"] {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_static(value));
            assert!(SessionToken::of(&headers, &public(false)).is_none(), "{value}");
        }
    }
}
