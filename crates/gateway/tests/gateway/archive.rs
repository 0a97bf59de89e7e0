//! `verify`, `export` and `backup`: on a folder, and of a gateway that runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::running::{Request, Running, bare_command, now_ms, until};

fn bellwether(arguments: &[&str]) -> Output {
    bare_command().args(arguments).output().unwrap()
}

#[track_caller]
fn ends_with(output: &Output, code: i32, words: &[&str]) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn place(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `export` writes as NDJSON, by name and reference; without what the gateway says of itself.
#[track_caller]
fn exported(arguments: &[&str]) -> BTreeMap<(String, String), Value> {
    let output = bellwether(&[&["export", "--format", "ndjson"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rows = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let name = row["name"].as_str().unwrap();
        if !name.starts_with("gateway_") && !name.starts_with("http_") {
            let key = (name.to_owned(), row["ref"].as_str().unwrap_or_default().to_owned());
            assert!(rows.insert(key, row.clone()).is_none(), "twice: {row}");
        }
    }
    rows
}

#[test]
fn every_stored_sample_is_exported_with_its_reference() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let now = now_ms();
    let body: Vec<_> = (0..500)
        .map(|case| {
            let (minute, team) = (now - case * 60_000, case % 3);
            format!(
                r#"{{"name":"resolution_time","value":{case}.5,"timestamp":{minute},"unit":"d","labels":{{"team":"{team}"}},"ref":"case {case}"}}"#
            )
        })
        .collect();
    assert_eq!(gateway.ingest(&format!("[{}]", body.join(","))).status, 204);
    assert_eq!(gateway.ingest(r#"{"name":"conflict","value":1,"ref":"=1+1"}"#).status, 204);

    let running = exported(&["--gateway", &gateway.url]);
    assert_eq!(running.len(), 501);
    for case in 0..500 {
        let row = &running[&("resolution_time".to_owned(), format!("case {case}"))];
        assert_eq!(row["value"].as_f64(), Some(case as f64 + 0.5));
        assert_eq!(row["timestamp"].as_i64(), Some(now - case * 60_000));
        assert_eq!(
            (row["labels"]["team"].as_str(), row["unit"].as_str()),
            (Some(["0", "1", "2"][case as usize % 3]), Some("d"))
        );
    }
    let answer = gateway.get("/api/v1/export?name=conflict");
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(answer.body.lines().count(), 2);
    assert!(answer.body.ends_with(",1,'=1+1,,,,,\r\n"), "{}", answer.body);
    let one = [
        "--name",
        "resolution_time",
        "--where",
        "team:1",
        "--from",
        &(now - 100 * 60_000).to_string(),
        "--to",
        &(now - 60_000).to_string(),
    ];
    assert_eq!(exported(&[&["--gateway", &gateway.url], &one[..]].concat()).len(), 33);
    gateway.get("/api/v1/export?format=xml").is_error(400, "bad_query");
    gateway.get("/api/v1/export?name=a&nmae=b").is_error(400, "bad_query");
    let foreign = Request::get("/api/v1/backup").header("origin", "https://elsewhere.example").send(&gateway);
    foreign.is_error(403, "origin_not_allowed");

    // The same from the folder once the gateway has stopped; not before.
    ends_with(&bellwether(&["export", "--data-dir", place(folder.path())]), 1, &["has the store", "--gateway"]);
    ends_with(&bellwether(&["verify", "--data-dir", place(folder.path())]), 1, &["has the store", "backup"]);
    gateway.terminate();
    assert_eq!(exported(&["--data-dir", place(folder.path())]), running);
    assert_eq!(exported(&[&["--data-dir", place(folder.path())], &one[..]].concat()).len(), 33);
    ends_with(&bellwether(&["verify", "--data-dir", place(folder.path())]), 0, &["format 2", "every record is whole"]);
}

#[test]
fn what_was_exported_can_be_taken_in_again() {
    let gateway = Running::start(&[]);
    let body = r#"[{"name":"m","value":-0.25,"kind":"gauge","labels":{"a":"é\"\n"},"ref":"\u0001"},{"name":"m2","value":1e300}]"#;
    assert_eq!(gateway.ingest(body).status, 204);
    let rows = gateway.get("/api/v1/export?format=ndjson&name=m");
    let other = Running::start(&[]);
    let taken =
        Request::post("/ingest").header("content-type", "application/x-ndjson").body(rows.body.clone()).send(&other);
    assert_eq!(taken.status, 204, "{}", taken.body);
    assert_eq!(other.get("/api/v1/export?format=ndjson&name=m").body, rows.body);
}

#[test]
fn a_backup_of_a_gateway_that_runs_is_of_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let copies = tempfile::tempdir().unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // One batch after the other: each copy holds the first so many, all of each.
            let mut number = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let pair = format!(r#"[{{"name":"m","value":{number},"ref":"{number}"}},{{"name":"n","value":{number},"ref":"{number}"}}]"#);
                assert_eq!(gateway.ingest(&pair).status, 204);
                number += 1;
            }
        });
        for copy in 0..3 {
            until("there is more to copy", || {
                gateway.result("name=m&window=1h&agg=count").unwrap_or(0.0) > f64::from(copy * 20)
            });
            let file = copies.path().join(format!("{copy}.redb"));
            ends_with(&bellwether(&["backup", place(&file), "--gateway", &gateway.url]), 0, &["series"]);
            let rows = exported(&["--data-dir", place(&file)]);
            let of_each = rows.len() / 2;
            assert!(of_each > copy as usize * 20);
            for number in 0..of_each {
                for name in ["m", "n"] {
                    assert!(rows.contains_key(&(name.to_owned(), number.to_string())), "{name} {number} of {of_each}");
                }
            }
            ends_with(&bellwether(&["verify", "--data-dir", place(&file)]), 0, &["every record is whole"]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let file = copies.path().join("2.redb");
    ends_with(&bellwether(&["backup", place(&file), "--gateway", &gateway.url]), 1, &["is there already"]);
    assert_eq!(std::fs::read_dir(copies.path()).unwrap().count(), 3, "nothing unfinished is left");

    // A gateway goes on with it, as another stream.
    let restored = tempfile::tempdir().unwrap();
    let count = exported(&["--data-dir", place(&file)]).len() / 2;
    std::fs::copy(&file, restored.path().join("bellwether.redb")).unwrap();
    let again = Running::start_in(restored.path(), &[]);
    assert_eq!(again.result("name=m&window=1h&agg=count"), Some(count as f64));
    let epoch = |gateway: &Running| crate::live::Live::open(gateway).hello.epoch;
    assert_ne!(epoch(&again), epoch(&gateway));
    let missing =
        bellwether(&["backup", place(&copies.path().join("x")), "--data-dir", place(&restored.path().join("none"))]);
    ends_with(&missing, 1, &["no store"]);
    assert!(!copies.path().join("x").exists());
}

/// Turns over a bit in the middle of every chunk of a store's file.
fn damage_chunks(folder: &Path) -> usize {
    let database = redb::Database::create(folder.join("bellwether.redb")).unwrap();
    let write = database.begin_write().unwrap();
    let mut damaged = 0;
    {
        let mut table = write.open_table(redb::TableDefinition::<(u32, i64, u32), &[u8]>::new("chunks")).unwrap();
        let rows: Vec<_> = redb::ReadableTable::iter(&table)
            .unwrap()
            .map(|row| row.map(|(key, record)| (key.value(), record.value().to_vec())).unwrap())
            .collect();
        for (key, mut record) in rows {
            let middle = record.len() / 2;
            record[middle] ^= 4;
            table.insert(key, record.as_slice()).unwrap();
            damaged += 1;
        }
    }
    write.commit().unwrap();
    damaged
}

#[test]
fn damage_is_named_and_nothing_passes_for_whole() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let now = now_ms();
    let old: Vec<_> =
        (0..50).map(|n| format!(r#"{{"name":"old","value":{n},"timestamp":{}}}"#, now - 30 * 3_600_000 + n)).collect();
    assert_eq!(gateway.ingest(&format!("[{}]", old.join(","))).status, 204);
    assert_eq!(gateway.ingest(r#"{"name":"new","value":1}"#).status, 204);
    // What comes late for an hour that is over waits for the next one's end; a start seals it within seconds.
    assert_eq!(gateway.terminate().0.code(), Some(0));
    let gateway = Running::start_in(folder.path(), &[]);
    let sealed = || {
        let copy = folder.path().join("copy.redb");
        ends_with(&bellwether(&["backup", place(&copy), "--gateway", &gateway.url]), 0, &[]);
        let text = ends_with(&bellwether(&["verify", "--data-dir", place(&copy)]), 0, &[]);
        std::fs::remove_file(&copy).unwrap();
        !text.contains(" 0 samples in 0 chunks")
    };
    until("the old samples are sealed", sealed);
    gateway.terminate();
    assert!(damage_chunks(folder.path()) > 0);

    let data = place(folder.path());
    ends_with(
        &bellwether(&["verify", "--data-dir", data]),
        1,
        &["DAMAGED", "chunk 0 of series", "(old", "backup", "1 places"],
    );
    let export = bellwether(&["export", "--data-dir", data, "--format", "ndjson"]);
    let text = ends_with(&export, 1, &["damaged", "bellwether verify", r#""name":"new""#]);
    assert!(!text.contains(r#""name":"old""#), "{text}");
    let gateway = Running::start_in(folder.path(), &[]);
    let export = bellwether(&["export", "--gateway", &gateway.url]);
    ends_with(&export, 1, &["broke off", ",new,"]);
    let whole = bellwether(&["export", "--gateway", &gateway.url, "--name", "new"]);
    ends_with(&whole, 0, &[",new,"]);
    let copy = folder.path().join("copy.redb");
    ends_with(&bellwether(&["backup", place(&copy), "--gateway", &gateway.url]), 1, &["so is its copy"]);
    ends_with(&bellwether(&["verify", "--data-dir", place(&copy)]), 1, &["DAMAGED"]);
}
