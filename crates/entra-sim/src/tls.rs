//! Certificates for https: a private authority and a certificate of it for `localhost`, made once per folder.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

const AUTHORITY: &str = "ca.pem";
const CERTIFICATE: &str = "server.pem";
const KEY: &str = "server-key.pem";

/// Why https cannot be set up.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file of the folder cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A certificate cannot be made.
    #[error("{0}")]
    Make(#[from] rcgen::Error),
    /// A file of the folder does not hold what it should; removing the folder makes new ones.
    #[error("{0}; remove the folder to have new certificates made")]
    Read(#[from] rustls::pki_types::pem::Error),
    /// Certificate and key do not go together, most likely.
    #[error("{0}; remove the folder to have new certificates made")]
    Use(#[from] rustls::Error),
}

/// The server's side of https, with the certificates of this folder; they are made when it has none, and kept
/// so that clients that trust `ca.pem` go on doing so.
pub(crate) fn config(dir: &Path) -> Result<RustlsConfig, TlsError> {
    if !(dir.join(AUTHORITY).exists() && dir.join(CERTIFICATE).exists() && dir.join(KEY).exists()) {
        make(dir)?;
    }
    let chain = vec![CertificateDer::from_pem_file(dir.join(CERTIFICATE))?];
    let key = PrivateKeyDer::from_pem_file(dir.join(KEY))?;
    // The provider is named, because a program that contains two has no default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

fn make(dir: &Path) -> Result<(), TlsError> {
    fs::create_dir_all(dir)?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "Rollcall simulator (this machine only)");
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut server = CertificateParams::new(names)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.distinguished_name.push(DnType::CommonName, "localhost");
    let server_key = KeyPair::generate()?;
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    private(&dir.join(KEY), &server_key.serialize_pem())?;
    fs::write(dir.join(CERTIFICATE), server_certificate.pem())?;
    fs::write(dir.join(AUTHORITY), authority_certificate.pem())?;
    Ok(())
}

/// Writes a file that only its owner can read.
fn private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
