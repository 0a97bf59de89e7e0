//! Who carries live frames to the sockets: one thread writes a frame to all who are idle, one after the other.
//!
//! Waking the task of each viewer for each message cost more than to write it. A socket that does not take a frame at
//! once is left to its task, which waits for it, so that nobody waits for a slow viewer. Why it is so: ADR 12.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::queue::{Frame, Outlet};

/// What a socket took of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// All of it.
    Whole,
    /// A part; the socket keeps the rest, and sends it before anything else.
    InPart,
    /// Nothing: it has no room, or is closed.
    Not,
}

/// A socket that a whole frame can be written to without waiting.
pub(crate) trait Direct: std::fmt::Debug + Send + Sync {
    /// Writes what it takes of a frame.
    fn try_send(&self, frame: &Frame) -> Sent;
}

/// The queues that the courier is to see to; each is listed at most once, so there are at most as many as connections.
#[derive(Debug, Default)]
struct Due(Mutex<Vec<Arc<Outlet>>>);

impl Due {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Outlet>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hub's end: calls the courier.
#[derive(Debug)]
pub(crate) struct Courier {
    due: Arc<Due>,
    call: SyncSender<()>,
}

/// The thread's end.
#[derive(Clone, Debug)]
pub(crate) struct Rounds(Arc<Due>);

impl Rounds {
    /// Of a courier that is not called yet.
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The end that calls it, by the channel that the thread waits on.
    pub(crate) fn called_by(&self, call: SyncSender<()>) -> Courier {
        Courier { due: Arc::clone(&self.0), call }
    }

