//! Reading everything to see whether it is whole.

use std::collections::BTreeSet;

use redb::{Key, ReadOnlyTable, ReadableTable, ReadableTableMetadata, TableDefinition, TableHandle, Value};

use super::batch;
use super::chunk::{self, ChunkKey};
use super::codec::CodecError;
use super::error::{StoreError, While};
use super::fault::{Fault, Faults, Place};
use super::idempotency::Ledger;
use super::redb_store::shielded;
use super::restated::Mark;
use super::series::SeriesIx;
use super::snapshot::{DOING, Snapshot};
use super::state::check_format;
use super::tables::{self, meta};
use super::trail::Entry;
use super::{histograms, hour, outbox};
use bellwether_core::time::TimestampMs;

/// What a look at every record found.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Verification {
    /// The format of the file.
    pub format: u64,
    /// Series whose names are whole.
    pub series: u64,
    /// Chunks that are whole.
    pub chunks: u64,
    /// Samples in them.
    pub chunk_samples: u64,
    /// Bytes of all chunks.
    pub chunk_bytes: u64,
    /// Summaries of hours that are whole.
    pub hours: u64,
    /// Bytes of all summaries of hours.
    pub hour_bytes: u64,
    /// Points of histograms that are whole.
    pub points: u64,
    /// Corrections of the trail that are whole.
    pub corrections: u64,
    /// Batches of the tail that are whole.
    pub batches: u64,
    /// Samples in them that are not in chunks.
    pub tail_samples: u64,
    /// How many records are damaged.
    pub fault_count: u64,
    /// The first thousand of them.
    pub faults: Vec<Fault>,
}

impl Snapshot {
    /// Reads every record and checks its sum, its structure, and that the records fit each other.
    /// Cost: reads the whole file; holds the names of the series.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed, or the tables cannot be read at all.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        shielded(|| {
            let mut walk = Walk { snapshot: self, found: Verification::default(), faults: Faults::default() };
            walk.numbers()?;
            walk.names()?;
            walk.tail()?;
            walk.chunks()?;
            walk.hours()?;
            walk.histograms()?;
            walk.corrections()?;
            walk.small()?;
            tables::each(&mut walk)?;
            walk.found.fault_count = walk.faults.count();
            walk.found.faults = walk.faults.named;
            Ok(walk.found)
        })
    }
}

struct Walk<'a> {
    snapshot: &'a Snapshot,
    found: Verification,
    faults: Faults,
}

