//! The file `bellwether.toml`: read with the place of everything that is wrong in it.

use std::fmt;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{Given, Times};
use super::{KNOWN, Known, SECTIONS, Settings};

/// Something wrong at a place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, text } = self;
        write!(f, "line {line}, column {column}: {text}")
    }
}

/// Sets what the text says; paths in it count from `folder`. Everything that is wrong, in the order of
/// the text.
pub(super) fn read(text: &str, folder: Option<&Path>, settings: &mut Settings) -> Vec<Fault> {
    let mut faults = Faults { text, found: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => {
            for (section, value) in table.get_ref() {
                read_section(section, value, folder, settings, &mut faults);
            }
        }
        Err(error) => faults.add(error.span().map_or(0, |span| span.start), error.message().to_owned()),
    }
    faults.found.sort_by_key(|fault| (fault.line, fault.column));
    faults.found
}

/// What was found wrong.
struct Faults<'a> {
    text: &'a str,
    found: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, at: usize, text: String) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        self.found.push(Fault { line, column: before[line_start..].chars().count() + 1, text });
    }
}

type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

fn read_section(
    section: &Key<'_>,
    value: &Spanned<DeValue<'_>>,
    folder: Option<&Path>,
    settings: &mut Settings,
    faults: &mut Faults<'_>,
) {
    let name = section.get_ref().as_ref();
    if !SECTIONS.iter().any(|known| known.name == name) {
        // Without its section, a setting is still known by its name.
        let hint = KNOWN.iter().find(|known| known.name == name).map_or_else(
            || nearest(name, SECTIONS.iter().map(|known| known.name), "the sections are"),
            |known| format!("{name} belongs into [{}]", known.section),
        );
        faults.add(section.span().start, format!("there is no section {name:?}; {hint}"));
        return;
    }
    let Some(table) = value.get_ref().as_table() else {
        faults.add(section.span().start, format!("{name:?} is a section; write it as [{name}]"));
        return;
    };
    for (key, value) in table {
        let at = key.span().start;
        let key = key.get_ref().as_ref();
        let of_section = || KNOWN.iter().filter(|known| known.section == name);
        let Some(known) = of_section().find(|known| known.name == key) else {
            let elsewhere = KNOWN.iter().find(|known| known.name == key);
            let hint = elsewhere.map_or_else(
                || nearest(key, of_section().map(|known| known.name), "there are"),
                |known| format!("{key} belongs into [{}]", known.section),
            );
            faults.add(at, format!("there is no setting {key:?} in [{name}]; {hint}"));
            continue;
        };
        let set = given(known, value.get_ref(), folder).and_then(|given| settings.set(known, &given));
        if let Err(wanted) = set {
            faults.add(value.span().start, format!("{}: {wanted}", known.key()));
        }
    }
}

/// What a value of the file gives to a setting.
fn given(known: &Known, value: &DeValue<'_>, folder: Option<&Path>) -> Result<Given, String> {
    let texts = match (value, known.times) {
        (DeValue::Array(list), Times::Many) => list
            .iter()
            .map(|one| one.get_ref().as_str().map(str::to_owned).ok_or("give a list of texts, each in quotes"))
            .collect::<Result<_, _>>()?,
        (DeValue::Array(_), _) => return Err(format!("give one value ({}), not a list", known.form)),
        (_, Times::Many) => return Err("give a list such as [\"one\", \"two\"]".to_owned()),
        (DeValue::String(text), Times::Once) => vec![text.to_string()],
        (DeValue::Integer(number), Times::Once) if number.radix() == 10 => vec![number.as_str().replace('_', "")],
        (DeValue::Boolean(switch), Times::Switch) => vec![switch.to_string()],
        (_, Times::Switch) => return Err("give true or false, without quotes".to_owned()),
        (other, Times::Once) => return Err(format!("give a value ({}), not a {}", known.form, other.type_str())),
    };
    Ok(Given { texts, folder: folder.map(Path::to_owned) })
}

/// The most similar name, or all there are.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone, else_say: &str) -> String {
    let similar = |known: &&str| (strsim::jaro_winkler(name, known) * 1_000.0) as u32;
    match names.clone().max_by_key(similar).filter(|known| similar(known) >= 800) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("{else_say} {}", names.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let faults: Vec<_> = read(text, None, &mut Settings::default()).iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        check(
            "[server]\nprot = 4001\n  host = \"example\"\n\n[limits]\nbody = \"1MB\"\n",
            &[
                "line 2, column 1: there is no setting \"prot\" in [server]; did you mean port?",
                "line 3, column 10: server.host: give an IP address of this machine such as 127.0.0.1 or 0.0.0.0",
                "line 6, column 8: limits.body: write a size like 64KiB or 1MiB, at least 1B and at most 1024GiB",
            ],
        );
        check("[severs]\n", &["line 1, column 2: there is no section \"severs\"; did you mean server?"]);
        check("port = 1\n", &["line 1, column 1: there is no section \"port\"; port belongs into [server]"]);
        check(
            "[server]\nretention = \"9d\"\n",
            &["line 2, column 1: there is no setting \"retention\" in [server]; retention belongs into [store]"],
        );
        check("server = 1\n", &["line 1, column 1: \"server\" is a section; write it as [server]"]);
    }

    #[test]
    fn values_have_their_type() {
        let wrong = |value: &str, name: &str, section: &str| {
            let text = format!("[{section}]\n{name} = {value}\n");
            let faults = read(&text, None, &mut Settings::default());
            assert_eq!(faults.len(), 1, "{text}");
            faults[0].to_string()
        };
        assert!(wrong("\"true\"", "demo", "page").contains("give true or false, without quotes"));
        assert!(wrong("\"a\"", "allow_hosts", "server").contains("give a list such as"));
        assert!(wrong("[1]", "allow_hosts", "server").contains("each in quotes"));
        assert!(wrong("[\"a:80\"]", "allow_hosts", "server").contains("\"a:80\": give a bare host name"));
        assert!(wrong("[1]", "port", "server").contains("give one value (PORT), not a list"));
        assert!(wrong("1.5", "port", "server").contains("not a float"));
        assert!(wrong("90", "retention", "store").contains("write it like 30s"));
    }

    #[test]
    fn what_is_no_toml_is_said_with_its_place() {
        let faults = read("[server]\nport = \n", None, &mut Settings::default());
        assert!(faults[0].to_string().starts_with("line 2, column "), "{faults:?}");
        let faults = read("[server]\nport = 1\nport = 2\n", None, &mut Settings::default());
        assert!(faults[0].to_string().starts_with("line 3, column 1: duplicate key"), "{faults:?}");
    }

    #[test]
    fn what_is_right_is_set() {
        let mut settings = Settings::default();
        let text = "[server]\nport = 4_001\nallow_hosts = [\"a\", \"b\"]\n[page]\ndemo = true\nboard = \"b.json\"\n";
        assert_eq!(read(text, Some(Path::new("/etc")), &mut settings), []);
        assert_eq!(settings.server.port, 4001);
        assert_eq!(settings.server.allow_hosts.len(), 2);
        assert!(settings.page.demo);
        assert_eq!(settings.page.board.as_deref(), Some(Path::new("/etc/b.json")));
    }
}
