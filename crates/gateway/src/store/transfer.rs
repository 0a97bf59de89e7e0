//! A store on its way into a new file: every row of every table, in frames with checksums.
//!
//! ```text
//! stream = "BWSTORE1"  frame…  end
//! frame  = length:u32-le  record          length of the record in bytes
//! record = 1:u8  table:u8  n:uint  n × { key:bytes  value:bytes }  crc32:u32-le
//! end    = a record of table 0: frames:uint
//! ```
//! The bytes of keys and values are those of the file; the checksum is over the frame's number, which counts
//! from 0, and the record. A stream without its end is not whole.

use std::io;
use std::path::Path;

use redb::{Database, Key, ReadableTable, TableDefinition, Value, WriteTransaction};

use super::codec::{CodecError, Reader, Writer};
use super::error::{StoreError, While};
use super::redb_store::{begin_write, shielded};
use super::snapshot::{DOING, Snapshot};
use super::tables::{self, meta};

/// The first bytes of a stream.
const MAGIC: &[u8; 8] = b"BWSTORE1";
const VERSION: u8 = 1;
/// The table number of the end.
const END: u8 = 0;
/// A frame ends after the row that makes it longer than this.
const FRAME_BYTES: usize = 64 * 1_024;
/// Longest frame that is taken: one row may be as long as a batch.
const MAX_FRAME_BYTES: usize = 128 * 1_024 * 1_024;

/// Why a store could not be received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The bytes did not come to their end, or could not be read.
    #[error("the backup broke off ({reason}); nothing of it is kept, take it again")]
    Broken {
        /// What the system said.
        reason: io::Error,
    },
    /// The bytes are no backup, or were altered on their way.
    #[error("what came is no whole backup ({reason}); nothing of it is kept, take it again")]
    Altered {
        /// What is wrong with them.
        reason: CodecError,
    },
    /// The new file could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CodecError> for TransferError {
    fn from(reason: CodecError) -> Self {
        Self::Altered { reason }
    }
}

impl Snapshot {
    /// Gives all that the store holds to `each`, piece by piece, until it says that it takes no more. Damaged
    /// records are given as they are. Cost: reads the whole store; holds a frame.
    ///
    /// # Errors
    /// [`StoreError`] where the disk failed.
    pub fn send<E>(&self, each: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<Result<(), E>, StoreError> {
        let mut sending = Sending { snapshot: self, frames: 0, taken: each(MAGIC), each };
        shielded(|| {
            tables::each(&mut sending)?;
            let mut writer = Writer::new(VERSION);
            writer.byte(END);
            writer.unsigned(sending.frames);
            sending.frame(writer);
            Ok(())
        })?;
        Ok(sending.taken)
    }
}

struct Sending<'a, E> {
    snapshot: &'a Snapshot,
    frames: u64,
    each: &'a mut dyn FnMut(&[u8]) -> Result<(), E>,
    taken: Result<(), E>,
}

impl<E> Sending<'_, E> {
    fn frame(&mut self, record: Writer) {
        if self.taken.is_ok() {
            let record = record.finish(&self.frames.to_le_bytes());
            self.frames += 1;
            let mut frame = Vec::with_capacity(record.len() + 4);
            frame.extend_from_slice(&(record.len() as u32).to_le_bytes());
            frame.extend_from_slice(&record);
            self.taken = (self.each)(&frame);
        }
    }

    fn rows(&mut self, table: u8, rows: Writer, count: u64) {
        let mut writer = Writer::new(VERSION);
        writer.byte(table);
        writer.unsigned(count);
        writer.raw(&rows.bytes());
        self.frame(writer);
    }
}

impl<E> tables::EachTable for Sending<'_, E> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        let (mut rows, mut count) = (Writer::default(), 0);
        let Some(table) = self.snapshot.table_if_there(definition)? else { return Ok(()) };
        for row in table.iter().while_doing(DOING)? {
            let (key, value) = row.while_doing(DOING)?;
            rows.slice(K::as_bytes(&key.value()).as_ref());
            rows.slice(V::as_bytes(&value.value()).as_ref());
            count += 1;
            if rows.len() > FRAME_BYTES {
                self.rows(number, std::mem::take(&mut rows), std::mem::take(&mut count));
                if self.taken.is_err() {
                    return Ok(());
                }
            }
        }
        self.rows(number, rows, count);
        Ok(())
    }
}

/// A new store that is being received. Dropped before [`Receiving::finish`], the file holds nothing.
pub struct Receiving {
    // Before the database, so that it ends first.
    write: WriteTransaction,
    database: Database,
    /// Bytes that do not make a frame yet.
    waiting: Vec<u8>,
    begun: bool,
    frames: u64,
    ended: bool,
}

