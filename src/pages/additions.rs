//! Directory Services → Entra ID → Additions: addresses that are synced by hand.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// The additions of a customer.
#[server(endpoint = "additions")]
async fn additions(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    Ok(view::page(slug, server::load(&desk, &query).await?))
}

/// Adds addresses, each for itself.
#[server(endpoint = "add_additions")]
async fn add_additions(slug: String, addresses: String) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Administrator).await?;
    server::add(&desk, &addresses).await
}

/// Removes an addition.
#[server(endpoint = "remove_addition")]
async fn remove_addition(slug: String, address: String) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Administrator).await?;
    server::remove(&desk, &address).await
}

/// The page.
#[component]
pub(super) fn Additions() -> impl IntoView {
    screen("Additions", |Place { slug, query, .. }| Box::pin(additions(slug, query)))
}

#[cfg(feature = "ssr")]
mod view {
    //! What the page shows, rendered on the server.

    use leptos::prelude::*;

    use crate::{
        components::{Empty, Icon, Pager, Rendered, Submit, Table, TableView, Tone, markup::inside_of_area},
        pages::{
            NOTHING_MORE, TO_THE_FIRST,
            entra_head::{Head, HeadView},
        },
    };

    /// The page.
    pub(super) fn page(slug: String, mut page: AdditionsPage) -> Rendered {
        let message = page.head.message.take();
        Rendered::new(view! { <Filled slug=slug page=page /> }).with_message(message).about("additions")
    }

    /// What the page shows.
    #[derive(Clone, Debug)]
    pub(super) struct AdditionsPage {
        pub(in crate::pages) head: Head,
        /// What became of the addresses that were just sent: as typed, whether it was added, in words.
        pub(in crate::pages) lines: Vec<(String, bool, String)>,
        /// Those that were refused, for another try.
        pub(in crate::pages) again: String,
        pub(in crate::pages) table: Table,
        pub(in crate::pages) place: String,
        pub(in crate::pages) first: Option<String>,
        pub(in crate::pages) next: Option<String>,
        pub(in crate::pages) may_change: bool,
    }

    /// The page once its data is there.
    #[component]
    fn Filled(slug: String, page: AdditionsPage) -> impl IntoView {
        let list = if page.table.rows.is_empty() && page.first.is_some() {
            view! { <Empty why=NOTHING_MORE step=page.first.map(|first| (first, TO_THE_FIRST)) /> }.into_any()
        } else if page.table.rows.is_empty() {
            view! { <Empty why="There are no additions: who is synced is for the other rules to say." /> }
                .into_any()
        } else {
            view! {
                <form method="post" action="/api/remove_addition">
                    <input type="hidden" name="slug" value=slug.clone() />
                    <TableView table=page.table />
                </form>
                <Pager previous=page.first next=page.next place=page.place />
            }
            .into_any()
        };
        let lines = page.lines;
        view! {
            <HeadView title="Entra ID" head=page.head />
            {page.may_change.then(|| view! { <AddForm slug=slug again=page.again /> })}
            {(!lines.is_empty()).then(|| view! { <Lines lines=lines /> })}
            {list}
        }
    }

    /// The form that adds one address or many.
    #[component]
    fn AddForm(slug: String, again: String) -> impl IntoView {
        let pending = RwSignal::new(false);
        let rows = again.lines().count().clamp(2, 8).to_string();
        view! {
            <form method="post" action="/api/add_additions" class="card add" on:submit=move |_| pending.set(true)>
                <input type="hidden" name="slug" value=slug />
                <div class="field">
                    <label for="addresses">"Email address"</label>
                    <textarea
                        id="addresses"
                        name="addresses"
                        rows=rows
                        required=true
                        spellcheck="false"
                        autocapitalize="none"
                        placeholder="ada@contoso.com"
                        aria-describedby="addresses-help"
                        inner_html=inside_of_area(&again)
                    ></textarea>
                    <div class="help" id="addresses-help">
                        "One address, or many, one a line. Each is looked up in the directory at once, and synced whatever the custom filter and the
                        switch for disabled accounts say; an exception goes before it."
                    </div>
                </div>
                <Submit label="Add" pending=pending class="primary" />
            </form>
        }
    }

