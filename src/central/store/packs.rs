//! Reading objects in the order of the packs that they lie in.

use std::fs;

use super::Store;
use crate::{
    central::{hash_kind, to_gix},
    names::ObjectId,
};

impl Store {
    /// Groups by the pack that the objects lie in, each group from front to end; what is in no pack comes last.
    pub fn by_pack<T>(&self, items: Vec<T>, id: impl Fn(&T) -> ObjectId) -> Vec<Vec<T>> {
        let packs = self.root.join("objects").join("pack");
        let indices: Vec<gix_pack::index::File> = fs::read_dir(packs)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "idx"))
            .filter_map(|path| gix_pack::index::File::at(path, hash_kind(self.format)).ok())
            .collect();
        let place = |item: &T| {
            let id = to_gix(id(item));
            indices
                .iter()
                .enumerate()
                .find_map(|(pack, index)| Some((pack, index.pack_offset_at_index(index.lookup(id)?))))
                .unwrap_or((usize::MAX, 0))
        };
        let mut placed: Vec<((usize, u64), T)> = items.into_iter().map(|item| (place(&item), item)).collect();
        placed.sort_by_key(|(place, _)| *place);
        let mut groups: Vec<Vec<T>> = Vec::new();
        let mut last = None;
        for ((pack, _), item) in placed {
            match groups.last_mut() {
                Some(group) if last == Some(pack) => group.push(item),
                _ => groups.push(vec![item]),
            }
            last = Some(pack);
        }
        groups
    }
}
