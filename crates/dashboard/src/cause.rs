//! Why the gateway is not reached, as far as a browser can know: it tells a page nothing of a socket that
//! did not open, so that what is known comes from asking over HTTP.

use crate::texts::Text;

/// A `config.json` that names a gateway.
const EXAMPLE: &str = r#"{"gateway": "http://127.0.0.1:4000"}"#;

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
        let heading = match self {
            Self::Probed(Probe::Silent) => Text::CauseSilentHead,
            Self::Probed(Probe::Unreadable) => Text::CauseUnreadableHead,
            Self::Probed(Probe::NoGateway) => Text::CauseNoGatewayHead,
            Self::Probed(Probe::NotReady) => Text::CauseNotReadyHead,
            Self::Said(_) | Self::Probed(Probe::Ready) => Text::CauseFeedHead,
        };
        heading.say()
    }

    /// The cause and what mends it; `gateway` is the gateway's address, `site` the origin of the page.
    #[must_use]
    pub fn sentence(&self, gateway: &str, site: &str) -> String {
        match self {
            Self::Said(reason) => Text::CauseSaid.fill(&[gateway, reason]),
            Self::Probed(Probe::Silent) => {
                let mut sentence = Text::CauseSilent.fill(&[gateway]);
                if gateway.starts_with("https") {
                    sentence.push_str(Text::CauseCertificate.say());
                }
                sentence
            }
            Self::Probed(Probe::Unreadable) => {
                let flags = format!("--allow-origin {site}{}", allow_host(gateway));
                Text::CauseUnreadable.fill(&[gateway, site, &flags])
            }
            Self::Probed(Probe::NoGateway) => Text::CauseNoGateway.fill(&[gateway, EXAMPLE]),
            Self::Probed(Probe::NotReady) => Text::CauseNotReady.fill(&[gateway]),
            Self::Probed(Probe::Ready) => Text::CauseReady.fill(&[gateway]),
        }
    }
}

/// What mends a policy that does not let the page reach `gateway`, an `http` or `https` address.
#[must_use]
pub fn policy(gateway: &str) -> String {
    let origin = origin(gateway);
    Text::CausePolicy.fill(&[origin, &origin.replacen("http", "ws", 1)])
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
