//! Signing in by certificate: what libraries send is accepted, what is wrong gets its number.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use entra_sim::Certificate;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Answer, Bench, text};

const CLIENT_KEY: &str = include_str!("../data/keys/client.pem");
const OTHER_KEY: &str = include_str!("../data/keys/other.pem");

/// A certificate with the key that signs for it.
struct Signer {
    pem: String,
    der: Vec<u8>,
    key: RsaKeyPair,
}

impl Signer {
    fn new(key_pem: &str, years: (i32, i32)) -> Self {
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(key_pem, &PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let certificate = params.self_signed(&pair).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: RsaKeyPair::from_pkcs8(key.secret_der()).unwrap(),
        }
    }

    fn sha256(&self) -> Vec<u8> {
        digest(&SHA256, &self.der).as_ref().to_vec()
    }

    fn sha1(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref().to_vec()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        if header["alg"] == "PS256" {
            self.key.sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        } else {
            self.key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        }
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(CLIENT_KEY, (2020, 2090)));
static STRANGER: LazyLock<Signer> = LazyLock::new(|| Signer::new(OTHER_KEY, (2020, 2090)));

async fn bench() -> Bench {
    let bench = Bench::start().await;
    bench.running.sim().add_certificate(Certificate::from_pem(&SIGNER.pem).unwrap());
    bench
}

fn header() -> Value {
    json!({ "typ": "JWT", "alg": "PS256", "x5t#S256": URL_SAFE_NO_PAD.encode(SIGNER.sha256()) })
}

fn claims(bench: &Bench) -> Value {
    let now = bench.running.sim().now().unix_timestamp();
    let id = bench.running.client_id();
    json!({
        "aud": bench.token_url(), "iss": id, "sub": id, "jti": "1", "nbf": now, "iat": now, "exp": now + 600,
    })
}

async fn ask(bench: &Bench, assertion: &str) -> Answer {
    bench
        .ask_token(&[
            ("client_secret", None),
            ("client_assertion_type", Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")),
            ("client_assertion", Some(assertion)),
        ])
        .await
}

/// The number of the error, 0 for success.
fn number(answer: &Answer) -> u64 {
    if answer.status != 200 {
        assert_eq!((answer.status, text(&answer.body, "error")), (401, "invalid_client"), "{}", answer.body);
    }
    answer.body["error_codes"][0].as_u64().unwrap_or_default()
}

fn with(object: Value, name: &str, value: Value) -> Value {
    let mut object = object;
    object[name] = value;
    object
}

fn without(object: Value, name: &str) -> Value {
    let mut object = object;
    object.as_object_mut().unwrap().remove(name);
    object
}

#[tokio::test]
async fn every_header_that_a_library_sends_is_accepted() {
    let bench = bench().await;
    let (sha256, sha1) = (SIGNER.sha256(), SIGNER.sha1());
    for header in [
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(&sha256) }),
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE.encode(&sha256), "x5c": ["MII"] }),
        json!({ "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE.encode(&sha1) }),
        json!({ "alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(&sha1) }),
        json!({ "alg": "RS256", "x5t#S256": URL_SAFE_NO_PAD.encode(&sha256), "x5t": URL_SAFE_NO_PAD.encode(&sha1) }),
    ] {
        let answer = ask(&bench, &SIGNER.sign(&header, &claims(&bench))).await;
        assert_eq!(number(&answer), 0, "{header}");
        assert!(answer.body["access_token"].is_string());
    }
}

#[tokio::test]
async fn times_may_be_fractions_and_nbf_may_be_missing() {
    let bench = bench().await;
    let now = bench.running.sim().now().unix_timestamp();
    let exact = with(with(claims(&bench), "exp", json!(now + 600)), "iat", json!(now));
    let floats = with(with(exact, "exp", json!(now as f64 + 600.25)), "iat", json!(now as f64 + 0.75));
    let answer = ask(&bench, &SIGNER.sign(&header(), &without(floats, "nbf"))).await;
    assert_eq!(number(&answer), 0);
}

#[tokio::test]
async fn the_audience_may_name_the_tenant_by_domain_and_the_public_endpoint() {
    let bench = bench().await;
    let here = bench.running.url();
    for audience in [
        json!(format!("{here}/contoso.onmicrosoft.com/oauth2/v2.0/token")),
        json!("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"),
        json!(format!("{here}/{}/v2.0", bench.running.tenant_id())),
        json!([bench.token_url()]),
    ] {
        let answer =
            ask(&bench, &SIGNER.sign(&header(), &with(claims(&bench), "aud", audience.clone()))).await;
        assert_eq!(number(&answer), 0, "{audience}");
    }
}

#[tokio::test]
async fn each_thing_wrong_with_an_assertion_has_its_number() {
    let bench = bench().await;
    let now = bench.running.sim().now().unix_timestamp();
    let good = claims(&bench);
    let cases = [
        (header(), with(good.clone(), "exp", json!(now - 400)), 700024),
        (header(), with(good.clone(), "nbf", json!(now + 400)), 700024),
        (header(), without(good.clone(), "exp"), 50013),
        (header(), with(good.clone(), "exp", json!("soon")), 50013),
        (header(), with(good.clone(), "exp", json!(1e300)), 50013),
        (header(), with(good.clone(), "aud", json!("https://example.com/token")), 700023),
        (
            header(),
            with(good.clone(), "aud", json!(format!("{}/other/oauth2/v2.0/token", bench.running.url()))),
            700023,
        ),
        (header(), without(good.clone(), "aud"), 700023),
        (header(), with(good.clone(), "iss", json!("somebody")), 700021),
        (header(), without(good.clone(), "sub"), 700021),
        (with(header(), "alg", json!("HS256")), good.clone(), 50027),
        (with(header(), "alg", json!("none")), good.clone(), 50027),
        (without(header(), "x5t#S256"), good.clone(), 50027),
        (with(header(), "x5t#S256", json!(URL_SAFE_NO_PAD.encode(STRANGER.sha256()))), good.clone(), 700027),
    ];
    for (header, claims, expected) in cases {
        let answer = ask(&bench, &SIGNER.sign(&header, &claims)).await;
        assert_eq!(number(&answer), expected, "{header} {claims}");
    }
    for malformed in ["a.b.c", "a.b", "..", "e30.e30"] {
        assert_eq!(number(&ask(&bench, malformed).await), 50027, "{malformed}");
    }
    // Somebody else's key under the name of the registered certificate.
    assert_eq!(number(&ask(&bench, &STRANGER.sign(&header(), &good)).await), 50012);
    let (signed, signature) = (SIGNER.sign(&header(), &good), "AAAA");
    let cut = format!("{}.{signature}", signed.rsplit_once('.').unwrap().0);
    assert_eq!(number(&ask(&bench, &cut).await), 50012);
}

#[tokio::test]
async fn an_unregistered_certificate_is_named_by_its_thumbprint() {
    let bench = Bench::start().await;
    let answer = ask(&bench, &SIGNER.sign(&header(), &claims(&bench))).await;
    assert_eq!(number(&answer), 700027);
    let hex: String = SIGNER.sha256().iter().map(|byte| format!("{byte:02X}")).collect();
    let expected = format!("[Reason - The key was not found., Thumbprint of key used by client: '{hex}',");
    assert!(text(&answer.body, "error_description").contains(&expected));

    let uploaded = bench.control("POST", "/certificates", Some(json!({ "pem": SIGNER.pem }))).await;
    assert_eq!(text(&uploaded.body, "x5t#S256"), URL_SAFE_NO_PAD.encode(SIGNER.sha256()));
    assert_eq!(number(&ask(&bench, &SIGNER.sign(&header(), &claims(&bench))).await), 0);
    assert_eq!(bench.control("POST", "/certificates", Some(json!({ "pem": "nonsense" }))).await.status, 400);
}

#[test]
fn what_is_no_certificate_with_an_rsa_key_is_not_taken() {
    let pem = |der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    assert_eq!(Certificate::from_pem(&pem(&SIGNER.der)).unwrap().sha256(), SIGNER.sha256());
    for length in 0..SIGNER.der.len() {
        assert!(Certificate::from_pem(&pem(&SIGNER.der[..length])).is_none(), "cut after {length}");
    }
    let elliptic = KeyPair::generate().unwrap();
    let elliptic = CertificateParams::new(Vec::new()).unwrap().self_signed(&elliptic).unwrap();
    assert!(Certificate::from_pem(&elliptic.pem()).is_none());
    assert!(Certificate::from_pem(CLIENT_KEY).is_none());
}

#[tokio::test]
async fn an_expired_certificate_and_one_from_the_future_are_refused() {
    for (years, reason) in [((2000, 2010), "is expired."), ((2080, 2090), "is not yet valid.")] {
        let bench = Bench::start().await;
        let signer = Signer::new(CLIENT_KEY, years);
        bench.running.sim().add_certificate(Certificate::from_pem(&signer.pem).unwrap());
        let header = json!({ "alg": "RS256", "x5t": URL_SAFE_NO_PAD.encode(signer.sha1()) });
        let answer = ask(&bench, &signer.sign(&header, &claims(&bench))).await;
        assert_eq!(number(&answer), 700027);
        assert!(text(&answer.body, "error_description").contains(&format!("The key used {reason}")));
    }
}

#[tokio::test]
async fn assertions_are_judged_by_the_simulators_clock() {
    let bench = bench().await;
    let early = SIGNER.sign(&header(), &claims(&bench));
    bench.running.sim().advance_clock(Duration::hours(1));
    assert_eq!(number(&ask(&bench, &early).await), 700024);
    assert_eq!(number(&ask(&bench, &SIGNER.sign(&header(), &claims(&bench))).await), 0);
}
