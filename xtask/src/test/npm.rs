//! The npm package, packed and installed as its users do, the examples, and whether its bench measures what is right:
//! `tests/npm` and `tests/bench`.

use anyhow::Result;

use super::{Count, node};
use crate::{chromium, packages};

pub(super) fn run() -> Result<Count> {
    // The examples are in these languages too.
    packages::program("python3")?;
    packages::program("curl")?;
    let chromium = chromium::ensure()?;
    let mut count = node::run("tests/npm", |node| {
        node.env("CHROMIUM", &chromium.browser);
    })?;
    count += node::run("tests/bench", |_| ())?;
    Ok(count)
}
