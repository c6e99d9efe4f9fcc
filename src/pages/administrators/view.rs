//! The administrators, as the server renders them.

use std::collections::HashMap;

use domain::{Timestamp, role::Role};
use leptos::prelude::*;
use store::{Administrator, StoreError};
use sync::administrators::By;

use crate::{
    access::Desk,
    components::{Icon, Moment, MomentView},
    pages::customer_path,
};

/// The page's own address.
pub(super) fn path(desk: &Desk) -> String {
    customer_path(&desk.customer.customer().slug, "administrators")
}

/// What the page shows: who has a role here, and until when their one-time links are good.
pub(super) struct List {
    people: Vec<Administrator>,
    links: HashMap<i64, Timestamp>,
}

/// Reads the page.
pub(super) async fn load(desk: &Desk) -> Result<List, StoreError> {
    let (store, here) = (&desk.portal.engine.store, desk.customer.customer().id);
    let mut people = store.administrators().await?;
    people.retain(|person| person.role_for(here).is_some());
    people.sort_by_cached_key(|person| (person.display_name.to_lowercase(), person.id));
    Ok(List { people, links: store.password_links(desk.portal.now()).await?.into_iter().collect() })
}

/// The page. `shown` is a one-time link that is shown this once.
pub(super) fn page(desk: &Desk, list: List, shown: Option<(String, String)>) -> impl IntoView + use<> {
    let slug = desk.customer.customer().slug.clone();
    let full = desk.session.administrator.every_customer_role == Some(Role::Administrator);
    let shown = shown.map(|(email, link)| {
        view! {
            <section class="card shown-once" aria-label="One-time link">
                <h2><Icon name="lock" />"One-time link"</h2>
                <p>"For "<bdi>{email}</bdi>", good for 7 days and for one use. It cannot be shown again."</p>
                <input class="one-time-link" readonly="" value=link aria-label="One-time link" />
            </section>
        }
    });
    let rows = list.people.iter().map(|person| row(desk, person, list.links.get(&person.id).copied(), &slug));
    let rows = rows.collect_view();
    let roles = Role::ALL.map(|role| view! { <option value=role.name()>{role.label()}</option> });
    view! {
        <div class="page-head">
            <h1>"Administrators"</h1>
        </div>
        {shown}
        <div class="table-wrap" tabindex="0" role="region" aria-label="Administrators">
            <table class="list">
                <caption class="visually-hidden">"Administrators by name"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Role at this customer"</th>
                        <th scope="col">"Role for all customers"</th>
                        <th scope="col">"Last sign-in"</th>
                        <th scope="col">"Account"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <section class="card invite">
            <h2>"Invite an administrator"</h2>
            <p class="soft">
                "You get a link to hand over yourself: the portal sends no mail. Who has an account already gets the role at once."
            </p>
            <form method="post" action="/api/administrator_invite">
                <input type="hidden" name="slug" value=slug.clone() />
                <div class="field">
                    <label for="email">"Email"</label>
                    <input id="email" name="email" type="email" required="" autocomplete="off" maxlength="254" />
                </div>
                <div class="field">
                    <label for="display_name">"Name"</label>
                    <input id="display_name" name="display_name" autocomplete="off" maxlength="100" />
                </div>
                <div class="field">
                    <label for="role">"Role"</label>
                    <select id="role" name="role" aria-describedby="role-help">{roles.collect_view()}</select>
                    <div class="help" id="role-help">
                        "A Viewer looks. An Operator also syncs and acts on conflicts. An Administrator also changes settings and administrators."
                    </div>
                </div>
                {full.then(|| {
                    view! {
                        <div class="field checkbox">
                            <input id="everywhere" name="everywhere" type="checkbox" value="on" />
                            <label for="everywhere">"For all customers, those to come included"</label>
                        </div>
                    }
                })}
                <button class="button primary" type="submit">"Invite"</button>
            </form>
        </section>
    }
}

