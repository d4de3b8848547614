//! Where central's objects lie on this machine: one folder per central in the user's cache directory.
//!
//! ```text
//! <cache>/git-metis-sync/<name of central>/
//!     objects/        packs and loose objects, no refs
//!     shallow         commits whose parents were never fetched, one id a line
//!     left-out        files that are too large to be received, one id a line
//!     incoming-*/     what a running process is receiving
//! <cache>/git-metis-sync/bells/<name of central>/
//!     rung            written anew when something was pushed: see [`bell`]
//! ```
//!
//! Rule: a commit that is here has everything it reaches here, except through the commits listed in `shallow`, and except
//! the files in `left-out`. So
//! nothing enters `objects/` before it is complete: [`Store::admit()`] receives into a private folder and moves
//! what came when all of it is there. Whoever is killed leaves only such a folder, which the next one sweeps.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{
    CentralError, ObjectFormat,
    objects::{self, Handle},
    repack, to_gix,
};
use crate::names::ObjectId;

mod area;
pub mod bell;
mod boundary;
mod in_use;
mod packs;
mod place;
mod private;

pub(crate) use area::Aside;
use area::{Area, move_objects, sweep};
pub(crate) use boundary::Boundary;
use boundary::ids;
use in_use::InUse;
use place::{folder, names, place};
pub use place::{rename, user_cache_dir};
pub use private::top;

/// The list of files that are too large to be received.
const LEFT_OUT: &str = "left-out";

/// The objects of one central.
pub struct Store {
    root: PathBuf,
    format: ObjectFormat,
    odb: Handle,
    left_out: BTreeSet<ObjectId>,
    in_use: InUse,
    suspicion: Suspicion,
    _scratch: Option<Area>,
}

/// The first object that could not be read where the work goes on without it: fetching anew may help.
#[derive(Debug, Default)]
pub struct Suspicion(OnceLock<ObjectId>);

impl Suspicion {
    /// Takes note of what `err` says.
    pub fn note(&self, err: &CentralError) {
        if let Some(id) = err.object() {
            let _ = self.0.set(id);
        }
    }

    /// The object, if there was any.
    pub fn object(&self) -> Option<ObjectId> {
        self.0.get().copied()
    }
}

impl Store {
    /// Opens, or creates, the store of the central that `key` names (all of its location but secrets) below `cache`.
    pub fn open(cache: &Path, key: &str, format: ObjectFormat) -> Result<Self, CentralError> {
        let root = place(cache, key, format);
        let packs = root.join("objects").join("pack");
        private::make(cache, &packs)?;
        // Here and not only before receiving: whoever was killed after that leaves a next one with nothing to receive.
        sweep(&root, false);
        let in_use = InUse::of(&packs);
        let odb = objects::open(&root.join("objects"), format)?;
        Ok(Store {
            left_out: ids(&root.join(LEFT_OUT)).into_iter().collect(),
            in_use,
            suspicion: Suspicion::default(),
            root,
            format,
            odb,
            _scratch: None,
        })
    }

    /// A store for one process that nobody else sees and that is gone with it. What the lasting store of the same
    /// central holds is visible through it, under whichever of its names: `keys` as for [`rename()`].
    pub fn scratch(cache: &Path, keys: [&str; 2], format: ObjectFormat) -> Result<Self, CentralError> {
        use std::os::unix::ffi::OsStrExt;
        let temp = std::env::temp_dir();
        sweep(&temp, true);
        let area = Area::create(&temp)?;
        let places = names(keys, format).map(|name| folder(cache, &name));
        let lasting_root = places.iter().find(|place| place.is_dir()).unwrap_or(&places[0]);
        let lasting = lasting_root.join("objects");
        private::check(cache, &lasting.join("pack"))?;
        let in_use = InUse::of(&lasting.join("pack"));
        if lasting.is_dir() {
            let info = area.objects().join("info");
            private::make_dirs(&info)
                .and_then(|()| private::write(&info.join("alternates"), lasting.as_os_str().as_bytes()))
                .map_err(CentralError::cache(&info, "written"))?;
        }
        let odb = objects::open(&area.objects(), format)?;
        Ok(Store {
            root: area.path.clone(),
            format,
            odb,
            left_out: ids(&lasting_root.join(LEFT_OUT)).into_iter().collect(),
            in_use,
            suspicion: Suspicion::default(),
            _scratch: Some(area),
        })
    }

    /// The folder that everything here lies in.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The hash that names the objects.
    pub fn format(&self) -> ObjectFormat {
        self.format
    }

    /// A handle for another thread.
    pub fn odb(&self) -> Handle {
        let mut handle = self.odb.clone();
        handle.refresh_never();
        handle.set_pack_cache(objects::pack_cache);
        handle
    }

