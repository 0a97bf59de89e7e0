//! What the command line says when all is well, and when it is not.

use std::net::TcpListener;
use std::process::Output;

use crate::running::{Running, bare_command, board, command};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[track_caller]
fn fails(output: &Output, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_taken_port_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = command(&data).args(["--port", &port]).output().unwrap();
    fails(&output, &[&port, "taken", "--port"]);
    // 192.0.2.0/24 is nobody's: it stands in documents only.
    let output = command(&data).args(["--host", "192.0.2.1", "--allow-anyone"]).output().unwrap();
    fails(&output, &["192.0.2.1", "no address of this machine", "--host"]);
    assert!(!data.exists(), "a start that fails leaves nothing behind");
}

#[test]
fn a_folder_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let data = file.join("data");
    let sentence =
        format!("bellwether: the data folder {data:?} is a file, or is below one; name another one with --data-dir\n");
    let output = command(&data).output().unwrap();
    fails(&output, &[]);
    assert_eq!(said(&output), sentence);

    let used = Running::start_in(folder.path(), &[]);
    fails(&command(folder.path()).output().unwrap(), &["another process", "--data-dir"]);
    drop(used);
}

#[test]
fn a_page_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = command(&data).arg("--page").arg(folder.path().join("none")).output().unwrap();
    fails(&output, &["the page's folder", "none", "--page"]);
    assert!(!data.exists(), "a start that fails leaves nothing behind");
}

#[test]
fn a_check_reads_what_a_start_reads_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // The page is the last thing to be built, and is not asked for.
    let checked = command(&data).args(["--check", "--page", "none"]).output().unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(String::from_utf8_lossy(&checked.stdout), "ok\n");

    let faulty = folder.path().join("board.json");
    std::fs::write(&faulty, r#"{"title": "Checkout", "rules": 3}"#).unwrap();
    fails(&command(&data).arg("--check").arg("--board").arg(&faulty).output().unwrap(), &["board.json", "rules"]);
    let tokens = folder.path().join("no-tokens");
    fails(&command(&data).arg("--check").arg("--tokens").arg(&tokens).output().unwrap(), &["no-tokens"]);
    assert_eq!(command(&data).args(["--check", "--retention", "1y"]).output().unwrap().status.code(), Some(2));
    assert!(!data.exists(), "nothing is opened");
}

#[test]
fn the_log_says_what_was_read_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, mut log) = Running::start_heard(folder.path(), &[]);
    let line = log.find(|line| line.contains("the store is read")).unwrap();
    assert!(line.contains("points=0") && !line.contains('{'), "{line}");
    drop(gateway);
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Running::start_in(folder.path(), &[]).terminate();
    let path = folder.path().join("bellwether.redb");
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    write.open_table(meta).unwrap().insert("format", 3).unwrap();
    write.commit().unwrap();
    drop(database);
    let output = command(folder.path()).output().unwrap();
    fails(&output, &["format 3", "newer program", "--data-dir"]);
    assert_eq!(said(&output).lines().count(), 1, "{output:?}");
}

#[cfg(unix)]
#[test]
fn a_stop_while_the_store_is_read_ends_in_order() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let samples = vec![r#"{"name":"m","value":1}"#; 10_000].join(",");
    for _ in 0..3 {
        assert_eq!(gateway.ingest(&format!("[{samples}]")).status, 204);
    }
    gateway.terminate();

    let mut child = command(folder.path()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("reading the store")));
    assert!(Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap().success());
    let rest: Vec<_> = lines.collect();
    assert_eq!(crate::running::wait(&mut child).code(), Some(0), "{rest:?}");

    let gateway = Running::start_in(folder.path(), &[]);
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(30_000.0));
}

#[test]
fn a_wrong_board_is_said_with_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), "{\"title\": \"Service\",\n \"kpis\": [}");
    let check = |path: &std::path::Path| bare_command().arg("check").arg(path).output().unwrap();
    fails(&check(&path), &["line 2"]);
    let text = r#"{"title":"Service","rules":[{"name":"Slow","query":{"metric":"m","window":"5m","agg":"mean"},"is":"above","threshold":1}]}"#;
    let path = board(folder.path(), text);
    fails(&check(&path), &["rules[0].query.agg", "mean"]);
    fails(&command(folder.path()).arg("--board").arg(&path).output().unwrap(), &["rules[0].query.agg"]);
    fails(&check(&folder.path().join("none.json")), &["none.json"]);

    // Right in itself, but a year is longer than the gateway keeps.
    let text = r#"{"title":"Service","rules":[{"name":"Slow","query":{"metric":"m","window":"365d","agg":"avg"},"is":"above","threshold":1,"severity":"page"}]}"#;
    let path = board(folder.path(), text);
    fails(&check(&path), &["rules[0].query.window", "92d"]);
    fails(&command(folder.path()).arg("--board").arg(&path).output().unwrap(), &["rules[0].query.window"]);

    let path = board(folder.path(), r#"{"title":"Service"}"#);
    let output = check(&path);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), "ok\n"));
}

