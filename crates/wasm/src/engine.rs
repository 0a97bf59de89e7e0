//! The class `Engine`.

use std::collections::HashMap;

use bellwether_core::engine::{Engine as Core, EngineConfig, SeriesId, TierConfig};
use bellwether_core::labels::SeriesKey;
use bellwether_core::sample::Sample;
use bellwether_core::time::TimestampMs;
use js_sys::{Function, WebAssembly};
use wasm_bindgen::prelude::*;

use crate::answer::{self, Figure, Groups, Holdings, Metric};
use crate::clock::Clock;
use crate::columns::Columns;
use crate::error::{BellwetherError, Refusal};
use crate::options::{Options, elements, metric_name};
use crate::query::{Grouping, question};

/// Keeps samples in rolling windows and answers queries over them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    core: Core,
    clock: Clock,
    units: HashMap<String, String>,
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

    /// Records columns of one series.
    ///
    /// # Errors
    /// `BellwetherError` where the series or the columns as a whole are refused.
    #[wasm_bindgen(js_name = recordColumns, unchecked_return_type = "object")]
    pub fn record_columns(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "string | object")] series: &JsValue,
        #[wasm_bindgen(js_name = timestampsMs, unchecked_param_type = "Float64Array")] timestamps_ms: &JsValue,
        #[wasm_bindgen(unchecked_param_type = "Float64Array")] values: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        let columns = Columns::copied(timestamps_ms, values)?;
        let now = self.clock.now()?;
        let series = self.series_of(series)?;
        let receipt = columns.record(&mut self.core, series, now);
        self.core.advance(now);
        Ok(answer::object(&receipt)?)
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

    /// The metrics that the engine knows.
    ///
    /// # Errors
    /// None in practice; the signature is that of every answer.
    #[wasm_bindgen(unchecked_return_type = "object[]")]
    pub fn metrics(&self) -> Result<JsValue, BellwetherError> {
        let metrics: Vec<_> = self
            .core
            .metrics()
            .map(|(name, kind, series)| Metric {
                name: name.as_str(),
                kind: kind.as_str(),
                unit: self.units.get(name.as_str()).map(String::as_str),
                series,
            })
            .collect();
        Ok(answer::object(&metrics)?)
    }

    /// What the engine holds.
    ///
    /// # Errors
    /// None in practice; the signature is that of every answer.
    #[wasm_bindgen(unchecked_return_type = "object")]
    pub fn memory(&self) -> Result<JsValue, BellwetherError> {
        let memory = self.core.memory();
        let holdings = Holdings {
            series: memory.series,
            time_buckets: memory.time_buckets,
            bytes: memory.bytes,
            wasm_bytes: wasm_bytes(),
        };
        Ok(answer::object(&holdings)?)
    }
}

impl Engine {
    fn with(options: &JsValue) -> Result<Self, Refusal> {
        let options =
            Options::new("new Engine", options, &["tiers", "maxSeries", "maxSeriesPerMetric", "futureSkew", "clock"])?;
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
        let core = Core::new(config).map_err(|error| Refusal::new("bad_tiers", format!("new Engine: {error}")))?;
        Ok(Self { core, clock, units: HashMap::new() })
    }

    fn record_one(&mut self, name: &JsValue, value: &JsValue, options: &JsValue) -> Result<(), Refusal> {
        let options = Options::new("record", options, &["labels", "timestamp", "kind", "unit"])?;
        let now = self.clock.now()?;
        let timestamp = options.instant("timestamp")?.unwrap_or(now);
        // A string or null would silently become a number if the platform converted it.
        let sample = value
            .as_f64()
            .and_then(|value| Sample::new(timestamp, value).ok())
            .ok_or_else(|| Refusal::new("bad_value", "record: the value must be a finite number"))?;
        self.core.check(timestamp, now)?;
        let series = self.series("record", name, &options)?;
        self.core.record(series, sample, now)?;
        self.core.advance(now);
        Ok(())
    }

    /// The series of `recordColumns`: a metric's name, or `{ name, labels, kind, unit }`.
    fn series_of(&mut self, series: &JsValue) -> Result<SeriesId, Refusal> {
        const CALL: &str = "recordColumns";
        if series.is_string() {
            return self.series(CALL, series, &Options::new(CALL, &JsValue::UNDEFINED, &[])?);
        }
        let options = Options::new(CALL, series, &["name", "labels", "kind", "unit"])?;
        let name = options.value("name").unwrap_or(JsValue::UNDEFINED);
        self.series(CALL, &name, &options)
    }

    fn series(&mut self, call: &str, name: &JsValue, options: &Options<'_>) -> Result<SeriesId, Refusal> {
        let metric = metric_name(call, name)?;
        let unit: Option<String> =
            options.text("unit", "a string such as \"ms\"").map_err(|refusal| refusal.coded("bad_unit"))?;
        if let (Some(unit), Some(known)) = (&unit, self.units.get(metric.as_str()))
            && unit != known
        {
            return Err(Refusal::new(
                "unit_conflict",
                format!("{call}: the unit of {metric} is {known:?} and cannot become {unit:?}"),
            ));
        }
        let kind = options.kind()?;
        let key = SeriesKey { metric, labels: options.labels()? };
        let series = self.core.series(&key, kind)?;
        if let Some(unit) = unit {
            self.units.insert(key.metric.as_str().to_owned(), unit);
        }
        Ok(series)
    }

    fn answer(&self, query: &JsValue) -> Result<JsValue, Refusal> {
        let asked = question(query)?;
        let now: TimestampMs = match asked.now {
            Some(now) => now,
            None => self.clock.now()?,
        };
        match asked.grouped {
            Grouping::One => answer::object(&Figure::from(self.core.query(&asked.query, now)?)),
            Grouping::Groups => answer::object(&Groups::of(&self.core.query_groups(&asked.query, now)?)),
        }
    }
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

/// Bytes of the whole wasm memory; it is shared by every engine of the page and never shrinks.
fn wasm_bytes() -> f64 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    js_sys::Reflect::get(&memory.buffer(), &JsValue::from_str("byteLength"))
        .ok()
        .and_then(|bytes| bytes.as_f64())
        .unwrap_or_default()
}
