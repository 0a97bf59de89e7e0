//! Engine: samples in, figures out.

mod refusal;

pub use refusal::{ConfigError, MergeError, TimestampError};

use crate::catalog::{Catalog, key_bytes};
pub use crate::catalog::{KindConflict, SeriesError, SeriesId};
use crate::chunk::Scratch;
use crate::grid::Grid;
use crate::horizon::Horizon;
use crate::labels::{MetricName, SeriesKey};
pub use crate::plan::Plan;
use crate::sample::{Kind, Sample};
use crate::selector::Matcher;
use crate::series::Series;
use crate::summary::Summary;
use crate::tidy::Rounds;
use crate::time::{DurationMs, TimestampMs};

/// Time buckets of one width and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierConfig {
    /// Width of a time bucket.
    pub width: DurationMs,
    /// How far back from now time buckets are kept.
    pub span: DurationMs,
}

/// What an engine keeps and accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// The tiers, finest first. Each width is a multiple of the one before, each span is longer.
    pub tiers: Vec<TierConfig>,
    /// Most series.
    pub max_series: usize,
    /// Most series of one metric.
    pub max_series_per_metric: usize,
    /// How far ahead of now a sample may be.
    pub future_skew: DurationMs,
    /// How long a series may be silent before its line has a gap.
    pub staleness: DurationMs,
}

impl Default for EngineConfig {
    /// The gateway's: 1 s for 10 min, 10 s for 2 h, 1 min for 24 h, 1 h for 92 days.
    fn default() -> Self {
        let tier = |width, span| TierConfig { width, span };
        Self {
            tiers: vec![
                tier(DurationMs::from_secs(1), DurationMs::from_minutes(10)),
                tier(DurationMs::from_secs(10), DurationMs::from_hours(2)),
                tier(DurationMs::from_minutes(1), DurationMs::from_hours(24)),
                tier(DurationMs::from_hours(1), DurationMs::from_days(92)),
            ],
            max_series: 150_000,
            max_series_per_metric: 50_000,
            future_skew: DurationMs::from_minutes(10),
            staleness: DurationMs::from_minutes(5),
        }
    }
}

impl EngineConfig {
    /// The page's: the default without the minutes, which cost the most memory.
    #[must_use]
    pub fn page() -> Self {
        let mut config = Self::default();
        config.tiers.remove(2);
        config
    }
}

/// What an engine holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Number of series.
    pub series: usize,
    /// Number of time buckets with samples, over all tiers.
    pub time_buckets: usize,
    /// Bytes of them, with the room that is held for more; what the allocator adds is not counted.
    pub bytes: usize,
}

/// Samples in time buckets of several widths for every series, and the figures made of them.
///
/// A sample is told from every tier whose span still holds its time bucket; there is nothing
/// where there are no samples. What is evicted is decided by time alone: a time bucket goes when
/// all of it is older than its tier's span before the newest `now` that the engine was told.
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
/// engine.record(series, Sample::new(now, 140.0)?, now)?;
///
/// let query = Query::new(metric, DurationMs::from_minutes(5), Aggregation::Avg);
/// assert_eq!(engine.query(&query, now)?.value, Some(130.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    config: EngineConfig,
    pub(crate) horizon: Horizon,
    catalog: Catalog,
    pub(crate) series: Vec<Series>,
    pub(crate) rounds: Rounds,
    pub(crate) scratch: Scratch,
}

impl Engine {
    /// An engine without samples.
    ///
    /// # Errors
    /// [`ConfigError`] where the tiers do not fit each other.
    pub fn new(config: EngineConfig) -> Result<Self, ConfigError> {
        let mut grids: Vec<(Grid, DurationMs)> = Vec::new();
        for (tier, TierConfig { width, span }) in config.tiers.iter().copied().enumerate() {
            let grid = Grid::new(width).ok_or(ConfigError::Width { tier, width })?;
            let before = grids.last().copied();
            if before.is_some_and(|(finer, _)| finer == grid || !grid.is_multiple_of(finer.width())) {
                return Err(ConfigError::NotMultiple { tier, width });
            }
            if span < width || before.is_some_and(|(_, shorter)| span <= shorter) {
                return Err(ConfigError::Span { tier, span });
            }
            grids.push((grid, span));
        }
        if grids.is_empty() {
            return Err(ConfigError::NoTier);
        }
        Ok(Self {
            horizon: Horizon::new(grids),
            catalog: Catalog::new(config.max_series, config.max_series_per_metric),
            series: Vec::new(),
            rounds: Rounds::default(),
            scratch: Scratch::default(),
            config,
        })
    }

    /// What the engine was made with.
    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The longest window that can be asked for: the coarsest tier's span.
    #[must_use]
    pub fn longest_window(&self) -> DurationMs {
        self.config.tiers.last().map_or(DurationMs::ZERO, |tier| tier.span)
    }

