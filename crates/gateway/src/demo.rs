//! The two stories as a simulation: a booking service and a grants office.
//!
//! Every sample is a pure function of the seed and of its instant, so that a stretch of time may be
//! asked for in one piece or in many and comes out the same: history at the start, then second by
//! second.

use bellwether_core::labels::{LabelError, Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_wire::ingest::{IngestedSample, Repeats};

/// How far back the grants office's cases reach.
pub(crate) const CASES_HISTORY: DurationMs = DurationMs::from_days(89);
/// How far back the booking service's requests reach.
pub(crate) const BOOKINGS_HISTORY: DurationMs = DurationMs::from_hours(1);

const SECOND_MS: i64 = 1_000;
const SLOT_MS: i64 = 15 * 60 * 1_000;
const DAY_MS: i64 = 86_400_000;

/// An agency of the simulated grants office.
struct Agency {
    name: &'static str,
    /// Start of its case numbers.
    prefix: &'static str,
    /// Days that a case takes at the start of the history, in the middle.
    days: f64,
    /// Days that this grows by within 90 days.
    slip: f64,
}

const AGENCIES: [Agency; 4] = [
    Agency { name: "Housing", prefix: "HA", days: 5.2, slip: 0.6 },
    Agency { name: "Education", prefix: "ED", days: 4.4, slip: -0.4 },
    Agency { name: "Health", prefix: "HE", days: 6.1, slip: 0.2 },
    Agency { name: "Small business", prefix: "SB", days: 7.4, slip: 3.1 },
];

const ROUTES: [(&str, f64); 3] = [("/slots", 0.55), ("/book", 0.35), ("/cancel", 0.1)];

/// The simulation.
#[derive(Debug)]
pub(crate) struct Demo {
    seed: u64,
    /// The instant that slips are counted from.
    began: TimestampMs,
    bookings: Vec<(f64, SeriesKey)>,
    offices: Vec<Office>,
}

/// The series of one agency.
#[derive(Debug)]
struct Office {
    resolution_time: SeriesKey,
    satisfaction: SeriesKey,
    conflict: SeriesKey,
}

impl Demo {
    /// A simulation whose slow drift began [`CASES_HISTORY`] before `now`.
    ///
    /// # Errors
    /// [`LabelError`] never in practice: the names are fixed and within the limits.
    pub(crate) fn new(seed: u64, now: TimestampMs) -> Result<Self, LabelError> {
        let key = |metric: &str, label: &str, value: &str| {
            Ok(SeriesKey { metric: MetricName::new(metric)?, labels: Labels::new([(label, value)])? })
        };
        let bookings = ROUTES
            .iter()
            .map(|(route, share)| Ok((*share, key("booking_response_time", "route", route)?)))
            .collect::<Result<_, LabelError>>()?;
        let offices = AGENCIES
            .iter()
            .map(|agency| {
                Ok(Office {
                    resolution_time: key("resolution_time", "agency", agency.name)?,
                    satisfaction: key("satisfaction", "agency", agency.name)?,
                    conflict: key("conflict", "agency", agency.name)?,
                })
            })
            .collect::<Result<_, LabelError>>()?;
        Ok(Self { seed, began: now - CASES_HISTORY, bookings, offices })
    }

    /// The booking service's requests in `(from, to]`: two to five a second, in milliseconds.
    ///
    /// Six minutes of every half hour are slow, enough to trip a rule over five minutes.
    #[must_use]
    pub(crate) fn bookings(&self, from: TimestampMs, to: TimestampMs) -> Vec<IngestedSample> {
        let mut samples = Vec::new();
        for second in slots(from, to, SECOND_MS) {
            let mut dice = Dice::new(self.seed, second);
            let slow = (second * SECOND_MS).rem_euclid(30 * 60 * SECOND_MS) >= 24 * 60 * SECOND_MS;
            let median = if slow { 620.0 } else { 130.0 };
            for _ in 0..2 + dice.below(4) {
                let timestamp = TimestampMs::new(second * SECOND_MS + dice.below(1_000));
                let mut share = dice.share();
                let route = self.bookings.iter().find(|(part, _)| {
                    share -= part;
                    share < 0.0
                });
                let value = (median * (0.35 * dice.normal()).exp()).round();
                if let Some((_, key)) = route {
                    push(&mut samples, key, timestamp, value, Kind::Observation, "ms", None);
                }
            }
        }
        within(samples, from, to)
    }

    /// The grants office's decided cases in `(from, to]`, on the weekdays: their days, the scores of
    /// those who answered the survey, and the conflicts.
    #[must_use]
    pub(crate) fn cases(&self, from: TimestampMs, to: TimestampMs) -> Vec<IngestedSample> {
        let mut samples = Vec::new();
        for slot in slots(from, to, SLOT_MS) {
            let start = slot * SLOT_MS;
            let hour = start.rem_euclid(DAY_MS) / 3_600_000;
            // 1970-01-01 was a Thursday.
            let weekday = (start.div_euclid(DAY_MS) + 3).rem_euclid(7);
            if weekday >= 5 || !(8..17).contains(&hour) {
                continue;
            }
            let mut dice = Dice::new(self.seed ^ 0x6772_616e_7473, slot);
            for (office, agency) in self.offices.iter().zip(&AGENCIES) {
                if dice.share() > 0.3 {
                    continue;
                }
                let timestamp = TimestampMs::new(start + dice.below(SLOT_MS));
                let passed = (timestamp.get() - self.began.get()) as f64 / (90 * DAY_MS) as f64;
                let days = (agency.days + agency.slip * passed) * (0.3 * dice.normal() - 0.045).exp();
                let days = (days * 10.0).round() / 10.0;
                let case = format!("{}-{:05}", agency.prefix, slot.rem_euclid(100_000));
                push(&mut samples, &office.resolution_time, timestamp, days, Kind::Observation, "days", Some(&case));
                if dice.share() < 0.6 {
                    let score = (5.4 - 0.2 * days + 0.4 * dice.normal()).clamp(1.0, 5.0);
                    let score = (score * 2.0).round() / 2.0;
                    push(&mut samples, &office.satisfaction, timestamp, score, Kind::Observation, "score", Some(&case));
                }
                if dice.share() < 0.03 {
                    push(&mut samples, &office.conflict, timestamp, 1.0, Kind::Event, "conflicts", Some(&case));
                }
            }
        }
        within(samples, from, to)
    }
}

/// The numbers of the slots of `width_ms` that `(from, to]` touches.
fn slots(from: TimestampMs, to: TimestampMs, width_ms: i64) -> std::ops::RangeInclusive<i64> {
    from.get().div_euclid(width_ms)..=to.get().div_euclid(width_ms)
}

fn within(mut samples: Vec<IngestedSample>, from: TimestampMs, to: TimestampMs) -> Vec<IngestedSample> {
    samples.retain(|sample| (from < sample.sample.timestamp()) && (sample.sample.timestamp() <= to));
    samples.sort_by_key(|sample| sample.sample.timestamp());
    for (index, sample) in samples.iter_mut().enumerate() {
        sample.index = index;
    }
    samples
}

fn push(
    samples: &mut Vec<IngestedSample>,
    key: &SeriesKey,
    timestamp: TimestampMs,
    value: f64,
    kind: Kind,
    unit: &str,
    case: Option<&str>,
) {
    if let Ok(sample) = Sample::new(timestamp, value) {
        samples.push(IngestedSample {
            index: samples.len(),
            key: key.clone(),
            sample,
            kind: Some(kind),
            suggested: None,
            repeats: Repeats::Count,
            unit: Some(unit.to_owned()),
            reference: case.map(str::to_owned),
        });
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), seeded by the slot.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, slot: i64) -> Self {
        Self(seed ^ slot.cast_unsigned().wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A whole number in `0..end`; `end` is greater than zero and small.
    fn below(&mut self, end: i64) -> i64 {
        (self.next() >> 33).cast_signed() % end
    }

    /// A share in `[0, 1)`.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A standard normal value, as the sum of twelve shares: within ±6, which a simulation bears.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);

    #[test]
    fn pieces_make_the_whole() {
        let demo = Demo::new(7, NOW).unwrap();
        let start = NOW - DurationMs::from_minutes(10);
        let middle = NOW - DurationMs::from_millis(222_345);
        let whole: Vec<_> = demo.bookings(start, NOW).into_iter().map(|sample| (sample.key, sample.sample)).collect();
        let pieces = [demo.bookings(start, middle), demo.bookings(middle, NOW)].concat();
        assert_eq!(whole, pieces.into_iter().map(|sample| (sample.key, sample.sample)).collect::<Vec<_>>());
        assert!((1_200..3_000).contains(&whole.len()), "{}", whole.len());
    }

    #[test]
    fn slow_spells_trip_the_rule() {
        let demo = Demo::new(7, NOW).unwrap();
        let mean = |from: i64, to: i64| {
            let half_hour = NOW.get() - NOW.get().rem_euclid(30 * 60_000);
            let samples = demo.bookings(TimestampMs::new(half_hour + from), TimestampMs::new(half_hour + to));
            samples.iter().map(|sample| sample.sample.value()).sum::<f64>() / samples.len() as f64
        };
        assert!(mean(0, 300_000) < 200.0);
        assert!(mean(25 * 60_000, 30 * 60_000) > 300.0);
    }

    #[test]
    fn cases_are_decided_on_working_days_and_slip() {
        let demo = Demo::new(7, NOW).unwrap();
        let samples = demo.cases(NOW - CASES_HISTORY, NOW);
        let of = |metric: &str| samples.iter().filter(|sample| sample.key.metric.as_str() == metric).count();
        assert!(of("resolution_time") > 1_500, "{}", of("resolution_time"));
        assert!(of("satisfaction") > 800 && of("conflict") > 20);
        for sample in &samples {
            let day = sample.sample.timestamp().get().div_euclid(DAY_MS) + 3;
            assert!(day.rem_euclid(7) < 5);
            assert!(sample.reference.is_some());
        }
        let mean_days = |from: DurationMs, to: DurationMs| {
            let days: Vec<f64> = demo
                .cases(NOW - from, NOW - to)
                .iter()
                .filter(|sample| sample.key.labels.get("agency") == Some("Small business"))
                .filter(|sample| sample.key.metric.as_str() == "resolution_time")
                .map(|sample| sample.sample.value())
                .collect();
            days.iter().sum::<f64>() / days.len() as f64
        };
        let early = mean_days(CASES_HISTORY, DurationMs::from_days(60));
        let late = mean_days(DurationMs::from_days(30), DurationMs::ZERO);
        assert!(late > early + 1.0, "{early} {late}");
    }
}
