//! Where a request really comes from: the peer, or what a trusted proxy says of it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;

/// `X-Forwarded-For`.
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `X-Forwarded-Proto`.
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// `X-Forwarded-Host`.
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whether the connection to the peer is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    Tls,
}

/// Who asks, as far as addresses go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The address of the one who asks.
    pub(crate) address: IpAddr,
    /// How it comes to the outermost of us.
    pub(crate) transport: Transport,
    /// Whether the connection's other end is a trusted proxy.
    pub(crate) through_proxy: bool,
    /// The host that was asked for at the proxy.
    host: Option<HeaderValue>,
}

/// In which headers the proxies say who asks. What stands in the others came through from whoever asked them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ProxyHeaders {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies whose word on others counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    networks: Vec<IpNet>,
    headers: ProxyHeaders,
}

impl Proxies {
    /// Proxies at the addresses of `networks`, which say in `headers` who asks.
    pub(crate) const fn new(networks: Vec<IpNet>, headers: ProxyHeaders) -> Self {
        Self { networks, headers }
    }

    fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Who asks. Where the peer is no trusted proxy, the headers say nothing.
    pub(crate) fn caller(&self, peer: SocketAddr, transport: Transport, headers: &HeaderMap) -> Caller {
        let peer = peer.ip().to_canonical();
        if !self.trust(peer) {
            return Caller { address: peer, transport, through_proxy: false, host: None };
        }
        let forwarded = Forwarded::read(headers, self.headers);
        // Each proxy adds at the right whom it was asked by: the first from there that is none of ours.
        let mut address = peer;
        for hop in forwarded.hops.iter().rev() {
            let Some(hop) = hop else { break };
            address = *hop;
            if !self.trust(address) {
                break;
            }
        }
        let transport = match forwarded.proto.as_deref() {
            Some("https" | "wss") => Transport::Tls,
            Some(_) => Transport::Plain,
            None => transport,
        };
        Caller { address, transport, through_proxy: true, host: forwarded.host }
    }
}

impl Caller {
    /// Lets the headers name the host that was asked for at the proxy.
    pub(crate) fn restore_host(&self, headers: &mut HeaderMap) {
        if let Some(host) = &self.host {
            headers.insert(header::HOST, host.clone());
        }
    }
}

/// What the headers say.
#[derive(Default)]
struct Forwarded {
    /// In the order of the headers; `None` for one that is not an address.
    hops: Vec<Option<IpAddr>>,
    /// Of the last proxy.
    proto: Option<String>,
    host: Option<HeaderValue>,
}

impl Forwarded {
    fn read(headers: &HeaderMap, which: ProxyHeaders) -> Self {
        if which == ProxyHeaders::Forwarded {
            return Self::standard(&list(headers, &header::FORWARDED));
        }
        let last = |name| list(headers, name).pop();
        Self {
            hops: list(headers, &FOR).iter().map(|hop| address(hop)).collect(),
            proto: last(&PROTO).map(|proto| proto.to_ascii_lowercase()),
            host: last(&HOST).and_then(|host| HeaderValue::from_str(&host).ok()),
        }
    }

    fn standard(elements: &[String]) -> Self {
        let mut forwarded = Self::default();
        for element in elements {
            // A proxy says in its own element how it was asked.
            (forwarded.proto, forwarded.host) = (None, None);
            let mut hop = None;
            for pair in element.split(';') {
                let Some((name, value)) = pair.split_once('=') else { continue };
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => hop = address(value),
                    "proto" => forwarded.proto = Some(value.to_ascii_lowercase()),
                    "host" => forwarded.host = HeaderValue::from_str(value).ok(),
                    _ => {}
                }
            }
            forwarded.hops.push(hop);
        }
        forwarded
    }
}

