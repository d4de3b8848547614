//! Which failures there are, and how each is waited out.

use std::time::Duration;

/// Why a sync or a listing failed, as far as it matters for when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Central is out of reach.
    Network,
    /// Central does not let this user in.
    Auth,
    /// Central does not accept the push. What comes in is not concerned.
    Refused,
    /// Another sync was running.
    Locked,
    /// Something on this machine is in the way.
    Local,
    /// A guard stopped it. Until files, branches or central change, another try would end the same.
    Guard,
}

impl Failure {
    /// The wait after so many of these in a row, the first being 0.
    pub fn wait(self, times: u32) -> Duration {
        let [first, longest] = match self {
            Failure::Network | Failure::Local => [15, 15 * 60],
            Failure::Auth | Failure::Refused => [5 * 60, 60 * 60],
            Failure::Locked => [2, 60],
            // Something that no survey sees, such as a setting that was confirmed, may have ended it.
            Failure::Guard => [30 * 60, 4 * 60 * 60],
        };
        let wait = Duration::from_secs(first).saturating_mul(2_u32.saturating_pow(times));
        wait.min(Duration::from_secs(longest))
    }

    /// Whether a change of own documents, branches or the configuration may have ended it.
    pub(super) fn is_of_this_machine(self) -> bool {
        matches!(self, Failure::Guard | Failure::Local | Failure::Refused)
    }
}

/// Failures of one kind in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failures {
    pub failure: Failure,
    times: u32,
}

impl Failures {
    /// What `before` becomes by one more.
    pub fn and(before: Option<Failures>, failure: Failure) -> Self {
        let times = match before {
            Some(before) if before.failure == failure => before.times.saturating_add(1),
            _ => 0,
        };
        Failures { failure, times }
    }

    /// How long to wait before the next try.
    pub fn wait(self) -> Duration {
        self.failure.wait(self.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_waited_out_in_its_own_way() {
        let seconds = |failure: Failure, count: u32| -> Vec<u64> {
            (0..count).map(|times| failure.wait(times).as_secs()).collect()
        };
        let network = [15, 30, 60, 120, 240, 480, 900, 900, 900];
        assert_eq!(seconds(Failure::Network, 9), network);
        assert_eq!(seconds(Failure::Local, 9), network);
        assert_eq!(seconds(Failure::Auth, 6), [300, 600, 1200, 2400, 3600, 3600]);
        assert_eq!(seconds(Failure::Locked, 7), [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(seconds(Failure::Guard, 5), [1800, 3600, 7200, 14400, 14400]);
        assert_eq!(Failure::Network.wait(u32::MAX).as_secs(), 900);
    }

    #[test]
    fn another_kind_begins_anew() {
        let twice = Failures::and(Some(Failures::and(None, Failure::Network)), Failure::Network);
        assert_eq!(twice.wait().as_secs(), 30);
        assert_eq!(Failures::and(Some(twice), Failure::Locked).wait().as_secs(), 2);
    }
}