    /// Gives a metric its kind, as a board does. The same kind again is fine.
    ///
    /// # Errors
    /// [`KindConflict`] where the metric has another kind already.
    pub fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), KindConflict> {
        self.catalog.declare(metric, kind)
    }

    /// The kind of a metric that was declared or has a series.
    #[must_use]
    pub fn kind(&self, metric: &MetricName) -> Option<Kind> {
        self.catalog.kind(metric)
    }

    /// The series of `key`, made where it is new. Its kind is the metric's, else `declared` by the
    /// sender, else the one that the name implies, else observation. Cost: O(1) in the number of
    /// series.
    ///
    /// # Errors
    /// [`SeriesError`] where `declared` is not the metric's kind, or a new series is one too many.
    pub fn series(&mut self, key: &SeriesKey, declared: Option<Kind>) -> Result<SeriesId, SeriesError> {
        let kind = self.catalog.checked_kind(&key.metric, declared)?;
        if let Some(id) = self.catalog.find(key) {
            return Ok(id);
        }
        let (id, key) = self.catalog.add(key, kind)?;
        self.series.push(Series::new(key, kind, self.horizon.tiers(), id.index()));
        self.rounds.set_evicted(id.index(), i64::MIN);
        Ok(id)
    }

    /// The kind that [`Engine::series`] would give the series of `key` if all series of `plan` had
    /// begun before it; adds it to `plan` and leaves the engine as it is. Cost: O(log of the plan).
    ///
    /// # Errors
    /// [`SeriesError`] as [`Engine::series`] would say, and `plan` stays as it is.
    pub fn plan(&self, plan: &mut Plan, key: &SeriesKey, declared: Option<Kind>) -> Result<Kind, SeriesError> {
        plan.add(&self.catalog, key, declared)
    }

    /// The series of `key`, if there is one.
    #[must_use]
    pub fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.catalog.find(key)
    }

    /// The series whose [`SeriesId::index`] is `number`, if there is one.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Option<SeriesId> {
        self.catalog.numbered(number)
    }

    /// Metric and labels of a series.
    #[must_use]
    pub fn key(&self, id: SeriesId) -> &SeriesKey {
        self.of(id).key()
    }

    /// The kind of a series.
    #[must_use]
    pub fn series_kind(&self, id: SeriesId) -> Kind {
        self.of(id).kind()
    }

    /// Number of series; they are never removed.
    #[must_use]
    pub const fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Every metric with its kind and its number of series, sorted by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&MetricName, Kind, usize)> {
        self.catalog.metrics()
    }

    /// Whether a sample of this timestamp would be accepted at `now`.
    ///
    /// # Errors
    /// [`TimestampError`] where it is too far ahead or older than everything that is kept, or beyond
    /// [`TimestampMs::EARLIEST`] or [`TimestampMs::LATEST`].
    pub fn check(&self, timestamp: TimestampMs, now: TimestampMs) -> Result<(), TimestampError> {
        let (oldest, latest) = self.accepted_timestamps(now);
        if timestamp > latest {
            return Err(TimestampError::TooNew { timestamp, latest });
        }
        if timestamp < oldest {
            return Err(TimestampError::TooLate { timestamp, oldest });
        }
        Ok(())
    }

    /// The oldest and the latest timestamp that are accepted at `now`.
    pub(crate) fn accepted_timestamps(&self, now: TimestampMs) -> (TimestampMs, TimestampMs) {
        let grid = self.horizon.grid(self.horizon.tiers() - 1);
        let gone = grid.edge_before(now - self.longest_window());
        let oldest = (gone + DurationMs::from_millis(1)).max(TimestampMs::EARLIEST);
        (oldest, (now + self.config.future_skew).min(TimestampMs::LATEST))
    }

    /// Records a sample. Cost: O(1) where the sample is the newest of its series; O(tiers) and the
    /// packing of a chunk in each where it comes so late that its time bucket is sealed.
    ///
    /// # Errors
    /// [`TimestampError`], and nothing is recorded, as [`Engine::check`] says.
    pub fn record(&mut self, id: SeriesId, sample: Sample, now: TimestampMs) -> Result<(), TimestampError> {
        self.check(sample.timestamp(), now)?;
        self.horizon.observe(now);
        self.series[id.index()].record(sample, &self.horizon, &mut self.scratch);
        self.tidy(1);
        Ok(())
    }

    /// Merges what `(bucket_end − width, bucket_end]` held into every tier of at least that width.
    /// Each summary is an increment: merging it twice counts it twice.
    ///
    /// # Errors
    /// [`MergeError`], and nothing is merged, where the summary does not lie in that span, no tier
    /// takes that width, or its time is refused as [`Engine::check`] says.
    pub fn merge(
        &mut self,
        id: SeriesId,
        width: DurationMs,
        bucket_end: TimestampMs,
        summary: &Summary,
        now: TimestampMs,
    ) -> Result<(), MergeError> {
        let no_tier = MergeError::Width { width };
        let span = Grid::new(width).ok_or(no_tier)?;
        if !(0..self.horizon.tiers()).any(|tier| self.horizon.grid(tier).is_multiple_of(width)) {
            return Err(no_tier);
        }
        let number = span.bucket_of(bucket_end);
        if span.end(number) != bucket_end {
            return Err(MergeError::Edge { end: bucket_end, width });
        }
        let (first, last) = (summary.first.timestamp(), summary.last.timestamp());
        if span.bucket_of(first) != number || span.bucket_of(last) != number {
            return Err(MergeError::Outside { end: bucket_end, width });
        }
        self.check(first, now)?;
        self.check(last, now)?;
        self.horizon.observe(now);
        self.series[id.index()].merge(width, bucket_end, summary, &self.horizon, &mut self.scratch);
        self.tidy(1);
        Ok(())
    }

    /// Forgets every sample of a series, which stays; for one whose samples are corrected, to be recorded anew.
    /// Figures that are kept from one evaluation to the next ([`crate::watch::Watches`]) are to be made anew too.
    ///
    /// ```
    /// use bellwether_core::engine::{Engine, EngineConfig};
    /// use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    /// use bellwether_core::sample::Sample;
    /// use bellwether_core::time::TimestampMs;
    ///
    /// let mut engine = Engine::new(EngineConfig::default())?;
    /// let key = SeriesKey { metric: MetricName::new("resolution_time")?, labels: Labels::empty() };
    /// let series = engine.series(&key, None)?;
    /// let now = TimestampMs::new(1_700_000_000_000);
    /// engine.record(series, Sample::new(now, 120.0)?, now)?;
    /// engine.clear(series);
    /// assert_eq!((engine.latest(series), engine.find(&key)), (None, Some(series)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear(&mut self, id: SeriesId) {
        let series = &mut self.series[id.index()];
        *series = Series::new(series.key().clone(), series.kind(), self.horizon.tiers(), id.index());
        self.rounds.set_evicted(id.index(), i64::MIN);
    }

    /// Gives a series the samples that `other`, an engine with the same tiers, has of the series of the same name, and
    /// none where it has none; what `other` has of it is empty then. For one whose samples are corrected and were
    /// recorded anew elsewhere meanwhile. As after [`Engine::clear`], watches are to be made anew. `false`, and nothing
    /// changes, where the engines have other tiers or the series is of another kind there. Cost: O(1), whatever it holds.
    #[must_use]
    pub fn replace(&mut self, id: SeriesId, other: &mut Self) -> bool {
        let Some(from) = other.find(self.key(id)) else {
            self.clear(id);
            return true;
        };
        if self.config.tiers != other.config.tiers || self.series_kind(id) != other.series_kind(from) {
            return false;
        }
        let empty = Series::new(self.key(id).clone(), self.series_kind(id), 0, id.index());
        let theirs = std::mem::replace(&mut other.series[from.index()], empty);
        self.rounds.set_evicted(id.index(), other.rounds.evicted(from.index()));
        other.clear(from);
        self.series[id.index()].replace(theirs);
        self.tidy(1);
        true
    }

    /// Moves on to `now`, seals time buckets that are over and evicts what has left the tiers, of so
    /// many series as take little time; the next calls see to the others.
    pub fn advance(&mut self, now: TimestampMs) {
        self.horizon.observe(now);
        self.tidy_at_leisure();
    }

    /// The newest sample of a series; `None` where none is kept.
    #[must_use]
    pub fn latest(&self, id: SeriesId) -> Option<Sample> {
        self.of(id).latest(&self.horizon)
    }

    /// The series of `metric` whose labels satisfy all `matchers`, oldest first. An equality
    /// narrows the search to the series that have the label's value, and every other condition looks
    /// at each value of its label once, however many series the metric has.
    pub fn matching<'a>(
        &'a self,
        metric: &'a MetricName,
        matchers: &'a [Matcher],
    ) -> impl Iterator<Item = SeriesId> + 'a {
        let matching = self.catalog.matching(metric, matchers, |id| &self.of(id).key().labels);
        (0..matching.len()).map(move |place| matching[place])
    }

    /// What the engine holds. Cost: O(time buckets).
    #[must_use]
    pub fn memory(&self) -> Memory {
        let mut memory = Memory { series: self.series.len(), ..Memory::default() };
        for series in &self.series {
            memory.bytes += size_of::<Series>() + key_bytes(&series.key().labels) + series.heap_bytes();
            memory.time_buckets += series.time_buckets(&self.horizon);
        }
        memory
    }

    pub(crate) fn of(&self, id: SeriesId) -> &Series {
        &self.series[id.index()]
    }

    /// Every series, in the order in which they came.
    pub(crate) fn all_series(&self) -> &[Series] {
        &self.series
    }

    /// A series, to be restored.
    pub(crate) fn series_mut(&mut self, id: SeriesId) -> &mut Series {
        &mut self.series[id.index()]
    }
}
