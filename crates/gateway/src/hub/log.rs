//! What a channel has sent of late, so that who was cut off goes on where it was, and who is slow
//! catches up. The frames are those that the others got: nothing is encoded anew.

use std::collections::VecDeque;

use bellwether_core::time::{DurationMs, TimestampMs};

use super::queue::Frame;

/// How long a frame is kept.
const KEPT_FOR: DurationMs = DurationMs::from_minutes(10);

/// The frames of one flush.
#[derive(Debug)]
struct Flush {
    /// The place before it.
    after: u64,
    seq: u64,
    at: TimestampMs,
    frames: Vec<Frame>,
    bytes: usize,
}

/// The frames that a channel has sent, oldest first. A place between two of them is a place too: there
/// was nothing to send.
#[derive(Debug)]
pub(super) struct Log {
    /// The place after which all is kept.
    start: u64,
    flushes: VecDeque<Flush>,
    bytes: usize,
}

impl Log {
    /// Nothing was sent until `place`.
    pub(super) fn new(place: u64) -> Self {
        Self { start: place, flushes: VecDeque::new(), bytes: 0 }
    }

    /// Adds the frames that lead from the place `after` to `seq`, and forgets what is too old, or more
    /// than `most` bytes; the newest flush is always kept.
    pub(super) fn push(&mut self, after: u64, seq: u64, frames: Vec<Frame>, at: TimestampMs, most: usize) {
        let bytes = frames.iter().map(Frame::bytes).sum();
        self.bytes += bytes;
        self.flushes.push_back(Flush { after, seq, at, frames, bytes });
        while self.flushes.len() > 1
            && self.flushes.front().is_some_and(|first| self.bytes > most || first.at + KEPT_FOR < at)
        {
            let Some(gone) = self.flushes.pop_front() else { break };
            self.bytes -= gone.bytes;
            self.start = gone.seq;
        }
    }

    /// Whether something after the place `seq` is forgotten.
    pub(super) fn is_gone(&self, seq: u64) -> bool {
        seq < self.start
    }

    /// What leads on from the place `seq`; `None` where that is gone, or `seq` is no place of this channel.
    pub(super) fn since(&self, seq: u64) -> Option<Vec<Frame>> {
        if self.is_gone(seq) {
            return None;
        }
        let first = self.flushes.partition_point(|flush| flush.seq <= seq);
        if self.flushes.get(first).is_some_and(|flush| flush.after < seq && seq < flush.seq) {
            return None;
        }
        Some(self.flushes.iter().skip(first).flat_map(|flush| flush.frames.iter().cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimestampMs = TimestampMs::new(1_795_000_000_000);

    fn frame(number: u8, bytes: usize) -> Frame {
        Frame::Binary(vec![number; bytes].into())
    }

    /// The numbers of the frames since a place.
    #[track_caller]
    fn check(log: &Log, seq: u64, expected: Option<&[u8]>) {
        let frames = log.since(seq).map(|frames| {
            let number = |frame: &Frame| match frame {
                Frame::Binary(bytes) => bytes[0],
                Frame::Text(text) => panic!("{text}"),
            };
            frames.iter().map(number).collect::<Vec<_>>()
        });
        assert_eq!(frames.as_deref(), expected, "since {seq}");
    }

    #[test]
    fn what_came_after_a_place_is_told_and_no_place_in_between_is_one() {
        let mut log = Log::new(10);
        log.push(10, 12, vec![frame(1, 5), frame(2, 5)], NOW, 100);
        log.push(14, 17, vec![frame(3, 5)], NOW, 100);
        check(&log, 9, None);
        check(&log, 10, Some(&[1, 2, 3]));
        check(&log, 11, None);
        for quiet in [12, 13, 14] {
            check(&log, quiet, Some(&[3]));
        }
        check(&log, 15, None);
        check(&log, 17, Some(&[]));
        check(&log, 20, Some(&[]));
    }

    #[test]
    fn what_is_too_much_or_too_old_is_forgotten() {
        let mut log = Log::new(0);
        for number in 1..=4 {
            log.push(number - 1, number, vec![frame(number as u8, 40)], NOW, 100);
        }
        check(&log, 1, None);
        check(&log, 2, Some(&[3, 4]));
        log.push(4, 5, vec![frame(5, 300)], NOW, 100);
        check(&log, 3, None);
        check(&log, 4, Some(&[5]));
        log.push(5, 6, vec![frame(6, 1)], NOW + KEPT_FOR + DurationMs::from_millis(1), 1_000);
        check(&log, 4, None);
        check(&log, 5, Some(&[6]));
    }
}
