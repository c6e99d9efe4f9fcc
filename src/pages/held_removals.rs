//! Directory Services → Entra ID → Held Removals: what the deletion guard holds back, and approving or dismissing it.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// What is held of a customer's users and groups.
#[server(endpoint = "held_removals")]
async fn held_removals(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    Ok(view::page(slug, server::load(&desk, &query).await?))
}

/// Approves or dismisses what is held: what is picked, or all that wait if they are those of the stamp.
#[server(endpoint = "decide_held")]
async fn decide_held(
    slug: String,
    kind: String,
    intent: String,
    stamp: Option<String>,
    #[server(default)] pick: Vec<String>,
) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Operator).await?;
    server::decide(&desk, &kind, &intent, stamp, &pick).await
}

/// The page.
#[component]
pub(super) fn HeldRemovals() -> impl IntoView {
    screen("Held Removals", |Place { slug, query, .. }| Box::pin(held_removals(slug, query)))
}

#[cfg(feature = "ssr")]
mod view {
    //! What the page shows, rendered on the server.

    use leptos::prelude::*;

    use crate::{
        components::{Empty, Pager, Rendered, Table, TableView},
        pages::{
            NOTHING_MORE, TO_THE_FIRST,
            entra_head::{Head, HeadView},
        },
    };

    /// The page.
    pub(super) fn page(slug: String, mut page: HeldPage) -> Rendered {
        let message = page.head.message.take();
        Rendered::new(view! { <Filled slug=slug page=page /> }).with_message(message).about("conflicts users")
    }

    /// What the page shows.
    #[derive(Clone, Debug)]
    pub(super) struct HeldPage {
        pub(in crate::pages) head: Head,
        /// The limits, in words.
        pub(in crate::pages) limits: String,
        pub(in crate::pages) kinds: Vec<Kind>,
        /// Whether the administrator may decide.
        pub(in crate::pages) may_act: bool,
    }

    /// What is held of one kind.
    #[derive(Clone, Debug)]
    pub(super) struct Kind {
        /// Its name in the form.
        pub(in crate::pages) name: String,
        pub(in crate::pages) title: String,
        /// What they are, and what an approval does.
        pub(in crate::pages) about: String,
        /// How many wait.
        pub(in crate::pages) waiting: i64,
        /// Which they are, for a decision about all of them.
        pub(in crate::pages) stamp: String,
        pub(in crate::pages) table: Table,
        pub(in crate::pages) first: Option<String>,
        pub(in crate::pages) next: Option<String>,
        pub(in crate::pages) place: String,
        /// What was decided before and can be decided anew.
        pub(in crate::pages) decided: Option<Table>,
    }

    /// The page once its data is there.
    #[component]
    fn Filled(slug: String, page: HeldPage) -> impl IntoView {
        let empty = page.kinds.is_empty();
        let may_act = page.may_act;
        let kinds = page
            .kinds
            .into_iter()
            .map(|kind| view! { <KindView slug=slug.clone() kind=kind may_act=may_act /> });
        let kinds = kinds.collect_view();
        view! {
            <HeadView title="Entra ID" head=page.head />
            <p class="soft measure">{page.limits}</p>
            {empty.then(|| view! { <Empty why="Nothing is held: no sync wanted to remove more than the limits let it." /> })}
            {kinds}
        }
    }

    /// One kind of what is held.
    #[component]
    fn KindView(slug: String, kind: Kind, may_act: bool) -> impl IntoView {
        let waiting = kind.waiting;
        let (approve, dismiss) = (format!("Approve all {waiting}"), format!("Dismiss all {waiting}"));
        let form = |slug: String,
                    name: String,
                    stamp: String,
                    table: Table,
                    all: Option<(String, String)>| {
            view! {
                <form method="post" action="/api/decide_held">
                    <input type="hidden" name="slug" value=slug />
                    <input type="hidden" name="kind" value=name />
                    <input type="hidden" name="stamp" value=stamp />
                    <TableView table=table />
                    {may_act
                        .then(|| {
                            view! {
                                <div class="actions">
                                    <button type="submit" class="button" name="intent" value="dismiss">"Dismiss selected"</button>
                                    <button type="submit" class="button" name="intent" value="approve">"Approve selected"</button>
                                    {all
                                        .map(|(approve, dismiss)| {
                                            view! {
                                                <button type="submit" class="button" name="intent" value="dismiss_all">{dismiss}</button>
                                                <button type="submit" class="button danger" name="intent" value="approve_all">{approve}</button>
                                            }
                                        })}
                                </div>
                            }
                        })}
                </form>
            }
        };
        let decided = kind.decided.map(|table| {
            let form = form(slug.clone(), kind.name.clone(), String::new(), table, None);
            view! { <details><summary>"Decided about, until the next sync"</summary>{form}</details> }
        });
        let beyond = kind.table.rows.is_empty() && kind.first.is_some();
        let waiting = if waiting == 0 {
            ().into_any()
        } else if beyond {
            view! { <Empty why=NOTHING_MORE step=kind.first.map(|first| (first, TO_THE_FIRST)) /> }.into_any()
        } else {
            let form = form(slug, kind.name, kind.stamp, kind.table, Some((approve, dismiss)));
            view! {
                {form}
                <Pager previous=kind.first next=kind.next place=kind.place />
            }
            .into_any()
        };
        view! {
            <section class="card held">
                <h2>{kind.title}</h2>
                <p class="measure">{kind.about}</p>
                {waiting}
                {decided}
            </section>
        }
    }
}

