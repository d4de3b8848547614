//! Three sorted lists side by side.

use std::collections::HashSet;

use super::listing::{Item, Listing, Side, path_order, with_folders};

/// A path that is not the same everywhere.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) path: &'a str,
    pub(super) base: Option<Item>,
    pub(super) sides: [Option<Item>; 2],
}

impl Row<'_> {
    pub(super) fn on(&self, side: Side) -> Option<Item> {
        self.sides[side as usize]
    }
}

/// The paths that are not the same in all three, but for those of which a side does not know what is there.
pub(super) fn join<'a>(base: &'a [(String, Item)], [alpha, beta]: [&'a Listing; 2]) -> Vec<Row<'a>> {
    let hidden: HashSet<&str> = [alpha, beta]
        .iter()
        .flat_map(|side| &side.unknown)
        .map(String::as_str)
        .collect();
    let is_hidden = |path| !hidden.is_empty() && with_folders(path).any(|path| hidden.contains(path));
    let lists = [base, &alpha.items, &beta.items];
    let mut at = [0; 3];
    let mut rows = Vec::new();
    loop {
        let heads = [0, 1, 2].map(|i| lists[i].get(at[i]));
        if let [Some(a), Some(b), Some(c)] = heads
            && a == b
            && b == c
        {
            at = at.map(|i| i + 1);
            continue;
        }
        let first = heads
            .iter()
            .flatten()
            .map(|(path, _)| path.as_str())
            .min_by(|a, b| path_order(a, b));
        let Some(path) = first else {
            return rows;
        };
        let items = heads.map(|head| head.filter(|(other, _)| other == path).map(|(_, item)| *item));
        for (at, item) in at.iter_mut().zip(items) {
            *at += usize::from(item.is_some());
        }
        let [base, alpha, beta] = items;
        let is_same = base == alpha && alpha == beta;
        if !is_same && !is_hidden(path) {
            rows.push(Row {
                path,
                base,
                sides: [alpha, beta],
            });
        }
    }
}
