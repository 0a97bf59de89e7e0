//! The npm package, packed and installed as its users do: `tests/npm`.

use anyhow::Result;

use super::{Count, node};
use crate::{npm, place};

pub(super) fn run() -> Result<Count> {
    let packed = npm::build()?;
    node::run("tests/npm", |node| {
        node.env("BELLWETHER_NPM", place::npm_package()).env("BELLWETHER_NPM_TGZ", &packed);
    })
}