#[cfg(feature = "ssr")]
mod server {
    use domain::{
        guard::{Decision, Guarded},
        number::{count, counted},
        role::Role,
        run::{Purpose, Trigger},
        settings::GuardLimits,
    };
    use store::{Approver, HeldRow};
    use sync::{
        held::{self, Chosen},
        run::StartRefused,
    };

    use super::view::{HeldPage, Kind};
    use crate::{
        access::{self, Desk},
        components::{Cell, Message, Moment, Pick, Row, Table, Tone},
        error::AppError,
        pages::{ENTRA, customer_path, entra_head::Head, query::Query},
    };

    /// How many rows of a kind stand on a page.
    const PER_PAGE: i64 = 100;

    fn path(desk: &Desk) -> String {
        customer_path(&desk.customer.customer().slug, &format!("{ENTRA}/held-removals"))
    }

    pub(super) async fn load(desk: &Desk, query: &str) -> Result<HeldPage, AppError> {
        let query = Query::read(query);
        let head = Head::load(desk, "held-removals", &path(desk)).await?;
        let customer = &desk.customer;
        let counts = customer.held_counts().await.map_err(|error| access::store_error(&error))?;
        let mut kinds = Vec::new();
        for kind in [Guarded::Removal, Guarded::Deletion, Guarded::Group] {
            if counts.iter().any(|(of, _, objects)| *of == kind && *objects > 0) {
                kinds.push(load_kind(desk, kind, &query).await?);
            }
        }
        let may_act = desk.role >= Role::Operator;
        let mut limits = limits(customer.customer().guard);
        if customer.two_administrators().await.map_err(|error| access::store_error(&error))? {
            limits.push_str(" An approval needs two administrators: the second one has to be somebody else.");
        }
        Ok(HeldPage { head, limits, kinds, may_act })
    }

    fn limits(guard: GuardLimits) -> String {
        format!(
            "A sync holds removals back when there are more than {}, or more than {} % of the users and at least {}, or all of them, counted \
             over 24 hours since the last approval. Deletions and groups are counted apart by the same limits. What is held stays as it is.",
            count(guard.max_removals),
            guard.max_removals_percent,
            count(guard.min_removals)
        )
    }

    async fn load_kind(desk: &Desk, kind: Guarded, query: &Query) -> Result<Kind, AppError> {
        let customer = &desk.customer;
        let after = query.get(kind.name()).parse().unwrap_or(0);
        let loaded = async {
            let waiting = customer.waiting(kind).await?;
            let rows = customer.held_with(kind, Decision::Waiting, after, PER_PAGE + 1).await?;
            let ids: Vec<i64> = rows.iter().map(|row| row.held.object_id).collect();
            let first = customer.first_approvers(kind, &ids).await?;
            let mut decided = customer.held_with(kind, Decision::Dismissed, 0, PER_PAGE).await?;
            decided.extend(customer.held_with(kind, Decision::Approved, 0, PER_PAGE).await?);
            Ok((waiting, rows, decided, first))
        };
        let (waiting, mut rows, decided, first) =
            loaded.await.map_err(|error| access::store_error(&error))?;
        let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        let base = query.without(&[kind.name()]);
        let path = path(desk);
        let number = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
        let (title, about) = match kind {
            Guarded::Removal => (
                "Users that would become conflicts",
                "The directory no longer delivers them. Approved, they become conflicts with the next sync, and their deletion clock starts \
                 then. Dismissed, they stay as they were delivered.",
            ),
            Guarded::Deletion => (
                "Users that would be deleted",
                "Their deletion date has come. Approved, the next sync deletes them, if it still lacks them; they go to the recycle bin. \
                 Dismissed, they stay in conflict.",
            ),
            Guarded::Group => (
                "Groups that would leave",
                "The directory no longer has them. Approved, the next sync removes them; their members are not touched. Dismissed, they stay.",
            ),
        };
        Ok(Kind {
            name: kind.name().to_owned(),
            title: format!("{title}: {}", count(number)),
            about: about.to_owned(),
            waiting: number,
            stamp: held::stamp(&waiting),
            next: rows
                .last()
                .filter(|_| more)
                .map(|row| base.clone().with(kind.name(), &row.held.object_id.to_string()).on(&path)),
            first: (after > 0).then(|| base.on(&path)),
            place: format!("{} waiting", count(number)),
            table: table(desk, &rows, &first, "What waits for a decision"),
            decided: (!decided.is_empty()).then(|| table(desk, &decided, &[], "What was decided about")),
        })
    }

