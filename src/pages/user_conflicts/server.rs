//! The server's half of User Conflicts: calls `sync` and `store`, and turns what comes of it into the words of the page.

use std::collections::{HashMap, HashSet};

use domain::{
    Timestamp,
    conflict::{Reason, State},
    guard::Decision as Decided,
    moment::{day_text, day_words, parse_day},
    number::{count, counted},
    service::Service,
    settings::DeleteAfter,
};
use store::{ConflictFilter, ConflictRow, MirrorUser};
use sync::{
    Engine, SyncError,
    conflicts::{
        self, Decision, Refused, Selection,
        rival::{self, Answer},
    },
    take_overs,
};
use uuid::Uuid;

use super::{
    decide::view::DecidePage,
    view::{ConflictsPage, Question, Search},
};
use crate::{
    access::{self, Desk},
    components::{Cell, Message, Moment, Pick, Row, Table, Tone},
    error::AppError,
    pages::{
        ENTRA, customer_path,
        entra_head::{Head, clock_notes},
        query::Query,
    },
};

/// How many rows stand on a page.
const PER_PAGE: i64 = 50;
/// How many users the page of a decision names.
const NAMED: i64 = 200;

fn path(desk: &Desk) -> String {
    customer_path(&desk.customer.customer().slug, &format!("{ENTRA}/user-conflicts"))
}

fn decide_path(desk: &Desk) -> String {
    format!("{}/decide", path(desk))
}

fn filter(query: &Query) -> ConflictFilter {
    ConflictFilter {
        text: query.get("q").trim().to_owned(),
        state: State::named(query.get("state")),
        reason: Reason::named(query.get("reason")),
    }
}

/// The users that a query selects, for the export: nobody named means all that match.
pub(in crate::pages) fn selected(query: &str) -> Selection {
    let query = Query::read(query);
    match selection(&query) {
        Selection::Users(ids) if ids.is_empty() => Selection::All { filter: filter(&query), shown: 0 },
        selection => selection,
    }
}

/// The users that a query selects: all that match, or those that are named.
fn selection(query: &Query) -> Selection {
    if query.get("all").is_empty() {
        Selection::Users(query.all("user").filter_map(|id| Uuid::parse_str(id).ok()).collect())
    } else {
        Selection::All { filter: filter(query), shown: query.get("shown").parse().unwrap_or(-1) }
    }
}

fn cursor(text: &str) -> Option<(Timestamp, i64)> {
    let (since, user) = text.split_once('.')?;
    Some((Timestamp(since.parse().ok()?), user.parse().ok()?))
}

