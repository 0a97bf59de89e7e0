//! What a setting can hold: each type reads itself from text and says what it would have liked to read.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::HeaderName;
use bellwether_core::time::DurationMs;
use ipnet::IpNet;

use crate::auth::Scope;
use crate::http::caller::ProxyHeaders;

/// What was given for a setting: one text, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The texts; a flag or a variable gives one for each time it stands there.
    pub(crate) texts: Vec<String>,
    /// The folder that paths count from, where that is not the working directory.
    pub(crate) folder: Option<PathBuf>,
}

impl Given {
    /// One text that counts from the working directory.
    pub(crate) fn text(text: &str) -> Self {
        Self { texts: vec![text.to_owned()], folder: None }
    }

    /// The only text; of several the last counts.
    fn only(&self) -> &str {
        self.texts.last().map_or("", String::as_str)
    }
}

/// A type that a setting can have.
pub(crate) trait Value: Sized {
    /// The word that stands for a value in the help.
    const FORM: &'static str;
    /// How often a value may stand there.
    const TIMES: Times = Times::Once;

    /// Reads a value.
    ///
    /// # Errors
    /// What would be right, as a request to the reader.
    fn read(given: &Given) -> Result<Self, String>;

    /// The value as it stands in a file.
    fn toml(&self) -> String;
}

/// How often the value of a setting may stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// It has one value.
    Once,
    /// It is there or not; its flag needs no value.
    Switch,
    /// It is a list.
    Many,
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

impl Value for bool {
    const FORM: &'static str = "true|false";
    const TIMES: Times = Times::Switch;

    fn read(given: &Given) -> Result<Self, String> {
        match given.only().trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" | "" => Ok(false),
            _ => Err("give true or false".to_owned()),
        }
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

impl Value for u16 {
    const FORM: &'static str = "PORT";

    fn read(given: &Given) -> Result<Self, String> {
        given.only().parse().map_err(|_| "give a port, 0 to 65535".to_owned())
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

impl Value for IpAddr {
    const FORM: &'static str = "ADDRESS";

    fn read(given: &Given) -> Result<Self, String> {
        if given.only() == "localhost" {
            return Ok(Self::from([127, 0, 0, 1]));
        }
        given.only().parse().map_err(|_| "give an IP address of this machine such as 127.0.0.1 or 0.0.0.0".to_owned())
    }

    fn toml(&self) -> String {
        quoted(&self.to_string())
    }
}

/// How many of something, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) usize);

/// The greatest [`Count`].
const MOST: usize = 1_000_000_000;

impl Value for Count {
    const FORM: &'static str = "COUNT";

    fn read(given: &Given) -> Result<Self, String> {
        let number = given.only().parse().ok().filter(|number| (1..=MOST).contains(number));
        number.map(Self).ok_or_else(|| format!("give a whole number, 1 to {MOST}"))
    }

    fn toml(&self) -> String {
        self.0.to_string()
    }
}

/// A number of bytes, at least one; its text form is `1MiB`, `64KiB` or a bare number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) usize);

/// The units of [`Bytes`], greatest first.
const BYTE_UNITS: [(&str, usize); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
/// The greatest [`Bytes`].
const MOST_BYTES: usize = 1 << 40;

impl Value for Bytes {
    const FORM: &'static str = "BYTES";

    fn read(given: &Given) -> Result<Self, String> {
        let text = given.only().trim();
        let unit = BYTE_UNITS.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, *size)));
        let (number, size) = unit.unwrap_or((text, 1));
        let bytes = number.trim_end().parse::<usize>().ok().and_then(|number| number.checked_mul(size));
        let bytes = bytes.filter(|bytes| (1..=MOST_BYTES).contains(bytes));
        bytes.map(Self).ok_or_else(|| "write a size like 64KiB or 1MiB, at least 1B and at most 1024GiB".to_owned())
    }

    fn toml(&self) -> String {
        let unit = BYTE_UNITS.iter().find(|(_, size)| self.0.is_multiple_of(*size));
        unit.map_or_else(|| self.0.to_string(), |(name, size)| quoted(&format!("{}{name}", self.0 / size)))
    }
}

/// A length of time that something may take: 1 ms to a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) DurationMs);

impl Limit {
    /// `secs` seconds.
    pub(crate) const fn secs(secs: u64) -> Self {
        Self(DurationMs::from_secs(secs))
    }

    /// As the standard library has it.
    pub(crate) const fn get(self) -> Duration {
        Duration::from_millis(self.0.as_millis())
    }
}

impl Value for Limit {
    const FORM: &'static str = "DURATION";

    fn read(given: &Given) -> Result<Self, String> {
        let length: DurationMs = given.only().parse().map_err(|error| format!("{error}"))?;
        if length == DurationMs::ZERO || length > DurationMs::from_days(366) {
            return Err(format!("{length} is out of range; give 1ms to 366d"));
        }
        Ok(Self(length))
    }