    /// Works until nobody can call any more.
    pub(crate) fn run(self, called: &Receiver<()>) {
        while called.recv().is_ok() {
            let due = std::mem::take(&mut *self.0.all());
            for outlet in due {
                outlet.write_at_once();
            }
        }
    }
}

impl Courier {
    /// Has it see to these queues.
    pub(super) fn see_to(&self, due: Vec<Arc<Outlet>>) {
        if due.is_empty() {
            return;
        }
        self.due.all().extend(due);
        // Where it is called already, it finds these too.
        let _called = self.call.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::{LiveRoom, Outbound, QueueReceiver, QueueSender, queue};
    use super::*;

    /// A socket that takes so many bytes before it is full.
    #[derive(Debug, Default)]
    struct Narrow {
        room: Mutex<usize>,
        taken: Mutex<Vec<usize>>,
    }

    impl Direct for Narrow {
        fn try_send(&self, frame: &Frame) -> Sent {
            let (mut room, bytes) = (self.room.lock().unwrap(), frame.bytes());
            if *room == 0 {
                return Sent::Not;
            }
            self.taken.lock().unwrap().push(bytes);
            let sent = if bytes <= *room { Sent::Whole } else { Sent::InPart };
            *room = room.saturating_sub(bytes);
            sent
        }
    }

    fn frame(bytes: usize) -> Frame {
        Frame::Binary(vec![0; bytes].into())
    }

    /// A queue whose live frames go to a socket with so much room.
    fn direct(room: usize) -> (QueueSender, QueueReceiver, Arc<Narrow>) {
        let (sender, receiver) = queue(LiveRoom::USUAL);
        let socket = Arc::new(Narrow { room: Mutex::new(room), ..Narrow::default() });
        receiver.write_to(Arc::clone(&socket) as Arc<dyn Direct>);
        (sender, receiver, socket)
    }

    /// Queues live frames of so many bytes, and lets the courier see to those who are due.
    fn push(sender: &QueueSender, bytes: &[usize]) -> usize {
        let mut due = Vec::new();
        for bytes in bytes {
            sender.push_live(&[frame(*bytes)], Some(&mut due));
        }
        due.iter().for_each(|outlet| outlet.write_at_once());
        due.len()
    }

    fn waiting(receiver: &mut QueueReceiver) -> Vec<String> {
        let word = |outbound| match outbound {
            Outbound::Live(frame) => format!("live {}", frame.bytes()),
            Outbound::Reply(frame) => format!("reply {}", frame.bytes()),
            Outbound::Begun(bytes) => format!("rest of {bytes}"),
            Outbound::Past(_) => "past".to_owned(),
        };
        std::iter::from_fn(|| receiver.next_at_once()).map(word).collect()
    }

    #[test]
    fn who_is_idle_is_written_to_and_nothing_is_left_to_its_task() {
        let (sender, mut receiver, socket) = direct(100);
        assert_eq!(push(&sender, &[10, 20]), 1, "each is listed once");
        assert_eq!((&socket.taken.lock().unwrap()[..], sender.is_drained()), (&[10, 20][..], true));
        assert!(waiting(&mut receiver).is_empty());
    }

    #[test]
    fn what_a_socket_does_not_take_is_left_to_the_task_in_order() {
        let (sender, mut receiver, socket) = direct(25);
        push(&sender, &[10, 20, 30]);
        assert_eq!(&socket.taken.lock().unwrap()[..], [10, 20]);
        assert!(!sender.is_drained(), "a frame that is sent in part still counts");
        assert_eq!(waiting(&mut receiver), ["rest of 20", "live 30"]);
    }

    #[test]
    fn nothing_gets_in_front_of_an_answer() {
        let (sender, mut receiver, socket) = direct(100);
        assert!(sender.push(Outbound::Reply(frame(7))));
        push(&sender, &[10]);
        assert!(socket.taken.lock().unwrap().is_empty());
        assert_eq!(waiting(&mut receiver), ["reply 7", "live 10"]);
    }

    #[tokio::test]
    async fn while_the_task_sends_the_courier_leaves_it_alone() {
        let (sender, mut receiver, socket) = direct(100);
        assert!(sender.push(Outbound::Reply(frame(7))));
        assert!(matches!(receiver.next().await, Some(Outbound::Reply(_))));
        assert_eq!(push(&sender, &[10]), 0, "its task comes to it by itself");
        assert!(matches!(receiver.next().await, Some(Outbound::Live(_))));
        // It has sent that too, and waits.
        assert!(futures_util::FutureExt::now_or_never(receiver.next()).is_none());
        push(&sender, &[20]);
        assert_eq!(&socket.taken.lock().unwrap()[..], [20]);
    }

    #[tokio::test]
    async fn the_task_learns_of_what_is_left_to_it() {
        let (sender, mut receiver, _socket) = direct(0);
        let task = tokio::spawn(async move { matches!(receiver.next().await, Some(Outbound::Live(_))) });
        push(&sender, &[10]);
        assert!(task.await.unwrap());
    }

    #[test]
    fn after_a_goodbye_and_to_who_is_let_go_nothing_is_written() {
        let (sender, mut receiver, socket) = direct(100);
        receiver.replies().last();
        assert_eq!(push(&sender, &[10]), 0);
        assert_eq!(waiting(&mut receiver), ["live 10"]);
        for let_go in [QueueSender::restate, QueueSender::give_up] {
            let (sender, mut receiver, socket) = direct(100);
            let_go(&sender);
            push(&sender, &[10]);
            assert!(socket.taken.lock().unwrap().is_empty());
            assert_eq!(waiting(&mut receiver), ["live 10"]);
        }
        drop(receiver);
        assert_eq!(push(&sender, &[10]), 0);
        assert!(socket.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn a_call_reaches_the_thread_which_ends_with_its_last_caller() {
        let (sender, _receiver, socket) = direct(100);
        let rounds = Rounds::new();
        let (call, called) = std::sync::mpsc::sync_channel(1);
        let courier = rounds.called_by(call);
        let thread = std::thread::spawn(move || rounds.run(&called));
        let mut due = Vec::new();
        sender.push_live(&[frame(10)], Some(&mut due));
        courier.see_to(due);
        drop(courier);
        thread.join().unwrap();
        assert_eq!(&socket.taken.lock().unwrap()[..], [10]);
    }
}
