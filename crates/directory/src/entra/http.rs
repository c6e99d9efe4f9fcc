//! The HTTP client that every tenant's [`Graph`](super::Graph) shares: connections are reused over runs and customers.

use std::{sync::Arc, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};
use url::Url;

use super::{endpoints::is_loopback, meter::Meter};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may pause.
const READ: Duration = Duration::from_secs(60);

/// The shared client. Make one per process and clone it: clones use the same connections.
///
/// Certificates are checked against the system's authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured) and those handed in.
/// The proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`) is used, except for this machine. Redirects are not followed: a token request
/// carries the secret, a Graph request the token, and neither endpoint redirects.
#[derive(Clone, Debug)]
pub struct Http {
    remote: Client,
    loopback: Client,
    meter: Arc<Meter>,
}

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The extra certificate authorities are not PEM certificates.
    #[error("the file of certificate authorities holds no PEM certificate that can be read")]
    Certificates,
    /// The TLS library refused its own configuration.
    #[error("the HTTPS client could not be set up: {0}")]
    Setup(String),
}

impl Http {
    /// Makes the client. `extra_ca_pem` holds certificate authorities to trust besides the system's, one or more PEM blocks.
    ///
    /// # Errors
    /// When the extra certificates cannot be read, or the TLS library cannot be set up.
    pub fn new(extra_ca_pem: Option<&[u8]>) -> Result<Self, HttpError> {
        // reqwest takes the process's provider. When there already is one, it stays.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let extra = match extra_ca_pem {
            None => Vec::new(),
            Some(pem) => match Certificate::from_pem_bundle(pem) {
                Ok(certificates) if !certificates.is_empty() => certificates,
                _ => return Err(HttpError::Certificates),
            },
        };
        Ok(Self {
            remote: build(&extra, |builder| builder)?,
            loopback: build(&extra, ClientBuilder::no_proxy)?,
            meter: Arc::default(),
        })
    }

    /// What was sent through this client and its clones.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn client(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.loopback } else { &self.remote }
    }
}

fn build(extra: &[Certificate], adapt: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Client, HttpError> {
    let builder = || {
        adapt(Client::builder())
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .redirect(Policy::none())
    };
    match builder().tls_certs_merge(extra.iter().cloned()).build() {
        Ok(client) => Ok(client),
        // A machine without any certificate authority can still reach a tenant on itself; a remote host then fails its TLS check, in words.
        Err(error) => {
            tracing::warn!(%error, "the certificate authorities of this system cannot be read");
            builder()
                .tls_certs_only(extra.iter().cloned())
                .build()
                .map_err(|error| HttpError::Setup(error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_certificate_is_refused() {
        assert!(matches!(Http::new(Some(b"hello")), Err(HttpError::Certificates)));
        assert!(Http::new(None).is_ok());
    }
}
