//! Reading the directory into the mirror.
//!
//! Users and groups are read side by side, each with its own cursor. Every page is one transaction: the mirror's rows and the cursor behind
//! the page. While a page is written, the next one is already on its way. What a page brought is kept whatever happens to the next one.
//!
//! A round is *full* (everything, at first and whenever the directory asks for it or another selection is needed) or one of *changes* since
//! the last round. The transaction that stores the link behind a round's last page is its proof; behind a full round it also takes for gone
//! what the round did not see. A full round without any user proves nothing, an object that could not be read is there nevertheless, and pages
//! that lead in a circle never end.

mod groups;
mod users;

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicI64, AtomicUsize, Ordering},
};

use directory::entra::{Graph, GraphError, NextOrDelta, PageLink, USER_SELECTION};
use domain::{
    run::{Counts, Notice, NoticeKind, ObjectKind, Phase},
    service::Service,
};
use store::{Cursor, CursorKind, CustomerStore, CustomerWrite, StoreError};

use super::{
    drive::{Failure, Job},
    plan_rules::PlanRules,
};
use crate::SyncError;

/// How often a read may be told to begin again before it gives up: a service that forgets every position never gets to the end.
const RESTARTS: i64 = 2;

const RESTARTED: &str =
    "Microsoft Graph no longer knew the position of the read, so everything was read again from the start.";
const RESUMED: &str = "The read went on where an earlier run was interrupted.";

pub(super) use users::selection as selection_of_users;

/// One kind of object that is read page by page.
trait Collection {
    /// A page as the directory answers it.
    type Page: Send;

    /// Which cursor.
    const KIND: CursorKind;
    /// What the directory calls one of them.
    const OBJECT: ObjectKind;
    /// What is read, for a notice.
    const NAME: &'static str;
    /// Whether a full round that sees no object is believed.
    const MAY_BE_EMPTY: bool;

    /// Asks for a page.
    fn ask(graph: &Graph, at: &PageLink) -> impl Future<Output = Result<Self::Page, GraphError>> + Send;

    /// Where the read goes on behind a page.
    fn next(page: &Self::Page) -> &NextOrDelta;

    /// Writes a page into the mirror; how many objects it told of that the round had not told of before, and what there is to say about single
    /// ones.
    fn write(
        write: &mut CustomerWrite,
        round: i64,
        page: Self::Page,
    ) -> impl Future<Output = Result<(i64, Vec<Notice>), StoreError>> + Send;

    /// The ids of the objects that are on a page, those that could not be read among them.
    fn ids(page: &Self::Page) -> HashSet<&str>;

