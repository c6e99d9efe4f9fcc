//! Who may do what. Every server function begins here: [`require`] for a customer's pages, [`signed_in`] for the few others.
//!
//! What you may do is the type you were handed: a [`Desk`] is proof that the visitor is signed in and has at least the asked-for role at this
//! customer, and its [`CustomerStore`] reaches that customer's rows only. A refusal also shapes the response: a page render is redirected to
//! the sign-in page or answered with 403 or 404, a call from the browser gets the same status with the error's code.

pub mod password;
mod query;
mod session;
mod sign_in;

use std::sync::Arc;

use axum::http::{
    StatusCode,
    header::{ACCEPT, LOCATION},
    request::Parts,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Timestamp, role::Role};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::{Serialize, de::DeserializeOwned};
use store::{Administrator, Customer, CustomerStore, Session, StoreError};
use sync::{Actor, Engine, SyncError};

pub use self::{
    query::Query,
    session::{
        ClientAddress, SessionToken, begin_session, cookie, end_every_session, end_session, set_cookie,
    },
    sign_in::{SignIn, SignInRefused, confirm, sign_in, take_remembered_email},
};
use crate::error::AppError;

/// What a request needs of the running portal. One value, provided to every server function and route.
#[derive(Clone)]
pub struct Portal {
    /// The store, the clock, and everything that changes something.
    pub engine: Engine,
    /// The address under which browsers reach the portal.
    pub public: Arc<PublicUrl>,
    /// Checks passwords, two at a time.
    pub passwords: password::Passwords,
}

impl Portal {
    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }
}

/// The address under which browsers reach the portal; it decides the cookie's attributes, HSTS, the accepted origin and all links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    /// Whether it is https.
    pub secure: bool,
}

/// A signed-in administrator, not yet at any customer.
pub struct Visitor {
    /// The portal.
    pub portal: Portal,
    /// The session, with its administrator.
    pub session: Session,
}

/// A signed-in administrator at a customer, with at least the role that was asked for.
pub struct Desk {
    /// The portal.
    pub portal: Portal,
    /// The customer's rows.
    pub customer: CustomerStore,
    /// The session, with its administrator.
    pub session: Session,
    /// The administrator's role here.
    pub role: Role,
}

impl Visitor {
    /// The administrator as the one who changes something.
    #[must_use]
    pub fn actor(&self) -> Actor {
        actor(&self.session)
    }
}

fn actor(session: &Session) -> Actor {
    let Administrator { id, email, .. } = &session.administrator;
    Actor { administrator_id: Some(*id), name: email.clone() }
}

impl Desk {
    /// The administrator as the one who changes something.
    #[must_use]
    pub fn actor(&self) -> Actor {
        actor(&self.session)
    }
}

/// The running portal.
///
/// # Errors
/// Only outside a request.
pub fn portal() -> Result<Portal, AppError> {
    use_context().ok_or_else(|| internal(&"no portal in this context"))
}

/// The signed-in administrator.
///
/// # Errors
/// [`AppError::SignedOut`] when there is none.
pub async fn signed_in() -> Result<Visitor, AppError> {
    let portal = portal()?;
    match session::current(&portal).await {
        Ok(Some(session)) => Ok(Visitor { portal, session }),
        Ok(None) => Err(refuse(AppError::SignedOut)),
        Err(error) => Err(refuse(store_error(&error))),
    }
}

/// The desk of the signed-in administrator at the customer of that slug, when the role there is at least `role`.
///
/// # Errors
/// [`AppError::SignedOut`]; [`AppError::NotFound`] for a customer that does not exist or at which the administrator has no role at all;
/// [`AppError::Forbidden`] when the role is a lesser one.
pub async fn require(slug: &str, role: Role) -> Result<Desk, AppError> {
    let Visitor { portal, session } = signed_in().await?;
    open(portal, session, slug, role).await.map_err(refuse)
}

