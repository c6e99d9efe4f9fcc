//! The states of a list or page other than "here it is".

use leptos::prelude::*;

use super::Icon;
use crate::error::AppError;

/// Grey bars while the content is on its way.
#[component]
pub fn Loading(
    /// How many bars.
    #[prop(default = 6)]
    rows: usize,
) -> impl IntoView {
    view! {
        <div class="skeleton" aria-hidden="true">
            {(0..rows).map(|_| view! { <div class="skeleton-row"></div> }).collect_view()}
        </div>
        <p class="visually-hidden" role="status">"Loading…"</p>
    }
}

/// Nothing here: one sentence why, and the next step.
#[component]
pub fn Empty(
    /// Why there is nothing.
    #[prop(into)]
    why: String,
    /// The next step: a local path and its words.
    #[prop(optional_no_strip)]
    step: Option<(String, &'static str)>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="inbox" />
            <p>{why}</p>
            {step.map(|(path, words)| view! { <a class="button" href=path>{words}</a> })}
        </div>
    }
}

/// What went wrong, and what to do.
#[component]
pub fn ErrorView(
    /// The error.
    error: AppError,
) -> impl IntoView {
    let (title, what, step) = match &error {
        AppError::SignedOut => (
            "You are signed out",
            "Your session has ended. Sign in to go on.".to_owned(),
            ("/login", "Sign in"),
        ),
        AppError::Forbidden => (
            "Not with your role",
            "Your role does not allow this. Ask an administrator of this customer for it.".to_owned(),
            ("/", "Back to the start"),
        ),
        AppError::NotFound => (
            "There is no such page",
            "The address may be mistyped, or what stood here is gone.".to_owned(),
            ("/", "Back to the start"),
        ),
        AppError::Busy => (
            "The server is busy",
            "The database did not answer in time. Nothing was changed.".to_owned(),
            ("", "Try again"),
        ),
        AppError::Internal { reference } => (
            "Something went wrong",
            format!(
                "The server's log has the details under the reference {reference}. Try again; if it stays, hand on that reference."
            ),
            ("", "Try again"),
        ),
        AppError::Unreachable => (
            "The server could not be reached",
            "Check the connection to the portal. What you did last may not have been done.".to_owned(),
            ("", "Try again"),
        ),
    };
    go_to_sign_in(&error);
    view! {
        <div class="error-view" role="alert">
            <Icon name="warning" />
            <h1>{title}</h1>
            <p>{what}</p>
            <a class="button" href=step.0 rel="external">{step.1}</a>
        </div>
    }
}

/// When a session ends under an open page, the browser goes to the sign-in page and comes back to this one. (A page load is sent there by
/// the server.)
fn go_to_sign_in(error: &AppError) {
    #[cfg(feature = "hydrate")]
    if *error == AppError::SignedOut {
        Effect::new(|| {
            let location = window().location();
            let page = format!(
                "{}{}",
                location.pathname().unwrap_or_default(),
                location.search().unwrap_or_default()
            );
            let target = format!("/login?next={}", String::from(js_sys::encode_uri_component(&page)));
            // Where the browser refuses the move, the page's own link does the same.
            drop(location.assign(&target));
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = error;
}
