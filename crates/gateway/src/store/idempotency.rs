//! Batch ids: which batches are on disk already.
//!
//! An id of the form `<sender>:<counter>` is remembered for ever, as the sender's greatest counter
//! and the gaps below it; only where there is hardly room for another sender, those that were silent
//! for longest, and for a day at the least, are forgotten. Any other id is opaque and remembered for
//! ten minutes, one million of them at most. What would be one gap or one sender too many is
//! remembered as an opaque id is: so ids that only look like counters are taken like any others, and
//! no batch is ever refused or taken for a repeated one because of what was forgotten.

use super::codec::{CodecError, Reader, Writer};
use bellwether_core::time::{DurationMs, TimestampMs};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// Since version 2 a sender's record says when it was heard.
const VERSION: u8 = 2;
/// Most bytes of a batch id.
pub(super) const MAX_KEY_BYTES: usize = 256;
/// How long an opaque id is remembered.
pub(super) const OPAQUE_MEMORY: DurationMs = DurationMs::from_minutes(10);
/// How many opaque ids are remembered.
pub(super) const MAX_OPAQUE: usize = 1_000_000;
/// Most digits of a counter; longer numbers are random ones.
const MAX_DIGITS: usize = 15;
/// How many gaps of a sender are remembered.
pub(super) const MAX_GAPS: usize = 4_096;
/// How many senders with counters are remembered.
pub(super) const MAX_SENDERS: usize = 100_000;
/// Beyond so many, those that were silent for longest make room.
pub(super) const CROWDED: usize = 90_000;
/// How long a sender that makes room was silent at the least.
pub(super) const SILENCE: DurationMs = DurationMs::from_hours(24);

/// The id of a batch, chosen by its sender: 1 to 256 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Form);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Counter { sender: Arc<str>, counter: u64 },
    Opaque(Arc<str>),
}

/// Text that is no batch id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an Idempotency-Key has 1 to {MAX_KEY_BYTES} bytes of UTF-8 and no control character")]
pub struct KeyError;

impl IdempotencyKey {
    /// Checks and keeps an id. `<sender>:<counter>`, split at the last colon, with 1 to 15 decimal
    /// digits and no leading zero, is a counter; all else is opaque.
    ///
    /// # Errors
    /// [`KeyError`] where the text is empty, too long or holds a control character.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.len() > MAX_KEY_BYTES || text.chars().any(char::is_control) {
            return Err(KeyError);
        }
        if let Some((sender, digits)) = text.rsplit_once(':')
            && !sender.is_empty()
            && digits.len() <= MAX_DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            // One way to write a counter, so that the text and the number name the same batch.
            && (digits == "0" || !digits.starts_with('0'))
            && let Ok(counter) = digits.parse()
        {
            return Ok(Self(Form::Counter { sender: Arc::from(sender), counter }));
        }
        Ok(Self(Form::Opaque(Arc::from(text))))
    }
}

impl IdempotencyKey {
    /// The id as it was given.
    fn text(&self) -> Arc<str> {
        match &self.0 {
            Form::Counter { .. } => Arc::from(self.to_string()),
            Form::Opaque(text) => Arc::clone(text),
        }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Counter { sender, counter } => write!(f, "{sender}:{counter}"),
            Form::Opaque(text) => f.write_str(text),
        }
    }
}

/// The counters of one sender that are on disk: all up to `high`, less the gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// One past the greatest counter, so that zero means none. A u128 so that `u64::MAX` has one too.
    end: u128,
    /// Inclusive ranges of counters below `end` that have not come, ascending, apart from each other.
    gaps: Vec<(u64, u64)>,
    /// When the newest batch came; when the store was opened, where a version before 2 wrote the record.
    heard_at: TimestampMs,
}

impl Ledger {
    /// Adds `counter`, which is not held; `false`, and nothing changes, where that would leave one gap
    /// too many.
    pub(super) fn add(&mut self, counter: u64) -> bool {
        let place = u128::from(counter);
        if place >= self.end {
            if place > self.end {
                if self.gaps.len() >= MAX_GAPS {
                    return false;
                }
                // Fits: it is at most `counter`, and `counter` is at least one here.
                self.gaps.push((self.end as u64, counter - 1));
            }
            self.end = place + 1;
            return true;
        }
        let after = self.gaps.partition_point(|gap| gap.0 <= counter);
        let Some(at) = after.checked_sub(1).filter(|at| self.gaps[*at].1 >= counter) else {
            return true;
        };
        let (first, last) = self.gaps[at];
        match (first == counter, last == counter) {
            (true, true) => {
                self.gaps.remove(at);
            }
            (true, false) => self.gaps[at].0 = counter + 1,
            (false, true) => self.gaps[at].1 = counter - 1,
            (false, false) => {
                if self.gaps.len() >= MAX_GAPS {
                    return false;
                }
                self.gaps[at].1 = counter - 1;
                self.gaps.insert(at + 1, (counter + 1, last));
            }
        }
        true
    }