    fn toml(&self) -> String {
        quoted(&self.0.to_string())
    }
}

/// How long raw samples are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention(pub(crate) DurationMs);

/// The shortest retention: what the engine holds raw after a restart.
const SHORTEST_RETENTION: DurationMs = DurationMs::from_days(1);
/// The longest retention of raw samples: what the engine's coarsest tier covers.
const LONGEST_RETENTION: DurationMs = DurationMs::from_days(92);

impl Value for Retention {
    const FORM: &'static str = "DURATION";

    fn read(given: &Given) -> Result<Self, String> {
        let length: DurationMs = given.only().parse().map_err(|error| format!("{error}"))?;
        if length < SHORTEST_RETENTION || length > LONGEST_RETENTION {
            return Err(format!("{length} is out of range; give {SHORTEST_RETENTION} to {LONGEST_RETENTION}"));
        }
        Ok(Self(length))
    }

    fn toml(&self) -> String {
        quoted(&self.0.to_string())
    }
}

impl Value for Option<PathBuf> {
    const FORM: &'static str = "PATH";

    fn read(given: &Given) -> Result<Self, String> {
        let path = Path::new(given.only());
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        Ok(Some(given.folder.as_deref().map_or_else(|| path.to_owned(), |folder| folder.join(path))))
    }

    fn toml(&self) -> String {
        quoted(&self.as_deref().unwrap_or(Path::new("")).to_string_lossy())
    }
}

/// The address of an HTTP server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl(pub(crate) String);

impl std::fmt::Debug for HttpUrl {
    /// Never the address itself: the ones of webhooks are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpUrl(…)")
    }
}

impl Value for Option<HttpUrl> {
    const FORM: &'static str = "URL";

    fn read(given: &Given) -> Result<Self, String> {
        let text = given.only();
        if text.is_empty() {
            return Ok(None);
        }
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        match rest {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace) => {
                Ok(Some(HttpUrl(text.to_owned())))
            }
            _ => Err("give a whole address such as http://127.0.0.1:9093/hook".to_owned()),
        }
    }

    fn toml(&self) -> String {
        quoted(self.as_ref().map_or("", |url| &url.0))
    }
}

/// One of a list.
pub(crate) trait Entry: Sized {
    /// The word that stands for it in the help.
    const FORM: &'static str;

    /// Reads it.
    ///
    /// # Errors
    /// What would be right, as a request to the reader.
    fn entry(text: &str) -> Result<Self, String>;

    /// As it reads back.
    fn text(&self) -> String;
}

impl<T: Entry> Value for Vec<T> {
    const FORM: &'static str = T::FORM;
    const TIMES: Times = Times::Many;

    fn read(given: &Given) -> Result<Self, String> {
        given.texts.iter().map(|text| T::entry(text.trim())).collect()
    }

    fn toml(&self) -> String {
        let entries: Vec<_> = self.iter().map(|entry| quoted(&entry.text())).collect();
        format!("[{}]", entries.join(", "))
    }
}

/// A scheme, a host and perhaps a port: what a browser sends in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) String);

impl Entry for Origin {
    const FORM: &'static str = "ORIGIN";

