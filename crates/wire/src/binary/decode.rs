//! Bytes to frames, whatever the bytes are.

use bellwether_core::labels::{LabelError, Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, NotFinite, Sample};
use bellwether_core::sketch::SketchError;
use bellwether_core::summary::SummaryError;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::fields::{metadata, request, sample, time_series};
use super::protobuf::Reader;
use super::{MAX_FRAME_BYTES, MAX_LABEL_BYTES, histogram};
use crate::feed::{FeedFrame, FeedSeries, Follow, Phase};
use crate::ingest::NAME_LABEL;

/// Why bytes are no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than [`MAX_FRAME_BYTES`].
    #[error("the frame has {bytes} bytes; at most {MAX_FRAME_BYTES} are taken")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes end inside a field.
    #[error("the frame ends in the middle of a field")]
    Truncated,
    /// A number of more than 64 bits.
    #[error("a number has more than 64 bits")]
    Varint,
    /// A tag that no proto3 message holds.
    #[error("{tag:#x} is no tag of a field")]
    Tag {
        /// The tag.
        tag: u64,
    },
    /// A known field with another wire type.
    #[error("field {field} has the wrong wire type")]
    WireType {
        /// The field's number.
        field: u32,
    },
    /// A symbol that is no UTF-8.
    #[error("symbol {place} is not UTF-8")]
    Symbol {
        /// Its place.
        place: usize,
    },
    /// A name or a value that is no UTF-8.
    #[error("the name or the value of a label is not UTF-8")]
    NotUtf8,
    /// A reference to a symbol that is not there, or an odd number of references.
    #[error("a series refers to a symbol that is not there")]
    Reference,
    /// A header number that is too great for its field.
    #[error("field {field} of the request is out of range")]
    Header {
        /// The field's number.
        field: u32,
    },
    /// A series without a metric name.
    #[error("a series has no label {NAME_LABEL}")]
    NoName,
    /// A series whose names or labels are outside their limits.
    #[error("a series cannot be named: {0}")]
    Labels(#[from] LabelError),
    /// Names and values together longer than [`MAX_LABEL_BYTES`].
    #[error("the labels of all series together are longer than {MAX_LABEL_BYTES} bytes")]
    LabelsTooLong,
    /// A kind that nothing is known of.
    #[error("{number} is no kind")]
    Kind {
        /// Its number.
        number: u64,
    },
    /// Samples and histograms in one time series.
    #[error("a time series holds both samples and histograms")]
    Mixed,
    /// A value that is NaN or infinite.
    #[error("a sample's value is not finite")]
    NotFinite,
    /// Spans that do not fit the counts, or leave the numbers of value buckets.
    #[error("the spans of a histogram do not fit its counts")]
    Spans,
    /// A schema that is no scale.
    #[error("{schema} is no schema of an exponential histogram")]
    Schema {
        /// The schema.
        schema: i64,
    },
    /// A histogram of floats or of custom value buckets.
    #[error("a histogram has float counts or custom value buckets; only whole counts are taken")]
    FloatHistogram,
    /// A histogram without the extension fields that make it a summary.
    #[error("a histogram lacks the fields 1000 to 1007 that make it a summary")]
    PlainHistogram,
    /// Value buckets that make no sketch.
    #[error("a histogram is no sketch: {0}")]
    Sketch(#[from] SketchError),
    /// Fields that make no summary.
    #[error("a histogram is no summary: {0}")]
    Summary(#[from] SummaryError),
}

impl From<NotFinite> for DecodeError {
    fn from(NotFinite: NotFinite) -> Self {
        Self::NotFinite
    }
}

/// A frame from its bytes; a plain remote-write 2.0 message of samples is one too.
///
/// Fields that nothing is known of are skipped. Neighbouring time series with the same labels become
/// one series. Where the kind is not said it is the metadata's, else the one that the name implies,
/// else gauge. Memory: a small multiple of the bytes, and at most [`MAX_LABEL_BYTES`] for labels.
///
/// # Errors
/// [`DecodeError`] for bytes that are no such message; none of it is taken then.
pub fn decode(bytes: &[u8]) -> Result<FeedFrame, DecodeError> {
    if bytes.len() > MAX_FRAME_BYTES {
        return Err(DecodeError::TooLong { bytes: bytes.len() });
    }
    let mut frame = FeedFrame::default();
    let mut symbols = Vec::new();
    let mut fields = Reader::new(bytes);
    // Symbols may come after the series that refer to them, so the series wait for a second pass.
    while let Some((number, field)) = fields.field()? {
        match number {
            request::SYMBOLS => {
                let text = std::str::from_utf8(field.bytes(number)?)
                    .map_err(|_| DecodeError::Symbol { place: symbols.len() })?;
                symbols.push(text);
            }
            request::EPOCH => frame.header.epoch = field.unsigned(number)?,
            request::SEQ => frame.header.seq = field.unsigned(number)?,
            request::SUBSCRIPTION => {
                let subscription = u32::try_from(field.unsigned(number)?);
                frame.header.subscription = subscription.map_err(|_| DecodeError::Header { field: number })?;
            }
            request::HISTORY => {
                frame.header.phase = if field.unsigned(number)? == 0 { Phase::Live } else { Phase::History };
            }
            request::STEP_MS => frame.header.step = DurationMs::from_millis(field.unsigned(number)?),
            request::MORE => {
                frame.header.follow = if field.unsigned(number)? == 0 { Follow::End } else { Follow::More };
            }
            _ => {}
        }
    }
    let mut series = SeriesReader { symbols: &symbols, label_bytes: 0, references: Vec::new() };
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.field()? {
        if number == request::TIMESERIES {
            series.take(field.bytes(number)?, &mut frame.series)?;
        }
    }
    Ok(frame)
}

struct SeriesReader<'a> {
    symbols: &'a [&'a str],
    /// Bytes of names and values so far.
    label_bytes: usize,
    /// The references of the series before.
    references: Vec<u32>,
}

