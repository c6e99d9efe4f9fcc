//! Access tokens: JWTs for Graph, signed RS256 like Entra's. The login side issues them, the Graph side
//! verifies them, and anyone may with the published key.
//!
//! The signing key is part of the program and therefore public: a token proves something to this simulator
//! only. It saves making an RSA key at each start and lets a token outlive a restart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use super::grant::Client;
use crate::state::Sim;
use crate::tenant::Object;

/// `expires_in` of every token.
pub(crate) const LIFETIME_SECONDS: i64 = 3599;
/// The application Graph is.
pub(crate) const AUDIENCE: &str = "https://graph.microsoft.com";
const SIGNING_KEY: &[u8] = include_bytes!("signing-key.der");
const KEY_ID: &str = "entra-sim-1";

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Granted application permissions.
    pub(crate) roles: Vec<String>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a token, or not one of this simulator's.
    Invalid,
    /// For another resource.
    Audience,
    Expired,
    NotYetValid,
}

/// A token for the application; `None` only if the built-in key cannot sign.
pub(super) fn issue(sim: &Sim, client: Client) -> Option<String> {
    let tenant = sim.tenant();
    let now = sim.now().unix_timestamp();
    let (client_id, object_id) = {
        let world = sim.world();
        (world.application.client_id.clone(), world.application.object_id.clone())
    };
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": KEY_ID });
    let mut claims = json!({
        "aud": AUDIENCE,
        "iss": format!("https://sts.windows.net/{}/", tenant.id()),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_SECONDS,
        "app_displayname": "Rollcall",
        "appid": client_id,
        "appidacr": match client { Client::BySecret => "1", Client::ByCertificate => "2" },
        "idtyp": "app",
        "oid": object_id,
        "sub": object_id,
        "tid": tenant.id(),
        "uti": sim.guid(),
        "ver": "1.0",
    });
    let roles = sim.roles();
    // Without any permission the claim is left out.
    if !roles.is_empty() {
        claims["roles"] = json!(roles);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let key = RsaKeyPair::from_der(SIGNING_KEY).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

pub(crate) fn verify(sim: &Sim, token: &str) -> Result<Claims, Refusal> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Invalid)?;
    let (_, claims) = signed.split_once('.').ok_or(Refusal::Invalid)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::Invalid)?;
    let key = RsaKeyPair::from_der(SIGNING_KEY).map_err(|_| Refusal::Invalid)?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref())
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| Refusal::Invalid)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Refusal::Invalid)?;
    let claims: Object = serde_json::from_slice(&claims).map_err(|_| Refusal::Invalid)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    let now = sim.now().unix_timestamp();
    if text("tid") != sim.tenant().id() {
        Err(Refusal::Invalid)
    } else if text("aud") != AUDIENCE {
        Err(Refusal::Audience)
    } else if number("exp") <= now {
        Err(Refusal::Expired)
    } else if number("nbf") > now {
        Err(Refusal::NotYetValid)
    } else {
        let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten();
        Ok(Claims { roles: roles.filter_map(Value::as_str).map(str::to_owned).collect() })
    }
}

/// The public key as a JSON Web Key Set.
pub(super) fn key_set(issuer: &str) -> Value {
    let Ok(key) = RsaKeyPair::from_der(SIGNING_KEY) else { return json!({ "keys": [] }) };
    let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
    json!({ "keys": [{
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": KEY_ID,
        "n": URL_SAFE_NO_PAD.encode(public.n),
        "e": URL_SAFE_NO_PAD.encode(public.e),
        "issuer": issuer,
    }]})
}
