//! What came before central's head: whether it grew out of the commit that this clone saw last, which versions of the own
//! documents it has left behind, and what it says of folders.
//!
//! What of the history is here is looked at first. Where that does not do, it is received without files, looked at, and dropped.

mod documents;
mod files;
mod folders;
mod lineage;

use super::{
    CentralError,
    fetch::{self, Stretch},
    objects::{self, Handle},
    remote::Remote,
    store::Store,
};
use crate::{
    names::ObjectId,
    send_pack::connect::{ConnectOptions, RemoteUrl},
};

pub use self::{
    documents::{Question, Told, tell},
    files::had,
    folders::{Owner, fate, owners},
    lineage::{last_held, lineage},
};

/// Where more of the history is to be had.
#[derive(Clone, Copy)]
pub struct Central<'a> {
    /// Its location.
    pub url: &'a RemoteUrl,
    /// How to connect to it.
    pub options: &'a ConnectOptions,
    /// The branch whose history it is.
    pub branch: &'a str,
}

/// What `look` finds in the history of `head` that is here or, where that is not enough (`None`), in what central has of it.
fn asked<T>(
    central: Central<'_>,
    store: &Store,
    head: ObjectId,
    stretch: Stretch<'_>,
    look: impl Fn(&Handle) -> Result<Option<T>, CentralError>,
) -> Result<Option<T>, CentralError> {
    if let Some(found) = look(&store.odb())? {
        return Ok(Some(found));
    }
    let mut remote = Remote::list(central.url, central.options, Some(central.branch))?;
    let found = store.aside(|aside| {
        fetch::stretch(&mut remote, central.options, head, stretch, aside)?;
        look(&objects::open(aside, store.format())?)
    });
    remote.close();
    found
}
