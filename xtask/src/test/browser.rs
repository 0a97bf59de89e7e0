//! Journeys through the real page, served by the real gateway, in a real browser: `tests/browser`.

use anyhow::Result;

use super::{Count, node};
use crate::chromium;

pub(super) fn run() -> Result<Count> {
    node::run("tests/browser", |held, node| {
        node.env("CHROMIUM", chromium::ensure(held)?.browser);
        Ok(())
    })
}
