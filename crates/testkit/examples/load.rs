//! The load that `cargo xtask bench` puts on servers of metrics: senders of Prometheus remote write, and viewers of a
//! WebSocket. What the server does with it is measured from outside; this tells how much got through, as one line of
//! JSON.
//!
//! ```text
//! load ingest  --at 127.0.0.1:9090 --path /api/v1/write --connections 4 --seconds 10 --batch 1000 [--series 100]
//!              [--batches N] [--from MS] [--step-ms 1]
//! load viewers --at 127.0.0.1:4000 --path /ws --viewers 200 --seconds 10 [--protocol P] [--say TEXT]
//! load delay   --at 127.0.0.1:4000 --viewers 500 --seconds 10 --rate 10
//! ```
//! Threads that block, and nothing else of the field's: it must not be in the way of what it measures.
#![expect(clippy::print_stdout, reason = "telling figures is its job")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(clippy::disallowed_methods, reason = "it measures time, and its samples are of now")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bellwether_testkit::random::Random;

/// So many milliseconds before now is the first sample: a sample a series and millisecond must not run ahead of time.
const BEGINS_BEFORE_MS: usize = 1_800_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let words: Vec<String> = arguments.collect();
    let options = Options(words.chunks_exact(2).map(|two| (two[0].clone(), two[1].clone())).collect());
    match what.as_str() {
        "ingest" => ingest(&options),
        "viewers" => view(&options),
        "delay" => delay(&options),
        other => println!("there is no {other:?}: say ingest, viewers or delay"),
    }
}

/// `--name value` pairs.
struct Options(HashMap<String, String>);

impl Options {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str, usual: usize) -> usize {
        self.0.get(name).map_or(usual, |text| text.parse().unwrap())
    }
}

