//! What was acknowledged is there: after `kill -9`, after SIGTERM, after both.

use std::time::Duration;

use crate::live::Live;
use crate::running::{Running, command, now_ms};

#[test]
fn a_sample_survives_a_kill_right_after_its_acknowledgement() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        let gateway = Running::start_in(folder.path(), &[]);
        let body = format!(r#"{{"name":"m","value":{round},"ref":"case-{round}"}}"#);
        assert_eq!(gateway.ingest(&body).status, 204);
        gateway.kill();
    }
    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(5.0));
    assert_eq!(gateway.result("name=m&window=1h&agg=sum"), Some(15.0));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    // The system refuses to let any file grow over 8 MiB.
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 16384; exec \"$0\" \"$@\""]);
    let plain = command(folder.path());
    limited.arg(plain.get_program()).args(plain.get_args());
    let gateway = Running::start_command(limited);
    let mut stored = 0;
    let refused = loop {
        let samples: Vec<_> =
            (0..5_000).map(|place| format!(r#"{{"name":"m","value":{}.{place},"ref":"{place}"}}"#, stored)).collect();
        let answer = gateway.ingest(&format!("[{}]", samples.join(",")));
        if answer.status != 204 {
            break answer;
        }
        stored += 5_000;
        assert!(stored < 2_000_000, "the disk never gets full");
    };
    refused.is_error(503, "store_unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Reading goes on.
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(f64::from(stored)));
    gateway.kill();
    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(f64::from(stored)));
    assert_eq!(gateway.ingest(r#"{"name":"m","value":1}"#).status, 204);
}

/// A gateway whose data folder is a small disk of its own, where the system lets a test have one.
#[cfg(target_os = "linux")]
fn on_small_disk(folder: &std::path::Path, flags: &[&str]) -> Option<Running> {
    let mount = "mount -t tmpfs -o size=24m tmpfs \"$1\" && shift && exec \"$@\"";
    let own = |program: &[&str]| {
        let mut own = std::process::Command::new("unshare");
        own.args(["-rm", "sh", "-c", mount, "sh"]).arg(folder).args(program);
        own
    };
    let allowed = own(&["true"]).output().is_ok_and(|output| output.status.success());
    if !allowed {
        // The file with a limit, below, and the faulty disk of the store's own tests do instead.
        return None;
    }
    let plain = command(folder);
    let mut limited = own(&[]);
    limited.arg(plain.get_program()).args(plain.get_args()).args(flags);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    Some(Running::start_command(limited))
}

#[cfg(target_os = "linux")]
#[track_caller]
fn full_disk_mends_itself(flags: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let Some(gateway) = on_small_disk(folder.path(), flags) else { return };
    // The disk is there for that process only, and for who looks through its eyes.
    let disk = std::path::PathBuf::from(format!("/proc/{}/root{}", gateway.id(), folder.path().display()));
    let send = |number: u32| {
        let samples: Vec<_> = (0..500)
            .map(|place| format!(r#"{{"name":"m","value":{number}.{place},"ref":"{number} {place}"}}"#))
            .collect();
        gateway.ingest(&format!("[{}]", samples.join(",")))
    };
    let count = || gateway.result("name=m&window=1h&agg=count").unwrap_or(0.0);
    assert_eq!(send(0).status, 204);
    let ballast = disk.join("ballast");
    // As much as there is room for, less two megabytes: a commit then fails at any of its writes.
    let filled = std::fs::write(&ballast, vec![1_u8; 64 << 20]);
    assert!(filled.is_err(), "the disk is larger than it should be");
    let file = std::fs::File::options().write(true).open(&ballast).unwrap();
    file.set_len(file.metadata().unwrap().len() - (2 << 20)).unwrap();
    // Open, it would keep its room when it is removed.
    drop(file);
    let mut number = 1;
    let refused = loop {
        let answer = send(number);
        if answer.status != 204 {
            break answer;
        }
        number += 1;
        assert!(number < 2_000, "the disk never gets full");
    };
    refused.is_error(503, "store_unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(count(), f64::from(number * 500), "what is stored is served");
    std::fs::remove_file(&ballast).unwrap();
    crate::running::until("it takes samples again by itself", || {
        let status = send(number).status;
        assert!(matches!(status, 204 | 503), "{status}");
        status == 204
    });
    // What was refused counts once, by the answer that took it; a commit that failed may have reached the disk.
    let found = count();
    assert!(found >= f64::from((number + 1) * 500), "{found}");
    let exported = gateway.get("/api/v1/export?name=m").body;
    let stored: std::collections::BTreeSet<_> = exported.lines().filter_map(|row| row.split(',').nth(7)).collect();
    for sent in 0..=number {
        for place in 0..500 {
            assert!(stored.contains(format!("{sent} {place}").as_str()), "{place} of batch {sent}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_to_the_last_byte_mends_itself() {
    full_disk_mends_itself(&["--free-space", "1B"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_nearly_full_mends_itself() {
    full_disk_mends_itself(&["--free-space", "4MiB"]);
}

#[test]
fn a_restart_shows_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let now = now_ms();
    let body = format!(
        r#"[{{"name":"resolution_time","value":6,"timestamp":{}}},
            {{"name":"heat","value":20,"kind":"gauge"}},
            {{"name":"hits_total","value":5,"timestamp":{}}},
            {{"name":"hits_total","value":9,"timestamp":{now}}}]"#,
        now - 40 * 86_400_000,
        now - 5_000,
    );
    assert_eq!(gateway.ingest(&body).status, 204);
    let place = |live: Live| (live.hello.epoch, live.hello.seq);
    let (epoch, seq) = place(Live::open(&gateway));
    let (status, took) = gateway.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.result("name=resolution_time&window=90d&agg=avg"), Some(6.0));
    assert_eq!(gateway.result("name=hits_total&window=5m&agg=increase"), Some(4.0));
    // The kind is kept as well.
    let answer = gateway.ingest(r#"{"name":"heat","value":20,"kind":"counter"}"#);
    assert_eq!(answer.json()["rejected"][0]["code"], "kind_conflict");
    // Batches are counted on, in a stream of its own.
    let (new_epoch, new_seq) = place(Live::open(&gateway));
    assert!(new_epoch != epoch && new_seq >= seq, "{epoch} {seq}, {new_epoch} {new_seq}");
}

#[test]
fn a_stop_stores_everything_and_says_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let mut live = Live::open(&gateway);
    let url = gateway.address().to_owned();
    let acknowledged = std::thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let mut acknowledged = 0;
            loop {
                let answer = agent.post(format!("http://{url}/ingest")).send(br#"{"name":"m","value":1}"#.as_slice());
                match answer {
                    Ok(answer) if answer.status() == 204 => acknowledged += 1,
                    _ => return acknowledged,
                }
            }
        });
        crate::running::until("some samples are there", || {
            gateway.result("name=m&window=1h&agg=count").unwrap_or(0.0) >= 20.0
        });
        let (status, took) = gateway.terminate();
        assert_eq!(status.code(), Some(0));
        assert!(took < Duration::from_secs(10), "{took:?}");
        sender.join().unwrap()
    });
    let end = loop {
        if let Err(end) = live.step() {
            break end;
        }
    };
    assert!(end.starts_with("1001"), "{end}");
    let gateway = Running::start_in(folder.path(), &[]);
    assert!(gateway.result("name=m&window=1h&agg=count").unwrap() >= f64::from(acknowledged));
}
