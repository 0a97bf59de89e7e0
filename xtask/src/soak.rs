//! `cargo xtask soak`: the long forms of what the tests run short; the result is written into docs/soak.md.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::lock::Lock;
use crate::test::{self, Failed, Outcome};
use crate::{gateway, place, progress, shell};

/// The environment variable that asks tests for their long form.
const LONG_FORM: &str = "BELLWETHER_SOAK";

/// The environment variable that names a file for figures that tests come to, a line each.
const FIGURES: &str = "BELLWETHER_SOAK_FIGURES";

/// How many random cases a property test tries, ten times its usual number; the variable is proptest's own.
const CASES: (&str, &str) = ("PROPTEST_CASES", "2560");

/// The group that runs beside the others: for ten minutes it waits for Prometheus, which scrapes once a second. The
/// others run in turn, so that what they measure is not of each other.
const BESIDE: &str = "peers";

/// Whether the tests run in their long form.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(LONG_FORM).is_some()
}

/// Runs the groups called `names` (all where there are none) in their long form and records how they went.
///
/// # Errors
/// When a test failed or the page cannot be written.
pub(crate) fn run(names: &[String]) -> Result<()> {
    if !is_asked_for() {
        // The groups' programs inherit the environment: start once more with the variable set.
        let own = std::env::current_exe()?;
        let mut again = Command::new(own);
        let figures = place::target().join("soak-figures.txt");
        // Those of the last soak are in its page.
        let _none = fs::remove_file(&figures);
        again.arg("soak").args(names).env(LONG_FORM, "1").env(FIGURES, figures);
        // What it takes to start is measured as people have it.
        gateway::build(&Lock::take()?)?;
        again.env("BELLWETHER_BIN", place::gateway_binary());
        if std::env::var_os(CASES.0).is_none() {
            again.env(CASES.0, CASES.1);
        }
        let status = again.status()?;
        return if status.success() { Ok(()) } else { Err(Failed.into()) };
    }
    let start = Instant::now();
    let outcomes = test::outcomes(names, Some(BESIDE))?;
    let figures = std::env::var_os(FIGURES).and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let page = page(&outcomes, &figures, &today()?, &machine()?, start.elapsed());
    fs::write(place::root().join("docs/soak.md"), page).context("cannot write docs/soak.md")?;
    if test::print(&outcomes).failed > 0 { Err(Failed.into()) } else { Ok(()) }
}

fn page(outcomes: &[Outcome], figures: &str, day: &str, machine: &str, took: Duration) -> String {
    let cases = std::env::var(CASES.0).unwrap_or_else(|_| CASES.1.to_owned());
    let mut text = format!(
        "# The last soak\n\nWritten by `cargo xtask soak` on {day}, on {machine}: these groups of tests in their long \
         form (`{LONG_FORM}=1`; property tests try {cases} random cases each where they usually try 256, costly and cheap ones in proportion). \
         It took {} in all; `{BESIDE}` ran beside the others, which ran in turn.\n\n\
         | group | what it tests | passed | failed | skipped | time |\n| --- | --- | --- | --- | --- | --- |\n",
        progress::spoken(took)
    );
    for Outcome { name, about, count, time, trouble } in outcomes {
        let time = progress::spoken(*time);
        let trouble = trouble.as_deref().and_then(|text| text.lines().next()).map(|text| format!(" ({text})"));
        let trouble = trouble.unwrap_or_default();
        let (passed, failed, skipped) = (count.passed, count.failed, count.skipped);
        text.push_str(&format!("| {name} | {about}{trouble} | {passed} | {failed} | {skipped} | {time} |\n"));
    }
    if !figures.is_empty() {
        text.push_str("\n## Figures that tests came to\n\n");
        figures.lines().for_each(|figure| text.push_str(&format!("- {figure}\n")));
    }
    text
}

fn machine() -> Result<String> {
    let rust = shell::capture(shell::command("rustc")?.arg("--version"))?;
    let rust = rust.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(format!("{cores} cores, {} {}, {rust}", std::env::consts::OS, std::env::consts::ARCH))
}

#[expect(clippy::disallowed_methods, reason = "the day of a record is the wall clock's; nothing is computed from it")]
fn today() -> Result<String> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
    Ok(date(seconds / 86_400))
}

/// The day `days` after 1970-01-01, after Howard Hinnant's `civil_from_days`.
fn date(days: u64) -> String {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::Count;

    #[test]
    fn days_become_dates() {
        for (days, expected) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_454, "2026-01-01")]
        {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn the_page_says_what_failed() {
        let outcome = Outcome {
            name: "native",
            about: "units",
            count: Count { passed: 7, failed: 1, skipped: 0 },
            time: Duration::from_secs(65),
            trouble: Some("no compiler\nat all".to_owned()),
        };
        let page = page(&[outcome], "p99 3 ms\n", "2026-01-01", "2 cores", Duration::from_secs(70));
        assert!(page.contains("It took 1 min 10 s in all"), "{page}");
        assert!(page.ends_with("\n- p99 3 ms\n"), "{page}");
        assert!(page.contains("| native | units (no compiler) | 7 | 1 | 0 | 1 min 05 s |"), "{page}");
    }
}