/// Sends batches one after the other on each connection, each when the one before was answered.
fn ingest(options: &Options) {
    let connections = options.number("--connections", 1);
    let seconds = options.number("--seconds", 10);
    let (batch, series) = (options.number("--batch", 1_000), options.number("--series", 100));
    let (at, path) = (options.text("--at"), options.text("--path"));
    let (answered, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let begin = Barrier::new(connections);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as usize;
    let start = options.number("--from", now - BEGINS_BEFORE_MS) as u64;
    let step_ms = options.number("--step-ms", 1) as u64;
    let most = options.number("--batches", usize::MAX);
    let told = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|number| {
                let (answered, refused, begin) = (&answered, &refused, &begin);
                scope.spawn(move || {
                    let mut bodies = Bodies { step_ms, ..Bodies::new(number, series, batch, start) };
                    let mut stream = connect(at);
                    let mut reader = BufReader::new(stream.try_clone().unwrap());
                    let mut waits = Vec::new();
                    begin.wait();
                    let began = Instant::now();
                    while waits.len() < most && began.elapsed() < Duration::from_secs(seconds as u64) {
                        let body = bodies.next();
                        let head = format!(
                            "POST {path} HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/x-protobuf\r\n\
                             Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n\
                             Content-Length: {}\r\n\r\n",
                            body.len()
                        );
                        let sent = Instant::now();
                        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
                        let status = answer(&mut reader);
                        waits.push(sent.elapsed());
                        let counted = if (200..300).contains(&status) { answered } else { refused };
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                    (began.elapsed(), waits)
                })
            })
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect::<Vec<_>>()
    });
    let took = told.iter().map(|(took, _)| *took).max().unwrap().as_secs_f64();
    let mut waits: Vec<_> = told.into_iter().flat_map(|(_, waits)| waits).collect();
    waits.sort_unstable();
    let wait_ms = |share: usize| waits[(waits.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
    println!(
        "{{\"seconds\":{took:.3},\"batches\":{},\"refused\":{},\"samples\":{},\"p50Ms\":{:.3},\"p99Ms\":{:.3}}}",
        answered.load(Ordering::Relaxed),
        refused.load(Ordering::Relaxed),
        answered.load(Ordering::Relaxed) * batch as u64,
        wait_ms(50),
        wait_ms(99),
    );
}

fn connect(at: &str) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one answer to its end; its status.
fn answer(reader: &mut BufReader<TcpStream>) -> u16 {
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the server hung up");
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some((name, value)) = text.split_once(':') {
            assert!(!name.eq_ignore_ascii_case("transfer-encoding"), "an answer in chunks");
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    status
}

/// Messages of remote write 1.0, packed: the samples of each series stand together and go on in time.
struct Bodies {
    series: Vec<Vec<u8>>,
    batch: usize,
    at: u64,
    /// Between two samples of a series.
    step_ms: u64,
    random: Random,
    /// Series of the batch after.
    next_series: usize,
}

impl Bodies {
    fn new(connection: usize, series: usize, batch: usize, start: u64) -> Self {
        let labels = |number: usize| {
            let mut bytes = Vec::new();
            let values = [format!("web-{}", number / 10 + 1), format!("/api/{}", number % 10)];
            for (name, value) in [
                ("__name__", "http_request_duration_ms"),
                ("conn", connection.to_string().as_str()),
                ("host", &values[0]),
                ("route", &values[1]),
            ] {
                let mut pair = Vec::new();
                field(&mut pair, 1, name.as_bytes());
                field(&mut pair, 2, value.as_bytes());
                field(&mut bytes, 1, &pair);
            }
            bytes
        };
        let random = Random::new(77 + connection as u64);
        Self { series: (0..series).map(labels).collect(), batch, at: start, step_ms: 1, random, next_series: 0 }
    }

    fn next(&mut self) -> Vec<u8> {
        let of_each = self.batch.div_ceil(self.series.len()).max(1);
        let mut message = Vec::new();
        let mut left = self.batch;
        while left > 0 {
            let now = of_each.min(left);
            let mut one = self.series[self.next_series].clone();
            for place in 0..now {
                let mut sample = vec![0x09];
                sample.extend((20.0 + self.random.below(40_000) as f64 / 1_000.0).to_le_bytes());
                sample.push(0x10);
                varint(&mut sample, self.at + place as u64 * self.step_ms);
                field(&mut one, 2, &sample);
            }
            field(&mut message, 1, &one);
            left -= now;
            self.next_series += 1;
            if self.next_series == self.series.len() {
                self.next_series = 0;
                self.at += of_each as u64 * self.step_ms;
            }
        }
        snap::raw::Encoder::new().compress_vec(&message).unwrap()
    }
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn field(bytes: &mut Vec<u8>, number: u8, part: &[u8]) {
    bytes.push(number << 3 | 2);
    varint(bytes, part.len() as u64);
    bytes.extend_from_slice(part);
}

/// Takes what comes on many connections; says `READY` once all have said what they want.
fn view(options: &Options) {
    let (at, path) = (options.text("--at"), options.text("--path"));
    let (viewers, seconds) = (options.number("--viewers", 200), options.number("--seconds", 10));
    let counts = Counts::default();
    std::thread::scope(|scope| {
        let mut streams = Vec::new();
        for _ in 0..viewers {
            let mut stream = open(at, path, options.text("--protocol"));
            if !options.text("--say").is_empty() {
                stream.write_all(&masked(options.text("--say").as_bytes())).unwrap();
            }
            streams.push(stream.try_clone().unwrap());
            let counts = &counts;
            scope.spawn(move || watch(BufReader::with_capacity(64 * 1024, stream), counts));
        }
        println!("READY");
        let mut line = String::new();
        // Whoever runs this says when to begin to count.
        std::io::stdin().read_line(&mut line).unwrap();
        counts.counting.store(true, Ordering::Release);
        let began = Instant::now();
        std::thread::sleep(Duration::from_secs(seconds as u64));
        counts.counting.store(false, Ordering::Release);
        let took = began.elapsed().as_secs_f64();
        println!(
            "{{\"seconds\":{took:.3},\"viewers\":{viewers},\"messages\":{},\"bytes\":{},\"closed\":{}}}",
            counts.messages.load(Ordering::Relaxed),
            counts.bytes.load(Ordering::Relaxed),
            counts.closed.load(Ordering::Relaxed)
        );
        std::io::stdin().read_line(&mut line).unwrap();
        counts.over.store(true, Ordering::Release);
        for stream in streams {
            stream.shutdown(std::net::Shutdown::Both).unwrap();
        }
    });
}

#[derive(Default)]
struct Counts {
    counting: AtomicBool,
    over: AtomicBool,
    /// Binary messages.
    messages: AtomicU64,
    bytes: AtomicU64,
    closed: AtomicU64,
}

/// Counts binary messages until the connection ends, and answers pings.
fn watch(mut reader: BufReader<TcpStream>, counts: &Counts) {
    let mut payload = Vec::new();
    while let Some(code) = message(&mut reader, &mut payload) {
        if code == 2 && counts.counting.load(Ordering::Acquire) {
            counts.messages.fetch_add(1, Ordering::Relaxed);
            counts.bytes.fetch_add(payload.len() as u64, Ordering::Relaxed);
        }
    }
    if !counts.over.load(Ordering::Acquire) {
        counts.closed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes the next message, 1 of text or 2 of bytes, and answers pings; `None` where the connection ends or is quiet
/// for longer than its time-out.
fn message(reader: &mut BufReader<TcpStream>, payload: &mut Vec<u8>) -> Option<u8> {
    loop {
        let mut head = [0; 2];
        reader.read_exact(&mut head).ok()?;
        let length = match head[1] & 0x7f {
            126 => {
                let mut two = [0; 2];
                reader.read_exact(&mut two).ok()?;
                usize::from(u16::from_be_bytes(two))
            }
            127 => {
                let mut eight = [0; 8];
                reader.read_exact(&mut eight).ok()?;
                usize::try_from(u64::from_be_bytes(eight)).unwrap()
            }
            short => usize::from(short),
        };
        payload.resize(length, 0);
        reader.read_exact(payload).ok()?;
        match head[0] & 0x0f {
            // An empty pong will do.
            9 => reader.get_mut().write_all(&[0x8a, 0x80, 0, 0, 0, 0]).ok()?,
            8 => return None,
            code => return Some(code),
        }
    }
}

/// What a viewer of `delay` subscribes to, so that it can read what it gets.
const FOLLOW: &[u8] =
    br#"{"type":"subscribe","id":1,"metrics":[{"name":"load_number","range":"1m"}],"step":"raw","format":"json"}"#;
/// A viewer that hears nothing for so long has lost what it waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends numbers as samples to Bellwether, one a message, and tells how long after the sender's answer each of its
/// viewers had them. One more viewer takes nothing at all, and one comes anew each second.
fn delay(options: &Options) {
    let (at, viewers) = (options.text("--at"), options.number("--viewers", 500) - 2);
    let (seconds, rate) = (options.number("--seconds", 10), options.number("--rate", 10));
    let numbers = seconds * rate;
    let (ready, over, comings) = (Barrier::new(viewers + 1), AtomicBool::new(false), AtomicU64::new(0));
    let mut stopped = open(at, "/ws", "bellwether.v1");
    stopped.write_all(&masked(FOLLOW)).unwrap();
    std::thread::scope(|scope| {
        let watching: Vec<_> = (0..viewers)
            .map(|_| {
                let mut reader = follow(at);
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    let (mut seen, mut payload) = (vec![None; numbers], Vec::new());
                    while seen.last().is_some_and(Option::is_none) && message(&mut reader, &mut payload).is_some() {
                        let now = Instant::now();
                        for number in values(&payload) {
                            seen[number] = Some(now);
                        }
                    }
                    seen
                })
            })
            .collect();
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                drop(follow(at));
                comings.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        ready.wait();
        let answered = send_numbers(at, numbers, rate);
        let seen: Vec<_> = watching.into_iter().map(|watching| watching.join().unwrap()).collect();
        over.store(true, Ordering::Release);
        let each = seen.iter().flat_map(|seen| seen.iter().zip(&answered));
        let mut waits: Vec<_> =
            each.filter_map(|(seen, answered)| Some((*seen)?.saturating_duration_since(*answered))).collect();
        let missing = numbers * viewers - waits.len();
        waits.sort_unstable();
        let wait_ms = |share: usize| waits[(waits.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
        println!(
            "{{\"viewers\":{},\"messages\":{numbers},\"missing\":{missing},\"comings\":{},\"p50Ms\":{:.3},\"p99Ms\":{:.3},\"maxMs\":{:.3}}}",
            viewers + 2,
            comings.load(Ordering::Relaxed),
            wait_ms(50),
            wait_ms(99),
            wait_ms(100),
        );
    });
    drop(stopped);
}

/// A viewer that has the past and waits for what comes.
fn follow(at: &str) -> BufReader<TcpStream> {
    let mut stream = open(at, "/ws", "bellwether.v1");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&masked(FOLLOW)).unwrap();
    let (mut reader, mut payload) = (BufReader::new(stream), Vec::new());
    while !payload.starts_with(br#"{"type":"subscribed""#) {
        assert!(message(&mut reader, &mut payload).is_some(), "a viewer is not let in");
    }
    reader
}

/// The numbers of a message of samples.
fn values(payload: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let text = std::str::from_utf8(payload).unwrap();
    let is_samples = text.starts_with(r#"{"type":"samples""#);
    let values = text.split(r#""value":"#).skip(1).filter(move |_| is_samples);
    values.map(|text| text[..text.find([',', '}']).unwrap()].parse::<f64>().unwrap() as usize)
}

/// Sends the numbers from 0, so many a second; when each was answered.
fn send_numbers(at: &str, numbers: usize, rate: usize) -> Vec<Instant> {
    let mut stream = connect(at);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let began = Instant::now();
    let one = |number: usize| {
        let due = Duration::from_secs_f64(number as f64 / rate as f64);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let body = format!(r#"{{"name":"load_number","value":{number}}}"#);
        let head = format!("POST /ingest HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\n");
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        assert_eq!(answer(&mut reader), 204);
        Instant::now()
    };
    (0..numbers).map(one).collect()
}

/// Opens a WebSocket; the answer's head is read, and nothing behind it.
fn open(at: &str, path: &str, protocol: &str) -> TcpStream {
    let mut stream = connect(at);
    let protocol = if protocol.is_empty() { String::new() } else { format!("Sec-WebSocket-Protocol: {protocol}\r\n") };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {at}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// A text message of a client; a mask of zeros is one too.
fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text);
    frame
}