impl Walk<'_> {
    fn fault(&mut self, place: Place, reason: CodecError) {
        self.faults.add(Fault { place, reason });
    }

    /// The numbers about the whole store have no checksums; what they say must be possible.
    fn numbers(&mut self) -> Result<(), StoreError> {
        self.found.format = self.snapshot.number(meta::FORMAT)?.unwrap_or(0);
        check_format(self.found.format)?;
        let seq = self.snapshot.number(meta::SEQ)?.unwrap_or(0);
        let newest = self.snapshot.table(tables::TAIL)?.last().while_doing(DOING)?.map_or(0, |(seq, _)| seq.value());
        let range = |field| CodecError::Range { field };
        if newest > seq {
            self.fault(Place::Meta { name: meta::SEQ }, range("the newest batch"));
        }
        let sealing = self.snapshot.sealing()?;
        if sealing.done.seq > seq {
            self.fault(Place::Meta { name: meta::SEALED_SEQ }, range("the newest sealed batch"));
        }
        if sealing.round.is_some_and(|(bounds, _)| bounds.seq > seq) {
            self.fault(Place::Meta { name: meta::ROUND_SEQ }, range("the newest batch of the round"));
        }
        let next = self.snapshot.number(meta::NEXT_SERIES)?.unwrap_or(0);
        let last = self.snapshot.table(tables::SERIES)?.last().while_doing(DOING)?.map(|(ix, _)| u64::from(ix.value()));
        if last >= Some(next) {
            self.fault(Place::Meta { name: meta::NEXT_SERIES }, range("the number of the next series"));
        }
        Ok(())
    }

    fn names(&mut self) -> Result<(), StoreError> {
        self.found.series = self.snapshot.series(&mut self.faults)?.len() as u64;
        self.snapshot.declarations(&mut self.faults)?;
        Ok(())
    }

    fn tail(&mut self) -> Result<(), StoreError> {
        let sealing = self.snapshot.sealing()?;
        let mut named = BTreeSet::new();
        for row in self.snapshot.table(tables::TAIL)?.iter().while_doing(DOING)? {
            let (seq, record) = row.while_doing(DOING)?;
            let seq = seq.value();
            match batch::decode(seq, record.value()) {
                Ok(batch) => {
                    self.found.batches += 1;
                    for each in batch.samples {
                        if !sealing.holds(seq, each.series, each.sample.timestamp()) {
                            self.found.tail_samples += 1;
                            named.insert(each.series);
                        }
                    }
                }
                Err(reason) => self.fault(Place::Batch { seq }, reason),
            }
        }
        let names = self.snapshot.table(tables::SERIES)?;
        for series in named {
            self.has_name(&names, series)?;
        }
        Ok(())
    }

    fn has_name(&mut self, names: &ReadOnlyTable<u32, &'static [u8]>, series: SeriesIx) -> Result<(), StoreError> {
        // A damaged name was told when the names were read.
        if names.get(series.0).while_doing(DOING)?.is_none() {
            self.fault(Place::Series { series }, CodecError::Absent);
        }
        Ok(())
    }

    /// All chunks, each hour's held against the hour's summary.
    fn chunks(&mut self) -> Result<(), StoreError> {
        let names = self.snapshot.table(tables::SERIES)?;
        let mut of_hour: Option<OfHour> = None;
        for row in self.snapshot.table(tables::CHUNKS)?.iter().while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let key = ChunkKey::of_row(row.value());
            if of_hour.as_ref().is_none_or(|before| before.series != key.series) {
                self.has_name(&names, key.series)?;
            }
            if of_hour.as_ref().is_none_or(|before| (before.series, before.hour) != (key.series, key.hour)) {
                let next = OfHour { series: key.series, hour: key.hour, samples: Some(0) };
                if let Some(before) = of_hour.replace(next) {
                    self.compare(&before)?;
                }
            }
            self.found.chunk_bytes += record.value().len() as u64;
            let decoded = chunk::decode(key, record.value());
            let samples = decoded.as_ref().ok().map(|samples| samples.len() as u64);
            if let Some(hour) = &mut of_hour {
                hour.samples = hour.samples.zip(samples).map(|(all, more)| all + more);
            }
            match decoded {
                Ok(samples) => {
                    self.found.chunks += 1;
                    self.found.chunk_samples += samples.len() as u64;
                }
                Err(reason) => self.fault(key.place(), reason),
            }
        }
        of_hour.map_or(Ok(()), |last| self.compare(&last))
    }

    fn compare(&mut self, of_hour: &OfHour) -> Result<(), StoreError> {
        let OfHour { series, hour, samples: Some(samples) } = *of_hour else { return Ok(()) };
        let summaries = self.snapshot.table(tables::HOURS)?;
        let Some(record) = summaries.get((series.0, hour)).while_doing(DOING)? else { return Ok(()) };
        // A damaged summary is told when the summaries are read. One of more samples than there are is as it
        // should be where some were dropped for their size and others came late.
        if hour::decode(series, hour, record.value()).is_ok_and(|summary| summary.count < samples) {
            let reason = CodecError::Range { field: "the number of samples" };
            self.fault(Place::Hour { series, end: chunk::end_of(hour) }, reason);
        }
        Ok(())
    }

    fn hours(&mut self) -> Result<(), StoreError> {
        for row in self.snapshot.table(tables::HOURS)?.iter().while_doing(DOING)? {
            let (row, record) = row.while_doing(DOING)?;
            let (series, hour) = row.value();
            let series = SeriesIx(series);
            self.found.hour_bytes += record.value().len() as u64;
            match hour::decode(series, hour, record.value()) {
                Ok(_) => self.found.hours += 1,
                Err(reason) => self.fault(Place::Hour { series, end: chunk::end_of(hour) }, reason),
            }
        }
        Ok(())
    }

    /// What histograms added, and the hours of it.
    fn histograms(&mut self) -> Result<(), StoreError> {
        if let Some(points) = self.snapshot.table_if_there(tables::POINTS)? {
            for row in points.iter().while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                let (series, at) = (SeriesIx(row.value().0), TimestampMs::new(row.value().1));
                match histograms::decode_point(series, at, record.value()) {
                    Ok(_) => self.found.points += 1,
                    Err(reason) => self.fault(Place::Point { series, at }, reason),
                }
            }
        }
        if let Some(hours) = self.snapshot.table_if_there(tables::POINT_HOURS)? {
            for row in hours.iter().while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                let (series, hour) = (SeriesIx(row.value().0), row.value().1);
                if let Err(reason) = hour::decode(series, hour, record.value()) {
                    self.fault(Place::PointHour { series, end: chunk::end_of(hour) }, reason);
                }
            }
        }
        Ok(())
    }

    /// The trail of corrections and the spans that they restated.
    fn corrections(&mut self) -> Result<(), StoreError> {
        let mut last = None;
        if let Some(trail) = self.snapshot.table_if_there(tables::CORRECTIONS)? {
            for row in trail.iter().while_doing(DOING)? {
                let (id, record) = row.while_doing(DOING)?;
                last = Some(id.value());
                match Entry::decode(id.value(), record.value()) {
                    Ok(_) => self.found.corrections += 1,
                    Err(reason) => self.fault(Place::Correction { id: id.value() }, reason),
                }
            }
        }
        if last >= Some(self.snapshot.number(meta::NEXT_CORRECTION)?.unwrap_or(0)) {
            let reason = CodecError::Range { field: "the number of the next correction" };
            self.fault(Place::Meta { name: meta::NEXT_CORRECTION }, reason);
        }
        if let Some(restated) = self.snapshot.table_if_there(tables::RESTATED)? {
            for row in restated.iter().while_doing(DOING)? {
                let (row, record) = row.while_doing(DOING)?;
                let (series, end) = (SeriesIx(row.value().0), TimestampMs::new(row.value().1));
                if let Err(reason) = Mark::decode(series, end, record.value()) {
                    self.fault(Place::Restated { series, end }, reason);
                }
            }
        }
        Ok(())
    }

    /// Batch ids and notices.
    fn small(&mut self) -> Result<(), StoreError> {
        for row in self.snapshot.table(tables::SENDERS)?.iter().while_doing(DOING)? {
            let (sender, record) = row.while_doing(DOING)?;
            if let Err(reason) = Ledger::decode(sender.value(), record.value(), TimestampMs::new(0)) {
                self.fault(Place::Sender { sender: sender.value().to_owned() }, reason);
            }
        }
        for row in self.snapshot.table(tables::OUTBOX)?.iter().while_doing(DOING)? {
            let (id, record) = row.while_doing(DOING)?;
            if let Err(reason) = outbox::decode(id.value(), record.value()) {
                self.fault(Place::Notice { id: id.value() }, reason);
            }
        }
        Ok(())
    }
}

/// The chunks of one series in one hour.
struct OfHour {
    series: SeriesIx,
    hour: i64,
    /// How many samples they hold; `None` where one is damaged.
    samples: Option<u64>,
}

/// A table whose inner pages are damaged may lose rows without a sign, but not their number.
impl tables::EachTable for Walk<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        _: u8,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        let Some(table) = self.snapshot.table_if_there(definition)? else { return Ok(()) };
        let mut rows = 0;
        for row in table.iter().while_doing(DOING)? {
            row.while_doing(DOING)?;
            rows += 1;
        }
        if table.len().while_doing(DOING)? != rows {
            let name = definition.name().to_owned();
            self.fault(Place::Table { name }, CodecError::Range { field: "the number of rows" });
        }
        Ok(())
    }
}
