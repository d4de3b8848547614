//! All kinds of stop in one table: the name that scripts and tests know each by, its exit code, and the way out.
//!
//! The way out, done as it is written, ends the stop and destroys nothing. `tests/stops` plays a story for each row.

mod classify;
mod exit;
mod hint;
mod row;

pub use self::{
    classify::{dir, ends, row, state},
    exit::Exit,
    hint::{Hint, explain, explain_central, of_query, of_row, of_sync},
    row::Row,
};

/// Makes the enum, the list of all its values, and what the table says of each.
macro_rules! stops {
    ($($(#[$doc:meta])* $stop:ident($name:literal) $exit:ident $next:literal;)*) => {
        /// A kind of stop.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Stop {
            $($(#[$doc])* $stop,)*
        }

        impl Stop {
            /// All there are.
            pub const ALL: &[Stop] = &[$(Stop::$stop,)*];

            /// One word for it, which no other kind has.
            pub fn name(self) -> &'static str {
                match self {
                    $(Stop::$stop => $name,)*
                }
            }

            /// The exit code of a command that stops like this.
            pub fn exit(self) -> Exit {
                match self {
                    $(Stop::$stop => Exit::$exit,)*
                }
            }

            /// What to do, with `{…}` for what differs from stop to stop.
            fn next(self) -> &'static str {
                match self {
                    $(Stop::$stop => $next,)*
                }
            }
        }
    };
}

stops! {
    /// The command line is not understood.
    Usage("usage") Usage
        "`git metis-sync help` lists the commands, and `git metis-sync help COMMAND` says how one is used.";

    // The workspace.
    /// There is no `.metis/` with a config.toml.
    NoWorkspace("no-workspace") Error
        "Go to a folder with a .metis/ in it or above it, or set one up with `git metis-sync init --upstream URL \
         --prefix NAME`.";
    /// The folder to start in is not there.
    NoFolder("no-folder") Error
        "Go to a folder that is there and that you may read, or name one with -C.";
    /// `.metis/` is another user's.
    ForeignWorkspace("foreign-workspace") Error
        "If you trust who may write there, say so to git: `git config --global --add safe.directory {folder}`. Otherwise make a \
         workspace in a folder of your own.";
    /// It may be files of a checkout that look like a bare repository.
    BareNotNamed("bare-not-named") Error
        "If it has your plans, name it: `git --git-dir={repository} metis-sync`. Otherwise go to a work tree.";
    /// The bare repository is another user's.
    BareForeign("bare-foreign") Error
        "If you trust who may write there, say so to git: `git config --global --add safe.directory {repository}`.";
    /// The bare repository's branch says nothing of what to sync with.
    BareWithoutConfig("bare-without-config") Error
        "Set the workspace up in a clone (`git metis-sync init --upstream URL --prefix NAME`), commit that and push it. Plans in a \
         subfolder need a work tree: `git worktree add`.";
    /// The command is for files, and what is read is a branch.
    NoFiles("no-files") Error
        "Run it in a clone, or in a work tree: `git worktree add PATH {branch}`.";
    /// git left them out.
    LeftOut("left-out") Error
        "Have git bring it: `git sparse-checkout add {path}`.";

    // Files and folders that cannot be used.
    /// A link is where a file or folder should be.
    Link("link") Error
        "Put the file or folder itself there in place of the link, then sync again.";
    /// Something is where something else should be.
    InTheWay("in-the-way") Error
        "Move it away, then sync again.";
    /// A file or folder went away meanwhile.
    Gone("gone") Error
        "Bring it back, then sync again.";
    /// A file is larger than any of its kind.
    Large("large") Error
        "Make it smaller, or move it away, then sync again.";
    /// A file changes faster than it can be read.
    Restless("restless") Error
        "Let the program that writes it finish, then sync again.";
    /// The disk is full.
    Full("full") Error
        "Make room there, then sync again.";
    /// The system does not allow it.
    Denied("denied") Error
        "See to it that you may read and write there, then sync again.";
    /// The system cannot do it for another reason.
    Disk("disk") Error
        "See to it that this can be read and written, then sync again.";

    // config.toml.
    /// It is not text.
    ConfigText("config-text") Error
        "Save it as UTF-8, then sync again.";
    /// A merge was left in it.
    ConfigMarkers("config-markers") Error
        "Keep either side of each conflict and delete the lines of the markers, then sync again.";
    /// It is not TOML.
    ConfigSyntax("config-syntax") Error
        "Correct that line, then sync again.";
    /// A value breaks its rule.
    ConfigValue("config-value") Error
        "Correct that value, or delete it where it may be left out, then sync again.";
    /// That of the source branch cannot be used, and another branch is checked out.
    CommittedConfig("committed-config") Error
        "Mend it there: commit it in {branch}, then sync again.";
    /// The URL is of a kind that is not connected to.
    UpstreamUrl("upstream-url") Error
        "Use an https, http, ssh, git or file URL, or a path: `git metis-sync init --upstream URL`.";
    /// Central would be in the project.
    UpstreamInside("upstream-inside") Error
        "Name a repository outside of the project: `git metis-sync init --upstream URL`.";
    /// There is no central.
    NoUpstream("no-upstream") Error
        "Set it with `git metis-sync init --upstream URL`.";
    /// There is no owned folder.
    NoPrefix("no-prefix") Error
        "Choose one with `git metis-sync init --prefix NAME`, or use --pull-only.";

    // What this clone knows.
    /// A file of state, or its folder, is damaged or not ours.
    StateUnusable("state-unusable") Error
        "Move it away, then sync again: what this clone needs there is made anew.";
    /// A later version wrote it.
    StateLater("state-later") Error
        "Use that version. To go on with this one, move the file away: what this clone needs there is made anew.";
    /// There is no place for it.
    NoStateHome("no-state-home") Error
        "Set XDG_STATE_HOME to a folder of your own, then sync again.";
    /// git tracks it.
    StateTracked("state-tracked") Stopped
        "Take them out of git and out of the folder: `git rm -r -f .metis/.sync`, then commit, and sync again: what this clone \
         needs there it makes anew.";
    /// Another sync runs.
    Locked("locked") Locked
        "Try again when it is done.";
    /// Another watcher has the workspace.
    Watched("watched") Locked
        "`git metis-sync watch --status` shows how it goes there. End that one first, if this one is to take over.";
    /// Another central than before.
    UpstreamChanged("upstream-changed") Stopped
        "If the change is meant, confirm it with `git metis-sync init --upstream URL`; if it came with a pull, ask who made it.";
    /// Another folder than before.
    PrefixChanged("prefix-changed") Stopped
        "If the workspace has that name from now on, `git metis-sync workspace rename {old} {new}` moves its folder in central. To \
         begin {new}/ beside it: `git metis-sync init --prefix {new}`. If the change came with a pull and is not meant, put `prefix \
         = \"{old}\"` back under [workspace] in config.toml.";
    /// A setting that needs this clone's word.
    Unconfirmed("unconfirmed") Stopped
        "If the change is meant, confirm it with `git metis-sync trust {key}`; if it came with a pull, ask who made it.";

    // Which version, and whose.
    /// The project's remote is ahead.
    Stale("stale") Stopped
        "Pull first (`git pull`). --force would go on without, and put what is here over versions in central that are newer.";
    /// Documents changed on both sides.
    Diverged("diverged") Stopped
        "Everything else was synced. Pull the other clone's changes (git pull) and merge them, or decide with `git metis-sync \
         resolve`.";
    /// Most documents are gone.
    Deletes("deletes") Stopped
        "If they are meant to go, use --allow-deletes. Otherwise bring the files back first.";
    /// git is in the middle of something.
    Unfinished("unfinished") Stopped
        "Finish it or give it up ({commands}), then sync again.";
    /// The source branch is not here.
    NoSource("no-source") Stopped
        "Fetch it: `git fetch origin {refspec}`. Or let [sync] source in \
         .metis/config.toml name the branch whose plans central has.";
    /// The project's remote has the source branch no more.
    SourceLeftBehind("source-left-behind") Stopped
        "If the branch has another name there, let [sync] source in .metis/config.toml name that one. If it was deleted by \
         mistake, `git push {remote} {branch}` brings it back.";
    /// The source branch's files are not here.
    NoTree("no-tree") Error
        "`git fetch --refetch` completes this clone; without a remote, `git fsck` says what is damaged. Then sync again.";
    /// git does not answer.
    GitStalled("git-stalled") Error
        "Find out what holds git up (`git for-each-ref` in the project waits for the same thing), then sync again.";
    /// Two projects on one prefix.
    OtherProject("other-project") Stopped
        "Choose another name with `git metis-sync init --prefix NAME`. If this is the same project with a rewritten history, use \
         --adopt-project.";
    /// This project has another folder in central.
    Renamed("renamed") Stopped
        "To rename it in central: `git metis-sync workspace rename {old} {new}`. If {old}/ is right, put `prefix = \"{old}\"` back \
         under [workspace] in .metis/config.toml (`git pull`, if another clone renamed it).";
    /// Another clone renamed it.
    RenamedElsewhere("renamed-elsewhere") Stopped
        "`git metis-sync workspace rename {old} {new}` takes that over for this clone; `git pull` first, if the project's \
         config.toml has the new name already.";
    /// Another clone retired it.
    Retired("retired") Stopped
        "`git metis-sync workspace retire {prefix} --yes` takes note of that in this clone, which goes on reading the others. To \
         register it again: `git metis-sync init` after that.";

    // Renaming and retiring.
    /// It has that name.
    SameName("same-name") Stopped
        "There is nothing to do.";
    /// Nobody could copy a folder of that name.
    ReservedName("reserved-name") Stopped
        "Choose another name.";
    /// The name is in use.
    TakenName("taken-name") Stopped
        "Choose another name.";
    /// The folder is another workspace's.
    NotOurs("not-ours") Stopped
        "Only a clone of that workspace can do this, once it has synced. `git metis-sync status` says which folder is this one's.";
    /// There is no such folder.
    NoSuchFolder("no-such-folder") Stopped
        "`git metis-sync query workspace` lists those that there are; `git metis-sync init --prefix NAME` names a folder that is \
         still to be made.";
    /// Central is done, config.toml is not.
    NotConfigured("not-configured") Error
        "Put `prefix = \"{new}\"` under its [workspace], then run the same command again.";

    // Deciding documents.
    /// It waits for no decision.
    NothingOpen("nothing-open") Error
        "`git metis-sync resolve` lists the documents that do.";
    /// The source branch is not checked out.
    SourceElsewhere("source-elsewhere") Error
        "Check it out (`git checkout {branch}`), then run the same command again.";
    /// There is nothing to merge.
    OneSided("one-sided") Error
        "`git metis-sync resolve {code} --take local` keeps what is here, and `--take central` what is there.";
    /// git did not merge.
    NoMerge("no-merge") Error
        "`git metis-sync resolve {code} --take local` and `--take central` do without a merge.";

    // Central.
    /// There is nothing of it to compare with.
    NeverSynced("never-synced") Error
        "Sync first: `git metis-sync`.";
    /// It has no such workspace.
    NoSuchWorkspace("no-such-workspace") Error
        "`git metis-sync query workspace` lists those there are.";
    /// It is neither a commit nor a time that this clone knows.
    Since("since") Usage
        "`git metis-sync log` lists syncs with their times and central's commits: name one of these commits, or a time like \
         2026-02-26, 2026-02-26T14:30 or `3 days ago`.";
    /// Its history is another one.
    Rewound("rewound") Stopped
        "Find out who rewrote central. To go on with its new history, use --adopt-central.";
    /// It was made anew.
    Rehashed("rehashed") Stopped
        "Find out who made central anew. To go on with the new one, use --adopt-central.";
    /// Its branch has another name.
    BranchRenamed("branch-renamed") Stopped
        "Set [sync] branch = {branch} in .metis/config.toml and confirm it with `git metis-sync trust sync.branch`, then sync \
         again.";
    /// Its branch is gone.
    BranchGone("branch-gone") Stopped
        "Set [sync] branch = {branch} (or another of them) in .metis/config.toml and confirm it with `git metis-sync trust \
         sync.branch`, and sync with --adopt-central, if its history is the right one.";
    /// Nobody named its branch.
    NoBranch("no-branch") Stopped
        "Set [sync] branch = {branch} (or another of them) in .metis/config.toml and confirm it with `git metis-sync trust \
         sync.branch`, then sync again.";
    /// The cache of its objects cannot be used.
    ObjectCache("object-cache") Error
        "See to it that this folder can be used, or let XDG_CACHE_HOME name another one, then sync again.";
    /// There is no place for that cache.
    NoCacheHome("no-cache-home") Error
        "Set XDG_CACHE_HOME to a folder of your own, then sync again.";
    /// An object of it cannot be read.
    Object("object") Error
        "`git metis-sync doctor --fix` receives central's objects anew. If it stays like this, central is damaged: `git fsck` there \
         says what is wrong with it.";
    /// What it sent cannot be stored.
    Receive("receive") Error
        "Sync again. If it stays like this, central is damaged: `git fsck` there says what is wrong with it.";
    /// It holds something that is too large.
    CentralLarge("central-large") Error
        "Have that removed from central, then sync again.";
    /// It holds something else where a folder or a document belongs.
    CentralInTheWay("central-in-the-way") Error
        "Have that moved away in central, then sync again.";
    /// It does not accept the push.
    Refused("refused") Refused
        "Ask who runs central what its rules are.";
    /// Whether it took the push is not known.
    AnswerLost("answer-lost") Network
        "Run the sync again: it looks whether central has the push already, and sends it only if it has not.";
    /// Others are faster.
    Retries("retries") Moved
        "Sync again, or allow more with --max-retries.";
    /// The deadline passed.
    OutOfTime("out-of-time") Moved
        "Sync again, or allow more time with [sync] deadline_seconds.";
    /// Its server is not up to it.
    Unsupported("unsupported") Error
        "Central needs a git server that offers it.";

    // Conduits.
    /// A definition breaks a rule.
    ConduitDefinition("conduit-definition") Error
        "Correct it, then run the same command again.";
    /// There is none of this name.
    NoConduit("no-conduit") Error
        "`git metis-sync conduit list` shows those that there are.";
    /// There is one of this name.
    ConduitExists("conduit-exists") Error
        "Choose another name, or take that one away: `git metis-sync conduit remove {name}`.";
    /// This clone's user did not confirm the definition.
    NotEnabled("not-enabled") Stopped
        "`git metis-sync conduit show {name}` shows it, `git metis-sync conduit enable {name}` confirms it.";
    /// A folder cannot be used.
    Endpoint("endpoint") Stopped
        "Make the folder, mount it or put it back; what was synced before is remembered.";
    /// A side was a disk of its own.
    Unmounted("unmounted") Stopped
        "Mount it, then sync again. If it is a plain folder from now on: `git metis-sync conduit sync {name} --accept-deletes`.";
    /// Folders get in each other's way.
    Overlap("overlap") Stopped
        "Tie folders that lie apart, or take one of the conduits away: `git metis-sync conduit remove NAME`.";
    /// A mirror's first sync would replace what is there.
    FirstMirror("first-mirror") Stopped
        "If that is meant: `git metis-sync conduit sync {name} --accept-first`.";
    /// Most files would be deleted or overwritten.
    ConduitDeletes("conduit-deletes") Stopped
        "If that is meant: `git metis-sync conduit sync {name} --accept-deletes`. Otherwise bring the files back first.";
    /// The project's files come from another branch.
    OtherBranch("other-branch") Stopped
        "`git checkout {branch}`, then sync again.";
    /// There is no such generation.
    NoGeneration("no-generation") Error
        "`git metis-sync conduit history {name}` lists those that there are.";
    /// It waits for no decision.
    NotWaiting("not-waiting") Error
        "`git metis-sync conduit sync {name} --dry-run` lists what does.";
    /// The version that both had in common is gone.
    NoBase("no-base") Error
        "`git metis-sync conduit resolve {name} {path} --take alpha`, `--take beta` and `--take both` do without it.";
    /// The branch was rewound or is gone.
    ConduitRewound("conduit-rewound") Stopped
        "Find out who did that. To go on: `git metis-sync conduit sync {name} --adopt-central` takes it as a first sync, which \
         deletes nothing.";
    /// The branch is somebody else's to write.
    OtherWriter("other-writer") Stopped
        "Use another name for the branch, or, if it shall be this conduit's from now on: `git metis-sync conduit sync {name} \
         --accept-first`.";
    /// The branch holds more than a sync takes.
    ConduitLimit("conduit-limit") Stopped
        "Raise sync.limits.{key} in .metis/config.toml (`git metis-sync trust` confirms more than the default), or have what does \
         not belong there removed from the branch.";

    // The connection.
    /// It does not know us.
    Unauthenticated("unauthenticated") Auth
        "{detail}`git ls-remote` with central's address has to get in first; it takes the same way.";
    /// We do not know its host.
    HostKey("host-key") Auth
        "The host's key is not known on this machine: connect once with `ssh`, and compare the fingerprint.";
    /// It knows us and does not let us.
    Forbidden("forbidden") Refused
        "Ask whoever runs central for write access; an archived or read-only repository takes no pushes.";
    /// Who signed its certificate is not known.
    Certificate("certificate") Network
        "If its certificate is right, tell git of who signed it: http.sslCAInfo or GIT_SSL_CAINFO.";
    /// It cannot be reached, or does not answer.
    Unreachable("unreachable") Network
        "Check the network and the address, then sync again.";
    /// There is no repository.
    NoRepository("no-repository") Error
        "Check [sync] upstream_url in config.toml, and that you may read it.";
    /// git's configuration does not allow the address.
    Address("address") Error
        "Check central's address, what git's url.*.insteadOf makes of it, and what protocol.allow and GIT_ALLOW_PROTOCOL allow.";
    /// What answers is not git.
    NotGit("not-git") Error
        "The account must print nothing of its own when git logs in: look at the shell's start-up files on the server, and whether \
         the account is meant for git.";
    /// It breaks off or says what makes no sense.
    Talk("talk") Error
        "Sync again. If it stays like this, `git fsck` where central is says whether it is damaged.";
    /// Ctrl-C.
    Interrupted("interrupted") Interrupted
        "Run the sync again when you like.";

    // metis.db.
    /// Something is in its place.
    Database("database") Error
        "Move it away, then run `git metis-sync rebuild-cache`: all that is ours in it is made anew from the documents.";
    /// git tracks what is beside it.
    DatabaseTracked("database-tracked") Error
        "`git rm --cached` takes it out of git; delete it, commit that, and run `git metis-sync rebuild-cache`.";
    /// Somebody else uses it.
    DatabaseBusy("database-busy") Error
        "Close the program that uses it, then run `git metis-sync rebuild-cache`.";
    /// The system or SQLite does not let us.
    DatabaseDisk("database-disk") Error
        "See to it that this can be read and written, then run `git metis-sync rebuild-cache`.";
    /// It has nothing of this clone's.
    NotBuilt("not-built") Error
        "Run `git metis-sync rebuild-cache`.";
    /// A document cannot be shown or edited; the command says what to do.
    NotShown("not-shown") Error
        "{next}";
    /// No workspace has the document.
    NoSuchDocument("no-such-document") Error
        "If it is new, run `git metis-sync` or `git metis-sync rebuild-cache`.";
}
