//! Fills a store with what hosts say of themselves and tells what it took: bytes a sample, the time of a
//! commit while the store seals, and the time to open and replay it. For measuring by hand:
//!
//! ```text
//! cargo run --release -p bellwether-gateway --example store_load -- FOLDER [samples] [series] [seconds between samples]
//! ```
//! The samples end now, so that a gateway can be started on the folder afterwards.
#![expect(clippy::print_stdout, reason = "telling figures is its job")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use bellwether_core::labels::{Labels, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::time::TimestampMs;
use bellwether_gateway::clock::{self, Stopwatch};
use bellwether_gateway::store::{Batch, BatchSample, DiskUsage, Progress, RedbStore, Store};
use bellwether_testkit::random::Random;
use bellwether_wire::ingest::Repeats;

/// How a host's figure moves.
#[derive(Clone, Copy)]
enum Shape {
    /// A share between 0 and 1, in thousandths, that wanders.
    Share,
    /// Bytes in pages of 4,096 that wander.
    Bytes,
    /// A counter of bytes that grows by a burst at a time.
    Traffic,
    /// A counter of seconds in hundredths.
    Seconds,
    /// A figure that seldom changes.
    Still,
}

const SHAPES: [(&str, Shape); 8] = [
    ("host_cpu_usage_ratio", Shape::Share),
    ("host_memory_used_bytes", Shape::Bytes),
    ("host_network_receive_bytes_total", Shape::Traffic),
    ("host_network_transmit_bytes_total", Shape::Traffic),
    ("host_cpu_seconds_total", Shape::Seconds),
    ("host_disk_used_bytes", Shape::Bytes),
    ("host_memory_total_bytes", Shape::Still),
    ("host_disk_total_bytes", Shape::Still),
];

struct Figure {
    key: SeriesKey,
    kind: Kind,
    shape: Shape,
    value: f64,
}

impl Figure {
    fn new(number: usize) -> Self {
        let (name, shape) = SHAPES[number % SHAPES.len()];
        let host = format!("host-{}", number / SHAPES.len());
        let key = SeriesKey { metric: MetricName::new(name).unwrap(), labels: Labels::new([("host", host)]).unwrap() };
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
        let value = match shape {
            Shape::Share => 0.2,
            Shape::Bytes => 4_096.0 * 1_000_000.0,
            Shape::Traffic | Shape::Seconds => 0.0,
            Shape::Still => 16_777_216.0 * 4_096.0,
        };
        Self { key, kind, shape, value }
    }

    fn next(&mut self, random: &mut Random) -> f64 {
        let step = |random: &mut Random, most: u64| random.below(2 * most + 1) as f64 - most as f64;
        match self.shape {
            Shape::Share => {
                self.value = ((self.value * 1_000.0 + step(random, 40)).round() / 1_000.0).clamp(0.0, 1.0);
            }
            Shape::Bytes if random.below(3) == 0 => self.value = (self.value + 4_096.0 * step(random, 300)).max(0.0),
            Shape::Traffic if random.below(4) > 0 => self.value += (random.below(40) * random.below(1_500)) as f64,
            Shape::Seconds => self.value = ((self.value * 100.0 + random.below(120) as f64).round()) / 100.0,
            Shape::Bytes | Shape::Traffic | Shape::Still => {}
        }
        self.value
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap();
    let mut number = |default: u64| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (samples, series, every) = (number(10_000_000), number(120), number(1));
    fill(Path::new(&folder), samples, series as usize, every as i64 * 1_000);
    start(Path::new(&folder));
}

fn fill(folder: &Path, samples: u64, series: usize, every_ms: i64) {
    let mut store = RedbStore::open(folder, 7).unwrap();
    let mut random = Random::new(1);
    let mut figures: Vec<_> = (0..series).map(Figure::new).collect();
    let rounds = (samples / series as u64) as i64;
    let began = clock::now().get() - rounds * every_ms;
    let (mut commits, mut while_sealing) = (Vec::new(), Vec::new());
    let mut sealing = false;
    let watch = Stopwatch::start();
    for round in 0..rounds {
        let now = TimestampMs::new(began + round * every_ms);
        let sample = |figure: &mut Figure| BatchSample {
            series: figure.key.clone(),
            kind: figure.kind,
            // As a real sampler does, it is some ms late.
            sample: Sample::new(TimestampMs::new(now.get() + random.below(4) as i64), figure.next(&mut random))
                .unwrap(),
            reference: None,
            repeats: Repeats::Count,
        };
        let samples = figures.iter_mut().map(sample).collect();
        let batch =
            Batch { samples, histograms: Vec::new(), declarations: Vec::new(), idempotency: None, received_at: now };
        let commit = Stopwatch::start();
        store.append(&[batch]).unwrap();
        if sealing {
            while_sealing.push(commit.elapsed())
        } else {
            commits.push(commit.elapsed())
        }
        // As the writer does: a step of sealing between two commits.
        sealing = store.seal(now).unwrap() == Progress::More;
    }
    let took = watch.elapsed();
    let DiskUsage { file_bytes, allocated_bytes } = store.statistics().disk;
    let found = store.verify().unwrap();
    println!("{} samples of {series} series in {took:.1?}", rounds as u64 * series as u64);
    println!(
        "chunks: {} samples, {:.2} bytes each; with the summaries of {} hours {:.2}; the file: {:.2} ({file_bytes} bytes, {allocated_bytes} allocated)",
        found.chunk_samples,
        found.chunk_bytes as f64 / found.chunk_samples as f64,
        found.hours,
        (found.chunk_bytes + found.hour_bytes) as f64 / found.chunk_samples as f64,
        file_bytes as f64 / (rounds as u64 * series as u64) as f64,
    );
    println!("a commit: {}", quantiles(&mut commits));
    println!("a commit between two steps of sealing: {}", quantiles(&mut while_sealing));
}

fn quantiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    format!(
        "p50 {:.2?}, p99 {:.2?}, longest {:.2?} of {}",
        at(0.5),
        at(0.99),
        times.last().copied().unwrap_or_default(),
        times.len()
    )
}

fn start(folder: &Path) {
    let watch = Stopwatch::start();
    let store = RedbStore::open(folder, 7).unwrap();
    let opened = watch.elapsed();
    let mut pieces = 0_u64;
    let faults = store.replay(clock::now(), &mut |_| {
        pieces += 1;
        ControlFlow::Continue(())
    });
    assert!(faults.unwrap().is_empty());
    println!("opened in {opened:.2?}, replayed in {:.2?} ({pieces} pieces)", watch.elapsed() - opened);
}
