//! All settings of the gateway, in one table: names, defaults and what each is for. The file, the
//! environment, the flags, `--help` and the reference are all made of it.

mod file;
mod flags;
mod load;
mod reference;
mod value;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use bellwether_core::time::DurationMs;
use bellwether_wire::ingest::MAX_SAMPLES;
use ipnet::IpNet;

pub use flags::ServeArgs;
pub(crate) use load::{check_file, load};
pub(crate) use reference::shown;
pub(crate) use value::{
    BasePath, Bytes, Count, HeaderNameSetting, HostName, HttpUrl, Limit, LogForm, Origin, Retention,
};

use crate::auth::Scope;
use crate::http::caller::ProxyHeaders;
use value::{Given, Times, Value};

/// What is known of a setting without its value.
struct Known {
    section: &'static str,
    name: &'static str,
    /// What it is for, a line for each sentence.
    help: &'static [&'static str],
    /// The flag's own name, where it is not made of section and name.
    flag: Option<&'static str>,
    /// The word that stands for its value.
    form: &'static str,
    times: Times,
    /// Whether a text would be a value.
    check: fn(&Given) -> Result<(), String>,
}

impl Known {
    /// The name in full: `limits.body`.
    fn key(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The flag, without its dashes.
    fn flag(&self) -> String {
        self.flag.map_or_else(|| self.key().replace(['.', '_'], "-"), str::to_owned)
    }

    /// The environment variable.
    fn variable(&self) -> String {
        format!("BELLWETHER_{}", self.flag().replace('-', "_").to_ascii_uppercase())
    }
}

/// A part of the file.
struct Section {
    name: &'static str,
    help: &'static [&'static str],
}

