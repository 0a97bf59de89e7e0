//! What the senders of named batches were told, so that a repeated batch is told the same and is not
//! judged anew: by then its samples may be too late, or no longer too new, and nothing of it would be
//! stored either way.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};

use super::{Receipt, WriteError, Written};
use crate::store::IdempotencyKey;

/// Most batches that are remembered.
const MAX_RECEIPTS: usize = 100_000;
/// Most refused samples in all receipts together.
const MAX_REJECTIONS: usize = 100_000;

/// The name that a sender gave a batch, and which body it gave it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchName {
    pub(crate) key: IdempotencyKey,
    fingerprint: u64,
}

impl BatchName {
    /// The name `key` of the batch whose body is `body`.
    pub(crate) fn new(key: IdempotencyKey, body: &[u8]) -> Self {
        // Senders tell their own bodies apart with it; nobody is kept out by it.
        let mut hasher = DefaultHasher::new();
        hasher.write(body);
        Self { key, fingerprint: hasher.finish() }
    }
}

/// The receipts of the last batches with a name, since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    known: HashMap<IdempotencyKey, (u64, Receipt)>,
    /// The names, oldest first.
    order: VecDeque<IdempotencyKey>,
    rejections: usize,
}

impl Receipts {
    /// Remembers what is told about a batch; the oldest are forgotten for it.
    pub(super) fn note(&mut self, name: BatchName, receipt: Receipt) {
        self.rejections += receipt.rejected.len();
        match self.known.insert(name.key.clone(), (name.fingerprint, receipt)) {
            Some((_, before)) => self.rejections -= before.rejected.len(),
            None => self.order.push_back(name.key),
        }
        while self.order.len() > MAX_RECEIPTS || self.rejections > MAX_REJECTIONS {
            let Some(oldest) = self.order.pop_front() else { return };
            if let Some((_, receipt)) = self.known.remove(&oldest) {
                self.rejections -= receipt.rejected.len();
            }
        }
    }

    /// What is told about a batch whose name is that of a stored one.
    ///
    /// # Errors
    /// [`WriteError::KeyReused`] where the stored one had another body.
    pub(super) fn again(&self, name: &BatchName) -> Result<Written, WriteError> {
        match self.known.get(&name.key) {
            None => Ok(Written::Before),
            Some((fingerprint, _)) if *fingerprint != name.fingerprint => Err(WriteError::KeyReused),
            Some((_, receipt)) => Ok(Written::Told(receipt.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::time::{DurationMs, TimestampMs};
    use bellwether_wire::ingest::Rejection;

    fn name(key: usize) -> BatchName {
        BatchName::new(IdempotencyKey::new(&format!("batch-{key}")).unwrap(), b"{}")
    }

    #[test]
    fn receipts_are_bounded_by_what_they_hold() {
        let zero = TimestampMs::new(0);
        let refused = vec![Rejection::too_new(0, zero, DurationMs::ZERO, zero); 10_000];
        let full = Receipt { accepted: 1, histograms: 0, rejected: refused };
        let mut receipts = Receipts::default();
        for key in 0..12 {
            receipts.note(name(key), full.clone());
            receipts.note(name(key), full.clone());
        }
        assert_eq!(receipts.again(&name(1)), Ok(Written::Before));
        assert_eq!(receipts.again(&name(2)), Ok(Written::Told(full)));
        for key in 0..MAX_RECEIPTS + 2 {
            receipts.note(name(key + 100), Receipt { accepted: 1, histograms: 0, rejected: Vec::new() });
        }
        assert_eq!((receipts.known.len(), receipts.order.len(), receipts.rejections), (MAX_RECEIPTS, MAX_RECEIPTS, 0));
    }
}
