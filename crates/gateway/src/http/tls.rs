//! TLS by certificate files, which can be read anew while the gateway runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// The chain, the gateway's own certificate first, as PEM.
    pub(crate) chain: PathBuf,
    /// The key of the gateway's own, as PEM.
    pub(crate) key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateFault {
    #[error("{what} {} cannot be read: {reason}", path.display())]
    Unreadable { what: &'static str, path: PathBuf, reason: String },
    #[error("there is no certificate in {}; it holds PEM blocks that begin with -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate { path: PathBuf },
    #[error("certificate {} and key {} cannot be used together: {reason}", chain.display(), key.display())]
    Unfit { chain: PathBuf, key: PathBuf, reason: String },
}

/// The certificate that connections are encrypted with.
pub(crate) struct Tls {
    files: CertificateFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`CertificateFault`] where they are not a certificate and its key.
    pub(crate) fn open(files: CertificateFiles) -> Result<Self, CertificateFault> {
        let config = RwLock::new(Arc::new(config(&files)?));
        Ok(Self { files, config })
    }

    /// Reads the files anew, for connections that come from now on.
    ///
    /// # Errors
    /// As [`Tls::open`]; then the certificate stays as it was.
    pub(crate) fn reread(&self) -> Result<(), CertificateFault> {
        let config = Arc::new(config(&self.files)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// What a connection is taken with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn config(files: &CertificateFiles) -> Result<ServerConfig, CertificateFault> {
    let chain = certificates(&files.chain)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable("the key", &files.key, &error))?;
    let unfit = |error: tokio_rustls::rustls::Error| CertificateFault::Unfit {
        chain: files.chain.clone(),
        key: files.key.clone(),
        reason: error.to_string(),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateFault> {
    let read = |error: &pem::Error| unreadable("the certificate", path, error);
    let chain = CertificateDer::pem_file_iter(path).map_err(|error| read(&error))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| read(&error))?;
    if chain.is_empty() { Err(CertificateFault::NoCertificate { path: path.to_owned() }) } else { Ok(chain) }
}

fn unreadable(what: &'static str, path: &Path, error: &pem::Error) -> CertificateFault {
    let reason = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "it holds no such PEM block".to_owned(),
        // The others may show what the file holds.
        _ => "it is no PEM".to_owned(),
    };
    CertificateFault::Unreadable { what, path: path.to_owned(), reason }
}
