//! A process that is killed while it stores: what it had acknowledged is there.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod store_support;

use bellwether_core::sample::Kind;
use bellwether_gateway::store::Store;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use store_support::{HOUR, START, all_of, at, batch, key, named, open, sample, seal_all};

/// Set in the process that is to be killed: the data folder and the first number to store.
const CHILD: &str = "BELLWETHER_STORE_KILL_TEST";

/// Stores numbers and says each one once it is acknowledged, sealing in between, until it is killed.
fn child(folder: &Path, first: u32) {
    let mut store = open(folder);
    let mut out = std::io::stdout().lock();
    for number in first.. {
        // Two minutes from one to the next, so that hours end all the time.
        let now = START + i64::from(number) * 120_000;
        let one = sample(&key("cases", "a"), Kind::Observation, now, f64::from(number));
        store.append(&[named(&format!("child:{number}"), batch(now, vec![one]))]).unwrap();
        writeln!(out, "stored {number}").unwrap();
        out.flush().unwrap();
        store.seal(at(now)).unwrap();
    }
}

#[test]
fn what_a_killed_process_had_acknowledged_is_there() {
    if let Ok(order) = std::env::var(CHILD) {
        let (first, folder) = order.split_once(' ').unwrap();
        child(Path::new(folder), first.parse().unwrap());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut next = 0_u32;
    // Killed after so many answers: at another place of commit and sealing each time.
    for answers in [1_u32, 2, 7, 33, 40, 61, 90] {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_a_killed_process_had_acknowledged_is_there", "--nocapture"])
            .env(CHILD, format!("{next} {}", folder.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = None;
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            if let Some(number) = line.unwrap().strip_prefix("stored ") {
                let number: u32 = number.parse().unwrap();
                acknowledged = Some(number);
                if number + 1 == next + answers {
                    // SIGKILL where there are signals.
                    process.kill().unwrap();
                }
            }
        }
        process.wait().unwrap();
        let acknowledged = acknowledged.expect("the process stored nothing");
        assert!(acknowledged + 1 >= next + answers);

        let store = open(folder.path());
        let stored = all_of(&store, &key("cases", "a"));
        let found: Vec<u32> = stored.iter().map(|(_, bits)| f64::from_bits(*bits) as u32).collect();
        let newest = *found.last().unwrap();
        assert_eq!(found, (0..=newest).collect::<Vec<_>>(), "each once, none missing");
        assert!(newest == acknowledged || newest == acknowledged + 1, "{newest} after {acknowledged}");
        assert_eq!(store.seq(), u64::from(newest) + 1);
        next = newest + 1;
    }
    let mut store = open(folder.path());
    seal_all(&mut store, START + 1_000 * HOUR);
    assert_eq!(all_of(&store, &key("cases", "a")).len(), next as usize);
    assert_eq!(store.verify().unwrap().fault_count, 0);
}
