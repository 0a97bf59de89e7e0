//! Programs that only the system's package manager can bring: installed with apt-get where that is allowed, else asked
//! for in one sentence.

use anyhow::Result;

use crate::lock::Lock;
use crate::plain::Plain;
use crate::{progress, shell};

/// Installs the Debian packages `names`, which the sentence `what` calls for.
///
/// # Errors
/// A plain sentence with the command where this process may not install them.
pub(crate) fn install(what: &str, names: &[&str], _held: &Lock) -> Result<()> {
    may_install(what, names)?;
    let names_in_words = names.join(" ");
    eprintln!("{what} on this machine; installing {names_in_words} with apt-get (once; about 2 minutes).");
    // Without a network the update only warns, and then the packages are unknown; another apt-get may be at work.
    let update = ["update", "--option", "APT::Update::Error-Mode=any"];
    let install = ["install", "--yes", "--no-install-recommends", "--option", "DPkg::Lock::Timeout=600"];
    let updated = apt_get(&update, &[]);
    let installed = apt_get(&install, names);
    // Lists that are not quite new may do; where they do not, the update has said why.
    if installed.is_err() { updated.and(installed) } else { Ok(()) }
}

/// Whether [`install`] would get as far as trying.
///
/// # Errors
/// A plain sentence with the command where this process may not install them.
pub(crate) fn may_install(what: &str, names: &[&str]) -> Result<()> {
    let names_in_words = names.join(" ");
    if !shell::is_root() || shell::find("apt-get").is_none() {
        let mend = if cfg!(target_os = "macos") { "brew install" } else { "sudo apt-get install" };
        return Err(Plain::error(
            format!("{what} on this machine, and only its administrator can install that."),
            format!("{mend} {names_in_words}   (or your system's packages of the like)"),
        ));
    }
    Ok(())
}

fn apt_get(arguments: &[&str], packages: &[&str]) -> Result<()> {
    let mut apt = shell::command("apt-get")?;
    apt.args(arguments).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    progress::run("apt-get", &mut apt)
}

/// The program `name`, installed as the package of that name where it is missing.
///
/// # Errors
/// See [`install`].
pub(crate) fn program(name: &str, held: &Lock) -> Result<()> {
    match shell::find(name) {
        Some(_) => Ok(()),
        None => install(&format!("There is no {name}"), &[name], held),
    }
}
