//! Samples as rows of text: CSV for spreadsheets, NDJSON for programs.

use bellwether_core::labels::Labels;
use bellwether_core::time::TimestampMs;
use serde::Serialize;
use serde::ser::Serializer;

use crate::instant::rfc3339;
use crate::store::{Exported, ExportedHistogram, StoredSeries};

/// How the rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 4180 with a head, UTF-8.
    #[default]
    Csv,
    /// One JSON object a line, as `/ingest` takes them.
    Ndjson,
}

impl Format {
    pub(crate) const ALL: [Self; 2] = [Self::Csv, Self::Ndjson];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The columns of CSV. A row has a value, or what a histogram added: those from `count` on.
const HEAD: &[u8] = b"time,timestamp,name,labels,kind,unit,value,ref,count,sum,min,max,sketch\r\n";

/// Rows in the making.
#[derive(Debug)]
pub(crate) struct Rows {
    format: Format,
    bytes: Vec<u8>,
}

impl Rows {
    /// No rows yet; of CSV, the head.
    pub(crate) fn new(format: Format) -> Self {
        let bytes = match format {
            Format::Csv => HEAD.to_vec(),
            Format::Ndjson => Vec::new(),
        };
        Self { format, bytes }
    }

    pub(crate) fn add(&mut self, row: Exported<'_>) {
        match self.format {
            Format::Csv => self.add_csv(row),
            Format::Ndjson => self.add_json(row),
        }
    }

    /// What a histogram added, in place of a value.
    pub(crate) fn add_histogram(&mut self, ExportedHistogram { series, unit, at, summary }: ExportedHistogram<'_>) {
        let sketch = SketchParts {
            scale: summary.sketch.scale(),
            zero: summary.sketch.zero_count(),
            positive: summary.sketch.positive().collect(),
            negative: summary.sketch.negative().collect(),
        };
        let figures = [summary.sum, summary.min, summary.max].map(Figure);
        match self.format {
            Format::Csv => {
                self.begin_csv(series, unit, at);
                self.bytes.extend_from_slice(format!(",,{},", summary.count).as_bytes());
                for figure in &figures {
                    self.bytes.extend_from_slice(format!("{},", json(figure)).as_bytes());
                }
                self.cell(&json(&sketch));
                self.bytes.extend_from_slice(b"\r\n");
            }
            Format::Ndjson => {
                let [sum, min, max] = figures;
                self.line(&HistogramRow {
                    name: series.key.metric.as_str(),
                    timestamp: at.get(),
                    labels: LabelMap(&series.key.labels),
                    kind: series.kind.as_str(),
                    unit,
                    count: summary.count,
                    sum,
                    min,
                    max,
                    sketch,
                });
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was written since the last time.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn add_csv(&mut self, Exported { series, unit, stored }: Exported<'_>) {
        self.begin_csv(series, unit, stored.sample.timestamp());
        self.bytes.extend_from_slice(format!("{},", number(stored.sample.value())).as_bytes());
        self.cell(stored.reference.as_deref().unwrap_or_default());
        self.bytes.extend_from_slice(b",,,,,\r\n");
    }

    /// What a row says before its value.
    fn begin_csv(&mut self, series: &StoredSeries, unit: Option<&str>, at: TimestampMs) {
        // Neither can hold what has a meaning in CSV or in a spreadsheet.
        self.bytes.extend_from_slice(format!("{},{},", rfc3339(at), at.get()).as_bytes());
        self.cell(series.key.metric.as_str());
        self.bytes.push(b',');
        if !series.key.labels.is_empty() {
            self.cell(&json(&LabelMap(&series.key.labels)));
        }
        self.bytes.push(b',');
        self.cell(series.kind.as_str());
        self.bytes.push(b',');
        self.cell(unit.unwrap_or_default());
        self.bytes.push(b',');
    }

    /// Text of a sender's, in a form that no spreadsheet takes for a formula.
    fn cell(&mut self, text: &str) {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(text);
        let quoted = text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
        if quoted {
            self.bytes.push(b'"');
        }
        if formula {
            self.bytes.push(b'\'');
        }
        self.bytes.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        if quoted {
            self.bytes.push(b'"');
        }
    }

    fn add_json(&mut self, Exported { series, unit, stored }: Exported<'_>) {
        self.line(&Row {
            name: series.key.metric.as_str(),
            value: Figure(stored.sample.value()),
            timestamp: stored.sample.timestamp().get(),
            labels: LabelMap(&series.key.labels),
            kind: series.kind.as_str(),
            unit,
            reference: stored.reference.as_deref(),
        });
    }

    /// A line of NDJSON.
    fn line(&mut self, row: &impl Serialize) {
        self.bytes.extend_from_slice(json(row).as_bytes());
        self.bytes.push(b'\n');
    }
}

/// Whether a text is a number in figures; words such as `-inf` are none.
fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    value: Figure,
    timestamp: i64,
    #[serde(skip_serializing_if = "LabelMap::is_empty")]
    labels: LabelMap<'a>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
}

#[derive(Serialize)]
struct HistogramRow<'a> {
    name: &'a str,
    timestamp: i64,
    #[serde(skip_serializing_if = "LabelMap::is_empty")]
    labels: LabelMap<'a>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    count: u64,
    sum: Figure,
    min: Figure,
    max: Figure,
    #[serde(flatten)]
    sketch: SketchParts,
}

/// A sketch as the live feed writes it.
#[derive(Serialize)]
struct SketchParts {
    scale: i8,
    zero: u64,
    /// Index and count.
    positive: Vec<(i32, u64)>,
    negative: Vec<(i32, u64)>,
}

/// Labels as an object of text.
pub(crate) struct LabelMap<'a>(pub(crate) &'a Labels);

impl LabelMap<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}

