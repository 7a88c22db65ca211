//! What stands after the colon: numbers, ranges, durations, dates.

use jiff::civil::Date;
use jiff::{Span, Timestamp, Zoned};

/// Numbers from `low` to `high`, ends included unless open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    low_open: bool,
    high_open: bool,
}

impl Range {
    fn closed(low: f64, high: f64) -> Self {
        Self {
            low: low.min(high),
            high: low.max(high),
            low_open: false,
            high_open: false,
        }
    }

    pub(super) fn contains(self, number: f64) -> bool {
        let above = if self.low_open {
            number > self.low
        } else {
            number >= self.low
        };
        let below = if self.high_open {
            number < self.high
        } else {
            number <= self.high
        };
        above && below
    }
}

/// How one kind of number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole numbers: years, stars.
    Whole,
    /// Beats per minute and LUFS: a number alone means half a unit to either side.
    Measure,
    /// 0 to 1, or per cent with the sign.
    Share,
    /// `6:02`, `1:02:30`, `90s`, `6m`, `1.5h`, seconds without a unit.
    Duration,
}

/// A number as written, and how far from it a value still counts as that number.
struct Reading {
    number: f64,
    slack: f64,
}

/// Reads `128`, `120-128`, `120..128`, `120..`, `>=120`, `<0.5`. `exact`: a number alone allows no slack.
pub(super) fn range(text: &str, unit: Unit, exact: bool) -> Option<Range> {
    let compared = |rest: &str, make: fn(f64) -> Range| {
        let (reading, left) = number(rest, unit)?;
        left.is_empty().then(|| make(reading.number))
    };
    if let Some(rest) = text.strip_prefix(">=").or_else(|| text.strip_prefix('≥')) {
        return compared(rest, |low| Range::closed(low, f64::INFINITY));
    }
    if let Some(rest) = text.strip_prefix("<=").or_else(|| text.strip_prefix('≤')) {
        return compared(rest, |high| Range::closed(f64::NEG_INFINITY, high));
    }
    if let Some(rest) = text.strip_prefix('>') {
        return compared(rest, |low| Range {
            low_open: true,
            ..Range::closed(low, f64::INFINITY)
        });
    }
    if let Some(rest) = text.strip_prefix('<') {
        return compared(rest, |high| Range {
            high_open: true,
            ..Range::closed(f64::NEG_INFINITY, high)
        });
    }
    if let Some(rest) = text.strip_prefix("..") {
        return compared(rest, |high| Range::closed(f64::NEG_INFINITY, high));
    }
    let (first, rest) = number(text, unit)?;
    if rest.is_empty() {
        let slack = if exact { 0.0 } else { first.slack };
        return Some(Range::closed(first.number - slack, first.number + slack));
    }
    if rest == ".." {
        return Some(Range::closed(first.number, f64::INFINITY));
    }
    let second = rest
        .strip_prefix("..")
        .or_else(|| rest.strip_prefix('-'))
        .or_else(|| rest.strip_prefix('–'))?;
    compared(second, |high| Range::closed(high, high))
        .map(|end| Range::closed(first.number, end.high))
}

/// One number of the given kind from the front of `text`, and what follows it.
fn number(text: &str, unit: Unit) -> Option<(Reading, &str)> {
    let (number, rest) = decimal(text)?;
    let plain = |slack| Reading { number, slack };
    match unit {
        Unit::Whole => (number.fract() == 0.0).then_some((plain(0.0), rest)),
        Unit::Measure => Some((plain(0.5), rest)),
        Unit::Share => Some(match rest.strip_prefix('%') {
            Some(rest) => {
                let number = number / 100.0;
                (
                    Reading {
                        number,
                        slack: 0.005,
                    },
                    rest,
                )
            }
            None => (plain(0.005), rest),
        }),
        Unit::Duration => duration(number, rest),
    }
}

fn duration(first: f64, rest: &str) -> Option<(Reading, &str)> {
    if !first.is_sign_positive() {
        return None;
    }
    for (suffix, secs) in [('s', 1.0), ('m', 60.0), ('h', 3600.0)] {
        if let Some(rest) = rest.strip_prefix(suffix) {
            let reading = Reading {
                number: first * secs,
                slack: secs / 2.0,
            };
            return Some((reading, rest));
        }
    }
    let (mut secs, mut rest) = (first, rest);
    for _minutes_then_seconds in 0..2 {
        let Some(next) = rest.strip_prefix(':') else {
            break;
        };
        let (part, after) = decimal(next)?;
        if !(0.0..60.0).contains(&part) {
            return None;
        }
        (secs, rest) = (secs * 60.0 + part, after);
    }
    let reading = Reading {
        number: secs,
        slack: 0.5,
    };
    Some((reading, rest))
}

