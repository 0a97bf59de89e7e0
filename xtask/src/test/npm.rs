//! The npm package, packed and installed as its users do, and the examples: `tests/npm`.

use anyhow::Result;

use super::{Count, node};
use crate::{chromium, packages};

pub(super) fn run() -> Result<Count> {
    // The examples are in these languages too.
    packages::program("python3")?;
    packages::program("curl")?;
    let chromium = chromium::ensure()?;
    node::run("tests/npm", |node| {
        node.env("CHROMIUM", &chromium.browser);
    })
}