pub(super) async fn load(desk: &Desk, query: &str) -> Result<ConflictsPage, AppError> {
    let query = Query::read(query);
    let filter = filter(&query);
    let after = cursor(query.get("after"));
    let path = path(desk);
    let mut head = Head::load(desk, "user-conflicts", &path).await?;
    head.notes = clock_notes(desk).await?;
    let customer = &desk.customer;
    let loaded = async {
        let mut rows = customer.conflicts_where(&filter, after, PER_PAGE + 1).await?;
        let total = customer.conflict_count(&filter).await?;
        let more = i64::try_from(rows.len()).is_ok_and(|rows| rows > PER_PAGE);
        rows.truncate(usize::try_from(PER_PAGE).unwrap_or(usize::MAX));
        let disabled: Vec<String> = rows
            .iter()
            .filter(|row| row.conflict.reason == Reason::DisabledInDirectory)
            .filter_map(|row| row.external_id.clone())
            .collect();
        let mirrored = customer.mirrored(Service::Entra, &disabled).await?;
        Ok((rows, total, more, mirrored))
    };
    let (rows, total, more, mirrored) = loaded.await.map_err(|error| access::store_error(&error))?;
    let setting = conflicts::deletion_setting(customer).await.map_err(|error| access::sync_error(&error))?;
    let shared: HashSet<&str> = mirrored
        .iter()
        .filter(|user| is_unlicensed(user))
        .map(|user| user.user.external_id.as_str())
        .collect();
    let may_act = desk.role >= domain::role::Role::Operator;
    let all = query.get("select") == "all" && may_act;
    let whole_page = all || query.get("select") == "page";
    let now = desk.portal.now();
    let mut table = Table::new(
        "Users in conflict, the longest missing first",
        &["User", "Source", "Reason", "Missing since", "Deletion date", "State"],
    );
    for row in &rows {
        table.rows.push(Row {
            pick: Some(Pick {
                name: "user".to_owned(),
                value: row.public_id.to_string(),
                chosen: whole_page,
                fixed: all,
            }),
            cells: cells(row, setting, &shared, now),
        });
    }
    let base = query.without(&["after", "select"]);
    let here = query.without(&["select"]);
    let filtered = filter != ConflictFilter::default();
    let mut selects = Vec::new();
    if !rows.is_empty() {
        if query.get("select") != "page" {
            selects.push((here.clone().with("select", "page").on(&path), "Select page".to_owned()));
        }
        if !all && may_act {
            let words = format!("Select all {} that match", count(total));
            selects.push((here.clone().with("select", "all").on(&path), words));
        }
        if whole_page {
            selects.push((here.on(&path), "Clear selection".to_owned()));
        }
    }
    let mut hidden = base.pairs();
    if all {
        hidden.push(("all".to_owned(), "1".to_owned()));
        hidden.push(("shown".to_owned(), total.to_string()));
    }
    let questions = questions(desk).await?;
    Ok(ConflictsPage {
        search: search(&path, &filter, filtered),
        next: rows.last().filter(|_| more).map(|row| {
            let (since, user) = row.cursor();
            base.clone().with("after", &format!("{}.{user}", since.0)).on(&path)
        }),
        first: after.map(|_| base.on(&path)),
        place: counted(total, "user in conflict", "users in conflict"),
        all: all.then(|| {
            format!("All {} are selected, also those on other pages.", counted(total, "user", "users"))
        }),
        selects,
        hidden,
        decide: decide_path(desk),
        export: format!("{path}.csv"),
        may_act,
        questions,
        table,
        bin: customer_path(&customer.customer().slug, "recycle-bin"),
        head,
    })
}

fn search(path: &str, filter: &ConflictFilter, filtered: bool) -> Search {
    let mut states = vec![(String::new(), "Any".to_owned(), filter.state.is_none())];
    for state in [State::Pending, State::Ignored, State::Deactivated] {
        states.push((state.name().to_owned(), state.label().to_owned(), filter.state == Some(state)));
    }
    let mut reasons = vec![(String::new(), "Any".to_owned(), filter.reason.is_none())];
    for reason in [
        Reason::NotInDirectory,
        Reason::DisabledInDirectory,
        Reason::FilteredOut,
        Reason::Exception,
        Reason::OutsideManagedDomains,
        Reason::OtherDirectoryService,
    ] {
        reasons.push((reason.name().to_owned(), reason.label().to_owned(), filter.reason == Some(reason)));
    }
    Search { path: path.to_owned(), text: filter.text.clone(), states, reasons, filtered }
}

/// A disabled account without licences: shared mailboxes and rooms look like that.
fn is_unlicensed(user: &MirrorUser) -> bool {
    serde_json::from_str::<serde_json::Value>(&user.user.attributes).is_ok_and(|attributes| {
        attributes
            .get("assignedLicenses")
            .is_none_or(|licences| licences.as_array().is_none_or(Vec::is_empty))
    })
}

fn cells(
    row: &ConflictRow,
    setting: Option<DeleteAfter>,
    shared: &HashSet<&str>,
    now: Timestamp,
) -> Vec<Cell> {
    let conflict = &row.conflict;
    let hint = if row.external_id.as_deref().is_some_and(|id| shared.contains(id)) {
        "possibly a shared mailbox"
    } else {
        ""
    };
    let lost = if row.address_lost { " (the address went to somebody else)" } else { "" };
    let delete_on = setting.and_then(|setting| conflict.delete_on(setting));
    let not_deleted = match (conflict.state, setting) {
        (_, None) => "clock stopped",
        (State::Deactivated | State::Ignored, _) => "not deleted",
        (State::Pending, _) => "never",
    };
    let detail = [
        conflict.ignored_until.map(|until| format!("until {}", day_words(until.date()))),
        conflict.stay_inactive.then(|| "stays inactive".to_owned()),
        Some(conflict.note.clone()).filter(|note| !note.is_empty()),
    ];
    let detail: Vec<String> = detail.into_iter().flatten().collect();
    vec![
        Cell::Text(row.display_name.clone(), format!("{}{lost}", row.primary_address)),
        Cell::text(row.source.label()),
        Cell::Text(conflict.reason.label().to_owned(), hint.to_owned()),
        Cell::When(Some(day(conflict.missing_since, now)), String::new()),
        Cell::When(
            delete_on.map(|on| day(on, now)),
            if delete_on.is_some() { String::new() } else { not_deleted.to_owned() },
        ),
        Cell::Badge(
            state_class(conflict.state).to_owned(),
            conflict.state.label().to_owned(),
            detail.join(" · "),
        ),
    ]
}

