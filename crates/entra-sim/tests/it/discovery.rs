//! Discovery documents and the published key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::support::{Answer, Bench, text};

async fn get(bench: &Bench, path: &str) -> Answer {
    Answer::of(bench.http.get(format!("{}{path}", bench.running.url())).send().await.unwrap()).await
}

#[tokio::test]
async fn the_configuration_leads_to_the_token_endpoint_at_the_same_address() {
    let bench = Bench::start().await;
    let answer = get(&bench, "/contoso.com/v2.0/.well-known/openid-configuration").await;
    let base = bench.running.url();
    assert_eq!(text(&answer.body, "token_endpoint"), format!("{base}/contoso.com/oauth2/v2.0/token"));
    assert_eq!(text(&answer.body, "issuer"), format!("{base}/{}/v2.0", bench.running.tenant_id()));
    for name in [
        "authorization_endpoint",
        "jwks_uri",
        "device_authorization_endpoint",
        "end_session_endpoint",
        "response_types_supported",
        "response_modes_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "scopes_supported",
        "token_endpoint_auth_methods_supported",
        "claims_supported",
        "tenant_region_scope",
        "cloud_instance_name",
        "msgraph_host",
    ] {
        assert!(!answer.body[name].is_null(), "{name}");
    }
    let unknown = get(&bench, "/nowhere.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!((unknown.status, text(&unknown.body, "error")), (400, "invalid_tenant"));
    assert_eq!(unknown.body["error_codes"][0], 90002);
}

#[tokio::test]
async fn the_instance_document_names_only_this_host() {
    let bench = Bench::start().await;
    let answer = get(&bench, "/common/discovery/instance?api-version=1.1").await;
    let host = bench.running.url().trim_start_matches("http://");
    assert_eq!(answer.body["metadata"][0]["aliases"][0], host);
    assert!(text(&answer.body, "tenant_discovery_endpoint").starts_with(bench.running.url()));
}

#[tokio::test]
async fn a_token_verifies_with_the_published_key() {
    let bench = Bench::start().await;
    for tenant in ["common", "contoso.com"] {
        let keys = get(&bench, &format!("/{tenant}/discovery/v2.0/keys")).await;
        let key = &keys.body["keys"][0];
        let part = |name: &str| URL_SAFE_NO_PAD.decode(text(key, name)).unwrap();
        let token = bench.token().await;
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        RsaPublicKeyComponents { n: part("n"), e: part("e") }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .unwrap();
    }
}
