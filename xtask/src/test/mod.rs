//! `cargo xtask test`: every group of tests, one file each, and one count over all of them.
//!
//! A group is an entry of [`GROUPS`]. It installs what it needs, runs its tests and returns how many ran. What it hands
//! them by environment variables stands in `xtask/README.md`.

mod browser;
mod copies;
mod count;
mod native;
mod node;
mod npm;
mod peers;
mod wasm;

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::plain::{Plain, describe};
use crate::{chromium, progress, shell, tools};

pub(crate) use count::Count;

/// Some tests that run together.
struct Group {
    /// What `cargo xtask test <name>` calls it.
    name: &'static str,
    /// What it tests, for the table at the end.
    about: &'static str,
    /// What it needs that no command here installs.
    needs: &'static [fn() -> Result<()>],
    run: fn() -> Result<Count>,
}

const GROUPS: [Group; 6] = [
    Group {
        name: "native",
        about: "unit, property, script and store tests",
        needs: &[tools::c_compiler],
        run: native::run,
    },
    Group { name: "wasm-node", about: "the engine as WebAssembly in Node", needs: &[node_and_npm], run: wasm::in_node },
    Group {
        name: "wasm-browser",
        about: "page and engine in headless Chromium",
        needs: &[node_and_npm, chromium::can_be_had],
        run: wasm::in_browser,
    },
    Group {
        name: "npm",
        about: "the npm package from its users' side",
        needs: &[tools::c_compiler, node_and_npm, chromium::can_be_had],
        run: npm::run,
    },
    Group {
        name: "browser",
        about: "journeys through the page, with accessibility",
        needs: &[tools::c_compiler, node_and_npm, chromium::can_be_had],
        run: browser::run,
    },
    Group {
        name: "peers",
        about: "other people's programs beside the gateway",
        needs: &[tools::c_compiler, node_and_npm, peers::can_be_had],
        run: peers::run,
    },
];

fn node_and_npm() -> Result<()> {
    crate::node::ensure(crate::node::For::Testing)
}

/// How a group went.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) count: Count,
    pub(crate) time: Duration,
    /// Why it counts as failed although no test did.
    pub(crate) trouble: Option<String>,
}

/// Runs the groups called `names` (all of them where there are none) and prints the count; the last line is
/// `N passed, N failed`.
///
/// # Errors
/// When a test failed, a group ran no test, or a name is not a group's.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let outcomes = outcomes(names, None)?;
    let total = print(&outcomes);
    // The count must stay the last line, so the failure speaks through the exit code alone.
    if total.failed > 0 { Err(Failed.into()) } else { Ok(()) }
}

/// Runs the groups called `names` (all where there are none), in turn but for the one called `beside`, which runs while
/// the others do; each one runs, whatever became of those before.
///
/// # Errors
/// When a name is not a group's.
pub(crate) fn outcomes(names: &[String], beside: Option<&str>) -> Result<Vec<Outcome>> {
    if let Some(unknown) = names.iter().find(|name| GROUPS.iter().all(|group| group.name != name.as_str())) {
        let known = GROUPS.map(|group| group.name).join(", ");
        return Err(Plain::error(
            format!("There is no group of tests called `{unknown}`."),
            format!("cargo xtask test <any of: {known}>, or none for all"),
        ));
    }
    let chosen = GROUPS.iter().filter(|group| names.is_empty() || names.iter().any(|name| name == group.name));
    // Said now too, not only after the minutes that the groups before take.
    for lack in lacks(chosen.clone()) {
        eprintln!("{lack}\n");
    }
    Ok(run_all(chosen.collect(), beside, &outcome))
}

/// Runs groups in turn, but for the one called `beside`, which runs while the others do; their outcomes in the groups'
/// order.
fn run_all(groups: Vec<&Group>, beside: Option<&str>, run: &(impl Fn(&Group) -> Outcome + Sync)) -> Vec<Outcome> {
    std::thread::scope(|scope| {
        // Begun before the first of the others, and awaited behind the last.
        let running: Vec<_> = groups
            .into_iter()
            .map(|group| (group, (beside == Some(group.name)).then(|| scope.spawn(|| run(group)))))
            .collect();
        let done: Vec<_> = running.iter().map(|(group, beside)| beside.is_none().then(|| run(group))).collect();
        let awaited = running.into_iter().zip(done).map(|((group, beside), done)| {
            done.or_else(|| beside.and_then(|beside| beside.join().ok())).unwrap_or_else(|| ended_early(group))
        });
        awaited.collect()
    })
}

/// A group whose thread ended by a panic.
fn ended_early(group: &Group) -> Outcome {
    let count = Count { failed: 1, ..Count::default() };
    let trouble = Some("its thread ended early".to_owned());
    Outcome { name: group.name, about: group.about, count, time: Duration::ZERO, trouble }
}

/// What the groups need and lack, each once.
fn lacks<'a>(groups: impl Iterator<Item = &'a Group>) -> Vec<String> {
    let mut lacks = Vec::new();
    for lack in groups.flat_map(|group| group.needs).filter_map(|need| need().err()) {
        let lack = describe(&lack);
        if !lacks.contains(&lack) {
            lacks.push(lack);
        }
    }
    lacks
}

