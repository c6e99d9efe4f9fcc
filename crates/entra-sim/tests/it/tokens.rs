//! The token endpoint: what is granted, and every error of the contract's table.

use serde_json::{Value, json};
use time::Duration;

use crate::support::{Answer, Bench, text};

/// Parameters to replace or leave out, and the refusal that follows.
type Case<'a> = (&'a [(&'a str, Option<&'a str>)], (u16, &'a str, u64));

/// Status, OAuth error and number.
fn refusal(answer: &Answer) -> (u16, &str, u64) {
    let code = answer.body["error_codes"][0].as_u64().unwrap_or_default();
    (answer.status, text(&answer.body, "error"), code)
}

fn description(answer: &Answer) -> &str {
    text(&answer.body, "error_description")
}

#[tokio::test]
async fn the_right_secret_gets_a_token_and_no_refresh_token() {
    let bench = Bench::start().await;
    let answer = bench.ask_token(&[]).await;
    assert_eq!(answer.status, 200);
    let mut names: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["access_token", "expires_in", "ext_expires_in", "token_type"]);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(3599)));
}

#[tokio::test]
async fn the_tenant_may_be_named_by_id_and_by_each_verified_domain() {
    let bench = Bench::start().await;
    for name in ["contoso.com", "CONTOSO.onmicrosoft.com", "fabrikam.co.uk", &bench.running.tenant_id()] {
        let url = format!("{}/{name}/oauth2/v2.0/token", bench.running.url());
        assert_eq!(bench.ask_token_at(&url, &[]).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn http_basic_and_unknown_parameters_are_accepted() {
    let bench = Bench::start().await;
    let secret = bench.running.sim().add_secret(Some("a:b c~+%".to_owned()), Duration::days(1)).value;
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let request = bench
        .http
        .post(format!("{}?client-request-id=1", bench.token_url()))
        .basic_auth(bench.running.client_id(), Some(encoded.replace('+', "%20")))
        .form(&[
            ("scope", "https://graph.microsoft.com/.default"),
            ("grant_type", "client_credentials"),
            ("x-client-SKU", "test"),
        ]);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn graph_is_known_by_its_name_its_application_id_and_the_simulators_address() {
    let bench = Bench::start().await;
    let here = format!("{}/.default", bench.running.url());
    for scope in
        ["https://graph.microsoft.com/.default", "00000003-0000-0000-c000-000000000000/.default", &here]
    {
        assert_eq!(bench.ask_token(&[("scope", Some(scope))]).await.status, 200, "{scope}");
    }
}

#[tokio::test]
async fn each_error_that_a_request_can_cause_is_caused() {
    let bench = Bench::start().await;
    let key_id = bench.running.sim().secrets()[0].key_id.clone();
    let expired = bench.running.sim().add_secret(None, Duration::seconds(-1)).value;
    let graph = "https://graph.microsoft.com/.default";
    let two = format!("{graph} https://vault.azure.net/.default");
    let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let cases: &[Case<'_>] = &[
        (&[("client_secret", Some("wrong"))], (401, "invalid_client", 7000215)),
        (&[("client_secret", Some(&key_id))], (401, "invalid_client", 7000215)),
        (&[("client_secret", Some(&expired))], (401, "invalid_client", 7000222)),
        (&[("client_secret", None)], (401, "invalid_client", 7000218)),
        (&[("client_secret", Some(""))], (401, "invalid_client", 7000218)),
        (
            &[("client_assertion", Some("x")), ("client_assertion_type", Some("saml"))],
            (401, "invalid_client", 7000216),
        ),
        (&[("client_assertion", Some("x"))], (400, "invalid_request", 900144)),
        (
            &[("client_assertion", Some("x")), ("client_assertion_type", Some(assertion))],
            (401, "invalid_client", 50027),
        ),
        (
            &[("client_id", Some("11111111-2222-4333-8444-555555555555"))],
            (400, "unauthorized_client", 700016),
        ),
        (&[("client_id", None)], (400, "invalid_request", 900144)),
        (&[("grant_type", None)], (400, "invalid_request", 900144)),
        (&[("scope", None)], (400, "invalid_request", 900144)),
        (&[("grant_type", Some("password"))], (400, "unsupported_grant_type", 70003)),
        (&[("scope", Some("https://graph.microsoft.com/User.Read.All"))], (400, "invalid_scope", 70011)),
        (&[("scope", Some(" "))], (400, "invalid_scope", 70011)),
        (&[("scope", Some(&two))], (400, "invalid_request", 700022)),
        (&[("scope", Some("https://graph.microsoft.us/.default"))], (400, "invalid_resource", 500011)),
    ];
    for (changes, expected) in cases {
        let answer = bench.ask_token(changes).await;
        assert_eq!(refusal(&answer), *expected, "{changes:?}");
    }
    for (tenant, expected) in [
        ("11111111-2222-4333-8444-555555555555", (400, "invalid_request", 90002)),
        ("unknown.onmicrosoft.com", (400, "invalid_request", 90002)),
        ("conto so", (400, "invalid_request", 900023)),
        ("contoso", (400, "invalid_request", 900023)),
        ("common", (400, "invalid_request", 50059)),
    ] {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", bench.running.url());
        assert_eq!(refusal(&bench.ask_token_at(&url, &[]).await), expected, "{tenant}");
    }
    let json = bench.http.post(bench.token_url()).json(&json!({ "grant_type": "client_credentials" }));
    let answer = Answer::of(json.send().await.unwrap()).await;
    assert_eq!(refusal(&answer), (400, "invalid_request", 9002313));
}

#[tokio::test]
async fn each_error_that_a_request_cannot_cause_is_switched_on() {
    let bench = Bench::start().await;
    for (code, expected) in [
        (7000112, (400, "unauthorized_client")),
        (53003, (400, "invalid_grant")),
        (530032, (400, "invalid_grant")),
        (530035, (400, "invalid_grant")),
        (90038, (400, "invalid_request")),
        (900382, (400, "invalid_request")),
        (500011, (400, "invalid_resource")),
        (50196, (400, "invalid_grant")),
        (90055, (400, "temporarily_unavailable")),
        (90033, (400, "temporarily_unavailable")),
        (90006, (400, "server_error")),
        (90012, (400, "server_error")),
        (90024, (400, "temporarily_unavailable")),
        (50033, (400, "server_error")),
    ] {
        let set = bench.control("POST", "/token-error", Some(json!({ "code": code, "times": 1 }))).await;
        assert_eq!(set.status, 204);
        let answer = bench.ask_token(&[]).await;
        assert_eq!(refusal(&answer), (expected.0, expected.1, code));
        assert!(description(&answer).starts_with(&format!("AADSTS{code}: ")));
        assert!(!description(&answer).contains(['{', '}']), "{}", description(&answer));
        assert_eq!(bench.ask_token(&[]).await.status, 200, "{code} was asked for once");
    }
    assert_eq!(bench.control("POST", "/token-error", Some(json!({ "code": 50034 }))).await.status, 400);
}

#[tokio::test]
async fn a_switched_error_lasts_until_it_is_cleared_when_no_number_is_given() {
    let bench = Bench::start().await;
    bench.control("POST", "/token-error", Some(json!({ "code": 90033 }))).await;
    for _ in 0..3 {
        assert_eq!(refusal(&bench.ask_token(&[]).await).2, 90033);
    }
    bench.control("POST", "/token-error", Some(json!({ "code": null }))).await;
    assert_eq!(bench.ask_token(&[]).await.status, 200);
}

#[tokio::test]
async fn an_error_has_the_frame_and_the_wording_of_the_service() {
    let bench = Bench::start().await;
    let request = bench
        .http
        .post(bench.token_url())
        .header("client-request-id", "22222222-2222-4222-8222-222222222222")
        .form(&[
            ("client_id", bench.running.client_id().as_str()),
            ("client_secret", "wrong"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("grant_type", "client_credentials"),
        ]);
    let answer = Answer::of(request.send().await.unwrap()).await;
    let body = &answer.body;
    let (trace, at) = (text(body, "trace_id"), text(body, "timestamp"));
    assert_eq!((trace.len(), at.len(), &at[10..11]), (36, "2026-01-02 03:04:05Z".len(), " "));
    assert_eq!(text(body, "correlation_id"), "22222222-2222-4222-8222-222222222222");
    assert_eq!(text(body, "error_uri"), "https://login.microsoftonline.com/error?code=7000215");
    let app = bench.running.client_id();
    let expected = format!(
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
         secret value, not the client secret ID, for a secret added to app '{app}'.\r\nTrace ID: {trace}\r\n\
         Correlation ID: 22222222-2222-4222-8222-222222222222\r\nTimestamp: {at}"
    );
    assert_eq!(description(&answer), expected);

    let url = format!("{}/nowhere.example/oauth2/v2.0/token", bench.running.url());
    let wrong_tenant = bench.ask_token_at(&url, &[]).await;
    assert!(
        description(&wrong_tenant)
            .starts_with("AADSTS90002: Tenant 'nowhere.example' not found. Check to make")
    );
    let wrong_app = bench.ask_token(&[("client_id", Some("me"))]).await;
    let tenant = bench.running.tenant_id();
    let expected =
        format!("AADSTS700016: Application with identifier 'me' was not found in the directory '{tenant}'.");
    assert!(description(&wrong_app).starts_with(&expected));
}

#[tokio::test]
async fn a_secret_expires_by_the_simulators_clock_and_a_wrong_one_stays_wrong() {
    let bench = Bench::start().await;
    bench.control("POST", "/clock", Some(json!({ "advance_seconds": 181 * 24 * 3600 }))).await;
    assert_eq!(refusal(&bench.ask_token(&[]).await).2, 7000222);
    assert_eq!(refusal(&bench.ask_token(&[("client_secret", Some("wrong"))]).await).2, 7000215);
    let added = bench.control("POST", "/secrets", Some(json!({ "add": { "lasts_seconds": 60 } }))).await;
    let (value, key_id) = (text(&added.body, "value").to_owned(), text(&added.body, "key_id").to_owned());
    assert_eq!(bench.ask_token(&[("client_secret", Some(&value))]).await.status, 200);
    bench.control("POST", "/secrets", Some(json!({ "expire": key_id }))).await;
    assert_eq!(refusal(&bench.ask_token(&[("client_secret", Some(&value))]).await).2, 7000222);
    bench.control("POST", "/secrets", Some(json!({ "remove": key_id }))).await;
    assert_eq!(refusal(&bench.ask_token(&[("client_secret", Some(&value))]).await).2, 7000215);
    assert_eq!(bench.control("POST", "/secrets", Some(json!({ "remove": "none" }))).await.status, 400);
}

#[tokio::test]
async fn a_token_tells_who_it_is_for_and_what_was_granted() {
    use base64::Engine as _;
    let bench = Bench::start().await;
    bench.control("POST", "/roles", Some(json!(["User.Read.All"]))).await;
    let token = bench.token().await;
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["roles"], json!(["User.Read.All"]));
    assert_eq!(text(&claims, "tid"), bench.running.tenant_id());
    assert_eq!(text(&claims, "appid"), bench.running.client_id());
    assert_eq!(text(&claims, "aud"), "https://graph.microsoft.com");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3599);
}
