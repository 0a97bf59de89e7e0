//! Series that were named before. Senders of remote write say the same labels in each message, and to make a series
//! of them anew, with a text for each, would be most of the work of reading one.

use std::collections::HashMap;

use bellwether_core::labels::SeriesKey;

/// About how much memory is held; beyond it all is forgotten, and begins anew.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What a series takes beside its texts, at most.
const SERIES_BYTES: usize = 512;

/// A series, and how many bytes its labels had.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) key: SeriesKey,
    pub(super) label_bytes: usize,
}

/// Series by the very bytes that named them, for whoever decodes one message after the other; bounded.
#[derive(Debug, Default)]
pub struct KnownSeries {
    by_bytes: HashMap<Box<[u8]>, Known>,
    held_bytes: usize,
}

impl KnownSeries {
    pub(super) fn get(&self, labels: &[u8]) -> Option<&Known> {
        self.by_bytes.get(labels)
    }

    pub(super) fn note(&mut self, labels: &[u8], known: Known) {
        // The bytes themselves, and each text of the series.
        let bytes = 2 * labels.len() + SERIES_BYTES;
        if self.held_bytes + bytes > MOST_BYTES {
            *self = Self::default();
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

    #[test]
    fn what_is_held_is_bounded() {
        let mut known = KnownSeries::default();
        let key = SeriesKey { metric: MetricName::new("m").unwrap(), labels: Labels::empty() };
        let most = MOST_BYTES / SERIES_BYTES;
        for number in 0..2 * most {
            known.note(&number.to_le_bytes(), Known { key: key.clone(), label_bytes: 0 });
            assert!(known.held_bytes <= MOST_BYTES && known.by_bytes.len() <= most);
        }
        assert!(known.get(&(2 * most - 1).to_le_bytes()).is_some(), "the newest is known");
        assert!(known.get(&0_usize.to_le_bytes()).is_none());
    }
}
