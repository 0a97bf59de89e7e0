//! The trail of corrections: what became of samples after they were stored, when and by whom.

use std::sync::Arc;

use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;

use super::codec::{CodecError, Reader, Writer, read_optional, write_optional};
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
    /// Damage that was met: where it is not empty, corrections are missing.
    pub faults: Vec<Fault>,
}

impl Entry {
    /// Takes out what it says of samples that are erased, and the reason, which may tell of them; what that was.
    pub(super) fn erase(&mut self, target: &Target) -> Vec<Changed> {
        let Some(about) = self.about.as_mut().filter(|about| about.reference == target.reference) else {
            return Vec::new();
        };
        let at = |sample: Sample| target.is_at(sample.timestamp());
        let meant = |changed: &mut Changed| {
            target.takes(&changed.series) && (at(changed.before) || changed.after.is_some_and(at))
        };
        let erased: Vec<Changed> = about.samples.extract_if(.., meant).collect();
        if !erased.is_empty() {
            about.reason = None;
        }
        if about.samples.is_empty() {
            self.about = None;
        }
        erased
    }

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
    /// The corrections numbered `from` and above that were made in `(after, until]`, up to `most`. Cost: reads those records of the trail.
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
            let (mut entries, mut faults) = (Vec::new(), Faults::default());
            let Some(trail) = self.table_if_there(tables::CORRECTIONS)? else { return Ok(Trail::default()) };
            for row in trail.range(from..).while_doing(DOING)? {
                let (id, record) = row.while_doing(DOING)?;
                let id = id.value();
                match Entry::decode(id, record.value()) {
                    Ok(entry) if after < entry.at && entry.at <= until => entries.push((id, entry)),
                    Ok(_) => {}
                    Err(reason) => faults.add(Fault { place: Place::Correction { id }, reason }),
                }
                if entries.len() >= most {
                    break;
                }
            }
            Ok(Trail { entries, faults: faults.named })
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
        let erased = entry.erase(target).len();
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
}
