//! What corrections cost those who send meanwhile: how long a batch of 100 samples waits for its answer while nothing
//! is corrected, while references of few samples are, and while one of a sample in every hour of every series is. For
//! measuring by hand, with one program or several, one after the other:
//!
//! ```text
//! cargo build --profile gateway -p bellwether-gateway
//! cargo run --profile gateway -p bellwether-gateway --example corrections_load -- target/gateway/bellwether …
//! ```
#![expect(clippy::print_stdout, reason = "telling figures is its job")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::{DurationMs, TimestampMs};
use bellwether_gateway::clock::{self, Stopwatch};
use bellwether_gateway::store::{Batch, BatchSample, Progress, RedbStore, Store};
use bellwether_wire::ingest::Repeats;

const SERIES: i64 = 100;
const HOURS: i64 = 80;
const EVERY: DurationMs = DurationMs::from_secs(10);
/// References of one sample.
const CASES: i64 = 20;
const QUIET: Duration = Duration::from_secs(5);

fn main() {
    let programs: Vec<String> = std::env::args().skip(1).collect();
    let whole = tempfile::tempdir().unwrap();
    fill(whole.path());
    for program in programs {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(whole.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        measure(&program, folder.path());
    }
}

/// A sample every ten seconds in each series; the first of each hour of the reference `wide`, others of one case each.
fn fill(folder: &Path) {
    let mut store = RedbStore::open(folder, 7).unwrap();
    let now = clock::now();
    let begin = now - DurationMs::from_hours(HOURS as u64);
    let of_hour = DurationMs::from_hours(1).as_millis() / EVERY.as_millis();
    for hour in 0..HOURS {
        let at =
            |step: u64| begin + DurationMs::from_hours(hour as u64) + DurationMs::from_millis(EVERY.as_millis() * step);
        for step in 1..=of_hour {
            let samples = (0..SERIES).map(|series| {
                let reference = match step {
                    1 => Some("wide".to_owned()),
                    2 if hour == 10 && series < CASES => Some(format!("case {series}")),
                    _ => None,
                };
                sample(series, at(step), reference)
            });
            let (samples, received_at) = (samples.collect(), at(step));
            let batch =
                Batch { samples, histograms: Vec::new(), declarations: Vec::new(), idempotency: None, received_at };
            store.append(&[batch]).unwrap();
        }
        while store.seal(at(of_hour)).unwrap() == Progress::More {}
    }
    while store.seal(now).unwrap() == Progress::More {}
    println!("{SERIES} series of {HOURS} h, a sample every {EVERY}");
}

fn sample(series: i64, at: TimestampMs, reference: Option<String>) -> BatchSample {
    let labels = Labels::new([("host", series.to_string())]).unwrap();
    let key = SeriesKey { metric: MetricName::new("load").unwrap(), labels };
    let value = ((at.get() / 1_000 * (series + 7)) % 1_009) as f64 / 8.0;
    let (sample, reference) = (Sample::new(at, value).unwrap(), reference.map(Into::into));
    BatchSample { series: key, kind: Kind::Gauge, sample, reference, repeats: Repeats::Count }
}

fn measure(program: &str, folder: &Path) {
    let mut gateway = Command::new(program)
        .args(["serve", "--port", "0", "--no-host-metrics", "--data-dir"])
        .arg(folder)
        .env("RUST_LOG", "error")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(gateway.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap().to_owned();
    println!("{program}");
    sending(&url, "nothing is corrected", || std::thread::sleep(QUIET));
    sending(&url, "20 samples are, one after the other", || {
        for case in 0..CASES {
            correct(&url, &format!(r#"{{"ref":"case {case}","action":"correct","value":1,"reason":"measured"}}"#));
        }
    });
    sending(&url, "8,000 samples are at once", || {
        correct(&url, r#"{"ref":"wide","action":"withdraw","reason":"measured"}"#);
    });
    gateway.kill().unwrap();
    gateway.wait().unwrap();
}

/// Says how long batches wait for their answers while `work` is done, and how long that takes.
fn sending(url: &str, what: &str, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    let mut times = Vec::new();
    let mut took = Duration::ZERO;
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut times = Vec::new();
            let agent = ureq::Agent::new_with_defaults();
            while !done.load(Ordering::Acquire) {
                let each =
                    |host: i64| format!(r#"{{"name":"load","value":1,"kind":"gauge","labels":{{"host":"{host}"}}}}"#);
                let body: Vec<_> = (0..SERIES).map(each).collect();
                let watch = Stopwatch::start();
                let answer = agent
                    .post(format!("{url}/ingest"))
                    .content_type("application/json")
                    .send(format!("[{}]", body.join(",")));
                times.push(watch.elapsed());
                answer.unwrap();
            }
            times
        });
        let watch = Stopwatch::start();
        work();
        took = watch.elapsed();
        done.store(true, Ordering::Release);
        times = sender.join().unwrap();
    });
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    let longest = times.last().copied().unwrap_or_default();
    println!(
        "  {what}: {took:.2?}; a batch waits p50 {:.1?}, p99 {:.1?}, longest {longest:.1?} of {}",
        at(0.5),
        at(0.99),
        times.len()
    );
}

fn correct(url: &str, body: &str) {
    let answer = ureq::post(format!("{url}/api/v1/corrections")).content_type("application/json").send(body);
    answer.unwrap();
}
