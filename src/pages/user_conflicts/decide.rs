//! The page that names whoever is meant, says what follows, and asks.

use leptos::prelude::*;

use crate::{
    components::Rendered,
    error::AppError,
    pages::screen::{Place, screen},
};

/// Who would be meant by a decision, by the page's query.
#[server(endpoint = "conflicts_meant")]
async fn conflicts_meant(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Operator).await?;
    Ok(view::page(slug, super::server::load_decision(&desk, &query).await?))
}

/// Decides about users in conflict.
#[server(endpoint = "decide_conflicts")]
async fn decide_conflicts(
    slug: String,
    action: String,
    selection: String,
    until: Option<String>,
    note: Option<String>,
    stay_inactive: Option<String>,
) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Operator).await?;
    let fields = super::server::Fields {
        action,
        selection,
        until: until.unwrap_or_default(),
        note: note.unwrap_or_default(),
        stay_inactive: stay_inactive.is_some(),
    };
    super::server::decide(&desk, fields).await
}

/// The page.
#[component]
pub(in crate::pages) fn Decide() -> impl IntoView {
    screen("User Conflicts", |Place { slug, query, .. }| Box::pin(conflicts_meant(slug, query)))
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    //! What the page shows, rendered on the server.

    use leptos::prelude::*;

    use crate::{
        components::{Rendered, Table, TableView},
        pages::entra_head::{Head, HeadView},
    };

    /// The page.
    pub(super) fn page(slug: String, mut page: DecidePage) -> Rendered {
        let message = page.head.message.take();
        Rendered::new(view! { <Filled slug=slug page=page /> }).with_message(message)
    }

    /// What the page shows.
    #[derive(Clone, Debug)]
    pub(in crate::pages) struct DecidePage {
        pub head: Head,
        /// The decision's name.
        pub action: String,
        /// Its button.
        pub button: String,
        /// Who is meant, and what is asked.
        pub title: String,
        /// What follows.
        pub follows: String,
        /// Who is meant, by name; nobody when nothing can be decided.
        pub table: Table,
        /// How many more there are that are not named.
        pub more: String,
        /// The selection, as the form hands it on.
        pub selection: String,
        /// The first day that an Ignore may end on, when one is asked for.
        pub until_from: Option<String>,
        /// Whether a reason is asked for.
        pub asks_note: bool,
        /// Whether it is asked whether the service stays off.
        pub asks_stay: bool,
        /// Back to the list.
        pub back: String,
    }

    /// The page once its data is there.
    #[component]
    fn Filled(slug: String, page: DecidePage) -> impl IntoView {
        let pending = RwSignal::new(false);
        let nobody = page.table.rows.is_empty();
        let class = if page.action == "delete" { "button danger" } else { "button primary" };
        let until = page.until_from.map(|from| {
        view! {
            <div class="field">
                <label for="until">"Until"</label>
                <input id="until" name="until" type="date" min=from aria-describedby="until-help" />
                <div class="help" id="until-help">
                    "Optional. The deletion clock starts anew on that day; without one the users stay as long as the absence lasts."
                </div>
            </div>
        }
    });
        let note = page.asks_note.then(|| {
        view! {
            <div class="field">
                <label for="note">"Reason"</label>
                <input id="note" name="note" type="text" maxlength="500" autocomplete="off" aria-describedby="note-help" />
                <div class="help" id="note-help">"Optional, for whoever looks at this later, such as: on parental leave."</div>
            </div>
        }
    });
        let stay = page.asks_stay.then(|| {
        view! {
            <div class="field checkbox">
                <input id="stay_inactive" name="stay_inactive" type="checkbox" value="on" aria-describedby="stay-help" />
                <label for="stay_inactive">"Stay inactive"</label>
                <div class="help" id="stay-help">
                    "The service stays off when the directory delivers the users again. Otherwise it is on again then."
                </div>
            </div>
        }
    });
        view! {
            <HeadView title="Entra ID" head=page.head />
            <section class="card decide">
                <h2>{page.title}</h2>
                <p>{page.follows}</p>
                {(!nobody).then(|| view! { <TableView table=page.table /> })}
                {(!page.more.is_empty()).then(|| view! { <p class="soft">{page.more}</p> })}
                <form
                    method="post"
                    action="/api/decide_conflicts"
                    on:submit=move |_| pending.set(true)
                >
                    <input type="hidden" name="slug" value=slug />
                    <input type="hidden" name="action" value=page.action />
                    <input type="hidden" name="selection" value=page.selection />
                    {until}
                    {note}
                    {stay}
                    <div class="actions">
                        // The safest choice is first, and focused.
                        <a class="button" href=page.back autofocus>{if nobody { "Back" } else { "Cancel" }}</a>
                        {(!nobody)
                            .then(|| {
                                view! {
                                    <button
                                        type="submit"
                                        class=class
                                        class:working=pending
                                        on:click=move |event| if pending.get_untracked() { event.prevent_default() }
                                    >
                                        {page.button}
                                    </button>
                                }
                            })}
                    </div>
                </form>
            </section>
        }
    }
}
