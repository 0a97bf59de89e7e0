//! A long command behind one line that says how far it is; its whole output goes to a log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::plain::Plain;
use crate::{place, shell};

/// Lines of the output that are shown when the command fails.
const SHOWN_ON_FAILURE: usize = 40;
/// How often a line is printed when no terminal shows the moving one.
const QUIET_STEP: Duration = Duration::from_secs(20);

/// Runs `command`, shows one line of progress, keeps its output in `target/xtask/<name>.log`.
///
/// `crates` is about how many "Compiling" lines cargo will print; 0 where the command is not cargo's.
///
/// # Errors
/// A plain sentence when the network is the reason, else the last lines of the output.
pub(crate) fn run(name: &str, crates: usize, command: &mut Command) -> Result<()> {
    std::fs::create_dir_all(place::state())?;
    let log_path = place::state().join(format!("{name}.log"));
    let mut log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    let shown = shell::show(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;

    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender);
    }
    let tail = follow(name, crates, &lines, &mut log)?;

    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    if names_the_network(&tail) {
        return Err(Plain::error(
            format!("The network could not be reached while fetching what {name} needs."),
            "connect this machine (or set HTTPS_PROXY) and run the same command again: it goes on where it stopped",
        ));
    }
    let tail = tail.into_iter().collect::<Vec<_>>().join("\n");
    anyhow::bail!("{tail}\n\n`{shown}` failed ({status}); all of its output is in {}", log_path.display())
}

fn forward(source: impl Read + Send + 'static, sender: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                return;
            }
        }
    });
}

/// Shows the progress until both outputs have ended; returns the last lines.
fn follow(name: &str, crates: usize, lines: &Receiver<String>, log: &mut File) -> Result<VecDeque<String>> {
    let start = Instant::now();
    let watched = shell::watched();
    let step = if watched { Duration::from_millis(500) } else { QUIET_STEP };
    let mut next = start + step;
    let mut compiled = 0;
    let mut tail = VecDeque::new();
    loop {
        match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                writeln!(log, "{line}")?;
                compiled += usize::from(line.trim_start().starts_with("Compiling "));
                if tail.len() == SHOWN_ON_FAILURE {
                    tail.pop_front();
                }
                tail.push_back(line);
            }
            Err(RecvTimeoutError::Timeout) => {
                let text = line(name, compiled, crates, start.elapsed());
                if watched {
                    eprint!("\r\x1b[2K{text}");
                } else {
                    eprintln!("{text}");
                }
                next = Instant::now() + step;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if watched {
        eprint!("\r\x1b[2K");
    }
    Ok(tail)
}

fn line(name: &str, compiled: usize, crates: usize, elapsed: Duration) -> String {
    let time = spoken(elapsed);
    if crates == 0 || compiled == 0 {
        return format!("  {name}: working, {time}");
    }
    format!("  {name}: {compiled} of about {crates} crates compiled, {time}")
}

/// A duration as a person says it: `8 s`, `1 min 05 s`.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}

/// Whether a failed command's last words say that the network is the reason.
fn names_the_network(tail: &VecDeque<String>) -> bool {
    const SIGNS: [&str; 10] = [
        "could not resolve host",
        "couldn't resolve host",
        "failed to download from",
        "spurious network error",
        "network is unreachable",
        "temporary failure in name resolution",
        "temporary failure resolving",
        "enotfound",
        "eai_again",
        "enetunreach",
    ];
    tail.iter().any(|line| {
        let line = line.to_lowercase();
        SIGNS.iter().any(|sign| line.contains(sign))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_names_crates_and_time() {
        assert_eq!(line("trunk", 0, 290, Duration::from_secs(4)), "  trunk: working, 4 s");
        assert_eq!(
            line("trunk", 120, 290, Duration::from_secs(65)),
            "  trunk: 120 of about 290 crates compiled, 1 min 05 s"
        );
    }

    #[test]
    fn the_network_is_told_from_other_failures() {
        let said = |text: &str| names_the_network(&VecDeque::from([text.to_owned()]));
        assert!(said("warning: spurious network error (3 tries remaining): Could not resolve host"));
        assert!(said("npm error code EAI_AGAIN"));
        assert!(!said("error[E0308]: mismatched types"));
    }
}