    /// What became of each address.
    #[component]
    fn Lines(lines: Vec<(String, bool, String)>) -> impl IntoView {
        let rows = lines.into_iter().map(|(address, added, words)| {
            let tone = if added { Tone::Good } else { Tone::Bad };
            view! {
                <li class=format!("step {}", tone.class())>
                    <Icon name=tone.icon() />
                    <div>
                        <p class="step-title"><bdi>{address}</bdi></p>
                        <p>{words}</p>
                    </div>
                </li>
            }
        });
        view! {
            <section class="card" aria-label="Result">
                <h2>"Result"</h2>
                <ol class="steps">{rows.collect_view()}</ol>
            </section>
        }
    }
}

#[cfg(feature = "ssr")]
mod server {
    use domain::{address::Address, number::counted, role::Role, service::Service};
    use serde::{Deserialize, Serialize};
    use sync::additions::{self, Added, READS_UNTIL_WARNING};

    use super::view::AdditionsPage;
    use crate::{
        access::{self, Desk},
        components::{Cell, Message, Moment, Table, Tone},
        error::AppError,
        pages::{
            ENTRA, customer_path,
            entra_head::{Head, tabs},
            query::Query,
        },
    };

    /// What waits for the page's next load.
    #[derive(Serialize, Deserialize)]
    struct Answer {
        message: Message,
        lines: Vec<(String, bool, String)>,
    }

    /// How many rows stand on a page.
    const PER_PAGE: usize = 100;

    fn path(desk: &Desk) -> String {
        customer_path(&desk.customer.customer().slug, &format!("{ENTRA}/additions"))
    }

    pub(super) async fn load(desk: &Desk, query: &str) -> Result<AdditionsPage, AppError> {
        let path = path(desk);
        let query = Query::read(query);
        let answer: Option<Answer> = access::take_answer(&desk.portal, &desk.session, &path).await?;
        let (message, lines) = answer.map(|answer| (answer.message, answer.lines)).unzip();
        let mut head = Head { tabs: tabs(desk, "additions").await?, message, notes: Vec::new() };
        let unexpected = |error| access::store_error(&error);
        let all = desk.customer.additions(Service::Entra).await.map_err(unexpected)?;
        let lost = all.iter().filter(|addition| {
            addition.external_id.is_none() && addition.reads_without >= READS_UNTIL_WARNING
        });
        let lost = i64::try_from(lost.count()).unwrap_or(i64::MAX);
        if lost > 0 {
            let text = format!(
                "The directory was read completely at least twice without anybody for {}. Check the spelling, or remove what is not needed.",
                counted(lost, "addition", "additions")
            );
            head.notes.push(Message::new(Tone::Warning, text));
        }
        let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
        let after = query.get("after").to_owned();
        let rest: Vec<_> =
            all.into_iter().filter(|addition| addition.address.as_str() > after.as_str()).collect();
        let ids: Vec<String> =
            rest.iter().take(PER_PAGE).filter_map(|addition| addition.external_id.clone()).collect();
        let people = desk.customer.mirrored(Service::Entra, &ids).await.map_err(unexpected)?;
        let now = desk.portal.now();
        let may_change = desk.role >= Role::Administrator;
        let mut heads = vec!["Address", "In the directory", "Added by", "Added"];
        if may_change {
            heads.push("Remove");
        }
        let mut table = Table::new("Additions by address", &heads);
        for addition in rest.iter().take(PER_PAGE) {
            let person =
                people.iter().find(|person| Some(&person.user.external_id) == addition.external_id.as_ref());
            let state = match (&addition.external_id, person.filter(|person| !person.gone)) {
                (Some(_), Some(person)) => Cell::Badge(
                    "good".to_owned(),
                    "found".to_owned(),
                    person.user.display_name.clone().unwrap_or_default(),
                ),
                (Some(id), None) => Cell::Badge(
                    "conflict".to_owned(),
                    "has left the directory".to_owned(),
                    format!("directory id {id}"),
                ),
                (None, _) if addition.reads_without >= READS_UNTIL_WARNING => Cell::Badge(
                    "bad".to_owned(),
                    "never found".to_owned(),
                    counted(addition.reads_without, "complete read without it", "complete reads without it"),
                ),
                (None, _) => Cell::badge("", "not found yet"),
            };
            let mut cells = vec![
                Cell::address(addition.address.to_string()),
                state,
                Cell::text(addition.created_by.clone()),
                Cell::When(Some(Moment::at(addition.created_at, now)), String::new()),
            ];
            if may_change {
                let address = addition.address.to_string();
                cells.push(Cell::button("address", address.clone(), "Remove", format!("Remove {address}")));
            }
            table.push(cells);
        }
        let next = rest
            .get(PER_PAGE.saturating_sub(1))
            .filter(|_| rest.len() > PER_PAGE)
            .map(|last| Query::default().with("after", last.address.as_str()).on(&path));
        let lines = lines.unwrap_or_default();
        let again: Vec<&str> =
            lines.iter().filter(|(_, added, _)| !added).map(|(typed, ..)| typed.as_str()).collect();
        Ok(AdditionsPage {
            head,
            again: again.join("\n"),
            lines,
            table,
            place: counted(total, "addition", "additions"),
            first: (!after.is_empty()).then(|| path.clone()),
            next,
            may_change,
        })
    }

