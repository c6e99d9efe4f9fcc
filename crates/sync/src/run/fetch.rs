//! Reading the directory into the mirror.
//!
//! Every page is one transaction: the mirror's rows, the checkpoint behind the page, and the run's counts. While a page is written, the next
//! one is already on its way. What a page brought is kept whatever happens to the next one.

use std::collections::HashSet;

use directory::entra::{Graph, NextOrDelta, PageLink, USER_SELECTION, UserPage};
use domain::{
    object::DirectoryUser,
    plan::{Admission, Out},
    run::{Notice, NoticeKind, Phase},
    service::Service,
};
use store::{Checkpoint, CheckpointKind};

use super::{
    drive::{Failure, Job},
    plan_rules::PlanRules,
};
use crate::SyncError;

/// How often a read may be told to begin again before it gives up: a service that forgets every position never gets to the end.
const RESTARTS: u32 = 2;

const RESTARTED: &str =
    "Microsoft Graph no longer knew the position of the read, so everything was read again from the start.";

/// A read that is under way.
struct Round {
    /// Its number; the mirror's rows that it saw carry it.
    number: i64,
    selection: String,
    pages: i64,
    objects: i64,
}

/// Reads all users. On return the mirror is complete, and the checkpoint is gone.
pub(super) async fn fetch(job: &mut Job<'_>, graph: &Graph, rules: &PlanRules) -> Result<(), Failure> {
    let selection = selection(rules.filter_properties());
    let mut start = resume(job, &selection).await?;
    for restart in 0..=RESTARTS {
        let (link, round) = match start.take() {
            Some(start) => start,
            None => first(job, &selection),
        };
        match read(job, graph, rules, link, round).await {
            Err(Failure::Beneath(SyncError::Directory(error))) if error.is_resync() && restart < RESTARTS => {
                begin_again(job).await?;
            }
            result => return result,
        }
    }
    Ok(())
}

/// The properties to read: those of every read, and what the filter asks for besides.
fn selection(filter_properties: &[String]) -> String {
    let mut selection = USER_SELECTION.to_owned();
    for property in filter_properties {
        if !USER_SELECTION.split(',').any(|known| known == property) {
            selection.push(',');
            selection.push_str(property);
        }
    }
    selection
}

fn first(job: &Job<'_>, selection: &str) -> (PageLink, Round) {
    let number = job.engine.clock.now().0;
    let round = Round { number, selection: selection.to_owned(), pages: 0, objects: 0 };
    (PageLink::First { select: selection.to_owned() }, round)
}

/// Where an earlier run was interrupted, when it read the same properties.
async fn resume(job: &mut Job<'_>, selection: &str) -> Result<Option<(PageLink, Round)>, Failure> {
    let checkpoint = job.customer.checkpoint(Service::Entra, CheckpointKind::Users).await?;
    let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.selection == selection) else {
        return Ok(None);
    };
    job.counts.users_read = checkpoint.objects;
    job.counts.pages = checkpoint.pages;
    job.remarks.push("The read went on where an earlier run was interrupted.".to_owned());
    let round = Round {
        number: checkpoint.round,
        selection: checkpoint.selection,
        pages: checkpoint.pages,
        objects: checkpoint.objects,
    };
    Ok(Some((PageLink::Next(checkpoint.next_link), round)))
}

async fn begin_again(job: &mut Job<'_>) -> Result<(), Failure> {
    job.counts.users_read = 0;
    job.counts.pages = 0;
    job.left_out.clear();
    job.counts.left_out = 0;
    job.remarks.push(RESTARTED.to_owned());
    let notice = Notice {
        kind: NoticeKind::Unreadable,
        external_id: String::new(),
        display_name: "Microsoft Graph".to_owned(),
        detail: RESTARTED.to_owned(),
    };
    let mut write = job.begin().await?;
    write.clear_checkpoint(Service::Entra, CheckpointKind::Users).await?;
    write.add_notices(job.run_id, &[notice]).await?;
    job.note_progress(&mut write, Phase::Fetch).await?;
    write.commit().await?;
    Ok(())
}

