//! The first administrator, by the one-time link that the log prints while there is none.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use crate::{
    components::{Icon, Submit, TextField},
    error::AppError,
};

/// Why the first administrator was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Refused {
    Email,
    Password,
    Link,
}

impl Refused {
    const ALL: [Self; 3] = [Self::Email, Self::Password, Self::Link];

    const fn code(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Password => "password",
            Self::Link => "link",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Email => "Enter an email address.",
            Self::Password => "Choose a password of 12 to 256 characters.",
            Self::Link => {
                "This link was used, has expired or is mistyped. Restart the portal for a new one, or use the command line: rollcall admin create."
            }
        }
    }
}

/// Creates the first administrator and signs in.
#[server(endpoint = "set_up")]
async fn set_up(
    token: String,
    email: String,
    display_name: String,
    password: String,
) -> Result<Option<Refused>, AppError> {
    use domain::Secret;
    use sync::administrators::{self, Candidate};

    use crate::access;

    let portal = access::portal()?;
    let password = Secret::new(password);
    let refused = if access::password::refuse_new(&password).is_some() {
        Refused::Password
    } else {
        let random = portal.engine.random.as_ref();
        let hashed = portal.passwords.hash(password.clone(), random).await;
        let password_hash = hashed.map_err(|error| access::internal(&error))?;
        let candidate = Candidate { email: email.clone(), display_name, password_hash };
        let created = administrators::use_setup_link(&portal.engine, &token, candidate).await;
        match created.map_err(|error| access::sync_error(&error))? {
            Ok(_) => {
                let typed = access::SignIn { email, password };
                // Right after its creation only the throttle can refuse it; then the sign-in page says so.
                let start = access::sign_in(&portal, typed).await?.unwrap_or_else(|_| "/login".to_owned());
                access::redirect(&start);
                return Ok(None);
            }
            Err(administrators::Refused::Email) => Refused::Email,
            Err(_) => Refused::Link,
        }
    };
    if access::is_plain_request() {
        access::redirect(&access::with_query("/setup", &[("token", &token), ("refused", refused.code())]));
    }
    Ok(Some(refused))
}

/// The set-up page.
#[component]
pub(super) fn Setup() -> impl IntoView {
    let query = use_query_map();
    let action = ServerAction::<SetUp>::new();
    let token = move || query.with(|query| query.get("token").unwrap_or_default());
    let refused = Signal::derive(move || match action.value().get() {
        Some(Ok(refused)) => refused.map(|refused| refused.words().to_owned()),
        Some(Err(error)) => Some(error.to_string()),
        None => {
            let code = query.with(|query| query.get("refused"))?;
            Refused::ALL
                .into_iter()
                .find(|refused| refused.code() == code)
                .map(|refused| refused.words().to_owned())
        }
    });
    view! {
        <Title text="Set up" />
        <main class="alone">
            <div class="card sign-in">
                <p class="brand">
                    <Icon name="brand" />
                    "Rollcall"
                </p>
                <h1>"Create the first administrator"</h1>
                <p class="soft">"This administrator may do everything for every customer. The link works once."</p>
                <p class="notice bad" role="alert" hidden=move || refused.with(Option::is_none)>
                    {move || refused.get()}
                </p>
                <ActionForm action=action>
                    <input type="hidden" name="token" value=token />
                    <TextField name="email" label="Email" value="" error=None kind="email" autocomplete="username">
                        ""
                    </TextField>
                    <TextField name="display_name" label="Name" value="" error=None autocomplete="name">
                        ""
                    </TextField>
                    <TextField name="password" label="Password" value="" error=None kind="password" autocomplete="new-password">
                        "At least 12 characters."
                    </TextField>
                    <Submit label="Create and sign in" class="primary wide" pending=action.pending() />
                </ActionForm>
            </div>
        </main>
    }
}
