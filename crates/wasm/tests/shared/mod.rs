//! What must hold in Node and in a browser alike, through JavaScript's own values.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use bellwether_wasm::{BellwetherError, Engine, Points, Sketch, Sketches};
use js_sys::{Array, Float64Array, Function, JSON, Object, Reflect, Uint32Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

/// The instant that the tests' clock stands at.
const NOW: f64 = 1_800_000_000_000.0;

/// A JavaScript value out of its text.
#[track_caller]
fn js(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

/// The JSON of a JavaScript value.
#[track_caller]
fn json(value: &JsValue) -> String {
    JSON::stringify(value).unwrap().into()
}

/// A field of a JavaScript object.
#[track_caller]
fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

/// An engine whose clock stands at [`NOW`].
fn engine() -> Engine {
    let options = Object::new();
    Reflect::set(&options, &"clock".into(), &Function::new_no_args("return 1800000000000")).unwrap();
    Engine::new(&options).unwrap()
}

#[track_caller]
fn record(engine: &mut Engine, name: &str, value: f64, options: &str) {
    engine.record(&name.into(), &value.into(), &js(options)).unwrap();
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, BellwetherError>, code: &str, says: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), code);
    let message = String::from(error.message());
    assert!(message.contains(says), "{message}");
    assert!(error.is_instance_of::<js_sys::Error>());
    assert!(error.is_instance_of::<BellwetherError>());
    assert_eq!(String::from(error.name()), "BellwetherError");
}

