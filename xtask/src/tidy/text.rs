//! What no text of the project may hold: paths of a machine, hosts of a registry, 800 lines, broken links.

use super::{Complaint, File};

/// No source file is longer than this, in lines.
const LONGEST: usize = 800;

/// Endings of the files that people write as source.
const SOURCE: [&str; 7] = ["rs", "js", "mjs", "cjs", "ts", "css", "html"];

/// Complains about absolute paths of somebody's machine.
pub(super) fn machine_paths(files: &[File]) -> Vec<Complaint> {
    // In pieces, so that this file does not complain about itself.
    let places = ["home", "root", "Users", "work", "farm", "tmp"].map(|name| format!("/{name}/"));
    let before_a_path = |c: char| !(c.is_alphanumeric() || "._-~*$})]/>".contains(c));
    find_lines(files, |line| {
        places.iter().find(|place| {
            line.match_indices(place.as_str()).any(|(at, _)| line[..at].chars().next_back().is_none_or(before_a_path))
        })
    })
    .map(|(place, found)| format!("{place}: names a path of one machine (`{found}…`)"))
    .collect()
}

/// Complains about the names of package registries' hosts: everybody's client is set up for its own.
pub(super) fn registry_hosts(files: &[File]) -> Vec<Complaint> {
    let hosts = [
        ["registry", "npmjs.org"],
        ["registry", "yarnpkg.com"],
        ["static", "crates.io"],
        ["index", "crates.io"],
        ["files", "pythonhosted.org"],
        ["deb", "debian.org"],
    ]
    .map(|parts| parts.join("."));
    let not_cargos: Vec<File> = files.iter().filter(|file| !file.path.ends_with("Cargo.lock")).cloned().collect();
    find_lines(&not_cargos, |line| hosts.iter().find(|host| line.contains(host.as_str())))
        .map(|(place, host)| format!("{place}: names the registry host {host}"))
        .collect()
}

/// Place and finding of each line in which `find` finds something.
fn find_lines<'a, T: 'a>(
    files: &'a [File],
    find: impl Fn(&'a str) -> Option<T> + 'a,
) -> impl Iterator<Item = (String, T)> + 'a {
    files
        .iter()
        .flat_map(|file| file.text.lines().enumerate().map(move |(index, line)| (file, index + 1, line)))
        .filter_map(move |(file, number, line)| find(line).map(|found| (format!("{}:{number}", file.path), found)))
}

/// Complains about source files past the longest length.
pub(super) fn lengths(files: &[File]) -> Vec<Complaint> {
    let is_source = |file: &&File| file.path.rsplit_once('.').is_some_and(|(_, ending)| SOURCE.contains(&ending));
    files
        .iter()
        .filter(is_source)
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{}: {lines} lines; past {LONGEST} there is a second idea in it", file.path))
        .collect()
}

/// Complains about links of Markdown pages to files that `exists` does not know.
pub(super) fn links(files: &[File], exists: impl Fn(&str) -> bool) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, target) in link_targets(&file.text) {
            let path = target.split(['#', '?']).next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            if elsewhere {
                continue;
            }
            match below(folder, path) {
                Some(path) if exists(&path) => {}
                _ => complaints.push(format!("{}:{number}: links to {target}, which is not there", file.path)),
            }
        }
    }
    complaints
}

/// Line and target of each `](target)` outside code.
fn link_targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second piece between back-ticks is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (at, opening) in prose.match_indices("](") {
            let rest = &prose[at + opening.len()..];
            if let Some(end) = rest.find([')', ' ']) {
                targets.push((index + 1, rest[..end].to_owned()));
            }
        }
    }
    targets
}

/// `path` seen from `folder`, both from the top; `None` where it leaves the checkout.
fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    parts.retain(|part| !part.is_empty());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn count(check: fn(&[File]) -> Vec<Complaint>, path: &str, text: &str) -> usize {
        check(&[file(path, text)]).len()
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for name in ["home/someone", "root/.cargo", "work/main", "tmp/x"] {
            assert_eq!(count(machine_paths, "a.md", &format!("see \"/{name}\"")), 1, "{name}");
        }
        for fine in ["https://example.org/home/x", "dist/work/x", "$HOME/root/x", "../tmp/x", "/metrics"] {
            assert_eq!(count(machine_paths, "a.md", fine), 0, "{fine}");
        }
    }

    #[test]
    fn registry_hosts_are_found_outside_cargos_lock_files() {
        let line = ["\"resolved\": \"https://registry", "npmjs.org/x\""].join(".");
        assert_eq!(count(registry_hosts, "package-lock.json", &line), 1);
        assert_eq!(count(registry_hosts, "tools/x/Cargo.lock", &line), 0);
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(count(lengths, "a.rs", &"x\n".repeat(LONGEST)), 0);
        assert_eq!(count(lengths, "a.rs", &"x\n".repeat(LONGEST + 1)), 1);
        assert_eq!(count(lengths, "package-lock.json", &"x\n".repeat(LONGEST + 1)), 0);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let complaints =
            |text: &str| links(&[file("docs/a.md", text)], |path| ["README.md", "docs/adr"].contains(&path));
        assert!(complaints("[a](../README.md#top) [b](adr) [c](https://example.org) [d](#here)").is_empty());
        assert!(complaints("`[a](b)` is a link\n```\n[a](b)\n```").is_empty());
        assert_eq!(complaints("\n[a](README.md)"), ["docs/a.md:2: links to README.md, which is not there"]);
        assert_eq!(complaints("[a](../../x)").len(), 1);
    }
}
