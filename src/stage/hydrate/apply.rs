//! Doing what a plan for the hydrated folders says.

use jiff::Timestamp;

use super::{FolderWork, HydratePlan, Hydrated, copy};
use crate::{
    central::{self, store::Store},
    fs::{self, DirError},
    names::{ObjectFormat, ObjectId, Prefix},
    plan::hydrate::{FolderPlan, Pulled},
    stage::{Context, Warning},
    text::Untrusted,
    workspace::{FolderWriter, Marker, OnDisk},
};

/// Does what the plan says: copies in all folders before any delete. `told` hears of files done and files in all.
pub fn apply(
    ctx: &Context<'_>,
    store: &Store,
    plan: &HydratePlan,
    now: Timestamp,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Hydrated, DirError> {
    let mut work = Work {
        ctx,
        format: store.format(),
        plan,
        stamp: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        out: Hydrated {
            folders: plan.in_step.clone(),
            unfinished: plan.unfinished.clone(),
            left_out: plan.left_out.clone(),
            warnings: plan.warnings.clone(),
            ..Hydrated::default()
        },
    };
    let copied = work.copy(store, now, told);
    if copied.iter().any(|(work, _)| !work.files.write.is_empty()) {
        // What is about to be called done has to survive a power loss.
        ctx.metis.dir().sync_all()?;
    }
    work.remove(copied);
    work.take_away();
    work.out.pulled.retain(|_, pulled| *pulled != Pulled::default());
    Ok(work.out)
}

struct Work<'w, 'a> {
    ctx: &'w Context<'a>,
    format: ObjectFormat,
    plan: &'w HydratePlan,
    /// The name of this sync among kept files.
    stamp: String,
    out: Hydrated,
}

impl<'w> Work<'w, '_> {
    fn open(&self, prefix: &'w Prefix) -> Result<FolderWriter<'w>, String> {
        let limit = self.ctx.limits.blob_bytes;
        FolderWriter::open(self.ctx.metis.dir(), &self.plan.survey, prefix, limit).map_err(|err| err.to_string())
    }

    /// Marks each folder as being changed and copies. Returns those whose files are all there.
    fn copy(
        &mut self,
        store: &Store,
        now: Timestamp,
        told: &mut dyn FnMut(usize, usize),
    ) -> Vec<(&'w FolderWork, FolderWriter<'w>)> {
        let mut works = Vec::new();
        let mut folders = Vec::new();
        for work in &self.plan.work {
            let marked = self.open(&work.prefix).and_then(|writer| {
                if let Ok(folder) = self.ctx.metis.dir().open_dir(work.prefix.as_str()) {
                    // Left by a run that was killed here; failing to tidy up is no reason to stop.
                    let _ = fs::sweep_temps(&folder, now.into());
                }
                if !work.files.is_empty() {
                    writer
                        .mark(&marker(self.ctx, work.from, Some(work.tree)))
                        .map_err(|err| err.to_string())?;
                }
                Ok(writer)
            });
            match marked {
                Ok(writer) => {
                    works.push(work);
                    folders.push(copy::Folder {
                        writer,
                        files: &work.files.write,
                    });
                }
                Err(reason) => self.fail(&work.prefix, reason),
            }
        }
        let terms = copy::Terms {
            limits: self.ctx.limits,
            left_out: store.left_out(),
            stamp: &self.stamp,
            interrupt: &self.ctx.connect.interrupt,
        };
        let outcomes = copy::copy(store, &folders, &terms, told);
        let mut whole = Vec::new();
        for ((work, folder), copied) in works.into_iter().zip(folders).zip(outcomes) {
            self.out.pulled.entry(work.prefix.clone()).or_default().written = copied.written;
            self.out.kept.extend(copied.kept);
            let skipped = copied.skipped.into_iter().map(Warning::Skipped);
            self.out.warnings.extend(skipped);
            match copied.failed {
                None => whole.push((work, folder.writer)),
                Some(reason) => self.fail(&work.prefix, reason),
            }
        }
        whole
    }

    /// Removes what is not in central any more from folders that have got everything else.
    fn remove(&mut self, folders: Vec<(&'w FolderWork, FolderWriter<'w>)>) {
        for (work, writer) in folders {
            let removed = self.remove_files(&work.files, &writer).and_then(|()| {
                writer
                    .mark(&marker(self.ctx, Some(work.tree), None))
                    .map_err(|err| err.to_string())
            });
            match removed {
                Ok(()) => drop(self.out.folders.insert(work.prefix.clone(), work.tree)),
                Err(reason) => self.fail(&work.prefix, reason),
            }
        }
    }

    /// The folders whose workspace is gone.
    fn take_away(&mut self) {
        for (prefix, files) in &self.plan.gone {
            match self.take_folder_away(prefix, files) {
                Ok(left) if left.is_empty() => {}
                Ok(left) => self.out.warnings.push(Warning::LeftOver {
                    prefix: prefix.clone(),
                    names: left.into_iter().map(Into::into).collect(),
                }),
                Err(reason) => self.fail(prefix, reason),
            }
        }
    }

    /// Returns what else is in the folder.
    fn take_folder_away(&mut self, prefix: &'w Prefix, files: &FolderPlan) -> Result<Vec<String>, String> {
        let writer = self.open(prefix)?;
        if self.plan.aside.contains(prefix) {
            let (documents, kept) = writer.set_aside(&self.stamp).map_err(|err| err.to_string())?;
            let prefix = prefix.clone();
            self.out.warnings.push(Warning::SetAside {
                prefix,
                documents,
                kept: kept.into(),
            });
        } else {
            self.remove_files(files, &writer)?;
        }
        writer.dissolve().map_err(|err| err.to_string())
    }

    fn remove_files(&mut self, files: &FolderPlan, writer: &FolderWriter<'_>) -> Result<(), String> {
        for remove in &files.remove {
            let name = remove.code.file_name();
            let hash = |bytes: &[u8]| central::blob_id(self.format, bytes);
            let found = writer.check(&name, &remove.ours, &hash);
            match found.map_err(|err| err.to_string())? {
                OnDisk::Absent | OnDisk::NotAFile => continue,
                OnDisk::Expected(_) => {}
                OnDisk::LocallyEdited(_) => {
                    let kept = writer.keep(&name, &self.stamp).map_err(|err| err.to_string())?;
                    self.out.kept.push(kept.into());
                }
            }
            writer.remove(&name).map_err(|err| err.to_string())?;
            self.out.pulled.entry(writer.prefix().clone()).or_default().removed += 1;
        }
        Ok(())
    }

    fn fail(&mut self, prefix: &Prefix, reason: impl Into<Untrusted>) {
        self.out.unfinished.insert(prefix.clone());
        self.out.warnings.push(Warning::FolderFailed {
            prefix: prefix.clone(),
            reason: reason.into(),
        });
    }
}

fn marker(ctx: &Context<'_>, tree: Option<ObjectId>, applying: Option<ObjectId>) -> Marker {
    Marker {
        central: ctx.upstream_name.clone(),
        tree,
        applying,
    }
}
