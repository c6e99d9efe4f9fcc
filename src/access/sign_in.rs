//! Signing in: constant work for unknown names, and a throttle by name and by address.

use axum::http::request::Parts;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Secret, Timestamp};
use leptos::prelude::use_context;
use store::{Administrator, StoreError};

use super::{ClientAddress, Portal, internal, password, session, start_page, store_error};
use crate::error::AppError;

/// Failed attempts are counted over this time.
const WINDOW: i64 = 15 * Timestamp::MINUTE;
/// Failed attempts on one name within the window before further ones are turned away.
const PER_NAME: i64 = 10;
/// Failed attempts from one address within the window before further ones are turned away.
const PER_ADDRESS: i64 = 50;
/// The cookie that carries the typed email back to the form of a browser without JavaScript, for a minute.
const REMEMBERED: &str = "rollcall_email";

/// What somebody typed to sign in.
pub struct SignIn {
    /// The email.
    pub email: String,
    /// The password.
    pub password: Secret,
}

/// Why somebody was not signed in. It does not say which of the two was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInRefused {
    /// The email or the password.
    Wrong,
    /// Too many failed attempts; the right password would not do either.
    TooMany,
}

/// Signs in: begins a session, hands its cookie to the browser, and says which page the administrator starts from.
///
/// # Errors
/// When the database does not answer or the stored hash is unreadable.
pub async fn sign_in(portal: &Portal, typed: SignIn) -> Result<Result<String, SignInRefused>, AppError> {
    match check(portal, &typed).await? {
        Ok(administrator) => {
            let begun = async {
                session::begin(portal, administrator.id).await?;
                start_page(portal, &administrator).await
            };
            begun.await.map(Ok).map_err(|error: StoreError| store_error(&error))
        }
        Err(refused) => {
            remember(portal, &typed.email.trim().to_lowercase());
            Ok(Err(refused))
        }
    }
}

/// Checks the password of somebody who is signed in already, under the same throttle.
///
/// # Errors
/// When the database does not answer or the stored hash is unreadable.
pub async fn confirm(portal: &Portal, typed: &SignIn) -> Result<Result<(), SignInRefused>, AppError> {
    Ok(check(portal, typed).await?.map(drop))
}

/// Whose the email and the password are.
async fn check(portal: &Portal, typed: &SignIn) -> Result<Result<Administrator, SignInRefused>, AppError> {
    let store = &portal.engine.store;
    let now = portal.now();
    let email = typed.email.trim().to_lowercase();
    let address = use_context::<Parts>().and_then(|parts| parts.extensions.get::<ClientAddress>().copied());
    let mut limits = vec![(format!("name:{email}"), PER_NAME)];
    limits.extend(address.map(|ClientAddress(ip)| (format!("address:{ip}"), PER_ADDRESS)));
    for (key, most) in &limits {
        let failed =
            store.attempts_since(key, now.plus(-WINDOW)).await.map_err(|error| store_error(&error))?;
        if failed >= *most {
            tracing::warn!(failed, "sign-in turned away by the throttle");
            return Ok(Err(SignInRefused::TooMany));
        }
    }
    let known = store.administrator_by_email(&email).await.map_err(|error| store_error(&error))?;
    let known = known.filter(|administrator| administrator.deactivated_at.is_none());
    // Who was invited has no password yet: nothing that is typed is right.
    let known = known.filter(|administrator| !administrator.password_hash.is_empty());
    let stored = known.as_ref().map(|administrator| administrator.password_hash.clone());
    let too_long = typed.password.expose().len() > password::LONGEST;
    let right = portal.passwords.verify(typed.password.clone(), stored).await;
    let right = right.map_err(|error| internal(&error))?;
    let answer = match known {
        Some(administrator) if right && !too_long => Ok(administrator),
        _ => Err(SignInRefused::Wrong),
    };
    let noted = async {
        let mut write = store.begin().await?;
        if answer.is_ok() {
            // Only the name's count: a stranger with an account of his own must not be able to reset his address's.
            write.clear_attempts(&format!("name:{email}")).await?;
        } else {
            for (key, _) in &limits {
                write.record_attempt(key, now).await?;
            }
        }
        write.commit().await
    };
    noted.await.map_err(|error: StoreError| store_error(&error))?;
    Ok(answer)
}

/// The email that was typed a moment ago, so that the form can show it again.
#[must_use]
pub fn take_remembered_email() -> Option<String> {
    let parts = use_context::<Parts>()?;
    let text = session::cookie(&parts.headers, REMEMBERED)?;
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok().filter(|email| email.len() <= 320)
}

fn remember(portal: &Portal, email: &str) {
    if email.len() <= 320 {
        let value = BASE64_URL_SAFE_NO_PAD.encode(email);
        session::send_cookie(&session::set_cookie(REMEMBERED, &value, 60, &portal.public));
    }
}
