//! User name and password for http, from the URL or from git's credential helpers.
//!
//! `git credential fill|approve|reject` does the asking: helpers, askpass programs and the terminal work as the user
//! has set them up for git. Nothing of it is kept or shown here.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bstr::{BString, ByteSlice};
use gix_credentials::helper::{Action, NextAction};
use gix_credentials::protocol::{Context, ContextOptions, Outcome};
use gix_error::{ErrorExt, message};
use gix_sec::identity::Account;
use rustix::process::Signal;

use super::Prompt;
use super::deadline::Stop;
use super::git;
use super::process::{self, REPOSITORY_ENVIRONMENT};
use super::url::{RemoteUrl, bracketed};
use super::watch::Watch;

/// A helper that must not ask anybody should not need longer.
const UNATTENDED: Duration = Duration::from_secs(30);

/// Answers what gix's handshake asks when the server demands authentication.
pub(crate) struct Credentials {
    user: Option<String>,
    /// Of the URL; offered once, and never stored: it is not ours to put into a helper.
    password: Option<String>,
    from_url: bool,
    origin: (super::url::Scheme, String, Option<u16>),
    prompt: Prompt,
    cwd: PathBuf,
    watch: Arc<Watch>,
}

impl Credentials {
    pub(crate) fn new(url: &RemoteUrl, prompt: Prompt, cwd: PathBuf, watch: Arc<Watch>) -> Credentials {
        Credentials {
            user: url.user().map(str::to_owned),
            password: url.password().map(str::to_owned),
            from_url: false,
            origin: url.origin(),
            prompt,
            cwd,
            watch,
        }
    }

    /// Get, store or erase. Only `Get` has an outcome.
    pub(crate) fn act(&mut self, action: Action) -> gix_error::Result<Option<Outcome>> {
        match action {
            Action::Get(context) => self.get(context).map(Some),
            // A helper that cannot store must not spoil what just worked.
            Action::Store(payload) => {
                if !self.from_url {
                    self.ask("approve", &payload).ok();
                }
                Ok(None)
            }
            Action::Erase(payload) => {
                if !self.from_url {
                    self.ask("reject", &payload).ok();
                }
                Ok(None)
            }
        }
    }

    /// What there is for `url`, without having been told what the server wants.
    pub(crate) fn unasked(&mut self, url: BString) -> gix_error::Result<Outcome> {
        self.get(Context {
            url: Some(url),
            ..Context::default()
        })
    }

    /// Has helpers keep or forget what they gave. A helper that fails at that does not spoil what just worked.
    pub(crate) fn judge(&mut self, next: NextAction, right: bool) {
        let action = match right {
            true => next.store(),
            false => next.erase(),
        };
        self.act(action).ok();
    }

    fn get(&mut self, context: Context) -> gix_error::Result<Outcome> {
        let url = context.url.as_ref().and_then(|url| RemoteUrl::parse(url).ok());
        let url = url.ok_or_else(|| message("there is no URL to authenticate to").raise())?;
        // After a redirect to another port the URL's user is none of that server's business.
        let same = url.origin() == self.origin;
        let user = self.user.clone().filter(|_| same);
        let host = bracketed(url.host().unwrap_or_default());
        let asked = Context {
            protocol: Some(url.scheme().as_str().to_owned()),
            host: Some(match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host,
            }),
            path: Some(url.path().trim_start_with(|c| c == '/').into()),
            username: user.clone(),
            www_authenticate: context.www_authenticate,
            ..Context::default()
        };
        if let (true, Some(username), Some(password)) = (same, user, self.password.take()) {
            self.from_url = true;
            let identity = Account {
                username,
                password,
                oauth_refresh_token: None,
            };
            return Ok(Outcome {
                identity,
                next: NextAction::from(asked),
            });
        }
        self.from_url = false;
        let mut question = Vec::new();
        asked
            .write_to(&mut question)
            .map_err(|_| message("the URL cannot be put to a credential helper").raise())?;
        let answer = self.ask("fill", &question)?;
        let answer = Context::from_bytes(&answer, ContextOptions::default())
            // The parser's message may quote a line of the answer.
            .map_err(|_| message("git credential fill gave an answer that is none").raise())?;
        let (Some(username), Some(password)) = (answer.username.clone(), answer.password.clone()) else {
            return Err(message("git's credential helpers have no user name and password").raise());
        };
        let identity = Account {
            username,
            password,
            oauth_refresh_token: answer.oauth_refresh_token.clone(),
        };
        Ok(Outcome {
            identity,
            next: NextAction::from(answer),
        })
    }

    fn ask(&self, verb: &str, input: &[u8]) -> gix_error::Result<Vec<u8>> {
        let mut command = git::command();
        command.args(["credential", verb]).current_dir(&self.cwd);
        // Configuration given to this process alone stays: `git -c credential.helper=…` is meant for us.
        REPOSITORY_ENVIRONMENT.iter().for_each(|name| {
            command.env_remove(name);
        });
        match self.prompt {
            Prompt::Allowed => {}
            Prompt::Forbidden => {
                command.env("GIT_TERMINAL_PROMPT", "0").env("GCM_INTERACTIVE", "never");
            }
            Prompt::Never => {
                // An empty GIT_ASKPASS hides core.askPass and SSH_ASKPASS.
                command
                    .env("GIT_TERMINAL_PROMPT", "0")
                    .env("GCM_INTERACTIVE", "never")
                    .env("GIT_ASKPASS", "");
            }
        }
        let (own_group, limit) = match self.prompt {
            // A person may be asked, and takes as long as a person takes.
            Prompt::Allowed => (!super::has_terminal(), None),
            _ => (true, Some(UNATTENDED.min(self.watch.deadlines.idle))),
        };
        let failed = || message!("git credential {verb} gave nothing");
        let (status, output) = process::run(command, input, 64 << 10, own_group, limit, &self.watch)
            .map_err(|err| err.and_raise(failed()))?;
        if status.signal() == Some(Signal::INT.as_raw()) {
            // Ctrl-C at its question was meant for all of us.
            return Err(self.watch.stop(Stop::Interrupted).and_raise(failed()));
        }
        match status.success() {
            true => Ok(output),
            false => Err(failed().raise()),
        }
    }
}
