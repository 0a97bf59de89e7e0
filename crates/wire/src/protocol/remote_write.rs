//! Prometheus remote write: `prometheus.WriteRequest` (1.0) and `io.prometheus.write.v2.Request` (2.0),
//! both without their snappy block.
//!
//! Sources: the remote-write specifications 1.0 and 2.0-rc.4. Fields that nothing is known of are
//! skipped. A sample is one value a timestamp; its kind is what metadata says, else what the name
//! implies, else a gauge.

use bellwether_core::labels::{LabelError, Labels, MAX_LABELS, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;

use super::histogram::{self, Read, STALE};
use super::known::{Known, KnownSeries};
use super::{
    Delivered, DescribedMetric, IngestedHistogram, LabelBytes, Places, ProtocolError, negative_timestamp, not_finite,
    unnamed,
};
use crate::binary::DecodeError;
use crate::binary::fields::{metadata, request, sample, time_series};
use crate::binary::protobuf::Reader;
use crate::ingest::{
    IngestedSample, MAX_SAMPLES, MAX_UNIT_BYTES, NAME_LABEL, NAMED_BYTES, Rejection, RejectionCode, Repeats,
};
use crate::start::start_of;

/// Most metrics that one body may describe.
const MAX_DESCRIBED: usize = 10_000;

/// Labels of one series that are looked at; more than a series may have.
const MAX_LOOKED_AT: usize = 2 * MAX_LABELS;
/// Most symbols of one body.
const MAX_SYMBOLS: usize = 1 << 20;

/// A sample with what its series takes, where a series brings a few.
const LIKELY_SAMPLE_BYTES: usize = 24;

/// Fields of the messages of 1.0 that differ from those of 2.0.
mod v1 {
    pub(super) const TIMESERIES: u32 = 1;
    pub(super) const METADATA: u32 = 3;
    pub(super) const LABELS: u32 = 1;
    pub(super) const SAMPLES: u32 = 2;
    pub(super) const EXEMPLARS: u32 = 3;
    pub(super) const HISTOGRAMS: u32 = 4;
    pub(super) const LABEL_NAME: u32 = 1;
    pub(super) const LABEL_VALUE: u32 = 2;
    pub(super) const METADATA_TYPE: u32 = 1;
    pub(super) const METADATA_NAME: u32 = 2;
}

/// When the series began to count (2.0).
const CREATED_TIMESTAMP: u32 = 6;

/// The two versions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`
    V1,
    /// `io.prometheus.write.v2.Request`
    V2,
}

impl Version {
    /// The message's name, as content types have it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::V1 => "prometheus.WriteRequest",
            Self::V2 => "io.prometheus.write.v2.Request",
        }
    }

    /// The version that a `Content-Type` names; `None` for any type that is not taken.
    ///
    /// ```
    /// use bellwether_wire::protocol::remote_write::Version;
    /// let of = Version::of_content_type;
    /// assert_eq!(of("application/x-protobuf"), Some(Version::V1));
    /// assert_eq!(of("application/x-protobuf;proto=io.prometheus.write.v2.Request"), Some(Version::V2));
    /// assert_eq!(of("application/json"), None);
    /// ```
    #[must_use]
    pub fn of_content_type(header: &str) -> Option<Self> {
        let mut parts = header.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("application/x-protobuf") {
            return None;
        }
        let named = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("proto").then(|| value.trim().trim_matches('"'))
        });
        match named {
            None => Some(Self::V1),
            Some(name) => [Self::V1, Self::V2].into_iter().find(|version| version.message() == name),
        }
    }
}

/// Reads a body; `kind_of` says what was described of a metric before, in bodies of their own (1.0).
///
/// Memory: a small multiple of the bytes, and at most [`MAX_LABEL_BYTES`](crate::binary::MAX_LABEL_BYTES) for labels.
///
/// # Errors
/// [`ProtocolError`] where the body as a whole cannot be read; a fault of one sample or series is in
/// [`Delivered::rejected`] instead.
pub fn decode(
    bytes: &[u8],
    version: Version,
    kind_of: impl Fn(&str) -> Option<Kind>,
) -> Result<Delivered, ProtocolError> {
    decode_knowing(&mut KnownSeries::default(), bytes, version, kind_of)
}

