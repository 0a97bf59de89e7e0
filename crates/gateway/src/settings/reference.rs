//! The settings told to people: as a file with every default, and as a table for the documents.

use std::fmt::Write;

use super::{KNOWN, SECTIONS, Settings};

/// All settings, as a file or as the tables of the documents.
pub(crate) fn shown(as_markdown: bool) -> String {
    if as_markdown { markdown() } else { default_file() }
}

/// A file of all settings with their defaults, as comments: what is taken out of a comment is set.
fn default_file() -> String {
    let defaults = Settings::default();
    let mut text = String::from(
        "# Settings of the Bellwether gateway: every one there is, with its default.\n\
         # Take away the # before a line to set it. Paths count from this file's folder.\n\
         # A variable of the environment counts more than this file, and a flag counts more than both.\n",
    );
    for section in SECTIONS {
        text.push('\n');
        for line in section.help {
            text += &format!("# {}\n", line.trim());
        }
        text += &format!("[{}]\n", section.name);
        for known in KNOWN.iter().filter(|known| known.section == section.name) {
            text.push('\n');
            for line in known.help {
                text += &format!("# {}\n", line.trim());
            }
            text += &format!("#{} = {}\n", known.name, defaults.toml(known));
        }
    }
    text
}

/// A table of all settings for each section, as Markdown.
fn markdown() -> String {
    let defaults = Settings::default();
    let mut text = String::new();
    for section in SECTIONS {
        // Writing to a string cannot fail.
        let about: Vec<_> = section.help.iter().map(|line| line.trim()).collect();
        let _written = write!(text, "### [{}]\n\n{}\n\n", section.name, about.join(" "));
        text += "| setting | default | what it is | flag, variable |\n| --- | --- | --- | --- |\n";
        for known in KNOWN.iter().filter(|known| known.section == section.name) {
            let help: Vec<_> = known.help.iter().map(|line| line.trim().replace('|', "\\|")).collect();
            let _written = writeln!(
                text,
                "| `{}` | `{}` | {} | `--{}`, `{}` |",
                known.name,
                defaults.toml(known),
                help.join(" "),
                known.flag(),
                known.variable()
            );
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn the_default_file_changes_nothing_with_and_without_its_comments() {
        let text = default_file();
        let mut settings = Settings::default();
        assert_eq!(file::read(&text, None, &mut settings), []);
        assert_eq!(settings, Settings::default());
        let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
        let all: String =
            text.lines().map(|line| if is_setting(&line) { &line[1..] } else { line }.to_owned() + "\n").collect();
        assert_eq!(text.lines().filter(is_setting).count(), KNOWN.len());
        assert_eq!(file::read(&all, None, &mut settings), [], "{all}");
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn the_document_tells_every_setting() {
        let document = include_str!("../../../../docs/configuration.md");
        assert!(
            document.contains(markdown().trim()),
            "docs/configuration.md is not of this program; put the output of `bellwether config --markdown` into it"
        );
    }
}