    /// Whether `counter` was added.
    pub(super) fn holds(&self, counter: u64) -> bool {
        let after = self.gaps.partition_point(|gap| gap.0 <= counter);
        let in_gap = after.checked_sub(1).is_some_and(|at| self.gaps[at].1 >= counter);
        u128::from(counter) < self.end && !in_gap
    }

    pub(super) fn encode(&self, sender: &str) -> Vec<u8> {
        let mut writer = Writer::new(VERSION);
        // A ledger that is written holds a counter, so that its end is at least one.
        writer.unsigned(self.end.saturating_sub(1) as u64);
        writer.unsigned(self.gaps.len() as u64);
        let mut before = 0;
        for (first, last) in &self.gaps {
            writer.unsigned(first - before);
            writer.unsigned(last - first);
            before = *last;
        }
        writer.signed(self.heard_at.get());
        writer.finish(sender.as_bytes())
    }

    /// Reads a record; one that does not say when its sender was heard takes `opened_at`, so that a sender is not
    /// forgotten a minute after its last batch because an older program wrote it.
    pub(super) fn decode(sender: &str, record: &[u8], opened_at: TimestampMs) -> Result<Self, CodecError> {
        let (version, mut reader) = Reader::new(sender.as_bytes(), record, VERSION)?;
        let end = u128::from(reader.unsigned("the greatest counter")?) + 1;
        let count = reader.length("the gaps")?;
        let range = CodecError::Range { field: "a gap" };
        let mut gaps = Vec::with_capacity(count);
        let mut before = 0_u64;
        for _ in 0..count {
            let first = before.checked_add(reader.unsigned("a gap")?).ok_or_else(|| range.clone())?;
            before = first.checked_add(reader.unsigned("a gap")?).ok_or_else(|| range.clone())?;
            gaps.push((first, before));
        }
        let heard_at = if version < 2 { opened_at } else { TimestampMs::new(reader.signed("when it was heard")?) };
        reader.finish()?;
        if gaps.last().is_some_and(|gap| u128::from(gap.1) >= end) {
            return Err(range);
        }
        Ok(Self { end, gaps, heard_at })
    }
}

/// All ids that are remembered; the twin in memory of the tables `senders` and `batches`.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) senders: HashMap<Arc<str>, Ledger>,
    opaque: HashMap<Arc<str>, TimestampMs>,
    /// The opaque ids in the order in which they came, with their keys in the table `batches`.
    order: VecDeque<((i64, u64), Arc<str>)>,
}

/// What a transaction is about to add to [`Remembered`]; dropped when the transaction fails.
#[derive(Debug, Default)]
pub(super) struct Staged {
    pub(super) senders: HashMap<Arc<str>, Ledger>,
    pub(super) opaque: HashMap<Arc<str>, (i64, u64)>,
}

/// Whether an id is `reference`, or `<reference>:…`.
fn names(id: &str, reference: &str) -> bool {
    id == reference || id.rsplit_once(':').is_some_and(|(sender, _)| sender == reference)
}

/// Whether a batch is new.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    Duplicate,
}

/// Ids that are the very reference of a sample, or its sender's name: `<reference>:<counter>`.
#[derive(Debug, Default)]
pub(super) struct Naming {
    pub(super) sender: Option<Arc<str>>,
    /// Their keys in the table `batches`.
    pub(super) opaque: Vec<(i64, u64)>,
}

impl Naming {
    pub(super) fn is_empty(&self) -> bool {
        self.sender.is_none() && self.opaque.is_empty()
    }
}

impl Remembered {
    /// The ids that name `reference`.
    pub(super) fn naming(&self, reference: &str) -> Naming {
        let sender = self.senders.get_key_value(reference).map(|(sender, _)| Arc::clone(sender));
        let named = self.order.iter().filter(|(_, text)| names(text, reference));
        Naming { sender, opaque: named.map(|(key, _)| *key).collect() }
    }

