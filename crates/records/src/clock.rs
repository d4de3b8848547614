//! A hybrid logical clock: the time of day as far as it goes forward, and a counter where it does not.

use std::{fmt, str::FromStr};

/// How far ahead of our clock a stamp may be for our clock to follow it, in milliseconds.
pub const MAX_AHEAD: u64 = 5 * 60 * 1000;

const COUNTER_BITS: u32 = 16;
/// The last millisecond that there is a stamp for, in the year 10889.
const LAST_MILLI: u64 = u64::MAX >> COUNTER_BITS;

/// When something was written: 48 bits of milliseconds since 1970, and 16 that count what was written in the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(u64);

impl Stamp {
    /// The first stamp of a millisecond, or of the last one there is.
    pub fn at(millis: u64) -> Self {
        Stamp(millis.min(LAST_MILLI) << COUNTER_BITS)
    }

    /// The stamp of these bits.
    pub fn from_bits(bits: u64) -> Self {
        Stamp(bits)
    }

    /// Its bits, which are ordered as stamps are.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> u64 {
        self.0 >> COUNTER_BITS
    }

    /// Whether it is further ahead of the time `now`, in milliseconds, than clocks may differ.
    pub fn is_ahead_of(self, now: u64) -> bool {
        self.millis() > now.saturating_add(MAX_AHEAD)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// It is not 16 hexadecimal digits in small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stamp is 16 hexadecimal digits")]
pub struct NotAStamp;

impl FromStr for Stamp {
    type Err = NotAStamp;

    fn from_str(digits: &str) -> Result<Self, NotAStamp> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 16 || !digits.bytes().all(is_digit) {
            return Err(NotAStamp);
        }
        u64::from_str_radix(digits, 16).map(Stamp).map_err(|_| NotAStamp)
    }
}

/// Every stamp that there is was given out: this device's clock stood at the end of all time when something was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock has come to its end: set this machine's time right")]
pub struct Exhausted;

/// What a stamp from elsewhere did to our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Our next stamp is later than it.
    Followed,
    /// It is too far ahead of the time to be followed. What it stamps counts all the same.
    TooFarAhead,
}

/// The clock of one device. It never goes back, whatever the machine's clock does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    last: Stamp,
}

impl Clock {
    /// Goes on after the last stamp that was given out or followed.
    pub fn resume(last: Stamp) -> Self {
        Clock { last }
    }

    /// The last stamp that was given out or followed, to be kept with what it stamps.
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// A stamp for something written at `now`, in milliseconds since 1970: later than every one before.
    pub fn tick(&mut self, now: u64) -> Result<Stamp, Exhausted> {
        let next = Stamp(self.last.0.checked_add(1).ok_or(Exhausted)?);
        self.last = next.max(Stamp::at(now));
        Ok(self.last)
    }

    /// Takes note of a stamp from elsewhere.
    pub fn receive(&mut self, stamp: Stamp, now: u64) -> Received {
        if stamp.is_ahead_of(now) {
            return Received::TooFarAhead;
        }
        self.last = self.last.max(stamp);
        Received::Followed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 1_800_000_000_000;

    #[test]
    fn stamps_go_forward_whatever_the_machine_says() {
        let mut clock = Clock::default();
        let times = [NOON, NOON, NOON - 3_600_000, NOON + 1, 0, NOON + 2];
        let stamps: Vec<Stamp> = times.iter().map(|now| clock.tick(*now).unwrap()).collect();
        assert!(stamps.is_sorted_by(|a, b| a < b), "{stamps:?}");
        assert_eq!(stamps[0].millis(), NOON);
        assert_eq!(
            stamps[2].bits() - stamps[0].bits(),
            2,
            "counted on in the same millisecond"
        );
        assert_eq!((stamps[3].millis(), stamps[5].millis()), (NOON + 1, NOON + 2));
    }

    #[test]
    fn a_full_counter_goes_into_the_next_millisecond() {
        let mut clock = Clock::resume(Stamp::from_bits(Stamp::at(NOON).bits() | 0xffff));
        assert_eq!(clock.tick(NOON).unwrap(), Stamp::at(NOON + 1));
        assert_eq!(Clock::resume(Stamp::from_bits(u64::MAX)).tick(NOON), Err(Exhausted));
        assert_eq!(Stamp::at(u64::MAX).millis(), LAST_MILLI);
    }

    #[test]
    fn a_clock_that_is_a_little_ahead_is_followed_and_no_other() {
        let mut clock = Clock::resume(Stamp::at(NOON));
        assert_eq!(clock.receive(Stamp::at(NOON - 5), NOON), Received::Followed);
        assert_eq!(clock.last(), Stamp::at(NOON));
        assert_eq!(clock.receive(Stamp::at(NOON + MAX_AHEAD), NOON), Received::Followed);
        assert!(clock.tick(NOON).unwrap() > Stamp::at(NOON + MAX_AHEAD));
        let before = clock;
        for ahead in [NOON + MAX_AHEAD + 1, u64::MAX] {
            assert_eq!(clock.receive(Stamp::at(ahead), NOON), Received::TooFarAhead);
        }
        assert_eq!(clock, before);
        assert_eq!(clock.receive(Stamp::at(u64::MAX), u64::MAX), Received::Followed);
    }

    #[test]
    fn stamps_are_read_as_they_are_written() {
        let stamp: Stamp = "0190a1b2c3d40000".parse().unwrap();
        assert_eq!(
            (stamp.to_string().as_str(), stamp.millis()),
            ("0190a1b2c3d40000", 0x0190_a1b2_c3d4)
        );
        for odd in [
            "",
            "190a1b2c3d40000",
            "0190A1B2C3D40000",
            "+190a1b2c3d40000",
            "0190a1b2c3d400000",
            "0190a1b2c3d4000ä",
        ] {
            assert_eq!(odd.parse::<Stamp>(), Err(NotAStamp), "{odd}");
        }
    }
}
