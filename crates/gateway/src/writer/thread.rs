//! The thread behind a [`Writer`](super::Writer): group commits, and what the store needs between
//! them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender};
use std::time::Duration;

use bellwether_core::engine::Plan;
use bellwether_core::time::TimestampMs;

use super::receipts::{BatchName, Receipts};
use super::restate::{MOST_SINCE, Order, Restating, ToShow};
use super::unsaved::{NewNotice, Unsaved};
use super::{Delivery, Job, Receipt, Reply, WriteError, WriterQueue, Written};
use crate::clock::{self, Stopwatch};
use crate::hub::{Admission, AdmittedHistogram, Hub, Units};
use crate::own::OwnWork;
use crate::store::{AlertChange, Batch, Notice, Outcome, Progress, Retention, Store, StoreError};
use crate::telemetry::Metrics;

/// Most samples of one group commit, so that the first of them does not wait long.
const MAX_GROUP_SAMPLES: usize = 50_000;
/// How often the store is looked after.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(5);
/// How soon it is looked after again where one step did not do.
const HOUSEKEEPING_STEP: Duration = Duration::from_millis(20);
/// How often the store's own figures are brought up to date.
const STATISTICS_EVERY: Duration = Duration::from_secs(5);
/// How often the engine's memory is measured, which looks at every time bucket.
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// Most notices that are looked at at once.
const MAX_NOTICES: usize = 1_000;

/// A batch and whom to answer; nobody where it is the gateway's own.
type Waiting = (Delivery, Option<Reply>);

/// A batch that was judged and is not stored yet.
struct Judged {
    admission: Admission,
    name: Option<BatchName>,
    reply: Option<Reply>,
}

/// The thread's own state.
pub(crate) struct WriterThread<S> {
    pub(super) store: S,
    pub(super) hub: Arc<Hub>,
    units: Units,
    metrics: Metrics,
    own: Arc<OwnWork>,
    pub(super) retention: Retention,
    queue: WriterQueue,
    receipts: Receipts,
    /// Alert changes that could not be saved yet.
    unsaved: Unsaved,
    /// Among others, series that may have been changed by a correction whose commit failed.
    pub(super) unsure: ToShow,
    /// Series that are being made anew, in the order in which they were ordered.
    pub(super) restating: Vec<Restating>,
    pub(super) next_restating: u64,
    pub(super) most_since: usize,
    pub(super) orders: Sender<Order>,
    last_housekeeping: Stopwatch,
    housekeeping_in: Duration,
    last_statistics: Stopwatch,
    last_measure: Stopwatch,
    last_complaint: Option<Stopwatch>,
}

impl<S: Store> WriterThread<S> {
    /// The thread over a store whose samples the hub already shows; what is to be shown anew goes to `orders`.
    pub(crate) fn new(
        store: S,
        hub: Arc<Hub>,
        metrics: Metrics,
        own: Arc<OwnWork>,
        retention: Retention,
        queue: WriterQueue,
        orders: Sender<Order>,
    ) -> Self {
        Self {
            units: Units::of(store.declarations()),
            store,
            hub,
            metrics,
            own,
            retention,
            queue,
            receipts: Receipts::default(),
            unsaved: Unsaved::default(),
            unsure: ToShow::default(),
            restating: Vec::new(),
            next_restating: 0,
            most_since: MOST_SINCE,
            orders,
            last_housekeeping: Stopwatch::start(),
            housekeeping_in: HOUSEKEEPING_STEP,
            last_statistics: Stopwatch::start(),
            last_measure: Stopwatch::start(),
            last_complaint: None,
        }
    }

    /// The store, for what a test does to it behind the thread's back.
    #[cfg(test)]
    pub(crate) fn store_for_tests(&mut self) -> &mut S {
        &mut self.store
    }

