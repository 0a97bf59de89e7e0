//! The class `Engine`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bellwether_core::engine::{Engine as Core, EngineConfig, SeriesError, SeriesId, TierConfig};
use bellwether_core::labels::{Labels, SeriesKey};
use bellwether_core::sample::Sample;
use bellwether_core::scorecard::{Scorecard, scorecard};
use bellwether_core::snapshot::SnapshotError;
use bellwether_core::time::{DurationMs, TimestampMs};
use js_sys::{Array, Function, Uint8Array, Uint32Array};
use wasm_bindgen::prelude::*;

use crate::answer;
use crate::board;
use crate::clock::Clock;
use crate::columns::{self, Columns};
use crate::error::{BellwetherError, Refusal};
use crate::options::{Options, elements, instant_of, labels_of, metric_name, optional_instant};
use crate::query::{
    Grouping, HistogramQuestion, RangeQuestion, histogram_question, question, range_question, table_question,
};
use crate::room::{Room, memory_bytes};
use crate::shapes;
use crate::table::Table;
use crate::units::Units;
use crate::watch::Watch;

/// Keeps samples in rolling windows and answers queries over them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    shared: Rc<Shared>,
    units: Units,
    columns: Columns,
    watch: Watch,
}

/// What an engine's tables use as well.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) core: RefCell<Core>,
    clock: Clock,
    /// When idle series were last looked at.
    looked: Cell<TimestampMs>,
    room: Room,
}

/// Idle series are looked at so often. Each sample sees to a few series by itself, and a look takes longer than many
/// samples.
const LOOK: DurationMs = DurationMs::from_secs(1);

impl Shared {
    /// What the engine's clock says.
    ///
    /// # Errors
    /// `bad_clock`.
    pub(crate) fn now(&self) -> Result<TimestampMs, Refusal> {
        self.clock.now()
    }

    /// Lets what idle series hold go, where it was not looked at for a while.
    fn move_on(&self, core: &mut Core, now: TimestampMs) {
        let looked = self.looked.get();
        if now < looked || now.since(looked) >= LOOK {
            self.looked.set(now);
            core.advance(now);
        }
        self.room.take_ahead();
    }
}