const fn state_class(state: State) -> &'static str {
    match state {
        State::Pending => "conflict",
        State::Ignored => "",
        State::Deactivated => "bad",
    }
}

/// A moment of which the day matters.
fn day(at: Timestamp, now: Timestamp) -> Moment {
    Moment { words: day_words(at.date()), ..Moment::at(at, now) }
}

/// The questions that only an administrator can answer.
async fn questions(desk: &Desk) -> Result<Vec<Question>, AppError> {
    /// More at once than anybody answers; the next ones come up when these are settled.
    const MOST: i64 = 20;

    let customer = &desk.customer;
    let loaded = async {
        let rivals = customer.conflicts_with_rival(MOST).await?;
        let ids: Vec<String> = rivals.iter().filter_map(|row| row.conflict.rival.clone()).collect();
        let people = customer.mirrored(Service::Entra, &ids).await?;
        let waiting: Vec<_> = customer
            .take_overs()
            .await?
            .into_iter()
            .filter(|take_over| take_over.decision == Decided::Waiting)
            .take(usize::try_from(MOST).unwrap_or(usize::MAX))
            .collect();
        let mut manual = HashMap::new();
        for user in customer.user_names(&waiting.iter().map(|it| it.user_id).collect::<Vec<_>>()).await? {
            manual.insert(user.0, user);
        }
        Ok((rivals, people, waiting, manual))
    };
    let (rivals, people, waiting, manual) = loaded.await.map_err(|error| access::store_error(&error))?;
    let name_of = |id: &str| {
        let person = people.iter().find(|person| person.user.external_id == id);
        person
            .and_then(|person| person.user.display_name.clone())
            .unwrap_or_else(|| format!("Directory id {id}"))
    };
    let mut questions: Vec<Question> = rivals
        .into_iter()
        .filter_map(|row| {
            let rival = row.conflict.rival.clone()?;
            let newcomer = name_of(&rival);
            Some(Question {
                user: row.public_id.to_string(),
                external_id: String::new(),
                title: "The same person, or a new one?".to_owned(),
                text: format!(
                    "{newcomer} has the address {} of {}, who is not in the directory any more. Until you decide, they are two users.",
                    row.primary_address, row.display_name
                ),
                answers: vec![
                    (
                        "same".to_owned(),
                        "Same person".to_owned(),
                        format!("{} keeps the record and its history, under the new directory id; the second record is merged into it.", row.display_name),
                    ),
                    (
                        "new".to_owned(),
                        "New person".to_owned(),
                        format!("{newcomer} is somebody else. The conflict of {} stays as it is.", row.display_name),
                    ),
                ],
            })
        })
        .collect();
    for take_over in waiting {
        let Some((_, public_id, name, address)) = manual.get(&take_over.user_id) else { continue };
        questions.push(Question {
            user: public_id.to_string(),
            external_id: take_over.external_id,
            title: "Take over a Manual user?".to_owned(),
            text: format!(
                "{} in the directory has the address {address} of the Manual user {name}. The person is not synced until you decide.",
                take_over.display_name
            ),
            answers: vec![
                (
                    "take_over".to_owned(),
                    "Take over".to_owned(),
                    "The Manual user becomes the directory's, with its id and history, at the next sync.".to_owned(),
                ),
                (
                    "never".to_owned(),
                    "Never take over".to_owned(),
                    "The Manual user keeps the address; the person is synced without it.".to_owned(),
                ),
            ],
        });
    }
    Ok(questions)
}