/// Makes a struct for each section, the struct of all of them, and the table of what is known.
macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $section:ident: $Section:ident {
            $(
                $(#[doc = $help:literal])+
                $name:ident: $kind:ty = $default:expr $(, flag $flag:literal)?;
            )+
        }
    )+) => {
        $(
            $(#[doc = $about])+
            // The same words are the help, where an address stands bare.
            #[allow(rustdoc::bare_urls, reason = "only rustdoc knows the lint, so it cannot be expected")]
            #[derive(Clone, Debug, PartialEq)]
            pub(crate) struct $Section { $( $(#[doc = $help])+ pub(crate) $name: $kind, )+ }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $( $name: $default, )+ }
                }
            }
        )+

        /// The settings, checked.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct Settings { $( $(#[doc = $about])+ pub(crate) $section: $Section, )+ }

        /// The sections, in the order of the file.
        const SECTIONS: &[Section] =
            &[$( Section { name: stringify!($section), help: &[$($about),+] }, )+];

        /// The settings, in the order of the file.
        static KNOWN: &[Known] = &[$($( Known {
            section: stringify!($section),
            name: stringify!($name),
            help: &[$($help),+],
            flag: settings!(@flag $($flag)?),
            form: <$kind as Value>::FORM,
            times: <$kind as Value>::TIMES,
            check: |given| <$kind as Value>::read(given).map(drop),
        }, )+)+];

        impl Settings {
            /// Sets what `known` names.
            ///
            /// # Errors
            /// What would be right, as a request to the reader.
            fn set(&mut self, known: &Known, given: &Given) -> Result<(), String> {
                match (known.section, known.name) {
                    $($( (stringify!($section), stringify!($name)) => {
                        self.$section.$name = <$kind as Value>::read(given)?;
                    } )+)+
                    _ => return Err("there is no such setting".to_owned()),
                }
                Ok(())
            }

            /// The value of what `known` names, as it stands in a file.
            fn toml(&self, known: &Known) -> String {
                match (known.section, known.name) {
                    $($( (stringify!($section), stringify!($name)) => self.$section.$name.toml(), )+)+
                    _ => String::new(),
                }
            }
        }
    };
    (@flag $flag:literal) => { Some($flag) };
    (@flag) => { None };
}

settings! {
    /// Where it listens and to whom it answers.
    server: ServerSettings {
        /// Port to listen on; 0 takes a free one
        port: u16 = 4000, flag "port";
        /// Address to listen on; 0.0.0.0 for all of this machine's
        host: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST), flag "host";
        /// Further host name that the gateway is asked by, such as metrics-store
        allow_hosts: Vec<HostName> = Vec::new(), flag "allow-host";
        /// Origin of pages elsewhere that may read and send, such as https://status.example.org
        allow_origins: Vec<Origin> = Vec::new(), flag "allow-origin";
        /// Path below which a proxy serves the gateway, such as /bellwether; the proxy passes it on
        base_path: BasePath = BasePath::default();
        /// Address or network of a proxy whose word on who asks is believed, such as 10.0.0.0/8
        trusted_proxies: Vec<IpNet> = Vec::new(), flag "trust-proxy";
        /// Header that these proxies set: X-Forwarded-For, with X-Forwarded-Proto and -Host, or Forwarded; the other is not read
        proxy_header: ProxyHeaders = ProxyHeaders::default(), flag "proxy-header";
    }
    /// Who may ask. Without tokens and without users of a proxy, everybody who reaches the gateway.
    auth: AuthSettings {
        /// File of tokens, a line for each: name, scopes (ingest, read, admin), secret
        tokens: Option<PathBuf> = None, flag "tokens";
        /// Listen on more than this machine although nobody is asked who they are
        allow_anyone: bool = false, flag "allow-anyone";
        /// How long a sign-in lasts
        session_time: Limit = Limit::secs(12 * 3_600);
        /// How long a ticket for a live connection may wait to be used
        ticket_time: Limit = Limit::secs(30);
        /// Header in which a trusted proxy names the user it has signed in
        user_header: HeaderNameSetting = HeaderNameSetting::default();
        /// What such users may do: ingest, read, admin
        user_scopes: Vec<Scope> = vec![Scope::Read];
    }
    /// Encryption, by files that are read anew on SIGHUP. Without them a proxy is to see to it.
    tls: TlsSettings {
        /// Certificate as PEM, with those that vouch for it after it
        certificate: Option<PathBuf> = None;
        /// Key of the certificate as PEM
        key: Option<PathBuf> = None;
    }
    /// What is kept, where and how long.
    store: StoreSettings {
        /// Folder of the store; without it ./data, for a simulation ./data-demo
        data_dir: Option<PathBuf> = None, flag "data-dir";
        /// How long raw samples are kept
        retention: Retention = Retention(DurationMs::from_days(90)), flag "retention";
        /// Most room that raw samples take; beyond it the oldest are dropped, but for the last two days
        retention_size: Bytes = Bytes(1 << 40), flag "retention-size";
        /// Free space of the store's disk below which no samples are taken; what is stored is still served
        free_space: Bytes = Bytes(64 << 20), flag "free-space";
    }
    /// What is watched and shown.
    page: PageSettings {
        /// Board file: KPIs, panels and alert rules; without it the built-in board
        board: Option<PathBuf> = None, flag "board";
        /// Folder of the built page; without it `page` beside the binary, else ./dist
        dir: Option<PathBuf> = None, flag "page";
        /// Add two simulated stories, a booking service and a grants office, labelled as a simulation
        demo: bool = false, flag "demo";
        /// Do not sample this machine's processor, memory, disks and network
        no_host_metrics: bool = false, flag "no-host-metrics";
    }
    /// Who is told of alerts.
    alerts: AlertSettings {
        /// Where to tell of firing and resolved alerts: Alertmanager's webhook JSON is POSTed there
        webhook: Option<HttpUrl> = None, flag "alert-webhook";
        /// File with the token that the webhook asks for, sent as `Authorization: Bearer …`; read anew for each call
        webhook_token: Option<PathBuf> = None, flag "alert-webhook-token";
    }
    /// The log, on stderr. How much it says is in the variable RUST_LOG: error, warn, info, debug.
    log: LogSettings {
        /// A line for people, or a JSON object a line
        format: LogForm = LogForm::Text;
    }
    /// How much is taken of whom. What is over is refused and named, never dropped in silence.
    limits: LimitSettings {
        /// Longest body of samples as JSON or lines
        body: Bytes = Bytes(1 << 20);
        /// Longest body of remote write and OTLP, packed or not
        binary_body: Bytes = Bytes(32 << 20);
        /// What all bodies that are being read may take together
        bodies: Bytes = Bytes(256 << 20);
        /// How long a body may take to arrive
        body_time: Limit = Limit::secs(10);
        /// Samples of one body; 10000 at most
        samples: Count = Count(MAX_SAMPLES);
        /// How far ahead of the gateway's clock a sample may be
        future: Limit = Limit::secs(600);
        /// Series in all; a new one beyond is refused
        series: Count = Count(150_000);
        /// Series of one metric
        series_of_metric: Count = Count(50_000);
        /// Batches that wait to be written; who sends more is told to come back
        waiting_batches: Count = Count(1_024);
        /// Samples that wait to be written
        waiting_samples: Count = Count(200_000);
        /// Longest head of a request, its address included
        head: Bytes = Bytes(64 << 10);
        /// How long the head of a request may take to arrive, and how long a connection may ask nothing
        head_time: Limit = Limit::secs(10);
        /// How long a connection may take nothing of its answer
        take_time: Limit = Limit::secs(30);
        /// Live connections in all
        connections: Count = Count(10_000);
        /// Live connections of one address; this machine's own is exempt
        connections_of_address: Count = Count(1_000);
        /// Live connections of one reader who signed in, or whom a proxy names
        connections_of_user: Count = Count(20);
        /// How long a live connection may take to say who it is
        introduction_time: Limit = Limit::secs(5);
        /// Longest message of a live connection; a batch of samples is a body
        message: Bytes = Bytes(64 << 10);
        /// Messages of a live connection in a minute; batches of which something is stored are not counted
        messages: Count = Count(100);
        /// Live values that wait for one connection, and answers; beyond it values are gathered, then it is closed
        queue: Bytes = Bytes(1 << 20);
        /// The same in frames
        queue_frames: Count = Count(1_024);
        /// How long one message to a live connection may take to leave; less than take_time
        send_time: Limit = Limit::secs(10);
        /// How often a live connection is asked whether it is still there; less than idle_time
        ping_time: Limit = Limit::secs(25);
        /// How long a live connection may give no sign of life
        idle_time: Limit = Limit::secs(60);
        /// Wrong tokens of one address in a minute; further ones, and those not heard from there before, are held up
        wrong_tokens: Count = Count(30);
    }
}