#[wasm_bindgen]
impl Engine {
    /// An empty engine.
    ///
    /// # Errors
    /// `BellwetherError` where an option is unknown or wrong.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_optional_param_type = "object")] options: &JsValue,
    ) -> Result<Engine, BellwetherError> {
        Ok(Self::with(options)?)
    }

    /// Records one sample.
    ///
    /// # Errors
    /// `BellwetherError` where the sample, its name or its labels are refused.
    pub fn record(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "number")] value: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "object")] options: &JsValue,
    ) -> Result<(), BellwetherError> {
        Ok(self.record_one(name, value, options)?)
    }

    /// Records one sample of a series that is there: for `record`, which knows the handles of the series that it was
    /// called with. A timestamp that is NaN is the clock's.
    ///
    /// # Errors
    /// `BellwetherError` where the sample is refused.
    #[wasm_bindgen(js_name = recordAgain, skip_typescript)]
    pub fn record_again(&mut self, series: u32, value: f64, timestamp_ms: f64) -> Result<(), BellwetherError> {
        Ok(self.record_known(series, value, timestamp_ms)?)
    }

    /// The handle of a series, for columns.
    ///
    /// # Errors
    /// `BellwetherError` where its name or its labels are refused.
    #[wasm_bindgen(unchecked_return_type = "number")]
    pub fn series(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string")] name: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "object")] labels: &JsValue,
        #[wasm_bindgen(unchecked_optional_param_type = "object")] declaration: &JsValue,
    ) -> Result<u32, BellwetherError> {
        Ok(self.handle(name, labels, declaration)?)
    }

    /// Records columns of one series or of many.
    ///
    /// # Errors
    /// `BellwetherError` where the series or the columns as a whole are refused.
    #[wasm_bindgen(js_name = recordColumns, unchecked_return_type = "object")]
    pub fn record_columns(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string | number | object | Uint32Array")] series: &JsValue,
        #[wasm_bindgen(js_name = timestampsMs, unchecked_param_type = "Float64Array")] timestamps_ms: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float64Array")] values: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        Ok(self.record_all(series, timestamps_ms, values)?)
    }

    /// Answers a query.
    ///
    /// # Errors
    /// `BellwetherError` where the query is wrong or asks for what cannot be had.
    #[wasm_bindgen(unchecked_return_type = "object")]
    pub fn query(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] query: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        Ok(self.answer(query)?)
    }

    /// A table of several figures of each series or group of series.
    ///
    /// # Errors
    /// `BellwetherError` where the question is wrong.
    pub fn table(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] question: &JsValue,
    ) -> Result<Table, BellwetherError> {
        Ok(Table::new(table_question(question)?, &self.shared))
    }

    /// The metrics that the engine knows.
    #[wasm_bindgen(unchecked_return_type = "object[]")]
    #[must_use]
    pub fn metrics(&self) -> JsValue {
        let core = self.shared.core.borrow();
        let list = Array::new();
        for (name, kind, series) in core.metrics() {
            let unit = self.units.get(name);
            list.push(&shapes::metric(name.as_str(), kind.as_str(), unit, series as u32));
        }
        list.into()
    }

    /// What the engine holds.
    #[wasm_bindgen(unchecked_return_type = "object")]
    #[must_use]
    pub fn memory(&self) -> JsValue {
        let memory = self.shared.core.borrow().memory();
        shapes::memory(memory.series as u32, memory.time_buckets as f64, memory.bytes as f64, memory_bytes() as f64)
    }

    /// The lines of a chart.
    ///
    /// # Errors
    /// `BellwetherError` where the question is wrong or asks for what cannot be had.
    #[wasm_bindgen(js_name = queryRange, unchecked_return_type = "object")]
    pub fn query_range(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] query: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let RangeQuestion { query, from, to, width } = range_question(query)?;
        let to = self.at(to)?;
        let lines = self.shared.core.borrow().columns(&query, from, to, width.columns(from, to));
        Ok(answer::lines(&lines.map_err(Refusal::from)?))
    }

    /// How the values of a window are spread.
    ///
    /// # Errors
    /// `BellwetherError` where the question is wrong or asks for what cannot be had.
    #[wasm_bindgen(unchecked_return_type = "object")]
    pub fn histogram(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] query: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let HistogramQuestion { query, now, columns, rows } = histogram_question(query)?;
        let now = self.at(now)?;
        let maps = self.shared.core.borrow().heat_maps(&query, now - query.window, now, columns, rows);
        Ok(answer::histograms(&maps.map_err(Refusal::from)?))
    }

    /// Takes up the metrics, KPIs and rules of a board.
    ///
    /// # Errors
    /// `BellwetherError` where something in it is wrong; the board before stays then.
    #[wasm_bindgen(js_name = setBoard)]
    pub fn set_board(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "object")] board: &JsValue,
    ) -> Result<(), BellwetherError> {
        Ok(self.take_up(board)?)
    }

    /// The KPIs of the board.
    ///
    /// # Errors
    /// `BellwetherError` where one of them cannot be made.
    #[wasm_bindgen(unchecked_return_type = "object[]")]
    pub fn kpis(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] now: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let now = self.at(optional_instant("kpis", now)?)?;
        Ok(self.watch.kpis(&self.shared.core.borrow(), now)?)
    }

    /// Evaluates the rules of the board.
    ///
    /// # Errors
    /// `BellwetherError` where `now` is wrong.
    #[wasm_bindgen(unchecked_return_type = "object")]
    pub fn evaluate(
        &mut self,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] now: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let now = self.at(optional_instant("evaluate", now)?)?;
        Ok(self.watch.evaluate(&self.shared.core.borrow(), now))
    }

    /// The alerts that the rules of the board have made.
    #[wasm_bindgen(unchecked_return_type = "object[]")]
    #[must_use]
    pub fn alerts(&self) -> JsValue {
        self.watch.alerts()
    }

    /// The scorecard of the grants office.
    ///
    /// # Errors
    /// `BellwetherError` where one of its metrics is of a kind that has no such figure.
    #[wasm_bindgen(unchecked_return_type = "object")]
    pub fn scorecard(
        &self,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] now: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let now = self.at(optional_instant("scorecard", now)?)?;
        let scorecard = scorecard(&self.shared.core.borrow(), now);
        let Scorecard { avg_resolution_time, avg_satisfaction, total_conflicts } =
            scorecard.map_err(|error| Refusal::new("bad_aggregation", format!("scorecard: {error}")))?;
        Ok(shapes::scorecard(avg_resolution_time, avg_satisfaction, total_conflicts))
    }

    /// All samples as compact bytes.
    #[must_use]
    pub fn snapshot(&self) -> Uint8Array {
        Uint8Array::from(&self.shared.core.borrow().snapshot()[..])
    }
}

