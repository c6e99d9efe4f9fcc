//! Directory Services → Entra ID → Exceptions: who and what the sync leaves out.
//!
//! Two lists side by side: on the left the directory, page by page; on the right the exceptions. What an arrow moves across stands in the page's
//! address until Save keeps it, so that paging, searching and the back button do not lose it, with or without JavaScript.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

/// The directory and the exceptions of a customer, by the page's query.
#[server(endpoint = "exceptions")]
async fn exceptions(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    Ok(view::page(slug, server::load(&desk, &query).await?))
}

/// Saves what is staged. `present` says what becomes of users that are in the portal: `keep` or `let_go`.
#[server(endpoint = "save_exceptions")]
async fn save_exceptions(
    slug: String,
    staged: String,
    reason: Option<String>,
    present: Option<String>,
) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Administrator).await?;
    server::save(&desk, &staged, &reason.unwrap_or_default(), present.as_deref()).await
}

/// Reads the directory into the mirror, which changes no user.
#[server(endpoint = "read_directory")]
async fn read_directory(slug: String) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Operator).await?;
    server::read_directory(&desk).await
}

/// The page.
#[component]
pub(super) fn Exceptions() -> impl IntoView {
    screen("Exceptions", |Place { slug, query, .. }| Box::pin(exceptions(slug, query)))
}

#[cfg(feature = "ssr")]
mod view {
    //! What the page shows, rendered on the server.

    use leptos::prelude::*;

    use crate::{
        components::{Empty, Icon, Rendered, Submit, Table, TableView},
        pages::entra_head::{Head, HeadView},
    };

    /// The page.
    pub(super) fn page(slug: String, mut page: ExceptionsPage) -> Rendered {
        let message = page.head.message.take();
        Rendered::new(view! { <Filled slug=slug page=page /> }).with_message(message).about("exceptions runs")
    }

    /// What the page shows.
    #[derive(Clone, Debug)]
    pub(super) struct ExceptionsPage {
        pub(in crate::pages) head: Head,
        pub(in crate::pages) path: String,
        /// Whether the directory was ever read.
        pub(in crate::pages) read: bool,
        /// Whether the administrator may change the exceptions, and may start a read.
        pub(in crate::pages) may_change: bool,
        pub(in crate::pages) may_read: bool,
        pub(in crate::pages) users: List,
        pub(in crate::pages) exceptions: List,
        /// What stands in the forms besides their own fields: the searches, the places, and what is staged.
        pub(in crate::pages) hidden: Vec<(String, String)>,
        /// What is staged, for Save; empty for nothing.
        pub(in crate::pages) staged: String,
        /// What is staged, in words.
        pub(in crate::pages) staged_words: String,
        /// Users of the portal among those to be left out: who.
        pub(in crate::pages) present: Vec<String>,
    }

    /// A side of the page.
    #[derive(Clone, Debug)]
    pub(super) struct List {
        pub(in crate::pages) text: String,
        /// The choices of the kind: value, words, whether it is chosen.
        pub(in crate::pages) kinds: Vec<(String, String, bool)>,
        pub(in crate::pages) table: Table,
        pub(in crate::pages) place: String,
        pub(in crate::pages) first: Option<String>,
        pub(in crate::pages) next: Option<String>,
        /// What the search's form sends besides its own fields.
        pub(in crate::pages) hidden: Vec<(String, String)>,
        /// The list without its search, when it has one.
        pub(in crate::pages) clear: Option<String>,
        /// Why there is nothing.
        pub(in crate::pages) empty: String,
        /// The way out of that: back to the beginning, or without the search.
        pub(in crate::pages) out: Option<(String, &'static str)>,
    }

    /// Hidden fields.
    fn hidden(pairs: Vec<(String, String)>) -> impl IntoView {
        pairs
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
            .collect_view()
    }

    /// The page once its data is there.
    #[component]
    fn Filled(slug: String, page: ExceptionsPage) -> impl IntoView {
        let read = page.read;
        let save = page.may_change.then(|| {
        view! { <Save slug=slug.clone() staged=page.staged words=page.staged_words present=page.present /> }
    });
        let read_first = (!read).then(|| view! { <ReadFirst slug=slug may_read=page.may_read /> });
        let lists = read.then(|| {
        view! {
            <div class="two-lists">
                <ListView title="User List" prefix="" path=page.path.clone() list=page.users staged=page.hidden.clone() />
                <ListView title="Exception List" prefix="e" path=page.path list=page.exceptions staged=page.hidden />
            </div>
            {save}
        }
    });
        view! {
            <HeadView title="Entra ID" head=page.head />
            <p class="soft measure">
                "An exception is left out of the sync, whatever the custom filter says: a user is not synced, a group is not listed (its members are
                not touched), an alias is not attached to its user."
            </p>
            {read_first}
            {lists}
        }
    }