#[test]
fn a_board_of_ones_own_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = board(folder.path(), r#"{"title":"My service","metrics":[{"name":"heat","kind":"gauge","unit":"s"}]}"#);
    let gateway = Running::start(&["--board", path.to_str().unwrap()]);
    assert_eq!(gateway.get("/api/v1/board").json()["title"], "My service");
    // The board's kind counts, whatever a sender says.
    let answer = gateway.ingest(r#"{"name":"heat","value":1,"kind":"event"}"#);
    assert_eq!(answer.json()["rejected"][0]["code"], "kind_conflict", "{}", answer.body);
}

#[test]
fn help_and_version_help() {
    let output = bare_command().arg("--version").output().unwrap();
    assert_eq!(said(&output), format!("bellwether {}\n", env!("CARGO_PKG_VERSION")));
    let output = bare_command().args(["serve", "--help"]).output().unwrap();
    let help = said(&output);
    for flag in [
        "--port",
        "--host",
        "--data-dir",
        "--board",
        "--demo",
        "--no-host-metrics",
        "--page",
        "--alert-webhook",
        "--retention",
        "--allow-origin",
        "--allow-host",
        "BELLWETHER_PORT",
    ] {
        assert!(help.contains(flag), "{flag} is not in\n{help}");
    }
    assert_eq!(bare_command().output().unwrap().status.code(), Some(2));
}

#[test]
fn this_machine_is_sampled_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    let arguments: Vec<_> =
        command.get_args().filter(|flag| *flag != "--no-host-metrics").map(ToOwned::to_owned).collect();
    command = bare_command();
    command.args(arguments);
    let gateway = Running::start_command(command);
    crate::running::until("the processor's use is a sample", || {
        gateway.result("name=host_cpu_usage_ratio&window=1m&agg=last").is_some_and(|share| (0.0..=1.0).contains(&share))
    });
    assert!(gateway.result("name=host_memory_total_bytes&window=1m&agg=last").unwrap() > 1e6);
    assert!(gateway.result("name=host_network_receive_bytes_total&window=1m&agg=count").is_some());
}

#[test]
fn what_is_made_up_and_what_is_measured_never_mix() {
    let made_up = tempfile::tempdir().unwrap();
    Running::start_in(made_up.path(), &["--demo"]).terminate();
    fails(&command(made_up.path()).output().unwrap(), &["holds a simulation", "--demo", "--data-dir"]);
    let again = Running::start_in(made_up.path(), &["--demo"]);
    assert!(crate::live::Live::open(&again).hello.demo);

    let measured = tempfile::tempdir().unwrap();
    Running::start_in(measured.path(), &[]).terminate();
    let with_demo = command(measured.path()).arg("--demo").output().unwrap();
    fails(&with_demo, &["holds measured samples", "without --demo", "--data-dir"]);
    let again = Running::start_in(measured.path(), &[]);
    assert!(!crate::live::Live::open(&again).hello.demo);
}

#[test]
fn the_simulation_is_labelled_and_has_a_past() {
    let gateway = Running::start(&["--demo"]);
    assert!(crate::live::Live::open(&gateway).hello.demo);
    crate::running::until("the simulated past is there", || {
        gateway.result("name=resolution_time&window=90d&agg=count").unwrap_or(0.0) > 1_000.0
            && gateway.result("name=booking_response_time&window=1h&agg=count").unwrap_or(0.0) > 5_000.0
    });
    let scorecard = gateway.get("/api/v1/dashboard").json();
    assert!(scorecard["avg_resolution_time"].as_f64().unwrap() > 3.0, "{scorecard}");
    assert!(scorecard["total_conflicts"].as_f64().unwrap() > 10.0, "{scorecard}");
    // It goes on: what is newer than the last two seconds is there soon.
    crate::running::until("the simulation goes on", || {
        gateway.result("name=booking_response_time&window=2s&agg=count").is_some()
    });
}

#[cfg(unix)]
#[test]
fn off_loopback_somebody_is_asked_or_it_is_said_that_nobody_is() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = command(&data).args(["--host", "0.0.0.0"]).output().unwrap();
    fails(&output, &["whoever reaches 0.0.0.0", "--tokens", "bellwether token", "--allow-anyone"]);
    assert!(!data.exists(), "a start that fails leaves nothing behind");

    let mut child = command(&data)
        .args(["--host", "0.0.0.0", "--allow-anyone"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let warned = lines.find(|line| line.contains("NOBODY IS ASKED"));
    let _ended = child.kill();
    crate::running::wait(&mut child);
    assert!(warned.is_some_and(|line| line.contains("WARN")));
}
