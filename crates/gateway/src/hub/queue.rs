//! What waits to be sent on one live connection, in order and bounded.
//!
//! Two may take from it: the connection's own task, which can wait for its socket, and the [courier](super::courier),
//! which writes live frames to the sockets of all who are idle and leaves to the task what one does not take at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;

use super::courier::{Direct, Sent};
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
    /// A live frame of so many bytes that the socket has taken in part; it has the rest, which waits to leave.
    Begun(usize),
    /// What was before: made piece by piece as the socket drains.
    Past(Past),
}

/// What waits on a connection and how much it is; shared by the queue's two ends and the courier.
#[derive(Debug)]
pub(super) struct Outlet {
    room: LiveRoom,
    line: Mutex<Line>,
    /// Wakes the connection's task.
    filled: Notify,
    frames: AtomicUsize,
    bytes: AtomicUsize,
    histories: AtomicUsize,
    reply_bytes: AtomicUsize,
    /// Wakes who waits for answers to leave.
    replied: Notify,
    overflowed: AtomicBool,
    restated: AtomicBool,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Outbound>,
    /// Where live frames may be written to at once.
    direct: Option<Arc<dyn Direct>>,
    /// The task has taken something and sends it; it goes on with what waits behind it.
    task_sends: bool,
    /// The courier is told already.
    listed: bool,
    hub_is_gone: bool,
    task_is_gone: bool,
}

/// Room for so many stays with a queue that is empty: who was slow once does not keep what it took then.
const KEPT_ROOM: usize = 16;

impl Line {
    fn pop(&mut self) -> Option<Outbound> {
        let next = self.waiting.pop_front();
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT_ROOM {
            self.waiting = VecDeque::new();
        }
        next
    }
}

impl Outlet {
    fn line(&self) -> MutexGuard<'_, Line> {
        // Each change under the lock is whole in itself.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a live frame off the count.
    fn sent(&self, bytes: usize) {
        self.frames.fetch_sub(1, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Writes the live frames that wait, as many as the socket takes at once; all else is left to the task.
    pub(super) fn write_at_once(&self) {
        let mut line = self.line();
        line.listed = false;
        if line.task_sends {
            return;
        }
        while let Some(next) = line.waiting.front() {
            let (Outbound::Live(frame), Some(direct)) = (next, &line.direct) else { break };
            if self.restated.load(Ordering::Acquire) || self.overflowed.load(Ordering::Acquire) {
                break;
            }
            let bytes = frame.bytes();
            match direct.try_send(frame) {
                Sent::Whole => {
                    line.pop();
                    self.sent(bytes);
                }
                Sent::InPart => {
                    line.waiting[0] = Outbound::Begun(bytes);
                    break;
                }
                Sent::Not => break,
            }
        }
        if !line.waiting.is_empty() {
            self.filled.notify_one();
        }
    }
}

/// The answers that wait on one connection.
#[derive(Clone, Debug)]
pub(crate) struct Replies(Arc<Outlet>);

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

    /// The other side has said goodbye: nothing may come behind our answer to that but from the task, which knows.
    pub(crate) fn last(&self) {
        self.0.line().direct = None;
    }
}

/// The hub's end of a connection's queue; dropped where the hub lets the connection go.
#[derive(Debug)]
pub(crate) struct QueueSender(Arc<Outlet>);

/// The connection's end.
#[derive(Debug)]
pub(crate) struct QueueReceiver(Arc<Outlet>);

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
    let outlet = Arc::new(Outlet {
        room,
        line: Mutex::default(),
        filled: Notify::new(),
        frames: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        histories: AtomicUsize::new(0),
        reply_bytes: AtomicUsize::new(0),
        replied: Notify::new(),
        restated: AtomicBool::new(false),
        overflowed: AtomicBool::new(false),
    });
    (QueueSender(Arc::clone(&outlet)), QueueReceiver(outlet))
}

