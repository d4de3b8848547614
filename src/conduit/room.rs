//! Whether there is room for what comes. A disk that is full half way costs nothing but time, so what cannot be told is tried.

use super::{ConduitError, found::Found, ready::Ready};
use crate::{fs::Dir, plan::conduit::Side};

impl Found {
    /// Refuses to begin what cannot be ended: the disk of a side has not the room for the files that come there.
    pub fn check_room(&self, ready: &Ready<'_>) -> Result<(), ConduitError> {
        for side in Side::BOTH {
            let Some(free) = ready.roots()[side as usize].and_then(|root| root.free()) else {
                continue;
            };
            let needed = self.coming(side, ready.roots());
            if needed > free {
                return Err(ConduitError::NoRoom { side, needed, free });
            }
        }
        Ok(())
    }

    /// The bytes of what comes to a side from the other one, as far as they are known.
    fn coming(&self, side: Side, roots: [Option<&Dir>; 2]) -> u64 {
        let changes = self.out.changes.iter().filter(|change| change.side == side);
        let comes = changes.flat_map(|change| {
            let (_, now) = change.paths();
            now.into_iter().map(|(path, _)| path)
        });
        let Some(root) = roots[side.other() as usize] else {
            return 0;
        };
        let from = &self.scans[side.other() as usize];
        comes
            .filter_map(|path| from.seen_in(root, path))
            .map(|seen| seen.len)
            .sum()
    }
}
