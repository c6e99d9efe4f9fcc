//! The form of the Connect page.

use domain::{
    check::{GENERAL_ADVICE, TestReport},
    settings::{DeleteAfter, Field, SyncFrequency},
};
use leptos::{form::ActionForm, html, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{Answer, Around, ConnectData, Leavers, SubmitConnect, filter::WhoIsSynced};
use crate::{
    components::{Checkbox, Icon, Message, MomentView, SelectField, Steps, Submit, TextField, Toast, Tone},
    pages::{CONNECT, customer_path, dashboard::secret_warning, entra_head::Tabs, frame::FrameVersion},
};

/// The form with its messages. The controls are made once and keep what was typed; only what is said about them changes.
#[component]
pub(super) fn ConnectForm(slug: String, data: ConnectData) -> impl IntoView {
    let ConnectData { saved, around, may_change, may_sync, answer: waited, tabs } = data;
    let action = ServerAction::<SubmitConnect>::new();
    let mut text = waited.as_ref().and_then(|answer| answer.typed.clone()).unwrap_or(saved);
    // A ready filter that was chosen without JavaScript stands in the address. It is text for the field and no more.
    if let Some(filter) = use_query_map().with_untracked(|query| query.get("filter")) {
        text.custom_filter = filter;
    }
    let news = waited.as_ref().and_then(|answer| answer.filter.clone()).unwrap_or_default();
    let own_domain = around.organisation.as_ref().and_then(|(_, domains)| domains.first().cloned());
    let around = RwSignal::new(around);
    let answer = Memo::new(move |_| match action.value().get() {
        Some(Ok(answer)) => Some(answer),
        Some(Err(error)) => Some(Answer::new(Message::new(Tone::Bad, error.to_string()))),
        None => waited.clone(),
    });
    let message =
        Signal::derive(move || answer.with(|answer| answer.as_ref().map(|answer| answer.message.clone())));
    let error = move |field: Field| {
        Signal::derive(move || {
            answer.with(|answer| {
                let errors = &answer.as_ref()?.errors;
                errors.iter().find(|error| error.field == field).map(|error| error.message.clone())
            })
        })
    };
    let secret = NodeRef::<html::Input>::new();
    let frame = use_context::<FrameVersion>();
    Effect::new(move || {
        // After a Save the secret leaves the page, and what stands around the form is the new state; a started sync shows in the frame.
        let Some(Ok(answer)) = action.value().get() else { return };
        if let Some(new) = answer.around {
            around.set(new);
            if let Some(secret) = secret.get_untracked() {
                secret.set_value("");
            }
        }
        if let Some(FrameVersion(version)) = frame {
            version.update(|version| *version += 1);
        }
    });
    let locked = !may_change;
    let pending = action.pending();
    view! {
        <Toast message=message />
        <ActionForm action=action attr:class="connect" attr:id="connect-form">
            <div class="page-head">
                <h1>"Entra ID"</h1>
            </div>
            <Tabs tabs=tabs />
            <input type="hidden" name="slug" value=slug.clone() />
            // Enter in a field presses the first button, which must not be Check.
            {may_change
                .then(|| {
                    view! {
                        <Submit
                            label="Save"
                            value=("intent", "enter")
                            pending=pending
                            class="visually-hidden"
                            attr:tabindex="-1"
                            attr:aria-hidden="true"
                        />
                    }
                })}
            {move || view! { <AroundView around=around.get() /> }}
            {locked
                .then(|| {
                    view! {
                        <p class="notice">
                            <Icon name="info" />
                            <span>"Only an administrator of this customer may change these settings."</span>
                        </p>
                    }
                })}
            <section class="card">
                <h2>"Connection"</h2>
                <Checkbox name="enabled" label="Enable Azure Sync" checked=text.enabled locked=locked>
                    "Users and groups are read from Entra ID by the schedule below, and whenever somebody starts a sync."
                </Checkbox>
                <TextField name="tenant" label="Tenant Domain" value=text.tenant error=error(Field::Tenant) locked=locked>
                    "The Directory (tenant) ID, or a verified domain such as contoso.onmicrosoft.com."
                </TextField>
                <TextField
                    name="client_id"
                    label="Client ID"
                    value=text.client_id
                    error=error(Field::ClientId)
                    locked=locked
                >
                    "The Application (client) ID of the app in Entra."
                </TextField>
                <TextField
                    name="client_secret"
                    label="Client Secret"
                    value=""
                    kind="password"
                    autocomplete="new-password"
                    error=error(Field::ClientSecret)
                    locked=locked
                    node_ref=secret
                >
                    {move || {
                        around
                            .with(|around| around.secret_saved.clone())
                            .map(|moment| {
                                view! {
                                    <span class="saved">
                                        <Icon name="lock" />
                                        "saved on "
                                        <MomentView moment=moment />
                                    </span>
                                    " Leave the field empty to keep it. "
                                }
                            })
                    }} "The secret's Value, not its Secret ID. It is never shown again."
                </TextField>
                <TextField
                    name="client_secret_expires"
                    label="Client secret expires on"
                    kind="date"
                    value=text.client_secret_expires
                    error=error(Field::ClientSecretExpires)
                    locked=locked
                >
                    "Optional. From 60 days before, this portal warns."
                </TextField>
            </section>
            <section class="card">
                <h2>"When"</h2>
                <SelectField
                    name="sync_frequency"
                    label="Sync Frequency"
                    choices=SyncFrequency::ALL.map(|choice| (choice.name(), choice.label())).to_vec()
                    value=text.sync_frequency
                    error=error(Field::SyncFrequency)
                    locked=locked
                >
                    "How often a sync starts by itself. Sync Now and the command line start one at any time."
                </SelectField>
                <SelectField
                    name="delete_users_after"
                    label="Delete Users After"
                    choices=DeleteAfter::ALL.map(|choice| (choice.name(), choice.label())).to_vec()
                    value=text.delete_users_after
                    error=error(Field::DeleteUsersAfter)
                    locked=locked
                >
                    "How long a user in conflict, whom the directory no longer delivers, is kept before it goes to the recycle bin."
                </SelectField>
            </section>
            <WhoIsSynced
                slug=slug.clone()
                text=text.custom_filter
                include_disabled=text.include_disabled
                error=error(Field::CustomFilter)
                locked=locked
                news=news
                domain=own_domain
            />
            {move || {
                let (doubts, switch, leavers) = answer
                    .with(|answer| {
                        answer.as_ref().map(|answer| (answer.doubts.clone(), answer.switch.clone(), answer.leavers.clone()))
                    })
                    .unwrap_or_default();
                let confirmed = leavers.is_some();
                let doubts =
                    (!doubts.is_empty()).then(|| view! { <Doubts doubts=doubts switch=switch confirmed=confirmed /> });
                let page = customer_path(&slug, CONNECT);
                let leavers = leavers.map(|leavers| view! { <LeaversView leavers=leavers page=page pending=pending /> });
                view! {
                    {doubts}
                    {leavers}
                }
            }}
            {move || {
                answer
                    .with(|answer| answer.as_ref().and_then(|answer| answer.report.clone()))
                    .map(|report| view! { <Report report=report pending=pending /> })
            }}
            // The stylesheet puts Save on the right, and Sync Now to the top.
            <div class="form-foot">
                {may_change
                    .then(|| {
                        view! {
                            <Submit label="Save" value=("intent", "save") pending=pending class="primary save" />
                            <Submit label="Test" value=("intent", "test") pending=pending class="test" />
                        }
                    })}
            </div>
            {may_sync
                .then(|| view! { <Submit label="Sync Now" value=("intent", "sync") pending=pending class="sync-now" /> })}
        </ActionForm>
    }
}

/// The organisation that is connected, and the warning about its secret.
#[component]
fn AroundView(around: Around) -> impl IntoView {
    let warning = around.secret_days.map(secret_warning).map(|(tone, words)| {
        view! { <p class=format!("notice {}", tone.class())><Icon name=tone.icon() /><span>{words}</span></p> }
    });
    let organisation = around.organisation.map(|(name, domains)| {
        view! {
            <p class="organisation">
                <Icon name="directory" />
                <span>
                    "Connected to "<strong>{name}</strong>
                    <span class="soft">" "{domains.join(", ")}</span>
                </span>
            </p>
        }
    });
    view! {
        {warning}
        {organisation}
    }
}

/// A question that is asked: the place that it comes to, with the focus, as it may stand below the screen.
fn question() -> NodeRef<html::Section> {
    let card = NodeRef::<html::Section>::new();
    Effect::new(move || {
        if let Some(card) = card.get() {
            card.scroll_into_view();
            // A card that is not shown cannot be focused; it is announced all the same.
            drop(card.focus());
        }
    });
    card
}

/// Whom the new rules drop, and the button that saves them all the same.
#[component]
fn LeaversView(
    leavers: Leavers,
    /// The page's own address.
    page: String,
    /// Whether the form is being worked on.
    #[prop(into)]
    pending: Signal<bool>,
) -> impl IntoView {
    view! {
        <section class="card doubt" role="alert" tabindex="-1" node_ref=question()>
            <h2><Icon name="warning" />{leavers.label}</h2>
            <p>"They are in the portal now. The next sync makes them conflicts; Delete Users After says when a conflict is deleted."</p>
            <div inner_html=leavers.people></div>
            {leavers.secret_is_lost.then(|| view! { <p>"Enter the new Client Secret again: a page never brings it back."</p> })}
            <input type="hidden" name="leaving" value=leavers.fingerprint />
            <div class="with-button">
                <a class="button" href=page rel="external">"Cancel"</a>
                <Submit label="Save all the same" value=("intent", "save_leaving") pending=pending class="danger" />
            </div>
        </section>
    }
}

/// Why the tenant has to be confirmed, and the box that does it.
#[component]
fn Doubts(
    doubts: Vec<String>,
    /// What names the figures of a switch; empty when it is none.
    switch: String,
    /// Whether it was confirmed, and something else is asked now.
    confirmed: bool,
) -> impl IntoView {
    let rows = doubts.into_iter().map(|doubt| view! { <li>{doubt}</li> });
    let title = if switch.is_empty() { "Is this the right tenant?" } else { "Switch to another tenant?" };
    view! {
        <section class="card doubt" role="alert" tabindex="-1" node_ref=question()>
            <h2><Icon name="warning" />{title}</h2>
            <ul>{rows.collect_view()}</ul>
            <input type="hidden" name="switch" value=switch />
            <Checkbox name="confirm_tenant" label="Yes, this tenant belongs to this customer" checked=confirmed>
                "Tick the box and save again. If the Client Secret field is empty now, enter a new secret again as well."
            </Checkbox>
            // The page as it is saved, asked for anew: nothing has changed.
            <a class="button" href="" rel="external">"Cancel"</a>
        </section>
    }
}

/// What a Test found.
#[component]
fn Report(
    report: TestReport,
    /// Whether the form is being worked on.
    #[prop(into)]
    pending: Signal<bool>,
) -> impl IntoView {
    let advice = (!report.passed).then(|| view! { <p class="remedy">{GENERAL_ADVICE}</p> });
    let retry = report.consent_pending.then(|| {
        view! {
            <p class="remedy">
                "Admin consent can take up to 15 minutes to reach every server. "
                <Submit label="Retry" value=("intent", "test") pending=pending />
            </p>
        }
    });
    view! {
        <section class="card" aria-label="Test">
            <h2>{if report.passed { "The test was passed" } else { "The test failed" }}</h2>
            {advice}
            <Steps steps=report.steps />
            {retry}
        </section>
    }
}
