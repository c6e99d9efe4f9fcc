//! The recycle bin of a customer: users and groups that were deleted in the last 30 days. Users can be restored.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// The recycle bin of a customer, the latest deletion first.
#[server(endpoint = "recycle_bin")]
async fn recycle_bin(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    Ok(view::page(slug, server::load(&desk, &query).await?))
}

/// Restores a deleted user.
#[server(endpoint = "restore_user")]
async fn restore_user(slug: String, entry: String) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Operator).await?;
    server::restore(&desk, &entry).await
}

/// The page.
#[component]
pub(super) fn RecycleBin() -> impl IntoView {
    screen("Recycle bin", |Place { slug, query, .. }| Box::pin(recycle_bin(slug, query)))
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
    pub(super) fn page(slug: String, mut page: BinPage) -> Rendered {
        let message = page.head.message.take();
        Rendered::new(view! { <Filled slug=slug page=page /> }).with_message(message).about("users")
    }

    /// What the page shows.
    #[derive(Clone, Debug)]
    pub(super) struct BinPage {
        pub(in crate::pages) head: Head,
        pub(in crate::pages) table: Table,
        pub(in crate::pages) first: Option<String>,
        pub(in crate::pages) next: Option<String>,
    }

    /// The page once its data is there.
    #[component]
    fn Filled(slug: String, page: BinPage) -> impl IntoView {
        let list = if page.table.rows.is_empty() && page.first.is_some() {
            view! { <Empty why=NOTHING_MORE step=page.first.map(|first| (first, TO_THE_FIRST)) /> }.into_any()
        } else if page.table.rows.is_empty() {
            view! { <Empty why="The recycle bin is empty. Users and groups that are deleted stay here for 30 days." /> }.into_any()
        } else {
            view! {
                <form method="post" action="/api/restore_user">
                    <input type="hidden" name="slug" value=slug />
                    <TableView table=page.table />
                </form>
                <Pager previous=page.first next=page.next place="The latest first" />
            }
            .into_any()
        };
        view! {
            <HeadView title="Recycle bin" head=page.head />
            <p class="soft measure">
                "A restored user keeps its id and history. While the directory does not deliver it, it is in conflict, and its deletion clock starts
                anew. Groups come back by themselves when the directory has them again."
            </p>
            {list}
        }
    }
}

#[cfg(feature = "ssr")]
mod server {
    use domain::{Timestamp, address::Address, role::Role, run::ObjectKind};
    use sync::recycle_bin;

    use super::view::BinPage;
    use crate::{
        access::{self, Desk},
        components::{Cell, Message, Moment, Table, Tone},
        error::AppError,
        pages::{customer_path, entra_head::Head, query::Query},
    };

    /// How many rows stand on a page.
    const PER_PAGE: i64 = 50;
    /// How long a deleted user can be restored.
    const KEPT_MS: i64 = 30 * Timestamp::DAY;

    fn path(desk: &Desk) -> String {
        customer_path(&desk.customer.customer().slug, "recycle-bin")
    }

    pub(super) async fn load(desk: &Desk, query: &str) -> Result<BinPage, AppError> {
        let path = path(desk);
        let query = Query::read(query);
        let before: Option<i64> = query.get("before").parse().ok();
        let message = access::take_answer(&desk.portal, &desk.session, &path).await?;
        let mut rows = desk
            .customer
            .recycle_bin(before, PER_PAGE + 1)
            .await
            .map_err(|error| access::store_error(&error))?;
        let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        let now = desk.portal.now();
        let may_act = desk.role >= Role::Operator;
        let mut heads = vec!["Name", "Address", "Kind", "Why", "Deleted", "By", "Kept until"];
        if may_act {
            heads.push("Restore");
        }
        let mut table = Table::new("Deleted users and groups, the latest first", &heads);
        for row in &rows {
            let kept = row.deleted_at.plus(KEPT_MS);
            let kept = Moment { words: domain::moment::day_words(kept.date()), ..Moment::at(kept, now) };
            let mut cells = vec![
                Cell::text(row.display_name.clone()),
                Cell::address(row.address.clone()),
                Cell::Text(
                    if row.object == ObjectKind::User { "User" } else { "Group" }.to_owned(),
                    row.source.label().to_owned(),
                ),
                Cell::text(row.reason.clone()),
                Cell::When(Some(Moment::at(row.deleted_at, now)), String::new()),
                Cell::text(row.deleted_by.clone()),
                Cell::When(Some(kept), String::new()),
            ];
            if may_act {
                cells.push(match row.object {
                    ObjectKind::User => Cell::button(
                        "entry",
                        row.id.to_string(),
                        "Restore",
                        format!("Restore {}", row.display_name),
                    ),
                    ObjectKind::Group => Cell::When(None, "by the directory".to_owned()),
                });
            }
            table.push(cells);
        }
        Ok(BinPage {
            head: Head { message, ..Head::default() },
            next: rows.last().filter(|_| more).map(|row| format!("{path}?before={}", row.id)),
            first: before.map(|_| path.clone()),
            table,
        })
    }

    pub(super) async fn restore(desk: &Desk, entry: &str) -> Result<(), AppError> {
        let Ok(entry) = entry.parse() else { return Err(access::not_found()) };
        let engine = &desk.portal.engine;
        let restored = recycle_bin::restore(engine, &desk.customer, &desk.actor(), entry)
            .await
            .map_err(|error| access::sync_error(&error))?;
        let message = match restored {
            Err(refused) => Message::new(Tone::Bad, refused.to_string()),
            Ok(restored) => {
                let mut text = format!("{} was restored.", restored.name);
                if restored.in_conflict {
                    text.push_str(" The user is in conflict until the directory delivers it; the deletion clock starts today.");
                }
                if !restored.left_out.is_empty() {
                    let taken: Vec<&str> = restored.left_out.iter().map(Address::as_str).collect();
                    text.push_str(&format!(
                        " Left out, because somebody else has it by now: {}.",
                        taken.join(", ")
                    ));
                }
                let tone = if restored.left_out.is_empty() { Tone::Good } else { Tone::Warning };
                Message::new(tone, text)
            }
        };
        let path = path(desk);
        access::leave(&desk.portal, &desk.session, &path, &path, &message).await
    }
}
