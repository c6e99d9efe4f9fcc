//! What each command does. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 held, 4 a switch that was not confirmed.

mod by_hand;
mod conflicts;
mod undo;

use std::{
    io::{BufRead, Read, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::{
    Secret,
    number::counted,
    role::Role,
    run::{Purpose, Trigger},
};
use rollcall::{
    access::{Portal, password::refuse_new},
    server::{self, Config, ConfigError},
};
use store::CustomerStore;
use sync::{
    Actor,
    administrators::{self, Candidate},
    settings_file,
};

/// Rollcall keeps the users of an email-security portal equal to a directory.
#[derive(Parser)]
#[command(version, about)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the portal (the default)
    Serve,
    /// Create or migrate the database, and end
    Migrate,
    /// Sync a customer's directory now, and wait for the end
    Sync(SyncArgs),
    /// Show or apply a customer's directory-service settings
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// A customer's users
    #[command(subcommand)]
    Users(UsersCommand),
    /// A customer's users in conflict
    #[command(subcommand)]
    Conflicts(conflicts::ConflictsCommand),
    /// What the deletion guard holds
    #[command(subcommand)]
    Held(conflicts::HeldCommand),
    /// Take back what a sync did to users
    Undo(undo::UndoArgs),
    /// Users, groups and aliases that the sync leaves out
    #[command(subcommand)]
    Exceptions(by_hand::ExceptionsCommand),
    /// Addresses that the sync takes in by hand
    #[command(subcommand)]
    Additions(by_hand::AdditionsCommand),
    /// Microsoft Graph's filters
    #[command(subcommand)]
    Filter(FilterCommand),
    /// The portal's administrators
    #[command(subcommand)]
    Admin(AdminCommand),
}

#[derive(Args)]
struct SyncArgs {
    /// The customer's slug
    customer: String,
    /// Say what a sync would do, and change no user
    #[arg(long)]
    dry_run: bool,
    /// Print the result as one JSON object on the last line
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum SettingsCommand {
    /// Print the settings as TOML, without secrets
    Show {
        /// The customer's slug
        customer: String,
    },
    /// Apply a TOML file: all of it or nothing
    Apply {
        /// The customer's slug
        customer: String,
        /// The file, or - for standard input
        file: PathBuf,
        /// Connect another directory or another tenant than before: without this the figures are printed, and nothing is saved
        #[arg(long)]
        confirm_switch: bool,
    },
}

#[derive(Subcommand)]
enum UsersCommand {
    /// Print every user, ordered by primary address, a JSON object a line
    Export {
        /// The customer's slug
        customer: String,
        /// Print JSON, which is the one format so far
        #[arg(long, required = true)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum FilterCommand {
    /// Say of each line of standard input whether Graph accepts it as a filter, a JSON object a line
    Check {
        /// What is filtered
        #[arg(long, value_enum, default_value = "users")]
        resource: Filtered,
        /// Print JSON, which is the one format so far
        #[arg(long, required = true)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Filtered {
    Users,
    Groups,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Create an administrator for all customers; the password is read from standard input
    Create {
        /// The email to sign in with
        email: String,
    },
    /// Set an administrator's password, read from standard input, and sign out every session
    SetPassword {
        /// The email
        email: String,
    },
}

/// Why a command did not do its work, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command and says how it ended.
pub async fn run(command: CommandLine) -> ExitCode {
    let done = async {
        match command.command.unwrap_or(Command::Serve) {
            Command::Serve => {
                server::serve(&config()?, stop_signal()).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Migrate => {
                open().await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Sync(args) => sync(&open().await?, args).await,
            Command::Settings(SettingsCommand::Show { customer }) => {
                let portal = open().await?;
                let text = settings_file::show(&portal.engine, &find(&portal, &customer).await?).await?;
                print(&text)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Settings(SettingsCommand::Apply { customer, file, confirm_switch }) => {
                apply(&open().await?, &customer, &file, confirm_switch).await
            }
            Command::Users(UsersCommand::Export { customer, json: _ }) => {
                export(&open().await?, &customer).await
            }
            Command::Conflicts(command) => conflicts::conflicts(&open().await?, command).await,
            Command::Held(command) => conflicts::held(&open().await?, command).await,
            Command::Undo(args) => undo::run(&open().await?, args).await,
            Command::Exceptions(command) => by_hand::exceptions(&open().await?, command).await,
            Command::Additions(command) => by_hand::additions(&open().await?, command).await,
            Command::Filter(FilterCommand::Check { resource, json: _ }) => check_filters(resource),
            Command::Admin(command) => admin(&open().await?, command).await,
        }
    };
    let ended: Result<ExitCode, Failure> = done.await;
    ended.unwrap_or_else(|failure| {
        // The words are for a person; the log line before it, if any, has the trace.
        let _ = writeln!(std::io::stderr(), "rollcall: {failure}");
        ExitCode::FAILURE
    })
}

/// The configuration of this process.
fn config() -> Result<Config, ConfigError> {
    Config::read(|name| std::env::var(name).ok())
}

/// The portal, without a server around it.
async fn open() -> Result<Portal, Failure> {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Ok(server::portal(&config()?, nowhere).await?)
}

async fn find(portal: &Portal, slug: &str) -> Result<CustomerStore, Failure> {
    let customer = portal.engine.store.customer(slug).await?;
    customer.ok_or_else(|| format!("there is no customer \"{slug}\"").into())
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

async fn sync(portal: &Portal, args: SyncArgs) -> Result<ExitCode, Failure> {
    let customer = find(portal, &args.customer).await?;
    let engine = portal.engine.clone();
    let actor = Actor::command_line();
    let purpose = if args.dry_run { Purpose::Preview } else { Purpose::Sync };
    let run = sync::run::run_to_end(&engine, &customer, purpose, Trigger::CommandLine, &actor);
    tokio::pin!(run);
    let ended = tokio::select! {
        ended = &mut run => ended,
        () = stop_signal() => {
            engine.stop();
            run.await
        }
    };
    match ended? {
        Err(refused) => Err(refused.to_string().into()),
        Ok(report) => {
            let text = if args.json { serde_json::to_string(&report)? } else { report.summary.clone() };
            print(&format!("{text}\n"))?;
            if let (false, Some(error)) = (args.json, &report.error) {
                return Err(error.clone().into());
            }
            Ok(ExitCode::from(report.exit_code()))
        }
    }
}

async fn apply(
    portal: &Portal,
    slug: &str,
    file: &std::path::Path,
    confirm_switch: bool,
) -> Result<ExitCode, Failure> {
    let customer = find(portal, slug).await?;
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?
    };
    let settings = settings_file::parse(&text)?;
    let read_secret = |source: &settings_file::SecretSource| match source {
        settings_file::SecretSource::Environment(name) => std::env::var(name)
            .map(Secret::new)
            .map_err(|_| format!("the environment variable {name} is not set")),
        settings_file::SecretSource::File(path) => {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
        }
    };
    let actor = Actor::command_line();
    let outcome =
        settings_file::apply(&portal.engine, &customer, &actor, settings, confirm_switch, read_secret)
            .await?;
    let code = ExitCode::from(outcome.exit_code());
    match outcome {
        settings_file::Outcome::Applied(applied) => {
            print(if applied.changed {
                "The settings were saved.\n"
            } else {
                "The settings were saved already.\n"
            })?;
            if let Some(saved) = applied.connection {
                for line in saved
                    .organisation
                    .map(|o| format!("Connected to {}.", o.display_name))
                    .into_iter()
                    .chain(saved.warnings)
                {
                    print(&format!("{line}\n"))?;
                }
                if let Some(why) = saved.unchecked {
                    print(&format!("The tenant could not be asked: {why}\n"))?;
                }
            }
        }
        settings_file::Outcome::Refused(wrong) => {
            return Err(format!("nothing was saved:\n{}", wrong.join("\n")).into());
        }
        settings_file::Outcome::SwitchRefused(refused) => {
            let mut text =
                "Nothing was saved. Apply the file with --confirm-switch if this is meant:\n".to_owned();
            for sentence in refused.doubt.sentences() {
                text.push_str(&format!("- {sentence}\n"));
            }
            text.push_str(&format!(
                "{} came from the directory so far.\n",
                counted(refused.users, "user", "users")
            ));
            print(&text)?;
        }
    }
    Ok(code)
}

async fn export(portal: &Portal, slug: &str) -> Result<ExitCode, Failure> {
    const CHUNK: i64 = 1_000;

    let customer = find(portal, slug).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut after = None;
    loop {
        let users = customer.export_users(after.take(), CHUNK).await?;
        let Some(last) = users.last() else { break };
        after = Some((last.primary_address.clone(), last.id));
        for user in &users {
            let line = serde_json::json!({
                "id": user.public_id,
                "external_id": user.external_id,
                "display_name": user.display_name,
                "primary_address": (!user.address_lost).then_some(&user.primary_address),
                "aliases": user.aliases,
                "source": user.source.label(),
                "status": user.status.label(),
            });
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A line of output per line of input. An empty line is no filter to Graph, and is rejected like any other that it would not take.
fn check_filters(resource: Filtered) -> Result<ExitCode, Failure> {
    let resource = match resource {
        Filtered::Users => odata_filter::Resource::Users,
        Filtered::Groups => odata_filter::Resource::Groups,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let report = odata_filter::check(resource, &line);
        let problem = report.problem.as_ref();
        let answer = serde_json::json!({
            "verdict": report.verdict.as_str(),
            "code": problem.map(|problem| problem.code.as_str()),
            "message": problem.map(|problem| &problem.message),
            "position": problem.map(|problem| problem.span.utf16(&line).start),
        });
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn admin(portal: &Portal, command: AdminCommand) -> Result<ExitCode, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let password = Secret::new(line.trim_end_matches(['\r', '\n']));
    if let Some(why) = refuse_new(&password) {
        return Err(why.into());
    }
    let engine = &portal.engine;
    let password_hash = portal.passwords.hash(password, engine.random.as_ref()).await?;
    let actor = Actor::command_line();
    match command {
        AdminCommand::Create { email } => {
            let candidate = Candidate { email: email.clone(), display_name: String::new(), password_hash };
            administrators::add(engine, &actor, candidate, Some(Role::Administrator)).await??;
            print(&format!("Created the administrator {email} for all customers.\n"))?;
        }
        AdminCommand::SetPassword { email } => {
            administrators::set_password(engine, &actor, &email, &password_hash).await??;
            print(&format!("Set the password of {email} and signed out every session.\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ready when the process is asked to stop: Ctrl-C or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
