//! What stands over every page of Directory Services → Entra ID: the tabs with their counts, the answer to what was just done, and notices.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::components::{Icon, Message, Tone};

/// A tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tab {
    /// Where it leads.
    path: String,
    /// Its words.
    words: String,
    /// How many there are, ready to be shown; empty for none.
    count: String,
    /// Whether this page is it.
    here: bool,
}

/// What stands over a page.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The tabs; none on a page that is no tab.
    pub tabs: Vec<Tab>,
    /// What was just done.
    pub message: Option<Message>,
    /// What holds for the whole page.
    pub notes: Vec<Message>,
}

#[cfg(feature = "ssr")]
mod server {
    use domain::{conflict::State, guard::Decision, number::count, run::Outcome, service::Service};
    use store::ConflictFilter;

    use super::{Head, Message, Tab, Tone};
    use crate::{
        access::{self, Desk},
        error::AppError,
        pages::{CONNECT, ENTRA, customer_path},
    };

    impl Head {
        /// The tabs, with the one of that address as this page, and the answer that waited for the page at `page`.
        pub(in crate::pages) async fn load(desk: &Desk, here: &str, page: &str) -> Result<Self, AppError> {
            let message = access::take_answer(&desk.portal, &desk.session, page).await?;
            Ok(Self { tabs: tabs(desk, here).await?, message, notes: Vec::new() })
        }
    }

    /// The tabs of Entra ID.
    pub(in crate::pages) async fn tabs(desk: &Desk, here: &str) -> Result<Vec<Tab>, AppError> {
        let customer = &desk.customer;
        let counted = async {
            let held = customer.held_counts().await?;
            Ok([
                0,
                customer.exception_count(Service::Entra).await?,
                i64::try_from(customer.additions(Service::Entra).await?.len()).unwrap_or(i64::MAX),
                customer.conflict_count(&ConflictFilter::default()).await?,
                held.iter()
                    .filter(|(_, decision, _)| *decision == Decision::Waiting)
                    .map(|(.., held)| held)
                    .sum(),
            ])
        };
        let counts = counted.await.map_err(|error| access::store_error(&error))?;
        let names = [
            ("connect", "Connect"),
            ("exceptions", "Exceptions"),
            ("additions", "Additions"),
            ("user-conflicts", "User Conflicts"),
            ("held-removals", "Held Removals"),
        ];
        let slug = &customer.customer().slug;
        Ok(names
            .into_iter()
            .zip(counts)
            .map(|((path, words), number)| Tab {
                path: customer_path(slug, &format!("{ENTRA}/{path}")),
                words: words.to_owned(),
                count: if number > 0 { count(number) } else { String::new() },
                here: path == here,
            })
            .collect())
    }

    /// What has to be said wherever deletion dates stand: the service is off, or no sync gets to its end.
    pub(in crate::pages) async fn clock_notes(desk: &Desk) -> Result<Vec<Message>, AppError> {
        let customer = &desk.customer;
        let connect = customer_path(&customer.customer().slug, CONNECT);
        let loaded = async {
            let service = customer.service(Service::Entra).await?;
            let enabled = service.is_some_and(|service| service.enabled);
            let last = customer.runs(None, 1).await?.into_iter().next();
            let pending = customer
                .conflict_count(&ConflictFilter { state: Some(State::Pending), ..ConflictFilter::default() })
                .await?;
            Ok((enabled, last, pending))
        };
        let (enabled, last, pending) = loaded.await.map_err(|error| access::store_error(&error))?;
        let mut notes = Vec::new();
        if !enabled {
            let text = "Entra ID sync is switched off: nobody is synced, no new conflicts come up, and the deletion clocks stand still.";
            notes.push(Message::new(Tone::Warning, text).linked(connect, "Open Connect"));
        } else if let Some(run) = last.filter(|run| run.outcome == Outcome::Failed && pending > 0) {
            let text = "The last sync failed. Nobody is deleted until a sync has read the directory completely and still lacks them.";
            let path = customer_path(&customer.customer().slug, &format!("sync-history/{}", run.public_id));
            notes.push(Message::new(Tone::Warning, text).linked(path, "See what went wrong"));
        }
        Ok(notes)
    }
}

#[cfg(feature = "ssr")]
pub(super) use server::{clock_notes, tabs};

/// The tabs: links with counts.
#[component]
pub(super) fn Tabs(tabs: Vec<Tab>) -> impl IntoView {
    let tabs = tabs.into_iter().map(|tab| {
        let count = (!tab.count.is_empty()).then(|| view! { " "<span class="tab-count">{tab.count}</span> });
        view! { <li><a href=tab.path aria-current=tab.here.then_some("page")>{tab.words}{count}</a></li> }
    });
    view! { <nav class="tabs" aria-label="Entra ID"><ul>{tabs.collect_view()}</ul></nav> }
}

/// The heading, the tabs and the notices.
#[cfg(feature = "ssr")]
#[component]
pub(super) fn HeadView(
    /// The page's heading.
    title: &'static str,
    /// What stands over it.
    head: Head,
) -> impl IntoView {
    let Head { tabs, notes, .. } = head;
    let notes = notes.into_iter().map(|note| view! { <Note note=note /> });
    view! {
        <div class="page-head">
            <h1>{title}</h1>
        </div>
        {(!tabs.is_empty()).then(|| view! { <Tabs tabs=tabs /> })}
        {notes.collect_view()}
    }
}

/// A notice in the page.
#[cfg(feature = "ssr")]
#[component]
pub(super) fn Note(note: Message) -> impl IntoView {
    let class = match note.tone {
        Tone::Good => "notice",
        Tone::Warning => "notice warning",
        Tone::Bad => "notice bad",
    };
    view! {
        <p class=class>
            <Icon name=if note.tone == Tone::Good { "info" } else { note.tone.icon() } />
            <span>
                {note.text}
                {note.link.map(|(path, words)| view! { " "<a href=path>{words}</a> })}
            </span>
        </p>
    }
}
