//! A viewer of the simulation, and what it makes of what it is sent.

use bellwether_wire::feed::{Follow, Phase};
use bellwether_wire::frame::{Resume, ServerFrame};

use super::super::gather::Gathering;
use super::super::{ConnectionId, Frame, Outbound, QueueReceiver};
use super::{Held, Seen};

/// A viewer, and what it has got.
#[derive(Default)]
pub(super) struct Viewer {
    pub(super) seen: Seen,
    pub(super) connection: Option<Connection>,
    pub(super) held: Held,
    /// A history that is not complete; it takes the place of what is held.
    pub(super) filling: Option<Held>,
    /// Up to where it has all.
    pub(super) place: Option<Resume>,
}

pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) queue: QueueReceiver,
    pub(super) gathering: Option<Gathering>,
}

impl Viewer {
    /// Whether it is to go, since what it was sent is not right any more.
    pub(super) fn is_restated(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.queue.restated())
    }

    /// Takes what waits, at most so much.
    pub(super) fn take(&mut self, most: u64) {
        for _ in 0..most {
            let Some(connection) = &mut self.connection else { return };
            let Some(outbound) = connection.queue.next_at_once() else { return };
            let mut frames = Vec::new();
            match &outbound {
                Outbound::Reply(frame) => {
                    connection.queue.replied(frame.bytes());
                    frames.push(frame.clone());
                }
                Outbound::Live(frame) => {
                    connection.queue.sent(frame.bytes());
                    frames.push(frame.clone());
                }
                Outbound::Past(past) => {
                    frames.extend(past.frames());
                    connection.queue.sent_past(past);
                }
                Outbound::Begun(_) => panic!("there is no socket"),
            }
            for frame in frames {
                self.hear(&frame);
            }
        }
    }

    fn hear(&mut self, frame: &Frame) {
        match frame {
            Frame::Text(text) => match ServerFrame::decode(text.as_str()).unwrap() {
                ServerFrame::Gap(_) => {
                    self.seen.gaps += 1;
                    self.filling = Some(Held::new());
                }
                ServerFrame::Subscribed(subscribed) => {
                    match self.filling.take() {
                        Some(filled) => self.held = filled,
                        None => self.seen.resumed += 1,
                    }
                    self.place = Some(Resume { epoch: subscribed.epoch, seq: subscribed.seq });
                }
                ServerFrame::Error(error) => panic!("{error:?}"),
                _ => {}
            },
            Frame::Binary(bytes) => {
                let frame = bellwether_wire::binary::decode(bytes).unwrap();
                assert!(frame.header.phase == Phase::Live || self.filling.is_some(), "a history that nobody asked for");
                let held = self.filling.as_mut().unwrap_or(&mut self.held);
                for series in frame.series {
                    let (count, sum) = held.entry(series.key).or_default();
                    for sample in &series.samples {
                        (*count, *sum) = (*count + 1, *sum + sample.value());
                    }
                    for bucket in &series.summaries {
                        (*count, *sum) = (*count + bucket.summary.count, *sum + bucket.summary.sum);
                    }
                }
                if self.filling.is_none() && frame.header.follow == Follow::End {
                    self.place = Some(Resume { epoch: frame.header.epoch, seq: frame.header.seq });
                }
            }
        }
    }
}
