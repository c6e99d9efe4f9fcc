//! The program `entra-sim`: starts one simulated tenant and prints what a client needs to reach it.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use entra_sim::{DeltaPages, Import, Options, Running, Sim, Size, Tls};

/// A Microsoft Entra tenant on this machine: token endpoint and Graph, for trying things out and for tests.
#[derive(Debug, Parser)]
#[command(name = "entra-sim", version)]
struct Arguments {
    /// Where login and Graph are served over http (loopback only)
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:18080")]
    listen: SocketAddr,
    /// Where the control API is served (loopback only)
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:18081")]
    control: SocketAddr,
    /// Serve login and Graph over https as well, here
    #[arg(long, value_name = "ADDRESS", requires = "tls_dir")]
    tls_listen: Option<SocketAddr>,
    /// Folder for the certificates of https; clients trust ca.pem in it
    #[arg(long, value_name = "DIR", requires = "tls_listen")]
    tls_dir: Option<PathBuf>,
    /// Users of the invented company
    #[arg(long, value_name = "N", default_value_t = 500)]
    users: usize,
    /// Groups of the invented company
    #[arg(long, value_name = "N", default_value_t = 40)]
    groups: usize,
    /// Direct members of an ordinary group
    #[arg(long, value_name = "N", default_value_t = 12)]
    members_per_group: usize,
    /// The same seed gives the same company, ids and secret
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Milliseconds that every answer takes at least
    #[arg(long, value_name = "L", default_value_t = 0)]
    latency_ms: u64,
    /// Graph answers to take the directory from, in place of an invented company (repeatable): pages or single
    /// objects as Graph gives them, or {"users":[…],"groups":[…],"members":{"<group id>":[…]}}
    #[arg(long, value_name = "FILE", conflicts_with_all = ["users", "groups", "members_per_group"])]
    import: Vec<PathBuf>,
    /// The answer to GET /groups/{id}/members, and whose members they are (repeatable)
    #[arg(long, value_name = "GROUP=FILE", requires = "import", value_parser = group_and_file)]
    import_members: Vec<(String, PathBuf)>,
    /// What goes wrong from the start: a JSON list such as [{"damage":{"route":"/users/delta","damage":"truncated"}}]
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
}

fn group_and_file(text: &str) -> Result<(String, PathBuf), String> {
    let (group, file) = text.split_once('=').ok_or("write it as <group id>=<file>")?;
    Ok((group.to_owned(), PathBuf::from(file)))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("entra-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let tls_dir = arguments.tls_dir.clone();
    let running = Sim::start(Options {
        size: Size {
            users: arguments.users,
            groups: arguments.groups,
            members_per_group: arguments.members_per_group,
            seed: arguments.seed,
        },
        import: import(&arguments)?,
        listen: arguments.listen,
        control: arguments.control,
        tls: arguments.tls_listen.zip(arguments.tls_dir).map(|(listen, dir)| Tls { listen, dir }),
        latency_ms: arguments.latency_ms,
        delta_pages: DeltaPages::default(),
    })
    .await?;
    if let Some(file) = &arguments.faults {
        let named = |error: &dyn Error| format!("{}: {error}", file.display());
        let text = fs::read_to_string(file).map_err(|error| named(&error))?;
        running.sim().fail_as_written(&text).map_err(|error| named(&error))?;
    }
    print(&running, tls_dir);
    asked_to_stop().await?;
    running.stop().await;
    Ok(())
}

/// Ctrl-C, or the signal that a supervisor sends.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn import(arguments: &Arguments) -> Result<Option<Import>, Box<dyn Error>> {
    if arguments.import.is_empty() {
        return Ok(None);
    }
    let mut import = Import::default();
    let named = |file: &PathBuf, error: &dyn Error| format!("{}: {error}", file.display());
    for file in &arguments.import {
        let text = fs::read_to_string(file).map_err(|error| named(file, &error))?;
        import.add(&text).map_err(|error| named(file, &error))?;
    }
    for (group, file) in &arguments.import_members {
        let text = fs::read_to_string(file).map_err(|error| named(file, &error))?;
        import.add_members(group, &text).map_err(|error| named(file, &error))?;
    }
    Ok(Some(import))
}

#[expect(clippy::print_stdout, reason = "this is what the program has to say")]
fn print(running: &Running, tls_dir: Option<PathBuf>) {
    println!("login and Graph:  {}", running.url());
    if let (Some(url), Some(dir)) = (running.https_url(), tls_dir) {
        println!("over https:       {url} (trust {})", dir.join("ca.pem").display());
    }
    println!("tenant domain:    {}", running.tenant_domain());
    println!("tenant id:        {}", running.tenant_id());
    println!("client id:        {}", running.client_id());
    println!("client secret:    {}", running.client_secret());
    println!("control:          {}", running.control_url());
}