    /// A handle of its own: what it maps into memory is given back when it and its clones are dropped.
    pub fn fresh_odb(&self) -> Result<Handle, CentralError> {
        let mut handle = objects::open(&self.root.join("objects"), self.format)?;
        handle.refresh_never();
        handle.set_pack_cache(objects::pack_cache);
        Ok(handle)
    }

    /// Whether an object is here.
    pub fn contains(&self, id: ObjectId) -> bool {
        use gix::objs::Exists;
        self.odb.exists(&to_gix(id))
    }

    /// The content of a blob, unless it is larger than `limit` bytes (`Ok(None)`).
    pub fn blob(&self, id: ObjectId, limit: u64) -> Result<Option<Vec<u8>>, CentralError> {
        if self.left_out.contains(&id) {
            return Ok(None);
        }
        objects::blob(&self.odb, id, limit)
    }

    /// For taking note of objects that cannot be read.
    pub fn suspicion(&self) -> &Suspicion {
        &self.suspicion
    }

    /// The files of central that are too large to be here.
    pub fn left_out(&self) -> &BTreeSet<ObjectId> {
        &self.left_out
    }

    fn leave_out(&mut self, files: BTreeSet<ObjectId>) -> Result<(), CentralError> {
        Boundary(self.root.join(LEFT_OUT)).add(&files.iter().copied().collect::<Vec<_>>())?;
        self.left_out.extend(files);
        Ok(())
    }

    /// The commits whose parents are not here.
    pub fn shallow(&self) -> Vec<ObjectId> {
        self.boundary().commits()
    }

    /// For noting commits whose parents will not come.
    pub(crate) fn boundary(&self) -> Boundary {
        Boundary(self.root.join("shallow"))
    }

    /// Lets `receive` put objects into a private folder (laid out like `objects/`), then moves them in. Nothing is
    /// moved if it fails.
    pub fn admit<T>(
        &mut self,
        receive: impl FnOnce(&Path, Handle) -> Result<T, CentralError>,
    ) -> Result<T, CentralError> {
        self.admit_partly(|area, bases| Ok((receive(area, bases)?, BTreeSet::new())))
    }

    /// Like [`admit()`](Self::admit), for what may lack files that are too large: `receive` says which.
    pub(crate) fn admit_partly<T>(
        &mut self,
        receive: impl FnOnce(&Path, Handle) -> Result<(T, BTreeSet<ObjectId>), CentralError>,
    ) -> Result<T, CentralError> {
        let area = Area::create(&self.root)?;
        let (out, left_out) = receive(&area.objects(), self.odb.clone())?;
        if !left_out.is_empty() {
            // Before the commit that has them.
            self.leave_out(left_out)?;
        }
        move_objects(&area.objects(), &self.root.join("objects"))?;
        self.repack(&area.objects())?;
        drop(area);
        self.odb = objects::open(&self.root.join("objects"), self.format)?;
        Ok(out)
    }

    /// Puts small packs together, if there are many and nobody else uses the store. `area` is empty and private.
    fn repack(&self, area: &Path) -> Result<(), CentralError> {
        let objects = self.root.join("objects");
        let Some(plan) = repack::census(&objects).ok().and_then(repack::plan) else {
            return Ok(());
        };
        let Some(_alone) = self.in_use.alone() else {
            return Ok(());
        };
        let odb = objects::open(&objects, self.format)?;
        // Where there is no room, or an object cannot be read, all stays as it is: whoever needs that one finds out, and
        // nobody else is to be held up by it.
        if let Ok(replaced) = repack::apply(&plan, &objects, area, &odb) {
            move_objects(area, &objects)?;
            for path in replaced {
                // What stays is there twice, which harms nobody.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// A private folder that is gone afterwards: for looking at objects that must not enter the store.
    pub fn aside<T>(&self, look: impl FnOnce(&Path) -> Result<T, CentralError>) -> Result<T, CentralError> {
        let area = Area::create(&self.root)?;
        look(&area.objects())
    }

    /// Throws everything away, as after a damage. Other processes that use the store find their objects missing and
    /// fetch anew.
    pub fn reset(&mut self) -> Result<(), CentralError> {
        let objects = self.root.join("objects");
        let doomed = self.root.join(format!("incoming-{:016x}", fastrand::u64(..)));
        fs::rename(&objects, &doomed).map_err(CentralError::cache(&objects, "reset"))?;
        let _ = fs::remove_dir_all(&doomed);
        for list in ["shallow", LEFT_OUT] {
            let _ = fs::remove_file(self.root.join(list));
        }
        self.left_out.clear();
        self.suspicion = Suspicion::default();
        let packs = objects.join("pack");
        private::make_dirs(&packs).map_err(CentralError::cache(&packs, "created"))?;
        self.in_use = InUse::of(&packs);
        self.odb = objects::open(&objects, self.format)?;
        Ok(())
    }
}
