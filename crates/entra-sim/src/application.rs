//! The application registration that a client signs in as: its secrets, certificates and granted
//! application permissions.

use ring::digest;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use time::{Duration, OffsetDateTime};

use crate::chance::Chance;
use crate::der;

/// What is granted unless a test says otherwise: enough to read users, groups and memberships.
pub const DEFAULT_ROLES: [&str; 4] =
    ["Directory.Read.All", "Group.Read.All", "GroupMember.Read.All", "User.Read.All"];

/// A client secret, as the portal lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The "Secret ID", which people paste by mistake.
    pub key_id: String,
    /// The value.
    pub value: String,
    /// From then on it is expired.
    pub end: OffsetDateTime,
}

/// A certificate uploaded to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub(crate) sha1: Vec<u8>,
    pub(crate) sha256: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

impl Certificate {
    /// Reads the first certificate of a PEM text; `None` unless it is an X.509 certificate with an RSA key.
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let parts = der::certificate(&der)?;
        let hash = |algorithm| digest::digest(algorithm, &der).as_ref().to_vec();
        Some(Self {
            sha1: hash(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: hash(&digest::SHA256),
            public_key: parts.public_key,
            not_before: parts.not_before,
            not_after: parts.not_after,
        })
    }

    /// The SHA-1 thumbprint in upper-case hexadecimal, as the portal shows it.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        hex(&self.sha1)
    }

    /// The SHA-256 hash, which the header `x5t#S256` of an assertion carries in base64.
    #[must_use]
    pub fn sha256(&self) -> &[u8] {
        &self.sha256
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The registration itself.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) client_id: String,
    /// Of the service principal in the tenant.
    pub(crate) object_id: String,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) roles: Vec<String>,
    chance: Chance,
}

impl Application {
    pub(crate) fn new(seed: u64, now: OffsetDateTime) -> Self {
        let mut chance = Chance::of(seed, "application", 0);
        let mut application = Self {
            client_id: chance.guid(),
            object_id: chance.guid(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            roles: DEFAULT_ROLES.map(str::to_owned).to_vec(),
            chance,
        };
        application.add_secret(None, now + Duration::days(180));
        application
    }

    /// Adds a secret, inventing a value of the usual look when none is given.
    pub(crate) fn add_secret(&mut self, value: Option<String>, end: OffsetDateTime) -> Secret {
        let value = value.unwrap_or_else(|| format!("{}8Q~{}", self.chance.text(3), self.chance.text(34)));
        let secret = Secret { key_id: self.chance.guid(), value, end };
        self.secrets.push(secret.clone());
        secret
    }
}