impl std::fmt::Debug for Receiving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiving").field("frames", &self.frames).finish_non_exhaustive()
    }
}

impl Receiving {
    /// Makes the file `path`, which must not be there.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be made.
    pub fn new(path: &Path) -> Result<Self, StoreError> {
        let doing = "making the file of the backup";
        let file = std::fs::File::options().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|reason| StoreError::of_io(doing, reason))?;
        let backend = redb::backends::FileBackend::new(file).while_doing(doing)?;
        let database = Database::builder().create_with_backend(backend).while_doing(doing)?;
        let write = begin_write(&database, doing)?;
        Ok(Self { write, database, waiting: Vec::new(), begun: false, frames: 0, ended: false })
    }

    /// Takes the next bytes of the stream, however they are cut.
    ///
    /// # Errors
    /// [`TransferError`] where they are no backup or the file cannot be written.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.waiting.extend_from_slice(bytes);
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut used = 0;
        let taken = self.take_frames(&waiting, &mut used);
        waiting.drain(..used);
        self.waiting = waiting;
        taken
    }

    fn take_frames(&mut self, waiting: &[u8], used: &mut usize) -> Result<(), TransferError> {
        if !self.begun {
            let Some((magic, _)) = waiting.split_first_chunk::<8>() else { return Ok(()) };
            if magic != MAGIC {
                return Err(CodecError::Range { field: "its beginning" }.into());
            }
            self.begun = true;
            *used = magic.len();
        }
        while let Some((length, rest)) = waiting[*used..].split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            if self.ended || length > MAX_FRAME_BYTES {
                return Err(CodecError::Range { field: "a frame" }.into());
            }
            let Some(record) = rest.get(..length) else { break };
            let (_, reader) = Reader::new(&self.frames.to_le_bytes(), record, VERSION)?;
            self.frame(reader)?;
            self.frames += 1;
            *used += 4 + length;
        }
        Ok(())
    }

    fn frame(&mut self, mut reader: Reader<'_>) -> Result<(), TransferError> {
        let table = reader.byte("the table")?;
        if table == END {
            if reader.unsigned("the number of frames")? != self.frames {
                return Err(CodecError::Range { field: "the number of frames" }.into());
            }
            reader.finish()?;
            self.ended = true;
            return Ok(());
        }
        let count = reader.length("the rows")?;
        let mut rows = Vec::with_capacity(count);
        for _ in 0..count {
            rows.push((reader.slice("a key")?, reader.slice("a value")?));
        }
        reader.finish()?;
        let mut inserting = Inserting { write: &self.write, table, rows: &rows, known: false, fits: true };
        shielded(|| tables::each(&mut inserting))?;
        // A table of a newer program, or a row that is none.
        if !inserting.known || !inserting.fits {
            return Err(CodecError::Range { field: "a table" }.into());
        }
        Ok(())
    }

    /// Makes what was received durable, under an epoch of its own: a gateway that goes on with the copy gives
    /// places in the stream that the first one gives to other batches.
    ///
    /// # Errors
    /// [`TransferError`] where the stream did not come to its end or the file cannot be written.
    pub fn finish(self, epoch: u64) -> Result<(), TransferError> {
        if !self.ended || !self.waiting.is_empty() {
            return Err(TransferError::Broken { reason: io::ErrorKind::UnexpectedEof.into() });
        }
        let doing = "writing the file of the backup";
        let Self { write, database, .. } = self;
        shielded(|| {
            {
                let mut numbers = write.open_table(tables::META).while_doing(doing)?;
                numbers.insert(meta::EPOCH, epoch).while_doing(doing)?;
                // Only rows come over: nothing that was erased.
                numbers.remove(meta::ERASED).while_doing(doing)?;
            }
            write.commit().while_doing(doing)?;
            database.close().while_doing(doing)
        })?;
        Ok(())
    }
}

struct Inserting<'a> {
    write: &'a WriteTransaction,
    table: u8,
    rows: &'a [(&'a [u8], &'a [u8])],
    known: bool,
    fits: bool,
}

impl tables::EachTable for Inserting<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        if number != self.table {
            return Ok(());
        }
        self.known = true;
        let doing = "writing the file of the backup";
        let mut table = self.write.open_table(definition).while_doing(doing)?;
        let fits = |width: Option<usize>, bytes: &[u8]| width.is_none_or(|width| width == bytes.len());
        for (key, value) in self.rows {
            if !fits(K::fixed_width(), key) || !fits(V::fixed_width(), value) {
                self.fits = false;
                return Ok(());
            }
            table.insert(K::from_bytes(key), V::from_bytes(value)).while_doing(doing)?;
        }
        Ok(())
    }
}
