//! Rows of the store's tables as bytes: what a commit changes, on its way through the journal into the database.

use std::collections::HashMap;

use redb::{Key, TableDefinition, Value, WriteTransaction};

use super::codec::{CodecError, Reader, Writer};
use super::error::{StoreError, While};
use super::tables;

const DOING: &str = "storing a batch";

/// A row that is written, or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    /// The table's number, see [`tables::EachTable`].
    table: u8,
    /// The key's bytes, as redb stores them.
    key: Vec<u8>,
    /// The value's; `None` where the row is removed.
    value: Option<Vec<u8>>,
}

/// Changes of rows, in the order in which they were made; of each row only the last one.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    places: HashMap<(u8, Vec<u8>), usize>,
}

impl Rows {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes a row of the table `number`, whose types `_table` tells.
    pub(super) fn put<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        _table: TableDefinition<'_, K, V>,
        key: &K::SelfType<'_>,
        value: &V::SelfType<'_>,
    ) {
        let (key, value) = (K::as_bytes(key).as_ref().to_vec(), V::as_bytes(value).as_ref().to_vec());
        self.add(Row { table: number, key, value: Some(value) });
    }

    /// Removes a row, where it is there.
    pub(super) fn remove<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        _table: TableDefinition<'_, K, V>,
        key: &K::SelfType<'_>,
    ) {
        self.add(Row { table: number, key: K::as_bytes(key).as_ref().to_vec(), value: None });
    }

    /// Adds later changes.
    pub(super) fn extend(&mut self, later: Self) {
        later.rows.into_iter().for_each(|row| self.add(row));
    }

    fn add(&mut self, row: Row) {
        match self.places.entry((row.table, row.key.clone())) {
            std::collections::hash_map::Entry::Occupied(place) => self.rows[*place.get()] = row,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.rows.len());
                self.rows.push(row);
            }
        }
    }

    /// Adds the changes to a record.
    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.unsigned(self.rows.len() as u64);
        for Row { table, key, value } in &self.rows {
            writer.byte(*table);
            writer.slice(key);
            match value {
                None => writer.byte(0),
                Some(value) => {
                    writer.byte(1);
                    writer.slice(value);
                }
            }
        }
    }

    /// Reads what [`Rows::encode`] wrote.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut rows = Self::default();
        for _ in 0..reader.length("the rows")? {
            let table = reader.byte("a table")?;
            let key = reader.slice("a key")?.to_vec();
            let value = match reader.byte("whether a row is there")? {
                0 => None,
                _ => Some(reader.slice("a value")?.to_vec()),
            };
            rows.add(Row { table, key, value });
        }
        Ok(rows)
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// The database's; [`StoreError::Corrupt`] where a row is of no table that this program knows, or does not fit it.
    pub(super) fn write(&self, write: &WriteTransaction) -> Result<(), StoreError> {
        let mut writing = Writing { write, rows: &self.rows, written: 0 };
        tables::each(&mut writing)?;
        if writing.written == self.rows.len() {
            Ok(())
        } else {
            Err(StoreError::Corrupt { what: "its journal holds a row that fits no table".to_owned() })
        }
    }
}

struct Writing<'a> {
    write: &'a WriteTransaction,
    rows: &'a [Row],
    written: usize,
}

impl tables::EachTable for Writing<'_> {
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<(), StoreError> {
        let mut rows = self.rows.iter().filter(|row| row.table == number).peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut table = self.write.open_table(definition).while_doing(DOING)?;
        let fits = |width: Option<usize>, bytes: &[u8]| width.is_none_or(|width| width == bytes.len());
        for Row { key, value, .. } in rows {
            if !fits(K::fixed_width(), key) || !value.as_ref().is_none_or(|value| fits(V::fixed_width(), value)) {
                continue;
            }
            match value {
                Some(value) => drop(table.insert(K::from_bytes(key), V::from_bytes(value)).while_doing(DOING)?),
                None => drop(table.remove(K::from_bytes(key)).while_doing(DOING)?),
            }
            self.written += 1;
        }
        Ok(())
    }
}