/// The entries of a list header, of all its lines.
fn list(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(|entry| entry.trim().to_owned()).collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Expected<'a> = (&'a str, Transport, Option<&'a str>);

    #[track_caller]
    fn check(peer: &str, headers: &[(&'static str, &str)], expected: Expected<'_>) {
        check_by(ProxyHeaders::XForwarded, peer, headers, expected);
    }

    #[track_caller]
    fn check_by(which: ProxyHeaders, peer: &str, headers: &[(&'static str, &str)], expected: Expected<'_>) {
        let proxies = Proxies::new(vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()], which);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let caller = proxies.caller(SocketAddr::new(peer.parse().unwrap(), 9), Transport::Plain, &map);
        let host = caller.host.as_ref().map(|host| host.to_str().unwrap());
        assert_eq!((caller.address.to_string().as_str(), caller.transport, host), expected, "{headers:?}");
    }

    #[test]
    fn who_is_no_proxy_speaks_for_itself() {
        let lies = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil")];
        check("192.0.2.9", &lies, ("192.0.2.9", Transport::Plain, None));
        let lies = [("forwarded", "for=127.0.0.1")];
        check_by(ProxyHeaders::Forwarded, "192.0.2.9", &lies, ("192.0.2.9", Transport::Plain, None));
    }

    #[test]
    fn a_proxy_names_the_first_that_is_none_of_ours() {
        check("127.0.0.1", &[], ("127.0.0.1", Transport::Plain, None));
        check("127.0.0.1", &[("x-forwarded-for", "192.0.2.1")], ("192.0.2.1", Transport::Plain, None));
        // What stands further left was said by the client itself.
        check(
            "127.0.0.1",
            &[("x-forwarded-for", "8.8.8.8, 192.0.2.1, 10.0.0.3")],
            ("192.0.2.1", Transport::Plain, None),
        );
        check(
            "127.0.0.1",
            &[("x-forwarded-for", "8.8.8.8"), ("x-forwarded-for", "192.0.2.1")],
            ("192.0.2.1", Transport::Plain, None),
        );
        check("127.0.0.1", &[("x-forwarded-for", "192.0.2.1, unknown")], ("127.0.0.1", Transport::Plain, None));
        check("::ffff:10.0.0.1", &[("x-forwarded-for", "[2001:db8::1]:80")], ("2001:db8::1", Transport::Plain, None));
        check("10.0.0.1", &[("x-forwarded-for", "10.0.0.2, 10.0.0.3")], ("10.0.0.2", Transport::Plain, None));
    }

    #[test]
    fn a_proxy_names_scheme_and_host() {
        let headers = [("x-forwarded-proto", "https"), ("x-forwarded-host", "metrics.example")];
        check("127.0.0.1", &headers, ("127.0.0.1", Transport::Tls, Some("metrics.example")));
        let standard = r#"for=8.8.8.8, For="[2001:db8::1]:4711";proto=https;host="metrics.example""#;
        let standard = [("forwarded", standard)];
        let expected = ("2001:db8::1", Transport::Tls, Some("metrics.example"));
        check_by(ProxyHeaders::Forwarded, "127.0.0.1", &standard, expected);
        let hidden = [("forwarded", "for=_hidden")];
        check_by(ProxyHeaders::Forwarded, "127.0.0.1", &hidden, ("127.0.0.1", Transport::Plain, None));
    }

    #[test]
    fn what_the_proxy_does_not_set_is_the_word_of_whoever_asks() {
        let ours = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "a.example")];
        let theirs = [("forwarded", "for=127.0.0.9;proto=https;host=b.example")];
        let both = [ours.as_slice(), theirs.as_slice()].concat();
        check("127.0.0.1", &both, ("192.0.2.1", Transport::Plain, Some("a.example")));
        check("127.0.0.1", &theirs, ("127.0.0.1", Transport::Plain, None));
        let expected = ("127.0.0.9", Transport::Tls, Some("b.example"));
        check_by(ProxyHeaders::Forwarded, "127.0.0.1", &both, expected);
        check_by(ProxyHeaders::Forwarded, "127.0.0.1", &ours, ("127.0.0.1", Transport::Plain, None));
    }
}
