//! Why the gateway is not reached, as far as a browser can know: it tells a page nothing of a socket that
//! did not open, so that what is known comes from asking over HTTP.

/// What an HTTP request to the gateway came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// No answer at all.
    Silent,
    /// An answer that the browser does not let this page read.
    Unreadable,
    /// An answer as of a web server that knows no gateway's addresses.
    NoGateway,
    /// An answer that says that no samples are served at the moment.
    NotReady,
    /// An answer as it should be.
    Ready,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The gateway gave this reason when it closed the last one.
    Said(String),
    /// What was found out since.
    Probed(Probe),
}

impl Cause {
    /// The cause in a few words.
    #[must_use]
    pub fn heading(&self) -> &'static str {
        match self {
            Self::Probed(Probe::Silent) => "The gateway does not answer",
            Self::Probed(Probe::Unreadable) => "The gateway does not let this page in",
            Self::Probed(Probe::NoGateway) => "There is no gateway",
            Self::Probed(Probe::NotReady) => "The gateway is not ready",
            Self::Said(_) | Self::Probed(Probe::Ready) => "The live feed does not open",
        }
    }

    /// The cause and what mends it; `gateway` is the gateway's address, `site` the origin of the page.
    #[must_use]
    pub fn sentence(&self, gateway: &str, site: &str) -> String {
        match self {
            Self::Said(reason) => format!("The gateway at {gateway} closed the connection: {reason}."),
            Self::Probed(Probe::Silent) => {
                let trust = if gateway.starts_with("https") { " Does your browser trust its certificate?" } else { "" };
                format!("Nothing answers at {gateway}. Is the gateway running, and does your network reach it?{trust}")
            }
            Self::Probed(Probe::Unreadable) => format!(
                "Something answers at {gateway}, but does not let pages of {site} read it. If that is your gateway, \
                 start it with --allow-origin {site}{}",
                allow_host(gateway)
            ),
            Self::Probed(Probe::NoGateway) => format!(
                "A web server answers at {gateway}, but no gateway. Name yours in config.json beside this page, as in \
                 {{\"gateway\": \"http://127.0.0.1:4000\"}}."
            ),
            Self::Probed(Probe::NotReady) => {
                format!("The gateway at {gateway} answers, but is just starting or stopping.")
            }
            Self::Probed(Probe::Ready) => format!(
                "The gateway at {gateway} answers, but its live feed does not open. Does a proxy before it pass \
                 WebSockets on, and does it take more connections?"
            ),
        }
    }
}

/// What mends a policy that does not let the page reach `gateway`, an `http` or `https` address.
#[must_use]
pub fn policy(gateway: &str) -> String {
    let origin = origin(gateway);
    let socket = origin.replacen("http", "ws", 1);
    format!(
        "The Content Security Policy that this page came with does not let it reach {origin}. Build the site with \
         cargo xtask dist --connect {origin}, or add {origin} and {socket} to connect-src, in index.html and in what \
         its web server sends."
    )
}

/// Whether `blocked`, as the browser names it, is the gateway at `gateway`, over HTTP or as a socket.
#[must_use]
pub fn is_gateway(blocked: &str, gateway: &str) -> bool {
    let web = blocked.strip_prefix("ws").map_or_else(|| blocked.to_owned(), |rest| format!("http{rest}"));
    origin(&web).eq_ignore_ascii_case(origin(gateway))
}

/// What a gateway must be told where it is asked by a name: it only knows those of its own machine.
fn allow_host(gateway: &str) -> String {
    let origin = origin(gateway);
    let host = origin.find("://").map_or(origin, |place| &origin[place + 3..]);
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let is_name = !name.starts_with('[') && name.bytes().any(|byte| byte.is_ascii_alphabetic()) && name != "localhost";
    if is_name { format!(" --allow-host {name}") } else { String::new() }
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> &str {
    let host = address.find("://").map_or(0, |place| place + 3);
    let end = address[host..].find('/').map_or(address.len(), |place| host + place);
    &address[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_names_what_mends_it() {
        let said = |cause: Cause| cause.sentence("http://host:4000", "https://status.example.org");
        let both = "with --allow-origin https://status.example.org --allow-host host";
        assert!(said(Cause::Probed(Probe::Unreadable)).ends_with(both));
        for gateway in ["http://127.0.0.1:4000", "http://localhost:4000", "http://[::1]:4000"] {
            let said = Cause::Probed(Probe::Unreadable).sentence(gateway, "http://site");
            assert!(said.ends_with("--allow-origin http://site"), "{said}");
        }
        let silent = said(Cause::Probed(Probe::Silent));
        assert!(silent.starts_with("Nothing answers at http://host:4000.") && !silent.contains("certificate"));
        let silent = Cause::Probed(Probe::Silent).sentence("https://host", "https://status.example.org");
        assert!(silent.ends_with("Does your browser trust its certificate?"), "{silent}");
        assert!(said(Cause::Probed(Probe::NoGateway)).contains("config.json"));
        assert!(said(Cause::Probed(Probe::NotReady)).contains("just starting"));
        assert!(said(Cause::Probed(Probe::Ready)).contains("proxy"));
        assert!(said(Cause::Said("too slow; connect again".into())).ends_with(": too slow; connect again."));
        assert_eq!(Cause::Probed(Probe::Unreadable).heading(), "The gateway does not let this page in");
    }

    #[test]
    fn a_policy_is_mended_for_both_protocols() {
        let text = policy("https://metrics.example.org:8443/below");
        assert!(text.contains("--connect https://metrics.example.org:8443,"), "{text}");
        assert!(text.contains(" and wss://metrics.example.org:8443 to connect-src"), "{text}");
    }

    #[test]
    fn only_the_gateway_is_the_gateway() {
        let gateway = "http://127.0.0.1:4000/below";
        for blocked in ["ws://127.0.0.1:4000/below/ws", "ws://127.0.0.1:4000", "http://127.0.0.1:4000/x"] {
            assert!(is_gateway(blocked, gateway), "{blocked}");
        }
        for blocked in ["ws://127.0.0.1:4001/ws", "wss://127.0.0.1:4000", "eval", "", "ws", "http://127.0.0.1:40001"] {
            assert!(!is_gateway(blocked, gateway), "{blocked}");
        }
    }
}
