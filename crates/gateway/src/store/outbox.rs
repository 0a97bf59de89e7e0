//! Alerts that outlive a restart, and the notices about them that wait to be delivered.

use super::codec::{CodecError, Reader, Writer};
use super::ended;
use super::error::{StoreError, While};
use super::redb_store::begin_write;
use super::state::State;
use super::tables::{self, meta};
use bellwether_core::time::TimestampMs;
use redb::{Database, ReadableDatabase, ReadableTable};
use std::collections::HashMap;

const VERSION: u8 = 1;
const DOING: &str = "keeping alerts and notices";

/// What becomes of the record of one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlertChange {
    /// It is as `record` says; the bytes are the alerting's own.
    Set {
        /// What tells the alert from the others.
        key: String,
        /// Its state.
        record: Vec<u8>,
    },
    /// It is gone.
    Remove {
        /// What tells the alert from the others.
        key: String,
    },
    /// It fired and is over: that is kept for later questions, whatever becomes of the alert.
    Ended {
        /// What tells the alert from the others.
        key: String,
        /// When it ended.
        at: TimestampMs,
        /// What became of it; the bytes are the alerting's own.
        record: Vec<u8>,
    },
}

/// A message that waits until it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number; never given twice in one store.
    pub id: u64,
    /// What is to be sent.
    pub payload: Vec<u8>,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it was put in.
    pub created_at: TimestampMs,
    /// When it is to be tried next.
    pub next_attempt_at: TimestampMs,
}

fn encode(notice: &Notice) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.unsigned(u64::from(notice.attempts));
    writer.signed(notice.created_at.get());
    writer.signed(notice.next_attempt_at.get());
    writer.slice(&notice.payload);
    writer.finish(&notice.id.to_le_bytes())
}

pub(super) fn decode(id: u64, record: &[u8]) -> Result<Notice, CodecError> {
    let (_, mut reader) = Reader::new(&id.to_le_bytes(), record, VERSION)?;
    let attempts = reader.unsigned("the attempts")?;
    let notice = Notice {
        id,
        attempts: u32::try_from(attempts).map_err(|_| CodecError::Range { field: "the attempts" })?,
        created_at: TimestampMs::new(reader.signed("the time of making")?),
        next_attempt_at: TimestampMs::new(reader.signed("the time of the next attempt")?),
        payload: reader.slice("the payload")?.to_vec(),
    };
    reader.finish()?;
    Ok(notice)
}

pub(super) fn save_alerts(
    database: &Database,
    state: &mut State,
    alerts: &[AlertChange],
    notices: &[Vec<u8>],
    now: TimestampMs,
) -> Result<Vec<u64>, StoreError> {
    if alerts.is_empty() && notices.is_empty() {
        return Ok(Vec::new());
    }
    let write = begin_write(database, DOING)?;
    let mut next = state.next_notice;
    let mut ids = Vec::with_capacity(notices.len());
    let mut added = Vec::new();
    {
        let mut table = write.open_table(tables::ALERTS).while_doing(DOING)?;
        for change in alerts {
            match change {
                AlertChange::Set { key, record } => {
                    table.insert(key.as_str(), record.as_slice()).while_doing(DOING)?;
                }
                AlertChange::Remove { key } => {
                    table.remove(key.as_str()).while_doing(DOING)?;
                }
                AlertChange::Ended { .. } => {}
            }
        }
        ended::keep(&write, alerts, DOING)?;
        let mut table = write.open_table(tables::OUTBOX).while_doing(DOING)?;
        // A notice says which alert is in which state since when, so its bytes are its name: one
        // that came here by a commit that failed towards the caller is given again and known.
        let mut waiting = HashMap::new();
        if !notices.is_empty() {
            for row in table.iter().while_doing(DOING)? {
                let (id, record) = row.while_doing(DOING)?;
                if let Ok(notice) = decode(id.value(), record.value()) {
                    waiting.insert(notice.payload, notice.id);
                }
            }
        }
        for payload in notices {
            if let Some(id) = waiting.get(payload) {
                ids.push(*id);
                continue;
            }
            let notice =
                Notice { id: next, payload: payload.clone(), attempts: 0, created_at: now, next_attempt_at: now };
            table.insert(next, encode(&notice).as_slice()).while_doing(DOING)?;
            added.push(next);
            ids.push(next);
            next += 1;
        }
        let mut table = write.open_table(tables::META).while_doing(DOING)?;
        table.insert(meta::NEXT_NOTICE, next).while_doing(DOING)?;
    }
    write.commit().while_doing(DOING)?;
    state.next_notice = next;
    state.due.extend(added.into_iter().map(|id| (now.get(), id)));
    Ok(ids)
}

pub(super) fn alerts(database: &Database) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let table = read.open_table(tables::ALERTS).while_doing(DOING)?;
    let mut alerts = Vec::new();
    for row in table.iter().while_doing(DOING)? {
        let (key, record) = row.while_doing(DOING)?;
        alerts.push((key.value().to_owned(), record.value().to_vec()));
    }
    Ok(alerts)
}

pub(super) fn due(
    database: &Database,
    state: &State,
    now: TimestampMs,
    most: usize,
) -> Result<Vec<Notice>, StoreError> {
    let read = database.begin_read().while_doing(DOING)?;
    let table = read.open_table(tables::OUTBOX).while_doing(DOING)?;
    let mut notices = Vec::new();
    for (_, id) in state.due.range(..=(now.get(), u64::MAX)).take(most) {
        if let Some(record) = table.get(id).while_doing(DOING)? {
            // Damage that came after the start: the notice is named at the next one.
            if let Ok(notice) = decode(*id, record.value()) {
                notices.push(notice);
            }
        }
    }
    Ok(notices)
}

pub(super) fn delivered(database: &Database, state: &mut State, id: u64) -> Result<(), StoreError> {
    let write = begin_write(database, DOING)?;
    write.open_table(tables::OUTBOX).while_doing(DOING)?.remove(id).while_doing(DOING)?;
    write.commit().while_doing(DOING)?;
    state.due.retain(|(_, each)| *each != id);
    Ok(())
}

pub(super) fn failed(
    database: &Database,
    state: &mut State,
    id: u64,
    next_attempt_at: TimestampMs,
) -> Result<(), StoreError> {
    let write = begin_write(database, DOING)?;
    let changed = {
        let mut table = write.open_table(tables::OUTBOX).while_doing(DOING)?;
        let notice = table.get(id).while_doing(DOING)?.and_then(|record| decode(id, record.value()).ok());
        if let Some(notice) = &notice {
            let later = Notice { attempts: notice.attempts.saturating_add(1), next_attempt_at, ..notice.clone() };
            table.insert(id, encode(&later).as_slice()).while_doing(DOING)?;
        }
        notice.is_some()
    };
    write.commit().while_doing(DOING)?;
    state.due.retain(|(_, each)| *each != id);
    if changed {
        state.due.insert((next_attempt_at.get(), id));
    }
    Ok(())
}
