//! Microsoft's own library for node gets its tokens here, over https, by secret and by certificate.

use entra_sim::{Certificate, Options, Size};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};

use crate::node::{run, script, tls};
use crate::support::Bench;

const CLIENT_KEY: &str = include_str!("../data/keys/client.pem");

#[tokio::test]
async fn msal_node_gets_a_token_by_secret_and_by_certificate_over_https() {
    let dir = tempfile::tempdir().unwrap();
    let size = Size { users: 250, groups: 3, members_per_group: 5, seed: 1 };
    let bench = Bench::with(Options { size, tls: Some(tls(dir.path())), ..Options::default() }).await;

    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(CLIENT_KEY, &PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap().pem();
    let uploaded = Certificate::from_pem(&certificate).unwrap();
    let thumbprint: String = uploaded.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
    bench.running.sim().add_certificate(uploaded);
    let key_file = dir.path().join("client.pem");
    std::fs::write(&key_file, CLIENT_KEY).unwrap();

    let secret = run(script("msal-node.mjs", &bench, dir.path()).await.arg("secret")).await;
    assert_eq!(secret.trim(), "token by secret, 250 users on 3 pages");
    let mut by_certificate = script("msal-node.mjs", &bench, dir.path()).await;
    by_certificate.arg("certificate").env("SIM_KEY_FILE", &key_file).env("SIM_THUMBPRINT_SHA256", thumbprint);
    assert_eq!(run(&mut by_certificate).await.trim(), "token by certificate, 250 users on 3 pages");
    let wrong = run(script("msal-node.mjs", &bench, dir.path()).await.arg("wrong-secret")).await;
    assert_eq!(wrong.trim(), "refused: invalid_client 7000215");
    let tenant = run(script("msal-node.mjs", &bench, dir.path()).await.arg("wrong-tenant")).await;
    assert!(tenant.starts_with("refused: "), "{tenant}");
}
