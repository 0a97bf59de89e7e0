//! What waits to be sent on one live connection, in order and bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};

use super::past::Past;

/// How much may wait on one connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveRoom {
    /// Most bytes of live values, and of answers beyond the one that is over.
    pub(crate) bytes: usize,
    /// Most frames of live values.
    pub(crate) frames: usize,
}

#[cfg(test)]
impl LiveRoom {
    /// As where nothing is set.
    pub(crate) const USUAL: Self = Self { bytes: 1024 * 1024, frames: 1_024 };
}

/// A frame as it goes out; cheap to clone, so that it is encoded once for all who get it.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// JSON.
    Text(Utf8Bytes),
    /// A remote-write message.
    Binary(Bytes),
}

impl Frame {
    /// Length of its payload.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.as_str().len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// What a connection is to send next.
#[derive(Debug)]
pub(crate) enum Outbound {
    /// An answer to what this connection said; counted, see [`Replies`].
    Reply(Frame),
    /// A live frame; counted.
    Live(Frame),
    /// What was before: made piece by piece as the socket drains.
    Past(Past),
}

/// How full a queue is; shared by its two ends.
#[derive(Debug)]
struct Load {
    room: LiveRoom,
    frames: AtomicUsize,
    bytes: AtomicUsize,
    histories: AtomicUsize,
    reply_bytes: AtomicUsize,
    /// Wakes who waits for answers to leave.
    replied: Notify,
    overflowed: AtomicBool,
    restated: AtomicBool,
}

/// The answers that wait on one connection.
#[derive(Clone, Debug)]
pub(crate) struct Replies(Arc<Load>);

impl Replies {
    /// Waits until there is room for another answer: who takes none of them is not listened to, so that its
    /// answers are bounded by what it takes.
    pub(crate) async fn room(&self) {
        loop {
            let replied = self.0.replied.notified();
            if self.0.reply_bytes.load(Ordering::Acquire) < self.0.room.bytes {
                return;
            }
            replied.await;
        }
    }
}

/// The hub's end of a connection's queue.
#[derive(Clone, Debug)]
pub(crate) struct QueueSender {
    queue: mpsc::UnboundedSender<Outbound>,
    load: Arc<Load>,
}

/// The connection's end.
#[derive(Debug)]
pub(crate) struct QueueReceiver {
    queue: mpsc::UnboundedReceiver<Outbound>,
    load: Arc<Load>,
}

/// Whether live frames found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// They will be sent.
    Queued,
    /// Too much waits already: none of them is queued.
    Full,
    /// The connection is over.
    Gone,
}

/// A queue of its own for one connection.
pub(crate) fn queue(room: LiveRoom) -> (QueueSender, QueueReceiver) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let load = Arc::new(Load {
        room,
        frames: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        histories: AtomicUsize::new(0),
        reply_bytes: AtomicUsize::new(0),
        replied: Notify::new(),
        restated: AtomicBool::new(false),
        overflowed: AtomicBool::new(false),
    });
    (QueueSender { queue: sender, load: Arc::clone(&load) }, QueueReceiver { queue: receiver, load })
}

impl QueueSender {
    /// Queues live frames that belong together, all of them or, where too much waits already, none.
    pub(crate) fn push_live(&self, frames: &[Frame]) -> Pushed {
        let bytes: usize = frames.iter().map(Frame::bytes).sum();
        let room = self.load.room;
        let waiting_frames = self.load.frames.load(Ordering::Acquire);
        let waiting_bytes = self.load.bytes.load(Ordering::Acquire);
        // Who has taken all that came before gets what comes at once, however much it is: its frames
        // are shared by all who get them, and the next ones find no room before these have left.
        let full = waiting_frames + frames.len() > room.frames || waiting_bytes + bytes > room.bytes;
        if waiting_frames > 0 && full {
            return Pushed::Full;
        }
        self.load.frames.fetch_add(frames.len(), Ordering::AcqRel);
        self.load.bytes.fetch_add(bytes, Ordering::AcqRel);
        let queued = frames.iter().all(|frame| self.queue.send(Outbound::Live(frame.clone())).is_ok());
        if queued { Pushed::Queued } else { Pushed::Gone }
    }