    pub(super) async fn add(desk: &Desk, text: &str) -> Result<(), AppError> {
        let engine = &desk.portal.engine;
        let added = additions::add(engine, &desk.customer, &desk.actor(), text)
            .await
            .map_err(|error| access::sync_error(&error))?;
        let lines: Vec<(String, bool, String)> = added
            .iter()
            .map(|(typed, result)| match result {
                Ok(added) => (typed.clone(), true, Added::words(added)),
                Err(refused) => (typed.clone(), false, refused.to_string()),
            })
            .collect();
        let good = i64::try_from(lines.iter().filter(|(_, added, _)| *added).count()).unwrap_or(i64::MAX);
        let bad = i64::try_from(lines.len()).unwrap_or(i64::MAX) - good;
        let message = match (good, bad) {
            (0, 0) => Message::new(Tone::Bad, "Enter an address first."),
            (good, 0) => {
                Message::new(Tone::Good, format!("{} added.", counted(good, "address", "addresses")))
            }
            (0, bad) => Message::new(Tone::Bad, format!("{} refused.", counted(bad, "address", "addresses"))),
            (good, bad) => Message::new(
                Tone::Warning,
                format!("{} added, {bad} refused.", counted(good, "address", "addresses")),
            ),
        };
        let path = path(desk);
        access::leave(&desk.portal, &desk.session, &path, &path, &Answer { message, lines }).await
    }

    pub(super) async fn remove(desk: &Desk, address: &str) -> Result<(), AppError> {
        let Some(address) = Address::parse(address) else { return Err(access::not_found()) };
        let engine = &desk.portal.engine;
        let removed = additions::remove(engine, &desk.customer, &desk.actor(), &address)
            .await
            .map_err(|error| access::sync_error(&error))?;
        let message = if removed {
            let text =
                format!("{address} is no addition any more. The next sync decides by the other rules.");
            Message::new(Tone::Good, text)
        } else {
            Message::new(Tone::Warning, format!("{address} was no addition any more."))
        };
        let path = path(desk);
        access::leave(&desk.portal, &desk.session, &path, &path, &Answer { message, lines: Vec::new() }).await
    }
}