impl Engine {
    /// What its tables use as well.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn with(options: &JsValue) -> Result<Self, Refusal> {
        let options = Options::new(
            "new Engine",
            options,
            &["tiers", "maxSeries", "maxSeriesPerMetric", "futureSkew", "clock", "snapshot"],
        )?;
        let mut config = EngineConfig::page();
        if let Some(tiers) = options.value("tiers") {
            config.tiers = tiers_of(&options, &tiers)?;
        }
        if let Some(most) = options.count("maxSeries")? {
            config.max_series = most;
        }
        if let Some(most) = options.count("maxSeriesPerMetric")? {
            config.max_series_per_metric = most;
        }
        if let Some(skew) = options.duration("futureSkew")? {
            config.future_skew = skew;
        }
        let clock = match options.value("clock") {
            None => Clock::Platform,
            Some(value) => Clock::Callers(
                value
                    .dyn_into::<Function>()
                    .map_err(|_| options.bad("clock", "a function that gives milliseconds since 1970"))?,
            ),
        };
        let core = match options.value("snapshot") {
            None => Core::new(config).map_err(|error| Refusal::new("bad_tiers", format!("new Engine: {error}")))?,
            Some(bytes) => {
                let bytes = bytes.dyn_into::<Uint8Array>().map_err(|_| options.bad("snapshot", "a Uint8Array"))?;
                restored(config, &bytes.to_vec())?
            }
        };
        let shared = Rc::new(Shared {
            core: RefCell::new(core),
            clock,
            looked: Cell::new(TimestampMs::new(0)),
            room: Room::default(),
        });
        Ok(Self { shared, units: Units::default(), columns: Columns::default(), watch: Watch::default() })
    }

    /// The instant that was asked for, else the clock's.
    fn at(&self, asked: Option<TimestampMs>) -> Result<TimestampMs, Refusal> {
        asked.map_or_else(|| self.shared.now(), Ok)
    }

    fn take_up(&mut self, board: &JsValue) -> Result<(), Refusal> {
        let board = board::board(board)?;
        let mut core = self.shared.core.borrow_mut();
        for metric in &board.metrics {
            if core.kind(&metric.name).is_some_and(|kind| kind != metric.kind) {
                core.declare(&metric.name, metric.kind).map_err(SeriesError::from)?;
            }
        }
        for metric in &board.metrics {
            core.declare(&metric.name, metric.kind).map_err(SeriesError::from)?;
            if !metric.unit.is_empty() {
                self.units.insert(metric.name.clone(), metric.unit.clone());
            }
        }
        self.watch.board = board;
        Ok(())
    }

    fn record_one(&mut self, name: &JsValue, value: &JsValue, options: &JsValue) -> Result<(), Refusal> {
        let options = Options::new("record", options, &["labels", "timestamp", "kind", "unit"])?;
        let now = self.shared.now()?;
        let timestamp = options.instant("timestamp")?.unwrap_or(now);
        // A string or null would silently become a number if the platform converted it.
        let sample = value.as_f64().and_then(|value| Sample::new(timestamp, value).ok()).ok_or_else(bad_sample)?;
        self.shared.core.borrow().check(timestamp, now)?;
        let series = self.series_with("record", name, options.labels()?, &options)?;
        let mut core = self.shared.core.borrow_mut();
        core.record(series, sample, now)?;
        self.shared.move_on(&mut core, now);
        Ok(())
    }

    fn record_known(&mut self, series: u32, value: f64, timestamp_ms: f64) -> Result<(), Refusal> {
        let now = self.shared.now()?;
        let timestamp = if timestamp_ms.is_nan() { Some(now) } else { instant_of(timestamp_ms) };
        let mut core = self.shared.core.borrow_mut();
        let series = columns::known(&core, series.into())?;
        let sample = timestamp.and_then(|timestamp| Sample::new(timestamp, value).ok());
        core.record(series, sample.ok_or_else(bad_sample)?, now)?;
        self.shared.move_on(&mut core, now);
        Ok(())
    }

    fn record_all(&mut self, series: &JsValue, timestamps_ms: &JsValue, values: &JsValue) -> Result<JsValue, Refusal> {
        self.columns.take(timestamps_ms, values)?;
        let now = self.shared.now()?;
        match series.dyn_ref::<Uint32Array>() {
            Some(series) => self.columns.take_series(series),
            None => {
                let series = self.series_of(series)?;
                self.columns.are_all_of(series);
            }
        }
        let mut core = self.shared.core.borrow_mut();
        let receipt = self.columns.record(&mut core, now)?;
        self.shared.move_on(&mut core, now);
        Ok(receipt)
    }

    fn handle(&mut self, name: &JsValue, labels: &JsValue, declaration: &JsValue) -> Result<u32, Refusal> {
        const CALL: &str = "series";
        let labels = if labels.is_undefined() || labels.is_null() { Labels::empty() } else { labels_of(CALL, labels)? };
        let declaration = Options::new(CALL, declaration, &["kind", "unit"])?;
        Ok(self.series_with(CALL, name, labels, &declaration)?.index() as u32)
    }

    /// The series of `recordColumns`: a handle, a metric's name, or `{ name, labels, kind, unit }`.
    fn series_of(&mut self, series: &JsValue) -> Result<SeriesId, Refusal> {
        const CALL: &str = "recordColumns";
        if let Some(handle) = series.as_f64() {
            return columns::known(&self.shared.core.borrow(), handle);
        }
        if series.is_string() {
            return self.series_with(CALL, series, Labels::empty(), &Options::new(CALL, &JsValue::UNDEFINED, &[])?);
        }
        let options = Options::new(CALL, series, &["name", "labels", "kind", "unit"])?;
        let name = options.value("name").unwrap_or(JsValue::UNDEFINED);
        self.series_with(CALL, &name, options.labels()?, &options)
    }

    /// The series of a name and labels; `declared` has its kind and unit, where they are said.
    fn series_with(
        &mut self,
        call: &str,
        name: &JsValue,
        labels: Labels,
        declared: &Options<'_>,
    ) -> Result<SeriesId, Refusal> {
        let metric = metric_name(call, name)?;
        let unit: Option<String> =
            declared.text("unit", "a string such as \"ms\"").map_err(|refusal| refusal.coded("bad_unit"))?;
        if let (Some(unit), Some(known)) = (&unit, self.units.get(&metric))
            && unit != known
        {
            return Err(Refusal::new(
                "unit_conflict",
                format!("{call}: the unit of {metric} is {known:?} and cannot become {unit:?}"),
            ));
        }
        let key = SeriesKey { metric, labels };
        let series = self.shared.core.borrow_mut().series(&key, declared.kind()?)?;
        if let Some(unit) = unit {
            self.units.insert(key.metric, unit);
        }
        Ok(series)
    }

    fn answer(&self, query: &JsValue) -> Result<JsValue, Refusal> {
        let asked = question(query)?;
        let now = self.at(asked.now)?;
        let core = self.shared.core.borrow();
        Ok(match asked.grouped {
            Grouping::One => answer::figure(&core.query(&asked.query, now)?),
            Grouping::Groups => answer::groups(&core.query_groups(&asked.query, now)?),
        })
    }
}