    /// How many histories wait to be sent.
    pub(crate) fn histories(&self) -> usize {
        self.load.histories.load(Ordering::Acquire)
    }

    /// Whether all live frames and histories have left.
    pub(crate) fn is_drained(&self) -> bool {
        self.load.frames.load(Ordering::Acquire) == 0 && self.histories() == 0
    }

    /// Queues what the connection itself asked for, or has missed; `false` where the connection is over.
    pub(crate) fn push(&self, outbound: Outbound) -> bool {
        match &outbound {
            Outbound::Past(Past::Missed(_)) => self.load.frames.fetch_add(1, Ordering::AcqRel),
            Outbound::Past(_) => self.load.histories.fetch_add(1, Ordering::AcqRel),
            Outbound::Reply(frame) => self.load.reply_bytes.fetch_add(frame.bytes(), Ordering::AcqRel),
            Outbound::Live(_) => 0,
        };
        self.queue.send(outbound).is_ok()
    }

    /// Has the connection closed for not keeping up.
    pub(crate) fn give_up(&self) {
        self.load.overflowed.store(true, Ordering::Release);
    }

    /// Has the connection closed because what it was sent is not right any more.
    pub(crate) fn restate(&self) {
        self.load.restated.store(true, Ordering::Release);
    }
}

impl QueueReceiver {
    /// The next thing to send; `None` when the hub has let the connection go.
    pub(crate) async fn next(&mut self) -> Option<Outbound> {
        self.queue.recv().await
    }

    /// What waits already, without waiting.
    #[cfg(test)]
    pub(crate) fn next_at_once(&mut self) -> Option<Outbound> {
        self.queue.try_recv().ok()
    }

    /// Takes what was before off the count once it is on its way.
    pub(crate) fn sent_past(&self, past: &Past) {
        let counted = if matches!(past, Past::Missed(_)) { &self.load.frames } else { &self.load.histories };
        counted.fetch_sub(1, Ordering::AcqRel);
    }

    /// The answers that wait.
    pub(crate) fn replies(&self) -> Replies {
        Replies(Arc::clone(&self.load))
    }

    /// Takes an answer off the count once it is on its way.
    pub(crate) fn replied(&self, bytes: usize) {
        self.load.reply_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.load.replied.notify_one();
    }

