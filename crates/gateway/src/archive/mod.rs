//! What is done to a store as a whole: looking whether it is whole, writing its samples for other programs,
//! and copying it.
//!
//! One process has a store open. So each of the three works on the folder of a gateway that is stopped, or on
//! the file of a backup; and the last two also ask a gateway that runs, which reads them from a snapshot
//! while it goes on storing.

mod backup;
mod export;
mod request;
mod rows;
mod source;
mod verify;

pub use backup::BackupArgs;
pub(crate) use backup::backup;
pub use export::ExportArgs;
pub(crate) use export::export;
pub(crate) use request::{ExportRequest, ParamError};
pub(crate) use rows::{Figure, LabelMap, Rows};
pub use verify::VerifyArgs;
pub(crate) use verify::verify;