    /// Forgets the ids that name `reference`.
    pub(super) fn forget_naming(&mut self, reference: &str) {
        self.senders.remove(reference);
        self.order.retain(|(_, text)| !names(text, reference));
        self.opaque.retain(|text, _| !names(text, reference));
    }

    /// Whether the batch of `key` is on disk, for all that is remembered at `now`.
    pub(super) fn knows(&self, key: &IdempotencyKey, now: TimestampMs) -> bool {
        let counted = match &key.0 {
            Form::Counter { sender, counter } => self.senders.get(sender).is_some_and(|ledger| ledger.holds(*counter)),
            Form::Opaque(_) => false,
        };
        counted || self.opaque.get(&*key.text()).is_some_and(|since| now.since(*since) < OPAQUE_MEMORY)
    }

    /// Judges `key`, whose batch came at `received_at` and would get `seq`, and stages it.
    pub(super) fn stage(
        &self,
        staged: &mut Staged,
        key: &IdempotencyKey,
        received_at: TimestampMs,
        seq: u64,
    ) -> Verdict {
        let text = key.text();
        if self.knows(key, received_at) || staged.opaque.contains_key(&text) {
            return Verdict::Duplicate;
        }
        if let Form::Counter { sender, counter } = &key.0 {
            let ledger = match staged.senders.get(sender).or_else(|| self.senders.get(sender)) {
                Some(ledger) => Some(ledger.clone()),
                None if self.senders.len() + staged.senders.len() >= MAX_SENDERS => None,
                None => Some(Ledger::default()),
            };
            if let Some(mut ledger) = ledger {
                if ledger.holds(*counter) {
                    return Verdict::Duplicate;
                }
                if ledger.add(*counter) {
                    ledger.heard_at = received_at.max(ledger.heard_at);
                    staged.senders.insert(Arc::clone(sender), ledger);
                    return Verdict::New;
                }
            }
        }
        staged.opaque.insert(text, (received_at.get(), seq));
        Verdict::New
    }

    /// Takes over what a transaction has made durable.
    pub(super) fn commit(&mut self, staged: Staged) {
        self.senders.extend(staged.senders);
        let mut opaque: Vec<_> = staged.opaque.into_iter().map(|(text, key)| (key, text)).collect();
        opaque.sort();
        for (key, text) in opaque {
            self.restore(key, text);
        }
    }

    /// Takes over a row of the table `batches`; rows come in ascending order of their keys.
    pub(super) fn restore(&mut self, key: (i64, u64), text: Arc<str>) {
        self.opaque.insert(Arc::clone(&text), TimestampMs::new(key.0));
        self.order.push_back((key, text));
    }

    /// Up to `most` senders that make room for others.
    pub(super) fn crowded_out(&self, now: TimestampMs, most: usize) -> Vec<Arc<str>> {
        let most = self.senders.len().saturating_sub(CROWDED).min(most);
        if most == 0 {
            return Vec::new();
        }
        let is_silent = |(_, ledger): &(&Arc<str>, &Ledger)| now.since(ledger.heard_at) >= SILENCE;
        let silent = self.senders.iter().filter(is_silent);
        let mut silent: Vec<_> = silent.map(|(sender, ledger)| (ledger.heard_at, Arc::clone(sender))).collect();
        if silent.len() > most {
            silent.select_nth_unstable(most);
            silent.truncate(most);
        }
        silent.into_iter().map(|(_, sender)| sender).collect()
    }

    /// Up to `most` of the oldest opaque ids that need not be remembered any longer.
    pub(super) fn expired(&self, now: TimestampMs, most: usize) -> Vec<(i64, u64)> {
        let surplus = self.order.len().saturating_sub(MAX_OPAQUE);
        self.order
            .iter()
            .take(most)
            .enumerate()
            .take_while(|(place, (key, _))| *place < surplus || now.since(TimestampMs::new(key.0)) >= OPAQUE_MEMORY)
            .map(|(_, (key, _))| *key)
            .collect()
    }

