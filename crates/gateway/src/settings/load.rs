//! The layers: defaults, the file, the environment, the flags; each counts more than the one before.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{ServeArgs, Settings, file};

/// The file that is read where none is named and this one is there.
const USUAL_FILE: &str = "bellwether.toml";

/// The settings of a start, and the file that some of them came from.
///
/// # Errors
/// One text with everything that is wrong, a line for each fault.
pub(crate) fn load(arguments: &ServeArgs) -> anyhow::Result<(Settings, Option<PathBuf>)> {
    let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|file| file.exists());
    let path = arguments.config.clone().or_else(usual);
    let mut settings = match &path {
        Some(path) => read_file(path)?,
        None => Settings::default(),
    };
    arguments.apply(&mut settings).map_err(anyhow::Error::msg)?;
    settings.check().map_err(anyhow::Error::msg)?;
    Ok((settings, path))
}

/// `bellwether check`: the settings of a file alone.
///
/// # Errors
/// As [`load`].
pub(crate) fn check_file(path: &Path) -> anyhow::Result<Settings> {
    let settings = read_file(path)?;
    settings.check().map_err(|fault| anyhow::anyhow!("{}: {fault}", path.display()))?;
    Ok(settings)
}

fn read_file(path: &Path) -> anyhow::Result<Settings> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the settings {shown} cannot be read; give the path of a TOML file"))?;
    let mut settings = Settings::default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let faults = file::read(&text, folder, &mut settings);
    if faults.is_empty() {
        return Ok(settings);
    }
    let count = if faults.len() == 1 { "a fault".to_owned() } else { format!("{} faults", faults.len()) };
    let faults: Vec<_> = faults.iter().map(|fault| format!("  {fault}")).collect();
    anyhow::bail!("{shown} has {count}; `bellwether config` shows every setting:\n{}", faults.join("\n"))
}
