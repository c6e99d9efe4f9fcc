//! Directory Services → Entra ID → User Conflicts: who is not delivered any more, since when, and what becomes of them.
//!
//! The list is a form that is sent by GET: it leads to a page of its own that names whoever is meant and says what follows, and only that page
//! changes anything. So a selection is an address, and everything works without JavaScript.

use leptos::prelude::*;

use super::screen::{Place, screen};
use crate::{components::Rendered, error::AppError};

mod decide;

pub(super) use self::decide::Decide;

/// The conflicts of a customer that match the page's query.
#[server(endpoint = "user_conflicts")]
async fn user_conflicts(slug: String, query: String) -> Result<Rendered, AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Viewer).await?;
    Ok(view::page(slug, server::load(&desk, &query).await?))
}

/// Says whether somebody with the address of another user is the same person.
#[server(endpoint = "same_person")]
async fn same_person(
    slug: String,
    user: String,
    external_id: String,
    answer: String,
) -> Result<(), AppError> {
    use domain::role::Role;

    use crate::access;

    let desk = access::require(&slug, Role::Operator).await?;
    server::answer_question(&desk, &user, &external_id, &answer).await
}

/// The page.
#[component]
pub(super) fn UserConflicts() -> impl IntoView {
    screen("User Conflicts", |Place { slug, query, .. }| Box::pin(user_conflicts(slug, query)))
}

#[cfg(feature = "ssr")]
mod view {
    //! What the page shows, rendered on the server.

    use leptos::prelude::*;

    use crate::{
        components::{Empty, Icon, Pager, Rendered, Table, TableView},
        pages::{
            NOTHING_MORE, TO_THE_FIRST,
            entra_head::{Head, HeadView},
        },
    };

    /// The page.
    pub(super) fn page(slug: String, mut page: ConflictsPage) -> Rendered {
        let message = page.head.message.take();
        Rendered::new(view! { <Filled slug=slug page=page /> }).with_message(message).about("conflicts users")
    }

    /// What the page shows.
    #[derive(Clone, Debug)]
    pub(super) struct ConflictsPage {
        pub(in crate::pages) head: Head,
        /// What the filters are set to.
        pub(in crate::pages) search: Search,
        /// The rows of this page.
        pub(in crate::pages) table: Table,
        /// How many there are, in words.
        pub(in crate::pages) place: String,
        /// The next page.
        pub(in crate::pages) next: Option<String>,
        /// The first page, when this is another.
        pub(in crate::pages) first: Option<String>,
        /// Ways to choose many: the address and the words.
        pub(in crate::pages) selects: Vec<(String, String)>,
        /// When all that match are chosen: how many, in words.
        pub(in crate::pages) all: Option<String>,
        /// What the selection's form sends besides the rows.
        pub(in crate::pages) hidden: Vec<(String, String)>,
        /// Where the selection leads, and where its export is.
        pub(in crate::pages) decide: String,
        pub(in crate::pages) export: String,
        /// Whether the administrator may decide.
        pub(in crate::pages) may_act: bool,
        /// People of whom it is not known whether they are the same.
        pub(in crate::pages) questions: Vec<Question>,
        /// The recycle bin's address.
        pub(in crate::pages) bin: String,
    }

    /// What the filters are set to.
    #[derive(Clone, Debug)]
    pub(super) struct Search {
        pub(in crate::pages) path: String,
        pub(in crate::pages) text: String,
        /// The choices of each filter: value, words, whether it is chosen.
        pub(in crate::pages) states: Vec<(String, String, bool)>,
        pub(in crate::pages) reasons: Vec<(String, String, bool)>,
        /// Whether anything is filtered.
        pub(in crate::pages) filtered: bool,
    }

    /// Somebody new has an address of a user in conflict, or of a Manual user.
    #[derive(Clone, Debug)]
    pub(super) struct Question {
        /// The user's id in addresses of pages.
        pub(in crate::pages) user: String,
        /// The directory's id of the person, for a Manual user.
        pub(in crate::pages) external_id: String,
        pub(in crate::pages) title: String,
        pub(in crate::pages) text: String,
        /// The answers: value, words, what follows.
        pub(in crate::pages) answers: Vec<(String, String, String)>,
    }