async fn read(
    job: &mut Job<'_>,
    graph: &Graph,
    rules: &PlanRules,
    link: PageLink,
    mut round: Round,
) -> Result<(), Failure> {
    let mut page = ask(job, graph, &link).await?;
    loop {
        let following = match &page.next {
            NextOrDelta::Next(link) => Some(PageLink::Next(link.clone())),
            NextOrDelta::Delta(_) => None,
        };
        let engine = job.engine.clone();
        let next = async {
            match &following {
                Some(link) => {
                    tokio::select! {
                        page = graph.users_page(link) => Some(page.map_err(SyncError::from)),
                        () = engine.stopped() => Some(Err(SyncError::Interrupted)),
                    }
                }
                None => None,
            }
        };
        let (written, next) = tokio::join!(write_page(job, graph, rules, &mut round, page), next);
        written?;
        match next {
            Some(Ok(next)) => page = next,
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(()),
        }
        job.go_on()?;
    }
}

async fn ask(job: &Job<'_>, graph: &Graph, link: &PageLink) -> Result<UserPage, SyncError> {
    tokio::select! {
        page = graph.users_page(link) => Ok(page?),
        () = job.engine.stopped() => Err(SyncError::Interrupted),
    }
}

async fn write_page(
    job: &mut Job<'_>,
    graph: &Graph,
    rules: &PlanRules,
    round: &mut Round,
    page: UserPage,
) -> Result<(), Failure> {
    // A full read also names some who are gone. Nobody is removed by a run, so there is nothing to do about them.
    let UserPage { users, unreadable, changed_values, next, removed: _ } = page;
    let mut notices = unreadable;
    notices.extend(changed_values);

    // The last word about an object counts.
    let mut seen = HashSet::new();
    let said: Vec<&DirectoryUser> =
        users.iter().rev().filter(|user| seen.insert(&user.external_id)).collect();
    for user in &said {
        if let Admission::Out(reason) = rules.admit(user) {
            *job.left_out.entry(reason).or_default() += 1;
            job.counts.left_out += 1;
            if reason == Out::NoAddress {
                notices.push(without_address(user));
            }
        }
    }
    let objects = i64::try_from(said.len()).unwrap_or(i64::MAX);
    round.pages += 1;
    round.objects += objects;
    job.counts.pages = round.pages;
    job.counts.users_read = round.objects;
    let traffic = graph.traffic();
    job.counts.requests = i64::try_from(traffic.requests).unwrap_or(i64::MAX);
    job.counts.bytes = i64::try_from(traffic.bytes).unwrap_or(i64::MAX);

    let now = job.engine.clock.now();
    let mut write = job.begin().await?;
    write.mirror_users(Service::Entra, round.number, &users).await?;
    write.add_notices(job.run_id, &notices).await?;
    match next {
        NextOrDelta::Next(next_link) => {
            let checkpoint = Checkpoint {
                service: Service::Entra,
                kind: CheckpointKind::Users,
                round: round.number,
                next_link,
                selection: round.selection.clone(),
                pages: round.pages,
                objects: round.objects,
                updated_at: now,
            };
            write.put_checkpoint(&checkpoint).await?;
            job.note_progress(&mut write, Phase::Fetch).await?;
        }
        NextOrDelta::Delta(_) => {
            write.clear_checkpoint(Service::Entra, CheckpointKind::Users).await?;
            job.note_progress(&mut write, Phase::Apply).await?;
        }
    }
    write.commit().await?;
    Ok(())
}

fn without_address(user: &DirectoryUser) -> Notice {
    Notice {
        kind: NoticeKind::NoAddress,
        external_id: user.external_id.clone(),
        display_name: name(user).to_owned(),
        detail: "No usable mail address in proxyAddresses, mail or userPrincipalName; left out.".to_owned(),
    }
}

/// The name of a directory user as an administrator knows it.
fn name(user: &DirectoryUser) -> &str {
    let named = user.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    named.or(user.user_principal_name.as_deref()).unwrap_or(&user.external_id)
}
