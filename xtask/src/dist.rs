//! The static site in `dist/`: the built page with the connect rule of its security policy, and with the settings that
//! somebody made there.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::compress::{self, SETTINGS};
use crate::lock::Lock;
use crate::plain::Plain;
use crate::stamp::{self, Fingerprint};
use crate::{page, place};

/// The connect rule that index.html carries and `--connect` narrows.
const OPEN_CONNECT: &str = "connect-src 'self' https: wss:";

/// Builds the site; does nothing when nothing changed. With `connect` the page may reach these origins and its own only.
/// Settings that somebody edited stay as they are, and it says so.
///
/// # Errors
/// When a tool is missing, an origin is malformed or the page does not build.
pub(crate) fn build(connect: &[String]) -> Result<()> {
    let rule = connect_rule(connect)?;
    let held = Lock::take()?;
    let site = Fingerprint::new().word(&page::build(&held)?).word(&rule).text();
    let (page, dist) = (place::page(), place::dist());
    let whole = SETTINGS.iter().chain(["index.html"].iter()).all(|name| dist.join(name).is_file());
    if whole && stamp::is_fresh("dist", &site) {
        return Ok(());
    }
    stamp::forget("dist")?;
    let edited: Vec<&str> = SETTINGS.into_iter().filter(|name| is_edited(name, &page, &dist)).collect();
    assemble(&page, &dist, &rule, &edited)?;
    // All else came with its twins.
    compress::twins(&dist.join("index.html"), &dist)?;
    for name in SETTINGS.iter().filter(|name| !edited.contains(name)) {
        stamp::keep(&stamp_of(name), &fingerprint(&dist.join(name))?)?;
    }
    stamp::keep("dist", &site)?;
    for name in edited {
        println!("Kept dist/{name}, which was edited; to have the page's own again, delete it and repeat the command.");
    }
    Ok(())
}

/// Whether somebody wrote `dist/<name>`: it is neither the page's own nor what an earlier build left there.
fn is_edited(name: &str, page: &Path, dist: &Path) -> bool {
    let Ok(theirs) = fs::read(dist.join(name)) else { return false };
    let from_a_build = fingerprint(&dist.join(name)).is_ok_and(|text| stamp::is_fresh(&stamp_of(name), &text));
    !from_a_build && fs::read(page.join(name)).is_ok_and(|own| own != theirs)
}

fn stamp_of(setting: &str) -> String {
    format!("dist-{setting}")
}

fn fingerprint(file: &Path) -> Result<String> {
    Ok(Fingerprint::new().path(file)?.text())
}

