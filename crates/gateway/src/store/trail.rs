//! The trail of corrections: what became of samples after they were stored, when and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;

use super::codec::{CodecError, Reader, Writer, read_optional, write_optional};
use super::correction::MOST;
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::find::Target;
use super::redb_store::shielded;
use super::series::{read_key, write_key};
use super::snapshot::{DOING, Snapshot};
use super::tables;

const VERSION: u8 = 1;

/// What was done to samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A sample has another value or another time.
    Correct,
    /// Samples count no more.
    Withdraw,
    /// Samples are gone, and so is what the trail said of them.
    Erase,
}

impl Action {
    const ALL: [Self; 3] = [Self::Correct, Self::Withdraw, Self::Erase];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Withdraw => "withdraw",
            Self::Erase => "erase",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Correct => 0,
            Self::Withdraw => 1,
            Self::Erase => 2,
        }
    }
}

/// One correction of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it was made, by the gateway's clock.
    pub at: TimestampMs,
    /// Who made it: the name of a token or of a user.
    pub by: Arc<str>,
    /// What was done.
    pub action: Action,
    /// What it was about; `None` where that is erased.
    pub about: Option<About>,
}

/// What a correction was about.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The reference of the samples.
    pub reference: Arc<str>,
    /// Why, in the words of whoever made it.
    pub reason: Option<Arc<str>>,
    /// What became of each sample.
    pub samples: Vec<Changed>,
}

/// What became of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// Its series.
    pub series: SeriesKey,
    /// As it was.
    pub before: Sample,
    /// As it is since; `None` where it counts no more.
    pub after: Option<Sample>,
}

/// A part of the trail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    /// Corrections with their numbers, oldest first.
    pub entries: Vec<(u64, Entry)>,
    /// The number to go on with; `None` where there are no more.
    pub next: Option<u64>,
    /// Damage that was met: where it is not empty, corrections are missing.
    pub faults: Vec<Fault>,
}

/// A sample of a series, as something that is compared: its instant and the bits of its value.
pub(super) type Form = (SeriesKey, TimestampMs, u64);

pub(super) fn form(series: &SeriesKey, sample: Sample) -> Form {
    (series.clone(), sample.timestamp(), sample.value().to_bits())
}

/// Takes what is erased out of the trail, entry by entry, the newest first: what an entry says of a sample goes where
/// the sample is meant as it is now, or was when it was withdrawn, however often it was changed before.
pub(super) struct Erasing<'a> {
    target: &'a Target,
    /// The stored samples that are erased.
    taken: &'a BTreeSet<Form>,
    /// What newer entries say that samples were before, and whether those samples are meant.
    became: BTreeMap<Form, bool>,
}

impl<'a> Erasing<'a> {
    pub(super) fn new(target: &'a Target, taken: &'a BTreeSet<Form>) -> Self {
        Self { target, taken, became: BTreeMap::new() }
    }

    /// Takes out of an entry what it says of samples that are erased, and the reason, which may tell of them; what
    /// that was.
    pub(super) fn erase(&mut self, entry: &mut Entry) -> Vec<Changed> {
        let Some(about) = entry.about.as_mut().filter(|about| about.reference == self.target.reference) else {
            return Vec::new();
        };
        let erased: Vec<Changed> = about.samples.extract_if(.., |changed| self.means(changed)).collect();
        if !erased.is_empty() {
            about.reason = None;
        }
        if about.samples.is_empty() {
            entry.about = None;
        }
        erased
    }

    fn means(&mut self, Changed { series, before, after }: &Changed) -> bool {
        if !self.target.takes(series) {
            return false;
        }
        let last = after.unwrap_or(*before);
        let at_last = self.target.is_at(last.timestamp());
        let meant = match after.map(|after| form(series, after)) {
            None => at_last,
            // Samples that are alike cannot be told apart: rather one entry too many goes than one too few.
            Some(after) => match self.became.get(&after) {
                Some(meant) => *meant || self.taken.contains(&after),
                None => at_last,
            },
        };
        *self.became.entry(form(series, *before)).or_default() |= meant;
        meant
    }
}

