//! The ways to a session: a program is started, a server dialled or http prepared, and the handshake made.

use std::path::PathBuf;
use std::sync::Arc;

use bstr::ByteSlice;
use gix_credentials::helper::NextAction;
use gix_error::{ResultExt, message};
use gix_transport::client::blocking_io::Transport;
use gix_transport::{Protocol, Service};

use super::credentials::Credentials;
use super::errors::HttpReport;
use super::explain::{Explainer, Program};
use super::failure::ConnectError;
use super::gathered::Gathered;
use super::http::{self, Greeted, Greeting};
use super::process::{self, Running};
use super::session::Session;
use super::span::{Connection, ExchangeSpan};
use super::symrefs::WithoutSymrefs;
use super::url::{RemoteUrl, Scheme};
use super::watch::Watch;
use super::{ConnectOptions, Prompt, directory, helpers_dir, server, tcp};

/// Connect to `service` of the repository at `url` and perform the handshake.
///
/// `version` is what we ask for, the server may answer with less; for receiving a pack there is nothing after
/// version 1, and it is asked for instead. Local paths are relative to `options.cwd`.
///
/// The list of refs that the handshake brings along may have up to 64 MiB.
pub fn open(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
) -> Result<Session, ConnectError> {
    reach(url, service, version, options)?.shake_hands()
}

/// The same as far as it goes without waiting for the server: a program takes milliseconds to start and a host far away
/// longer, in which the caller can do something else.
pub fn reach(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
) -> Result<Reached, ConnectError> {
    Reached::by(url, service, version, options, Start::Greeting)
}

/// Where the credentials for an http server come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giver {
    /// `~/.netrc`.
    Netrc,
    /// The URL, or git's credential helpers.
    Asked,
}

impl Giver {
    /// Who may know the credentials for `url`, first to last, as git asks them: a password in the URL, `~/.netrc`, helpers.
    pub fn all(url: &RemoteUrl, options: &ConnectOptions) -> impl Iterator<Item = Giver> + use<> {
        let noted = options.settings.http.netrc(url).map(|_| Giver::Netrc);
        noted.into_iter().chain([Giver::Asked])
    }
}

/// The same, giving an http server credentials without being asked for them.
///
/// For servers that let everybody list the refs and demand authentication only when they are sent something. Say with
/// [`Session::credentials_work()`] whether they were right.
pub fn open_authenticated(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
    giver: Giver,
) -> Result<Session, ConnectError> {
    Reached::by(url, service, version, options, Start::Introduced(giver))?.shake_hands()
}

/// The same for a server that was greeted before: nothing is sent yet. The [`Greeting`] must be that of the same service at
/// the same URL; the refs that came with it are those of then.
pub fn open_known(
    greeting: Greeting,
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
) -> Result<Session, ConnectError> {
    Reached::by(url, service, version, options, Start::Known(greeting))?.shake_hands()
}

/// How an http session begins.
enum Start {
    Greeting,
    /// With our credentials.
    Introduced(Giver),
    /// Without a request.
    Known(Greeting),
}

/// What a handshake may bring: some 700,000 refs.
pub(super) const MAX_HANDSHAKE: u64 = 64 << 20;

/// A server that was reached, and not listened to yet.
#[must_use = "the server waits to be greeted"]
pub struct Reached {
    url: RemoteUrl,
    service: Service,
    giver: Option<Giver>,
    prompt: Prompt,
    helpers_dir: PathBuf,
    explainer: Explainer,
    connected: Connected,
    shaking_hands: ExchangeSpan,
    // Dropped last: what listens is told when all is over.
    connection: Connection,
}

impl Reached {
    fn by(
        url: &RemoteUrl,
        service: Service,
        version: Protocol,
        options: &ConnectOptions,
        start: Start,
    ) -> Result<Self, ConnectError> {
        let version = match service {
            Service::ReceivePack => Protocol::V1,
            Service::UploadPack => version,
        };
        let (giver, known) = match start {
            Start::Greeting => (None, None),
            Start::Introduced(giver) => (Some(giver), None),
            Start::Known(greeting) => (None, Some(greeting)),
        };
        let watch = Arc::new(Watch::new(options.deadlines, options.interrupt.clone()));
        let connection = Connection::new(url, service.as_str(), watch.clone());
        let shaking_hands = connection.exchange("handshake");
        let mut explainer = Explainer {
            url: url.to_string(),
            watch,
            http: None,
            program: None,
            welcomed: false,
        };
        if !options.settings.protocols.allow(url.scheme()) {
            return Err(ConnectError::not_allowed(url));
        }
        if !url.scheme().is_built_in() {
            return Err(ConnectError::left_out(url));
        }
        let connected = connected(url, service, version, options, (giver, known), &mut explainer)
            .map_err(|err| explainer.explain(&err))?;
        Ok(Reached {
            url: url.clone(),
            service,
            giver,
            prompt: options.prompt,
            helpers_dir: helpers_dir(options),
            explainer,
            connected,
            shaking_hands,
            connection,
        })
    }

