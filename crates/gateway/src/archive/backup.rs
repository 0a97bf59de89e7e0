//! `bellwether backup`: a copy of a store in a file of its own.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::source::{self, Source};
use crate::clock;
use crate::store::{EPOCH_MASK, Receiving, StoppedStore, TransferError};

/// A gateway's answer is read in pieces of so many bytes.
const PIECE_BYTES: usize = 256 * 1_024;

/// The flags of `backup`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "The copy is of one instant; the gateway goes on storing meanwhile. It is a store, and it is \
                        checked before it gets its name. To go back to it, put it as bellwether.redb into an empty \
                        folder and start a gateway there.")]
pub struct BackupArgs {
    /// The file to write; it must not be there yet
    file: PathBuf,

    #[command(flatten)]
    source: Source,
}

/// Copies a store and checks the copy.
///
/// # Errors
/// One plain sentence; then there is no copy, or one that is damaged as the store itself is.
pub(crate) fn backup(arguments: &BackupArgs) -> anyhow::Result<()> {
    let file = &arguments.file;
    anyhow::ensure!(!file.exists(), "{} is there already; take another name", file.display());
    let mut unfinished = file.clone().into_os_string();
    unfinished.push(".part");
    let unfinished = Unfinished(PathBuf::from(unfinished));
    // What an earlier try left: nobody else writes under this name.
    unfinished.remove();
    receive(arguments, &unfinished.0)?;
    let found = StoppedStore::open(&unfinished.0)?.snapshot()?.verify()?;
    std::fs::rename(&unfinished.0, file).with_context(|| format!("the copy cannot be named {}", file.display()))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    crate::store::sync_folder(folder).with_context(|| format!("the folder {} cannot be synced", folder.display()))?;
    let samples = found.chunk_samples + found.tail_samples;
    crate::say(&format!("{}: {} series, {samples} samples", file.display(), found.series));
    anyhow::ensure!(
        found.fault_count == 0,
        "the store is damaged in {} places, and so is its copy; bellwether verify --data-dir {} names them",
        found.fault_count,
        file.display()
    );
    Ok(())
}

fn receive(arguments: &BackupArgs, file: &Path) -> anyhow::Result<()> {
    let source = &arguments.source;
    let mut receiving;
    if let Some(url) = &source.gateway {
        let mut from = source.ask(url, "/api/v1/backup")?;
        receiving = receive_into(file)?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match from.read(&mut piece).map_err(|reason| TransferError::Broken { reason })? {
                0 => break,
                read => receiving.take(&piece[..read])?,
            }
        }
    } else {
        let instead = "ask it instead with --gateway http://127.0.0.1:4000, or stop it";
        let store = source::open(source.data_dir.as_deref(), instead)?;
        receiving = receive_into(file)?;
        store.snapshot()?.send(&mut |piece| receiving.take(piece))??;
    }
    receiving.finish(clock::random_bits() & EPOCH_MASK)?;
    Ok(())
}

fn receive_into(file: &Path) -> anyhow::Result<Receiving> {
    Receiving::new(file).with_context(|| format!("{} cannot be made", file.display()))
}

/// A copy that has not got its name; it is removed where it does not get it.
struct Unfinished(PathBuf);

impl Unfinished {
    fn remove(&self) {
        // Where it cannot be removed, making it anew says so.
        let _gone = std::fs::remove_file(&self.0);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.remove();
    }
}
