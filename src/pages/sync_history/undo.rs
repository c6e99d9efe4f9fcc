//! The part of a run's page that takes the run back: what would happen, and the button behind it.

use domain::{
    Timestamp,
    role::Role,
    run::{Outcome, Purpose},
};
use leptos::prelude::*;
use store::{Run, UndoneRun};
use sync::run::undo::{self, Line, Proposal, Refused};
use uuid::Uuid;

use super::{list, one::path};
use crate::{
    access::{self, Desk, Query},
    components::{Icon, Message, Moment, MomentView, Tone, count, counted},
    error::AppError,
    pages::customer_path,
};

/// How many users of each list are named.
const NAMED: usize = 100;

/// What the page shows of it.
pub(super) enum Undo {
    /// Nothing to take back, or nobody who may.
    Nothing,
    /// It was done.
    Done(String, Timestamp),
    /// Somebody may look at what would happen, and whether somebody has asked for it before.
    Offer(Option<String>),
    /// What would happen, or why nothing can.
    Ask(Result<Proposal, Refused>),
}

/// Reads it, as far as the query asks for it.
pub(super) async fn load(desk: &Desk, run: &Run, query: &Query) -> Result<Undo, AppError> {
    let counts = &run.counts;
    let changed = counts.added + counts.updated + counts.missing + counts.restored + counts.deleted;
    if run.purpose != Purpose::Sync || run.outcome == Outcome::Running || changed == 0 {
        return Ok(Undo::Nothing);
    }
    let known = desk.customer.undone_run(run.id).await.map_err(|error| access::store_error(&error))?;
    let asked_by = match known {
        Some(UndoneRun { undone: Some((by, at)), .. }) => return Ok(Undo::Done(by, at)),
        Some(UndoneRun { asked_by: (_, by), .. }) => Some(by),
        None => None,
    };
    if desk.role < Role::Administrator {
        return Ok(Undo::Nothing);
    }
    if query.get("undo").is_empty() {
        return Ok(Undo::Offer(asked_by));
    }
    let proposal = undo::propose(&desk.portal.engine, &desk.customer, run.public_id).await;
    Ok(Undo::Ask(proposal.map_err(|error| access::sync_error(&error))?))
}

/// The card.
pub(super) fn card(desk: &Desk, run: &Run, found: Undo) -> impl IntoView + use<> {
    let slug = desk.customer.customer().slug.clone();
    let path = path(desk, run.public_id);
    let body = match found {
        Undo::Nothing => return ().into_any(),
        Undo::Done(by, at) => view! {
            <p>
                "Taken back by "<bdi>{by}</bdi>", "<MomentView moment=Moment::at(at, desk.portal.now()) />
                ". What was done for it stands at the end of what changed."
            </p>
        }
        .into_any(),
        Undo::Offer(asked_by) => view! {
            {asked_by.map(asked)}
            <p class="soft measure">
                "What this sync did to users can be taken back, as long as nothing else has changed them since. Look first at what would happen."
            </p>
            <a class="button" href=format!("{path}?undo=ask#undo")>"What would be taken back"</a>
        }
        .into_any(),
        Undo::Ask(Err(refused)) => view! {
            <p>{refused.to_string()}</p>
            <a class="button" href=path>"Back"</a>
        }
        .into_any(),
        Undo::Ask(Ok(proposal)) => asked_about(proposal, slug, run.public_id, path).into_any(),
    };
    view! {
        <section class="card" id="undo">
            <h2>"Undo this sync"</h2>
            {body}
        </section>
    }
    .into_any()
}

fn asked(by: String) -> impl IntoView {
    view! {
        <p class="notice warning">
            <Icon name="warning" />
            <span><bdi>{by}</bdi>" has asked for this. Another administrator has to confirm it as well."</span>
        </p>
    }
}

