//! Whether the kernel tells of changes. Where it does not (there are as many watches as a user may have), files are looked at
//! from time to time, and it is asked again after pauses that double.

use std::time::Duration;

/// How often files are looked at where nothing tells of changes.
pub const LOOK: Duration = Duration::from_secs(5);
/// The first pause before the kernel is asked again.
const FIRST: Duration = Duration::from_secs(60);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// One process's.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    deaf: Option<Deaf>,
}

#[derive(Debug, Clone)]
struct Deaf {
    look: Duration,
    again: Duration,
    pause: Duration,
}

impl Hearing {
    /// Whether nothing tells of changes.
    pub fn is_deaf(&self) -> bool {
        self.deaf.is_some()
    }

    /// The kernel refused. Returns whether it had told of changes until then.
    pub fn refused(&mut self, now: Duration) -> bool {
        let pause = self.deaf.as_ref().map_or(FIRST, |deaf| (deaf.pause * 2).min(LONGEST));
        let was_deaf = self.is_deaf();
        self.deaf = Some(Deaf {
            look: now + LOOK,
            again: now + pause,
            pause,
        });
        !was_deaf
    }

    /// It tells of everything that was asked for.
    pub fn hears(&mut self) {
        self.deaf = None;
    }

    /// Whether to ask the kernel again now.
    pub fn asks_again(&self, now: Duration) -> bool {
        self.deaf.as_ref().is_some_and(|deaf| deaf.again <= now)
    }

    /// Whether to look at files now, as if something had happened.
    pub fn looks(&mut self, now: Duration) -> bool {
        match &mut self.deaf {
            Some(deaf) if deaf.look <= now => {
                deaf.look = now + LOOK;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day without watches: files are looked at all the time, the kernel is asked less and less often, and that is news once.
    #[test]
    fn it_is_asked_again_after_pauses_that_double() {
        let mut hearing = Hearing::default();
        let seconds = Duration::from_secs;
        assert!(!hearing.looks(seconds(0)) && !hearing.asks_again(seconds(0)));
        assert!(hearing.refused(seconds(0)));
        let (mut asked, mut looks) = (Vec::new(), 0);
        for second in 1..=86_400 {
            looks += u32::from(hearing.looks(seconds(second)));
            if hearing.asks_again(seconds(second)) {
                asked.push(second);
                assert!(!hearing.refused(seconds(second)), "that is no news");
            }
        }
        assert_eq!(asked[..7], [60, 180, 420, 900, 1860, 3780, 7380]);
        assert!(asked.len() < 30, "{asked:?}");
        assert!(looks > 17_000, "{looks}");
        hearing.hears();
        assert!(!hearing.is_deaf() && !hearing.looks(seconds(90_000)));
        assert!(hearing.refused(seconds(90_000)), "it had heard again");
        assert!(hearing.asks_again(seconds(90_060)));
    }
}
