//! Other programs: looked for, run, listened to.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::place;

/// A command that runs in the checkout with the installed tools first on `PATH`.
///
/// # Errors
/// See [`place::search_path`].
pub(crate) fn command(program: &str) -> Result<Command> {
    let path = place::search_path()?;
    let mut command = Command::new(find(program).unwrap_or_else(|| program.into()));
    // Trunk takes NO_COLOR=1 for a malformed flag; the test runners' output is read here and must be without colour.
    command.current_dir(place::root()).env("PATH", path).env_remove("NO_COLOR").env_remove("FORCE_COLOR");
    Ok(command)
}

/// The cargo that runs this command.
///
/// # Errors
/// See [`place::search_path`].
pub(crate) fn cargo() -> Result<Command> {
    let mut command = command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))?;
    // What cargo set for this program is not meant for the ones it builds: some build scripts (ring's) watch these
    // and would be run again on each change between a call from here and one from a shell.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Keeps this machine's paths out of the wasm that `command` has cargo build: a panic names its source file, and those of
/// the crates lie below the builder's home. `flags` go along.
///
/// # Errors
/// When cargo's folder cannot be read.
pub(crate) fn without_machine_paths(command: &mut Command, flags: &[&str]) -> Result<()> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let mut flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    if let Some(sources) = home.map(|home| home.join("registry/src")).filter(|sources| sources.is_dir()) {
        for entry in std::fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))? {
            let folder = entry?.path();
            // Cargo splits this variable at spaces and knows no quotes; a path with one stays as it is.
            if let Some(folder) = folder.to_str().filter(|folder| !folder.contains(' ')) {
                flags.push(format!("--remap-path-prefix={folder}=crates"));
            }
        }
    }
    flags.sort();
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "));
    Ok(())
}

/// The full path of `program`: among the installed tools, then the npm parts, then on `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let named = Path::new(program);
    if named.components().count() > 1 {
        return named.is_file().then(|| named.to_owned());
    }
    let path = place::search_path().ok()?;
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ""] } else { &[""] };
    std::env::split_paths(&path)
        .flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{program}{ending}"))))
        .find(|candidate| is_program(candidate))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// What `command` prints on standard output, without the ends' white space.
///
/// # Errors
/// When it cannot be started or fails; its standard error is part of the message.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs `command` with its output shown as it comes.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn stream(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs `command`, shows its standard output as it comes and hands each line of it to `line`.
///
/// # Errors
/// When it cannot be started; a failure is in the returned status.
pub(crate) fn listen(command: &mut Command, mut line: impl FnMut(&str)) -> Result<ExitStatus> {
    let shown = show(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes)? > 0 {
            let text = String::from_utf8_lossy(&bytes);
            let text = text.trim_end();
            println!("{text}");
            line(text);
            bytes.clear();
        }
    }
    Ok(child.wait()?)
}

/// `command` as a person would type it.
pub(crate) fn show(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            if word.contains(' ') { format!("'{word}'") } else { word.into_owned() }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// What the person typed to start this, as they would type it again.
pub(crate) fn own_command() -> String {
    let mut command = Command::new("cargo");
    show(command.arg("xtask").args(std::env::args_os().skip(1)))
}

/// [`own_command`] with another value of one flag, which it may or may not have had.
pub(crate) fn own_command_with(flag: &str, value: &str) -> String {
    let mut command = Command::new("cargo");
    show(command.arg("xtask").args(with_flag(std::env::args_os().skip(1).collect(), flag, value)))
}

/// `arguments` with `flag value` in place of what they say of it, before the `--` that ends the flags.
fn with_flag(arguments: Vec<OsString>, flag: &str, value: &str) -> Vec<OsString> {
    let (mut kept, mut further) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => {
                further.push(argument);
                further.extend(arguments.by_ref());
            }
            Some(text) if text == flag => drop(arguments.next()),
            Some(text) if text.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')) => {}
            _ => kept.push(argument),
        }
    }
    kept.extend([flag.into(), value.into()]);
    kept.extend(further);
    kept
}

/// Whether a person watches: standard error is a terminal.
pub(crate) fn watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether this is a run in continuous integration (`CI` set and not `false`).
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Whether this process has the administrator's rights.
pub(crate) fn is_root() -> bool {
    cfg!(unix) && capture(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_gets_another_value_and_all_else_stays() {
        let with = |arguments: &[&str]| {
            let arguments = with_flag(arguments.iter().map(OsString::from).collect(), "--port", "4001");
            arguments.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
        };
        assert_eq!(with(&["run"]), "run --port 4001");
        assert_eq!(with(&["run", "--port", "4000", "--demo"]), "run --demo --port 4001");
        assert_eq!(with(&["run", "--port=4000", "--", "--port", "x"]), "run --port 4001 -- --port x");
    }
}
