//! Owns what encrypts a gateway's connection: the system's roots and the configured ones, and the server's name.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

/// A connection, encrypted or not.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Duplex for T {}

/// Encrypts connections to one server, and refuses any other.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

/// Why no connection to this server could ever be trusted.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadTls {
    #[error("`{0}` is neither a host name nor an address")]
    Name(String),
    #[error("`{path}` holds no PEM certificates: {reason}")]
    Certificates { path: String, reason: String },
    #[error(
        "no certificate could be verified: {0}; install `ca-certificates`, or name a file of PEM certificates"
    )]
    Rustls(#[from] rustls::Error),
}

impl Tls {
    /// Trusts what the system trusts, and the PEM certificates in `ca_file`.
    pub(super) fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, BadTls> {
        let name = ServerName::try_from(host.to_owned());
        let extra = ca_file.map_or_else(|| Ok(Vec::new()), certificates)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            name: name.map_err(|_| BadTls::Name(host.to_owned()))?,
        })
    }

    pub(super) async fn wrap(&self, stream: Box<dyn Duplex>) -> std::io::Result<Box<dyn Duplex>> {
        let stream = self.connector.connect(self.name.clone(), stream).await?;
        Ok(Box::new(stream))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadTls> {
    let bad = |reason: String| BadTls::Certificates {
        path: path.display().to_string(),
        reason,
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| bad(error.to_string()))?;
    if found.is_empty() {
        return Err(bad("the file has no such block".to_owned()));
    }
    Ok(found)
}
