//! Disks that fail beneath the real binary: a bit that turned over in a chunk, and an fsync that does not.

use std::path::Path;

use bellwether_gateway::clock;
use bellwether_gateway::store::{Progress, RedbStore, Store};
use redb::ReadableTable;

use crate::running::{Running, bare_command, command, now_ms, until};

/// Turns over a bit of the oldest chunk.
fn flip_bit_of_a_chunk(folder: &Path) {
    let database = redb::Database::open(folder.join("bellwether.redb")).unwrap();
    let write = database.begin_write().unwrap();
    {
        let chunks = redb::TableDefinition::<(u32, i64, u32), &[u8]>::new("chunks");
        let mut table = write.open_table(chunks).unwrap();
        let (row, mut record) = {
            let (row, record) = table.first().unwrap().expect("something is sealed");
            (row.value(), record.value().to_vec())
        };
        let middle = record.len() / 2;
        record[middle] ^= 0x10;
        table.insert(row, record.as_slice()).unwrap();
    }
    write.commit().unwrap();
}

#[test]
fn a_flipped_bit_in_a_chunk_is_told_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Running::start_in(folder.path(), &[]);
    let begin = now_ms() - 3 * 3_600_000;
    for name in ["a", "b"] {
        let samples: Vec<_> = (0..60)
            .map(|place| format!(r#"{{"name":"{name}","value":{place},"timestamp":{}}}"#, begin + place))
            .collect();
        assert_eq!(gateway.ingest(&format!("[{}]", samples.join(","))).status, 204);
    }
    assert_eq!(gateway.terminate().0.code(), Some(0));
    {
        let mut store = RedbStore::open(folder.path(), 7).unwrap();
        while store.seal(clock::now()).unwrap() == Progress::More {}
    }
    flip_bit_of_a_chunk(folder.path());
    let verified = bare_command().args(["verify", "--data-dir"]).arg(folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.code() == Some(1) && told.contains("chunk"), "{told}");

    let (gateway, mut log) = Running::start_heard(folder.path(), &[]);
    let told = log.find(|line| line.contains("the store holds a damaged record")).unwrap();
    assert!(told.contains("ERROR"), "{told}");
    drop(log);
    until("it is counted", || gateway.get("/metrics").body.contains("gateway_store_corrupt_chunks 1"));
    let counts = ["a", "b"].map(|name| gateway.result(&format!("name={name}&window=1d&agg=count")));
    assert!(counts.contains(&Some(60.0)), "{counts:?}");
    // The hour's summary is a record of its own: what is told of the other is all of it, or nothing.
    assert!(counts.iter().all(|count| matches!(count, None | Some(60.0))), "{counts:?}");
    assert_eq!(gateway.ingest(r#"{"name":"a","value":1}"#).status, 204);
    assert_eq!(gateway.result("name=a&window=1m&agg=count"), Some(1.0));
}

/// Has `fdatasync` and `fsync` fail as long as there is the file that `BELLWETHER_TEST_SYNC_FAILS` names.
#[cfg(target_os = "linux")]
const FAILING_SYNC: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int fails(void) {
  const char *file = getenv("BELLWETHER_TEST_SYNC_FAILS");
  if (!file || access(file, F_OK) != 0) return 0;
  errno = EIO;
  return 1;
}
int fdatasync(int fd) { return fails() ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
int fsync(int fd) { return fails() ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
"#;

#[cfg(target_os = "linux")]
#[test]
fn an_fsync_that_fails_acknowledges_nothing_and_is_got_over() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("sync.c"), folder.path().join("sync.so"));
    std::fs::write(&source, FAILING_SYNC).unwrap();
    let mut compile = std::process::Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    assert!(compile.status().unwrap().success(), "the tests take a C compiler, as the build does");

    let (data, fails) = (folder.path().join("data"), folder.path().join("fails"));
    let mut failing = command(&data);
    failing.env("LD_PRELOAD", &library).env("BELLWETHER_TEST_SYNC_FAILS", &fails);
    let gateway = Running::start_command(failing);
    let send = |value: u32| gateway.ingest(&format!(r#"{{"name":"m","value":{value},"ref":"{value}"}}"#));
    assert_eq!(send(0).status, 204);
    std::fs::write(&fails, "").unwrap();
    for value in 1..=3 {
        let refused = send(value);
        refused.is_error(503, "store_unavailable");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    assert_eq!(gateway.result("name=m&window=1h&agg=count"), Some(1.0), "what is stored is served");
    std::fs::remove_file(&fails).unwrap();
    until("it takes samples again by itself", || send(4).status == 204);
    gateway.kill();

    let gateway = Running::start_in(&data, &[]);
    let rows = gateway.get("/api/v1/export?format=ndjson&name=m").body;
    let times = |value: u32| rows.matches(&format!("\"ref\":\"{value}\"")).count();
    assert_eq!((times(0), times(4)), (1, 1), "{rows}");
    // What was refused may have reached the disk, once at most.
    assert!((1..=3).all(|value| times(value) <= 1), "{rows}");
}
