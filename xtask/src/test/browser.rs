//! Journeys through the real page, served by the real gateway, in a real browser: `tests/browser`.

use anyhow::Result;

use super::{Count, node};
use crate::{chromium, dist, gateway, npm, place};

pub(super) fn run() -> Result<Count> {
    let chromium = chromium::ensure()?;
    dist::build(&[])?;
    gateway::build()?;
    let packed = npm::build()?;
    node::run("tests/browser", |node| {
        node.env("BELLWETHER_BIN", place::gateway_binary())
            .env("BELLWETHER_DIST", place::dist())
            .env("BELLWETHER_NPM", place::npm_package())
            .env("BELLWETHER_NPM_TGZ", &packed)
            .env("CHROMIUM", &chromium.browser);
    })
}