impl QueueSender {
    /// Queues live frames that belong together, all of them or, where too much waits already, none. Where they may be
    /// written at once, the queue goes to `due`, and the courier is to be called.
    pub(super) fn push_live(&self, frames: &[Frame], due: Option<&mut Vec<Arc<Outlet>>>) -> Pushed {
        let outlet = &*self.0;
        let bytes: usize = frames.iter().map(Frame::bytes).sum();
        let waiting_frames = outlet.frames.load(Ordering::Acquire);
        let waiting_bytes = outlet.bytes.load(Ordering::Acquire);
        // Who has taken all that came before gets what comes at once, however much it is: its frames
        // are shared by all who get them, and the next ones find no room before these have left.
        let full = waiting_frames + frames.len() > outlet.room.frames || waiting_bytes + bytes > outlet.room.bytes;
        if waiting_frames > 0 && full {
            return Pushed::Full;
        }
        let mut line = outlet.line();
        if line.task_is_gone {
            return Pushed::Gone;
        }
        outlet.frames.fetch_add(frames.len(), Ordering::AcqRel);
        outlet.bytes.fetch_add(bytes, Ordering::AcqRel);
        line.waiting.extend(frames.iter().cloned().map(Outbound::Live));
        match due {
            // It comes to them by itself.
            _ if line.task_sends || line.listed => {}
            Some(due) if line.direct.is_some() => {
                line.listed = true;
                due.push(Arc::clone(&self.0));
            }
            _ => outlet.filled.notify_one(),
        }
        Pushed::Queued
    }

    /// How many histories wait to be sent.
    pub(crate) fn histories(&self) -> usize {
        self.0.histories.load(Ordering::Acquire)
    }

    /// Whether all live frames and histories have left.
    pub(crate) fn is_drained(&self) -> bool {
        self.0.frames.load(Ordering::Acquire) == 0 && self.histories() == 0
    }

    /// Queues what the connection itself asked for, or has missed; `false` where the connection is over.
    pub(crate) fn push(&self, outbound: Outbound) -> bool {
        let outlet = &*self.0;
        let mut line = outlet.line();
        if line.task_is_gone {
            return false;
        }
        match &outbound {
            Outbound::Past(Past::Missed(_)) => outlet.frames.fetch_add(1, Ordering::AcqRel),
            Outbound::Past(_) => outlet.histories.fetch_add(1, Ordering::AcqRel),
            Outbound::Reply(frame) => outlet.reply_bytes.fetch_add(frame.bytes(), Ordering::AcqRel),
            Outbound::Live(_) | Outbound::Begun(_) => 0,
        };
        line.waiting.push_back(outbound);
        outlet.filled.notify_one();
        true
    }

    /// Has the connection closed for not keeping up.
    pub(crate) fn give_up(&self) {
        self.0.overflowed.store(true, Ordering::Release);
    }

    /// Has the connection closed because what it was sent is not right any more.
    pub(crate) fn restate(&self) {
        self.0.restated.store(true, Ordering::Release);
    }
}

impl Drop for QueueSender {
    fn drop(&mut self) {
        self.0.line().hub_is_gone = true;
        self.0.filled.notify_one();
    }
}

impl QueueReceiver {
    /// Has live frames written to `direct` at once, as long as nothing else waits or is being sent.
    pub(crate) fn write_to(&self, direct: Arc<dyn Direct>) {
        self.0.line().direct = Some(direct);
    }

    /// The next thing to send; `None` when the hub has let the connection go. What was taken before has left, or has
    /// been given up.
    pub(crate) async fn next(&mut self) -> Option<Outbound> {
        loop {
            let filled = self.0.filled.notified();
            {
                let mut line = self.0.line();
                let next = line.pop();
                line.task_sends = next.is_some();
                if next.is_some() || line.hub_is_gone {
                    return next;
                }
            }
            filled.await;
        }
    }

    /// What waits already, without waiting.
    #[cfg(test)]
    pub(crate) fn next_at_once(&mut self) -> Option<Outbound> {
        self.0.line().pop()
    }

    /// Takes what was before off the count once it is on its way.
    pub(crate) fn sent_past(&self, past: &Past) {
        let counted = if matches!(past, Past::Missed(_)) { &self.0.frames } else { &self.0.histories };
        counted.fetch_sub(1, Ordering::AcqRel);
    }

