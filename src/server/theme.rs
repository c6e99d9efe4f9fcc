//! The reader's choice of light or dark, kept in a cookie.

use axum::{
    extract::{Extension, Form},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect},
};
use serde::Deserialize;

use crate::access::{Portal, cookie, local_path, set_cookie};

const COOKIE: &str = "theme";

/// The form in the account menu.
#[derive(Deserialize)]
pub(super) struct Choice {
    theme: String,
    next: String,
}

/// `POST /theme`.
pub(super) async fn choose(
    Extension(portal): Extension<Portal>,
    Form(choice): Form<Choice>,
) -> impl IntoResponse {
    let (value, seconds) = match choice.theme.as_str() {
        "light" => ("light", 31_536_000),
        "dark" => ("dark", 31_536_000),
        _ => ("", 0),
    };
    let cookie = set_cookie(COOKIE, value, seconds, &portal.public);
    ([(header::SET_COOKIE, cookie)], Redirect::to(local_path(&choice.next)))
}

/// The choice of a request, when one was made.
pub(super) fn of(headers: &HeaderMap) -> Option<String> {
    let value = cookie(headers, COOKIE)?;
    ["light", "dark"].contains(&value).then(|| value.to_owned())
}
