//! The gateway's threads: started by name, stopped together, and missed when one of them dies.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::Stopwatch;

/// How long threads may take to end.
const JOIN_LIMIT: Duration = Duration::from_secs(2);

/// Starts a thread; where it panics, its name is sent to `lost`.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn spawn(
    name: &'static str,
    lost: &UnboundedSender<&'static str>,
    body: impl FnOnce() + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    let guard = Guard { name, lost: lost.clone() };
    let guarded = move || {
        body();
        drop(guard);
    };
    Builder::new()
        .name(name.to_owned())
        .spawn(guarded)
        .with_context(|| format!("the thread {name:?} cannot be started"))
}

/// Dropped at the end of a thread, also where that is a panic.
struct Guard {
    name: &'static str,
    lost: UnboundedSender<&'static str>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody listens any more where the gateway ends already.
            let _ended = self.lost.send(self.name);
        }
    }
}

/// Threads that end when their stop channel is closed.
pub(crate) struct Threads {
    lost: UnboundedSender<&'static str>,
    stops: Vec<SyncSender<()>>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    /// No threads yet; the name of one that panics is sent to `lost`.
    pub(crate) fn new(lost: UnboundedSender<&'static str>) -> Self {
        Self { lost, stops: Vec::new(), handles: Vec::new() }
    }

    /// Starts a thread that ends when all senders of its channel are gone, of which it returns one.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        body: impl FnOnce(Receiver<()>) + Send + 'static,
    ) -> anyhow::Result<SyncSender<()>> {
        let (stop, stopped) = sync_channel(1);
        self.handles.push(spawn(name, &self.lost, move || body(stopped))?);
        self.stops.push(stop.clone());
        Ok(stop)
    }

    /// Closes the channels and waits, but not for ever: a webhook call may hang, and its notice is in
    /// the outbox as long as it is not delivered.
    pub(crate) fn stop(self) {
        drop(self.stops);
        let watch = Stopwatch::start();
        for handle in &self.handles {
            while !handle.is_finished() && watch.elapsed() < JOIN_LIMIT {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_dies_is_missed() {
        let (lost, mut missed) = tokio::sync::mpsc::unbounded_channel();
        let mut threads = Threads::new(lost);
        threads.start("quiet", |stop| assert!(stop.recv().is_err())).unwrap();
        threads.start("dying", |_| panic!("on purpose")).unwrap();
        assert_eq!(missed.blocking_recv(), Some("dying"));
        threads.stop();
        assert_eq!(missed.blocking_recv(), None);
    }
}