/// Empties `dist` but for the settings in `edited`, copies the page there and sets the connect rule.
fn assemble(page: &Path, dist: &Path, rule: &str, edited: &[&str]) -> Result<()> {
    fs::create_dir_all(dist).with_context(|| format!("cannot make the folder {}", dist.display()))?;
    for entry in fs::read_dir(dist).with_context(|| format!("cannot read {}", dist.display()))? {
        let entry = entry?;
        if edited.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let removed =
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        removed.with_context(|| format!("cannot remove {}", entry.path().display()))?;
    }
    for file in stamp::files_below(page)? {
        let name = file.strip_prefix(page)?;
        let to = dist.join(name);
        if edited.iter().any(|edited| name == Path::new(edited)) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::copy(&file, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    let index = dist.join("index.html");
    let page = with_connect_rule(&fs::read_to_string(&index)?, rule)?;
    fs::write(&index, page).with_context(|| format!("cannot write {}", index.display()))
}

fn with_connect_rule(page: &str, rule: &str) -> Result<String> {
    if !page.contains(OPEN_CONNECT) {
        bail!("index.html carries no `{OPEN_CONNECT}` in its content security policy");
    }
    Ok(page.replace(OPEN_CONNECT, rule))
}

/// The policy's connect rule for `origins`: each for HTTP and for WebSocket. Any TLS origin where there are none.
fn connect_rule(origins: &[String]) -> Result<String> {
    if origins.is_empty() {
        return Ok(OPEN_CONNECT.to_owned());
    }
    let mut rule = "connect-src 'self'".to_owned();
    for origin in origins {
        let (scheme, authority) = split_origin(origin).ok_or_else(|| {
            Plain::error(
                format!("`{origin}` is not an origin: it must be a scheme, a host and perhaps a port, without a path."),
                "cargo xtask dist --connect https://metrics.example.org --connect http://127.0.0.1:4000",
            )
        })?;
        let (http, socket) = match scheme {
            "https" | "wss" => ("https", "wss"),
            _ => ("http", "ws"),
        };
        rule.push_str(&format!(" {http}://{authority} {socket}://{authority}"));
    }
    Ok(rule)
}

fn split_origin(origin: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = origin.split_once("://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    let fine = ["http", "https", "ws", "wss"].contains(&scheme)
        && authority.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && authority.chars().all(allowed);
    fine.then_some((scheme, authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origins: &[&str]) -> Result<String> {
        connect_rule(&origins.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn each_origin_is_allowed_for_http_and_socket() {
        assert_eq!(rule(&[]).unwrap(), OPEN_CONNECT);
        assert_eq!(
            rule(&["https://m.example.org", "ws://127.0.0.1:4000/"]).unwrap(),
            "connect-src 'self' https://m.example.org wss://m.example.org http://127.0.0.1:4000 ws://127.0.0.1:4000"
        );
        assert!(rule(&["http://[::1]:4000"]).unwrap().ends_with("ws://[::1]:4000"));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in
            ["example.org", "https://", "ftp://x", "https://x/path", "https://x; script-src *", "https://*", "'self'"]
        {
            assert!(rule(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_rule_is_put_in_and_a_page_without_one_is_refused() {
        let page = format!("<meta content=\"{OPEN_CONNECT}; img-src 'self'\">");
        assert_eq!(
            with_connect_rule(&page, "connect-src 'self'").unwrap(),
            "<meta content=\"connect-src 'self'; img-src 'self'\">"
        );
        assert!(with_connect_rule("<html>", "connect-src 'self'").is_err());
    }

    #[test]
    fn edited_settings_stay_and_everything_else_is_the_pages() {
        let folder = tempfile::tempdir().unwrap();
        let (page, dist) = (folder.path().join("page"), folder.path().join("dist"));
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder.join("vendor")).unwrap();
            fs::write(folder.join(name), text).unwrap();
        };
        let read = |name: &str| fs::read_to_string(dist.join(name)).ok();
        let own =
            [("index.html", OPEN_CONNECT), ("config.json", "{}"), ("board.json", "own"), ("vendor/chart.js", "1")];
        for (name, text) in own {
            write(&page, name, text);
        }
        write(&dist, "config.json", "theirs");
        write(&dist, "board.json", "own");
        write(&dist, "page-0123.wasm", "old");
        write(&dist, "vendor/old.js", "old");

        assert!(is_edited("config.json", &page, &dist));
        assert!(!is_edited("board.json", &page, &dist), "the same as the page's");
        fs::remove_file(dist.join("board.json")).unwrap();
        assert!(!is_edited("board.json", &page, &dist), "not there");

        assemble(&page, &dist, "connect-src 'self'", &["config.json"]).unwrap();
        assert_eq!(read("config.json").as_deref(), Some("theirs"));
        assert_eq!(read("board.json").as_deref(), Some("own"));
        assert_eq!(read("index.html").as_deref(), Some("connect-src 'self'"));
        assert_eq!(read("vendor/chart.js").as_deref(), Some("1"));
        assert_eq!((read("page-0123.wasm"), read("vendor/old.js")), (None, None));
    }

    #[test]
    fn the_page_in_this_checkout_carries_the_rule() {
        let page = fs::read_to_string(place::root().join("index.html")).unwrap();
        assert!(with_connect_rule(&page, OPEN_CONNECT).is_ok());
    }
}
