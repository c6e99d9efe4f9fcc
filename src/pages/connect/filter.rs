//! Who is synced: the switch for disabled accounts and the custom filter, which answers while it is typed.
//!
//! At every keystroke the browser itself judges the text ([`judged`]) and offers what may follow ([`offer`]); the crate that does both is the
//! server's own. What only the server knows comes a moment after the last keystroke, and a question that is still on its way is called back
//! by the next: the values that occur, whom the filter would take in, and what it says of one person.
//!
//! What changes with every keystroke is markup that replaces the one before, made here or by the server, and the listeners in [`live`] speak
//! to the browser directly: as reactive views and typed answers the same would be a hundred kilobytes of WebAssembly more. Without JavaScript the server renders the verdict with the page, and Test, Save and Check bring
//! the rest.

mod judged;
mod live;
mod offer;
mod ready;

use leptos::{html, prelude::*};
use serde::{Deserialize, Serialize};

use self::{judged::judge, ready::ready};
use crate::{
    components::{Checkbox, markup::inside_of_area},
    error::AppError,
    pages::HELP,
};

/// What a page without JavaScript is told about its filter after Test, Save or Check, as markup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct News {
    impact: String,
    /// Who was looked for.
    who: String,
    person: String,
}

/// Answers a question about a filter: `about` is `impact` for whom it would take in, `person` for what the rules say of the one person that
/// `typed` names (both answers are markup), else a property whose values that hold `typed` are wanted, a line each.
#[server(name = AskFilter, endpoint = "filter")]
async fn ask_filter(
    slug: String,
    filter: String,
    include_disabled: bool,
    about: String,
    typed: String,
) -> Result<String, AppError> {
    let desk = crate::access::require(&slug, domain::role::Role::Viewer).await?;
    server::answer(&desk, AskFilter { slug, filter, include_disabled, about, typed }).await
}

/// The section of the form. What is dynamic in it is the business of [`live`], which finds its places by their ids.
#[component]
pub(super) fn WhoIsSynced(
    slug: String,
    /// The filter as it stands at first.
    text: String,
    include_disabled: bool,
    /// What the server found wrong with the filter.
    #[prop(into)]
    error: Signal<Option<String>>,
    locked: bool,
    /// The answers that waited for this page.
    news: News,
    /// A domain of the customer's own, for examples.
    domain: Option<String>,
) -> impl IntoView {
    let judged = judge(&text);
    let is_wrong = judged.as_ref().is_some_and(|judged| judged.is_refused());
    let verdict = judged.map(|judged| judged.markup(false, false)).unwrap_or_default();
    let starts = ready::markup(&ready(domain.as_deref()), &text);
    let content = inside_of_area(&text);
    let section = NodeRef::<html::Section>::new();
    Effect::new(move || {
        if let Some(section) = section.get() {
            live::start(&section, slug.clone(), !locked);
        }
    });
    view! {
        <section class="card" node_ref=section>
            <h2>"Who is synced"</h2>
            <Checkbox
                name="include_disabled"
                label="Include disabled/deactivated user accounts"
                checked=include_disabled
                locked=locked
            >
                "Shared and room mailboxes are always disabled accounts in Entra."
            </Checkbox>
            <div class="field filter">
                <label for="custom_filter">"Custom Filters"</label>
                <div class="filter-box">
                    <div id="custom_filter-paint" class="filter-paint" aria-hidden="true" hidden></div>
                    <textarea
                        id="custom_filter"
                        name="custom_filter"
                        rows="3"
                        spellcheck="false"
                        autocapitalize="none"
                        autocomplete="off"
                        readonly=locked
                        aria-invalid=is_wrong.then_some("true")
                        aria-describedby="custom_filter-verdict custom_filter-help"
                        aria-autocomplete="list"
                        aria-controls="custom_filter-options"
                        inner_html=content
                    ></textarea>
                    <ul class="plain options" id="custom_filter-options" role="listbox" aria-label="Suggestions" hidden></ul>
                </div>
                <p class="visually-hidden" role="status" id="custom_filter-status"></p>
                // The verdict says the same, wherever the browser and the server agree.
                <p class="field-error">{move || error.get()}</p>
                <div id="custom_filter-verdict" inner_html=verdict></div>
                <div class="help" id="custom_filter-help">
                    "A Microsoft Graph $filter on users. Empty means everyone. Groups are never filtered. "
                    <a href=HELP target="_blank" rel="external noopener">"Custom Filters for use with Entra ID Sync"</a>
                </div>
                <div class="starts" role="group" aria-label="Filters to start from" hidden=locked inner_html=starts></div>
            </div>
            <section
                id="filter-impact"
                class="impact"
                aria-label="What the filter would do"
                aria-live="polite"
                inner_html=news.impact
            ></section>
            <div class="field check-person">
                <label for="check_person">"Check a person"</label>
                <div class="with-button">
                    <input
                        id="check_person"
                        name="check_person"
                        type="text"
                        value=news.who
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        aria-describedby="check_person-help"
                    />
                    <button type="submit" class="button" id="check_person-button" name="intent" value="person">"Check"</button>
                </div>
                <p class="help" id="check_person-help">"An address or a name: is this person in or out, and by which part of the filter?"</p>
                <div id="filter-person" aria-live="polite" inner_html=news.person></div>
            </div>
        </section>
    }
}

#[cfg(feature = "ssr")]
pub(super) mod server;