    /// The page once its data is there.
    #[component]
    fn Filled(slug: String, page: ConflictsPage) -> impl IntoView {
        let questions = page.questions.into_iter().map(
            |question| view! { <QuestionView slug=slug.clone() question=question may_act=page.may_act /> },
        );
        let questions = questions.collect_view();
        let filtered = page.search.filtered;
        let clear = page.search.path.clone();
        let empty = page.table.rows.is_empty();
        let list = if empty && page.first.is_some() {
            view! { <Empty why=NOTHING_MORE step=page.first.map(|first| (first, TO_THE_FIRST)) /> }.into_any()
        } else if empty && filtered {
            view! { <Empty why="No user in conflict matches." step=Some((clear, "Show all")) /> }.into_any()
        } else if empty {
            view! { <Empty why="Nobody is in conflict: the directory delivers every user that came from it." /> }
            .into_any()
        } else {
            let selects = page
                .selects
                .into_iter()
                .map(|(path, words)| view! { <a href=path>{words}</a> })
                .collect_view();
            let hidden = page
                .hidden
                .into_iter()
                .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
                .collect_view();
            let all =
                page.all.map(|all| view! { <p class="notice"><Icon name="info" /><span>{all}</span></p> });
            let export = page.export;
            view! {
                <form method="get" action=page.decide class="selection">
                    {hidden}
                    <div class="list-bar">
                        <span class="soft">{page.place.clone()}</span>
                        <span class="selects">{selects}</span>
                    </div>
                    {all}
                    <TableView table=page.table />
                    <div class="actions">
                        {page.may_act.then(actions)}
                        <button type="submit" class="button" formaction=export>"Export"</button>
                    </div>
                </form>
                <Pager previous=page.first next=page.next place=page.place />
            }
            .into_any()
        };
        view! {
            <HeadView title="Entra ID" head=page.head />
            {questions}
            <Filters search=page.search />
            {list}
            <p class="soft">
                "Whoever was deleted in the last 30 days is in the "<a href=page.bin>"recycle bin"</a>"."
            </p>
        }
    }

    /// The buttons over whoever is selected.
    fn actions() -> impl IntoView {
        [
            ("ignore", "Ignore", "Not deleted, however long the absence"),
            ("deactivate", "Deactivate", "The service stops now, the record stays, the deletion clock stops"),
            ("stop_ignoring", "Stop ignoring", "The deletion clock starts anew"),
            ("activate", "Activate", "The service is on again, and the deletion clock starts anew"),
            ("delete", "Delete", "Removes the users now; they are in the recycle bin for 30 days"),
        ]
        .map(|(value, words, what)| {
            let class = if value == "delete" { "button danger" } else { "button" };
            view! { <button type="submit" class=class name="action" value=value title=what>{words}</button> }
        })
    }

    /// Search and filters, in the page's address.
    #[component]
    fn Filters(search: Search) -> impl IntoView {
        let options = |choices: Vec<(String, String, bool)>| {
            choices
                .into_iter()
                .map(|(value, words, chosen)| view! { <option value=value selected=chosen>{words}</option> })
                .collect_view()
        };
        let clear = search.filtered.then(|| search.path.clone());
        view! {
            <form method="get" action=search.path class="narrow" role="search">
                <label>
                    <span>"Name or address"</span>
                    <input type="search" name="q" value=search.text maxlength="200" />
                </label>
                <label><span>"State"</span><select name="state">{options(search.states)}</select></label>
                <label><span>"Reason"</span><select name="reason">{options(search.reasons)}</select></label>
                <button type="submit" class="button">"Filter"</button>
                {clear.map(|path| view! { <a href=path>"Clear"</a> })}
            </form>
        }
    }

    /// A question that only an administrator can answer.
    #[component]
    fn QuestionView(slug: String, question: Question, may_act: bool) -> impl IntoView {
        let answers = question.answers.into_iter().map(|(value, words, follows)| {
            view! {
                <div>
                    <button type="submit" class="button" name="answer" value=value>{words}</button>
                    <span class="soft">{follows}</span>
                </div>
            }
        });
        let answers = answers.collect_view();
        view! {
            <section class="card doubt">
                <h2><Icon name="warning" />{question.title}</h2>
                <p><bdi>{question.text}</bdi></p>
                {may_act
                    .then(|| {
                        view! {
                            <form method="post" action="/api/same_person" class="answers">
                                <input type="hidden" name="slug" value=slug />
                                <input type="hidden" name="user" value=question.user />
                                <input type="hidden" name="external_id" value=question.external_id />
                                {answers}
                            </form>
                        }
                    })}
            </section>
        }
    }
}

#[cfg(feature = "ssr")]
mod server;

#[cfg(feature = "ssr")]
pub(super) use server::selected;
