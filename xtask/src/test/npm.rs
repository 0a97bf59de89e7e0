//! The npm package, packed and installed as its users do, the examples, and whether its bench measures what is right:
//! `tests/npm` and `tests/bench`.

use anyhow::Result;

use super::{Count, node};
use crate::{chromium, gateway, packages};

pub(super) fn run() -> Result<Count> {
    let mut count = node::run("tests/npm", |held, node| {
        // The examples are in these languages too.
        packages::program("python3", held)?;
        packages::program("curl", held)?;
        node.env("CHROMIUM", chromium::ensure(held)?.browser);
        Ok(())
    })?;
    count += node::run("tests/bench", |held, node| {
        node.env("BELLWETHER_LOAD", gateway::build_load(held)?).env("CHROMIUM", chromium::ensure(held)?.browser);
        Ok(())
    })?;
    Ok(count)
}
