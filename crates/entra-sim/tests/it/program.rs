//! The program: what it prints, what it refuses, how it stops.

use std::process::{Output, Stdio};

use entra_sim::{Options, Sim, Tls};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recorded");

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-sim"));
    command.args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]).args(arguments).kill_on_drop(true);
    command
}

/// Starts the program, reads what it prints, looks at its state and sends it a signal.
async fn printed_and_state(arguments: &[&str], signal: &str) -> (Vec<(String, String)>, Value) {
    let mut child = program(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let (name, value) = line.split_once(':').unwrap();
        printed.push((name.to_owned(), value.trim().to_owned()));
        if name == "control" {
            break;
        }
    }
    let state =
        reqwest::get(format!("{}/state", printed.last().unwrap().1)).await.unwrap().json().await.unwrap();
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    assert!(child.wait().await.unwrap().success(), "it stops cleanly on {signal}");
    (printed, state)
}

async fn refusal(arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = program(arguments).output().await.unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn it_prints_what_a_client_needs_and_stops_on_both_signals() {
    let arguments = ["--users", "30", "--groups", "9", "--members-per-group", "3", "--seed", "5"];
    let (first, state) = printed_and_state(&arguments, "-INT").await;
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["login and Graph", "tenant domain", "tenant id", "client id", "client secret", "control"]
    );
    assert_eq!((&state["tenant"]["users"], &state["tenant"]["groups"]), (&30.into(), &9.into()));
    let (second, _) = printed_and_state(&arguments, "-TERM").await;
    assert_eq!(first[1..5], second[1..5], "the same seed, the same values");
}

#[tokio::test]
async fn it_imports_recorded_answers_with_their_members() {
    let (groups, user) = (format!("{RECORDED}/groups.json"), format!("{RECORDED}/user.json"));
    let members = format!("02bd9fd6-8f93-4758-87c3-1fb73740a315={RECORDED}/group-members.json");
    let arguments = ["--import", &groups, "--import", &user, "--import-members", &members];
    let (printed, state) = printed_and_state(&arguments, "-INT").await;
    assert_eq!(printed[1].1, "m365x214355.onmicrosoft.com");
    assert_eq!((&state["tenant"]["users"], &state["tenant"]["groups"]), (&19.into(), &49.into()));
}

#[tokio::test]
async fn it_starts_with_the_faults_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("faults.json");
    let named = file.to_str().unwrap();
    std::fs::write(
        &file,
        r#"[{"damage":{"route":"/users","damage":"html"}},{"token_error":{"code":90002}}]"#,
    )
    .unwrap();
    let (printed, _) = printed_and_state(&["--faults", named], "-INT").await;
    assert_eq!(printed.len(), 6);
    for (wrong, why) in [("{}", "not a list of faults"), (r#"[{"token_error":{"code":1}}]"#, "no error 1")] {
        std::fs::write(&file, wrong).unwrap();
        let refusal = refusal(&["--faults", named]).await;
        assert!(refusal.contains(named) && refusal.contains(why), "{refusal}");
    }
}

#[tokio::test]
async fn it_refuses_with_a_reason() {
    assert!(refusal(&["--import", "/nowhere.json"]).await.contains("/nowhere.json: "));
    assert!(refusal(&["--import", "a.json", "--users", "5"]).await.contains("cannot be used with"));
    assert!(refusal(&["--tls-listen", "127.0.0.1:0"]).await.contains("--tls-dir"));
    let open =
        Command::new(env!("CARGO_BIN_EXE_entra-sim")).args(["--listen", "0.0.0.0:18080"]).output().await;
    assert!(String::from_utf8(open.unwrap().stderr).unwrap().contains("is not a loopback address"));
}

#[tokio::test]
async fn the_certificate_authority_is_kept_from_one_start_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut authorities = Vec::new();
    for _ in 0..2 {
        let tls = Tls { listen: "127.0.0.1:0".parse().unwrap(), dir: dir.path().join("tls") };
        let running = Sim::start(Options { tls: Some(tls), ..Options::default() }).await.unwrap();
        assert!(running.https_url().unwrap().starts_with("https://localhost:"));
        running.stop().await;
        authorities.push(std::fs::read_to_string(dir.path().join("tls/ca.pem")).unwrap());
    }
    assert_eq!(authorities[0], authorities[1]);
}