/// A recorded window is answered with the figure and what stands behind it.
#[wasm_bindgen_test]
fn a_window_is_answered() {
    let mut engine = engine();
    for value in [100.0, 120.0, 140.0, 160.0, 180.0] {
        record(&mut engine, "booking_response_time", value, r#"{"unit": "ms"}"#);
    }
    let ask = |agg: &str| {
        engine.query(&js(&format!(r#"{{"name": "booking_response_time", "window": "5m", "agg": "{agg}"}}"#))).unwrap()
    };
    let avg = ask("avg");
    assert_eq!(field(&avg, "result").as_f64(), Some(140.0));
    assert_eq!(field(&avg, "count").as_f64(), Some(5.0));
    assert_eq!(field(&avg, "from").as_f64(), Some(NOW - 300_000.0));
    assert_eq!(field(&avg, "to").as_f64(), Some(NOW));
    assert_eq!(field(&avg, "relativeError").as_f64(), Some(0.0));
    let p50 = ask("p50");
    let (value, error) = (field(&p50, "result").as_f64().unwrap(), field(&p50, "relativeError").as_f64().unwrap());
    assert!((value - 140.0).abs() <= 140.0 * error, "{value} ± {error}");
    assert!(error < 0.01, "{error}");
    assert_eq!(field(&ask("max"), "result").as_f64(), Some(180.0));
    assert_eq!(
        json(&engine.metrics()),
        r#"[{"name":"booking_response_time","kind":"observation","unit":"ms","series":1}]"#
    );
}

/// A window without samples has no value: `null`, neither 0 nor `undefined`.
#[wasm_bindgen_test]
fn an_empty_window_is_null() {
    let answer = engine().query(&js(r#"{"name": "nothing", "window": "5m", "agg": "avg"}"#)).unwrap();
    assert!(field(&answer, "result").is_null());
    assert_eq!(field(&answer, "count").as_f64(), Some(0.0));
}

/// Groups come as plain objects, and `where` says which series count.
#[wasm_bindgen_test]
fn groups_and_conditions() {
    let mut engine = engine();
    record(&mut engine, "latency", 10.0, r#"{"labels": {"route": "/a", "method": "GET"}}"#);
    record(&mut engine, "latency", 30.0, r#"{"labels": {"route": "/a", "method": "PUT"}}"#);
    record(&mut engine, "latency", 50.0, r#"{"labels": {"method": "GET", "route": "/b"}}"#);
    let sums = |extra: &str| {
        let query = js(&format!(r#"{{"name": "latency", "window": "1m", "agg": "sum", {extra}}}"#));
        engine.query(&query).unwrap()
    };
    let groups: Vec<_> = Array::from(&field(&sums(r#""by": ["route"]"#), "groups"))
        .iter()
        .map(|group| (json(&field(&group, "labels")), field(&group, "result").as_f64().unwrap()))
        .collect();
    assert_eq!(groups, [(r#"{"route":"/a"}"#.to_owned(), 40.0), (r#"{"route":"/b"}"#.to_owned(), 50.0)]);
    let sum = |condition: &str| field(&sums(&format!(r#""where": {condition}"#)), "result").as_f64();
    assert_eq!(sum(r#"{"route": "/a"}"#), Some(40.0));
    assert_eq!(sum(r#"["route:/a", "method:PUT"]"#), Some(30.0));
    assert_eq!(sum(r#"{"method": {"not": "GET"}}"#), Some(30.0));
    assert_eq!(sum(r#"{"route": {"matches": "/.*"}, "method": {"matches_not": "P.*"}}"#), Some(60.0));
    assert_eq!(sum(r#"{"route": "/c"}"#), None);
}

/// Columns are recorded, and what is refused is counted and named.
#[wasm_bindgen_test]
fn columns_are_recorded() {
    let mut engine = engine();
    let times = Float64Array::from(&[NOW - 2_000.0, f64::NAN, NOW, NOW + 3_600_000.0][..]);
    let values = Float64Array::from(&[1.0, 2.0, 3.0, 4.0][..]);
    let series = js(r#"{"name": "m", "labels": {"host": "a"}, "kind": "gauge"}"#);
    let receipt = engine.record_columns(&series, &times, &values).unwrap();
    assert_eq!(field(&receipt, "accepted").as_f64(), Some(2.0));
    assert_eq!(field(&receipt, "rejected").as_f64(), Some(2.0));
    let rejections: Vec<_> = Array::from(&field(&receipt, "rejections"))
        .iter()
        .map(|one| (field(&one, "index").as_f64().unwrap(), field(&one, "code").as_string().unwrap()))
        .collect();
    assert_eq!(rejections, [(1.0, "bad_timestamp".to_owned()), (3.0, "too_new".to_owned())]);
    let sum = engine.query(&js(r#"{"name": "m", "window": "10s", "agg": "sum"}"#)).unwrap();
    assert_eq!(field(&sum, "result").as_f64(), Some(4.0));
    let receipt = engine.record_columns(&"m".into(), &times.subarray(0, 1), &values.subarray(0, 1)).unwrap();
    assert_eq!(field(&receipt, "accepted").as_f64(), Some(1.0));
    refused(engine.record_columns(&series, &times, &values.subarray(0, 1)), "bad_columns", "4 timestamps and 1 values");
    refused(engine.record_columns(&series, &js("[1]"), &values), "bad_columns", "Float64Array");
}

/// Columns of many series go by the handles that the engine gave; a fraction of a millisecond
/// belongs to the millisecond that it ends in.
#[wasm_bindgen_test]
fn columns_of_many_series() {
    let mut engine = engine();
    let mut handle = |host: &str| {
        engine.series(&"m".into(), &js(&format!(r#"{{"host": "{host}"}}"#)), &js(r#"{"unit": "ms"}"#)).unwrap()
    };
    let (a, b) = (handle("a"), handle("b"));
    assert_eq!(handle("a"), a);
    let series = Uint32Array::from(&[a, b, 9, a][..]);
    let times = Float64Array::from(&[NOW - 999.5, NOW - 10_000.25, NOW, NOW - 0.75][..]);
    let values = Float64Array::from(&[1.0, 2.0, 3.0, 4.0][..]);
    let receipt = engine.record_columns(&series, &times, &values).unwrap();
    assert_eq!(json(&field(&receipt, "accepted")), "3");
    let rejection = Array::from(&field(&receipt, "rejections")).get(0);
    assert_eq!(field(&rejection, "index").as_f64(), Some(2.0));
    assert_eq!(field(&rejection, "code").as_string().as_deref(), Some("bad_series"));
    let ask = |name: &str, host: &str, agg: &str| {
        let query = format!(r#"{{"name": "{name}", "window": "10s", "agg": "{agg}", "where": {{"host": "{host}"}}}}"#);
        field(&engine.query(&js(&query)).unwrap(), "result").as_f64()
    };
    assert_eq!(ask("m", "a", "sum"), Some(5.0));
    // −10,000.25 ms becomes −10,000 ms, which is the left edge and so outside.
    assert_eq!(ask("m", "b", "sum"), None);
    let receipt = engine.record_columns(&b.into(), &times.subarray(0, 1), &values.subarray(0, 1)).unwrap();
    assert_eq!(field(&receipt, "accepted").as_f64(), Some(1.0));
    refused(engine.record_columns(&9.into(), &times, &values), "bad_series", "9 is no series");
    refused(engine.record_columns(&0.5.into(), &times, &values), "bad_series", "0.5 is no series");
    refused(engine.record_columns(&series.subarray(0, 1), &times, &values), "bad_columns", "1 series, 4 timestamps");
    refused(engine.series(&"m".into(), &JsValue::NULL, &js(r#"{"unit": "s"}"#)), "unit_conflict", "ms");
    refused(engine.series(&"m".into(), &js(r#"{"a": 1}"#), &JsValue::UNDEFINED), "bad_labels", "String");
}

/// A table answers several figures of each row in one call, and its rows keep their place.
#[wasm_bindgen_test]
fn a_table_is_answered() {
    let mut engine = engine();
    record(&mut engine, "latency", 30.0, r#"{"labels": {"host": "b", "__proto__": "x"}}"#);
    let question = js(r#"{"name": "latency", "window": "1m", "aggs": ["count", "avg", "p50"], "by": ["host"]}"#);
    let mut table = engine.table(&question).unwrap();
    let first = table.answer(&JsValue::UNDEFINED).unwrap();
    assert_eq!(json(&field(&first, "rows")), r#"[{"host":"b"}]"#);
    assert!(Object::is(&field(&first, "rows"), &field(&table.answer(&NOW.into()).unwrap(), "rows")));
    record(&mut engine, "latency", 10.0, r#"{"labels": {"host": "a"}}"#);
    record(&mut engine, "latency", 20.0, r#"{"labels": {"host": "a"}}"#);
    let answer = table.answer(&JsValue::UNDEFINED).unwrap();
    assert_eq!(json(&field(&answer, "rows")), r#"[{"host":"b"},{"host":"a"}]"#);
    let column = |answer: &JsValue, name: &str| Float64Array::from(field(&field(answer, "columns"), name)).to_vec();
    assert_eq!(column(&answer, "count"), [1.0, 2.0]);
    assert_eq!(column(&answer, "avg"), [30.0, 15.0]);
    assert!((column(&answer, "p50")[1] - 10.0).abs() <= 10.0 * field(&answer, "relativeError").as_f64().unwrap());
    let later = table.answer(&(NOW + 120_000.0).into()).unwrap();
    assert!(column(&later, "avg").iter().all(|figure| figure.is_nan()));

    let all = js(r#"{"name": "latency", "window": "1m", "aggs": ["max"]}"#);
    let rows = field(&engine.table(&all).unwrap().answer(&JsValue::UNDEFINED).unwrap(), "rows");
    assert_eq!(json(&rows), r#"[{"__proto__":"x","host":"b"},{"host":"a"}]"#);
    let one = js(r#"{"name": "latency", "window": "1m", "aggs": ["max"], "by": [], "where": {"host": "a"}}"#);
    let one = engine.table(&one).unwrap().answer(&JsValue::UNDEFINED).unwrap();
    assert_eq!((json(&field(&one, "rows")), column(&one, "max")), ("[{}]".to_owned(), vec![20.0]));

    refused(table.answer(&"now".into()), "bad_timestamp", "`now`");
    refused(engine.table(&js(r#"{"name": "latency", "window": "1m"}"#)), "missing_option", "`aggs`");
    refused(engine.table(&js(r#"{"name": "latency", "window": "1m", "aggs": ["mean"]}"#)), "bad_aggregation", "avg");
    drop(engine);
    refused(table.answer(&JsValue::UNDEFINED), "freed", "engine");
}

fn floats(object: &JsValue, name: &str) -> Vec<f64> {
    Float64Array::from(field(object, name)).to_vec()
}

/// A chart's lines are columns of typed arrays; what is silent is left out and the line begins anew.
#[wasm_bindgen_test]
fn a_range_is_answered() {
    let mut engine = engine();
    for (ago, value) in [(1_200.0, 1.0), (1_190.0, 5.0), (9.0, 2.0), (8.0, 8.0)] {
        let options =
            format!(r#"{{"timestamp": {}, "labels": {{"host": "a"}}, "kind": "gauge"}}"#, NOW - ago * 1_000.0);
        record(&mut engine, "m", value, &options);
    }
    let from = NOW - 1_800_000.0;
    let ask = |rest: &str| {
        let query = format!(r#"{{"name": "m", "window": "1m", "agg": "max", "by": ["host"], "from": {from}, {rest}}}"#);
        engine.query_range(&js(&query))
    };
    let answer = ask(r#""step": "10s""#).unwrap();
    let lines = Array::from(&field(&answer, "lines"));
    assert_eq!(lines.length(), 1);
    let line = lines.get(0);
    assert_eq!(json(&field(&line, "labels")), r#"{"host":"a"}"#);
    assert_eq!(floats(&line, "value"), [1.0, 5.0, 8.0]);
    assert_eq!(floats(&line, "min"), [1.0, 5.0, 2.0]);
    assert_eq!(floats(&line, "first"), [1.0, 5.0, 2.0]);
    assert_eq!(floats(&line, "last"), [1.0, 5.0, 8.0]);
    assert_eq!(floats(&line, "count"), [1.0, 1.0, 2.0]);
    assert_eq!(floats(&line, "to"), [NOW - 1_200_000.0, NOW - 1_190_000.0, NOW]);
    let joined = js_sys::Uint8Array::from(field(&line, "joined")).to_vec();
    assert_eq!(joined, [0, 1, 0]);
    let narrow = Array::from(&field(&ask(r#""columns": 3"#).unwrap(), "lines")).get(0);
    assert_eq!(floats(&narrow, "count").iter().sum::<f64>(), 4.0);
    assert!(floats(&narrow, "to").len() <= 3);
    refused(ask(r#""window": "1m""#), "missing_option", "`columns`");
    refused(ask(r#""columns": 10, "step": "1s""#), "bad_option", "`step`");
    refused(ask(r#""columns": 0"#), "bad_option", "`columns`");
    refused(ask(&format!(r#""columns": 10, "to": {from}"#)), "bad_range", "end");
}

/// A histogram has the count of each value bucket, column by column.
#[wasm_bindgen_test]
fn a_histogram_is_answered() {
    let mut engine = engine();
    for (ago, value) in [(50.0, 1.0), (50.0, 100.0), (5.0, 100.0), (5.0, 100.1)] {
        record(&mut engine, "m", value, &format!(r#"{{"timestamp": {}}}"#, NOW - ago * 1_000.0));
    }
    let ask = |rest: &str| engine.histogram(&js(&format!(r#"{{"name": "m", "window": "1m"{rest}}}"#))).unwrap();
    let one = Array::from(&field(&ask(""), "groups")).get(0);
    assert_eq!(floats(&one, "counts"), [1.0, 3.0]);
    let (lower, upper) = (floats(&one, "lower"), floats(&one, "upper"));
    assert!(lower[1] < 100.0 && upper[1] >= 100.1 && lower[0] < 1.0 && upper[0] >= 1.0, "{lower:?} {upper:?}");
    let heat = Array::from(&field(&ask(r#", "columns": 4"#), "groups")).get(0);
    assert_eq!(floats(&heat, "counts"), [1.0, 1.0, 0.0, 2.0]);
    assert_eq!(floats(&heat, "to"), [NOW - 30_000.0, NOW]);
    refused(engine.histogram(&js(r#"{"name": "m"}"#)), "missing_option", "`window`");
}

/// A board's rules fire and are resolved, its KPIs stand against their targets.
#[wasm_bindgen_test]
fn a_board_is_watched() {
    let mut engine = engine();
    let board = r#"{
        "title": "T", "panels": [{"anything": 1}],
        "metrics": [{"name": "m", "kind": "observation", "unit": "ms"}],
        "kpis": [{"id": "k", "title": "K", "unit": "ms", "better": "lower", "target": 100,
                  "query": {"metric": "m", "window": "1m", "agg": "avg"}}],
        "rules": [{"name": "Slow", "query": {"metric": "m", "window": "1m", "agg": "avg", "by": ["host"]},
                   "is": ">", "threshold": 100, "for": "10s", "severity": "page", "labels": {"team": "x"}}]
    }"#;
    engine.set_board(&js(board)).unwrap();
    record(&mut engine, "m", 300.0, r#"{"labels": {"host": "a"}}"#);
    let evaluate = |engine: &mut Engine, after: f64| {
        let evaluation = engine.evaluate(&(NOW + after).into()).unwrap();
        assert_eq!(json(&field(&evaluation, "failures")), "[]");
        let transitions = Array::from(&field(&evaluation, "transitions"));
        transitions.iter().map(|one| field(&one, "to").as_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(evaluate(&mut engine, 0.0), ["pending"]);
    assert!(evaluate(&mut engine, 9_000.0).is_empty());
    assert_eq!(evaluate(&mut engine, 10_000.0), ["firing"]);
    let alert = Array::from(&engine.alerts()).get(0);
    assert_eq!(
        json(&alert),
        format!(
            r#"{{"rule":"Slow","labels":{{"alertname":"Slow","host":"a","team":"x"}},"severity":"page","state":"firing","value":300,"stale":false,"activeAt":{NOW},"firedAt":{},"resolvedAt":null}}"#,
            NOW + 10_000.0
        )
    );
    let kpi = Array::from(&engine.kpis(&NOW.into()).unwrap()).get(0);
    assert_eq!(
        json(&kpi),
        format!(
            r#"{{"id":"k","title":"K","unit":"ms","standing":"not_met","target":100,"result":300,"count":1,"from":{},"to":{NOW},"relativeError":0,"previous":null,"change":null,"percent":null,"points":null}}"#,
            NOW - 60_000.0
        )
    );
    engine.set_board(&js(r#"{"rules": []}"#)).unwrap();
    assert_eq!(evaluate(&mut engine, 11_000.0), ["resolved"]);
    let wrong = |board: &str, says: &str| {
        let mut engine = Engine::new(&JsValue::UNDEFINED).unwrap();
        refused(engine.set_board(&js(board)), "bad_board", says);
    };
    wrong(&board.replace("\"threshold\": 100,", ""), "rules[0]: setBoard: give `threshold`");
    wrong(&board.replace("\"is\": \">\"", "\"is\": \"=\""), "`is`");
    wrong(&board.replace("\"kind\": \"observation\"", "\"kind\": \"gauge\"").replace("avg", "rate"), "does not fit");
    record(&mut engine, "n", 1.0, r#"{"kind": "gauge"}"#);
    let metrics = r#"{"metrics": [{"name": "fresh", "kind": "event"}, {"name": "n", "kind": "counter"}]}"#;
    refused(engine.set_board(&js(metrics)), "kind_conflict", "gauge");
    record(&mut engine, "fresh", 1.0, r#"{"kind": "gauge"}"#);
}

/// An engine made of a snapshot answers as the one that it was taken of.
#[wasm_bindgen_test]
fn a_snapshot_is_restored() {
    let mut engine = engine();
    for value in [5.0, 4.0, 9.0] {
        record(&mut engine, "resolution_time", value, r#"{"labels": {"office": "a"}}"#);
    }
    record(&mut engine, "conflict", 1.0, "{}");
    let bytes = engine.snapshot();
    let options = Object::new();
    Reflect::set(&options, &"clock".into(), &Function::new_no_args("return 1800000000000")).unwrap();
    Reflect::set(&options, &"snapshot".into(), &bytes).unwrap();
    let restored = Engine::new(&options).unwrap();
    let query = js(r#"{"name": "resolution_time", "window": "5m", "agg": "p50", "by": ["office"]}"#);
    assert_eq!(json(&restored.query(&query).unwrap()), json(&engine.query(&query).unwrap()));
    assert_eq!(
        json(&restored.scorecard(&JsValue::UNDEFINED).unwrap()),
        r#"{"avg_resolution_time":6,"avg_satisfaction":0,"total_conflicts":1}"#
    );
    Reflect::set(&options, &"snapshot".into(), &bytes.slice(0, bytes.length() - 1)).unwrap();
    refused(Engine::new(&options), "bad_snapshot", "checksum");
    Reflect::set(&options, &"snapshot".into(), &bytes).unwrap();
    Reflect::set(&options, &"tiers".into(), &js(r#"[{"width": "1s", "span": "1m"}]"#)).unwrap();
    refused(Engine::new(&options), "bad_tiers", "tiers");
}

/// Sketches keep to their error, singly and in sets, and merge.
#[wasm_bindgen_test]
fn sketches_are_filled_and_merged() {
    let mut whole = Sketch::new(&JsValue::UNDEFINED).unwrap();
    assert!(whole.quantile(&0.5.into()).unwrap().is_null());
    let values: Vec<f64> = (1..=1_000).map(f64::from).collect();
    whole.record_all(&Float64Array::from(&values[..])).unwrap();
    let close = |sketch: &Sketch, q: f64, expected: f64| {
        let found = sketch.quantile(&q.into()).unwrap().as_f64().unwrap();
        assert!((found - expected).abs() <= expected * sketch.relative_error(), "{found} instead of {expected}");
    };
    close(&whole, 0.99, 990.0);
    let ends = |sketch: &Sketch| (sketch.count(), sketch.sum(), sketch.min().as_f64(), sketch.max().as_f64());
    assert_eq!(ends(&whole), (1_000.0, 500_500.0, Some(1.0), Some(1_000.0)));
    assert_eq!(whole.mean().as_f64(), Some(500.5));
    assert_eq!(whole.quantile(&1.into()).unwrap().as_f64(), Some(1_000.0));

    let mut set = Sketches::new(&2.into(), &js(r#"{"scale": 7}"#)).unwrap();
    let places: Vec<u32> = (0..1_000).map(|place| place % 2).collect();
    set.record_columns(&Uint32Array::from(&places[..]), &Float64Array::from(&values[..])).unwrap();
    assert_eq!(set.counts().to_vec(), [500.0, 500.0]);
    assert_eq!(set.sums().to_vec(), [250_000.0, 250_500.0]);
    let (mut odd, even) = (set.at(&0.into()).unwrap(), set.at(&1.into()).unwrap());
    assert_eq!(set.quantiles(&0.5.into()).unwrap().to_vec()[1], even.quantile(&0.5.into()).unwrap().as_f64().unwrap());
    odd.merge(&even);
    close(&odd, 0.99, 990.0);
    assert_eq!(ends(&odd), ends(&whole));

    let floats = |values: &[f64]| Float64Array::from(values);
    refused(whole.record(&f64::NAN.into()), "bad_value", "finite");
    refused(whole.record_all(&floats(&[1.0, f64::INFINITY])), "bad_value", "finite");
    refused(whole.quantile(&2.into()), "bad_quantile", "0.99");
    refused(set.record_columns(&Uint32Array::from(&[2][..]), &floats(&[1.0])), "bad_columns", "place 2");
    refused(set.record_columns(&Uint32Array::from(&[1][..]), &floats(&[f64::NAN])), "bad_value", "finite");
    refused(set.record_columns(&Uint32Array::from(&[1][..]), &floats(&[])), "bad_columns", "one place");
    refused(set.at(&2.into()), "bad_option", "place");
    refused(Sketches::new(&0.into(), &JsValue::UNDEFINED), "bad_option", "number");
    refused(Sketch::new(&js(r#"{"scale": 9}"#)), "bad_option", "`scale`");
    assert_eq!((set.counts().to_vec(), whole.count()), (vec![500.0, 500.0], 1_000.0));
}

/// Few of a line's points draw it.
#[wasm_bindgen_test]
fn points_are_chosen() {
    let mut points = Points::new();
    assert_eq!(points.m4(&4.into(), &JsValue::UNDEFINED, &JsValue::UNDEFINED).unwrap().length(), 0);
    let times: Vec<f64> = (0..100).map(f64::from).collect();
    let mut values = vec![0.0; 100];
    (values[30], values[77]) = (9.0, -9.0);
    let columns = (Float64Array::from(&times[..]), Float64Array::from(&values[..]));
    points.extend(&columns.0, &columns.1).unwrap();
    let none = JsValue::UNDEFINED;
    assert_eq!(points.m4(&2.into(), &none, &none).unwrap().to_vec(), [0, 30, 49, 50, 77, 99]);
    assert_eq!(points.m4(&1.into(), &20.into(), &40.into()).unwrap().to_vec(), [20, 30, 40]);
    let few = points.min_max_lttb(&10.into(), &none, &none).unwrap().to_vec();
    assert!(few.len() <= 10 && few.contains(&30) && few.contains(&77), "{few:?}");
    points.drop_until(&29.into()).unwrap();
    assert_eq!((points.length(), points.timestamps().get_index(0), points.values().get_index(0)), (70.0, 30.0, 9.0));
    refused(points.extend(&columns.0, &columns.1), "bad_timestamp", "before");
    refused(points.extend(&columns.0, &columns.1.subarray(0, 1)), "bad_columns", "100 timestamps");
    refused(points.m4(&0.into(), &none, &none), "bad_option", "from 1");
    refused(points.m4(&1.into(), &"a".into(), &none), "bad_timestamp", "edge");
    refused(points.drop_until(&f64::NAN.into()), "bad_timestamp", "number");
    assert_eq!(points.length(), 70.0);
}

/// Everything refused is a `BellwetherError` with a stable code and a sentence that helps.
#[wasm_bindgen_test]
fn refusals_have_codes() {
    let mut engine = engine();
    let none = JsValue::UNDEFINED;
    refused(engine.record(&"".into(), &1.into(), &none), "bad_name", "empty");
    refused(engine.record(&7.into(), &1.into(), &none), "bad_name", "string");
    refused(engine.record(&"m".into(), &JsValue::NULL, &none), "bad_value", "finite");
    refused(engine.record(&"m".into(), &"12".into(), &none), "bad_value", "finite");
    refused(engine.record(&"m".into(), &f64::NAN.into(), &none), "bad_value", "finite");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"lables": {}}"#)), "unknown_option", "`lables`");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"labels": {"a": 1}}"#)), "bad_labels", "String(value)");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"timestamp": "now"}"#)), "bad_timestamp", "Date.now()");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"timestamp": 1}"#)), "too_late", "");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"timestamp": 1900000000000}"#)), "too_new", "");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"kind": "histogram"}"#)), "bad_kind", "\"gauge\"");
    assert_eq!(field(&engine.memory(), "series").as_f64(), Some(0.0), "a refused sample left a series");
    record(&mut engine, "m", 1.0, r#"{"kind": "gauge", "unit": "s"}"#);
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"kind": "counter"}"#)), "kind_conflict", "");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"unit": "ms"}"#)), "unit_conflict", "\"s\"");
    let ask = |query: &str| engine.query(&js(query));
    refused(ask("7"), "bad_option", "object");
    refused(ask("{}"), "missing_option", "`name`");
    refused(ask(r#"{"name": "m", "agg": "avg"}"#), "missing_option", "`window`");
    refused(ask(r#"{"name": "m", "window": "5m"}"#), "missing_option", "`agg`");
    refused(ask(r#"{"name": "m", "window": "5 minutes", "agg": "avg"}"#), "bad_window", "`window`");
    refused(ask(r#"{"name": "m", "window": "0s", "agg": "avg"}"#), "bad_window", "");
    refused(ask(r#"{"name": "m", "window": "900d", "agg": "avg"}"#), "bad_window", "at most");
    refused(ask(r#"{"name": "m", "window": "5m", "agg": "mean"}"#), "bad_aggregation", "avg");
    refused(ask(r#"{"name": "m", "window": "5m", "agg": "rate"}"#), "bad_aggregation", "gauge");
    refused(ask(r#"{"name": "m", "window": "5m", "agg": "avg", "across": "all"}"#), "bad_across", "`across`");
    refused(ask(r#"{"name": "m", "window": "5m", "agg": "avg", "by": "route"}"#), "bad_option", "`by`");
    refused(ask(r#"{"name": "m", "window": "5m", "agg": "avg", "where": {"a": {"matches": "("}}}"#), "bad_pattern", "");
    refused(ask(r#"{"name": "m", "window": "5m", "agg": "avg", "where": ["route"]}"#), "bad_where", "route:/book");
    refused(
        ask(r#"{"name": "m", "window": "5m", "agg": "avg", "where": {"a": {"like": "b"}}}"#),
        "bad_where",
        "matches",
    );
    let patterns = |count: usize| {
        let conditions: Vec<_> = (0..count).map(|number| format!(r#""l{number}": {{"matches": "a"}}"#)).collect();
        let text = format!(r#"{{"name": "m", "window": "5m", "agg": "avg", "where": {{{}}}}}"#, conditions.join(","));
        ask(&text)
    };
    assert!(patterns(8).is_ok());
    refused(patterns(9), "bad_where", "at most 8");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"unit": 5}"#)), "bad_unit", "string");
    record(&mut engine, "m", 1.0, r#"{"labels": {"host": "a"}}"#);
    refused(engine.query(&js(r#"{"name": "m", "window": "5m", "agg": "last"}"#)), "bad_across", "across");
    refused(Engine::new(&js(r#"{"futureSkew": -1}"#)), "bad_option", "`futureSkew`");
    refused(Engine::new(&js(r#"{"clock": 5}"#)), "bad_option", "`clock`");
    refused(
        Engine::new(&js(r#"{"tiers": [{"width": "10s", "span": "1m"}, {"width": "1s", "span": "1h"}]}"#)),
        "bad_tiers",
        "",
    );
}

/// Tiers and limits of the caller are the engine's.
#[wasm_bindgen_test]
fn options_are_heeded() {
    let options = js(r#"{"tiers": [{"width": 500, "span": "10s"}, {"width": "1s", "span": "1m"}], "maxSeries": 1}"#);
    Reflect::set(&options, &"clock".into(), &Function::new_no_args("return 1800000000000")).unwrap();
    let mut engine = Engine::new(&options).unwrap();
    record(&mut engine, "m", 1.0, "{}");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"labels": {"a": "b"}}"#)), "too_many_series", "");
    refused(engine.record(&"m".into(), &1.into(), &js(r#"{"timestamp": 1799999000000}"#)), "too_late", "");
    refused(engine.query(&js(r#"{"name": "m", "window": "2h", "agg": "avg"}"#)), "bad_window", "at most");
}

/// The platform's clock is read where the caller gives none.
#[wasm_bindgen_test]
fn the_platforms_clock_is_the_default() {
    let mut engine = Engine::new(&JsValue::UNDEFINED).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the platform's clock is what is tested")]
    let before = js_sys::Date::now();
    engine.record(&"m".into(), &1.into(), &JsValue::UNDEFINED).unwrap();
    let answer = engine.query(&js(r#"{"name": "m", "window": "1m", "agg": "last"}"#)).unwrap();
    assert_eq!(field(&answer, "result").as_f64(), Some(1.0));
    assert!(field(&answer, "to").as_f64().unwrap() >= before);
    let memory = engine.memory();
    assert_eq!(field(&memory, "series").as_f64(), Some(1.0));
    assert!(field(&memory, "bytes").as_f64().unwrap() > 0.0);
    assert!(field(&memory, "wasmBytes").as_f64().unwrap() > field(&memory, "bytes").as_f64().unwrap());
}