/// The same for one message after the other: the series of a message of 1.0 that `known` has from one before are clones
/// of those, and those that it does not have are added.
///
/// # Errors
/// As [`decode`].
pub fn decode_knowing(
    known: &mut KnownSeries,
    bytes: &[u8],
    version: Version,
    kind_of: impl Fn(&str) -> Option<Kind>,
) -> Result<Delivered, ProtocolError> {
    // Room at once for as many as there mostly are: to grow into it copies them all several times.
    let likely = (bytes.len() / LIKELY_SAMPLE_BYTES).min(MAX_SAMPLES);
    let delivered = Delivered { samples: Vec::with_capacity(likely), ..Delivered::default() };
    let mut body = Body {
        known,
        version,
        symbols: Vec::new(),
        kind_of,
        label_bytes: LabelBytes::default(),
        pairs: Vec::new(),
        parts: Parts::default(),
        places: Places::default(),
        delivered,
    };
    body.read(bytes).map_err(|stop| match stop {
        Stop::Bytes(error) => ProtocolError::malformed(version.message())(error),
        Stop::Body(error) => error,
    })?;
    Ok(body.delivered)
}

/// Why reading ends before the body does.
enum Stop {
    Bytes(DecodeError),
    Body(ProtocolError),
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Bytes(error)
    }
}

impl From<ProtocolError> for Stop {
    fn from(error: ProtocolError) -> Self {
        Self::Body(error)
    }
}

struct Body<'a, 'k, K> {
    known: &'k mut KnownSeries,
    version: Version,
    symbols: Vec<&'a str>,
    kind_of: K,
    label_bytes: LabelBytes,
    /// The labels of the series under way.
    pairs: Vec<(&'a str, &'a str)>,
    /// Those of the series before, emptied: their room is used again.
    parts: Parts<'a>,
    places: Places,
    delivered: Delivered,
}

/// The parts of a time series, not yet read.
#[derive(Default)]
struct Parts<'a> {
    samples: Vec<&'a [u8]>,
    histograms: Vec<&'a [u8]>,
    metric_type: u64,
    unit: Option<&'a str>,
    created: Option<TimestampMs>,
}

impl Parts<'_> {
    fn emptied(mut self) -> Self {
        self.samples.clear();
        self.histograms.clear();
        Self { samples: self.samples, histograms: self.histograms, ..Self::default() }
    }
}

