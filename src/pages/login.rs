//! Signing in.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use crate::{
    components::{Icon, Submit, TextField},
    error::AppError,
};

/// Why somebody was not signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Refused {
    Wrong,
    TooMany,
}

impl Refused {
    const fn code(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::TooMany => "too-many",
        }
    }

    fn of(code: &str) -> Option<Self> {
        [Self::Wrong, Self::TooMany].into_iter().find(|refused| refused.code() == code)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Wrong => "The email or the password is wrong.",
            Self::TooMany => "Too many failed attempts. Wait 15 minutes and try again.",
        }
    }
}

/// What the sign-in form shows at first.
#[server(endpoint = "sign_in_form")]
async fn sign_in_form() -> Result<String, AppError> {
    Ok(crate::access::take_remembered_email().unwrap_or_default())
}

/// Signs in and leads to the page that was asked for.
#[server(endpoint = "sign_in")]
async fn sign_in(email: String, password: String, next: String) -> Result<Option<Refused>, AppError> {
    use domain::Secret;

    use crate::access;

    let portal = access::portal()?;
    let typed = access::SignIn { email, password: Secret::new(password) };
    let next = access::local_path(&next);
    let refused = match access::sign_in(&portal, typed).await? {
        Ok(start) => {
            // The start page is found by the server alone; the page's own code could not follow "/".
            access::redirect(if next == "/" { &start } else { next });
            return Ok(None);
        }
        Err(access::SignInRefused::Wrong) => Refused::Wrong,
        Err(access::SignInRefused::TooMany) => Refused::TooMany,
    };
    if access::is_plain_request() {
        access::redirect(&access::with_query("/login", &[("next", next), ("refused", refused.code())]));
    }
    Ok(Some(refused))
}

/// The sign-in page.
#[component]
pub(super) fn Login() -> impl IntoView {
    let query = use_query_map();
    let action = ServerAction::<SignIn>::new();
    let email = Resource::new(|| (), |()| sign_in_form());
    let next = move || query.with(|query| query.get("next").unwrap_or_else(|| "/".to_owned()));
    let refused = Signal::derive(move || match action.value().get() {
        Some(Ok(refused)) => refused.map(|refused| refused.words().to_owned()),
        Some(Err(error)) => Some(error.to_string()),
        None => query
            .with(|query| query.get("refused"))
            .and_then(|code| Refused::of(&code))
            .map(|refused| refused.words().to_owned()),
    });
    view! {
        <Title text="Sign in" />
        <main class="alone">
            <div class="card sign-in">
                <p class="brand">
                    <Icon name="brand" />
                    "Rollcall"
                </p>
                <h1>"Sign in"</h1>
                <p class="notice bad" role="alert" hidden=move || refused.with(Option::is_none)>
                    {move || refused.get()}
                </p>
                <ActionForm action=action>
                    <input type="hidden" name="next" value=next />
                    <Suspense>
                        {move || Suspend::new(async move {
                            let email = email.await.unwrap_or_default();
                            view! {
                                <TextField name="email" label="Email" value=email error=None kind="email" autocomplete="username">
                                    ""
                                </TextField>
                            }
                        })}
                    </Suspense>
                    <TextField
                        name="password"
                        label="Password"
                        value=""
                        error=None
                        kind="password"
                        autocomplete="current-password"
                    >
                        ""
                    </TextField>
                    <Submit label="Sign in" class="primary wide" pending=action.pending() />
                </ActionForm>
            </div>
        </main>
    }
}