    /// Forgets the `count` oldest opaque ids.
    pub(super) fn forget(&mut self, count: usize) {
        for (key, text) in self.order.drain(..count.min(self.order.len())) {
            // The same id may have come again after its time; that later one stays.
            if self.opaque.get(&text).is_some_and(|since| since.get() == key.0) {
                self.opaque.remove(&text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FILE_NAME, NewStore, Origin, Progress, RedbStore, Retention, Store, tables};
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[track_caller]
    fn is_counter(text: &str, expected: bool) {
        let key = IdempotencyKey::new(text).unwrap();
        assert_eq!(matches!(key.0, Form::Counter { .. }), expected, "{text}");
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn two_forms_are_told_apart() {
        is_counter("collector-7:0", true);
        is_counter("a:b:999999999999999", true);
        // A random 64-bit number after a colon is no counter.
        is_counter("a:1000000000000000", false);
        is_counter("a:18446744073709551616", false);
        is_counter("a:01", false);
        is_counter("a:", false);
        is_counter(":7", false);
        is_counter("a:+7", false);
        is_counter("0f8c7f6e-36c4-4a6a-8f0b-5b8f8c2c7a11", false);
        for text in ["", "a\nb", &"x".repeat(257)] {
            assert_eq!(IdempotencyKey::new(text), Err(KeyError));
        }
    }

    #[test]
    fn one_gap_too_many_makes_an_id_opaque() {
        let mut ledger = Ledger::default();
        for counter in 0..MAX_GAPS as u64 {
            assert!(ledger.add(counter * 2 + 1));
        }
        let before = ledger.clone();
        assert!(!ledger.add(20_000));
        assert_eq!(ledger, before, "it leaves no trace");
        let mut remembered = Remembered::default();
        remembered.senders.insert(Arc::from("order"), ledger);
        let key = |counter: u64| IdempotencyKey::new(&format!("order:{counter}")).unwrap();
        let at = TimestampMs::new;
        let mut staged = Staged::default();
        assert_eq!(remembered.stage(&mut staged, &key(20_000), at(0), 1), Verdict::New);
        assert_eq!(remembered.stage(&mut staged, &key(20_000), at(0), 2), Verdict::Duplicate);
        assert_eq!(remembered.stage(&mut staged, &key(0), at(0), 2), Verdict::New, "a gap can still be filled");
        assert_eq!(staged.opaque.len(), 1);
        remembered.commit(staged);
        assert!(remembered.knows(&key(20_000), at(599_999)) && !remembered.knows(&key(20_000), at(600_000)));
        assert!(remembered.knows(&key(0), at(i64::MAX)) && !remembered.knows(&key(2), at(0)));
    }

    #[test]
    fn one_sender_too_many_makes_an_id_opaque() {
        let mut remembered = Remembered::default();
        remembered.senders.extend((0..MAX_SENDERS).map(|sender| (Arc::from(format!("s{sender}")), Ledger::default())));
        let key = IdempotencyKey::new("new:1").unwrap();
        let mut staged = Staged::default();
        assert_eq!(remembered.stage(&mut staged, &key, TimestampMs::new(0), 1), Verdict::New);
        assert_eq!((staged.senders.len(), staged.opaque.len()), (0, 1));
    }

    #[test]
    fn senders_that_were_silent_for_longest_make_room() {
        let mut remembered = Remembered::default();
        let day_ms = 86_400_000;
        // The first two hundred were heard on the first day, a hundred on each of the next.
        let ledger = |place: usize| {
            let day = place.saturating_sub(100) / 100;
            Ledger { end: 1, heard_at: TimestampMs::new(day as i64 * day_ms), ..Ledger::default() }
        };
        let name = |place: usize| Arc::from(format!("s{place}"));
        remembered.senders.extend((0..CROWDED).map(|place| (name(place), ledger(place))));
        let now = TimestampMs::new(1_000 * day_ms);
        assert_eq!(remembered.crowded_out(now, 1_000), []);
        let begun = remembered.senders.len();
        remembered.senders.extend((begun..begun + 300).map(|place| (name(place), ledger(place))));
        let places = |now, most| {
            let mut places: Vec<usize> =
                remembered.crowded_out(now, most).iter().map(|sender| sender[1..].parse().unwrap()).collect();
            places.sort_unstable();
            places
        };
        assert_eq!(places(now, 1_000), (0..300).collect::<Vec<_>>());
        assert_eq!(places(now, 200), (0..200).collect::<Vec<_>>());
        assert_eq!(places(TimestampMs::new(day_ms), 1_000), (0..200).collect::<Vec<_>>(), "a day is not over");
        assert_eq!(places(TimestampMs::new(day_ms - 1), 1_000), [0_usize; 0]);
    }

    #[test]
    fn a_sender_is_heard_with_each_batch_and_older_records_read() {
        let mut remembered = Remembered::default();
        for (counter, at, expected) in [(1, 70, 70), (2, 90, 90), (3, 80, 90)] {
            let mut staged = Staged::default();
            let key = IdempotencyKey::new(&format!("s:{counter}")).unwrap();
            assert_eq!(remembered.stage(&mut staged, &key, TimestampMs::new(at), 1), Verdict::New);
            remembered.commit(staged);
            assert_eq!(remembered.senders["s"].heard_at, TimestampMs::new(expected));
        }
        let opened_at = TimestampMs::new(7_000);
        let expected = Ledger { heard_at: opened_at, ..remembered.senders["s"].clone() };
        assert_eq!(Ledger::decode("s", &of_version_1("s"), opened_at), Ok(expected));
    }

    /// The counters 1 to 3.
    fn of_version_1(sender: &str) -> Vec<u8> {
        let mut writer = Writer::new(1);
        writer.unsigned(3);
        writer.unsigned(1);
        writer.unsigned(0);
        writer.unsigned(0);
        writer.finish(sender.as_bytes())
    }

    #[test]
    fn senders_of_older_records_make_room_a_day_after_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let day = DurationMs::from_hours(24);
        let start = TimestampMs::new(0) + DurationMs::from_days(20_000);
        let open = || {
            let new = NewStore { epoch: 7, origin: Origin::Measured, now: start };
            RedbStore::open(folder.path(), new).unwrap()
        };
        drop(open());
        {
            let database = redb::Database::create(folder.path().join(FILE_NAME)).unwrap();
            let write = database.begin_write().unwrap();
            for place in 0..=CROWDED {
                let sender = format!("s{place}");
                let record = of_version_1(&sender);
                write.open_table(tables::SENDERS).unwrap().insert(&*sender, &*record).unwrap();
            }
            write.commit().unwrap();
        }
        let mut store = open();
        let mut remembered_at = |now: TimestampMs| {
            while store.expire(now, Retention::all(DurationMs::from_days(90))).unwrap() == Progress::More {}
            let key = |place| IdempotencyKey::new(&format!("s{place}:3")).unwrap();
            (0..=CROWDED).filter(|place| store.remembers(&key(*place), now)).count()
        };
        assert_eq!(remembered_at(start + DurationMs::from_minutes(1)), CROWDED + 1, "heard just now, maybe");
        assert_eq!(remembered_at(start + day), CROWDED);
    }

    #[test]
    fn opaque_ids_are_forgotten_in_time() {
        let key = IdempotencyKey::new("abc").unwrap();
        let at = TimestampMs::new;
        let mut remembered = Remembered::default();
        let mut staged = Staged::default();
        assert_eq!(remembered.stage(&mut staged, &key, at(0), 1), Verdict::New);
        assert_eq!(remembered.stage(&mut staged, &key, at(0), 2), Verdict::Duplicate, "within one transaction");
        remembered.commit(staged);
        let mut staged = Staged::default();
        assert_eq!(remembered.stage(&mut staged, &key, at(599_999), 2), Verdict::Duplicate);
        assert_eq!(remembered.expired(at(599_999), 10), []);
        assert_eq!(remembered.stage(&mut staged, &key, at(600_000), 2), Verdict::New);
        remembered.commit(staged);
        assert_eq!(remembered.expired(at(600_000), 10), [(0, 1)]);
        remembered.forget(1);
        assert_eq!(remembered.stage(&mut Staged::default(), &key, at(700_000), 3), Verdict::Duplicate);
    }

    proptest! {
        #[test]
        fn a_ledger_is_a_set(counters in proptest::collection::vec(prop_oneof![0..60_u64, Just(u64::MAX), any::<u64>()], 0..80)) {
            let mut ledger = Ledger::default();
            let mut model = HashSet::new();
            for counter in counters {
                prop_assert_eq!(ledger.holds(counter), model.contains(&counter));
                prop_assert!(ledger.add(counter));
                model.insert(counter);
                prop_assert!(ledger.holds(counter));
                prop_assert_eq!(Ledger::decode("s", &ledger.encode("s"), TimestampMs::new(7)), Ok(ledger.clone()));
            }
        }
    }
}
