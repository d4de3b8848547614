//! Times as people type them for git.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// The moment that `typed` means: a day (its end), a day and an hour of `zone`, either with an offset of its own, or what git
/// takes for one beside these, such as `2 weeks ago`.
pub fn moment(typed: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let at = |time: DateTime| Some(zone.to_zoned(time).ok()?.timestamp());
    if let Ok(time) = typed.parse::<Timestamp>() {
        return Some(time);
    }
    // A time is a date as well, to jiff.
    if typed.len() <= "2026-02-26".len()
        && let Ok(day) = typed.parse::<Date>()
    {
        return at(day.tomorrow().ok()?.to_datetime(jiff::civil::Time::midnight()))?
            .checked_sub(jiff::SignedDuration::from_secs(1))
            .ok();
    }
    if let Ok(time) = typed.parse::<DateTime>() {
        return at(time);
    }
    let time = gix::date::parse(typed, Some(now.to_zoned(zone.clone()))).ok()?;
    Timestamp::from_second(time.seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_hours_and_how_long_ago() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let said = |typed: &str| moment(typed, now, &zone).map(|time| time.to_string());
        for (typed, meant) in [
            ("2026-02-26", "2026-02-26T21:59:59Z"),
            ("2026-02-26 14:30", "2026-02-26T12:30:00Z"),
            ("2026-02-26T14:30:05", "2026-02-26T12:30:05Z"),
            ("2026-02-26T14:30:05Z", "2026-02-26T14:30:05Z"),
            ("2 weeks ago", "2026-02-15T12:00:00Z"),
            ("3 hours ago", "2026-03-01T09:00:00Z"),
        ] {
            assert_eq!(said(typed).as_deref(), Some(meant), "{typed}");
        }
        for nonsense in ["", "sometime", "1a2b3c4d"] {
            assert_eq!(said(nonsense), None, "{nonsense}");
        }
    }
}
