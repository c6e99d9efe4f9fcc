//! The server's half of the Exceptions page.

use std::collections::BTreeSet;

use domain::{
    address::Domain,
    number::{count, counted},
    role::Role,
    run::{Purpose, Trigger},
    service::{Service, Source},
};
use store::{Exception, ExceptionKind};
use sync::{
    exceptions::{self, Changes, Object, Present, Refused},
    run::StartRefused,
};

use super::view::{ExceptionsPage, List};
use crate::{
    access::{self, Desk},
    components::{Cell, Message, Table, Tone},
    error::AppError,
    pages::{ENTRA, NOTHING_MORE, TO_THE_FIRST, customer_path, entra_head::Head, query::Query},
};

/// How many rows stand on a side.
const PER_PAGE: usize = 50;
/// How many changes are staged in an address at once.
const MOST_STAGED: usize = 200;
/// How many exceptions are looked through at once.
const CHUNK: i64 = 2_000;

fn path(desk: &Desk) -> String {
    customer_path(&desk.customer.customer().slug, &format!("{ENTRA}/exceptions"))
}

const fn kind_words(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::User => "User",
        ExceptionKind::Group => "Group",
        ExceptionKind::Alias => "Alias",
    }
}

fn token((kind, object): &Object) -> String {
    format!("{}:{object}", kind.name())
}

fn read_token(text: &str) -> Option<Object> {
    let (kind, object) = text.split_once(':')?;
    Some((ExceptionKind::named(kind)?, object.to_owned()))
}

/// What is staged: to be added, to be removed. Whatever was moved back again is in neither.
fn staged(query: &Query) -> (BTreeSet<Object>, BTreeSet<Object>) {
    let of = |name: &str, back: &str| {
        let undone: BTreeSet<Object> = query.all(back).filter_map(read_token).collect();
        let all: BTreeSet<Object> = query.all(name).filter_map(read_token).collect();
        all.difference(&undone).take(MOST_STAGED).cloned().collect()
    };
    (of("add", "undo_add"), of("remove", "undo_remove"))
}

fn kinds(chosen: Option<ExceptionKind>) -> Vec<(String, String, bool)> {
    let all = (String::new(), "All".to_owned(), chosen.is_none());
    let each =
        [(ExceptionKind::User, "Users"), (ExceptionKind::Group, "Groups"), (ExceptionKind::Alias, "Aliases")]
            .map(|(kind, words)| (kind.name().to_owned(), words.to_owned(), chosen == Some(kind)));
    std::iter::once(all).chain(each).collect()
}

pub(super) async fn load(desk: &Desk, query: &str) -> Result<ExceptionsPage, AppError> {
    let path = path(desk);
    let query = Query::read(query);
    let (add, remove) = staged(&query);
    let mut base = query.without(&["add", "remove", "undo_add", "undo_remove"]);
    let full = add.len() >= MOST_STAGED || remove.len() >= MOST_STAGED;
    let mut staged_query = Query::default();
    for object in &add {
        staged_query = staged_query.with("add", &token(object));
    }
    for object in &remove {
        staged_query = staged_query.with("remove", &token(object));
    }
    for (name, value) in staged_query.pairs() {
        base = base.with(&name, &value);
    }
    let mut head = Head::load(desk, "exceptions", &path).await?;
    if full {
        let text = format!("{MOST_STAGED} changes wait to be saved: save them before you move more across.");
        head.notes.push(Message::new(Tone::Warning, text));
    }
    let may_change = desk.role >= Role::Administrator;
    let stored = |error| access::store_error(&error);
    let read = desk.customer.has_mirror(Service::Entra).await.map_err(stored)?;
    let users = user_list(desk, &base, &path, &add, may_change && !full).await?;
    let exceptions = exception_list(desk, &base, &path, &add, &remove, may_change).await?;
    let present = present(desk, &add).await?;
    let words = match (add.len(), remove.len()) {
        (0, 0) => String::new(),
        (add, 0) => format!("{add} to be left out. Not saved yet."),
        (0, remove) => format!("{remove} to be synced again. Not saved yet."),
        (add, remove) => format!("{add} to be left out, {remove} to be synced again. Not saved yet."),
    };
    Ok(ExceptionsPage {
        head,
        path,
        read,
        may_change,
        may_read: desk.role >= Role::Operator,
        users,
        exceptions,
        hidden: base.pairs(),
        staged: staged_query.text(),
        staged_words: words,
        present,
    })
}

