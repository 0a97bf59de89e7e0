//! The crash matrix: `kill -9` of the real binary at any moment of its work, with senders that repeat what was
//! not answered. Nothing acknowledged is missing, nothing is stored twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bellwether_testkit::random::Random;
use serde_json::Value;

use crate::running::{Running, bare_command, now_ms, rounds, until};

const SENDERS: usize = 4;
/// Samples of a batch, one a series, so that a batch that is stored in part shows.
const BATCH: usize = 3;

/// A sender that counts its batches and repeats the one that was not answered.
#[derive(Clone, Copy, Debug, Default)]
struct Sender {
    /// Batches that were acknowledged: all below.
    next: u64,
    /// Whether the next one was sent already, without an answer.
    unanswered: bool,
}

impl Sender {
    /// Sends until there is no answer.
    fn send(mut self, number: usize, address: &str) -> Self {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build()
            .into();
        loop {
            let counter = self.next;
            // In the past by an hour and more, so that sealing goes on all the time.
            let timestamp = now_ms() - 7_200_000 + i64::try_from(counter).unwrap();
            let sample = |series: usize| {
                format!(
                    r#"{{"name":"m{series}","value":{counter},"timestamp":{timestamp},"ref":"{number} {counter} {series}"}}"#
                )
            };
            let body: Vec<_> = (0..BATCH).map(sample).collect();
            self.unanswered = true;
            let answer = agent
                .post(format!("http://{address}/ingest"))
                .content_type("application/json")
                .header("idempotency-key", format!("sender-{number}:{counter}"))
                .send(format!("[{}]", body.join(",")).as_bytes());
            match answer {
                // 200: it was stored before.
                Ok(answer) if matches!(answer.status().as_u16(), 200 | 204) => {
                    self.next += 1;
                    self.unanswered = false;
                }
                Ok(answer) if answer.status() == 503 => {}
                Ok(answer) => panic!("{}", answer.status()),
                Err(_) => return self,
            }
        }
    }
}

/// When the process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many commits, and then so many turns of a loop.
    Random { commits: u32, turns: u64 },
    /// As soon as a commit shows in the journal: it is on its way to the disk or there, and its answers are not sent.
    Committed { commits: u32 },
}

/// When the journal was written last; a commit writes it once.
fn written(journal: &Path) -> SystemTime {
    std::fs::metadata(journal).unwrap().modified().unwrap()
}

/// Waits for so many commits; those in one tick of the system's clock show as one.
fn wait_for_commits(journal: &Path, commits: u32) {
    let mut seen = written(journal);
    for _ in 0..commits {
        until_at_once(|| {
            let now = written(journal);
            std::mem::replace(&mut seen, now) != now
        });
    }
}

/// Like [`until`], without a pause between two looks.
fn until_at_once(mut condition: impl FnMut() -> bool) {
    until("the store commits", || (0..50_000).any(|_| condition()));
}

/// A counter of the gateway's own.
fn counted(gateway: &Running, name: &str) -> f64 {
    let text = gateway.get("/metrics").body;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("{name} is not in {text}"))
}

/// Runs a gateway with four senders on `folder` and kills it. Gives how many batches were sent again that had
/// been stored without an answer.
fn round(folder: &Path, senders: &mut [Sender; SENDERS], moment: Moment) -> u64 {
    let gateway = Running::start_in(folder, &[]);
    let repeats = senders.iter().filter(|sender| sender.unanswered).count() as f64;
    let mut stored_before = 0.0;
    std::thread::scope(|scope| {
        let running: Vec<_> = senders
            .iter()
            .enumerate()
            .map(|(number, sender)| {
                let (sender, address) = (*sender, gateway.address().to_owned());
                scope.spawn(move || sender.send(number, &address))
            })
            .collect();
        // All that was not answered before is sent again first.
        until("the senders are at work", || counted(&gateway, "gateway_samples_accepted_total") >= 60.0);
        stored_before = counted(&gateway, "gateway_batches_repeated_total");
        assert!(stored_before <= repeats, "{stored_before} of {repeats} batches that were sent again");
        let journal = folder.join("bellwether.journal");
        match moment {
            Moment::Random { commits, turns } => {
                wait_for_commits(&journal, commits);
                (0..turns).for_each(|turn| {
                    std::hint::black_box(turn);
                });
            }
            Moment::Committed { commits } => wait_for_commits(&journal, commits),
        }
        gateway.kill();
        for (sender, running) in senders.iter_mut().zip(running) {
            *sender = running.join().unwrap();
        }
    });
    stored_before as u64
}

#[test]
fn kills_lose_nothing_that_was_acknowledged_and_store_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut senders = [Sender::default(); SENDERS];
    let mut random = Random::new(20_261_122);
    let (mut kills, mut between) = (0, 0);
    // Until some fell between the commit and the answer, as the repeats of the next round show.
    while kills < rounds(5, 50) || between == 0 {
        let commits = 1 + random.below(30) as u32;
        let moment = if kills % 2 == 0 {
            Moment::Committed { commits }
        } else {
            Moment::Random { commits, turns: random.below(4_000_000) }
        };
        between += round(folder.path(), &mut senders, moment);
        kills += 1;
        assert!(kills < 500, "no kill ever falls between a commit and its answer");
    }

    // Everybody gets an answer at last.
    let gateway = Running::start_in(folder.path(), &[]);
    std::thread::scope(|scope| {
        let goals = senders.map(|sender| sender.next + u64::from(sender.unanswered));
        let running: Vec<_> = senders
            .iter()
            .enumerate()
            .map(|(number, sender)| {
                let (sender, address) = (*sender, gateway.address().to_owned());
                scope.spawn(move || sender.send(number, &address))
            })
            .collect();
        until("each sender has its answer", || {
            let text = gateway.get("/api/v1/export?format=ndjson&name=m0").body;
            let sent = |number: usize| text.matches(&format!("\"ref\":\"{number} ")).count() as u64;
            (0..SENDERS).all(|number| sent(number) > goals[number])
        });
        assert_eq!(gateway.terminate().0.code(), Some(0));
        for (sender, running) in senders.iter_mut().zip(running) {
            *sender = running.join().unwrap();
        }
    });
    let stored = stored(folder.path());
    for (number, sender) in senders.iter().enumerate() {
        for counter in 0..sender.next {
            for series in 0..BATCH {
                let times = stored.get(&format!("{number} {counter} {series}")).copied().unwrap_or(0);
                assert_eq!(times, 1, "batch {counter} of sender {number}, sample {series}, after {kills} kills");
            }
        }
    }
    // What was under way at the very end may be there or not, whole.
    let acknowledged: u64 = senders.iter().map(|sender| sender.next).sum();
    let more = stored.len() as u64 - acknowledged * BATCH as u64;
    assert!(more.is_multiple_of(BATCH as u64) && more <= (SENDERS * BATCH) as u64, "{more} samples more");
    let verified = bare_command().args(["verify", "--data-dir"]).arg(folder.path()).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// How often each reference is stored.
fn stored(folder: &Path) -> BTreeMap<String, u32> {
    let output = bare_command().args(["export", "--format", "ndjson", "--data-dir"]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut stored = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if let Some(reference) = row["ref"].as_str() {
            *stored.entry(reference.to_owned()).or_default() += 1;
        }
    }
    stored
}