pub(super) async fn answer_question(
    desk: &Desk,
    user: &str,
    external_id: &str,
    answer: &str,
) -> Result<(), AppError> {
    let Ok(user) = Uuid::parse_str(user) else { return Err(access::not_found()) };
    let (engine, customer, actor) = (&desk.portal.engine, &desk.customer, desk.actor());
    let unexpected = |error: SyncError| access::sync_error(&error);
    let closed = || Message::new(Tone::Warning, rival::Refused::Closed.to_string());
    let same = |answer| async move { rival::answer(engine, customer, &desk.actor(), user, answer).await };
    let message = match answer {
        "same" => match same(Answer::SamePerson).await.map_err(unexpected)? {
            Ok(()) => Message::new(Tone::Good, "One user now, with the history of both."),
            Err(_) => closed(),
        },
        "new" => match same(Answer::NewPerson).await.map_err(unexpected)? {
            Ok(()) => Message::new(Tone::Good, "Two people. The question will not be asked again."),
            Err(_) => closed(),
        },
        "take_over" | "never" => {
            let yes = answer == "take_over";
            let asked = take_overs::decide(engine, customer, &actor, user, external_id, yes);
            match (asked.await.map_err(unexpected)?, yes) {
                (true, true) => Message::new(Tone::Good, "The next sync takes the Manual user over."),
                (true, false) => Message::new(Tone::Good, "The Manual user will never be taken over."),
                (false, _) => closed(),
            }
        }
        _ => return Err(access::not_found()),
    };
    let path = path(desk);
    access::leave(&desk.portal, &desk.session, &path, &path, &message).await
}

/// The fields of the form of a decision.
pub(super) struct Fields {
    pub action: String,
    pub selection: String,
    pub until: String,
    pub note: String,
    pub stay_inactive: bool,
}

impl Fields {
    /// What is decided; the message for a field that is wrong is the inner error, `None` when there is no such decision.
    fn decision(&self) -> Option<Result<Decision, String>> {
        let note = self.note.trim().chars().take(500).collect();
        Some(Ok(match self.action.as_str() {
            "delete" => Decision::Delete,
            "ignore" if self.until.trim().is_empty() => Decision::Ignore { until: None, note },
            "ignore" => match parse_day(&self.until) {
                Some(day) => Decision::Ignore { until: Some(Timestamp::of_day(day)), note },
                None => return Some(Err("Enter the day as a date such as 2027-06-30.".to_owned())),
            },
            "stop_ignoring" => Decision::StopIgnoring,
            "deactivate" => Decision::Deactivate { stay_inactive: self.stay_inactive, note },
            "activate" => Decision::Activate,
            _ => return None,
        }))
    }
}

/// The words of a decision: its button, what was done, and what follows.
const fn words(decision: &Decision) -> (&'static str, &'static str, &'static str) {
    match decision {
        Decision::Delete => (
            "Delete",
            "deleted",
            "They lose the service now, and their addresses become free. For 30 days they can be restored from the recycle bin.",
        ),
        Decision::Ignore { .. } => (
            "Ignore",
            "ignored",
            "They keep the service and are not deleted, however long the absence. When the directory delivers them again, the conflict closes.",
        ),
        Decision::StopIgnoring => {
            ("Stop ignoring", "not ignored any more", "Their deletion clock starts anew today.")
        }
        Decision::Deactivate { .. } => (
            "Deactivate",
            "deactivated",
            "The service stops for them now. Their records stay, and they are not deleted.",
        ),
        Decision::Activate => (
            "Activate",
            "activated",
            "The service is on for them again, and their deletion clock starts anew today.",
        ),
    }
}

