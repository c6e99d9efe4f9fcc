//! What an administrator decides by hand: exceptions and additions.

use std::{
    io::{Read as _, Write as _},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use domain::{address::Address, service::Service};
use rollcall::access::Portal;
use store::ExceptionKind;
use sync::{
    Actor, additions,
    exceptions::{self, Changes, Present, Refused},
};

use super::{Failure, find, print};

/// How many rows are read at once.
const CHUNK: i64 = 1_000;

#[derive(Subcommand)]
pub(super) enum ExceptionsCommand {
    /// Print every exception, in the order in which they were made
    List {
        /// The customer's slug
        customer: String,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Leave users, groups or aliases out of the sync from the next run on
    Add {
        /// The customer's slug
        customer: String,
        /// What they are
        kind: Kind,
        /// Ids of the directory, or addresses
        #[arg(required = true)]
        objects: Vec<String>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
        /// Users that are in the portal stay there; the sync no longer touches them
        #[arg(long, conflicts_with = "let_go")]
        keep: bool,
        /// Users that are in the portal become conflicts with the next run
        #[arg(long)]
        let_go: bool,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Let the other rules decide again
    Remove {
        /// The customer's slug
        customer: String,
        /// What they are
        kind: Kind,
        /// Ids of the directory, or addresses
        #[arg(required = true)]
        objects: Vec<String>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    User,
    Group,
    Alias,
}

impl From<Kind> for ExceptionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::User => Self::User,
            Kind::Group => Self::Group,
            Kind::Alias => Self::Alias,
        }
    }
}

#[derive(Subcommand)]
pub(super) enum AdditionsCommand {
    /// Print every addition, by address
    List {
        /// The customer's slug
        customer: String,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Take addresses into the sync; each is looked up in the directory at once
    Add {
        /// The customer's slug
        customer: String,
        /// The addresses, or - to read them from standard input, one a line
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Let the other rules decide again
    Remove {
        /// The customer's slug
        customer: String,
        /// The addresses
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Print a JSON object a line
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn exceptions(portal: &Portal, command: ExceptionsCommand) -> Result<ExitCode, Failure> {
    match command {
        ExceptionsCommand::List { customer, json } => list_exceptions(portal, &customer, json).await,
        ExceptionsCommand::Add { customer, kind, objects, reason, keep, let_go, json } => {
            let present = match (keep, let_go) {
                (true, _) => Some(Present::Keep),
                (_, true) => Some(Present::LetGo),
                (false, false) => None,
            };
            let customer = find(portal, &customer).await?;
            let mut add = Vec::new();
            for text in objects {
                let found = exceptions::find(&customer, kind.into(), &text).await?;
                add.push(found.ok_or_else(|| format!("nothing was saved: the directory has no {text}"))?);
            }
            let changes = Changes { add, reason, present, ..Changes::default() };
            save(portal, &customer, &changes, json).await
        }
        ExceptionsCommand::Remove { customer, kind, objects, json } => {
            let customer = find(portal, &customer).await?;
            let kind = kind.into();
            let mut remove = Vec::new();
            let mut after = 0;
            loop {
                let page = customer.exceptions_page(Service::Entra, after, CHUNK).await?;
                let Some((last, _)) = page.last() else { break };
                after = *last;
                let meant = |exception: &store::Exception| {
                    exception.kind == kind
                        && objects.iter().any(|text| {
                            *text == exception.object
                                || Address::parse(text)
                                    .is_some_and(|address| address.as_str() == exception.address)
                        })
                };
                remove
                    .extend(page.into_iter().filter(|(_, it)| meant(it)).map(|(_, it)| (it.kind, it.object)));
            }
            let changes = Changes { remove, ..Changes::default() };
            save(portal, &customer, &changes, json).await
        }
    }
}

async fn save(
    portal: &Portal,
    customer: &store::CustomerStore,
    changes: &Changes,
    json: bool,
) -> Result<ExitCode, Failure> {
    let saved = exceptions::save(&portal.engine, customer, &Actor::command_line(), changes).await?;
    match saved {
        Ok(saved) => {
            let answer = serde_json::json!({
                "added": saved.added, "removed": saved.removed, "kept": saved.kept, "let_go": saved.let_go,
            });
            print(&if json {
                format!("{answer}\n")
            } else {
                format!("{} exceptions were added, {} removed.\n", saved.added, saved.removed)
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Refused::AskAboutPresent(users)) => {
            let names: Vec<String> =
                users.iter().map(|(name, address)| format!("- {name} <{address}>")).collect();
            let text = format!(
                "nothing was saved. These users are in the portal; say --keep or --let-go:\n{}",
                names.join("\n")
            );
            Err(text.into())
        }
        Err(refused) => Err(refused.to_string().into()),
    }
}

async fn list_exceptions(portal: &Portal, slug: &str, json: bool) -> Result<ExitCode, Failure> {
    let customer = find(portal, slug).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut after = 0;
    let mut none = true;
    loop {
        let page = customer.exceptions_page(Service::Entra, after, CHUNK).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        none = false;
        for (_, it) in &page {
            if json {
                let line = serde_json::json!({
                    "kind": it.kind.name(),
                    "object": it.object,
                    "name": it.name,
                    "address": (!it.address.is_empty()).then_some(&it.address),
                    "reason": it.reason,
                    "keep": it.keep,
                    "created_by": it.created_by,
                    "created_at": it.created_at.rfc3339(),
                });
                writeln!(out, "{line}")?;
            } else {
                let reason = if it.reason.is_empty() { String::new() } else { format!(": {}", it.reason) };
                writeln!(out, "{} {} <{}>{reason}", it.kind.name(), it.name, it.address)?;
            }
        }
    }
    if none && !json {
        writeln!(out, "Nothing is left out by hand.")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn additions(portal: &Portal, command: AdditionsCommand) -> Result<ExitCode, Failure> {
    match command {
        AdditionsCommand::List { customer, json } => {
            let customer = find(portal, &customer).await?;
            let all = customer.additions(Service::Entra).await?;
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            for it in &all {
                if json {
                    let line = serde_json::json!({
                        "address": it.address,
                        "external_id": it.external_id,
                        "reads_without": it.reads_without,
                        "created_by": it.created_by,
                        "created_at": it.created_at.rfc3339(),
                    });
                    writeln!(out, "{line}")?;
                } else {
                    let state = match (&it.external_id, it.reads_without) {
                        (Some(id), _) => format!("found, directory id {id}"),
                        (None, reads) if reads >= additions::READS_UNTIL_WARNING => {
                            format!("never found in {reads} complete reads")
                        }
                        (None, _) => "not found yet".to_owned(),
                    };
                    writeln!(out, "{}: {state}", it.address)?;
                }
            }
            if all.is_empty() && !json {
                writeln!(out, "There are no additions.")?;
            }
            out.flush()?;
            Ok(ExitCode::SUCCESS)
        }
        AdditionsCommand::Add { customer, addresses, json } => {
            let customer = find(portal, &customer).await?;
            let mut text = addresses.join("\n");
            if text == "-" {
                text.clear();
                std::io::stdin().read_to_string(&mut text)?;
            }
            let lines = additions::add(&portal.engine, &customer, &Actor::command_line(), &text).await?;
            let refused = lines.iter().any(|(_, result)| result.is_err());
            for (address, result) in lines {
                let words = match &result {
                    Ok(added) => added.words(),
                    Err(refused) => refused.to_string(),
                };
                line(json, &address, "added", result.is_ok(), &words)?;
            }
            Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        AdditionsCommand::Remove { customer, addresses, json } => {
            let customer = find(portal, &customer).await?;
            let mut all = true;
            for text in addresses {
                let removed = match Address::parse(&text) {
                    Some(address) => {
                        let actor = Actor::command_line();
                        additions::remove(&portal.engine, &customer, &actor, &address).await?
                    }
                    None => false,
                };
                all &= removed;
                let words = if removed {
                    "Removed. The next sync decides by the other rules."
                } else {
                    "This is no addition."
                };
                line(json, &text, "removed", removed, words)?;
            }
            Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// What became of one address.
fn line(json: bool, address: &str, what: &str, done: bool, words: &str) -> std::io::Result<()> {
    print(&if json {
        format!("{}\n", serde_json::json!({ "address": address, what: done, "message": words }))
    } else {
        format!("{address}: {words}\n")
    })
}