    /// A list with its search.
    #[component]
    fn ListView(
        title: &'static str,
        /// Before the names of this side's own fields.
        prefix: &'static str,
        path: String,
        list: List,
        /// What the arrows' form sends besides them.
        staged: Vec<(String, String)>,
    ) -> impl IntoView {
        let kinds = list
            .kinds
            .into_iter()
            .map(|(value, words, chosen)| view! { <option value=value selected=chosen>{words}</option> })
            .collect_view();
        let step = |path: Option<String>, words: &'static str| {
            path.map(|path| view! { <a class="button" href=path>{words}</a> })
        };
        let table = if list.table.rows.is_empty() {
            view! { <Empty why=list.empty step=list.out /> }.into_any()
        } else {
            view! { <form method="get" action=path.clone()>{hidden(staged)}<TableView table=list.table /></form> }.into_any()
        };
        view! {
            <section class="side-list" aria-label=title>
                <h2>{title}</h2>
                <form method="get" action=path class="narrow" role="search" aria-label=format!("Search the {title}")>
                    {hidden(list.hidden)}
                    <label>
                        <span>"Name or address"</span>
                        <input type="search" name=format!("{prefix}q") value=list.text maxlength="200" />
                    </label>
                    <label><span>"Kind"</span><select name=format!("{prefix}kind")>{kinds}</select></label>
                    <button type="submit" class="button">"Search"</button>
                    {list.clear.map(|path| view! { <a href=path>"Clear"</a> })}
                </form>
                {table}
                <nav class="pager" aria-label=format!("Pages of the {title}")>
                    {step(list.first, "First")}
                    <span class="soft">{list.place}</span>
                    {step(list.next, "Next")}
                </nav>
            </section>
        }
    }

    /// What is staged, the question about users that are in the portal, and Save.
    #[component]
    fn Save(slug: String, staged: String, words: String, present: Vec<String>) -> impl IntoView {
        let pending = RwSignal::new(false);
        let nothing = staged.is_empty();
        let question = (!present.is_empty()).then(|| {
        let names = present.into_iter().map(|name| view! { <li><bdi>{name}</bdi></li> }).collect_view();
        view! {
            <fieldset class="card doubt">
                <legend>"These users are in the portal. What becomes of them?"</legend>
                <ul>{names}</ul>
                <label class="choice">
                    <input type="radio" name="present" value="keep" checked=true />
                    <span>"Keep them: the sync no longer touches them."</span>
                </label>
                <label class="choice">
                    <input type="radio" name="present" value="let_go" />
                    <span>"Let them go: they become conflicts with the next sync, with the reason exception."</span>
                </label>
            </fieldset>
        }
    });
        let fields = (!nothing).then(|| {
        view! {
            <div class="field">
                <label for="reason">"Reason"</label>
                <input id="reason" name="reason" type="text" maxlength="500" autocomplete="off" aria-describedby="reason-help" />
                <div class="help" id="reason-help">"Optional: why these are left out, for whoever looks at this later."</div>
            </div>
            {question}
        }
    });
        view! {
            <form method="post" action="/api/save_exceptions" class="save-exceptions" on:submit=move |_| pending.set(true)>
                <input type="hidden" name="slug" value=slug />
                <input type="hidden" name="staged" value=staged />
                {fields}
                <div class="form-foot">
                    <Submit label="Save" pending=pending class="primary save" />
                    <span class="soft staged" role="status">{words}</span>
                </div>
            </form>
        }
    }

    /// Before the first read there is nothing to choose from.
    #[component]
    fn ReadFirst(slug: String, may_read: bool) -> impl IntoView {
        let pending = RwSignal::new(false);
        let button = may_read.then(|| {
            view! {
                <form method="post" action="/api/read_directory" on:submit=move |_| pending.set(true)>
                    <input type="hidden" name="slug" value=slug />
                    <Submit label="Read the directory" pending=pending class="primary" />
                </form>
            }
        });
        view! {
            <div class="empty">
                <Icon name="directory" />
                <p>
                    "The directory was not read yet. Reading it fills the User List and changes no user, so that exceptions can be made before the
                    first sync."
                </p>
                {button}
            </div>
        }
    }
}

#[cfg(feature = "ssr")]
mod server;