/// The directory: of all kinds the users first, then the groups, then the aliases.
async fn user_list(
    desk: &Desk,
    base: &Query,
    path: &str,
    staged: &BTreeSet<Object>,
    may_add: bool,
) -> Result<List, AppError> {
    let text = base.get("q").trim().to_owned();
    let chosen = ExceptionKind::named(base.get("kind"));
    let cursor = read_cursor(base.get("after"));
    let mut rows = Vec::new();
    for kind in ExceptionKind::ALL {
        let passed = cursor.as_ref().is_some_and(|(of, _)| kind < *of);
        if passed || chosen.is_some_and(|chosen| chosen != kind) || rows.len() > PER_PAGE {
            continue;
        }
        let after = cursor.as_ref().filter(|(of, _)| *of == kind).map(|(_, place)| place.clone());
        let wanted = i64::try_from(PER_PAGE + 1 - rows.len()).unwrap_or(i64::MAX);
        // The database compares one text with both: what has an at sign is an address.
        let sought = if text.contains('@') { folded(&text).1 } else { text.clone() };
        let found = desk.customer.directory_list(Service::Entra, kind, &sought, after, wanted).await;
        rows.extend(found.map_err(|error| access::store_error(&error))?);
    }
    let more = rows.len() > PER_PAGE;
    rows.truncate(PER_PAGE);
    let mut table = Table::new("The directory", &["Name", "Kind", "Address", "Move"]);
    for row in &rows {
        let object = (row.kind, row.object.clone());
        let moved = if row.excepted {
            Cell::badge("", "exception")
        } else if staged.contains(&object) {
            Cell::badge("conflict", "moved")
        } else if may_add {
            let what = match row.kind {
                ExceptionKind::Alias => format!("Leave out the alias {}", row.address),
                ExceptionKind::User | ExceptionKind::Group => format!("Leave out {}", row.name),
            };
            Cell::button("add", token(&object), "→", what)
        } else {
            Cell::text("")
        };
        table.push(vec![
            Cell::text(row.name.clone()),
            Cell::text(kind_words(row.kind)),
            Cell::address(row.address.clone()),
            moved,
        ]);
    }
    let first = cursor.is_some().then(|| base.without(&["after"]).on(path));
    let next = rows.last().filter(|_| more).map(|row| {
        let (place, id) = &row.place;
        base.without(&["after"]).with("after", &format!("{}.{id}.{place}", row.kind.name())).on(path)
    });
    let clear =
        (!text.is_empty() || chosen.is_some()).then(|| base.without(&["q", "kind", "after"]).on(path));
    let (empty, out) = out(
        first.as_ref(),
        clear.as_ref(),
        "Nothing in the directory matches.",
        "The directory has neither users nor groups.",
    );
    Ok(List {
        clear,
        out,
        kinds: kinds(chosen),
        place: place(rows.len(), more, cursor.is_some()),
        table,
        first,
        next,
        hidden: base.without(&["q", "kind", "after"]).pairs(),
        empty: empty.to_owned(),
        text,
    })
}

/// Why a side shows nothing, and the way out of that.
fn out<'a>(
    first: Option<&String>,
    clear: Option<&String>,
    filtered: &'a str,
    nothing: &'a str,
) -> (&'a str, Option<(String, &'static str)>) {
    match (first, clear) {
        (Some(first), _) => (NOTHING_MORE, Some((first.clone(), TO_THE_FIRST))),
        (None, Some(clear)) => (filtered, Some((clear.clone(), "Show all"))),
        (None, None) => (nothing, None),
    }
}

fn read_cursor(text: &str) -> Option<(ExceptionKind, (String, i64))> {
    let (kind, rest) = text.split_once('.')?;
    let (id, place) = rest.split_once('.')?;
    Some((ExceptionKind::named(kind)?, (place.to_owned(), id.parse().ok()?)))
}

fn place(rows: usize, more: bool, further: bool) -> String {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    match (more, further) {
        (false, false) => counted(rows, "entry", "entries"),
        (true, false) => format!("The first {}", count(rows)),
        (true, true) => format!("The next {}", count(rows)),
        (false, true) => format!("The last {}", count(rows)),
    }
}

