//! Microsoft's own library for node gets its tokens here, over https, by secret and by certificate. The
//! dependencies are installed when they are missing; without node the test fails.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use entra_sim::{Certificate, Options, Size, Tls};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use tokio::process::Command;

use crate::support::Bench;

const CLIENT_KEY: &str = include_str!("../data/keys/client.pem");

async fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().await.expect("node and npm are installed");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

#[tokio::test]
async fn msal_node_gets_a_token_by_secret_and_by_certificate_over_https() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    if !folder.join("node_modules/@azure/msal-node").exists() {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder)).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let tls = Tls { listen: "127.0.0.1:0".parse().unwrap(), dir: dir.path().join("tls") };
    let size = Size { users: 250, groups: 3, members_per_group: 5, seed: 1 };
    let bench = Bench::with(Options { size, tls: Some(tls), ..Options::default() }).await;

    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(CLIENT_KEY, &PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap().pem();
    let uploaded = Certificate::from_pem(&certificate).unwrap();
    let thumbprint: String = uploaded.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    bench.running.sim().add_certificate(uploaded);
    let key_file = dir.path().join("client.pem");
    std::fs::write(&key_file, CLIENT_KEY).unwrap();

    let secret = run(script(&folder, &bench, dir.path()).await.arg("secret")).await;
    assert_eq!(secret.trim(), "token by secret, 250 users on 3 pages");
    let mut by_certificate = script(&folder, &bench, dir.path()).await;
    by_certificate.arg("certificate").env("SIM_KEY_FILE", &key_file).env("SIM_THUMBPRINT_SHA256", thumbprint);
    assert_eq!(run(&mut by_certificate).await.trim(), "token by certificate, 250 users on 3 pages");
    let wrong = run(script(&folder, &bench, dir.path()).await.arg("wrong-secret")).await;
    assert_eq!(wrong.trim(), "refused: invalid_client 7000215");
    let tenant = run(script(&folder, &bench, dir.path()).await.arg("wrong-tenant")).await;
    assert!(tenant.starts_with("refused: "), "{tenant}");
}

async fn script(folder: &Path, bench: &Bench, dir: &Path) -> Command {
    let mut command = Command::new("node");
    command
        .arg(folder.join("msal-node.mjs"))
        .env("NODE_EXTRA_CA_CERTS", dir.join("tls/ca.pem"))
        .env("SIM_URL", bench.running.https_url().unwrap())
        .env("SIM_TENANT", bench.running.tenant_id())
        .env("SIM_CLIENT_ID", bench.running.client_id())
        .env("SIM_CLIENT_SECRET", bench.running.client_secret());
    command
}
