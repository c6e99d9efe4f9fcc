//! Users in conflict, and what the deletion guard holds.

use std::{io::Write as _, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    Timestamp,
    conflict::{Reason, State},
    guard::{Decision as Decided, Guarded},
    moment::parse_day,
    run::{Purpose, Trigger},
};
use rollcall::access::Portal;
use store::{ConflictFilter, CustomerStore};
use sync::{
    Actor,
    conflicts::{self, Decision, Selection, export},
    held::{self, Chosen},
};
use uuid::Uuid;

use super::{Failure, find, print};

/// How many rows are read at once.
const CHUNK: i64 = 1_000;

#[derive(Subcommand)]
pub(super) enum ConflictsCommand {
    /// Print every user in conflict, the longest missing first
    List {
        /// The customer's slug
        customer: String,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Delete users in conflict now; they go to the recycle bin for 30 days
    Delete(Meant),
    /// Do not delete users, however long they are missing
    Ignore {
        #[command(flatten)]
        chosen: Meant,
        /// The day on which the deletion clock starts anew, such as 2027-06-30
        #[arg(long)]
        until: Option<String>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Start the deletion clock of ignored users anew
    StopIgnoring(Meant),
    /// Stop the service for users, keep their records, and stop the deletion clock
    Deactivate {
        #[command(flatten)]
        chosen: Meant,
        /// The service stays off when the directory delivers them again
        #[arg(long)]
        stay_inactive: bool,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Switch the service of deactivated users on again, and start their deletion clock anew
    Activate(Meant),
    /// Print users in conflict as CSV
    Export {
        #[command(flatten)]
        chosen: Meant,
    },
}

/// Which users are meant.
#[derive(Args)]
pub(super) struct Meant {
    /// The customer's slug
    customer: String,
    /// Ids or primary addresses of users
    users: Vec<String>,
    /// All that match the filters, instead of single users
    #[arg(long, conflicts_with = "users")]
    all: bool,
    /// With --all: how many there have to be; otherwise nothing is changed
    #[arg(long)]
    count: Option<i64>,
    /// With --all: only those in this state (pending, ignored, deactivated)
    #[arg(long)]
    state: Option<String>,
    /// With --all: only those for this reason, such as `not_in_directory`
    #[arg(long)]
    reason_is: Option<String>,
    /// With --all: only those with this in the name or address
    #[arg(long, default_value = "")]
    text: String,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub(super) enum HeldCommand {
    /// Print what the deletion guard holds
    List {
        /// The customer's slug
        customer: String,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Let what is held happen, and sync
    Approve(HeldArgs),
    /// Keep what is held as it is
    Dismiss(HeldArgs),
}

#[derive(Args)]
pub(super) struct HeldArgs {
    /// The customer's slug
    customer: String,
    /// What is meant
    kind: HeldKind,
    /// Ids of users or groups; without any, all that wait as this command finds them
    objects: Vec<Uuid>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum HeldKind {
    Removals,
    Deletions,
    Groups,
}

impl From<HeldKind> for Guarded {
    fn from(kind: HeldKind) -> Self {
        match kind {
            HeldKind::Removals => Self::Removal,
            HeldKind::Deletions => Self::Deletion,
            HeldKind::Groups => Self::Group,
        }
    }
}

pub(super) async fn conflicts(portal: &Portal, command: ConflictsCommand) -> Result<ExitCode, Failure> {
    let note = |reason: String| reason.chars().take(500).collect();
    match command {
        ConflictsCommand::List { customer, json } => list(portal, &customer, json).await,
        ConflictsCommand::Delete(chosen) => decide(portal, chosen, &Decision::Delete).await,
        ConflictsCommand::Ignore { chosen, until, reason } => {
            let until = match until {
                None => None,
                Some(text) => Some(Timestamp::of_day(
                    parse_day(&text).ok_or_else(|| format!("{text} is no day such as 2027-06-30"))?,
                )),
            };
            decide(portal, chosen, &Decision::Ignore { until, note: note(reason) }).await
        }
        ConflictsCommand::StopIgnoring(chosen) => decide(portal, chosen, &Decision::StopIgnoring).await,
        ConflictsCommand::Deactivate { chosen, stay_inactive, reason } => {
            decide(portal, chosen, &Decision::Deactivate { stay_inactive, note: note(reason) }).await
        }
        ConflictsCommand::Activate(chosen) => decide(portal, chosen, &Decision::Activate).await,
        ConflictsCommand::Export { chosen } => {
            let customer = find(portal, &chosen.customer).await?;
            let selection = selection(&customer, &chosen, true).await?;
            print(&export::csv(&customer, &selection).await?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The users that are meant. An export of nobody in particular is one of all.
async fn selection(customer: &CustomerStore, chosen: &Meant, everybody: bool) -> Result<Selection, Failure> {
    if chosen.all || (everybody && chosen.users.is_empty()) {
        let state = match &chosen.state {
            None => None,
            Some(name) => Some(State::named(name).ok_or_else(|| format!("there is no state {name}"))?),
        };
        let reason = match &chosen.reason_is {
            None => None,
            Some(name) => Some(Reason::named(name).ok_or_else(|| format!("there is no reason {name}"))?),
        };
        let filter = ConflictFilter { text: chosen.text.clone(), state, reason };
        let shown = match chosen.count {
            Some(count) => count,
            None => customer.conflict_count(&filter).await?,
        };
        return Ok(Selection::All { filter, shown });
    }
    let mut ids = Vec::new();
    for text in &chosen.users {
        ids.push(match Uuid::parse_str(text) {
            Ok(id) => id,
            Err(_) => by_address(customer, text).await?,
        });
    }
    Ok(Selection::Users(ids))
}

async fn by_address(customer: &CustomerStore, address: &str) -> Result<Uuid, Failure> {
    let filter = ConflictFilter { text: address.to_owned(), ..ConflictFilter::default() };
    let rows = customer.conflicts_where(&filter, None, CHUNK).await?;
    let found = rows.iter().find(|row| row.primary_address.eq_ignore_ascii_case(address));
    Ok(found.ok_or_else(|| format!("{address} is no user in conflict"))?.public_id)
}

async fn decide(portal: &Portal, chosen: Meant, decision: &Decision) -> Result<ExitCode, Failure> {
    let customer = find(portal, &chosen.customer).await?;
    let selection = selection(&customer, &chosen, false).await?;
    let actor = Actor::command_line();
    match conflicts::decide(&portal.engine, &customer, &actor, &selection, decision).await? {
        Ok(done) => {
            print(&if chosen.json {
                let answer = serde_json::json!({ "users": done.users, "passed_over": done.passed_over });
                format!("{answer}\n")
            } else {
                format!("{} users were changed, {} passed over.\n", done.users, done.passed_over)
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(refused) => Err(refused.to_string().into()),
    }
}

async fn list(portal: &Portal, slug: &str, json: bool) -> Result<ExitCode, Failure> {
    let customer = find(portal, slug).await?;
    let setting = conflicts::deletion_setting(&customer).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut after = None;
    let mut none = true;
    loop {
        let conflicts = customer.conflicts(after.take(), CHUNK).await?;
        let Some(last) = conflicts.last() else { break };
        after = Some(last.cursor());
        none = false;
        for row in &conflicts {
            let conflict = &row.conflict;
            let delete_on = setting.and_then(|setting| conflict.delete_on(setting));
            if json {
                let line = serde_json::json!({
                    "user_id": row.public_id,
                    "primary_address": row.primary_address,
                    "reason": conflict.reason.label(),
                    "missing_since": conflict.missing_since.rfc3339(),
                    "delete_on": delete_on.map(Timestamp::rfc3339),
                    "state": conflict.state.label(),
                });
                writeln!(out, "{line}")?;
            } else {
                let until = delete_on
                    .map_or("not deleted by itself".to_owned(), |on| format!("deleted on {}", on.words()));
                let (address, since) = (&row.primary_address, conflict.missing_since.words());
                let (reason, state) = (conflict.reason.label(), conflict.state.label());
                writeln!(out, "{address}: {reason} since {since}, {state}, {until}")?;
            }
        }
    }
    if none && !json {
        writeln!(out, "No user is in conflict.")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

const KINDS: [Guarded; 3] = [Guarded::Removal, Guarded::Deletion, Guarded::Group];

pub(super) async fn held(portal: &Portal, command: HeldCommand) -> Result<ExitCode, Failure> {
    match command {
        HeldCommand::List { customer, json } => list_held(portal, &customer, json).await,
        HeldCommand::Approve(args) => decide_held(portal, args, true).await,
        HeldCommand::Dismiss(args) => decide_held(portal, args, false).await,
    }
}

async fn list_held(portal: &Portal, slug: &str, json: bool) -> Result<ExitCode, Failure> {
    let customer = find(portal, slug).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut none = true;
    for kind in KINDS {
        let mut after = 0;
        loop {
            let rows = customer.held(kind, after, CHUNK).await?;
            let Some(last) = rows.last() else { break };
            after = last.held.object_id;
            none = false;
            for row in &rows {
                let it = &row.held;
                if json {
                    let line = serde_json::json!({
                        "kind": kind.name(),
                        "id": row.public_id,
                        "name": row.display_name,
                        "address": (!row.address.is_empty()).then_some(&row.address),
                        "reason": it.reason,
                        "since": it.since.rfc3339(),
                        "decision": it.decision.name(),
                    });
                    writeln!(out, "{line}")?;
                } else {
                    let (one, _) = held::named(kind);
                    let (name, address, reason) = (&row.display_name, &row.address, &it.reason);
                    writeln!(out, "{one} of {name} <{address}>: {reason}, {}", it.decision.name())?;
                }
            }
        }
    }
    if none && !json {
        writeln!(out, "Nothing is held.")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn decide_held(portal: &Portal, args: HeldArgs, approve: bool) -> Result<ExitCode, Failure> {
    let customer = find(portal, &args.customer).await?;
    let kind = args.kind.into();
    let mut chosen = Vec::new();
    let mut after = 0;
    loop {
        let rows = customer.held(kind, after, CHUNK).await?;
        let Some(last) = rows.last() else { break };
        after = last.held.object_id;
        let meant = |row: &&store::HeldRow| {
            if args.objects.is_empty() {
                row.held.decision == Decided::Waiting
            } else {
                args.objects.contains(&row.public_id)
            }
        };
        chosen.extend(rows.iter().filter(meant).map(|row| row.held.object_id));
    }
    if args.objects.len() > chosen.len() {
        return Err("nothing was changed: not all of these are held".into());
    }
    let (engine, actor) = (&portal.engine, Actor::command_line());
    let decided = held::decide(engine, &customer, &actor, kind, &Chosen::Objects(chosen), approve).await?;
    let held::Decided { objects, awaiting } = decided.map_err(|refused| refused.to_string())?;
    let mut answer = serde_json::json!({ "objects": objects, "awaiting_second": awaiting });
    let word = if approve { "approved" } else { "dismissed" };
    let mut text = format!("{objects} {word}.\n");
    if awaiting > 0 {
        text.push_str(&format!(
            "{awaiting} approved by one administrator: another one has to approve them as well.\n"
        ));
    }
    let mut code = ExitCode::SUCCESS;
    if approve && objects > 0 {
        // The approval is given whatever becomes of the sync that carries it out.
        let trigger = Trigger::CommandLine;
        match sync::run::run_to_end(engine, &customer, Purpose::Sync, trigger, &actor).await? {
            Ok(report) => {
                code = ExitCode::from(report.exit_code());
                text.push_str(&format!("{}\n", report.summary));
                answer["sync"] = serde_json::to_value(&report)?;
            }
            Err(refused) => text.push_str(&format!("No sync was started: {refused}\n")),
        }
    }
    print(&if args.json { format!("{answer}\n") } else { text })?;
    Ok(code)
}
