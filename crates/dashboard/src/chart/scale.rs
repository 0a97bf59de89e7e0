//! Axes: round steps for values, round times for time.

use bellwether_core::time::{DurationMs, TimestampMs};

/// A value axis: from `low` to `high` in steps of `step`, all of them round numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueAxis {
    /// The least value, a multiple of `step`.
    pub low: f64,
    /// The greatest value, a multiple of `step`, more than `low`.
    pub high: f64,
    /// The distance of two labels.
    pub step: f64,
}

impl ValueAxis {
    /// An axis that holds `least..=greatest` with about `steps` labels.
    ///
    /// It always holds zero: a line that falls by a tenth must not look like a collapse. Values beyond ±1e300 and NaN give the axis of nothing, 0 to 1.
    #[must_use]
    pub fn holding(least: f64, greatest: f64, steps: u32) -> Self {
        // NaN fails every comparison.
        if !(least.abs() < 1e300 && greatest.abs() < 1e300 && least <= greatest) {
            return Self { low: 0.0, high: 1.0, step: 1.0 };
        }
        let (least, greatest) = (least.min(0.0), greatest.max(0.0));
        let spread = if greatest > least { greatest - least } else { greatest.abs().max(1.0) };
        let step = round_step(spread / f64::from(steps.max(1)));
        let low = (least / step).floor() * step;
        let high = (greatest / step).ceil() * step;
        let high = if high > low { high } else { low + step };
        Self { low, high, step }
    }

    /// The labels' values, least first.
    pub fn ticks(self) -> impl Iterator<Item = f64> {
        let steps = ((self.high - self.low) / self.step).round().clamp(1.0, 100.0) as u32;
        (0..=steps).map(move |place| {
            let value = self.low + f64::from(place) * self.step;
            // The sum's last bits must not show as "-0" or "0.30000000000000004".
            if value.abs() < self.step * 1e-9 { 0.0 } else { value }
        })
    }

    /// Where `value` stands between `low` (0) and `high` (1).
    #[must_use]
    pub fn place(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is not under `rough`.
fn round_step(rough: f64) -> f64 {
    if rough <= 0.0 || !rough.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(rough.log10().floor());
    let digit = rough / power;
    let round = [1.0, 2.0, 2.5, 5.0].into_iter().find(|round| digit <= round * 1.000_001).unwrap_or(10.0);
    round * power
}

const TIME_STEPS_SECS: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200];

/// Round times in `from..=to`, at most `most` of them; whole minutes and hours of UTC, which are round
/// in every zone for steps of up to a quarter of an hour.
#[must_use]
pub fn time_ticks(from: TimestampMs, to: TimestampMs, most: usize) -> (DurationMs, Vec<TimestampMs>) {
    let span = to.since(from).as_millis();
    let rough = span / most.max(1) as u64;
    let step = TIME_STEPS_SECS.iter().map(|secs| secs * 1_000).find(|step| *step >= rough).unwrap_or_else(|| {
        let day = 86_400_000;
        rough.div_ceil(day) * day
    });
    // A step is at most the span rounded up to whole days: it fits.
    let signed = i64::try_from(step).unwrap_or(i64::MAX);
    let mut at = from.get().div_euclid(signed).saturating_mul(signed);
    let mut ticks = Vec::with_capacity(most);
    while at <= to.get() && ticks.len() <= most {
        if at >= from.get() {
            ticks.push(TimestampMs::new(at));
        }
        let Some(next) = at.checked_add(signed) else { break };
        at = next;
    }
    (DurationMs::from_millis(step), ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(least: f64, greatest: f64, expected: &[f64]) {
        let axis = ValueAxis::holding(least, greatest, 4);
        assert_eq!(axis.ticks().collect::<Vec<_>>(), expected, "{least}..{greatest}");
        assert!(axis.low <= least && greatest <= axis.high);
    }

    #[test]
    fn axes_are_round() {
        check(0.0, 1.0, &[0.0, 0.25, 0.5, 0.75, 1.0]);
        check(80.0, 390.0, &[0.0, 100.0, 200.0, 300.0, 400.0]);
        check(0.0, 0.0, &[0.0, 0.25]);
        check(5.0, 5.0, &[0.0, 2.0, 4.0, 6.0]);
        check(-5.0, 5.0, &[-5.0, -2.5, 0.0, 2.5, 5.0]);
        check(1000.0, 1010.0, &[0.0, 500.0, 1000.0, 1500.0]);
        check(-8.0, -2.0, &[-8.0, -6.0, -4.0, -2.0, 0.0]);
    }

    #[test]
    fn no_value_breaks_an_axis() {
        for value in [f64::NAN, f64::INFINITY, f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0, 1e-300] {
            for other in [0.0, value, f64::MAX] {
                let axis = ValueAxis::holding(value.min(other), value.max(other), 4);
                assert!(axis.high > axis.low && axis.step > 0.0, "{value} {other} {axis:?}");
                assert!(axis.ticks().all(f64::is_finite));
            }
        }
    }

    #[test]
    fn times_are_round() {
        let from = TimestampMs::new(1_700_000_123_456);
        let (step, ticks) = time_ticks(from, from + DurationMs::from_minutes(5), 6);
        assert_eq!(step, DurationMs::from_minutes(1));
        assert_eq!(ticks.len(), 5);
        assert!(ticks.iter().all(|at| at.get() % 60_000 == 0));
        let (step, ticks) = time_ticks(from, from + DurationMs::from_hours(1), 6);
        assert_eq!((step, ticks.len()), (DurationMs::from_minutes(10), 6));
        let (step, _) = time_ticks(from, from + DurationMs::from_days(90), 6);
        assert_eq!(step, DurationMs::from_days(15));
        assert_eq!(time_ticks(from, from, 6).1.len(), 0);
    }
}