    fn entry(text: &str) -> Result<Self, String> {
        let hint = || format!("{text:?}: give scheme and host such as https://status.example.org, without a path");
        let plain = text.trim_end_matches('/').to_ascii_lowercase();
        let host = plain.strip_prefix("https://").or_else(|| plain.strip_prefix("http://")).ok_or_else(hint)?;
        let right = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        if !host.is_empty() && host.bytes().all(right) { Ok(Self(plain)) } else { Err(hint()) }
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// A name that the gateway is asked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName(pub(crate) String);

impl Entry for HostName {
    const FORM: &'static str = "NAME";

    fn entry(text: &str) -> Result<Self, String> {
        let name = text.to_ascii_lowercase();
        let right = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let port = !name.starts_with('[') && name.contains(':');
        if !name.is_empty() && name.bytes().all(right) && !port {
            Ok(Self(name))
        } else {
            Err(format!("{text:?}: give a bare host name such as metrics-store, without a port"))
        }
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Entry for IpNet {
    const FORM: &'static str = "NETWORK";

    fn entry(text: &str) -> Result<Self, String> {
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Self::from));
        network.ok_or_else(|| format!("{text:?}: give an address or a network such as 10.0.0.0/8"))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Entry for Scope {
    const FORM: &'static str = "SCOPE";

    fn entry(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| format!("{text:?} is no scope; there are ingest, read and admin"))
    }

    fn text(&self) -> String {
        self.as_str().to_owned()
    }
}

/// The path below which the gateway is served: empty, or `/a` or `/a/b`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BasePath(pub(crate) String);

impl Value for BasePath {
    const FORM: &'static str = "PATH";

    fn read(given: &Given) -> Result<Self, String> {
        let path = given.only().trim_end_matches('/');
        let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
        if path.is_empty() || (path.starts_with('/') && plain && !path.contains("//") && !path.contains("/.")) {
            Ok(Self(path.to_owned()))
        } else {
            Err("give a path such as /bellwether, of letters, digits, - and _".to_owned())
        }
    }

    fn toml(&self) -> String {
        quoted(&self.0)
    }
}

/// The name of a header, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderNameSetting(pub(crate) Option<HeaderName>);

impl Value for HeaderNameSetting {
    const FORM: &'static str = "HEADER";

    fn read(given: &Given) -> Result<Self, String> {
        if given.only().is_empty() {
            return Ok(Self(None));
        }
        let name = given.only().parse().map_err(|_| "give the name of a header such as X-Forwarded-User".to_owned())?;
        Ok(Self(Some(name)))
    }

    fn toml(&self) -> String {
        quoted(self.0.as_ref().map_or("", |name| name.as_str()))
    }
}

impl Value for ProxyHeaders {
    const FORM: &'static str = "X-Forwarded-For|Forwarded";

    fn read(given: &Given) -> Result<Self, String> {
        match given.only().to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwarded),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("give X-Forwarded-For or Forwarded".to_owned()),
        }
    }

    fn toml(&self) -> String {
        quoted(match self {
            Self::XForwarded => "X-Forwarded-For",
            Self::Forwarded => "Forwarded",
        })
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogForm {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl Value for LogForm {
    const FORM: &'static str = "text|json";

    fn read(given: &Given) -> Result<Self, String> {
        match given.only() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("give text or json".to_owned()),
        }
    }

    fn toml(&self) -> String {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Value + PartialEq + std::fmt::Debug>(text: &str, expected: Option<T>) {
        assert_eq!(T::read(&Given::text(text)).ok(), expected, "{text}");
    }

    #[test]
    fn sizes_are_read() {
        check("64KiB", Some(Bytes(65_536)));
        check("1 MiB", Some(Bytes(1 << 20)));
        check("12", Some(Bytes(12)));
        for text in ["", "0", "-1", "1MB", "1.5MiB", "MiB", "1025GiB", "99999999999999999999GiB"] {
            check::<Bytes>(text, None);
        }
        assert_eq!(Bytes(65_536).toml(), "\"64KiB\"");
        assert_eq!(Bytes(65_537).toml(), "\"65537B\"");
    }

    #[test]
    fn origins_are_exact() {
        let allowed = |text| Origin::entry(text).ok().map(|origin| origin.0);
        assert_eq!(allowed("https://Status.example.org/").as_deref(), Some("https://status.example.org"));
        assert_eq!(allowed("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        for text in ["*", "status.example.org", "https://", "https://a/b", "ftp://a", "null", "https://a b", ""] {
            assert_eq!(allowed(text), None, "{text}");
        }
    }

    #[test]
    fn other_values_are_checked() {
        check::<Retention>("1h", None);
        check::<Retention>("10y", None);
        check::<Limit>("0s", None);
        check("10s", Some(Limit::secs(10)));
        check::<Option<HttpUrl>>("hook", None);
        check::<Option<HttpUrl>>("http:///hook", None);
        check::<Option<HttpUrl>>("", Some(None));
        check::<u16>("70000", None);
        check::<IpAddr>("localhost.example", None);
        check("localhost", Some(IpAddr::from([127, 0, 0, 1])));
        check("yes", Some(true));
        check::<bool>("perhaps", None);
        check("forwarded", Some(ProxyHeaders::Forwarded));
        check::<ProxyHeaders>("X-Real-IP", None);
        check::<Count>("0", None);
        assert!(HostName::entry("a:80").is_err());
        assert!(HostName::entry("[::1]").is_ok());
        check("/a/b/", Some(BasePath("/a/b".to_owned())));
        for path in ["a", "/a b", "//a", "/../a", "/a\"b", "/{a}"] {
            check::<BasePath>(path, None);
        }
        assert!(IpNet::entry("10.0.0.1").is_ok_and(|network| network.prefix_len() == 32));
        assert!(IpNet::entry("proxy").is_err() && Scope::entry("write").is_err());
    }

    #[test]
    fn a_path_of_a_file_counts_from_its_folder() {
        let given = Given { texts: vec!["board.json".to_owned()], folder: Some(PathBuf::from("/etc/bellwether")) };
        assert_eq!(Option::<PathBuf>::read(&given), Ok(Some(PathBuf::from("/etc/bellwether/board.json"))));
        assert_eq!(Option::<PathBuf>::read(&Given::text("")), Ok(None));
    }
}
