//! TLS by rustls with ring: which certificates to trust and to show, and the connection itself.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls::{Error, StreamOwned};
use rustls_native_certs::{load_certs_from_paths, load_native_certs};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::super::text;
use super::settings::HttpSettings;

/// The TLS configuration for `settings`; reads the system's roots, so only to be called for a URL that needs it.
///
/// Fails with a sentence naming the file that cannot be used.
pub(super) fn config(settings: &HttpSettings) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match settings.verify {
        true => Arc::new(Trust::new(settings, provider.clone())?),
        false => Arc::new(NoTrust(provider.clone())),
    };
    let verifier = match &settings.pinned_keys {
        Some(keys) => Arc::new(Pinned {
            keys: keys.clone(),
            inner: verifier,
        }),
        None => verifier,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|err| err.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match &settings.client_cert {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let unusable = |path: &PathBuf, err: &dyn fmt::Display| format!("cannot use {}: {err}", name(path));
            let chain = CertificateDer::pem_file_iter(cert)
                .and_then(|certs| certs.collect::<Result<Vec<_>, _>>())
                .map_err(|err| unusable(cert, &err))?;
            let der = PrivateKeyDer::from_pem_file(key).map_err(|err| unusable(key, &err))?;
            builder
                .with_client_auth_cert(chain, der)
                .map_err(|err| unusable(cert, &err))?
        }
    };
    Ok(Arc::new(config))
}

/// A path as it may be shown.
fn name(path: &Path) -> String {
    text::line(path.as_os_str().as_encoded_bytes(), 400)
}

/// Trust as OpenSSL, and so git, has it: the usual rules, and besides a server certificate which is itself among the
/// configured ones, even if it is marked as a CA's, as self-signed certificates are by default.
#[derive(Debug)]
struct Trust {
    usual: Arc<WebPkiServerVerifier>,
    configured: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn new(settings: &HttpSettings, provider: Arc<CryptoProvider>) -> Result<Trust, String> {
        let file = settings.ca_file.as_deref();
        let place = file.or(settings.ca_dirs.first().map(PathBuf::as_path));
        let mut loaded = match place {
            Some(_) => load_certs_from_paths(file, None),
            None => load_native_certs(),
        };
        for dir in &settings.ca_dirs {
            let more = load_certs_from_paths(None, Some(dir));
            loaded.certs.extend(more.certs);
            loaded.errors.extend(more.errors);
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(loaded.certs.iter().cloned());
        if roots.is_empty() {
            let place = name(place.unwrap_or(Path::new("the system's store")));
            let reason = loaded
                .errors
                .first()
                .map_or_else(|| "there are none".to_owned(), ToString::to_string);
            return Err(format!("cannot read trusted certificates from {place}: {reason}"));
        }
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let configured = place.map_or(Vec::new(), |_| loaded.certs);
        Ok(Trust {
            usual: usual.map_err(|err| err.to_string())?,
            configured,
        })
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self
            .usual
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match usual {
            // The time of validity has been checked before this, the name has not.
            Err(Error::InvalidCertificate(CertificateError::Other(reason)))
                if reason.to_string() == "CaUsedAsEndEntity"
                    && self.configured.iter().any(|cert| cert == end_entity) =>
            {
                rustls::client::verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            usual => usual,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// `http.sslVerify = false`: any certificate of any name.
#[derive(Debug)]
struct NoTrust(Arc<CryptoProvider>);

impl ServerCertVerifier for NoTrust {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// `http.pinnedPubkey`: besides everything else the server's public key must be one of these.
#[derive(Debug)]
struct Pinned {
    /// Their SHA-256.
    keys: Vec<[u8; 32]>,
    inner: Arc<dyn ServerCertVerifier>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha256);
        hasher.update(&ParsedCertificate::try_from(end_entity)?.subject_public_key_info());
        let key = hasher.try_finalize().map_err(|err| Error::General(err.to_string()))?;
        if !self.keys.iter().any(|pinned| pinned == key.as_slice()) {
            return Err(Error::General(
                "the server's key is none of http.pinnedPubkey".to_owned(),
            ));
        }
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Wraps a connection in TLS if the URL, or that of an https proxy, wants it.
pub(super) struct Wrap(pub(super) Option<Arc<ClientConfig>>);

impl fmt::Debug for Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wrap")
    }
}

impl<In: Transport> Connector<In> for Wrap {
    type Out = Either<In, Secure>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(plain) = chained else { return Ok(None) };
        let Some(config) = self.0.clone().filter(|_| details.needs_tls() && !plain.is_tls()) else {
            return Ok(Some(Either::A(plain)));
        };
        let host = details
            .uri
            .host()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut adapter = TransportAdapter::new(plain.boxed(), details.current_time.clone());
        connection.complete_io(&mut adapter)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Secure {
            buffers,
            stream: StreamOwned::new(connection, adapter),
        })))
    }
}

/// One connection with TLS.
pub(super) struct Secure {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Secure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secure")
    }
}

impl Transport for Secure {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
