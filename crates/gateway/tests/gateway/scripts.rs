//! The scripts that read like the spec, asked over HTTP.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::rc::Rc;

use bellwether_core::kpi::Kpi;
use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::query::{Expression, Query};
use bellwether_core::rule::Rule;
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::scorecard::Scorecard;
use bellwether_core::selector::{Condition, Matcher};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_testkit::script::{RunError, Script};
use bellwether_testkit::target::{Acceptance, Figure, SeenAlert, SeenKpi, Target, is_grouped};
use serde_json::{Value, json};

use crate::running::{Running, now_ms};

/// What a script asks that the parameters of `/query` cannot say.
const UNASKABLE: &str = "no parameter of /query says this";

/// A gateway as the target of a script; its clock is the real one.
struct Http {
    gateway: Running,
    kinds: BTreeMap<MetricName, Kind>,
    waiting: Vec<Value>,
    unasked: Rc<Cell<usize>>,
}

impl Http {
    /// Sends what was loaded since the last question.
    fn flush(&mut self) {
        for batch in std::mem::take(&mut self.waiting).chunks(5_000) {
            let answer = self.gateway.ingest(&Value::from(batch).to_string());
            assert_eq!(answer.status, 204, "{}", answer.body);
        }
    }
}

impl Target for Http {
    fn declare(&mut self, metric: &MetricName, kind: Kind) -> Result<(), String> {
        let kept = *self.kinds.entry(metric.clone()).or_insert(kind);
        if kept == kind { Ok(()) } else { Err(format!("{metric} is kept as {}", kept.as_str())) }
    }

    fn load(&mut self, samples: &[(SeriesKey, Sample)], _now: TimestampMs) -> Result<Vec<Acceptance>, String> {
        for (key, sample) in samples {
            let labels: BTreeMap<_, _> = key.labels.iter().collect();
            let mut object = json!({
                "name": key.metric.as_str(),
                "labels": labels,
                "value": sample.value(),
                "timestamp": sample.timestamp().get(),
            });
            if let Some(kind) = self.kinds.get(&key.metric) {
                object["kind"] = kind.as_str().into();
            }
            self.waiting.push(object);
        }
        Ok(vec![Acceptance::Accepted; samples.len()])
    }

    fn query(&mut self, expression: &Expression, now: TimestampMs) -> Result<Vec<Figure>, String> {
        self.flush();
        let Some(parameters) = parameters(expression) else {
            self.unasked.set(self.unasked.get() + 1);
            return Err(UNASKABLE.to_owned());
        };
        let answer = self.gateway.get(&format!("/query?{parameters}&at={}", now.get()));
        let body = answer.json();
        if answer.status != 200 {
            return Err(body["error"]["message"].as_str().unwrap().to_owned());
        }
        if !is_grouped(expression) {
            return Ok(vec![figure(Labels::empty(), &body)]);
        }
        let groups = body["groups"].as_array().unwrap().iter().map(|group| {
            let labels = group["labels"].as_object().unwrap().iter();
            let labels = Labels::new(labels.map(|(name, value)| (name, value.as_str().unwrap()))).unwrap();
            figure(labels, group)
        });
        Ok(groups.collect())
    }

    fn set_rules(&mut self, _rules: &[Rule]) -> Result<(), String> {
        Err("the gateway takes its rules from its board".to_owned())
    }

    fn evaluate(&mut self, _now: TimestampMs) -> Result<(), String> {
        Ok(())
    }

    fn alerts(&mut self) -> Result<Vec<SeenAlert>, String> {
        Ok(Vec::new())
    }

    fn failures(&mut self) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    fn scorecard(&mut self, _now: TimestampMs) -> Result<Scorecard, String> {
        self.flush();
        let body = self.gateway.get("/api/v1/dashboard").json();
        Ok(Scorecard {
            avg_resolution_time: body["avg_resolution_time"].as_f64().unwrap(),
            avg_satisfaction: body["avg_satisfaction"].as_f64().unwrap(),
            total_conflicts: body["total_conflicts"].as_f64().unwrap(),
        })
    }

    fn kpi(&mut self, _kpi: &Kpi, _now: TimestampMs) -> Result<SeenKpi, String> {
        Err("the gateway shows its KPIs on the page".to_owned())
    }
}

/// The figure that a body tells of.
fn figure(labels: Labels, body: &Value) -> Figure {
    let edge = |name: &str| TimestampMs::new(body[name].as_i64().unwrap());
    Figure { labels, value: body["result"].as_f64(), from: edge("from"), to: edge("to") }
}

/// The parameters that ask for `expression`; `None` where they cannot.
fn parameters(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Single(query) => one("", query),
        Expression::Ratio(query, over) => {
            let same = query.by == over.by && query.across == over.across;
            if same { Some(one("", query)? + "&" + &one("over_", over)?) } else { None }
        }
    }
}

fn one(prefix: &str, query: &Query) -> Option<String> {
    let name = if prefix.is_empty() { "name" } else { "over" };
    let mut text = format!(
        "{name}={}&{prefix}window={}&{prefix}agg={}",
        encoded(query.metric.as_str()),
        query.window,
        query.aggregation
    );
    for Matcher { label, condition } in &query.matchers {
        let Condition::Equal(value) = condition else { return None };
        write!(text, "&{prefix}where={}", encoded(&format!("{label}:{value}"))).unwrap();
    }
    if prefix.is_empty() {
        for label in &query.by {
            write!(text, "&by={}", encoded(label.as_str())).unwrap();
        }
        write!(text, "&across={}", query.across.as_str()).unwrap();
    }
    Some(text)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn scripts_hold_over_http() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scripts");
    let board = tempfile::tempdir().unwrap();
    // A board that declares nothing: the kinds are the script's.
    let board = crate::running::board(board.path(), r#"{"title":"Script"}"#);
    let (mut scripts, mut unasked) = (0, 0);
    for script in Script::read_folder(&folder).unwrap() {
        // The gateway's clock cannot be set: what is older than its finest tier is seen less sharply.
        if script.has_rules()
            || script.has_kpis()
            || script.has_late_samples()
            || script.length() > DurationMs::from_minutes(9)
        {
            continue;
        }
        scripts += 1;
        let count = Rc::new(Cell::new(0));
        let start = (now_ms() - script.length().as_millis() as i64) / 10_000 * 10_000;
        let run = script.run(TimestampMs::new(start), || Http {
            gateway: Running::start(&["--board", board.to_str().unwrap()]),
            kinds: BTreeMap::new(),
            waiting: Vec::new(),
            unasked: Rc::clone(&count),
        });
        match run {
            Ok(report) => assert!(report.checks > 0, "{}", script.name()),
            Err(RunError::Mismatches(mismatches)) => {
                for mismatch in &mismatches {
                    assert!(mismatch.found.contains(UNASKABLE), "{mismatch}");
                }
                assert_eq!(mismatches.len(), count.get(), "{}", script.name());
            }
            Err(error) => panic!("{error}"),
        }
        unasked += count.get();
    }
    assert!(scripts >= 6, "{scripts} scripts ran");
    assert!(unasked <= 10, "{unasked} questions could not be asked");
}
