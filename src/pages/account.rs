//! An administrator's own account, and the one-time link by which somebody chooses a password.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// The account of whoever is signed in.
#[server(endpoint = "account")]
async fn account() -> Result<Rendered, AppError> {
    use crate::{access, components::Message};

    let visitor = access::signed_in().await?;
    let start = access::start_page(&visitor.portal, &visitor.session.administrator).await;
    let start = start.map_err(|error| access::store_error(&error))?;
    let message: Option<Message> = access::take_answer(&visitor.portal, &visitor.session, view::PATH).await?;
    Ok(Rendered::new(view::account(&visitor.session.administrator, start)).with_message(message))
}

/// Changes the password of whoever is signed in, who has to know the present one. Every session ends, and this browser gets a new one.
#[server(endpoint = "change_password")]
async fn change_password(present: String, password: String) -> Result<(), AppError> {
    use domain::Secret;

    use crate::{
        access,
        components::{Message, Tone},
    };

    let visitor = access::signed_in().await?;
    let (portal, own) = (&visitor.portal, &visitor.session.administrator);
    let password = Secret::new(password);
    if let Some(refused) = access::password::refuse_new(&password) {
        let message = Message::new(Tone::Bad, refused);
        return access::answer(portal, &visitor.session, view::PATH, message).await.map(drop);
    }
    let typed = access::SignIn { email: own.email.clone(), password: Secret::new(present) };
    let message = match access::confirm(portal, &typed).await? {
        Err(access::SignInRefused::Wrong) => {
            Message::new(Tone::Bad, "The present password is wrong. Nothing was changed.")
        }
        Err(access::SignInRefused::TooMany) => {
            Message::new(Tone::Bad, "Too many failed attempts. Wait 15 minutes and try again.")
        }
        Ok(()) => {
            let hash = portal.passwords.hash(password.clone(), portal.engine.random.as_ref()).await;
            let hash = hash.map_err(|error| access::internal(&error))?;
            let actor = sync::Actor { administrator_id: Some(own.id), name: own.email.clone() };
            let changed = sync::administrators::set_password(&portal.engine, &actor, &own.email, &hash).await;
            if changed.map_err(|error| access::sync_error(&error))?.is_err() {
                return Err(access::not_found());
            }
            let session = access::begin_session(portal, own.id).await?;
            let message =
                Message::new(Tone::Good, "The password was changed. Other browsers were signed out.");
            return access::answer(portal, &session, view::PATH, message).await.map(drop);
        }
    };
    access::answer(portal, &visitor.session, view::PATH, message).await.map(drop)
}

/// The page of a one-time link.
#[server(endpoint = "invitation")]
async fn invitation(query: String) -> Result<Rendered, AppError> {
    use crate::access::{self, Query};

    let portal = access::portal()?;
    let query = Query::read(&query);
    let token = query.get("token");
    let whose = sync::administrators::link_of(&portal.engine, token).await;
    let whose = whose.map_err(|error| access::sync_error(&error))?;
    Ok(Rendered::new(view::invitation(token, whose, query.get("refused") == "password")))
}

/// Uses a one-time link: sets the password and signs in.
#[server(endpoint = "accept_invitation")]
async fn accept_invitation(token: String, password: String) -> Result<(), AppError> {
    use domain::Secret;

    use crate::access;

    let portal = access::portal()?;
    let password = Secret::new(password);
    let back = |more: &[(&str, &str)]| {
        let all: Vec<_> = [("token", token.as_str())].into_iter().chain(more.iter().copied()).collect();
        access::redirect(&access::with_query("/invitation", &all));
    };
    if access::password::refuse_new(&password).is_some() {
        back(&[("refused", "password")]);
        return Ok(());
    }
    // Before the hashing, which is dear: whoever has no link gets no work done.
    let whose = sync::administrators::link_of(&portal.engine, &token).await;
    if whose.map_err(|error| access::sync_error(&error))?.is_none() {
        back(&[]);
        return Ok(());
    }
    let hash = portal.passwords.hash(password.clone(), portal.engine.random.as_ref()).await;
    let hash = hash.map_err(|error| access::internal(&error))?;
    let used = sync::administrators::use_link(&portal.engine, &token, &hash).await;
    match used.map_err(|error| access::sync_error(&error))? {
        Ok(email) => {
            // Right after that only the throttle can refuse it; then the sign-in page says so.
            let start = access::sign_in(&portal, access::SignIn { email, password }).await?;
            access::redirect(&start.unwrap_or_else(|_| "/login".to_owned()));
        }
        Err(_) => back(&[]),
    }
    Ok(())
}

/// The account.
#[component]
pub(super) fn Account() -> impl IntoView {
    view! { <main class="alone">{screen("Your account", |_| Box::pin(account()))}</main> }
}

/// The page of a one-time link.
#[component]
pub(super) fn Invitation() -> impl IntoView {
    view! { <main class="alone">{screen("Choose a password", |Place { query, .. }| Box::pin(invitation(query)))}</main> }
}

#[cfg(feature = "ssr")]
mod view;
