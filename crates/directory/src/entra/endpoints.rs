//! Where a tenant is asked, and as whom.

use domain::Secret;
use url::{Host, Url};

/// The base addresses of the login and Graph endpoints. They differ between Microsoft's clouds, so both are free settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The login authority, without the tenant.
    pub login: Url,
    /// Microsoft Graph, without the version.
    pub graph: Url,
}

/// An address that cannot be used, with what to enter instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {name} address \"{address}\" cannot be used: {reason}")]
pub struct EndpointError {
    /// Which of the two: `login` or `Graph`.
    pub name: &'static str,
    /// The address as given, without user name and password.
    pub address: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Endpoints {
    /// The login authority of the global cloud (and US GCC): the default of the setting.
    pub const PUBLIC_LOGIN: &str = "https://login.microsoftonline.com";
    /// Microsoft Graph of the global cloud (and US GCC): the default of the setting.
    pub const PUBLIC_GRAPH: &str = "https://graph.microsoft.com";

    /// Reads both addresses: https, or http on this machine; without user, query and fragment. A path is kept, for a proxy.
    ///
    /// # Errors
    /// The first address that cannot be used.
    pub fn parse(login: &str, graph: &str) -> Result<Self, EndpointError> {
        Ok(Self { login: base("login", login)?, graph: base("Graph", graph)? })
    }

    /// What a token is asked for: the cloud's Graph with `/.default`. A Graph address on this machine (the simulator, a local proxy) is no
    /// resource that a login endpoint knows: there it is the public cloud's.
    pub(super) fn scope(&self) -> String {
        if is_loopback(&self.graph) {
            format!("{}/.default", Self::PUBLIC_GRAPH)
        } else {
            format!("{}/.default", self.graph.origin().ascii_serialization())
        }
    }

    /// The token endpoint of a tenant.
    pub(super) fn token_url(&self, tenant: &str) -> Url {
        below(&self.login, &[tenant, "oauth2", "v2.0", "token"])
    }

    /// An address of Graph v1.0, such as `users`, `delta`.
    pub(super) fn graph_url(&self, segments: &[&str]) -> Url {
        let mut all = vec!["v1.0"];
        all.extend_from_slice(segments);
        below(&self.graph, &all)
    }
}

fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

fn base(name: &'static str, text: &str) -> Result<Url, EndpointError> {
    let text = text.trim();
    let refuse = |address: String, reason| Err(EndpointError { name, address, reason });
    let Ok(url) = Url::parse(text) else {
        return refuse(text.to_owned(), "enter a full address such as https://graph.microsoft.com");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(url.host_str().unwrap_or_default().to_owned(), "leave out user name and password");
    }
    if !url.has_host() || !matches!(url.scheme(), "https" | "http") {
        return refuse(text.to_owned(), "it must begin with https:// and name a host");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return refuse(
            text.to_owned(),
            "a client secret travels there: use https (http is for this machine only)",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(text.to_owned(), "leave out everything from the first ? or #");
    }
    Ok(url)
}

/// Whether the address names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// As whom a tenant is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The directory (tenant) ID or a verified domain of the tenant.
    pub tenant: String,
    /// The application (client) ID.
    pub client_id: String,
    /// The client secret's value.
    pub client_secret: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_cloud_is_asked_for_its_own_scope() {
        let endpoints = Endpoints::parse(Endpoints::PUBLIC_LOGIN, Endpoints::PUBLIC_GRAPH).unwrap();
        assert_eq!(endpoints.scope(), "https://graph.microsoft.com/.default");
        assert_eq!(
            endpoints.token_url("contoso.com").as_str(),
            "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
        );
        assert_eq!(
            endpoints.graph_url(&["users", "delta"]).as_str(),
            "https://graph.microsoft.com/v1.0/users/delta"
        );
    }

    #[test]
    fn a_sovereign_cloud_is_asked_for_the_scope_of_its_own_graph() {
        let endpoints =
            Endpoints::parse("https://login.microsoftonline.us", "https://dod-graph.microsoft.us/").unwrap();
        assert_eq!(endpoints.scope(), "https://dod-graph.microsoft.us/.default");
    }

    #[test]
    fn a_proxy_may_stand_under_a_path_and_the_tenant_cannot_climb_out_of_its_segment() {
        let endpoints =
            Endpoints::parse("https://proxy.example/login/", "https://proxy.example/graph").unwrap();
        assert_eq!(
            endpoints.graph_url(&["organization"]).as_str(),
            "https://proxy.example/graph/v1.0/organization"
        );
        assert_eq!(
            endpoints.token_url("a/../b").as_str(),
            "https://proxy.example/login/a%2F..%2Fb/oauth2/v2.0/token"
        );
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for graph in ["http://127.0.0.1:18080", "http://localhost:1", "http://[::1]:1"] {
            let endpoints = Endpoints::parse(graph, graph).unwrap();
            assert_eq!(endpoints.scope(), "https://graph.microsoft.com/.default", "{graph}");
        }
        let error =
            Endpoints::parse("https://login.microsoftonline.com", "http://graph.example").unwrap_err();
        assert_eq!(error.name, "Graph");
    }

    #[test]
    fn an_address_with_user_query_fragment_or_another_scheme_is_refused_without_its_password() {
        for text in [
            "https://u:hunter2@x.example",
            "https://x.example/?a=b",
            "https://x.example/#a",
            "ftp://x.example",
            "x.example",
            "mailto:a@x.example",
        ] {
            let error = Endpoints::parse(text, Endpoints::PUBLIC_GRAPH).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