impl Settings {
    /// What is wrong between settings that are each right.
    ///
    /// # Errors
    /// One sentence about the first fault.
    fn check(&self) -> Result<(), String> {
        if self.auth.user_header.0.is_some() && self.server.trusted_proxies.is_empty() {
            return Err(
                "auth.user_header is believed of trusted proxies only: name them in server.trusted_proxies, or \
                        leave the header out"
                    .to_owned(),
            );
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err("tls.certificate and tls.key go together: name both, or neither".to_owned());
        }
        if self.auth.ticket_time.get().as_secs() > 30 {
            return Err("auth.ticket_time is 30s at most".to_owned());
        }
        let limits = &self.limits;
        if limits.samples.0 > MAX_SAMPLES {
            return Err(format!("limits.samples is {MAX_SAMPLES} at most"));
        }
        for (shorter, longer, names) in [
            (limits.send_time, limits.take_time, "limits.send_time must be shorter than limits.take_time"),
            (limits.ping_time, limits.idle_time, "limits.ping_time must be shorter than limits.idle_time"),
        ] {
            if shorter.get() >= longer.get() {
                return Err(format!("{names}: {} is not shorter than {}", shorter.0, longer.0));
            }
        }
        Ok(())
    }

    /// The folder of the store.
    pub(crate) fn data_dir(&self) -> PathBuf {
        let default = if self.page.demo { "./data-demo" } else { "./data" };
        self.store.data_dir.clone().unwrap_or_else(|| PathBuf::from(default))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_default_reads_back() {
        let defaults = Settings::default();
        for known in KNOWN {
            let toml = format!("{} = {}", known.name, defaults.toml(known));
            let text = format!("[{}]\n{toml}\n", known.section);
            let mut settings = Settings::default();
            assert_eq!(file::read(&text, None, &mut settings), [], "{text}");
            assert_eq!(settings, defaults, "{text}");
        }
    }

    #[test]
    fn flags_and_variables_are_one_each() {
        let flags: BTreeSet<_> = KNOWN.iter().map(Known::flag).collect();
        assert_eq!(flags.len(), KNOWN.len());
        let body = KNOWN.iter().find(|known| known.key() == "limits.body").unwrap();
        assert_eq!((body.flag().as_str(), body.variable().as_str()), ("limits-body", "BELLWETHER_LIMITS_BODY"));
    }

    #[test]
    fn a_simulation_has_a_folder_of_its_own() {
        let mut settings = Settings::default();
        assert_eq!(settings.data_dir(), PathBuf::from("./data"));
        settings.page.demo = true;
        assert_eq!(settings.data_dir(), PathBuf::from("./data-demo"));
        settings.store.data_dir = Some(PathBuf::from("x"));
        assert_eq!(settings.data_dir(), PathBuf::from("x"));
    }
}