    /// Performs the handshake.
    pub fn shake_hands(self) -> Result<Session, ConnectError> {
        let Reached {
            url,
            service,
            giver,
            prompt,
            helpers_dir,
            mut explainer,
            connected,
            shaking_hands,
            connection,
        } = self;
        // The last one is dropped first: a program sees its input end before it is told to.
        let Connected {
            program,
            greeted,
            mut transport,
        } = connected;
        let watch = explainer.watch.clone();
        let mut credentials = Credentials::new(&url, prompt, helpers_dir, watch.clone());
        watch.allow(Some(MAX_HANDSHAKE));
        let mut next = None;
        if giver == Some(Giver::Asked) && explainer.http.is_some() {
            let given = give(&mut credentials, &mut *transport);
            next = Some(given.map_err(|err| explainer.without_credentials(&err))?);
        }
        let authenticate = |action| credentials.act(action);
        let mut greeting = WithoutSymrefs::new(&mut *transport);
        let mut handshake = gix_protocol::handshake(
            &mut greeting,
            service,
            authenticate,
            Vec::new(),
            &mut gix_utils::progress::Discard,
        )
        .map_err(|err| explainer.explain(&err))?;
        if let Some(refs) = &mut handshake.refs {
            greeting.give_back(refs);
        }
        watch.allow(None);
        explainer.welcomed = true;
        drop(shaking_hands);
        Ok(Session {
            on_trial: next.map(|next| (credentials, next)),
            transport,
            handshake,
            service,
            sent_by_handshake: watch.sent(),
            explainer,
            greeted,
            program,
            connection,
        })
    }
}

/// A way to a server, on which nothing was said yet.
struct Connected {
    // Dropped before the program: it sees its input end before it is told to.
    transport: Box<dyn Transport + Send>,
    program: Option<Arc<Running>>,
    greeted: Option<Greeted>,
}

/// Starts, dials or prepares what leads to `url`; `explainer` learns what its failures can be told by.
fn connected(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
    (giver, known): (Option<Giver>, Option<Greeting>),
    explainer: &mut Explainer,
) -> std::io::Result<Connected> {
    let watch = explainer.watch.clone();
    let (mut program, mut greeted) = (None, None);
    let transport: Box<dyn Transport + Send> = match url.scheme() {
        Scheme::Http | Scheme::Https => {
            let report = Arc::new(HttpReport::default());
            explainer.http = Some(report.clone());
            let greeted = greeted.insert(Greeted::by(known)).clone();
            http::open(url, version, options, giver, greeted, &watch, report)?
        }
        Scheme::Git => Box::new(tcp::daemon(url, service, version, &watch)?),
        Scheme::Ssh | Scheme::File => {
            let spawned = server::start(&server::Starter {
                url,
                service,
                version,
                options,
                watch: &watch,
            })?;
            let running = Arc::new(spawned.running);
            let place = (url.scheme() == Scheme::File).then(|| directory(options).join(url.path().to_path_lossy()));
            explainer.program = Some(Program {
                running: Arc::downgrade(&running),
                place,
            });
            program = Some(running);
            let (read, write) = process::wires(spawned.stdin, spawned.stdout, &watch)?;
            Box::new(server::conversation(read, Gathered::new(write, service), url, version))
        }
    };
    Ok(Connected {
        transport,
        program,
        greeted,
    })
}

/// Asks for credentials and hands them to the transport; what is to become of them is returned.
fn give(credentials: &mut Credentials, transport: &mut (dyn Transport + Send)) -> gix_error::Result<NextAction> {
    let outcome = credentials.unasked(transport.to_url().into_owned())?;
    transport
        .set_identity(outcome.identity)
        .or_raise(|| message("the credentials cannot be used here"))?;
    Ok(outcome.next)
}
