//! What lists share: the search and its filters, headings that sort, addresses in cells. All of it is links and plain forms, so that a list's state
//! is its address.

use leptos::prelude::*;

use super::Icon;

/// A filter of a list: a choice among values, or any.
#[derive(Clone, Debug)]
pub struct Choice {
    name: &'static str,
    label: &'static str,
    any: &'static str,
    values: Vec<(&'static str, &'static str)>,
    chosen: String,
}

impl Choice {
    /// A filter of that name in the address and label, the words for no choice, the values with their words, and the chosen value.
    #[must_use]
    pub fn new(
        name: &'static str,
        label: &'static str,
        any: &'static str,
        values: Vec<(&'static str, &'static str)>,
        chosen: &str,
    ) -> Self {
        Self { name, label, any, values, chosen: chosen.to_owned() }
    }
}

/// Search and filters of a list. Sending it begins at the first page.
#[component]
pub fn SearchForm(
    /// The list's address.
    action: String,
    /// The label of the search.
    label: &'static str,
    /// What can be searched for.
    placeholder: &'static str,
    /// What was searched for.
    text: String,
    /// The filters.
    choices: Vec<Choice>,
    /// What else of the address stays.
    kept: Vec<(&'static str, String)>,
    /// Whether there is anything to clear.
    clear: bool,
) -> impl IntoView {
    let all = action.clone();
    let kept = kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let kept = kept.collect_view();
    let choices = choices.into_iter().map(|choice| {
        let options = choice.values.into_iter().map(|(value, words)| {
            view! { <option value=value selected=value == choice.chosen>{words}</option> }
        });
        let options = options.collect_view();
        view! {
            <label class="visually-hidden" for=format!("filter-{}", choice.name)>{choice.label}</label>
            <select id=format!("filter-{}", choice.name) name=choice.name>
                <option value="">{choice.any}</option>
                {options}
            </select>
        }
    });
    let choices = choices.collect_view();
    view! {
        <form method="get" action=action class="search" role="search">
            <label class="visually-hidden" for="search">{label}</label>
            <input id="search" name="q" type="search" value=text placeholder=placeholder autocomplete="off" spellcheck="false" maxlength="100" />
            {choices}
            {kept}
            <button type="submit" class="button">{label}</button>
            {clear.then(|| view! { <a class="clear" href=all>"Clear"</a> })}
        </form>
    }
}

/// A heading by which a list can be ordered.
#[component]
pub fn SortHead(
    /// Its words.
    words: &'static str,
    /// The address of the list in that order.
    link: String,
    /// Whether the list is in that order, and if so whether it descends.
    sorted: Option<bool>,
) -> impl IntoView {
    let (direction, class) = match sorted {
        None => (None, "sort"),
        Some(false) => (Some("ascending"), "sort up"),
        Some(true) => (Some("descending"), "sort down"),
    };
    view! {
        <th scope="col" aria-sort=direction>
            <a class=class href=link>{words}{sorted.map(|_| view! { <Icon name="down" /> })}</a>
        </th>
    }
}

/// A mail address that may be shortened in its local part, never in its domain.
#[component]
pub fn Address(
    /// The address.
    address: String,
) -> impl IntoView {
    let (local, domain) = address
        .rsplit_once('@')
        .map_or((address.clone(), String::new()), |(local, domain)| (local.to_owned(), format!("@{domain}")));
    view! {
        <span class="address" title=address>
            <span class="address-local">{local}</span>
            <span>{domain}</span>
        </span>
    }
}
