//! Snapshot: all that an engine holds as compact bytes, and back.
//!
//! The format is described in `docs/formats/snapshot.md`. It has a version and a checksum; a version
//! that was published once is read for ever.

mod buckets;
mod bytes;
mod storage;

use buckets::Frame;
use bytes::{Reader, Writer, crc32};

use crate::engine::{ConfigError, Engine, EngineConfig, SeriesError, TierConfig};
use crate::labels::{LabelError, Labels, MetricName, SeriesKey};
use crate::sample::Kind;
use crate::time::{DurationMs, TimestampMs};

/// How every snapshot begins.
const MAGIC: &[u8; 6] = b"BWSNAP";
/// The version that is written, and the newest that is read.
const VERSION: u16 = 2;
/// Bytes of the magic and the version.
const HEAD: usize = MAGIC.len() + size_of::<u16>();
/// Bytes of the checksum.
const TAIL: usize = size_of::<u32>();

/// Why bytes were not taken for a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// They do not begin as a snapshot does.
    #[error("these bytes are no snapshot of an engine")]
    NotASnapshot,
    /// They come from a newer program.
    #[error("the snapshot has version {found}, and this program reads versions up to {newest}; use a newer one")]
    Version {
        /// The snapshot's version.
        found: u16,
        /// The newest one that is read.
        newest: u16,
    },
    /// They have changed since they were written, or their end is missing.
    #[error("the snapshot is damaged: its checksum does not match; take another copy")]
    Checksum,
    /// They are whole and yet not what a snapshot is made of.
    #[error("the snapshot cannot be read at byte {at}: expected {expected}")]
    Malformed {
        /// How far reading came.
        at: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// The snapshot is of an engine with other tiers.
    #[error("the snapshot is of an engine with the tiers {}, not {}; make the engine with those", listed(.found), listed(.wanted))]
    Tiers {
        /// The snapshot's.
        found: Vec<TierConfig>,
        /// Those of the configuration.
        wanted: Vec<TierConfig>,
    },
    /// The configuration allows no engine.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The snapshot has more series than the configuration allows.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// A name or a label that no series can have.
    #[error("the snapshot has a series that cannot be: {0}")]
    Label(#[from] LabelError),
}

fn listed(tiers: &[TierConfig]) -> String {
    let tier = |TierConfig { width, span }: &TierConfig| format!("{width} for {span}");
    tiers.iter().map(tier).collect::<Vec<_>>().join(", ")
}

impl Engine {
    /// Everything that the engine holds, as bytes that [`Engine::restore`] makes an equal engine of.
    ///
    /// Not in it: the limits of the configuration. Cost: O(time buckets); a time bucket of one sample
    /// takes about 10 bytes, one of more about 50 and 3 for each value bucket.
    ///
    /// ```
    /// use bellwether_core::engine::{Engine, EngineConfig};
    /// use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    /// use bellwether_core::query::{Aggregation, Query};
    /// use bellwether_core::sample::Sample;
    /// use bellwether_core::time::{DurationMs, TimestampMs};
    ///
    /// let mut engine = Engine::new(EngineConfig::default())?;
    /// let metric = MetricName::new("booking_response_time")?;
    /// let series = engine.series(&SeriesKey { metric: metric.clone(), labels: Labels::empty() }, None)?;
    /// let now = TimestampMs::new(1_700_000_000_000);
    /// engine.record(series, Sample::new(now, 120.0)?, now)?;
    ///
    /// let bytes = engine.snapshot();
    /// let again = Engine::restore(EngineConfig::default(), &bytes)?;
    /// let query = Query::new(metric, DurationMs::from_minutes(5), Aggregation::Avg);
    /// assert_eq!(again.query(&query, now)?.value, Some(120.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.raw(MAGIC);
        writer.raw(&VERSION.to_le_bytes());
        let now = self.horizon.now();
        writer.int(now.get());
        writer.uint(self.config().tiers.len() as u64);
        for (tier, TierConfig { width, span }) in self.config().tiers.iter().enumerate() {
            writer.uint(width.as_millis());
            writer.uint(span.as_millis());
            writer.int(self.horizon.incomplete(tier));
        }
        let (next, samples, steps) = self.rounds.stored();
        writer.uint(next as u64);
        writer.uint(samples as u64);
        writer.int(steps);
        let metrics: Vec<(&MetricName, Kind, usize)> = self.metrics().collect();
        writer.uint(metrics.len() as u64);
        for (metric, kind, _) in &metrics {
            writer.text(metric.as_str());
            writer.uint(kind.number().into());
        }
        writer.uint(self.series_count() as u64);
        for (index, series) in self.all_series().iter().enumerate() {
            let key = series.key();
            // Metrics come sorted, and every series has one of them.
            let metric = metrics.partition_point(|(metric, ..)| **metric < key.metric);
            writer.uint(metric as u64);
            writer.uint(key.labels.len() as u64);
            for (name, value) in key.labels.iter() {
                writer.text(name);
                writer.text(value);
            }
            storage::write(series, self.rounds.evicted(index), now, &mut writer);
        }
        let checksum = crc32(writer.as_bytes());
        writer.raw(&checksum.to_le_bytes());
        writer.into_bytes()
    }

    /// The engine that `snapshot` was made of, with the limits of `config`: every later question and
    /// every later sample finds the same in it as in the engine that it was.
    ///
    /// Any bytes may be given: what is no snapshot is refused, with memory in proportion to its length.
    /// Cost: O(time buckets).
    ///
    /// # Errors
    /// [`SnapshotError`] where the bytes are no whole snapshot of a version that is known, its tiers
    /// are not those of `config`, or it has more series than `config` allows.
    pub fn restore(config: EngineConfig, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let rest = snapshot.strip_prefix(MAGIC).ok_or(SnapshotError::NotASnapshot)?;
        let (version, _) = rest.split_first_chunk().ok_or(SnapshotError::NotASnapshot)?;
        let version = u16::from_le_bytes(*version);
        if !(1..=VERSION).contains(&version) {
            return Err(SnapshotError::Version { found: version, newest: VERSION });
        }
        let (body, checksum) = snapshot.split_last_chunk::<TAIL>().ok_or(SnapshotError::Checksum)?;
        if body.len() < HEAD || crc32(body) != u32::from_le_bytes(*checksum) {
            return Err(SnapshotError::Checksum);
        }
        let mut reader = Reader::new(body, HEAD);
        let mut engine = Self::new(config)?;
        let rounds = engine.restore_time(version, &mut reader)?;
        let metrics = engine.restore_metrics(&mut reader)?;
        for _ in 0..reader.uint()? {
            engine.restore_series(version, &metrics, &mut reader)?;
        }
        engine.rounds.restore(rounds);
        if reader.is_at_end() { Ok(engine) } else { Err(reader.malformed("the end")) }
    }

    /// Restores how far time has come; where the rounds through the series stand comes back.
    fn restore_time(&mut self, version: u16, reader: &mut Reader<'_>) -> Result<(usize, usize, i64), SnapshotError> {
        let now = TimestampMs::new(reader.int()?);
        let mut found = Vec::new();
        let mut reached = Vec::new();
        for _ in 0..reader.uint()? {
            let (width, span) = (reader.uint()?, reader.uint()?);
            found.push(TierConfig { width: DurationMs::from_millis(width), span: DurationMs::from_millis(span) });
            reached.push(reader.int()?);
            if version == 1 {
                // How far all series were swept, which each says for itself now.
                reader.int()?;
            }
        }
        if found != self.config().tiers {
            return Err(SnapshotError::Tiers { found, wanted: self.config().tiers.clone() });
        }
        self.horizon.observe(now);
        for (tier, incomplete) in reached.into_iter().enumerate() {
            self.horizon.restore_incomplete(tier, incomplete);
        }
        if version == 1 {
            return Ok((0, 0, 0));
        }
        let mut place = || usize::try_from(reader.uint()?).map_err(|_| reader.malformed("a place among series"));
        Ok((place()?, place()?, reader.int()?))
    }

    fn restore_metrics(&mut self, reader: &mut Reader<'_>) -> Result<Vec<(MetricName, Kind)>, SnapshotError> {
        let mut metrics: Vec<(MetricName, Kind)> = Vec::new();
        for _ in 0..reader.uint()? {
            let metric = MetricName::new(&reader.text()?)?;
            let kind = u8::try_from(reader.uint()?).ok().and_then(Kind::from_number);
            let kind = kind.ok_or_else(|| reader.malformed("a kind"))?;
            if metrics.last().is_some_and(|(before, _)| *before >= metric) {
                return Err(reader.malformed("metrics in order, each once"));
            }
            self.declare(&metric, kind).map_err(SeriesError::from)?;
            metrics.push((metric, kind));
        }
        Ok(metrics)
    }

    fn restore_series(
        &mut self,
        version: u16,
        metrics: &[(MetricName, Kind)],
        reader: &mut Reader<'_>,
    ) -> Result<(), SnapshotError> {
        let metric = usize::try_from(reader.uint()?).ok().and_then(|place| metrics.get(place));
        let (metric, kind) = metric.ok_or_else(|| reader.malformed("the place of a metric"))?;
        let mut pairs = Vec::new();
        for _ in 0..reader.uint()? {
            pairs.push((reader.text()?, reader.text()?));
        }
        let key = SeriesKey { metric: metric.clone(), labels: Labels::shared(pairs)? };
        if self.find(&key).is_some() {
            return Err(reader.malformed("a series that has not come yet"));
        }
        let id = self.series(&key, Some(*kind))?;
        let horizon = self.horizon.clone();
        if version > 1 {
            self.rounds.set_evicted(id.index(), reader.int()?);
            let series = self.series_mut(id);
            return storage::read(series, &horizon, reader);
        }
        let series = self.series_mut(id);
        for tier in 0..horizon.tiers() {
            Frame::new(horizon.grid(tier), *kind, horizon.now()).read(tier, series, &horizon, reader)?;
        }
        Ok(())
    }
}
