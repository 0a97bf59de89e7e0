//! Series that were named before. Senders of remote write say the same labels in each message, and to make a series
//! of them anew, with a text for each, would be most of the work of reading one.

use std::collections::HashMap;

use bellwether_core::labels::SeriesKey;

/// About how much memory is held.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What a series takes beside its texts and labels, at most.
const SERIES_BYTES: usize = 256;
/// What a label takes beside its texts: its place, and what the memory of each text takes.
const LABEL_BYTES: usize = 128;

/// A series, and how many bytes its labels had.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) key: SeriesKey,
    pub(super) label_bytes: usize,
}

impl Known {
    /// About what it takes with the bytes that named it.
    fn held_bytes(&self, labels: &[u8]) -> usize {
        // The bytes themselves, and each text of the series.
        2 * labels.len() + SERIES_BYTES + LABEL_BYTES * self.key.labels.len()
    }
}

/// Series by the very bytes that named them, for whoever decodes one message after the other; bounded.
///
/// When it is full it stays as it is, so that of more series than it has room for, some are still known. Once as many
/// unknown ones came as would fill it anew, a new round begins: what is not named again in it is then forgotten.
#[derive(Debug, Default)]
pub struct KnownSeries {
    by_bytes: HashMap<Box<[u8]>, Known>,
    /// Those of the round before that were not named in this one.
    before: HashMap<Box<[u8]>, Known>,
    /// Of both.
    held_bytes: usize,
    /// Bytes of series for which there was no room in this round.
    missed_bytes: usize,
}

impl KnownSeries {
    pub(super) fn get(&mut self, labels: &[u8]) -> Option<&Known> {
        if !self.before.is_empty()
            && let Some((labels, known)) = self.before.remove_entry(labels)
        {
            self.by_bytes.insert(labels, known);
        }
        self.by_bytes.get(labels)
    }

    pub(super) fn note(&mut self, labels: &[u8], known: Known) {
        let bytes = known.held_bytes(labels);
        if self.held_bytes + bytes > MOST_BYTES {
            self.missed_bytes += bytes;
            if self.missed_bytes < MOST_BYTES {
                return;
            }
            self.missed_bytes = 0;
            let forgotten = std::mem::replace(&mut self.before, std::mem::take(&mut self.by_bytes));
            self.held_bytes -= forgotten.iter().map(|(labels, known)| known.held_bytes(labels)).sum::<usize>();
            if self.held_bytes + bytes > MOST_BYTES {
                return;
            }
        }
        self.held_bytes += bytes;
        self.by_bytes.insert(labels.into(), known);
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::labels::{Labels, MetricName};

    use super::*;
    use crate::protocol::remote_write::{Version, decode, decode_knowing};

    fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn label(name: &str, value: &str) -> Vec<u8> {
        part(1, &[part(1, name.as_bytes()), part(2, value.as_bytes())].concat())
    }

    fn sample(at: u8) -> Vec<u8> {
        part(2, &[&[0x09][..], &1.5_f64.to_le_bytes(), &[0x10, at]].concat())
    }

    #[test]
    fn who_knows_the_series_reads_the_same() {
        let named = label("__name__", "m");
        let message = |parts: &[Vec<u8>]| part(1, &parts.concat());
        let first = message(&[named.clone(), label("a", "1"), sample(1), sample(2)]);
        // The same series, another one, one with a label behind its samples, and one without a name.
        let second = [
            message(&[named.clone(), label("a", "1"), sample(3)]),
            message(&[named.clone(), label("a", "2"), sample(3)]),
            message(&[named, label("a", "1"), sample(3), label("b", "2")]),
            message(&[label("a", "1"), sample(3)]),
        ]
        .concat();
        let mut known = KnownSeries::default();
        let mut read = |message| {
            let decoded = decode_knowing(&mut known, message, Version::V1, |_| None).unwrap();
            assert_eq!(decoded, decode(message, Version::V1, |_| None).unwrap());
            decoded
        };
        let (first, second) = (read(&first), read(&second));
        assert!(second.samples[0].key.is_clone_of(&first.samples[0].key));
        let labels: Vec<_> = second.samples.iter().map(|each| each.key.labels.to_string()).collect();
        assert_eq!(labels, [r#"{a="1"}"#, r#"{a="2"}"#, r#"{a="1", b="2"}"#]);
        assert_eq!(second.rejected.len(), 1);
    }

    /// Names series one after the other, as a sender does; how many of them were known.
    fn name_all(known: &mut KnownSeries, numbers: std::ops::Range<usize>) -> usize {
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::new([("a", "1")]).unwrap() };
        let mut hits = 0;
        for number in numbers {
            let labels = number.to_le_bytes();
            if known.get(&labels).is_some() {
                hits += 1;
            } else {
                known.note(&labels, Known { key: key.clone(), label_bytes: 0 });
            }
            let held = known.by_bytes.iter().chain(&known.before).map(|(labels, known)| known.held_bytes(labels));
            if number % 5_000 == 0 {
                assert_eq!(held.sum::<usize>(), known.held_bytes);
            }
            assert!(known.held_bytes <= MOST_BYTES);
        }
        hits
    }

    /// How many series there is room for.
    const ROOM: usize = MOST_BYTES / (2 * size_of::<usize>() + SERIES_BYTES + LABEL_BYTES);

    #[test]
    fn of_more_series_than_there_is_room_for_some_are_known() {
        let mut known = KnownSeries::default();
        assert_eq!(name_all(&mut known, 0..ROOM), 0);
        assert_eq!(name_all(&mut known, 0..ROOM), ROOM, "as many as there is room for are all known");
        let hits: Vec<_> = (0..6).map(|_| name_all(&mut known, 0..2 * ROOM)).collect();
        assert!(hits.iter().all(|hits| *hits > ROOM / 4), "{hits:?} of {ROOM}");
    }

    #[test]
    fn series_that_nobody_names_any_more_make_room() {
        let mut known = KnownSeries::default();
        name_all(&mut known, 0..ROOM);
        for _ in 0..4 {
            name_all(&mut known, ROOM..2 * ROOM);
        }
        assert_eq!(name_all(&mut known, ROOM..2 * ROOM), ROOM);
    }
}