/// The desk of that session at that customer.
async fn open(portal: Portal, session: Session, slug: &str, role: Role) -> Result<Desk, AppError> {
    let customer = portal.engine.store.customer(slug).await.map_err(|error| store_error(&error))?;
    let Some(customer) = customer else { return Err(AppError::NotFound) };
    match session.administrator.role_for(customer.customer().id) {
        None => Err(AppError::NotFound),
        Some(own) if own < role => Err(AppError::Forbidden),
        Some(own) => Ok(Desk { portal, customer, session, role: own }),
    }
}

/// The desk for a plain route such as a download, which has no page around it.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::NotFound`] and [`AppError::Forbidden`] as in [`require`]; what the database has against it.
pub async fn require_plain(
    portal: &Portal,
    headers: &axum::http::HeaderMap,
    slug: &str,
    role: Role,
) -> Result<Desk, AppError> {
    let session = session::of_request(portal, headers).await.map_err(|error| store_error(&error))?;
    let Some(session) = session else { return Err(AppError::SignedOut) };
    open(portal.clone(), session, slug, role).await
}

/// Whoever is signed in with the role Administrator for all customers: who may add, suspend and delete customers.
///
/// # Errors
/// [`AppError::SignedOut`] and [`AppError::Forbidden`].
pub async fn require_everywhere() -> Result<Visitor, AppError> {
    let visitor = signed_in().await?;
    match visitor.session.administrator.every_customer_role {
        Some(Role::Administrator) => Ok(visitor),
        _ => Err(refuse(AppError::Forbidden)),
    }
}

/// The page that an administrator starts from. A portal with one customer opens on that customer; with several, on the list.
///
/// # Errors
/// When the database does not answer.
pub async fn start_page(portal: &Portal, administrator: &Administrator) -> Result<String, StoreError> {
    Ok(match open_customers(portal, administrator).await?.as_slice() {
        [only] => format!("/customers/{}/dashboard", only.slug),
        _ => "/customers".to_owned(),
    })
}

/// Every customer at which the administrator has a role, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn open_customers(
    portal: &Portal,
    administrator: &Administrator,
) -> Result<Vec<Customer>, StoreError> {
    let mut customers = portal.engine.store.customers().await?;
    customers.retain(|customer| administrator.role_for(customer.id).is_some());
    Ok(customers)
}

/// Answers a page's request for something that does not exist.
#[must_use]
pub fn not_found() -> AppError {
    refuse(AppError::NotFound)
}

/// Turns an unexpected error into a reference number for the browser and a trace in the log.
pub fn internal(error: &dyn std::fmt::Debug) -> AppError {
    let mut bytes = [0; 6];
    if getrandom::fill(&mut bytes).is_err() {
        tracing::warn!("no random bytes for a reference number");
    }
    let reference = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    tracing::error!(reference, ?error, "unexpected error");
    refuse(AppError::Internal { reference })
}

/// What a browser is told of a database error.
pub fn store_error(error: &StoreError) -> AppError {
    if error.is_transient() {
        tracing::warn!(?error, "database busy or unreachable");
        refuse(AppError::Busy)
    } else {
        internal(error)
    }
}

/// What a browser is told of an error of a change or a run.
pub fn sync_error(error: &SyncError) -> AppError {
    match error {
        SyncError::Store(error) => store_error(error),
        other => internal(other),
    }
}

