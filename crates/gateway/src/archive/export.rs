//! `bellwether export`: every stored sample of a selection on stdout.

use std::io::{BufWriter, ErrorKind, Read, Write};
use std::ops::ControlFlow;

use anyhow::Context;
use clap::Args;

use super::request::ExportRequest;
use super::rows::Rows;
use super::source::{self, Source};

/// Rows are handed on in pieces of about so many bytes.
const PIECE_BYTES: usize = 64 * 1_024;

/// The flags of `export`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Samples come series by series, each series in the order of time. NDJSON is what /ingest takes, \
                        and keeps everything; in CSV, a text that a spreadsheet would take for a formula gets a leading \
                        apostrophe.\n\
                        It ends with 1 where anything is missing because it is damaged."
)]
pub struct ExportArgs {
    #[command(flatten)]
    source: Source,

    /// Only this metric
    #[arg(long, value_name = "METRIC")]
    name: Option<String>,

    /// Only series with this label, as label:value; may be repeated
    #[arg(long = "where", value_name = "LABEL:VALUE")]
    conditions: Vec<String>,

    /// Only samples after this instant: 2026-11-22, 2026-11-22T06:34:43Z or milliseconds since 1970
    #[arg(long, value_name = "INSTANT", allow_negative_numbers = true)]
    from: Option<String>,

    /// Only samples up to this instant
    #[arg(long, value_name = "INSTANT", allow_negative_numbers = true)]
    to: Option<String>,

    /// csv or ndjson
    #[arg(long, default_value = "csv")]
    format: String,
}

impl ExportArgs {
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let once = [("name", &self.name), ("from", &self.from), ("to", &self.to)];
        let once = once.into_iter().filter_map(|(name, value)| value.as_deref().map(|value| (name, value)));
        let conditions = self.conditions.iter().map(|text| ("where", text.as_str()));
        [("format", self.format.as_str())].into_iter().chain(once).chain(conditions)
    }
}

/// Writes the samples that are asked for to stdout.
///
/// # Errors
/// One plain sentence, also where some samples are missing because they are damaged.
pub(crate) fn export(arguments: &ExportArgs) -> anyhow::Result<()> {
    let request = ExportRequest::from_pairs(arguments.pairs())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let source = &arguments.source;
    if let Some(url) = &source.gateway {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(arguments.pairs()).finish();
        return pass(source.ask(url, &format!("/api/v1/export?{query}"))?, &mut out);
    }
    let instead = "ask it instead with --gateway http://127.0.0.1:4000, or stop it";
    let store = source::open(source.data_dir.as_deref(), instead)?;
    let mut rows = Rows::new(request.format);
    let mut written = Ok(());
    let snapshot = store.snapshot()?;
    let mut hand_on = |rows: &mut Rows| {
        if rows.len() >= PIECE_BYTES {
            written = out.write_all(&rows.take());
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let mut faults = snapshot.export(&request.selection, &mut |row| {
        rows.add(row);
        hand_on(&mut rows)
    })?;
    faults.extend(snapshot.export_histograms(&request.selection, &mut |row| {
        rows.add_histogram(row);
        hand_on(&mut rows)
    })?);
    let written = written.and_then(|()| out.write_all(&rows.take())).and_then(|()| out.flush());
    if !is_wanted(written)? {
        return Ok(());
    }
    let Some(first) = faults.first() else { return Ok(()) };
    anyhow::bail!("{first}; damaged records: {}. The rest is written; bellwether verify names them all", faults.len())
}

/// Passes on what a gateway sends.
fn pass(mut from: impl Read, to: &mut impl Write) -> anyhow::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece).context(
            "the gateway broke off: what was written is not all of it. Where it goes on answering, a record of its \
             store is damaged, and its log says which",
        )?;
        if read == 0 {
            is_wanted(to.flush())?;
            return Ok(());
        }
        if !is_wanted(to.write_all(&piece[..read]))? {
            return Ok(());
        }
    }
}

/// Whether whoever reads our stdout still does; one who has seen enough is no failure.
fn is_wanted(written: std::io::Result<()>) -> anyhow::Result<bool> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context("the samples cannot be written"),
    }
}
