//! The audit log, as the server renders it.

use domain::role::Role;
use leptos::prelude::*;
use store::{AuditFilter, AuditPage, AuditRow, StoreError};

use crate::{
    access::{Desk, Query},
    components::{Empty, Moment, MomentView, Pager},
    pages::{NOTHING_MORE, TO_THE_FIRST, changed_fields::changed_fields, customer_path},
};

/// How many entries stand on a page.
const PER_PAGE: usize = 100;
/// In how many of the latest entries the choices of the filter are looked for.
const LOOKED_THROUGH: i64 = 1_000;

/// What the page shows.
pub(super) struct Found {
    page: AuditPage,
    /// The actions to choose from.
    actions: Vec<String>,
}

/// Whether the entries about the portal itself are shown, which belong to no customer.
fn of_portal(desk: &Desk, query: &Query) -> bool {
    query.get("log") == "portal" && may_see_portal(desk)
}

fn may_see_portal(desk: &Desk) -> bool {
    desk.session.administrator.every_customer_role == Some(Role::Administrator)
}

/// Reads a page.
pub(super) async fn load(desk: &Desk, query: &Query) -> Result<Found, StoreError> {
    let filter = AuditFilter {
        actor: query.get("actor").to_owned(),
        action: query.get("action").to_owned(),
        text: query.get("text").to_owned(),
    };
    let before = query.number("before");
    let (page, latest) = if of_portal(desk, query) {
        let store = &desk.portal.engine.store;
        let latest = store.search_portal_audit(&AuditFilter::default(), None, PER_PAGE).await?.rows;
        (store.search_portal_audit(&filter, before, PER_PAGE).await?, latest)
    } else {
        let latest = desk.customer.audit(None, LOOKED_THROUGH).await?;
        (desk.customer.search_audit(&filter, before, PER_PAGE).await?, latest)
    };
    let mut actions: Vec<_> = latest.into_iter().map(|row| row.entry.action).collect();
    actions.extend((!filter.action.is_empty()).then_some(filter.action));
    actions.sort();
    actions.dedup();
    Ok(Found { page, actions })
}

/// An action such as `settings.save` in words.
fn words(action: &str) -> String {
    let words = action.replace('.', ": ").replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The page.
pub(super) fn page(desk: &Desk, query: &Query, found: Found) -> impl IntoView + use<> {
    let path = customer_path(&desk.customer.customer().slug, "audit-log");
    let now = desk.portal.now();
    let filter = ["log", "actor", "action", "text"];
    let filtered = filter[1..].iter().any(|name| !query.get(name).is_empty());
    let Found { page, actions } = found;
    let next = page.next.map(|before| query.link(&path, &filter, &[("before", &before.to_string())]));
    let previous = (!query.get("before").is_empty()).then(|| query.link(&path, &filter, &[]));
    let export = query.link(&format!("{path}/audit-log.csv"), &filter, &[]);
    let clear = query.link(&path, &["log"], &[]);
    let portal = of_portal(desk, query);
    let logs = may_see_portal(desk).then(|| {
        let choices = [("This customer", "", !portal), ("The portal itself", "portal", portal)];
        let links = choices.map(|(words, log, chosen)| {
            let href = query.link(&path, &[], &[("log", log)]);
            view! { <li><a href=href aria-current=chosen.then_some("true")>{words}</a></li> }
        });
        view! { <nav aria-label="Which log"><ul class="plain filters">{links.collect_view()}</ul></nav> }
    });
    let some = !page.rows.is_empty();
    let list = match (some, filtered, previous.is_some() || next.is_some()) {
        (true, ..) => table(page.rows, now).into_any(),
        (false, _, true) if next.is_some() => view! { <p class="soft">"Nothing among these entries. Go on to the next page."</p> }.into_any(),
        (false, _, true) => view! { <Empty why=NOTHING_MORE step=previous.clone().map(|first| (first, TO_THE_FIRST)) /> }.into_any(),
        (false, true, _) => view! { <Empty why="No entry matches this filter." step=Some((clear.clone(), "Clear the filter")) /> }.into_any(),
        (false, false, _) => view! { <Empty why="Nothing was changed yet. Each change will be listed here with who made it." /> }.into_any(),
    };
    let paged = next.is_some() || previous.is_some();
    let options = actions.into_iter().map(|action| {
        let chosen = action == query.get("action");
        view! { <option value=action.clone() selected=chosen>{words(&action)}</option> }
    });
    view! {
        <div class="page-head">
            <h1>"Audit Log"</h1>
            {some.then(|| view! { <a class="button" href=export rel="external" download="">"Export CSV"</a> })}
        </div>
        {logs}
        <form method="get" action=path class="filter-bar" role="search" aria-label="Filter the log">
            {portal.then(|| view! { <input type="hidden" name="log" value="portal" /> })}
            <label>"Who"<input type="search" name="actor" value=query.get("actor").to_owned() autocomplete="off" /></label>
            <label>
                "Action"
                <select name="action">
                    <option value="">"Any"</option>
                    {options.collect_view()}
                </select>
            </label>
            <label class="grow">
                "Contains"
                <input type="search" name="text" value=query.get("text").to_owned() autocomplete="off" />
            </label>
            <button class="button" type="submit">"Filter"</button>
            {filtered.then(|| view! { <a class="button" href=clear>"Clear"</a> })}
        </form>
        {list}
        {paged.then(|| view! { <Pager previous=previous next=next place="The latest first" /> })}
    }
}

/// The entries.
fn table(rows: Vec<AuditRow>, now: domain::Timestamp) -> impl IntoView {
    let rows = rows.into_iter().map(|AuditRow { entry, .. }| {
        view! {
            <tr>
                <td data-label="When"><MomentView moment=Moment::at(entry.at, now) /></td>
                <th scope="row" data-label="Who"><bdi>{entry.actor}</bdi></th>
                <td data-label="Action">{words(&entry.action)}</td>
                <td data-label="What"><bdi>{entry.object}</bdi></td>
                <td data-label="Before → after">{changed_fields(entry.changes)}</td>
            </tr>
        }
    });
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Entries">
            <table class="list diff">
                <caption class="visually-hidden">"Changes, the latest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col">"Who"</th>
                        <th scope="col">"Action"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"Before → after"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn an_action_reads_as_words() {
        assert_eq!(words("administrator.set_password"), "Administrator: set password");
        assert_eq!(words(""), "");
    }
}
