//! A real browser and its driver for the tests; from the system's package manager where that is allowed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::lock::Lock;
use crate::plain::Plain;
use crate::{packages, place, shell};

/// A browser and the program that steers it.
pub(crate) struct Chromium {
    /// The browser's program.
    pub(crate) browser: PathBuf,
    /// chromedriver of the same version.
    pub(crate) driver: PathBuf,
}

/// The browser of `CHROMIUM` and the driver of `CHROMEDRIVER`, else those found, else those of the system's packages.
///
/// # Errors
/// A plain sentence when they are missing and cannot be installed from here.
pub(crate) fn ensure(held: &Lock) -> Result<Chromium> {
    if let Some(found) = look() {
        return Ok(found);
    }
    packages::install(MISSING, &PACKAGES, held)?;
    look().ok_or_else(|| {
        Plain::error(
            "The system's packages brought no `chromium` and `chromedriver` that can be found.",
            "set CHROMIUM and CHROMEDRIVER to the paths of the two programs, and run the same command again",
        )
    })
}

/// Whether [`ensure`] has them or would get as far as trying to install them.
///
/// # Errors
/// A plain sentence when they are missing and cannot be installed from here.
pub(crate) fn can_be_had() -> Result<()> {
    if look().is_some() { Ok(()) } else { packages::may_install(MISSING, &PACKAGES) }
}

const MISSING: &str = "There is no Chromium with its driver";
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

fn look() -> Option<Chromium> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    let browser = named("CHROMIUM").or_else(|| {
        let application = PathBuf::from("/Applications/Chromium.app/Contents/MacOS/Chromium");
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
            .into_iter()
            .find_map(shell::find)
            .or_else(|| application.is_file().then_some(application))
    })?;
    let driver = named("CHROMEDRIVER").or_else(|| shell::find("chromedriver"))?;
    Some(Chromium { browser, driver })
}

/// The settings file that lets wasm-bindgen's test runner start `browser`; returns its path.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn webdriver_settings(browser: &Path, _held: &Lock) -> Result<PathBuf> {
    let mut arguments = vec![
        "--headless=new",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ];
    if shell::is_root() {
        // Chromium refuses to start its sandbox for the administrator.
        arguments.push("--no-sandbox");
    }
    let settings = serde_json::json!({ "goog:chromeOptions": { "binary": browser, "args": arguments } });
    std::fs::create_dir_all(place::state())?;
    let path = place::state().join("webdriver.json");
    let settings = settings.to_string();
    // Not written anew without need: another run's tests may be reading it.
    if std::fs::read_to_string(&path).is_ok_and(|there| there == settings) {
        return Ok(path);
    }
    std::fs::write(&path, settings)?;
    Ok(path)
}

/// What the browser calls itself.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn version(browser: &Path) -> Result<String> {
    shell::capture(Command::new(browser).arg("--version"))
}