impl Entry {
    pub(super) fn encode(&self, id: u64) -> Vec<u8> {
        let mut writer = Writer::new(VERSION);
        writer.signed(self.at.get());
        writer.slice(self.by.as_bytes());
        writer.byte(self.action.number());
        writer.byte(u8::from(self.about.is_some()));
        if let Some(About { reference, reason, samples }) = &self.about {
            writer.slice(reference.as_bytes());
            write_optional(&mut writer, reason.as_deref());
            writer.unsigned(samples.len() as u64);
            for Changed { series, before, after } in samples {
                write_key(&mut writer, series);
                write_sample(&mut writer, *before);
                writer.byte(u8::from(after.is_some()));
                if let Some(after) = after {
                    write_sample(&mut writer, *after);
                }
            }
        }
        writer.finish(&id.to_le_bytes())
    }

    pub(super) fn decode(id: u64, record: &[u8]) -> Result<Self, CodecError> {
        let (_, mut reader) = Reader::new(&id.to_le_bytes(), record, VERSION)?;
        let at = TimestampMs::new(reader.signed("the time")?);
        let by = Arc::from(reader.text("who made it")?);
        let number = reader.byte("the action")?;
        let action = Action::ALL.into_iter().find(|action| action.number() == number);
        let action = action.ok_or(CodecError::Range { field: "the action" })?;
        let mut entry = Self { at, by, action, about: None };
        if reader.byte("the mark of what it was about")? != 0 {
            let reference = Arc::from(reader.text("the reference")?);
            let reason = read_optional(&mut reader, "the reason")?;
            let count = reader.length("the samples")?;
            let mut samples = Vec::with_capacity(count);
            for _ in 0..count {
                let series = read_key(&mut reader)?;
                let before = read_sample(&mut reader)?;
                let after = match reader.byte("the mark of the sample that it became")? {
                    0 => None,
                    _ => Some(read_sample(&mut reader)?),
                };
                samples.push(Changed { series, before, after });
            }
            entry.about = Some(About { reference, reason, samples });
        }
        reader.finish()?;
        Ok(entry)
    }
}

fn write_sample(writer: &mut Writer, sample: Sample) {
    writer.signed(sample.timestamp().get());
    writer.float(sample.value());
}

fn read_sample(reader: &mut Reader<'_>) -> Result<Sample, CodecError> {
    let timestamp = TimestampMs::new(reader.signed("a timestamp")?);
    Sample::new(timestamp, reader.float("a value")?).map_err(|_| CodecError::Range { field: "a value" })
}

