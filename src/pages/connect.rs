//! Directory Services → Entra ID → Connect: the connection, its Test, and Sync Now.
//!
//! One form and one server function: Save, Test and Sync Now are submit buttons of it with a name and a value. With JavaScript the answer comes
//! back to the open page, without it waits for the page's next load; the form below is the same.

#![expect(
    clippy::too_many_arguments,
    reason = "the function behind the form takes its fields, as a browser sends them; the lint fires in what #[server] makes of it"
)]

mod filter;
mod form;
mod guide;

use domain::{
    check::TestReport,
    settings::{EntraText, FieldError},
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

use self::{filter::News, form::ConnectForm, guide::Guide};
use super::{entra_head::Tab, use_slug};
use crate::{
    components::{ErrorView, Loading, Message, Moment},
    error::AppError,
};

/// What the page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ConnectData {
    /// What is saved, or the defaults.
    saved: EntraText,
    /// What the page needs to know beside the form.
    around: Around,
    /// Whether the administrator may change the settings.
    may_change: bool,
    /// Whether the administrator may start a sync.
    may_sync: bool,
    /// The answer that waited for this load.
    answer: Option<Answer>,
    /// The tabs of Entra ID.
    tabs: Vec<Tab>,
}

/// What stands around the form; it changes with a Save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Around {
    /// When the client secret was saved, when there is one.
    secret_saved: Option<Moment>,
    /// The organisation's name and domains, once the tenant was asked.
    organisation: Option<(String, Vec<String>)>,
    /// Days until the client secret expires, when that is soon.
    secret_days: Option<i64>,
}

/// What came of a Save, a Test or a Sync Now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    message: Message,
    /// What is wrong at which field; nothing was saved.
    errors: Vec<FieldError>,
    /// The steps of a Test.
    report: Option<TestReport>,
    /// Why the tenant has to be confirmed before it is saved.
    doubts: Vec<String>,
    /// Whom the new rules drop, when that has to be confirmed before they are saved.
    leavers: Option<Leavers>,
    /// What is known about the filter: a page with JavaScript asks for it by itself.
    filter: Option<News>,
    /// What names the figures of a switch to another tenant that were shown; empty when there is none.
    switch: String,
    /// What was typed, the secret apart: a page without JavaScript shows it again.
    typed: Option<EntraText>,
    /// What stands around the form after a Save.
    around: Option<Around>,
}

/// Whom new rules drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leavers {
    /// How many, in words.
    label: String,
    /// The first of them, as markup.
    people: String,
    /// Stands for exactly these people.
    fingerprint: String,
    /// Whether a secret was typed that this answer cannot bring back.
    secret_is_lost: bool,
}

impl Answer {
    const fn new(message: Message) -> Self {
        Self {
            message,
            errors: Vec::new(),
            report: None,
            doubts: Vec::new(),
            leavers: None,
            filter: None,
            switch: String::new(),
            typed: None,
            around: None,
        }
    }
}

/// The Connect page of a customer.
#[server(endpoint = "connect_page")]
async fn connect_page(slug: String) -> Result<ConnectData, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    let (saved, around) = server::load(&desk).await?;
    let path = server::path(&desk);
    Ok(ConnectData {
        tabs: super::entra_head::tabs(&desk, "connect").await?,
        saved,
        around,
        may_change: desk.role >= Role::Administrator,
        may_sync: desk.role >= Role::Operator,
        answer: access::take_answer(&desk.portal, &desk.session, &path).await?,
    })
}

/// Save, Test, Sync Now or Check a person, by `intent`. `save_leaving` is a Save that has seen whom it drops (`leaving`); `enter` stands for
/// the Enter key: Check when a page without JavaScript names somebody, else Save. Settings that are not sent (an unticked box) are off.
#[server(name = SubmitConnect, endpoint = "connect")]
async fn connect(
    slug: String,
    intent: String,
    enabled: Option<String>,
    tenant: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_secret_expires: Option<String>,
    sync_frequency: Option<String>,
    delete_users_after: Option<String>,
    include_disabled: Option<String>,
    custom_filter: Option<String>,
    confirm_tenant: Option<String>,
    leaving: Option<String>,
    check_person: Option<String>,
    switch: Option<String>,
) -> Result<Answer, AppError> {
    use domain::{Secret, role::Role};
    use sync::connect::ConnectForm;

    use crate::access;

    let text = EntraText {
        enabled: enabled.is_some(),
        tenant: tenant.unwrap_or_default(),
        client_id: client_id.unwrap_or_default(),
        client_secret_expires: client_secret_expires.unwrap_or_default(),
        sync_frequency: sync_frequency.unwrap_or_default(),
        delete_users_after: delete_users_after.unwrap_or_default(),
        include_disabled: include_disabled.is_some(),
        custom_filter: custom_filter.unwrap_or_default(),
    };
    let secret = client_secret.filter(|secret| !secret.is_empty()).map(Secret::new);
    let is_plain = access::is_plain_request();
    let names_somebody = check_person.as_ref().is_some_and(|who| !who.trim().is_empty());
    let intent = match intent.as_str() {
        "enter" if is_plain && names_somebody => "person",
        "enter" => "save",
        intent => intent,
    };
    let confirm_leaving = leaving.filter(|_| intent == "save_leaving");
    // A page always says what it has shown, if only that it has shown nothing.
    let form = ConnectForm {
        text,
        secret,
        confirm_tenant: confirm_tenant.is_some(),
        confirm_switch: Some(switch.unwrap_or_default()),
        confirm_leaving,
    };
    let role = match intent {
        "person" => Role::Viewer,
        "sync" => Role::Operator,
        _ => Role::Administrator,
    };
    let desk = access::require(&slug, role).await?;
    // A form that is locked does not send all of its fields.
    let typed =
        if desk.role >= Role::Administrator { form.text.clone() } else { server::load(&desk).await?.0 };
    let (filter, include_disabled) = (typed.custom_filter.clone(), typed.include_disabled);
    let mut answer = match intent {
        "person" => server::person(typed),
        "save" | "save_leaving" => server::save(&desk, form).await?,
        "test" => server::test(&desk, form).await?,
        "sync" => server::sync(&desk).await?,
        _ => return Err(access::not_found()),
    };
    if intent != "sync" && is_plain {
        let who = check_person.unwrap_or_default();
        answer.filter = Some(filter::server::news(&desk, &filter, include_disabled, who).await?);
    }
    access::answer(&desk.portal, &desk.session, &server::path(&desk), answer).await
}

/// The Connect page.
#[component]
pub(super) fn Connect() -> impl IntoView {
    let slug = use_slug();
    let data = Resource::new(move || slug.get(), connect_page);
    view! {
        <Title text="Entra ID" />
        <Suspense fallback=|| view! { <Loading rows=10 /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(data) => {
                        let tenant = data.saved.tenant.clone();
                        view! {
                            <div class="columns">
                                <ConnectForm slug=slug.get_untracked() data=data />
                                <Guide tenant=tenant />
                            </div>
                        }
                            .into_any()
                    }
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[cfg(feature = "ssr")]
mod server;
