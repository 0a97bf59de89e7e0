//! Node and npm: whether they are here, and new enough.

use std::process::Command;

use anyhow::Result;

use crate::plain::Plain;
use crate::shell;

/// What Node is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// The page and the npm package.
    Building,
    /// Vite builds a user's project there, and one is loaded by `require`: neither is possible before 20.19, nor
    /// from 21.0 to 22.11.
    Testing,
}

impl For {
    const fn versions(self) -> &'static str {
        match self {
            Self::Building => "20 or later",
            Self::Testing => "20.19, 22.12 or later",
        }
    }

    const fn takes(self, major: u32, minor: u32) -> bool {
        match (self, major) {
            (_, ..20) => false,
            (Self::Building, _) => true,
            (Self::Testing, 20) => minor >= 19,
            (Self::Testing, 21) => false,
            (Self::Testing, 22) => minor >= 12,
            (Self::Testing, _) => true,
        }
    }
}

/// Finds Node and npm.
///
/// # Errors
/// A plain sentence when one is missing or Node is too old for `purpose`.
pub(crate) fn ensure(purpose: For) -> Result<()> {
    let wanted = purpose.versions();
    let mend = format!(
        "install Node {wanted}, which brings npm: from nodejs.org, or {}",
        if cfg!(target_os = "macos") {
            "brew install node"
        } else {
            "your system's packages (Debian 13: apt-get install nodejs npm)"
        }
    );
    let Some(node) = shell::find("node") else {
        return Err(Plain::error("There is no Node on this machine; it runs wasm-opt and the tests.", mend));
    };
    let version = shell::capture(Command::new(node).arg("--version"))?;
    if !read(&version).is_some_and(|(major, minor)| purpose.takes(major, minor)) {
        let task = if purpose == For::Testing { "the tests and the bench need" } else { "the build needs" };
        return Err(Plain::error(format!("Node is {version} here, and {task} {wanted}."), mend));
    }
    if shell::find("npm").is_none() {
        return Err(Plain::error("There is no npm on this machine; it fetches the chart bundle and wasm-opt.", mend));
    }
    Ok(())
}

/// Major and minor of `v20.19.4`.
fn read(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(read("v20.20.2"), Some((20, 20)));
        assert_eq!(read("v9.0.0\n"), Some((9, 0)));
        assert_eq!(read("nonsense"), None);
    }

    #[track_caller]
    fn check(version: &str, building: bool, testing: bool) {
        let (major, minor) = read(version).unwrap();
        assert_eq!(
            (For::Building.takes(major, minor), For::Testing.takes(major, minor)),
            (building, testing),
            "{version}"
        );
    }

    #[test]
    fn the_tests_want_a_newer_node_than_the_build() {
        check("v18.19.0", false, false);
        check("v20.0.0", true, false);
        check("v20.18.9", true, false);
        check("v20.19.0", true, true);
        check("v21.7.0", true, false);
        check("v22.11.0", true, false);
        check("v22.12.0", true, true);
        check("v24.0.0", true, true);
    }
}