/// A value of a sample: every bit of it comes back, and whole numbers have no fraction.
pub(crate) struct Figure(pub(crate) f64);

/// Up to here every whole number is a float.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = *self;
        let whole = value.fract() == 0.0 && value.abs() < LARGEST_WHOLE && !(value == 0.0 && value.is_sign_negative());
        if whole { serializer.serialize_i64(value as i64) } else { serializer.serialize_f64(value) }
    }
}

fn number(value: f64) -> String {
    json(&Figure(value))
}

fn json(value: &impl Serialize) -> String {
    // It fails for maps whose keys are no text, and for what fails by itself; there is none of either here.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SeriesIx, StoredSample};
    use bellwether_core::labels::{MetricName, SeriesKey};
    use bellwether_core::sample::{Kind, Sample};
    use bellwether_wire::ingest::{BodyFormat, decode};
    use proptest::prelude::*;

    fn series(labels: &[(&str, &str)]) -> StoredSeries {
        let labels = Labels::new(labels.iter().copied()).unwrap();
        let key = SeriesKey { metric: MetricName::new("latency").unwrap(), labels };
        StoredSeries { ix: SeriesIx::for_tests(0), key, kind: Kind::Gauge }
    }

    fn stored(value: f64, reference: Option<&str>) -> StoredSample {
        let sample = Sample::new(TimestampMs::new(1_795_329_283_120), value).unwrap();
        StoredSample { sample, reference: reference.map(Into::into) }
    }

    fn written(format: Format, series: &StoredSeries, unit: Option<&str>, stored: &StoredSample) -> String {
        let mut rows = Rows::new(format);
        rows.add(Exported { series, unit, stored });
        String::from_utf8(rows.take()).unwrap()
    }

    #[test]
    fn csv_has_a_head_and_a_row_a_sample() {
        let series = series(&[("route", "/a")]);
        let text = written(Format::Csv, &series, Some("ms"), &stored(-1.5, Some("case 7")));
        let expected = "time,timestamp,name,labels,kind,unit,value,ref,count,sum,min,max,sketch\r\n2026-11-22T06:34:43.120Z,1795329283120,latency,\"{\"\"route\"\":\"\"/a\"\"}\",gauge,ms,-1.5,case 7,,,,,\r\n";
        assert_eq!(text, expected);
    }

    #[track_caller]
    fn cell(text: &str, expected: &str) {
        let row = written(Format::Csv, &series(&[]), None, &stored(7.0, Some(text)));
        let (_, row) = row.split_once("\r\n").unwrap();
        assert_eq!(
            row,
            format!("2026-11-22T06:34:43.120Z,1795329283120,latency,,gauge,,7,{expected},,,,,\r\n"),
            "{text:?}"
        );
    }

    #[test]
    fn no_cell_is_a_formula() {
        cell("=1+1", "'=1+1");
        cell("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
        cell("+cmd", "'+cmd");
        cell("-cmd", "'-cmd");
        cell("-inf", "'-inf");
        cell("@SUM(A1)", "'@SUM(A1)");
        cell("\t=1", "'\t=1");
        cell("\r=1", "\"'\r=1\"");
        cell("-12.5", "-12.5");
        cell("+3", "+3");
        cell("a,b", "\"a,b\"");
        cell("two\nlines", "\"two\nlines\"");
        cell(" x", "\" x\"");
        cell("é", "é");
    }

    #[test]
    fn a_histogram_is_a_row() {
        let kind = Kind::Observation;
        let values = [3.0, 0.0, -2.0, 3.0].map(|value| Sample::new(TimestampMs::new(1_000), value).unwrap());
        let mut summary = bellwether_core::summary::Summary::of(values[0], kind);
        values[1..].iter().for_each(|sample| summary.record(*sample, kind));
        let series = StoredSeries { kind, ..series(&[("route", "/a")]) };
        let row =
            ExportedHistogram { series: &series, unit: Some("ms"), at: TimestampMs::new(1_000), summary: &summary };
        let written = |format| {
            let mut rows = Rows::new(format);
            rows.take();
            rows.add_histogram(row);
            String::from_utf8(rows.take()).unwrap()
        };
        let expected = "{\"name\":\"latency\",\"timestamp\":1000,\"labels\":{\"route\":\"/a\"},\"kind\":\"observation\",\"unit\":\"ms\",\"count\":4,\"sum\":4,\"min\":-2,\"max\":3,\"scale\":6,\"zero\":1,\"positive\":[[101,2]],\"negative\":[[63,1]]}\n";
        assert_eq!(written(Format::Ndjson), expected);
        let expected = "1970-01-01T00:00:01.000Z,1000,latency,\"{\"\"route\"\":\"\"/a\"\"}\",observation,ms,,,4,4,-2,3,\"{\"\"scale\"\":6,\"\"zero\"\":1,\"\"positive\"\":[[101,2]],\"\"negative\"\":[[63,1]]}\"\r\n";
        assert_eq!(written(Format::Csv), expected);
    }

    #[test]
    fn ndjson_is_what_ingest_takes() {
        let series = series(&[("route", "/\"a\"")]);
        let text = written(Format::Ndjson, &series, Some("ms"), &stored(3.0, Some("=1")));
        let expected = "{\"name\":\"latency\",\"value\":3,\"timestamp\":1795329283120,\"labels\":{\"route\":\"/\\\"a\\\"\"},\"kind\":\"gauge\",\"unit\":\"ms\",\"ref\":\"=1\"}\n";
        assert_eq!(text, expected);
        let now = TimestampMs::new(1_795_329_283_120);
        let taken = decode(text.as_bytes(), BodyFormat::Ndjson, now).unwrap();
        assert_eq!((taken.accepted.len(), taken.rejected.len()), (1, 0));
        assert_eq!(taken.accepted[0].key, series.key);
        assert_eq!(taken.accepted[0].reference.as_deref(), Some("=1"));
    }

    proptest! {
        #[test]
        fn values_come_back_bit_by_bit(value in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            prop_assert_eq!(number(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
    }
}
