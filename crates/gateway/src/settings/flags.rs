//! The flags of `serve`: one for each setting, each also as an environment variable.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::value::{Given, Times};
use super::{KNOWN, Known, Settings};

/// The flags of `serve` and their environment variables, as they were given; a flag counts more.
#[derive(Clone, Debug)]
pub struct ServeArgs {
    /// The settings file.
    pub(super) config: Option<PathBuf>,
    given: Vec<(&'static Known, Given)>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.key())
    }
}

/// The flag that names the file.
const CONFIG: &str = "config";
/// The environment variable that names the file.
const CONFIG_VARIABLE: &str = "BELLWETHER_CONFIG";

impl ServeArgs {
    /// Sets what was given; what it was is right already.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), String> {
        for (known, given) in &self.given {
            settings.set(known, given).map_err(|wanted| format!("--{}: {wanted}", known.flag()))?;
        }
        Ok(())
    }
}

impl FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for known in KNOWN {
            if let Some(texts) = matches.get_many::<String>(&known.key()) {
                given.push((known, Given { texts: texts.cloned().collect(), folder: None }));
            }
        }
        Ok(Self { config: matches.get_one::<PathBuf>(CONFIG).cloned(), given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ServeArgs {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(CONFIG)
            .long(CONFIG)
            .value_name("FILE")
            .env(CONFIG_VARIABLE)
            .value_parser(clap::value_parser!(PathBuf))
            .help("Settings file; without it ./bellwether.toml where there is one");
        let defaults = Settings::default();
        command.args_override_self(true).arg(file).args(KNOWN.iter().map(|known| argument(known, &defaults)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(known: &'static Known, defaults: &Settings) -> Arg {
    let default = defaults.toml(known);
    let mut help = known.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    if !matches!(default.as_str(), "\"\"" | "[]" | "false") {
        help += &format!(" [default: {}]", default.trim_matches('"'));
    }
    if known.times == Times::Many {
        help += "; may be repeated";
    }
    let check = move |text: &str| (known.check)(&Given::text(text)).map(|()| text.to_owned());
    let argument = Arg::new(known.key())
        .long(known.flag())
        .env(known.variable())
        // Some are secret, and help is shown to anybody.
        .hide_env_values(true)
        .help_heading(heading(known.section))
        .value_name(known.form)
        .help(help)
        // What few need is told by `--help`, not by `-h`.
        .hide_short_help(known.flag.is_none())
        .value_parser(check);
    match known.times {
        Times::Once => argument.action(ArgAction::Set),
        Times::Many => argument.action(ArgAction::Append).value_delimiter(','),
        Times::Switch => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false", "1", "0", "yes", "no", "on", "off", ""]))
            .hide_possible_values(true),
    }
}

fn heading(section: &'static str) -> String {
    let mut letters = section.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
