//! Where a request came in: links that the simulator hands out lead back there, whether the client came by
//! http or https, by name or by address.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};

/// The scheme of the listener a request arrived at; each listener adds its own to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain, on loopback.
    Http,
    /// With the private certificate authority.
    Https,
}

/// `http://127.0.0.1:18080`, as the client wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    host: String,
}

impl Origin {
    pub(crate) fn of(scheme: Scheme, headers: &HeaderMap, uri: &Uri) -> Self {
        let sent = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = sent.or_else(|| uri.authority().map(|authority| authority.as_str()));
        Self { scheme, host: host.unwrap_or("localhost").to_owned() }
    }

    pub(crate) fn of_parts(parts: &Parts) -> Self {
        let scheme = parts.extensions.get::<Scheme>().copied().unwrap_or(Scheme::Http);
        Self::of(scheme, &parts.headers, &parts.uri)
    }

    /// Scheme, host and port, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme}://{}", self.host)
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}