/// # Errors
/// `bad_snapshot`, or `bad_tiers` where it was made with others.
fn restored(config: EngineConfig, bytes: &[u8]) -> Result<Core, Refusal> {
    Core::restore(config, bytes).map_err(|error| {
        let refusal = Refusal::new("bad_snapshot", format!("restore: {error}"));
        match error {
            SnapshotError::Config(_) | SnapshotError::Tiers { .. } => refusal.coded("bad_tiers"),
            SnapshotError::Series(_) => refusal.coded("too_many_series"),
            _ => refusal,
        }
    })
}

/// `[{ width: "1s", span: "10m" }, …]`, finest first.
fn tiers_of(options: &Options<'_>, value: &JsValue) -> Result<Vec<TierConfig>, Refusal> {
    let bad = || options.bad("tiers", "an array such as [{ width: \"1s\", span: \"10m\" }]");
    elements(value)
        .ok_or_else(bad)?
        .iter()
        .map(|tier| {
            let tier = Options::new("new Engine", tier, &["width", "span"])?;
            let (width, span) = (tier.duration("width")?.ok_or_else(bad)?, tier.duration("span")?.ok_or_else(bad)?);
            Ok(TierConfig { width, span })
        })
        .collect()
}

fn bad_sample() -> Refusal {
    Refusal::new("bad_value", "record: the value must be a finite number")
}
