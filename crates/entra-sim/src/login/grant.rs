//! Whether a token request is granted: each thing that can be wrong with it, in the order in which the
//! service notices.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::assertion;
use super::error::TokenError;
use crate::origin::Origin;
use crate::state::Sim;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRAPH_APPLICATION: &str = "00000003-0000-0000-c000-000000000000";

/// How a client proved who it is; a token tells (`appidacr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    BySecret,
    ByCertificate,
}

/// The parameters of a token request; unknown ones, which every library adds, are ignored.
pub(super) struct Form {
    parameters: Vec<(String, String)>,
}

impl Form {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, TokenError> {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(TokenError::malformed_request());
        }
        if std::str::from_utf8(body).is_err() {
            return Err(TokenError::malformed_request());
        }
        let parameters = url::form_urlencoded::parse(body);
        let mut form = Self { parameters: parameters.into_owned().collect() };
        form.add_basic(headers)?;
        Ok(form)
    }

    /// HTTP Basic carries `client_id:secret`, each URL-encoded, and replaces what the body says.
    fn add_basic(&mut self, headers: &HeaderMap) -> Result<(), TokenError> {
        let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, credentials)) = sent.and_then(|value| value.split_once(' ')) else { return Ok(()) };
        if !scheme.eq_ignore_ascii_case("basic") {
            return Ok(());
        }
        let decoded = STANDARD.decode(credentials.trim()).map_err(|_| TokenError::malformed_request())?;
        let decoded = String::from_utf8(decoded).map_err(|_| TokenError::malformed_request())?;
        let (id, secret) = decoded.split_once(':').ok_or_else(TokenError::malformed_request)?;
        for (name, value) in [("client_id", id), ("client_secret", secret)] {
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
            self.parameters.retain(|(existing, _)| existing != name);
            self.parameters.push((name.to_owned(), value));
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(existing, _)| existing == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn require(&self, name: &str) -> Result<&str, TokenError> {
        self.get(name).ok_or_else(|| TokenError::missing(name))
    }
}

pub(super) fn check(sim: &Sim, origin: &Origin, tenant: &str, form: &Form) -> Result<Client, TokenError> {
    check_tenant(sim, tenant)?;
    let grant = form.require("grant_type")?;
    if grant != "client_credentials" {
        return Err(TokenError::unsupported_grant(grant));
    }
    let client_id = form.require("client_id")?;
    let scope = form.require("scope")?;
    if !client_id.eq_ignore_ascii_case(&sim.client_id()) {
        return Err(TokenError::unknown_application(client_id, tenant));
    }
    check_scope(origin, tenant, scope)?;
    if let Some(assertion) = form.get("client_assertion") {
        let kind = form.require("client_assertion_type")?;
        if kind != ASSERTION_TYPE {
            return Err(TokenError::assertion_type(kind));
        }
        assertion::verify(sim, origin, client_id, assertion)?;
        return Ok(Client::ByCertificate);
    }
    check_secret(sim, client_id, form.get("client_secret").ok_or_else(TokenError::no_credential)?)?;
    Ok(Client::BySecret)
}

pub(super) fn check_tenant(sim: &Sim, tenant: &str) -> Result<(), TokenError> {
    if ["common", "organizations", "consumers"].contains(&tenant.to_ascii_lowercase().as_str()) {
        return Err(TokenError::no_tenant());
    }
    if sim.tenant().is_called(tenant) {
        Ok(())
    } else if is_guid(tenant) || is_domain(tenant) {
        Err(TokenError::tenant_not_found(tenant))
    } else {
        Err(TokenError::tenant_malformed(tenant))
    }
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && text.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit())
}

fn is_domain(text: &str) -> bool {
    let valid = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter == '-' || letter.is_alphanumeric())
    };
    text.contains('.') && text.split('.').all(valid)
}

/// One resource, and `.default` of it. The simulator's Graph is also known by the address it is reached at,
/// because that is what a client configured with its address as Graph's asks for.
fn check_scope(origin: &Origin, tenant: &str, scope: &str) -> Result<(), TokenError> {
    let mut resources = Vec::new();
    for one in scope.split_ascii_whitespace() {
        let resource = one.strip_suffix("/.default").ok_or_else(|| TokenError::invalid_scope(scope))?;
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    let [resource] = resources[..] else {
        let several = resources.len() > 1;
        return Err(if several {
            TokenError::several_resources(scope)
        } else {
            TokenError::invalid_scope(scope)
        });
    };
    let named = resource.trim_end_matches('/');
    let graph = ["https://graph.microsoft.com", GRAPH_APPLICATION, &origin.base()]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(named));
    if graph || is_loopback(named) { Ok(()) } else { Err(TokenError::unknown_resource(resource, tenant)) }
}

fn is_loopback(resource: &str) -> bool {
    let url = url::Url::parse(resource).ok();
    url.and_then(|url| url.host().map(|host| host.to_owned())).is_some_and(|host| match host {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    })
}

fn check_secret(sim: &Sim, client_id: &str, sent: &str) -> Result<(), TokenError> {
    let now = sim.now();
    let secrets = sim.secrets();
    let matching: Vec<_> = secrets.iter().filter(|secret| secret.value == sent).collect();
    if matching.iter().any(|secret| secret.end > now) {
        Ok(())
    } else if matching.is_empty() {
        Err(TokenError::wrong_secret(client_id))
    } else {
        Err(TokenError::expired_secret(client_id))
    }
}
