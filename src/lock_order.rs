//! The order in which locks are taken. Whoever holds one takes only later ones, so that no two wait for each other.
//!
//! Debug builds assert it, for each thread; a release build has nothing of it.

/// The locks, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// One worker of hooks at a time (`hook-running.lock`).
    HookRunning,
    /// One sync of a workspace at a time (`.sync/lock`).
    Workspace,
    /// Writers of this machine, one after the other.
    Turn,
    /// Whoever puts packs together, alone with the store.
    Repack,
    /// A transaction that writes to `metis.db`.
    Database,
}

/// Noted until it is dropped.
#[derive(Debug)]
#[must_use = "the lock counts as released when this is dropped"]
pub struct Held(#[cfg(debug_assertions)] Rank);

#[cfg(debug_assertions)]
thread_local!(static HELD: std::cell::RefCell<Vec<Rank>> = const { std::cell::RefCell::new(Vec::new()) });

/// Asserts that a lock of this rank may be waited for.
pub fn check(rank: Rank) {
    #[cfg(debug_assertions)]
    HELD.with_borrow(|held| {
        let later = held.iter().find(|held| **held >= rank);
        assert!(later.is_none(), "{rank:?} is taken while {later:?} is held");
    });
    #[cfg(not(debug_assertions))]
    let _ = rank;
}

/// Notes that this thread has a lock of this rank.
pub fn hold(rank: Rank) -> Held {
    check(rank);
    #[cfg(debug_assertions)]
    {
        HELD.with_borrow_mut(|held| held.push(rank));
        Held(rank)
    }
    #[cfg(not(debug_assertions))]
    Held()
}

#[cfg(debug_assertions)]
impl Drop for Held {
    fn drop(&mut self) {
        // Dropped by another thread than took it, it stays noted there: no thread of ours hands a lock on and takes another.
        let _ = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            if let Some(at) = held.iter().rposition(|held| *held == self.0) {
                held.remove(at);
            }
        });
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn later_locks_may_be_taken_and_given_back_in_any_order() {
        let workspace = hold(Rank::Workspace);
        let database = hold(Rank::Database);
        drop(workspace);
        check_fails(Rank::Turn);
        drop(database);
        drop(hold(Rank::HookRunning));
    }

    #[test]
    fn an_earlier_one_and_the_same_again_may_not() {
        let _turn = hold(Rank::Turn);
        for rank in [Rank::HookRunning, Rank::Workspace, Rank::Turn] {
            check_fails(rank);
        }
        check(Rank::Repack);
    }

    #[test]
    fn each_thread_has_its_own() {
        let _database = hold(Rank::Database);
        std::thread::spawn(|| check(Rank::HookRunning)).join().unwrap();
    }

    fn check_fails(rank: Rank) {
        assert!(std::panic::catch_unwind(|| check(rank)).is_err(), "{rank:?}");
    }
}