/// One administrator, with the forms that change the role or the account.
fn row(desk: &Desk, person: &Administrator, link: Option<Timestamp>, slug: &str) -> impl IntoView + use<> {
    let now = desk.portal.now();
    let by = By { customer: &desk.customer, administrator: &desk.session.administrator };
    let own = person.id == desk.session.administrator.id;
    let here = desk.customer.customer().id;
    let full = by.administrator.every_customer_role == Some(Role::Administrator);
    let role_here = person.roles.iter().find(|(customer, _)| *customer == here).map(|(_, role)| *role);
    let invited = person.password_hash.is_empty();
    let state = match (person.deactivated_at, invited, link) {
        (Some(since), ..) => view! {
            <span class="badge"><Icon name="dash" />"Deactivated"</span>" "
            <MomentView moment=Moment::at(since, now) />
        }
        .into_any(),
        (None, true, Some(until)) => view! {
            <span class="badge running">"Invited"</span>" "
            <span class="soft">{format!("link good until {}", domain::moment::day_words(until.date()))}</span>
        }
        .into_any(),
        (None, true, None) => {
            view! { <span class="badge conflict"><Icon name="warning" />"Invited, link expired"</span> }
                .into_any()
        }
        (None, false, _) => {
            view! { <span class="badge good"><Icon name="check" />"Active"</span> }.into_any()
        }
    };
    let id = person.public_id.to_string();
    let act = |intent: &'static str, words: &'static str| {
        view! {
            <form method="post" action="/api/administrator_change">
                <input type="hidden" name="slug" value=slug.to_owned() />
                <input type="hidden" name="id" value=id.clone() />
                <button class="button small" type="submit" name="intent" value=intent>
                    {words}
                    <span class="visually-hidden">{format!(": {}", person.email)}</span>
                </button>
            </form>
        }
    };
    let acts = (!own && by.manages(person)).then(|| {
        if person.deactivated_at.is_some() {
            act("activate", "Activate").into_any()
        } else {
            let link_words = if invited { "New link" } else { "Password link" };
            view! { {act("link", link_words)} {act("deactivate", "Deactivate")} }.into_any()
        }
    });
    let role_form = |intent: &'static str, label: &'static str, present: Option<Role>, may: bool| {
        if own || !may {
            return view! { <span>{present.map_or("none", Role::label)}</span> }.into_any();
        }
        let options = Role::ALL.map(|role| {
            view! { <option value=role.name() selected=present == Some(role)>{role.label()}</option> }
        });
        view! {
            <form method="post" action="/api/administrator_change" class="inline-form">
                <input type="hidden" name="slug" value=slug.to_owned() />
                <input type="hidden" name="id" value=id.clone() />
                <select name="role" aria-label=format!("{label} of {}", person.email)>
                    <option value="none" selected=present.is_none()>"none"</option>
                    {options.collect_view()}
                </select>
                <button class="button small" type="submit" name="intent" value=intent>"Change"</button>
            </form>
        }
        .into_any()
    };
    let at_customer = role_form("role", "Role at this customer", role_here, !invited || by.manages(person));
    let everywhere = role_form("everywhere", "Role for all customers", person.every_customer_role, full);
    view! {
        <tr>
            <th scope="row" data-label="Name">
                <bdi>{person.display_name.clone()}</bdi>
                {own.then(|| view! { " "<span class="soft">"(you)"</span> })}
                <span class="second"><bdi>{person.email.clone()}</bdi></span>
            </th>
            <td data-label="Role here">{at_customer}</td>
            <td data-label="Role for all">{everywhere}</td>
            <td data-label="Last sign-in">
                {match person.last_sign_in_at {
                    Some(at) => view! { <MomentView moment=Moment::at(at, now) /> }.into_any(),
                    None => view! { <span class="soft">"never"</span> }.into_any(),
                }}
            </td>
            <td data-label="Account">
                <div>{state}</div>
                <div class="acts">{acts}</div>
            </td>
        </tr>
    }
}
