//! The record of a series: its number, its name and labels, and its kind.

use super::codec::{CodecError, Reader, Writer};
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::Kind;

const VERSION: u8 = 1;

/// The number of a series in one store; given in order of appearance and never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesIx(pub(super) u32);

impl SeriesIx {
    #[cfg(test)]
    pub(crate) const fn for_tests(number: u32) -> Self {
        Self(number)
    }

    /// The number; series of one store are numbered from 0.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

pub(super) fn kind_of(number: u8) -> Result<Kind, CodecError> {
    Kind::from_number(number).ok_or(CodecError::Range { field: "the kind" })
}

pub(super) fn encode(ix: SeriesIx, key: &SeriesKey, kind: Kind) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.byte(kind.number());
    write_key(&mut writer, key);
    writer.finish(&ix.0.to_le_bytes())
}

/// The name and labels of a series.
pub(super) fn write_key(writer: &mut Writer, key: &SeriesKey) {
    writer.slice(key.metric.as_str().as_bytes());
    writer.unsigned(key.labels.len() as u64);
    for (name, value) in key.labels.iter() {
        writer.slice(name.as_bytes());
        writer.slice(value.as_bytes());
    }
}

pub(super) fn decode(ix: SeriesIx, record: &[u8]) -> Result<(SeriesKey, Kind), CodecError> {
    let (_, mut reader) = Reader::new(&ix.0.to_le_bytes(), record, VERSION)?;
    let kind = kind_of(reader.byte("the kind")?)?;
    let key = read_key(&mut reader)?;
    reader.finish()?;
    Ok((key, kind))
}

/// Reads what [`write_key`] wrote.
pub(super) fn read_key(reader: &mut Reader<'_>) -> Result<SeriesKey, CodecError> {
    let metric = MetricName::new(reader.text("the metric")?).map_err(|_| CodecError::Range { field: "the metric" })?;
    let count = reader.length("the labels")?;
    let mut pairs = Vec::with_capacity(count);
    for _ in 0..count {
        pairs.push((reader.text("a label's name")?, reader.text("a label's value")?));
    }
    let labels = Labels::new(pairs).map_err(|_| CodecError::Range { field: "the labels" })?;
    Ok(SeriesKey { metric, labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_reads_back() {
        let key = SeriesKey {
            metric: MetricName::new("http_requests_total").unwrap(),
            labels: Labels::new([("route", "/a"), ("method", "GÉT")]).unwrap(),
        };
        for kind in Kind::ALL {
            let record = encode(SeriesIx(7), &key, kind);
            assert_eq!(decode(SeriesIx(7), &record), Ok((key.clone(), kind)));
            assert_eq!(decode(SeriesIx(8), &record), Err(CodecError::Checksum));
        }
    }
}