impl SeriesReader<'_> {
    fn take(&mut self, bytes: &[u8], all: &mut Vec<FeedSeries>) -> Result<(), DecodeError> {
        let mut references = Vec::new();
        let mut samples = Vec::new();
        let mut summaries = Vec::new();
        let mut kind = None;
        let mut metric_type = 0;
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            match number {
                time_series::LABELS_REFS => field.each_varint(number, |place| {
                    references.push(u32::try_from(place).map_err(|_| DecodeError::Reference)?);
                    Ok(())
                })?,
                time_series::SAMPLES => samples.push(read_sample(field.bytes(number)?)?),
                time_series::HISTOGRAMS => summaries.push(histogram::read(field.bytes(number)?)?),
                time_series::METADATA => metric_type = read_metric_type(field.bytes(number)?)?,
                time_series::KIND => kind = Some(kind_of(field.unsigned(number)?)?),
                _ => {}
            }
        }
        if !samples.is_empty() && !summaries.is_empty() {
            return Err(DecodeError::Mixed);
        }
        if let Some(before) = all.last_mut()
            && self.references == references
            && kind.is_none_or(|kind| kind == before.kind)
        {
            before.samples.append(&mut samples);
            before.summaries.append(&mut summaries);
            return Ok(());
        }
        let key = self.key(&references)?;
        let kind = kind.unwrap_or_else(|| implied_kind(key.metric.as_str(), metric_type));
        self.references = references;
        all.push(FeedSeries { key, kind, samples, summaries });
        Ok(())
    }

    fn key(&mut self, references: &[u32]) -> Result<SeriesKey, DecodeError> {
        let (pairs, []) = references.as_chunks::<2>() else { return Err(DecodeError::Reference) };
        let mut metric = None;
        let mut labels = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let [Some(name), Some(value)] = pair.map(|place| self.symbols.get(place as usize)) else {
                return Err(DecodeError::Reference);
            };
            // Each series keeps a copy: a few references to one long symbol must not fill the memory.
            self.label_bytes += name.len() + value.len();
            if self.label_bytes > MAX_LABEL_BYTES {
                return Err(DecodeError::LabelsTooLong);
            }
            if *name != NAME_LABEL {
                labels.push((*name, *value));
            } else if metric.replace(*value).is_some() {
                return Err(LabelError::Duplicate { label: NAME_LABEL.to_owned() }.into());
            }
        }
        let metric = MetricName::new(metric.ok_or(DecodeError::NoName)?)?;
        Ok(SeriesKey { metric, labels: Labels::new(labels)? })
    }
}

fn read_sample(bytes: &[u8]) -> Result<Sample, DecodeError> {
    let (mut value, mut timestamp) = (0.0, 0);
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.field()? {
        match number {
            sample::VALUE => value = field.double(number)?,
            sample::TIMESTAMP => timestamp = field.signed(number)?,
            _ => {}
        }
    }
    Ok(Sample::new(TimestampMs::new(timestamp), value)?)
}

fn read_metric_type(bytes: &[u8]) -> Result<u64, DecodeError> {
    let mut metric_type = 0;
    let mut fields = Reader::new(bytes);
    while let Some((number, field)) = fields.field()? {
        if number == metadata::TYPE {
            metric_type = field.unsigned(number)?;
        }
    }
    Ok(metric_type)
}

fn kind_of(number: u64) -> Result<Kind, DecodeError> {
    u8::try_from(number).ok().and_then(Kind::from_number).ok_or(DecodeError::Kind { number })
}

fn implied_kind(metric: &str, metric_type: u64) -> Kind {
    match metric_type {
        metadata::COUNTER => Kind::Counter,
        metadata::GAUGE => Kind::Gauge,
        _ => Kind::implied_by(metric).unwrap_or(Kind::Gauge),
    }
}
