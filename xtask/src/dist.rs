//! The static site in `dist/`: Trunk's build, the connect rule of the security policy, compressed twins.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::plain::Plain;
use crate::stamp::{self, Fingerprint};
use crate::{place, shell, sizes, tools};

/// What the page is built from.
const INPUTS: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "index.html",
    "rust-toolchain.toml",
    "package-lock.json",
    ".cargo/config.toml",
    "www",
    "crates/core/Cargo.toml",
    "crates/core/src",
    "crates/wire/Cargo.toml",
    "crates/wire/src",
    "crates/dashboard",
];

/// The connect rule that index.html carries and `--connect` narrows.
const OPEN_CONNECT: &str = "connect-src 'self' https: wss:";

/// Builds the site; does nothing when nothing changed. With `connect` the page may reach these origins and its own only.
///
/// # Errors
/// When a tool is missing, an origin is malformed or the page does not build.
pub(crate) fn build(connect: &[String]) -> Result<()> {
    let rule = connect_rule(connect)?;
    let _lock = stamp::lock()?;
    let mut fingerprint = Fingerprint::new();
    fingerprint.word(tools::TRUNK).word(tools::WASM_BINDGEN);
    for input in INPUTS {
        fingerprint.path(&place::root().join(input))?;
    }
    let page = fingerprint.text();
    let site = fingerprint.word(&rule).path(&place::root().join("tools/compress.mjs"))?.text();
    if stamp::is_fresh("dist", &site) && place::dist().join("index.html").is_file() {
        return Ok(());
    }
    tools::for_the_page()?;
    tools::crates()?;
    let built = place::root().join("target/page");
    if !(stamp::is_fresh("page", &page) && built.join("index.html").is_file()) {
        stamp::forget("page")?;
        trunk(&built)?;
        stamp::keep("page", &page)?;
    }
    stamp::forget("dist")?;
    assemble(&built, &place::dist(), &rule)?;
    stamp::keep("dist", &site)?;
    sizes::print(&sizes::measure(&place::dist())?);
    Ok(())
}

fn trunk(built: &Path) -> Result<()> {
    eprintln!("Building the page (release; about 2 minutes the first time).");
    let mut trunk = shell::command("trunk")?;
    trunk.args(["build", "--release", "--dist"]).arg(built);
    // The compiler's message is what helps; a backtrace through Trunk would push it off the screen.
    trunk.env("RUST_BACKTRACE", "0");
    shell::without_machine_paths(&mut trunk)?;
    shell::stream(&mut trunk).context("the page does not build")
}

/// Copies Trunk's output to `dist`, sets the connect rule, adds the compressed twins.
fn assemble(built: &Path, dist: &Path, rule: &str) -> Result<()> {
    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    for file in stamp::files_below(built)? {
        let to = dist.join(file.strip_prefix(built)?);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        fs::copy(&file, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    let index = dist.join("index.html");
    let page = with_connect_rule(&fs::read_to_string(&index)?, rule)?;
    fs::write(&index, page)?;
    // Node's zlib has both formats, and Node is needed anyway.
    shell::stream(shell::command("node")?.arg("tools/compress.mjs").arg(dist)).context("cannot compress the site")
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
    fn the_page_in_this_checkout_carries_the_rule() {
        let page = fs::read_to_string(place::root().join("index.html")).unwrap();
        assert!(with_connect_rule(&page, OPEN_CONNECT).is_ok());
    }
}
