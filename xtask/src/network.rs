//! Whether a command failed for want of the network, by what it said.

use crate::plain::Plain;
use crate::shell;

/// Words of curl (cargo), Node (npm), reqwest (rustup) and apt-get for a network that cannot be reached; small letters.
const SIGNS: [&str; 32] = [
    "could not resolve",
    "couldn't resolve",
    "resolving timed out",
    "name resolution",
    "temporary failure resolving",
    "dns error",
    "could not connect",
    "couldn't connect",
    "failed to connect",
    "unable to connect",
    "tcp connect error",
    "connection failed",
    "connection refused",
    "connection reset",
    "connection timed out",
    "connection was reset",
    "operation timed out",
    "timeout was reached",
    "operation too slow",
    "network is unreachable",
    "no route to host",
    "spurious network error",
    "npm error network",
    "econnrefused",
    "econnreset",
    "etimedout",
    "enotfound",
    "eai_again",
    "enetunreach",
    "ehostunreach",
    "err_socket_timeout",
    "socket hang up",
];

/// Whether the lines that a failed command said name the network as the reason.
pub(crate) fn is_named(lines: &[String]) -> bool {
    // A compiler's message quotes the source, which may well speak of refused connections.
    if lines.iter().any(|line| line.trim_start().starts_with("--> ")) {
        return false;
    }
    lines.iter().any(|line| {
        let line = line.to_lowercase();
        SIGNS.iter().any(|sign| line.contains(sign))
    })
}

/// The sentence for it, where `name` is the program that needs it.
pub(crate) fn unreachable(name: &str) -> anyhow::Error {
    Plain::error(
        format!("The network cannot be reached, and {name} has to fetch something from it."),
        format!("connect this machine, or set HTTPS_PROXY, then: {}", shell::own_command()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, expected: bool) {
        let lines: Vec<String> = said.lines().map(str::to_owned).collect();
        assert_eq!(is_named(&lines), expected, "{said}");
    }

    #[test]
    fn what_cargo_says_without_a_network() {
        check("warning: spurious network error (3 tries remaining): [6] Couldn't resolve host name", true);
        check("  [6] Could not resolve hostname (Could not resolve host: index.example.org)", true);
        check("  [7] Could not connect to server (Failed to connect to 127.0.0.1 port 9 after 0 ms)", true);
        check("  [28] Timeout was reached (Connection timed out after 30001 milliseconds)", true);
        check("  [35] SSL connect error (Recv failure: Connection reset by peer)", true);
    }

    #[test]
    fn what_npm_says_without_a_network() {
        check("npm error code ECONNREFUSED\nnpm error syscall connect", true);
        check("npm error code ETIMEDOUT", true);
        check("npm error code ECONNRESET", true);
        check("npm error code EAI_AGAIN", true);
        check("npm error network This is a problem related to network connectivity.", true);
        check("npm error code ERR_SOCKET_TIMEOUT", true);
    }

    #[test]
    fn what_rustup_and_apt_say_without_a_network() {
        check(
            "error: could not download file\n  client error (Connect): tcp connect error: Network is unreachable",
            true,
        );
        check("error: error sending request\n  dns error: failed to lookup address information", true);
        check("E: Failed to fetch http://deb.example.org/x.deb  Could not connect to deb.example.org:80", true);
        check("W: Failed to fetch http://deb.example.org/x  Temporary failure resolving 'deb.example.org'", true);
        check("W: Failed to fetch http://deb.example.org/x  Unable to connect to 127.0.0.1:9:", true);
    }

    #[test]
    fn other_failures_are_not_the_networks() {
        check("error[E0308]: mismatched types", false);
        check("error[E0425]: cannot find value\n  --> src/a.rs:3:5\n3 | let x = \"connection refused\";", false);
        check("npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json…", false);
        check("E: Unable to locate package chromium", false);
    }
}