/// The exceptions, in the order in which they were made; before them those that are staged.
async fn exception_list(
    desk: &Desk,
    base: &Query,
    path: &str,
    add: &BTreeSet<Object>,
    remove: &BTreeSet<Object>,
    may_change: bool,
) -> Result<List, AppError> {
    let text = base.get("eq").trim().to_owned();
    let chosen = ExceptionKind::named(base.get("ekind"));
    let after: i64 = base.get("eafter").parse().unwrap_or(0);
    let mut table = Table::new("Exceptions", &["Move", "Name", "Kind", "Address", "Reason"]);
    let unexpected = |error| access::sync_error(&error);
    let names = exceptions::names(&desk.customer, Service::Entra, add).await.map_err(unexpected)?;
    for object in add {
        let (name, address) = names.get(object).cloned().unwrap_or_else(|| (object.1.clone(), String::new()));
        table.push(vec![
            Cell::button("undo_add", token(object), "←", format!("Move {name} back")),
            Cell::text(name),
            Cell::text(kind_words(object.0)),
            Cell::address(address),
            Cell::badge("conflict", "not saved"),
        ]);
    }
    let (rows, more) = page_of_exceptions(desk, &text, chosen, after).await?;
    for (_, exception) in &rows {
        let object = (exception.kind, exception.object.clone());
        let leaving = remove.contains(&object);
        let state = if leaving {
            Cell::Badge("conflict".to_owned(), "not saved".to_owned(), "to be synced again".to_owned())
        } else {
            let kept = if exception.keep { "kept in the portal" } else { "" };
            Cell::Text(exception.reason.clone(), kept.to_owned())
        };
        let arrow = match (may_change, leaving) {
            (false, _) => Cell::text(""),
            (true, true) => Cell::button(
                "undo_remove",
                token(&object),
                "→",
                format!("Leave {} out after all", exception.name),
            ),
            (true, false) => {
                Cell::button("remove", token(&object), "←", format!("Sync {} again", exception.name))
            }
        };
        table.push(vec![
            arrow,
            Cell::text(exception.name.clone()),
            Cell::text(kind_words(exception.kind)),
            Cell::address(exception.address.clone()),
            state,
        ]);
    }
    let total =
        desk.customer.exception_count(Service::Entra).await.map_err(|error| access::store_error(&error))?;
    let next = rows
        .last()
        .filter(|_| more)
        .map(|(id, _)| base.without(&["eafter"]).with("eafter", &id.to_string()).on(path));
    let first = (after > 0).then(|| base.without(&["eafter"]).on(path));
    let clear =
        (!text.is_empty() || chosen.is_some()).then(|| base.without(&["eq", "ekind", "eafter"]).on(path));
    let (empty, out) =
        out(first.as_ref(), clear.as_ref(), "No exception matches.", "Nothing is left out by hand.");
    Ok(List {
        clear,
        out,
        kinds: kinds(chosen),
        table,
        place: counted(total, "exception", "exceptions"),
        first,
        next,
        hidden: base.without(&["eq", "ekind", "eafter"]).pairs(),
        empty: empty.to_owned(),
        text,
    })
}

/// What was typed as it is compared with names, and as it is compared with addresses: those are kept in lower case, their domains as A-labels.
fn folded(text: &str) -> (String, String) {
    let name = text.trim().to_lowercase();
    let address = match name.rsplit_once('@') {
        Some((local, domain)) => Domain::parse(domain).map(|domain| format!("{local}@{domain}")),
        // Letters that no domain is kept with; without any, it may be a part of one, and is looked for as it stands.
        None if !name.is_ascii() => Domain::parse(&name).map(|domain| domain.to_string()),
        None => None,
    };
    let address = address.unwrap_or_else(|| name.clone());
    (name, address)
}

/// A page of the exceptions that match. Names are compared here, because the database does not fold them; there are rarely many exceptions.
async fn page_of_exceptions(
    desk: &Desk,
    text: &str,
    kind: Option<ExceptionKind>,
    mut after: i64,
) -> Result<(Vec<(i64, Exception)>, bool), AppError> {
    let (name, address) = folded(text);
    let matches = |exception: &Exception| {
        kind.is_none_or(|kind| kind == exception.kind)
            && (name.is_empty()
                || exception.name.to_lowercase().contains(&name)
                || exception.address.to_lowercase().contains(&address))
    };
    let mut found = Vec::new();
    loop {
        let chunk = desk.customer.exceptions_page(Service::Entra, after, CHUNK).await;
        let chunk = chunk.map_err(|error| access::store_error(&error))?;
        let Some((last, _)) = chunk.last() else { return Ok((found, false)) };
        after = *last;
        for row in chunk.into_iter().filter(|(_, exception)| matches(exception)) {
            if found.len() == PER_PAGE {
                return Ok((found, true));
            }
            found.push(row);
        }
    }
}