/// `-12`, `127.5`, `127,5` from the front of `text`.
fn decimal(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['-', '−']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    if whole == 0 {
        return None;
    }
    let (whole_text, mut rest) = unsigned.split_at_checked(whole)?;
    let mut written = whole_text.to_owned();
    if let Some(after_point) = rest.strip_prefix(['.', ',']) {
        let decimals = digits(after_point);
        if decimals > 0 {
            let (decimals, after) = after_point.split_at_checked(decimals)?;
            written = format!("{whole_text}.{decimals}");
            rest = after;
        }
    }
    let number: f64 = written.parse().ok()?;
    let sign = if unsigned.len() < text.len() {
        -1.0
    } else {
        1.0
    };
    number.is_finite().then_some((sign * number, rest))
}

/// A stretch of time: from the first moment until just before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Period {
    pub(super) fn contains(self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.until.is_none_or(|until| moment < until)
    }
}

/// Reads `7d` (the last seven days), `>7d` (before them), `2026`, `2026-11`, `2026-11-22`, `>=2026-11`,
/// `2026-01..2026-03`, `today`, `yesterday`. Days begin where the time zone of `now` says.
pub(super) fn period(text: &str, now: &Zoned) -> Option<Period> {
    if let Some(rest) = text.strip_prefix('<').filter(|rest| !rest.starts_with('=')) {
        return Some(match ago(rest, now) {
            Some(moment) => Period {
                from: Some(moment),
                until: None,
            },
            None => Period {
                from: None,
                until: Some(day_or_longer(rest, now)?.0),
            },
        });
    }
    if let Some(rest) = text.strip_prefix('>').filter(|rest| !rest.starts_with('=')) {
        return Some(match ago(rest, now) {
            Some(moment) => Period {
                from: None,
                until: Some(moment),
            },
            None => Period {
                from: Some(day_or_longer(rest, now)?.1),
                until: None,
            },
        });
    }
    if let Some(rest) = text.strip_prefix(">=") {
        let from = Some(day_or_longer(rest, now)?.0);
        return Some(Period { from, until: None });
    }
    if let Some(rest) = text.strip_prefix("<=") {
        let until = Some(day_or_longer(rest, now)?.1);
        return Some(Period { from: None, until });
    }
    if let Some((first, last)) = text.split_once("..") {
        let from = match first {
            "" => None,
            first => Some(day_or_longer(first, now)?.0),
        };
        let until = match last {
            "" => None,
            last => Some(day_or_longer(last, now)?.1),
        };
        return (from.is_some() || until.is_some()).then_some(Period { from, until });
    }
    if let Some(moment) = ago(text, now) {
        return Some(Period {
            from: Some(moment),
            until: None,
        });
    }
    let (from, until) = day_or_longer(text, now)?;
    Some(Period {
        from: Some(from),
        until: Some(until),
    })
}

/// The moment `12h`, `7d`, `2w`, `3m` or `1y` ago.
fn ago(text: &str, now: &Zoned) -> Option<Timestamp> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at_checked(digits)?;
    let count: i64 = count.parse().ok()?;
    let span = match unit {
        "h" => Span::new().try_hours(count),
        "d" => Span::new().try_days(count),
        "w" => Span::new().try_weeks(count),
        "m" => Span::new().try_months(count),
        "y" => Span::new().try_years(count),
        _ => return None,
    };
    Some(now.checked_sub(span.ok()?).ok()?.timestamp())
}

