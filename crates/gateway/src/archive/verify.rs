//! `bellwether verify`: whether a store is whole, and if not, what is damaged and what can be done.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::source;
use crate::store::{Fault, Snapshot, StoppedStore, StoreError, Verification};

/// The flags of `verify`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "It changes nothing. It ends with 0 where everything is whole and with 1 where anything is damaged.\n\
                        While a gateway runs, verify a backup of its store:\n  \
                        bellwether backup --gateway http://127.0.0.1:4000 copy.redb\n  \
                        bellwether verify --data-dir copy.redb"
)]
pub struct VerifyArgs {
    /// Folder of the store, whose gateway must be stopped, or a backup's file [default: ./data]
    #[arg(long, env = "BELLWETHER_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Looks at every record of a store and says on stdout what it found.
///
/// # Errors
/// One plain sentence where the store is damaged or cannot be looked at.
pub(crate) fn verify(arguments: &VerifyArgs) -> anyhow::Result<()> {
    let instead = "stop it first, or verify a backup: bellwether backup --gateway URL FILE";
    let mut store = source::open(arguments.data_dir.as_deref(), instead)?;
    // Before any snapshot, which would keep it from looking.
    let pages = store.check_pages();
    let snapshot = store.snapshot()?;
    let mut found = snapshot.verify()?;
    found.fault_count += store.lost().len() as u64;
    found.faults.extend_from_slice(store.lost());
    crate::say(report(&store, &snapshot, &found)?.trim_end());
    anyhow::ensure!(found.fault_count == 0, "the store is damaged in {} places, named above", found.fault_count);
    pages.map_err(|error| {
        let what = if let StoreError::Corrupt { what } = error { what } else { error.to_string() };
        anyhow::anyhow!(
            "every record that can be reached is whole, but the file is not ({what}): go on with the newest backup, or \
             make a new file of what can be read with bellwether backup --data-dir {:?} NEW",
            store.path()
        )
    })?;
    crate::say("every record is whole");
    Ok(())
}

/// What a store holds and what of it is damaged.
fn report(store: &StoppedStore, snapshot: &Snapshot, found: &Verification) -> anyhow::Result<String> {
    let names: HashMap<_, _> = snapshot.stored_series()?.into_iter().map(|series| (series.ix, series.key)).collect();
    let name = |fault: &Fault| {
        let key = fault.place.series().and_then(|ix| names.get(&ix));
        key.map(|key| format!(" ({})", shown(&key.to_string()))).unwrap_or_default()
    };
    let mut text = String::new();
    writeln!(text, "{}: format {}, {} series", store.path().display(), found.format, found.series)?;
    writeln!(
        text,
        "  {} samples in {} chunks ({} bytes), {} summaries of hours ({} bytes), {} samples in {} batches that are not \
         sealed yet",
        found.chunk_samples,
        found.chunks,
        found.chunk_bytes,
        found.hours,
        found.hour_bytes,
        found.tail_samples,
        found.batches
    )?;
    if found.corrections > 0 {
        writeln!(text, "  {} corrections in the trail", found.corrections)?;
    }
    for fault in &found.faults {
        writeln!(text, "DAMAGED: {}: {}{}", fault.place, fault.reason, name(fault))?;
        writeln!(text, "  {}", fault.place.remedy())?;
    }
    let unnamed = found.fault_count - found.faults.len() as u64;
    if unnamed > 0 {
        writeln!(text, "and {unnamed} more")?;
    }
    Ok(text)
}

/// A name of a sender's as it may stand on a terminal: nothing in it is a command.
fn shown(text: &str) -> String {
    let shown = |each: char| if each.is_control() { each.escape_default().to_string() } else { each.to_string() };
    text.chars().map(shown).collect()
}