/// The users of the portal, as far as they are delivered, that would be left out.
async fn present(desk: &Desk, add: &BTreeSet<Object>) -> Result<Vec<String>, AppError> {
    let ids: Vec<String> =
        add.iter().filter(|(kind, _)| *kind == ExceptionKind::User).map(|(_, id)| id.clone()).collect();
    let users = desk.customer.delivered_among(Source::Azure, &ids).await;
    let users = users.map_err(|error| access::store_error(&error))?;
    Ok(users.into_iter().map(|(name, address)| format!("{name} <{address}>")).collect())
}

pub(super) async fn save(
    desk: &Desk,
    staged_text: &str,
    reason: &str,
    present: Option<&str>,
) -> Result<(), AppError> {
    let query = Query::read(staged_text);
    let (add, remove) = staged(&query);
    let changes = Changes {
        add: add.into_iter().collect(),
        remove: remove.into_iter().collect(),
        reason: reason.chars().take(500).collect(),
        present: match present {
            Some("keep") => Some(Present::Keep),
            Some("let_go") => Some(Present::LetGo),
            _ => None,
        },
    };
    let engine = &desk.portal.engine;
    let saved = exceptions::save(engine, &desk.customer, &desk.actor(), &changes)
        .await
        .map_err(|error| access::sync_error(&error))?;
    let path = path(desk);
    let (message, target) = match saved {
        Ok(saved) => {
            let mut text = "Saved.".to_owned();
            if saved.added > 0 {
                text.push_str(&format!(" {} left out from the next sync on.", count(saved.added)));
            }
            if saved.removed > 0 {
                text.push_str(&format!(" {} synced again by the other rules.", count(saved.removed)));
            }
            if saved.kept > 0 {
                let them = counted(saved.kept, "user stays in the portal", "users stay in the portal");
                text.push_str(&format!(" {them}, untouched by the sync."));
            }
            if saved.let_go > 0 {
                let them = counted(saved.let_go, "user becomes a conflict", "users become conflicts");
                text.push_str(&format!(" {them} with the next sync."));
            }
            (Message::new(Tone::Good, text), path.clone())
        }
        Err(refused @ Refused::AskAboutPresent(_)) => {
            (Message::new(Tone::Warning, format!("Nothing was saved. {refused}")), query.on(&path))
        }
        Err(refused) => (Message::new(Tone::Bad, refused.to_string()), query.on(&path)),
    };
    access::leave(&desk.portal, &desk.session, &path, &target, &message).await
}

pub(super) async fn read_directory(desk: &Desk) -> Result<(), AppError> {
    let engine = &desk.portal.engine;
    let started = engine.start(&desk.customer, Purpose::Read, Trigger::SyncNow, &desk.actor()).await;
    let run = |id| customer_path(&desk.customer.customer().slug, &format!("sync-history/{id}"));
    let message = match started.map_err(|error| access::sync_error(&error))? {
        Ok(running) => Message::new(
            Tone::Good,
            "The directory is being read. No user is changed; open this page again when it is done.",
        )
        .linked(run(running.run), "See how far it is"),
        Err(StartRefused::AlreadyRunning(id)) => {
            let message = Message::new(Tone::Warning, "Nothing was started: a sync is already running.");
            match id {
                Some(id) => message.linked(run(id), "See the run"),
                None => message,
            }
        }
        Err(refused) => Message::new(Tone::Bad, refused.to_string()),
    };
    let path = path(desk);
    access::leave(&desk.portal, &desk.session, &path, &path, &message).await
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn a_search_is_compared_with_addresses_in_the_form_in_which_they_are_kept() {
        let of = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        assert_eq!(folded(" Jos\u{c9} "), of("jos\u{e9}", "jos\u{e9}"));
        assert_eq!(
            folded("Ada@B\u{dc}cher.Example"),
            of("ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example")
        );
        assert_eq!(folded("b\u{fc}cher.example"), of("b\u{fc}cher.example", "xn--bcher-kva.example"));
        assert_eq!(folded("ADA@contoso"), of("ada@contoso", "ada@contoso"));
        assert_eq!(folded(""), of("", ""));
    }
}
