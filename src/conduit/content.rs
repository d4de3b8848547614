//! Contents of files that are no files here.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::{files::Obstacle, tip::Tip};
use crate::{
    central::{blob_id, objects, objects::Handle},
    names::ObjectId,
};

/// Contents that central has, for several threads.
pub struct Objects {
    odb: Option<Mutex<Handle>>,
    is_damaged: AtomicBool,
}

impl Objects {
    pub fn of(tip: Option<&Tip>) -> Self {
        Objects {
            odb: tip.map(|tip| Mutex::new(tip.store.odb())),
            is_damaged: AtomicBool::new(false),
        }
    }

    pub fn read(&self, id: ObjectId) -> Result<Vec<u8>, Obstacle> {
        let odb = self.odb.as_ref().and_then(|odb| odb.lock().ok());
        let read = odb.and_then(|odb| objects::blob(&odb, id, u64::MAX).ok().flatten());
        read.filter(|bytes| blob_id(id.format(), bytes) == id).ok_or_else(|| {
            self.is_damaged.store(true, Ordering::Relaxed);
            Obstacle::Damaged
        })
    }

    /// Whether something could not be read.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }
}