    /// Takes a live frame off the count once it is on its way.
    pub(crate) fn sent(&self, bytes: usize) {
        self.load.frames.fetch_sub(1, Ordering::AcqRel);
        self.load.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Whether a history is on its way or waits to be.
    pub(crate) fn filling(&self) -> bool {
        self.load.histories.load(Ordering::Acquire) > 0
    }

    /// Whether what was sent is not right any more.
    pub(crate) fn restated(&self) -> bool {
        self.load.restated.load(Ordering::Acquire)
    }

    /// Whether the hub has given the connection up for not keeping up.
    pub(crate) fn overflowed(&self) -> bool {
        self.load.overflowed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed::{Encoding, Feed, Place, Resolution};
    use super::super::gather::Room;
    use super::super::history::History;
    use super::super::past::Missed;
    use super::*;

    const ROOM: LiveRoom = LiveRoom::USUAL;

    fn frame(bytes: usize) -> Frame {
        Frame::Binary(Bytes::from(vec![0; bytes]))
    }

    #[test]
    fn a_queue_is_bounded_by_frames_and_by_bytes() {
        let (sender, receiver) = queue(ROOM);
        assert_eq!(sender.push_live(&[frame(3 * ROOM.bytes)]), Pushed::Queued, "one frame always finds room");
        assert_eq!(sender.push_live(&[frame(1)]), Pushed::Full);
        assert!(!receiver.overflowed());
        sender.give_up();
        assert!(receiver.overflowed());

        let (sender, _receiver) = queue(ROOM);
        for _ in 0..ROOM.frames {
            assert_eq!(sender.push_live(&[frame(1)]), Pushed::Queued);
        }
        assert_eq!(sender.push_live(&[frame(1)]), Pushed::Full);
    }

    #[test]
    fn frames_that_belong_together_are_queued_together_or_not_at_all() {
        let together = [frame(ROOM.bytes), frame(ROOM.bytes), frame(1)];
        let (sender, mut receiver) = queue(ROOM);
        assert_eq!(sender.push_live(&together), Pushed::Queued, "nothing waits");
        assert_eq!(std::iter::from_fn(|| receiver.next_at_once()).count(), 3);

        let (sender, mut receiver) = queue(ROOM);
        assert_eq!(sender.push_live(&[frame(1)]), Pushed::Queued);
        assert_eq!(sender.push_live(&together), Pushed::Full);
        assert_eq!(std::iter::from_fn(|| receiver.next_at_once()).count(), 1, "none of them");
    }

    #[test]
    fn a_queue_knows_whether_a_history_is_on_its_way() {
        let (sender, mut receiver) = queue(ROOM);
        let feed = Feed { id: 1, selections: Vec::new(), resolution: Resolution::Raw, encoding: Encoding::Json };
        let place = Place { epoch: 1, seq: 1 };
        let history =
            History { feed: feed.clone(), place, tiers: Vec::new(), restated: Vec::new(), _room: Room::default() };
        assert!(!receiver.filling() && sender.is_drained());
        assert!(sender.push(Outbound::Past(Past::History(Box::new(history)))));
        assert!(receiver.filling() && !sender.is_drained());
        let Some(Outbound::Past(history)) = receiver.next_at_once() else { panic!("the history") };
        assert!(receiver.filling(), "it is being sent");
        receiver.sent_past(&history);
        assert!(!receiver.filling() && sender.is_drained());
        // What was missed is no history: it comes again and again to who is slow.
        let missed = Missed { feed, place, frames: Vec::new() };
        assert!(sender.push(Outbound::Past(Past::Missed(Box::new(missed)))));
        assert!(!receiver.filling() && !sender.is_drained());
        let Some(Outbound::Past(missed)) = receiver.next_at_once() else { panic!("what was missed") };
        receiver.sent_past(&missed);
        assert!(sender.is_drained());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_no_answers_is_not_listened_to() {
        let (sender, mut receiver) = queue(ROOM);
        let replies = receiver.replies();
        let waits = async |replies: &Replies| {
            tokio::time::timeout(std::time::Duration::from_secs(60), replies.room()).await.is_err()
        };
        assert!(sender.push(Outbound::Reply(frame(ROOM.bytes - 1))));
        assert!(!waits(&replies).await);
        assert!(sender.push(Outbound::Reply(frame(3 * ROOM.bytes))), "one more always finds room");
        assert!(waits(&replies).await);
        let waiting = tokio::spawn(async move { replies.room().await });
        for bytes in [ROOM.bytes - 1, 3 * ROOM.bytes] {
            assert!(!waiting.is_finished());
            assert!(matches!(receiver.next().await, Some(Outbound::Reply(_))));
            receiver.replied(bytes);
        }
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn what_is_sent_makes_room() {
        let (sender, mut receiver) = queue(ROOM);
        assert_eq!(sender.push_live(&[frame(ROOM.bytes)]), Pushed::Queued);
        assert!(matches!(receiver.next().await, Some(Outbound::Live(_))));
        receiver.sent(ROOM.bytes);
        assert_eq!(sender.push_live(&[frame(ROOM.bytes)]), Pushed::Queued);
        assert!(!receiver.overflowed());
        drop(receiver);
        assert_eq!(sender.push_live(&[frame(0)]), Pushed::Gone);
    }
}