impl<'a, K: Fn(&str) -> Option<Kind>> Body<'a, '_, K> {
    fn read(&mut self, bytes: &'a [u8]) -> Result<(), Stop> {
        let series_field = match self.version {
            Version::V1 => v1::TIMESERIES,
            Version::V2 => {
                // Symbols may come after the series that refer to them.
                let mut fields = Reader::new(bytes);
                while let Some((number, field)) = fields.field()? {
                    if number == request::SYMBOLS {
                        let place = self.symbols.len();
                        if place >= MAX_SYMBOLS {
                            return Err(DecodeError::Reference.into());
                        }
                        let text = std::str::from_utf8(field.bytes(number)?);
                        self.symbols.push(text.map_err(|_| DecodeError::Symbol { place })?);
                    }
                }
                request::TIMESERIES
            }
        };
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            if number == series_field {
                self.series(field.bytes(number)?)?;
            } else if self.version == Version::V1 && number == v1::METADATA {
                self.describe(field.bytes(number)?)?;
            }
        }
        Ok(())
    }

    fn series(&mut self, bytes: &'a [u8]) -> Result<(), Stop> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.pairs.clear();
        let mut parts = std::mem::take(&mut self.parts).emptied();
        let key = match self.version {
            Version::V1 => self.series_of_v1(bytes, &mut parts)?,
            Version::V2 => {
                self.parts_of_v2(bytes, &mut parts)?;
                // The metric's name is among them.
                self.label_bytes.add("", &self.pairs)?;
                self.key()
            }
        };
        self.deliver(key, &parts)?;
        self.parts = parts;
        Ok(())
    }

    /// The key of a series of 1.0, and its parts. Its labels come first, as every sender writes them; were they
    /// elsewhere, they would be read all the same.
    fn series_of_v1(&mut self, bytes: &'a [u8], parts: &mut Parts<'a>) -> Result<Result<SeriesKey, LabelError>, Stop> {
        let mut fields = Reader::new(bytes);
        let mut rest = bytes;
        while let Some((v1::LABELS, _)) = fields.field()? {
            rest = fields.rest();
        }
        let labels = &bytes[..bytes.len() - rest.len()];
        self.parts_of_v1(rest, parts)?;
        let are_first = self.pairs.is_empty();
        if are_first && let Some(known) = self.known.get(labels) {
            self.label_bytes.add_bytes(known.label_bytes)?;
            return Ok(Ok(known.key.clone()));
        }
        self.parts_of_v1(labels, parts)?;
        // The metric's name is among them.
        self.label_bytes.add("", &self.pairs)?;
        let key = self.key();
        if are_first && let Ok(key) = &key {
            let label_bytes = self.pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
            self.known.note(labels, Known { key: key.clone(), label_bytes });
        }
        Ok(key)
    }

    fn deliver(&mut self, key: Result<SeriesKey, LabelError>, parts: &Parts<'a>) -> Result<(), Stop> {
        let key = match key {
            Ok(key) => key,
            Err(error) => {
                for _ in 0..parts.samples.len() + parts.histograms.len() {
                    let index = self.places.next()?;
                    self.delivered.rejected.push(unnamed(index, &error));
                }
                return Ok(());
            }
        };
        let name = key.metric.as_str();
        let described = kind_of_type(parts.metric_type).or_else(|| (self.kind_of)(name));
        let kind = described.or_else(|| Kind::implied_by(name)).unwrap_or(Kind::Gauge);
        // Said once a series: what it is of need not be told with each sample.
        let mut unit = parts.unit.filter(|unit| !unit.is_empty() && unit.len() <= MAX_UNIT_BYTES).map(str::to_owned);
        for bytes in &parts.samples {
            let index = self.places.next()?;
            self.sample(index, &key, kind, bytes, &mut unit)?;
        }
        for bytes in &parts.histograms {
            let index = self.places.next()?;
            match histogram::read(bytes, parts.created)? {
                Read::Point(point) if point.at.get() < 0 => {
                    self.delivered.rejected.push(negative_timestamp(index, &key, point.at.get()));
                }
                Read::Point(point) => {
                    let (key, unit) = (key.clone(), unit.take());
                    self.delivered.histograms.push(IngestedHistogram { index, key, point, unit });
                }
                Read::Ended(at) => self.delivered.ended.push((key.clone(), at)),
                Read::Refused(reason) => {
                    let series = start_of(&key, NAMED_BYTES);
                    let message = format_args!("{series} has a histogram that cannot be kept: {reason}");
                    self.delivered.rejected.push(Rejection::new(index, RejectionCode::BadHistogram, message));
                }
            }
        }
        Ok(())
    }

    fn sample(
        &mut self,
        index: usize,
        key: &SeriesKey,
        kind: Kind,
        bytes: &[u8],
        unit: &mut Option<String>,
    ) -> Result<(), DecodeError> {
        let (mut value, mut timestamp) = (0.0, 0);
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            match number {
                sample::VALUE => value = field.double(number)?,
                sample::TIMESTAMP => timestamp = field.signed(number)?,
                _ => {}
            }
        }
        let at = TimestampMs::new(timestamp);
        if value.to_bits() == STALE {
            self.delivered.ended.push((key.clone(), at));
        } else if timestamp < 0 {
            self.delivered.rejected.push(negative_timestamp(index, key, timestamp));
        } else if let Ok(sample) = Sample::new(at, value) {
            self.delivered.samples.push(IngestedSample {
                index,
                key: key.clone(),
                sample,
                kind: None,
                suggested: Some(kind),
                repeats: Repeats::Once,
                unit: unit.take(),
                reference: None,
            });
        } else {
            self.delivered.rejected.push(not_finite(index, key, value));
        }
        Ok(())
    }

    fn parts_of_v1(&mut self, bytes: &'a [u8], parts: &mut Parts<'a>) -> Result<(), DecodeError> {
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            match number {
                v1::LABELS => {
                    let (mut name, mut value) = ("", "");
                    let mut label = Reader::new(field.bytes(number)?);
                    while let Some((number, field)) = label.field()? {
                        let text = || std::str::from_utf8(field.bytes(number)?).map_err(|_| DecodeError::NotUtf8);
                        match number {
                            v1::LABEL_NAME => name = text()?,
                            v1::LABEL_VALUE => value = text()?,
                            _ => {}
                        }
                    }
                    if self.pairs.len() < MAX_LOOKED_AT {
                        self.pairs.push((name, value));
                    }
                }
                v1::SAMPLES => put(&mut parts.samples, field.bytes(number)?),
                v1::HISTOGRAMS => put(&mut parts.histograms, field.bytes(number)?),
                v1::EXEMPLARS => self.delivered.exemplars += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn parts_of_v2(&mut self, bytes: &'a [u8], parts: &mut Parts<'a>) -> Result<(), DecodeError> {
        let mut name = None;
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            match number {
                time_series::LABELS_REFS => field.each_varint(number, |place| {
                    let text = usize::try_from(place).ok().and_then(|place| self.symbols.get(place));
                    let text = *text.ok_or(DecodeError::Reference)?;
                    match name.take() {
                        None => name = Some(text),
                        Some(name) if self.pairs.len() < MAX_LOOKED_AT => self.pairs.push((name, text)),
                        Some(_) => {}
                    }
                    Ok(())
                })?,
                time_series::SAMPLES => put(&mut parts.samples, field.bytes(number)?),
                time_series::HISTOGRAMS => put(&mut parts.histograms, field.bytes(number)?),
                time_series::EXEMPLARS => self.delivered.exemplars += 1,
                time_series::METADATA => {
                    let mut of_metadata = Reader::new(field.bytes(number)?);
                    while let Some((number, field)) = of_metadata.field()? {
                        match number {
                            metadata::TYPE => parts.metric_type = field.unsigned(number)?,
                            metadata::UNIT_REF => {
                                let place = usize::try_from(field.unsigned(number)?).unwrap_or(usize::MAX);
                                parts.unit = Some(self.symbols.get(place).ok_or(DecodeError::Reference)?);
                            }
                            _ => {}
                        }
                    }
                }
                CREATED_TIMESTAMP => {
                    parts.created = Some(field.signed(number)?).filter(|at| *at > 0).map(TimestampMs::new);
                }
                _ => {}
            }
        }
        if name.is_some() { Err(DecodeError::Reference) } else { Ok(()) }
    }

    /// The series of the labels under way.
    fn key(&self) -> Result<SeriesKey, LabelError> {
        let mut names = self.pairs.iter().filter(|(name, _)| *name == NAME_LABEL).map(|(_, value)| *value);
        let metric = MetricName::new(names.next().unwrap_or_default())?;
        if names.next().is_some() {
            return Err(LabelError::Duplicate { label: NAME_LABEL.to_owned() });
        }
        let others = self.pairs.iter().filter(|(name, _)| *name != NAME_LABEL);
        Ok(SeriesKey { metric, labels: Labels::new(others.copied())? })
    }

    /// Takes a `MetricMetadata` of 1.0.
    fn describe(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let (mut metric_type, mut name) = (0, &[][..]);
        let mut fields = Reader::new(bytes);
        while let Some((number, field)) = fields.field()? {
            match number {
                v1::METADATA_TYPE => metric_type = field.unsigned(number)?,
                v1::METADATA_NAME => name = field.bytes(number)?,
                _ => {}
            }
        }
        if let (Some(kind), Ok(name)) = (kind_of_type(metric_type), std::str::from_utf8(name))
            && self.delivered.metrics.len() < MAX_DESCRIBED
            && MetricName::new(name).is_ok()
        {
            self.delivered.metrics.push(DescribedMetric { name: name.to_owned(), kind });
        }
        Ok(())
    }
}

/// Keeps no more of them than it takes to see that there are too many.
fn put<'a>(parts: &mut Vec<&'a [u8]>, part: &'a [u8]) {
    if parts.len() <= MAX_SAMPLES {
        parts.push(part);
    }
}

/// The kind of the samples of a metric of that type; histograms and summaries have series of several
/// kinds, which their names tell.
fn kind_of_type(metric_type: u64) -> Option<Kind> {
    match metric_type {
        metadata::COUNTER => Some(Kind::Counter),
        metadata::GAUGE | metadata::INFO | metadata::STATE_SET => Some(Kind::Gauge),
        _ => None,
    }
}