/// What would happen, and the confirmation.
fn asked_about(proposal: Proposal, slug: String, id: Uuid, path: String) -> impl IntoView {
    let Proposal { taken_back, left, redone, groups, stamp, asked_by } = proposal;
    let number = i64::try_from(taken_back.len()).unwrap_or(i64::MAX);
    let form = (number > 0).then(|| {
        view! {
            <form method="post" action="/api/undo_run" class="actions">
                <input type="hidden" name="slug" value=slug.clone() />
                <input type="hidden" name="id" value=id.to_string() />
                <input type="hidden" name="stamp" value=stamp />
                <button class="button danger" type="submit">{format!("Take back {}", counted(number, "user", "users"))}</button>
                <a class="button" href=path.clone()>"Cancel"</a>
            </form>
        }
    });
    let again = (redone > 0).then(|| {
        let users = counted(redone, "of them", "of them");
        view! {
            <p class="notice warning">
                <Icon name="warning" />
                <span>
                    {format!(
                        "The next sync does {users} again, by the rules and the directory as they are now: correct those first. Scheduled syncs wait 24 \
                         hours after this; Sync Now does not.",
                    )}
                </span>
            </p>
        }
    });
    let groups = (groups > 0).then(|| {
        let groups = counted(groups, "change of a group stays", "changes of groups stay");
        view! { <p class="soft">{format!("{groups} as they are: groups are the directory's.")}</p> }
    });
    let none = (number == 0).then(|| {
        view! {
            <p>"Nothing of what this sync did can be taken back."</p>
            <a class="button" href=path>"Back"</a>
        }
    });
    view! {
        {asked_by.map(asked)}
        {again}
        {(number > 0).then(|| lines(format!("Taken back: {}", count(number)), taken_back, &slug))}
        {(!left.is_empty()).then(|| lines(format!("Stays as it is: {}", count(i64::try_from(left.len()).unwrap_or(i64::MAX))), left, &slug))}
        {groups}
        {none}
        {form}
    }
}

fn lines(title: String, mut lines: Vec<Line>, slug: &str) -> impl IntoView + use<> {
    let label = title.clone();
    let more = lines.len().saturating_sub(NAMED);
    lines.truncate(NAMED);
    let rows = lines.into_iter().map(|line| {
        let href = customer_path(slug, &format!("users/{}", line.user));
        view! {
            <tr>
                <th scope="row" data-label="Who">
                    <a href=href><bdi>{line.name}</bdi></a>
                    <span class="second"><bdi>{line.address}</bdi></span>
                </th>
                <td data-label="What">{line.words}</td>
            </tr>
        }
    });
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label=label>
            <table class="list">
                <caption>{title}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Who"</th>
                        <th scope="col">"What"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        {(more > 0).then(|| view! { <p class="soft">{format!("and {} more", count(i64::try_from(more).unwrap_or(i64::MAX)))}</p> })}
    }
}

/// Takes the run back.
pub(super) async fn confirm(desk: &Desk, id: Uuid, stamp: &str) -> Result<(), AppError> {
    let done = undo::undo(&desk.portal.engine, &desk.customer, &desk.actor(), id, Some(stamp)).await;
    let message = match done.map_err(|error| access::sync_error(&error))? {
        Err(Refused::Missing) => {
            let (list, message) = (list::path(desk), Message::new(Tone::Bad, Refused::Missing.to_string()));
            return access::leave(&desk.portal, &desk.session, &list, &list, &message).await;
        }
        Err(refused) => Message::new(Tone::Bad, refused.to_string()),
        Ok(undone) if undone.awaiting => Message::new(
            Tone::Warning,
            "Nothing was taken back yet: another administrator has to confirm it as well.",
        ),
        Ok(undone) => {
            let mut text = format!("{} taken back.", counted(undone.users, "user was", "users were"));
            if undone.left > 0 {
                text.push_str(&format!(" {} could not be.", count(undone.left)));
            }
            if let Some(until) = undone.paused_until {
                text.push_str(&format!(" Scheduled syncs wait until {}.", until.words()));
            }
            Message::new(if undone.redone > 0 { Tone::Warning } else { Tone::Good }, text)
        }
    };
    let path = path(desk, id);
    access::leave(&desk.portal, &desk.session, &path, &path, &message).await
}
