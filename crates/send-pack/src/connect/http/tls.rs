//! TLS by rustls with ring: which certificates to trust and to show, and the connection itself.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
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
    let verifier = Arc::new(Verifier {
        trust: match settings.verify {
            true => Some(Trust::new(settings, provider.clone())?),
            false => None,
        },
        pinned_keys: settings.pinned_keys.clone(),
        algorithms: provider.signature_verification_algorithms,
    });
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

/// What a server has to show.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate of any name, as `http.sslVerify = false` has it.
    trust: Option<Trust>,
    /// `http.pinnedPubkey`: besides everything else the server's public key must be one of these, by their SHA-256.
    pinned_keys: Option<Vec<[u8; 32]>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// The server's `proof` that it has the key of the certificate that it shows, where that matters.
    fn proved(
        &self,
        proof: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.trust.is_some() || self.pinned_keys.is_some() {
            true => proof(&self.algorithms),
            false => Ok(HandshakeSignatureValid::assertion()),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(pinned) = &self.pinned_keys {
            let mut hasher = gix_hash::hasher(gix_hash::Kind::Sha256);
            hasher.update(&ParsedCertificate::try_from(end_entity)?.subject_public_key_info());
            let key = hasher.try_finalize().map_err(|err| Error::General(err.to_string()))?;
            if !pinned.iter().any(|pinned| pinned == key.as_slice()) {
                return Err(Error::General(
                    "the server's key is none of http.pinnedPubkey".to_owned(),
                ));
            }
        }
        match &self.trust {
            Some(trust) => trust.verify(end_entity, intermediates, server_name, ocsp_response, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proved(|algorithms| rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proved(|algorithms| rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
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

    fn verify(
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