    /// The answers that wait.
    pub(crate) fn replies(&self) -> Replies {
        Replies(Arc::clone(&self.0))
    }

    /// Takes an answer off the count once it is on its way.
    pub(crate) fn replied(&self, bytes: usize) {
        self.0.reply_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.0.replied.notify_one();
    }

    /// Takes a live frame off the count once it is on its way.
    pub(crate) fn sent(&self, bytes: usize) {
        self.0.sent(bytes);
    }

    /// Whether a history is on its way or waits to be.
    pub(crate) fn filling(&self) -> bool {
        self.0.histories.load(Ordering::Acquire) > 0
    }

    /// Whether what was sent is not right any more.
    pub(crate) fn restated(&self) -> bool {
        self.0.restated.load(Ordering::Acquire)
    }

    /// Whether the hub has given the connection up for not keeping up.
    pub(crate) fn overflowed(&self) -> bool {
        self.0.overflowed.load(Ordering::Acquire)
    }
}

impl Drop for QueueReceiver {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.task_is_gone = true;
        line.direct = None;
        // Frames that nobody will send.
        let waiting = std::mem::take(&mut line.waiting);
        drop(line);
        drop(waiting);
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
        assert_eq!(sender.push_live(&[frame(3 * ROOM.bytes)], None), Pushed::Queued, "one frame always finds room");
        assert_eq!(sender.push_live(&[frame(1)], None), Pushed::Full);
        assert!(!receiver.overflowed());
        sender.give_up();
        assert!(receiver.overflowed());

        let (sender, _receiver) = queue(ROOM);
        for _ in 0..ROOM.frames {
            assert_eq!(sender.push_live(&[frame(1)], None), Pushed::Queued);
        }
        assert_eq!(sender.push_live(&[frame(1)], None), Pushed::Full);
    }

    #[test]
    fn frames_that_belong_together_are_queued_together_or_not_at_all() {
        let together = [frame(ROOM.bytes), frame(ROOM.bytes), frame(1)];
        let (sender, mut receiver) = queue(ROOM);
        assert_eq!(sender.push_live(&together, None), Pushed::Queued, "nothing waits");
        assert_eq!(std::iter::from_fn(|| receiver.next_at_once()).count(), 3);

        let (sender, mut receiver) = queue(ROOM);
        assert_eq!(sender.push_live(&[frame(1)], None), Pushed::Queued);
        assert_eq!(sender.push_live(&together, None), Pushed::Full);
        assert_eq!(std::iter::from_fn(|| receiver.next_at_once()).count(), 1, "none of them");
    }

    #[test]
    fn a_queue_that_was_long_gives_its_room_back() {
        let (sender, mut receiver) = queue(ROOM);
        for _ in 0..ROOM.frames {
            assert_eq!(sender.push_live(&[frame(1)], None), Pushed::Queued);
        }
        assert!(receiver.0.line().waiting.capacity() >= ROOM.frames);
        assert_eq!(std::iter::from_fn(|| receiver.next_at_once()).count(), ROOM.frames);
        assert!(receiver.0.line().waiting.capacity() <= KEPT_ROOM);
    }

    #[test]
    fn a_queue_knows_whether_a_history_is_on_its_way() {
        let (sender, mut receiver) = queue(ROOM);
        let feed = Feed { id: 1, selections: Vec::new(), resolution: Resolution::Raw, encoding: Encoding::Json };
        let place = Place { epoch: 1, seq: 1 };
        let history = History {
            feed: feed.clone(),
            place,
            tiers: Vec::new(),
            restated: Vec::new(),
            until: None,
            _room: Room::default(),
        };
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
        assert_eq!(sender.push_live(&[frame(ROOM.bytes)], None), Pushed::Queued);
        assert!(matches!(receiver.next().await, Some(Outbound::Live(_))));
        receiver.sent(ROOM.bytes);
        assert_eq!(sender.push_live(&[frame(ROOM.bytes)], None), Pushed::Queued);
        assert!(!receiver.overflowed());
        drop(receiver);
        assert_eq!(sender.push_live(&[frame(0)], None), Pushed::Gone);
    }
}