/// The address of the page that is being rendered or that sent the form: a local path.
#[must_use]
pub fn page_path() -> String {
    let Some(parts) = use_context::<Parts>() else { return "/".to_owned() };
    parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Whether the request is a plain form or page load of a browser, and not a call by the page's own code.
#[must_use]
pub fn is_plain_request() -> bool {
    use_context::<Parts>().is_some_and(|parts| {
        parts
            .headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"))
    })
}

/// Sends the browser to another page of this portal. Only a local path is followed: anything else leads to the start page.
pub fn redirect(path: &str) {
    leptos_axum::redirect(local_path(path));
}

/// The path itself when it stays on this portal, else the start page. `//host` and `/\host` are other hosts to a browser.
#[must_use]
pub fn local_path(path: &str) -> &str {
    let local = path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if local { path } else { "/" }
}

/// Hands a form's answer to the browser. The page's own code gets it as the function's result. A browser without JavaScript is sent back to
/// the page at `path`, where the answer waits for the session's next load: nothing of it stands in an address.
///
/// # Errors
/// When the row cannot be written.
pub async fn answer<T: Serialize>(
    portal: &Portal,
    session: &Session,
    path: &str,
    answer: T,
) -> Result<T, AppError> {
    if is_plain_request() {
        let payload = serde_json::to_string(&answer).map_err(|error| internal(&error))?;
        let written = async {
            let mut write = portal.engine.store.begin().await?;
            write.put_flash(session.id, path, &payload, portal.now()).await?;
            write.commit().await
        };
        written.await.map_err(|error| store_error(&error))?;
        redirect(path);
    }
    Ok(answer)
}

/// Leaves a form's answer for the session's next load of the page at `page`, and sends the browser to `path`, which shows that page.
///
/// # Errors
/// When the row cannot be written.
pub async fn leave<T: Serialize>(
    portal: &Portal,
    session: &Session,
    page: &str,
    path: &str,
    answer: &T,
) -> Result<(), AppError> {
    let payload = serde_json::to_string(answer).map_err(|error| internal(&error))?;
    let written = async {
        let mut write = portal.engine.store.begin().await?;
        write.put_flash(session.id, page, &payload, portal.now()).await?;
        write.commit().await
    };
    written.await.map_err(|error| store_error(&error))?;
    redirect(path);
    Ok(())
}

/// Takes the answer that was left for the page at `path`; each is shown once. One that an older release wrote and this one cannot read is dropped.
///
/// # Errors
/// When the database does not answer.
pub async fn take_answer<T: DeserializeOwned>(
    portal: &Portal,
    session: &Session,
    path: &str,
) -> Result<Option<T>, AppError> {
    let payload =
        portal.engine.store.flash_take(session.id, path).await.map_err(|error| store_error(&error))?;
    Ok(payload.and_then(|payload| serde_json::from_str(&payload).ok()))
}

/// Shapes the response to a refusal and hands the error on.
fn refuse(error: AppError) -> AppError {
    let Some(response) = use_context::<ResponseOptions>() else { return error };
    let status = match &error {
        AppError::SignedOut => {
            if is_plain_request() {
                let page = page_path();
                let form = page.starts_with("/api/");
                redirect(&if form { "/login".to_owned() } else { with_query("/login", &[("next", &page)]) });
                return error;
            }
            StatusCode::UNAUTHORIZED
        }
        AppError::Forbidden => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal { .. } | AppError::Unreachable => StatusCode::INTERNAL_SERVER_ERROR,
    };
    // On a page several parts load at once: the way to the sign-in page goes before whatever another part found missing.
    let redirected = response.0.read().is_ok_and(|parts| parts.headers.contains_key(LOCATION));
    if !redirected {
        response.set_status(status);
    }
    error
}

/// A path with a query of these pairs.
#[must_use]
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={}", query_value(value))).collect();
    format!("{path}?{}", query.join("&"))
}

/// A value for a query: everything that has a meaning there is percent-encoded.
#[must_use]
pub fn query_value(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_local_path_is_followed() {
        assert_eq!(local_path("/customers/default/users?page=2"), "/customers/default/users?page=2");
        for path in [
            "",
            "users",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/a\r\nSet-Cookie:x",
            "/ä",
        ] {
            assert_eq!(local_path(path), "/", "{path:?}");
        }
    }

    #[test]
    fn the_way_back_is_encoded_whole() {
        assert_eq!(query_value("/customers/a/users?after=x&y=1"), "/customers/a/users%3Fafter%3Dx%26y%3D1");
    }
}