    /// Takes for gone what a full round did not see.
    fn end_full_round(
        write: &mut CustomerWrite,
        round: i64,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send;
}

/// A read that is under way.
struct Round {
    /// Its number; the mirror's rows that it saw carry it.
    number: i64,
    /// Whether it reads everything.
    full: bool,
    selection: String,
    pages: i64,
    objects: i64,
}

/// How far both reads have come.
#[derive(Default)]
struct Progress {
    users: AtomicI64,
    groups: AtomicI64,
    pages: AtomicI64,
    /// Objects that are there although the list left them out.
    left_out: AtomicUsize,
}

/// What one read came to.
#[derive(Default)]
struct Told {
    resumed: bool,
    restarted: bool,
}

/// Reads all users and groups, or what changed. On return the mirror is what the directory said, and every page of it was seen.
pub(super) async fn fetch(job: &mut Job<'_>, graph: &Graph, rules: &PlanRules) -> Result<(), Failure> {
    let progress = Progress::default();
    let selection = users::selection(rules.filter_properties());
    let both = {
        let job = &*job;
        let users = read_all::<users::Users>(job, graph, &progress, selection);
        let groups = read_all::<groups::Groups>(job, graph, &progress, groups::selection());
        // When one fails, the other is dropped in the midst of a page, which is not written then.
        tokio::try_join!(users, groups)
    };
    job.counts = counts(job, graph, &progress);
    let (users, groups) = both?;
    if users.resumed || groups.resumed {
        job.remarks.push(RESUMED.to_owned());
    }
    if users.restarted || groups.restarted {
        job.remarks.push(RESTARTED.to_owned());
    }
    let left_out = progress.left_out.into_inner();
    if left_out > 0 {
        job.remarks.push(left_out_by_mistake(left_out));
    }
    Ok(())
}

/// What to say of a list that was not whole.
fn left_out_by_mistake(number: usize) -> String {
    let (objects, it) = if number == 1 {
        ("object", "It was kept as it was")
    } else {
        ("objects", "They were kept as they were")
    };
    format!(
        "Microsoft Graph's list left out {number} {objects} that the directory has when asked by id. {it} last read, and the next sync reads \
         everything from the start."
    )
}

/// The run's counts with what was read so far.
fn counts(job: &Job<'_>, graph: &Graph, progress: &Progress) -> Counts {
    let traffic = graph.traffic();
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Counts {
        users_read: progress.users.load(Ordering::Relaxed),
        groups_read: progress.groups.load(Ordering::Relaxed),
        pages: progress.pages.load(Ordering::Relaxed),
        requests: whole(traffic.requests),
        bytes: whole(traffic.bytes),
        throttled_ms: whole(traffic.throttled_ms),
        ..job.counts
    }
}

async fn read_all<C: Collection>(
    job: &Job<'_>,
    graph: &Graph,
    progress: &Progress,
    selection: String,
) -> Result<Told, Failure> {
    let mut told = Told::default();
    let mut start = resume::<C>(job, &selection).await?;
    if let Some((_, round)) = &start
        && round.pages > 0
    {
        told.resumed = true;
        counter::<C>(progress).store(round.objects, Ordering::Relaxed);
        progress.pages.fetch_add(round.pages, Ordering::Relaxed);
    }
    for restart in 0..=RESTARTS {
        let (link, round) = start.take().unwrap_or_else(|| first(job, &selection, restart));
        match read::<C>(job, graph, progress, link, round).await {
            Err(Failure::Beneath(SyncError::Directory(error))) if error.is_resync() && restart < RESTARTS => {
                told.restarted = true;
                begin_again::<C>(job).await?;
                counter::<C>(progress).store(0, Ordering::Relaxed);
            }
            Err(failure) => return Err(failure),
            Ok(()) => return Ok(told),
        }
    }
    Ok(told)
}

fn counter<C: Collection>(progress: &Progress) -> &AtomicI64 {
    match C::KIND {
        CursorKind::Users => &progress.users,
        CursorKind::Groups => &progress.groups,
    }
}

/// A full round from its first page. Numbers of rounds rise from run to run, whatever the clock says.
fn first(job: &Job<'_>, selection: &str, restart: i64) -> (PageLink, Round) {
    let number = job.run_id * (RESTARTS + 1) + restart;
    let round = Round { number, full: true, selection: selection.to_owned(), pages: 0, objects: 0 };
    (PageLink::First { select: selection.to_owned() }, round)
}

/// Where an earlier run stopped, when it read the properties that are needed: in the midst of a round, or at the end of one.
async fn resume<C: Collection>(job: &Job<'_>, selection: &str) -> Result<Option<(PageLink, Round)>, Failure> {
    let cursor = job.customer.cursor(Service::Entra, C::KIND).await?;
    let Some(cursor) = cursor.filter(|cursor| covers(&cursor.selection, selection)) else { return Ok(None) };
    let round = if cursor.idle {
        Round {
            number: job.run_id * (RESTARTS + 1),
            full: false,
            selection: cursor.selection,
            pages: 0,
            objects: 0,
        }
    } else {
        Round {
            number: cursor.round,
            full: cursor.full,
            selection: cursor.selection,
            pages: cursor.pages,
            objects: cursor.objects,
        }
    };
    Ok(Some((PageLink::Next(cursor.link), round)))
}

/// Which of these properties of users the mirror does not have yet, because no read that got to its end asked for them.
pub(crate) async fn unread(
    customer: &CustomerStore,
    properties: &[String],
) -> Result<Vec<String>, StoreError> {
    let names = |selection: &str, property: &str| selection.split(',').any(|read| read == property);
    let mut unread: Vec<String> =
        properties.iter().filter(|property| !names(USER_SELECTION, property)).cloned().collect();
    if !unread.is_empty()
        && let Some(cursor) = customer.cursor(Service::Entra, CursorKind::Users).await?
        // In the midst of a full round some people were asked and others were not.
        && (cursor.idle || !cursor.full)
    {
        unread.retain(|property| !names(&cursor.selection, property));
    }
    Ok(unread)
}

/// Whether a read with these properties tells all that are needed.
fn covers(selection: &str, needed: &str) -> bool {
    needed.split(',').all(|property| selection.split(',').any(|read| read == property))
}

async fn begin_again<C: Collection>(job: &Job<'_>) -> Result<(), Failure> {
    let notice = Notice {
        kind: NoticeKind::Restarted,
        external_id: String::new(),
        display_name: C::NAME.to_owned(),
        detail: RESTARTED.to_owned(),
    };
    let mut write = job.begin().await?;
    write.clear_cursor(Service::Entra, C::KIND).await?;
    write.add_notices(job.run_id, &[notice]).await?;
    job.note_progress(&mut write, Phase::Fetch).await?;
    write.commit().await?;
    Ok(())
}

async fn read<C: Collection>(
    job: &Job<'_>,
    graph: &Graph,
    progress: &Progress,
    link: PageLink,
    mut round: Round,
) -> Result<(), Failure> {
    let mut page = ask::<C>(job, graph, &link).await?;
    let mut followed = Followed::default();
    loop {
        let following = match C::next(&page) {
            NextOrDelta::Next(link) if followed.before(link) => return Err(circle::<C>(job).await?),
            NextOrDelta::Next(link) => Some(PageLink::Next(link.clone())),
            NextOrDelta::Delta(_) => None,
        };
        let next = async {
            match &following {
                Some(link) => Some(ask::<C>(job, graph, link).await),
                None => None,
            }
        };
        let (written, next) = tokio::join!(write_page::<C>(job, graph, progress, &mut round, page), next);
        written?;
        match next {
            Some(Ok(next)) => page = next,
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(()),
        }
        job.go_on()?;
    }
}

async fn ask<C: Collection>(job: &Job<'_>, graph: &Graph, link: &PageLink) -> Result<C::Page, SyncError> {
    tokio::select! {
        page = C::ask(graph, link) => Ok(page?),
        () = job.engine.stopped() => Err(SyncError::Interrupted),
    }
}

async fn write_page<C: Collection>(
    job: &Job<'_>,
    graph: &Graph,
    progress: &Progress,
    round: &mut Round,
    page: C::Page,
) -> Result<(), Failure> {
    let next = C::next(&page).clone();
    let mut left_out = 0;
    if round.full && matches!(next, NextOrDelta::Delta(_)) {
        left_out = ask_for_unseen::<C>(job, graph, round, &page).await?;
        progress.left_out.fetch_add(left_out, Ordering::Relaxed);
    }
    let mut write = job.begin_page().await?;
    let (objects, notices) = C::write(&mut write, round.number, page).await?;
    round.pages += 1;
    round.objects += objects;
    progress.pages.fetch_add(1, Ordering::Relaxed);
    counter::<C>(progress).store(round.objects, Ordering::Relaxed);
    let (idle, link) = match next {
        NextOrDelta::Next(link) => (false, link),
        NextOrDelta::Delta(link) => (true, link),
    };
    if idle && round.full {
        if round.objects == 0 && !C::MAY_BE_EMPTY {
            drop(write);
            return Err(nobody::<C>(job).await?);
        }
        C::end_full_round(&mut write, round.number).await?;
    }
    let cursor = Cursor {
        service: Service::Entra,
        kind: C::KIND,
        round: round.number,
        full: round.full,
        idle,
        link,
        selection: round.selection.clone(),
        pages: round.pages,
        objects: round.objects,
        updated_at: job.engine.clock.now(),
    };
    let first = round.full && round.pages == 1;
    if left_out == 0 {
        write.put_cursor(&cursor).await?;
    } else {
        // What else the list left out, changes will never tell.
        write.clear_cursor(Service::Entra, C::KIND).await?;
    }
    // From here on, users wait for groups and groups for users: both write the run's row and number its notices.
    write.update_run(job.run_id, Phase::Fetch, &counts(job, graph, progress)).await?;
    write.add_notices(job.run_id, &notices).await?;
    write.raise_topic("runs").await?;
    write.commit().await?;
    if first {
        job.engine.store.analyse_new_tables().await?;
    }
    Ok(())
}

/// Asks for whoever a full round has not seen before its last page, each by its id, so that nobody is taken for gone whom a list left out by
/// mistake. Whoever is there stays as last read; how many that are.
async fn ask_for_unseen<C: Collection>(
    job: &Job<'_>,
    graph: &Graph,
    round: &Round,
    last_page: &C::Page,
) -> Result<usize, Failure> {
    let on_last_page = C::ids(last_page);
    // A list with nobody on it at all is not believed anyway.
    if !C::MAY_BE_EMPTY && round.objects == 0 && on_last_page.is_empty() {
        return Ok(0);
    }
    let (mut after, mut left_out) = (0, 0);
    loop {
        job.go_on()?;
        let page =
            job.customer.unseen(Service::Entra, C::KIND, round.number, after, job.engine.chunk).await?;
        let Some((last, _)) = page.last() else { return Ok(left_out) };
        after = *last;
        let unseen: Vec<String> =
            page.into_iter().map(|(_, id)| id).filter(|id| !on_last_page.contains(id.as_str())).collect();
        let existing: Vec<String> = graph.existing(C::OBJECT, &unseen).await?.into_iter().collect();
        if existing.is_empty() {
            continue;
        }
        left_out += existing.len();
        let mut write = job.begin_page().await?;
        write.still_there(Service::Entra, C::KIND, round.number, &existing).await?;
        write.commit().await?;
    }
}

/// The links that a read has followed, as 64 bits each: a service that names one twice would be read for ever.
#[derive(Default)]
struct Followed(HashSet<u64>);

impl Followed {
    /// Whether a link was followed before; notes it.
    fn before(&mut self, link: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        link.hash(&mut hasher);
        !self.0.insert(hasher.finish())
    }
}

/// The ids of objects that could not be read, as far as they have one.
fn known(unreadable: &[Notice]) -> Vec<String> {
    let ids = unreadable.iter().map(|notice| &notice.external_id);
    ids.filter(|id| !id.is_empty()).cloned().collect()
}

/// Forgets where the read is, so that the next one begins anew.
async fn forget_position<C: Collection>(job: &Job<'_>) -> Result<(), Failure> {
    let mut write = job.begin().await?;
    write.clear_cursor(Service::Entra, C::KIND).await?;
    write.commit().await?;
    Ok(())
}

/// What to say of pages that lead to each other. The position that is kept is part of the circle.
async fn circle<C: Collection>(job: &Job<'_>) -> Result<Failure, Failure> {
    forget_position::<C>(job).await?;
    Ok(Failure::Explained(format!(
        "{}: Microsoft Graph's pages lead in a circle, so that the list has no end. The next sync reads it from the start; when that \
         happens again, ask Microsoft's support.",
        C::NAME
    )))
}

/// What to say of a full read that showed nobody.
async fn nobody<C: Collection>(job: &Job<'_>) -> Result<Failure, Failure> {
    forget_position::<C>(job).await?;
    Ok(Failure::Explained(
        "The directory was read to its end and showed nobody at all, which cannot be right. Check that the app may read users \
         (User.Read.All) and that this is the right tenant."
            .to_owned(),
    ))
}