fn outcome(group: &Group) -> Outcome {
    println!("\n── {}: {}", group.name, group.about);
    let start = Instant::now();
    let ready = group.needs.iter().try_for_each(|need| need());
    let (mut count, mut trouble) = match ready.and_then(|()| (group.run)()) {
        Ok(count) => (count, None),
        Err(error) => (Count::default(), Some(describe(&error))),
    };
    if trouble.is_none() {
        trouble = trouble_with(count, shell::in_ci());
    }
    if let Some(trouble) = &trouble {
        println!("{}: {trouble}", group.name);
        count.failed = count.failed.max(1);
    }
    Outcome { name: group.name, about: group.about, count, time: start.elapsed(), trouble }
}

/// What is wrong with a group's count although no test failed.
fn trouble_with(count: Count, in_ci: bool) -> Option<String> {
    if count.passed + count.failed == 0 {
        return Some("ran no test".to_owned());
    }
    (in_ci && count.skipped > 0).then(|| format!("{} tests were skipped, and here none may be", count.skipped))
}

/// Prints the table and the closing line; returns the sum.
pub(crate) fn print(outcomes: &[Outcome]) -> Count {
    let mut total = Count::default();
    println!("\n{:<14}{:>8}{:>8}{:>9}{:>14}", "group", "passed", "failed", "skipped", "time");
    for Outcome { name, count, time, trouble, .. } in outcomes {
        let Count { passed, failed, skipped } = *count;
        let first_line = trouble.as_deref().and_then(|text| text.lines().next()).unwrap_or_default();
        let time = progress::spoken(*time);
        println!("{}", format!("{name:<14}{passed:>8}{failed:>8}{skipped:>9}{time:>14}   {first_line}").trim_end());
        total += *count;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    total
}

/// Runs `command` and counts what it reports; a command that fails without a failed test counts as one.
///
/// # Errors
/// When the command cannot be started.
fn counted(command: &mut std::process::Command, read: fn(&mut Count, &str)) -> Result<Count> {
    let mut count = Count::default();
    let status = shell::listen(command, |line| read(&mut count, line))?;
    if !status.success() && count.failed == 0 {
        println!("`{}` failed ({status}) before or beside its tests", shell::show(command));
        count.failed = 1;
    }
    Ok(count)
}

/// Tests failed; they have said so themselves.
#[derive(Debug)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tests failed")
    }
}

impl std::error::Error for Failed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_runs_beside_the_others_and_keeps_its_place() {
        let group = |name| Group { name, about: "", needs: &[], run: || Ok(Count::default()) };
        let groups = [group("first"), group("long"), group("last")];
        let (tell, told) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(told);
        let run = |group: &Group| {
            match group.name {
                // It ends only once the last of the others has run.
                "long" => told.lock().unwrap().recv().unwrap(),
                "last" => tell.send(()).unwrap(),
                _ => {}
            }
            Outcome { trouble: None, ..ended_early(group) }
        };
        let names =
            run_all(groups.iter().collect(), Some("long"), &run).iter().map(|each| each.name).collect::<Vec<_>>();
        assert_eq!(names, ["first", "long", "last"]);
        let broken = |_: &Group| -> Outcome { panic!("it ends early") };
        let outcomes = run_all(groups.iter().filter(|group| group.name == "long").collect(), Some("long"), &broken);
        assert_eq!((outcomes[0].count.failed, outcomes[0].trouble.is_some()), (1, true));
    }

    #[test]
    fn a_group_without_tests_and_a_skipped_test_in_ci_are_trouble() {
        let passed = Count { passed: 3, ..Count::default() };
        assert_eq!(trouble_with(passed, true), None);
        assert!(trouble_with(Count::default(), false).is_some_and(|text| text == "ran no test"));
        let skipped = Count { skipped: 1, ..passed };
        assert_eq!(trouble_with(skipped, false), None);
        assert!(trouble_with(skipped, true).is_some());
    }

    #[test]
    fn a_group_that_cannot_run_counts_as_a_failure() {
        let broken = Group { name: "broken", about: "x", needs: &[], run: || anyhow::bail!("no compiler") };
        let outcome = outcome(&broken);
        assert_eq!((outcome.count.failed, outcome.trouble.as_deref()), (1, Some("no compiler")));
    }

    #[test]
    fn what_is_lacking_is_said_once_and_fails_the_group() {
        let lacking = Group {
            name: "lacking",
            about: "x",
            needs: &[|| anyhow::bail!("no Node"), || Ok(())],
            run: || Ok(Count { passed: 1, ..Count::default() }),
        };
        assert_eq!(lacks([&lacking, &lacking].into_iter()), ["no Node"]);
        let outcome = outcome(&lacking);
        assert_eq!((outcome.count.failed, outcome.trouble.as_deref()), (1, Some("no Node")));
    }

    #[test]
    fn an_unknown_group_is_named_with_those_there_are() {
        let Err(error) = outcomes(&["nativ".to_owned()], None) else { panic!("accepted") };
        let said = describe(&error);
        assert!(said.contains("`nativ`") && said.contains("wasm-node"), "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_beside_its_tests_is_a_failure() {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 3"]);
        let count = counted(&mut shell, Count::read_rust).unwrap();
        assert_eq!(count, Count { passed: 2, failed: 1, skipped: 0 });
    }
}
