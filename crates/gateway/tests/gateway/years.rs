//! Questions over more than the engine in memory holds.

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use bellwether_gateway::store::{Batch, BatchSample, Progress, RedbStore, Store};
use bellwether_wire::ingest::Repeats;

use crate::running::{Running, bare_command, now_ms, until};

const DAY: i64 = 86_400_000;

/// A case a day for so many days up to yesterday, by two teams in turn; as a gateway of those days kept them.
fn kept(folder: &std::path::Path, days: i64) {
    let mut store = RedbStore::open(folder, 7).unwrap();
    let now = now_ms();
    for day in (1..=days).rev() {
        let received_at = TimestampMs::new(now - day * DAY);
        let team = ["north", "south"][day as usize % 2];
        let key = SeriesKey {
            metric: MetricName::new("resolution_time").unwrap(),
            labels: Labels::new([("team", team)]).unwrap(),
        };
        let sample = BatchSample {
            series: key,
            kind: Kind::Observation,
            sample: Sample::new(received_at, day as f64).unwrap(),
            reference: None,
            repeats: Repeats::Count,
        };
        let batch = Batch {
            samples: vec![sample],
            histograms: Vec::new(),
            declarations: Vec::new(),
            idempotency: None,
            received_at,
        };
        store.append(&[batch]).unwrap();
    }
    while store.seal(TimestampMs::new(now)).unwrap() == Progress::More {}
    store.close().unwrap();
}

#[test]
fn a_year_is_answered_from_summaries_when_its_samples_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path(), 400);
    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.ingest(r#"{"name":"resolution_time","value":1000,"labels":{"team":"north"}}"#).status, 204);
    let raw = || gateway.get("/api/v1/export?format=ndjson&name=resolution_time").body.lines().count();
    until("samples older than 90 days are dropped", || raw() < 100);
    assert_eq!(raw(), 91, "of 90 days and of now");

    // 364 days and a case of now; a window's left edge moves out to the edge of an hour at most.
    let year = "name=resolution_time&window=364d12h";
    assert_eq!(gateway.result(&format!("{year}&agg=count")), Some(365.0));
    assert_eq!(gateway.result(&format!("{year}&agg=sum")), Some((1..=364).sum::<i64>() as f64 + 1_000.0));
    assert_eq!(gateway.result(&format!("{year}&agg=max")), Some(1_000.0));
    assert_eq!(gateway.result(&format!("{year}&agg=count&where=team:south")), Some(182.0));
    let median = gateway.result(&format!("{year}&agg=p50")).unwrap();
    assert!((median - 183.0).abs() < 183.0 * 0.02, "{median}");
    let groups = gateway.get(&format!("/query?{year}&agg=count&by=team")).json();
    let counts: Vec<_> = groups["groups"].as_array().unwrap().iter().map(|group| group["result"].as_f64()).collect();
    assert_eq!(counts, [Some(183.0), Some(182.0)]);
    assert_eq!(gateway.result("name=resolution_time&window=3650d&agg=count"), Some(401.0));
    gateway.get("/query?name=resolution_time&window=4000d&agg=count").is_error(400, "bad_window");
    // What the engine holds is answered by it, the same.
    assert_eq!(gateway.result("name=resolution_time&window=60d12h&agg=count"), Some(61.0));

    gateway.terminate();
    let verified = bare_command().args(["verify", "--data-dir"]).arg(folder.path()).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.result(&format!("{year}&agg=count")), Some(365.0), "after a start too");
}
