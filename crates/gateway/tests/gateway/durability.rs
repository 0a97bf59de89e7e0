//! What was acknowledged is there: after `kill -9`, after SIGTERM, after both.

use std::time::Duration;

use crate::live::Live;
use crate::running::{Running, command, now_ms, rounds};

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

#[test]
fn kills_under_load_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0_u64;
    let mut sent = 0_u64;
    for round in 0..rounds(3, 50) {
        let gateway = Running::start_in(folder.path(), &[]);
        let url = gateway.address().to_owned();
        let (acknowledgements, requests) = std::thread::scope(|scope| {
            let senders: Vec<_> = (0..4)
                .map(|sender| {
                    let url = &url;
                    scope.spawn(move || {
                        let agent: ureq::Agent = ureq::Agent::config_builder()
                            .timeout_global(Some(Duration::from_secs(5)))
                            .http_status_as_error(false)
                            .build()
                            .into();
                        let (mut acknowledged, mut sent) = (0, 0);
                        // Until the gateway is killed.
                        loop {
                            let body = format!(r#"{{"name":"m","value":1,"labels":{{"sender":"{sender}"}}}}"#);
                            sent += 1;
                            let answer = agent
                                .post(format!("http://{url}/ingest"))
                                .content_type("application/json")
                                .send(body.as_bytes());
                            match answer {
                                Ok(answer) if answer.status() == 204 => acknowledged += 1,
                                _ => return (acknowledged, sent),
                            }
                        }
                    })
                })
                .collect();
            crate::running::until("some samples are there", || {
                gateway.result("name=m&window=1h&agg=count").unwrap_or(0.0) >= f64::from(40 * (round + 1))
            });
            gateway.kill();
            senders.into_iter().fold((0, 0), |(acknowledged, sent), sender| {
                let (more_acknowledged, more_sent): (u64, u64) = sender.join().unwrap();
                (acknowledged + more_acknowledged, sent + more_sent)
            })
        });
        acknowledged += acknowledgements;
        sent += requests;
    }
    let gateway = Running::start_in(folder.path(), &[]);
    let found = gateway.result("name=m&window=1h&agg=count").unwrap();
    // What was under way at the kill may be there or not; what was acknowledged must be.
    assert!(found >= acknowledged as f64 && found <= sent as f64, "{acknowledged} ≤ {found} ≤ {sent}");
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
    let epoch = Live::open(&gateway).hello.epoch;
    let (status, took) = gateway.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");

    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.result("name=resolution_time&window=90d&agg=avg"), Some(6.0));
    assert_eq!(gateway.result("name=hits_total&window=5m&agg=increase"), Some(4.0));
    // The kind is kept as well.
    let answer = gateway.ingest(r#"{"name":"heat","value":20,"kind":"counter"}"#);
    assert_eq!(answer.json()["rejected"][0]["code"], "kind_conflict");
    assert_eq!(Live::open(&gateway).hello.epoch, epoch);
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
