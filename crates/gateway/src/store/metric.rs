//! The record of a metric: what senders declared of it.

use super::batch::Declaration;
use super::codec::{CodecError, Reader, Writer, read_optional, write_optional};
use super::series::kind_of;
use bellwether_core::labels::MetricName;

const VERSION: u8 = 1;

pub(super) fn encode(declaration: &Declaration) -> Vec<u8> {
    let mut writer = Writer::new(VERSION);
    writer.byte(declaration.kind.number());
    write_optional(&mut writer, declaration.unit.as_deref());
    writer.finish(declaration.metric.as_str().as_bytes())
}

pub(super) fn decode(metric: &str, record: &[u8]) -> Result<Declaration, CodecError> {
    let (_, mut reader) = Reader::new(metric.as_bytes(), record, VERSION)?;
    let kind = kind_of(reader.byte("the kind")?)?;
    let unit = read_optional(&mut reader, "the unit")?;
    reader.finish()?;
    let metric = MetricName::new(metric).map_err(|_| CodecError::Range { field: "the metric" })?;
    Ok(Declaration { metric, kind, unit })
}