/// Start and end of a year, a month or a day.
fn day_or_longer(text: &str, now: &Zoned) -> Option<(Timestamp, Timestamp)> {
    let (first, span) = match text {
        "today" => (now.date(), Span::new().days(1)),
        "yesterday" => (now.date().yesterday().ok()?, Span::new().days(1)),
        _ => {
            let mut parts = text.split('-');
            let year = parts.next().filter(|year| year.len() == 4)?;
            let month = parts.next();
            let day = parts.next();
            if parts.next().is_some() {
                return None;
            }
            let span = match (month, day) {
                (None, _) => Span::new().years(1),
                (Some(_), None) => Span::new().months(1),
                (Some(_), Some(_)) => Span::new().days(1),
            };
            let part = |text: Option<&str>| text.map_or(Some(1), |text| text.parse().ok());
            (
                Date::new(year.parse().ok()?, part(month)?, part(day)?).ok()?,
                span,
            )
        }
    };
    let midnight = |date: Date| {
        let zoned = date.to_zoned(now.time_zone().clone()).ok()?;
        Some(zoned.timestamp())
    };
    Some((midnight(first)?, midnight(first.checked_add(span).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_take_what_they_say() {
        for (text, unit, inside, outside) in [
            (
                "128",
                Unit::Measure,
                &[127.5, 128.0, 128.5][..],
                &[127.49, 128.51][..],
            ),
            ("120-128", Unit::Measure, &[120.0, 128.0], &[119.99, 128.01]),
            ("128-120", Unit::Measure, &[120.0, 128.0], &[119.99, 128.01]),
            ("120..", Unit::Measure, &[120.0, 1e9], &[119.0]),
            ("..120", Unit::Measure, &[120.0, -1e9], &[121.0]),
            (">=120", Unit::Measure, &[120.0], &[119.9]),
            (">120", Unit::Measure, &[120.1], &[120.0]),
            ("<=120", Unit::Measure, &[120.0], &[120.1]),
            ("<120", Unit::Measure, &[119.9], &[120.0]),
            ("127,5..128.5", Unit::Measure, &[127.5, 128.5], &[127.4]),
            ("-12--8", Unit::Measure, &[-12.0, -8.0], &[-7.9, -12.1]),
            ("-9", Unit::Measure, &[-9.4, -8.6], &[-8.0]),
            ("2019", Unit::Whole, &[2019.0], &[2018.0, 2020.0]),
            ("<50%", Unit::Share, &[0.49], &[0.5]),
            ("0.8", Unit::Share, &[0.796, 0.804], &[0.79, 0.81]),
            ("6:02", Unit::Duration, &[361.6, 362.4], &[361.0, 363.0]),
            ("1:00:30", Unit::Duration, &[3630.0], &[3600.0]),
            ("3:00-6m", Unit::Duration, &[180.0, 360.0], &[179.0, 361.0]),
            ("6m", Unit::Duration, &[331.0, 389.0], &[329.0, 391.0]),
            (">1h", Unit::Duration, &[3601.0], &[3600.0]),
        ] {
            let range = range(text, unit, false).unwrap_or_else(|| panic!("{text}"));
            for number in inside {
                assert!(range.contains(*number), "{number} in {text}");
            }
            for number in outside {
                assert!(!range.contains(*number), "{number} not in {text}");
            }
            assert!(!range.contains(f64::NAN));
        }
    }

    #[test]
    fn damaged_ranges_are_refused() {
        for text in [
            "", "fast", "120-", "-", "..", "12x", ">", ">=", "1-2-3", "1..2..3", "128 ",
        ] {
            assert_eq!(range(text, Unit::Measure, false), None, "{text:?}");
        }
        for text in ["6:60", "-6:00", "6:", "1:2:3:4", "6d"] {
            assert_eq!(range(text, Unit::Duration, false), None, "{text:?}");
        }
        assert_eq!(range("4.5", Unit::Whole, false), None);
    }

    #[test]
    fn periods_follow_the_calendar_of_the_place() {
        let now: Zoned = "2026-11-22T15:00:00+01:00[Europe/Berlin]".parse().unwrap();
        for (text, inside, outside) in [
            ("7d", "2026-11-15T14:00:00Z", "2026-11-15T13:59:59Z"),
            (">7d", "2026-11-15T13:59:59Z", "2026-11-15T14:00:00Z"),
            ("<7d", "2026-11-15T14:00:00Z", "2026-11-15T13:59:59Z"),
            ("1m", "2026-10-22T13:00:00Z", "2026-10-22T12:59:59Z"),
            ("today", "2026-11-21T23:00:00Z", "2026-11-21T22:59:59Z"),
            ("yesterday", "2026-11-21T22:59:59Z", "2026-11-21T23:00:00Z"),
            ("2026-11-22", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"),
            ("2026-07", "2026-06-30T22:00:00Z", "2026-07-31T22:00:00Z"),
            ("2025", "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z"),
            (">=2025", "2024-12-31T23:00:00Z", "2024-12-31T22:59:59Z"),
            (">2025", "2025-12-31T23:00:00Z", "2025-12-31T22:59:59Z"),
            ("<=2025", "2025-12-31T22:59:59Z", "2025-12-31T23:00:00Z"),
            ("<2025", "2024-12-31T22:59:59Z", "2024-12-31T23:00:00Z"),
            (
                "2025..2026-02",
                "2026-02-28T22:59:59Z",
                "2026-02-28T23:00:00Z",
            ),
            ("2025..", "2030-01-01T00:00:00Z", "2024-12-31T22:59:59Z"),
        ] {
            let period = period(text, &now).unwrap_or_else(|| panic!("{text}"));
            assert!(
                period.contains(inside.parse().unwrap()),
                "{inside} in {text}"
            );
            assert!(
                !period.contains(outside.parse().unwrap()),
                "{outside} not in {text}"
            );
        }
        for text in [
            "",
            "d",
            "7",
            "7x",
            "2026-13",
            "2026-02-30",
            "26",
            "..",
            "99999999999999999999d",
            "9999999d",
            "2026-1-1-1",
        ] {
            assert_eq!(period(text, &now), None, "{text:?}");
        }
    }
}