    fn table(desk: &Desk, rows: &[HeldRow], first: &[(i64, Approver)], caption: &str) -> Table {
        let now = desk.portal.now();
        let mut table = Table::new(caption, &["Name", "Address", "Why", "Held since", "Decision"]);
        for row in rows {
            let class = match row.held.decision {
                Decision::Waiting => "conflict",
                Decision::Approved => "bad",
                Decision::Dismissed => "good",
            };
            table.rows.push(Row {
                pick: Some(Pick {
                    name: "pick[]".to_owned(),
                    value: row.held.object_id.to_string(),
                    chosen: false,
                    fixed: false,
                }),
                cells: vec![
                    Cell::text(row.display_name.clone()),
                    Cell::address(row.address.clone()),
                    Cell::text(row.held.reason.clone()),
                    Cell::When(Some(Moment::at(row.held.since, now)), String::new()),
                    match first.iter().find(|(object, _)| *object == row.held.object_id) {
                        Some((_, (_, name))) => Cell::badge(class, &format!("approved once, by {name}")),
                        None => Cell::badge(class, row.held.decision.name()),
                    },
                ],
            });
        }
        table
    }

    pub(super) async fn decide(
        desk: &Desk,
        kind: &str,
        intent: &str,
        stamp: Option<String>,
        pick: &[String],
    ) -> Result<(), AppError> {
        let Some(kind) = Guarded::named(kind) else { return Err(access::not_found()) };
        let picked = || Chosen::Objects(pick.iter().filter_map(|id| id.parse().ok()).collect());
        let all = || Chosen::Waiting { stamp: stamp.clone().unwrap_or_default() };
        let (approve, chosen) = match intent {
            "approve" => (true, picked()),
            "dismiss" => (false, picked()),
            "approve_all" => (true, all()),
            "dismiss_all" => (false, all()),
            _ => return Err(access::not_found()),
        };
        let engine = &desk.portal.engine;
        let decided = held::decide(engine, &desk.customer, &desk.actor(), kind, &chosen, approve)
            .await
            .map_err(|error| access::sync_error(&error))?;
        let (one, several) = held::named(kind);
        let message = match decided.map(|decided| (decided.objects, decided.awaiting)) {
            Ok((0, awaiting)) => {
                let text = format!(
                    "{} approved by one administrator. Nothing happens until another one approves as well.",
                    counted(awaiting, one, several)
                );
                Message::new(Tone::Warning, text)
            }
            Err(refused) => Message::new(Tone::Bad, refused.to_string()),
            Ok((objects, _)) if approve => approved(desk, &counted(objects, one, several)).await?,
            Ok((objects, _)) => {
                let text = format!("{} dismissed: they stay as they are.", counted(objects, one, several));
                Message::new(Tone::Good, text)
            }
        };
        let path = path(desk);
        access::leave(&desk.portal, &desk.session, &path, &path, &message).await
    }

    /// An approval is carried out by a sync, which is started there and then.
    async fn approved(desk: &Desk, what: &str) -> Result<Message, AppError> {
        let engine = &desk.portal.engine;
        let started = engine.start(&desk.customer, Purpose::Sync, Trigger::SyncNow, &desk.actor()).await;
        let run = |id| customer_path(&desk.customer.customer().slug, &format!("sync-history/{id}"));
        Ok(match started.map_err(|error| access::sync_error(&error))? {
            Ok(running) => {
                Message::new(Tone::Good, format!("{what} approved. A sync has started that carries it out."))
                    .linked(run(running.run), "See the run")
            }
            Err(StartRefused::AlreadyRunning(id)) => {
                let text =
                    format!("{what} approved. A sync is already running; it or the next one carries it out.");
                let message = Message::new(Tone::Good, text);
                match id {
                    Some(id) => message.linked(run(id), "See the run"),
                    None => message,
                }
            }
            Err(refused) => {
                let text = format!("{what} approved. No sync was started: {refused}");
                Message::new(Tone::Warning, text)
            }
        })
    }
}
