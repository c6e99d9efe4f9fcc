//! Microsoft's libraries for node: their scripts lie in `tests/node`. The dependencies are installed when they
//! are missing; without node the tests fail.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use entra_sim::Tls;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::support::Bench;

/// Two tests must not install at the same time.
static INSTALLING: Mutex<()> = Mutex::const_new(());

pub(crate) async fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().await.expect("node and npm are installed");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

/// The https listener for a test, with its certificates below a folder.
pub(crate) fn tls(dir: &Path) -> Tls {
    Tls { listen: "127.0.0.1:0".parse().unwrap(), dir: dir.join("tls") }
}

/// A script with everything it needs to sign in; `dir` as for [`tls`].
pub(crate) async fn script(name: &str, bench: &Bench, dir: &Path) -> Command {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    let installing = INSTALLING.lock().await;
    let installed = |package: &str| folder.join("node_modules").join(package).exists();
    if !installed("@azure/msal-node") || !installed("@microsoft/microsoft-graph-client") {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder)).await;
    }
    drop(installing);
    let mut command = Command::new("node");
    command
        .arg(folder.join(name))
        .env("NODE_EXTRA_CA_CERTS", dir.join("tls/ca.pem"))
        .env("SIM_URL", bench.running.https_url().unwrap())
        .env("SIM_CONTROL_URL", bench.running.control_url())
        .env("SIM_TENANT", bench.running.tenant_id())
        .env("SIM_CLIENT_ID", bench.running.client_id())
        .env("SIM_CLIENT_SECRET", bench.running.client_secret());
    command
}