    /// Works until it is told to stop.
    pub(crate) fn run(&mut self) {
        self.statistics();
        self.measure();
        loop {
            let mut stop = false;
            match self.queue.jobs.recv_timeout(self.housekeeping_in) {
                Ok(job) => stop = self.work(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => stop = true,
            }
            if stop {
                self.save_unsaved();
                self.tell_of_what_is_on_disk();
                return;
            }
            if self.last_housekeeping.elapsed() >= self.housekeeping_in {
                self.housekeeping();
                self.last_housekeeping = Stopwatch::start();
            }
            if self.last_statistics.elapsed() >= STATISTICS_EVERY {
                self.last_statistics = Stopwatch::start();
                self.statistics();
            }
            if self.last_measure.elapsed() >= MEASURE_EVERY {
                self.last_measure = Stopwatch::start();
                self.measure();
            }
        }
    }

    /// Does `first` and what waits behind it; `true` where that says to stop.
    fn work(&mut self, first: Job) -> bool {
        let mut group = Vec::new();
        let mut samples = 0;
        let mut next = Some(first);
        let mut other = None;
        while let Some(job) = next {
            match job {
                Job::Write(delivery, reply) => {
                    samples += delivery.len();
                    group.push((delivery, reply));
                }
                job => {
                    // What was queued before comes first: the order of the queue is kept.
                    other = Some(job);
                    break;
                }
            }
            next = if samples < MAX_GROUP_SAMPLES { self.queue.jobs.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            self.queue.waiting_samples.fetch_sub(samples, Ordering::AcqRel);
            self.metrics.batches_waiting.dec_by(i64::try_from(group.len()).unwrap_or(i64::MAX));
            self.commit(group, clock::now());
        }
        match other {
            None => false,
            Some(Job::Stop) => true,
            Some(job) => {
                self.other(job);
                false
            }
        }
    }

    /// Makes a group of batches durable with one fsync, shows it, and answers; all of it is judged as of
    /// `now`.
    pub(super) fn commit(&mut self, mut group: Vec<Waiting>, now: TimestampMs) {
        while !group.is_empty() {
            group = self.commit_first_of_each_name(group, now);
        }
        // Only now is all of the store shown that is in it.
        self.show_unsure(now);
    }

    /// Commits a group but for batches with the name of another before them; gives those back.
    fn commit_first_of_each_name(&mut self, group: Vec<Waiting>, now: TimestampMs) -> Vec<Waiting> {
        let oldest = now - self.retention.raw;
        let mut plan = Plan::default();
        let mut names = HashSet::new();
        let mut later = Vec::new();
        let mut admissions = Vec::with_capacity(group.len());
        let mut batches = Vec::with_capacity(group.len());
        for (delivery, reply) in group {
            if let Some(name) = &delivery.name {
                if self.store.remembers(&name.key, delivery.received_at) {
                    let answered = self.again(name);
                    answer(reply, answered);
                    continue;
                }
                if !names.insert(name.key.clone()) {
                    later.push((delivery, reply));
                    continue;
                }
            }
            let Delivery { samples, histograms, name, received_at } = delivery;
            let span = (oldest, now);
            let (mut admission, declarations) = self.hub.admit(&mut plan, &mut self.units, samples, histograms, span);
            batches.push(Batch {
                // Lent, and given back below.
                samples: std::mem::take(&mut admission.samples),
                histograms: admission.histograms.iter().map(AdmittedHistogram::to_stored).collect(),
                declarations,
                idempotency: name.as_ref().map(|name| name.key.clone()),
                received_at,
            });
            admissions.push(Judged { admission, name, reply });
        }
        if batches.is_empty() {
            return later;
        }
        let watch = Stopwatch::start();
        let appended = self.store.append(&batches);
        for (judged, batch) in admissions.iter_mut().zip(batches) {
            judged.admission.samples = batch.samples;
        }
        self.show_resurfaced(now);
        match appended {
            Ok(outcomes) => {
                let secs = watch.elapsed().as_secs_f64();
                self.metrics.commit_duration.observe(secs);
                if !self.own.commit(now, secs) {
                    self.metrics.own_samples_lost.inc();
                }
                self.show(admissions, outcomes, now);
            }
            Err(error) => {
                self.complain(&error);
                // What a metric is in is forgotten with the batch that said so.
                self.units = Units::of(self.store.declarations());
                let reason = error.to_string();
                for Judged { admission, name, reply } in admissions {
                    if reply.is_none() {
                        self.metrics.own_samples_lost.inc_by(admission.samples.len() as u64);
                    }
                    // It may turn out to be on disk all the same: then this is what became of it.
                    if let Some(name) = name {
                        self.receipts.note(name, admission.into_receipt());
                    }
                    answer(reply, Err(WriteError::Store { reason: reason.clone() }));
                }
            }
        }
        later
    }

    /// What is told about a batch that is on disk already.
    fn again(&self, name: &BatchName) -> Result<Written, WriteError> {
        self.metrics.batches_repeated.inc();
        self.receipts.again(name)
    }

    /// Shows what was stored although its commit failed: the store finds that out when it opens its
    /// file anew, which any change may bring about.
    pub(crate) fn show_resurfaced(&mut self, now: TimestampMs) {
        let mut increments = Vec::new();
        let mut found = Vec::new();
        for mut batch in self.store.take_resurfaced() {
            increments.append(&mut batch.increments);
            found.push((batch.seq, batch.samples));
        }
        if found.is_empty() {
            return;
        }
        let samples: usize = found.iter().map(|(_, samples)| samples.len()).sum();
        tracing::warn!(batches = found.len(), samples, "a commit that failed had reached the disk; it counts now");
        self.metrics.samples_accepted.inc_by(samples as u64);
        self.note_since(&found, &increments);
        self.hub.record(&found, &increments, now);
    }

    fn show(&mut self, admissions: Vec<Judged>, outcomes: Vec<Outcome>, now: TimestampMs) {
        let mut answers = Vec::with_capacity(admissions.len());
        let mut stored = Vec::with_capacity(admissions.len());
        let mut increments = Vec::new();
        for (Judged { mut admission, name, reply }, outcome) in admissions.into_iter().zip(outcomes) {
            let (seq, left_out) = match outcome {
                Outcome::Stored { seq } => (Some(seq), Vec::new()),
                Outcome::StoredInPart { seq, left_out, counted } => {
                    self.metrics.samples_repeated.inc_by(admission.count(counted, &mut increments) as u64);
                    (Some(seq), left_out)
                }
                Outcome::Duplicate => (None, Vec::new()),
            };
            let written = match seq {
                Some(seq) => {
                    let repeated = admission.leave_out(&left_out);
                    let samples = std::mem::take(&mut admission.samples);
                    self.metrics.samples_accepted.inc_by(samples.len() as u64);
                    self.metrics.samples_repeated.inc_by(repeated as u64);
                    // What came again is stored, if not by this batch.
                    let accepted = samples.len() + repeated;
                    self.metrics.histograms_accepted.inc_by(admission.histograms.len() as u64);
                    let histograms = admission.histograms.len();
                    let receipt = Receipt { accepted, histograms, rejected: admission.rejected };
                    for rejection in &receipt.rejected {
                        self.metrics.reject(rejection.code.as_str(), 1);
                    }
                    if let Some(name) = name {
                        self.receipts.note(name, receipt.clone());
                    }
                    stored.push((seq, samples));
                    Ok(Written::Told(receipt))
                }
                None => name.as_ref().map_or(Ok(Written::Before), |name| self.again(name)),
            };
            answers.push((reply, written));
        }
        self.note_since(&stored, &increments);
        self.hub.record(&stored, &increments, now);
        for (reply, written) in answers {
            answer(reply, written);
        }
    }

    fn other(&mut self, job: Job) {
        let now = clock::now();
        let done = match job {
            Job::SaveAlerts { changes, notices } => {
                self.save_alerts(changes, notices);
                Ok(())
            }
            Job::Notices { reply } => {
                let notices = self.notices();
                // The asker may have ended meanwhile.
                let _ended = reply.send(notices);
                Ok(())
            }
            Job::NoticeDelivered { id, kept } => answer_kept(&kept, self.store.notice_delivered(id, now)),
            Job::NoticeFailed { id, next_attempt_at, kept } => {
                answer_kept(&kept, self.store.notice_failed(id, next_attempt_at, now))
            }
            Job::Correct { asked, found, reply } => {
                self.correct(&asked, &found, now, reply);
                Ok(())
            }
            Job::Restated { number, anew } => {
                self.restated(number, anew, now);
                Ok(())
            }
            Job::Snapshot { reply } => {
                let taken = self.store.snapshot();
                // The asker may have ended meanwhile.
                let _ended = reply.send(taken.map_err(|error| WriteError::Store { reason: error.to_string() }));
                Ok(())
            }
            Job::Write(..) | Job::Stop => Ok(()),
        };
        if let Err(error) = done {
            self.complain(&error);
        }
        self.show_resurfaced(now);
        self.show_unsure(now);
        self.metrics.notifications_waiting.set(gauge(self.store.statistics().notices as u64));
    }

    pub(super) fn save_alerts(&mut self, changes: Vec<AlertChange>, notices: Vec<NewNotice>) {
        self.unsaved.add(changes, notices);
        self.save_unsaved();
    }

    fn save_unsaved(&mut self) {
        if self.unsaved.is_empty() {
            return;
        }
        let (changes, notices) = self.unsaved.all();
        match self.store.save_alerts(&changes, &notices, clock::now()) {
            Ok(_) => self.unsaved = Unsaved::default(),
            Err(error) => self.complain(&error),
        }
    }

    /// All notices that wait; none while some could not be saved. Those may be on disk all the same:
    /// delivered and forgotten before they are saved anew, they would be sent twice.
    pub(super) fn notices(&mut self) -> Vec<Notice> {
        self.save_unsaved();
        if !self.unsaved.is_empty() {
            return Vec::new();
        }
        self.store.due_notices(TimestampMs::new(i64::MAX), MAX_NOTICES).unwrap_or_else(|error| {
            self.complain(&error);
            Vec::new()
        })
    }

    /// One bounded step of what the store needs from time to time: soon again where there is more to
    /// do, else after a while.
    fn housekeeping(&mut self) {
        self.save_unsaved();
        let now = clock::now();
        let sealed = self.store.seal(now);
        let expired = self.store.expire(now, self.retention);
        let mut more = false;
        for step in [sealed, expired] {
            match step {
                Ok(progress) => more |= progress == Progress::More,
                Err(error) => self.complain(&error),
            }
        }
        self.show_resurfaced(now);
        self.show_unsure(now);
        self.housekeeping_in = if more { HOUSEKEEPING_STEP } else { HOUSEKEEPING_EVERY };
    }

    pub(super) fn statistics(&mut self) {
        let statistics = self.store.statistics();
        self.metrics.store_bytes.set(gauge(statistics.disk.allocated_bytes));
        self.metrics.store_corrupt.set(gauge(statistics.faults));
        self.metrics.notifications_waiting.set(gauge(statistics.notices as u64));
    }

    fn measure(&self) {
        self.hub.forget_restated_until(clock::now() - self.retention.rollups);
        let memory = self.hub.memory();
        self.metrics.engine_series.set(gauge(memory.series as u64));
        self.metrics.engine_bytes.set(gauge(memory.bytes as u64));
    }

    /// Counts a failure of the store; says so at most once in five seconds.
    pub(super) fn complain(&mut self, error: &StoreError) {
        self.metrics.store_failures.inc();
        if self.last_complaint.is_none_or(|last| last.elapsed() >= Duration::from_secs(5)) {
            self.last_complaint = Some(Stopwatch::start());
            tracing::error!(%error, "the store failed; samples are refused until it works again");
        }
    }
}

fn answer(reply: Option<Reply>, written: Result<Written, WriteError>) {
    if let Some(reply) = reply {
        // The sender may have gone away; its batch is stored or not all the same.
        let _gone = reply.send(written);
    }
}

/// Says whether the store has kept something, and hands the failure on.
fn answer_kept(kept: &SyncSender<bool>, done: Result<(), StoreError>) -> Result<(), StoreError> {
    // The asker may have ended meanwhile.
    let _ended = kept.send(done.is_ok());
    done
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
