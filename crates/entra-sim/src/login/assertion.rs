//! Client assertions: the signed statement that stands in for a secret. Libraries differ in the header they
//! name the certificate by, in padding, and in whether times are whole numbers; all of it is accepted, as the
//! service does (contract 1.1).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::error::TokenError;
use crate::application::{Certificate, hex};
use crate::clock::login_time;
use crate::origin::Origin;
use crate::state::Sim;
use crate::tenant::{Object, Tenant};

/// How far the client's clock may be off.
const SKEW: Duration = Duration::minutes(5);

pub(super) fn verify(sim: &Sim, origin: &Origin, client_id: &str, assertion: &str) -> Result<(), TokenError> {
    let malformed = || TokenError::malformed_assertion("The token is malformed.");
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else { return Err(malformed()) };
    let signed = &assertion[..header.len() + 1 + claims.len()];
    let header = object(header).ok_or_else(malformed)?;
    let claims = object(claims).ok_or_else(malformed)?;
    let signature = unpadded(signature).ok_or_else(malformed)?;

    let algorithm: &RsaParameters = match header.get("alg").and_then(Value::as_str) {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("PS256") => &RSA_PSS_2048_8192_SHA256,
        _ => return Err(TokenError::malformed_assertion("The signature algorithm is not supported.")),
    };
    let certificate = signer(sim, client_id, &header)?;
    let key = UnparsedPublicKey::new(algorithm, &certificate.public_key);
    if key.verify(signed.as_bytes(), &signature).is_err() {
        return Err(TokenError::assertion_signature(&certificate.thumbprint()));
    }

    for claim in ["iss", "sub"] {
        let named = claims.get(claim).and_then(Value::as_str);
        if !named.is_some_and(|named| named.eq_ignore_ascii_case(client_id)) {
            return Err(TokenError::assertion_application());
        }
    }
    if !claims.get("aud").is_some_and(|audience| is_for_us(&sim.tenant(), origin, audience)) {
        return Err(TokenError::assertion_audience());
    }
    check_time(sim.now(), &claims)
}

/// The registered certificate that the header names. `x5c`, the certificate itself, may be there as well; it
/// matters only for subject name and issuer authentication, which outside applications do not have.
fn signer(sim: &Sim, client_id: &str, header: &Object) -> Result<Certificate, TokenError> {
    let named = |name: &str| header.get(name).and_then(Value::as_str).and_then(unpadded);
    let (by_sha256, by_sha1) = (named("x5t#S256"), named("x5t"));
    let Some(thumbprint) = by_sha256.as_ref().or(by_sha1.as_ref()) else {
        return Err(TokenError::malformed_assertion("No certificate thumbprint specified in token header."));
    };
    let is_named = |certificate: &Certificate| match (&by_sha256, &by_sha1) {
        (Some(hash), _) => certificate.sha256 == *hash,
        (None, Some(hash)) => certificate.sha1 == *hash,
        (None, None) => false,
    };
    let refused = |reason| Err(TokenError::unregistered_certificate(reason, &hex(thumbprint), client_id));
    let Some(certificate) = sim.certificates().into_iter().find(is_named) else {
        return refused("The key was not found.");
    };
    let now = sim.now();
    if certificate.not_after < now {
        return refused("The key used is expired.");
    }
    if certificate.not_before > now + SKEW {
        return refused("The key used is not yet valid.");
    }
    Ok(certificate)
}

/// The token endpoint, by any name of the tenant, here or at the public cloud's address; the issuer as well.
fn is_for_us(tenant: &Tenant, origin: &Origin, audience: &Value) -> bool {
    let matches = |audience: &str| {
        [origin.base().as_str(), "https://login.microsoftonline.com"]
            .iter()
            .filter_map(|base| audience.strip_prefix(base)?.strip_prefix('/')?.split_once('/'))
            .any(|(name, rest)| tenant.is_called(name) && matches!(rest, "oauth2/v2.0/token" | "v2.0"))
    };
    match audience {
        Value::String(one) => matches(one),
        Value::Array(several) => several.iter().filter_map(Value::as_str).any(matches),
        _ => false,
    }
}

fn check_time(now: OffsetDateTime, claims: &Object) -> Result<(), TokenError> {
    let seconds = |claim: &str| match claims.get(claim) {
        None => Ok(None),
        Some(value) => {
            let moment = value.as_f64().and_then(moment);
            let wrong = || TokenError::invalid_assertion(&format!("The claim '{claim}' is not a time."));
            moment.map(Some).ok_or_else(wrong)
        }
    };
    let until =
        seconds("exp")?.ok_or_else(|| TokenError::invalid_assertion("The claim 'exp' is missing."))?;
    let issued = seconds("iat")?;
    let from = seconds("nbf")?.or(issued).unwrap_or(now);
    if until + SKEW < now || from > now + SKEW {
        return Err(TokenError::assertion_time(&login_time(now), &login_time(from), &login_time(until)));
    }
    Ok(())
}

/// Seconds since 1970, whole or not.
fn moment(seconds: f64) -> Option<OffsetDateTime> {
    let since = Duration::checked_seconds_f64(seconds)?;
    OffsetDateTime::UNIX_EPOCH.checked_add(since).filter(|at| (1970..=9999).contains(&at.year()))
}

fn object(part: &str) -> Option<Object> {
    match serde_json::from_slice(&unpadded(part)?) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// Base64, in either alphabet, with or without padding.
fn unpadded(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()
}
