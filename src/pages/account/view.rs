//! The account and the page of a one-time link, as the server renders them.

use leptos::prelude::*;
use store::Administrator;

use crate::components::Icon;

/// The account's own address.
pub(super) const PATH: &str = "/account";

fn password(
    id: &'static str,
    label: &'static str,
    autocomplete: &'static str,
    help: &'static str,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input id=id name=id type="password" required="" autocomplete=autocomplete aria-describedby=format!("{id}-help") />
            <div class="help" id=format!("{id}-help")>{help}</div>
        </div>
    }
}

/// The account: change of the password, sign out everywhere.
pub(super) fn account(own: &Administrator, start: String) -> impl IntoView + use<> {
    view! {
        <p class="brand"><Icon name="brand" />"Rollcall"</p>
        <h1>"Your account"</h1>
        <p><bdi>{own.display_name.clone()}</bdi>", "<bdi>{own.email.clone()}</bdi></p>
        <section class="card sign-in">
            <h2>"Change the password"</h2>
            <form method="post" action="/api/change_password">
                <input type="hidden" autocomplete="username" value=own.email.clone() />
                {password("present", "Present password", "current-password", "")}
                {password("password", "New password", "new-password", "At least 12 characters.")}
                <button class="button primary wide" type="submit">"Change the password"</button>
            </form>
        </section>
        <section class="card">
            <h2>"Sign out everywhere"</h2>
            <p>"Ends every session of yours, on every device, this one included."</p>
            <form method="post" action="/api/sign_out">
                <button class="button" type="submit" name="everywhere" value="on">"Sign out everywhere"</button>
            </form>
        </section>
        <p><a href=start>"Back to the portal"</a></p>
    }
}

/// The page of a one-time link; `whose` is `None` when the link is not good.
pub(super) fn invitation(token: &str, whose: Option<String>, refused: bool) -> impl IntoView + use<> {
    let Some(email) = whose else {
        return view! {
            <div class="card sign-in">
                <p class="brand"><Icon name="brand" />"Rollcall"</p>
                <h1>"This link is not good any more"</h1>
                <p>"It was used, has expired or is mistyped. Ask an administrator for a new one."</p>
                <a href="/login">"Sign in"</a>
            </div>
        }
        .into_any();
    };
    view! {
        <div class="card sign-in">
            <p class="brand"><Icon name="brand" />"Rollcall"</p>
            <h1>"Choose a password"</h1>
            <p class="soft">"For "<bdi>{email.clone()}</bdi>". You sign in with this email and the password."</p>
            {refused.then(|| view! { <p class="notice bad" role="alert">"Choose a password of 12 to 256 characters."</p> })}
            <form method="post" action="/api/accept_invitation">
                <input type="hidden" name="token" value=token.to_owned() />
                <input type="hidden" autocomplete="username" value=email />
                {password("password", "Password", "new-password", "At least 12 characters.")}
                <button class="button primary wide" type="submit">"Save and sign in"</button>
            </form>
        </div>
    }
    .into_any()
}