impl Snapshot {
    /// The corrections numbered `from` and above that were made in `(after, until]`, up to `most`, and so many that
    /// they tell of 10,000 samples together, as one alone may. Cost: reads those records of the trail.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn trail(
        &self,
        from: u64,
        (after, until): (TimestampMs, TimestampMs),
        most: usize,
    ) -> Result<Trail, StoreError> {
        shielded(|| {
            let (mut entries, mut samples, mut next, mut faults) = (Vec::new(), 0, None, Faults::default());
            let Some(trail) = self.table_if_there(tables::CORRECTIONS)? else { return Ok(Trail::default()) };
            for row in trail.range(from..).while_doing(DOING)? {
                let (id, record) = row.while_doing(DOING)?;
                let id = id.value();
                match Entry::decode(id, record.value()) {
                    Ok(entry) if after < entry.at && entry.at <= until => {
                        samples += entry.about.as_ref().map_or(0, |about| about.samples.len());
                        if !entries.is_empty() && (entries.len() >= most || samples > MOST) {
                            next = Some(id);
                            break;
                        }
                        entries.push((id, entry));
                    }
                    Ok(_) => {}
                    Err(reason) => faults.add(Fault { place: Place::Correction { id }, reason }),
                }
            }
            Ok(Trail { entries, next, faults: faults.named })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::{Labels, MetricName};

    fn key(metric: &str) -> SeriesKey {
        SeriesKey { metric: MetricName::new(metric).unwrap(), labels: Labels::new([("a", "b")]).unwrap() }
    }

    fn sample(at: i64) -> Sample {
        Sample::new(TimestampMs::new(at), 0.5).unwrap()
    }

    fn entry() -> Entry {
        let samples = vec![
            Changed { series: key("one"), before: sample(1), after: Some(sample(2)) },
            Changed { series: key("other"), before: sample(3), after: None },
        ];
        let about = About { reference: Arc::from("case 7"), reason: Some(Arc::from("typo")), samples };
        Entry { at: TimestampMs::new(9), by: Arc::from("desk"), action: Action::Withdraw, about: Some(about) }
    }

    #[test]
    fn an_entry_reads_back() {
        for entry in [entry(), Entry { action: Action::Erase, about: None, ..entry() }] {
            let record = entry.encode(4);
            assert_eq!(Entry::decode(4, &record), Ok(entry));
            assert_eq!(Entry::decode(5, &record), Err(CodecError::Checksum));
        }
    }

    #[track_caller]
    fn erased(target: &Target, expected: Option<usize>) {
        let mut entry = entry();
        let left = |entry: &Entry| entry.about.as_ref().map(|about| about.samples.len());
        let erased = Erasing::new(target, &BTreeSet::new()).erase(&mut entry).len();
        assert_eq!((erased, left(&entry)), (2 - expected.unwrap_or(0), expected));
        assert!(entry.about.is_none_or(|about| about.samples.len() == 2 || about.reason.is_none()));
    }

    #[test]
    fn what_is_erased_leaves_the_trail_too() {
        let whole = Target::new("case 7");
        erased(&whole, None);
        erased(&Target::new("case 8"), Some(2));
        erased(&Target { metric: Some(MetricName::new("one").unwrap()), ..whole.clone() }, Some(1));
        erased(&Target { metric: Some(MetricName::new("none").unwrap()), ..whole.clone() }, Some(2));
        erased(&Target { at: Some(TimestampMs::new(2)), ..whole.clone() }, Some(1));
        erased(&Target { labels: Labels::new([("a", "b")]).unwrap(), ..whole }, None);
    }

    /// What is left where the samples at `at` are erased, of moves of samples of one series, the oldest first.
    #[track_caller]
    fn left(moves: &[(i64, Option<i64>)], taken: &[i64], at: i64, expected: &[usize]) {
        let target = Target { at: Some(TimestampMs::new(at)), ..Target::new("case 7") };
        let taken = taken.iter().map(|at| form(&key("one"), sample(*at))).collect();
        let mut erasing = Erasing::new(&target, &taken);
        let moved = |(before, after): &(i64, Option<i64>)| {
            let samples = vec![Changed { series: key("one"), before: sample(*before), after: after.map(sample) }];
            Entry { about: Some(About { samples, reference: Arc::from("case 7"), reason: None }), ..entry() }
        };
        let gone = |(_, step): &(usize, &_)| erasing.erase(&mut moved(step)).is_empty();
        let mut left: Vec<_> = moves.iter().enumerate().rev().filter(gone).map(|(place, _)| place).collect();
        left.reverse();
        assert_eq!(left, expected, "{moves:?} {at}");
    }

    #[test]
    fn all_that_became_of_an_erased_sample_leaves_the_trail() {
        let twice = [(1, Some(2)), (2, Some(3))];
        left(&twice, &[3], 3, &[]);
        left(&twice, &[], 2, &[0, 1]);
        left(&twice, &[], 1, &[0, 1]);
        left(&[(1, Some(2)), (2, Some(3)), (3, None)], &[], 3, &[]);
        left(&[(1, Some(2)), (5, Some(6)), (2, Some(3))], &[3], 3, &[1]);
        left(&[(1, Some(2)), (2, Some(1)), (1, Some(3))], &[3], 3, &[]);
        left(&[(1, Some(2)), (2, Some(3))], &[2], 2, &[1]);
    }
}