pub(super) async fn load_decision(desk: &Desk, query: &str) -> Result<DecidePage, AppError> {
    let query = Query::read(query);
    let action = query.get("action").to_owned();
    let fields = Fields {
        action: action.clone(),
        selection: String::new(),
        until: String::new(),
        note: String::new(),
        stay_inactive: false,
    };
    let Some(Ok(decision)) = fields.decision() else { return Err(access::not_found()) };
    let head = Head::load(desk, "user-conflicts", &decide_path(desk)).await?;
    let customer = &desk.customer;
    let selection = selection(&query);
    let loaded = async {
        Ok(match &selection {
            Selection::Users(ids) => {
                let rows = customer.conflicts_of(ids).await?;
                let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
                (rows, total)
            }
            Selection::All { filter, .. } => {
                (customer.conflicts_where(filter, None, NAMED).await?, customer.conflict_count(filter).await?)
            }
        })
    };
    let (rows, total) = loaded.await.map_err(|error| access::store_error(&error))?;
    let (button, _, follows) = words(&decision);
    let (meant, others): (Vec<&ConflictRow>, Vec<&ConflictRow>) =
        rows.iter().partition(|row| decision.applies_to(row.conflict.state));
    let now = desk.portal.now();
    let mut table = Table::new("Who is meant", &["User", "Address", "Reason", "Missing since", "State"]);
    for row in &meant {
        let conflict = &row.conflict;
        table.push(vec![
            Cell::text(row.display_name.clone()),
            Cell::address(row.primary_address.clone()),
            Cell::text(conflict.reason.label()),
            Cell::When(Some(day(conflict.missing_since, now)), String::new()),
            Cell::badge(state_class(conflict.state), conflict.state.label()),
        ]);
    }
    let listed = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let mut more = Vec::new();
    if total > listed {
        more.push(format!("and {} more that match the filter", count(total - listed)));
    }
    if !others.is_empty() {
        let number = i64::try_from(others.len()).unwrap_or(i64::MAX);
        let them = counted(number, "selected user is", "selected users are");
        more.push(format!("{them} left as they are, because this does not apply to their state"));
    }
    let meant_count = total - i64::try_from(others.len()).unwrap_or(i64::MAX);
    let (title, follows) = if meant.is_empty() {
        let why = match &selection {
            Selection::Users(ids) if ids.is_empty() => Refused::Nobody.to_string(),
            _ => Refused::DoesNotApply.to_string(),
        };
        (format!("{button}: nobody is meant"), why)
    } else {
        (format!("{button} {}?", counted(meant_count, "user", "users")), follows.to_owned())
    };
    let selected = query.without(&["action", "shown", "after", "select"]);
    let selected = match &selection {
        Selection::All { .. } => selected.without(&["user"]).with("shown", &total.to_string()),
        Selection::Users(_) => selected,
    };
    let tomorrow = now.plus(Timestamp::DAY).date();
    Ok(DecidePage {
        head,
        button: format!("{button} {}", counted(meant_count, "user", "users")),
        title,
        follows,
        table,
        more: more.join("; "),
        selection: selected.text(),
        until_from: matches!(decision, Decision::Ignore { .. }).then(|| day_text(tomorrow)),
        asks_note: matches!(decision, Decision::Ignore { .. } | Decision::Deactivate { .. }),
        asks_stay: matches!(decision, Decision::Deactivate { .. }),
        back: query.without(&["action", "shown", "all", "user", "select"]).on(&path(desk)),
        action,
    })
}

pub(super) async fn decide(desk: &Desk, fields: Fields) -> Result<(), AppError> {
    let query = Query::read(&fields.selection);
    let Some(decision) = fields.decision() else { return Err(access::not_found()) };
    let again = || query.clone().with("action", &fields.action).on(&decide_path(desk));
    let list = query.without(&["all", "shown", "user"]).on(&path(desk));
    let result = match &decision {
        Ok(decision) => {
            let engine: &Engine = &desk.portal.engine;
            conflicts::decide(engine, &desk.customer, &desk.actor(), &selection(&query), decision)
                .await
                .map_err(|error| access::sync_error(&error))?
                .map(|done| (done, words(decision).1))
                .map_err(|refused| refused.to_string())
        }
        Err(why) => Err(why.clone()),
    };
    let (page, target, message) = match result {
        Ok((done, done_words)) => {
            let mut text = format!(
                "{} {} {done_words}.",
                counted(done.users, "user", "users"),
                if done.users == 1 { "was" } else { "were" }
            );
            if done.passed_over > 0 {
                text.push_str(&format!(
                    " {} left as they are.",
                    counted(done.passed_over, "user was", "users were")
                ));
            }
            (path(desk), list, Message::new(Tone::Good, text))
        }
        Err(why) => (decide_path(desk), again(), Message::new(Tone::Bad, why)),
    };
    access::leave(&desk.portal, &desk.session, &page, &target, &message).await
}
