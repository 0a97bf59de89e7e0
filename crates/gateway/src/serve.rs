//! `bellwether serve`: puts the parts together, runs them, and takes them apart again.

mod files;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use bellwether_core::board::Board;
use bellwether_core::engine::EngineConfig;
use bellwether_core::labels::MetricName;
use bellwether_core::time::DurationMs;
use tokio::sync::{mpsc, watch};

use crate::alerting::{self, BearerFile, Dispatcher, Watch, Webhook};
use crate::auth::Access;
use crate::clock::{self, Stopwatch};
use crate::demo::{BOOKINGS_HISTORY, CASES_HISTORY, Demo};
use crate::host::Host;
use crate::http::body::Bodies;
use crate::http::caller::Proxies;
use crate::http::delivered::Described;
use crate::http::page::Page;
use crate::http::remote_write::Known;
use crate::http::seats::{Room, Seats};
use crate::http::security::AllowList;
use crate::http::server::ServerLimits;
use crate::http::tls::Tls;
use crate::http::{self, Gateway, Life};
use crate::hub::{self, Greeting, Hub, LiveRoom, Recovery, Rounds};
use crate::own::{OwnTelemetry, OwnWork};
use crate::pulse::{self, Sampler};
use crate::settings::{self, ServeArgs, Settings};
use crate::store::{EPOCH_MASK, NewStore, Origin, RedbStore, Retention, Store, StoreError};
use crate::telemetry::{self, Metrics};
use crate::threads::{self, Threads};
use crate::writer::{self, QueueRoom, Writer, WriterQueue, WriterThread};
use files::Files;

/// How long requests under way may take to end after a stop began.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long live connections may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// How long summaries of hours are kept: ten years.
const ROLLUP_RETENTION: DurationMs = DurationMs::from_days(3_653);
/// The seed of the simulation: every start shows the same stories.
const DEMO_SEED: u64 = 2026;

/// Serves until SIGTERM or Ctrl-C.
///
/// # Errors
/// One plain sentence that says what is wrong and how to mend it.
pub(crate) fn serve(arguments: &ServeArgs) -> anyhow::Result<()> {
    let (settings, file) = settings::load(arguments)?;
    telemetry::start_log(settings.log.format);
    if let Some(file) = file {
        tracing::info!(file = %file.display(), "settings are read");
    }
    let page = Page::new(http::page::folder(settings.page.dir.as_deref())?, settings.server.base_path.0.clone());
    let Files { board, access, tls } = files::read(&settings)?;
    // Before the store: a start that fails leaves nothing behind.
    let listener = listen(SocketAddr::new(settings.server.host, settings.server.port))?;
    let address = listener.local_addr().context("the address that is listened on is not known")?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no threads can be started")?;
    let done = runtime.block_on(run(&settings, board, access, tls, page, listener, address));
    // What still blocks (a name look-up, say) must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    done
}

/// `bellwether serve --check`: looks at all that a start reads, and starts nothing.
///
/// # Errors
/// As [`serve`], but for what only a start can find: a taken port, a store that cannot be opened, a page that is not
/// there.
pub(crate) fn check(arguments: &ServeArgs) -> anyhow::Result<()> {
    let (settings, _) = settings::load(arguments)?;
    files::read(&settings).map(drop)
}

/// Opens the store, or makes a new one.
///
/// # Errors
/// One plain sentence; at a start nothing is tried again by itself.
fn open_store(folder: &Path, origin: Origin, reserve_bytes: u64) -> anyhow::Result<RedbStore> {
    let new = NewStore { epoch: clock::random_bits() & EPOCH_MASK, origin, now: clock::now() };
    let opened = RedbStore::open(folder, new);
    opened.map(|store| store.with_reserve(reserve_bytes)).map_err(|error| match error {
        StoreError::Full { reason } => {
            anyhow::anyhow!("the disk of the data folder {folder:?} is full ({reason}); make room and start again")
        }
        StoreError::Io { doing, reason } => anyhow::anyhow!(
            "the disk of the data folder {folder:?} failed while {doing} ({reason}); mend it and start again, or name \
             another folder with --data-dir"
        ),
        error => error.into(),
    })
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {} of {} is taken by another program; stop it, or take another port with --port",
            address.port(),
            address.ip()
        ),
        std::io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "port {} needs more rights than this user has; take a port above 1023 with --port",
            address.port()
        ),
        std::io::ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "{} is no address of this machine; give one of its own with --host, or 0.0.0.0 for all",
            address.ip()
        ),
        _ => anyhow::anyhow!("{address} cannot be listened on: {error}"),
    })?;
    listener.set_nonblocking(true).context("the port cannot be prepared")?;
    Ok(listener)
}

async fn run(
    settings: &Settings,
    board: Arc<Board>,
    access: Access,
    tls: Option<Arc<Tls>>,
    page: Page,
    listener: TcpListener,
    address: SocketAddr,
) -> anyhow::Result<()> {
    // From here on a signal ends the process in order, also while it still reads its store.
    let told_to_stop = Arc::new(AtomicBool::new(false));
    let mut stop_signal = tokio::spawn(noting(stop_signal()?, Arc::clone(&told_to_stop)));
    let (folder, reserve_bytes) = (settings.data_dir(), settings.store.free_space.0 as u64);
    let origin = if settings.page.demo { Origin::Simulated } else { Origin::Measured };
    let opening = tokio::task::spawn_blocking(move || open_store(&folder, origin, reserve_bytes));
    let store = tokio::select! {
        opened = opening => opened.context("the store cannot be opened")??,
        // Whatever the opening does to the file, its end is no worse than that of a crash.
        signal = &mut stop_signal => {
            tracing::info!(signal = signal.context("signals cannot be waited for")?, "stopping before the store is open");
            return Ok(());
        }
    };
    if !address.ip().is_loopback() && access.open().is_some() {
        tracing::warn!(
            %address,
            "NOBODY IS ASKED WHO THEY ARE: whoever reaches this address can read everything and send samples; keep it \
             to a trusted network"
        );
    }
    let in_the_clear = tls.is_none() && settings.server.trusted_proxies.is_empty();
    if !address.ip().is_loopback() && access.open().is_none() && in_the_clear {
        tracing::warn!(
            %address,
            "TOKENS COME UNENCRYPTED: name a certificate with --tls-certificate and --tls-key, or the proxy that \
             encrypts with --trust-proxy"
        );
    }
    let metrics = Metrics::new();
    let demo = store.origin() == Origin::Simulated;
    let greeting = Greeting { board: Arc::clone(&board), demo, version: env!("CARGO_PKG_VERSION") };
    let hub = Arc::new(Hub::new(greeting, live_room(settings))?);
    let (writer, queue) = writer::writer(metrics.clone(), queue_room(settings));
    let (stop_sender, stopping) = watch::channel(false);
    let (connections, mut all_closed) = mpsc::channel(1);
    let gateway = Arc::new(Gateway {
        hub: Arc::clone(&hub),
        writer: writer.clone(),
        metrics: metrics.clone(),
        own: Arc::new(OwnWork::default()),
        access,
        proxies: Proxies::new(settings.server.trusted_proxies.clone(), settings.server.proxy_header),
        base_path: settings.server.base_path.0.clone(),
        allow: AllowList::new(address, &settings.server.allow_hosts, &settings.server.allow_origins),
        life: Life::default(),
        limits: settings.limits.clone(),
        bodies: Bodies::new(settings.limits.bodies.0, settings.limits.body_time.get()),
        described: Described::default(),
        known: Known::default(),
        stopping: stopping.clone(),
        connections,
        seats: Seats::new(Room {
            in_all: settings.limits.connections.0,
            of_address: settings.limits.connections_of_address.0,
            of_user: settings.limits.connections_of_user.0,
        }),
        archives: http::Archives::default(),
    });

    // Served from the start, so that who asks too early is told so.
    let router = http::router(Arc::clone(&gateway), page);
    let listener = tokio::net::TcpListener::from_std(listener).context("the port cannot be prepared")?;
    let serving = tokio::spawn(http::server::serve(listener, router, server_limits(settings), tls.clone(), stopping));

    let (lost, mut missed) = mpsc::unbounded_channel();
    let gateway_of_parts = Arc::clone(&gateway);
    let parts = Parts {
        settings,
        board,
        hub,
        writer,
        metrics,
        gateway: gateway_of_parts,
        address,
        tls: tls.clone(),
        lost,
        told_to_stop,
    };
    let started = tokio::task::block_in_place(|| parts.start(store, queue))?;
    if started.is_some() {
        gateway.life.begin();
        crate::say(&format!("Bellwether is at {}", shown(address, tls.as_deref())));
    }

    let rereading = tokio::spawn(reread(Arc::clone(&gateway), tls, settings.clone()));
    let ended = tokio::select! {
        signal = stop_signal => signal.map(|signal| tracing::info!(signal, "stopping")).context("signals cannot be waited for"),
        // Half a gateway would look well and do wrong: end, so that whoever watches it starts it anew.
        Some(name) = missed.recv() => Err(anyhow::anyhow!(
            "the thread {name:?} ended unexpectedly; start the gateway again and report what the log says above"
        )),
    };
    rereading.abort();
    gateway.life.end();
    stop_sender.send_replace(true);
    if tokio::time::timeout(DRAIN_LIMIT, serving).await.is_err() {
        tracing::warn!("requests under way were cut off");
    }
    let (writer, hub) = (gateway.writer.clone(), Arc::clone(&gateway.hub));
    drop(gateway);
    let closed = async { while all_closed.recv().await.is_some() {} };
    let _late = tokio::time::timeout(CLOSE_LIMIT, closed).await;
    tokio::task::block_in_place(|| {
        let Some((threads, writing)) = started else { return };
        hub.employ(None);
        threads.stop();
        writer.stop();
        // A panic of it is in `ended`.
        let _ended = writing.join();
    });
    tracing::info!("stopped; everything acknowledged is stored");
    ended
}

/// How much may wait on one live connection.
fn live_room(settings: &Settings) -> LiveRoom {
    LiveRoom { bytes: settings.limits.queue.0, frames: settings.limits.queue_frames.0 }
}

/// The address as people type it.
fn shown(address: SocketAddr, tls: Option<&Tls>) -> String {
    let loopback = if address.is_ipv4() { "127.0.0.1" } else { "[::1]" };
    let scheme = if tls.is_some() { "https" } else { "http" };
    if address.ip().is_unspecified() {
        format!("{scheme}://{loopback}:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// Passes on which signal came, and notes for who cannot wait for it that one did.
async fn noting(signal: impl Future<Output = &'static str>, told_to_stop: Arc<AtomicBool>) -> &'static str {
    let signal = signal.await;
    told_to_stop.store(true, Ordering::Release);
    signal
}

/// On SIGHUP, reads tokens and certificate anew; what is wrong with them leaves the old ones in place.
async fn reread(gateway: Arc<Gateway>, tls: Option<Arc<Tls>>, settings: Settings) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return };
        while hang_up.recv().await.is_some() {
            match files::tokens(&settings) {
                Ok(tokens) => {
                    tracing::info!(tokens = tokens.len(), "tokens are read anew");
                    gateway.access.replace(tokens);
                }
                Err(error) => tracing::error!(error = format!("{error:#}"), "the tokens stay as they were"),
            }
            match tls.as_deref().map(Tls::reread) {
                Some(Ok(())) => tracing::info!("the certificate is read anew"),
                Some(Err(error)) => tracing::error!(%error, "the certificate stays as it was"),
                None => {}
            }
        }
    }
    #[cfg(not(unix))]
    drop((gateway, tls, settings));
}

/// Waits for SIGTERM or Ctrl-C; which it was.
fn stop_signal() -> anyhow::Result<impl Future<Output = &'static str>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("signals cannot be waited for")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be waited for")?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            let _asked = tokio::signal::ctrl_c().await;
            "Ctrl-C"
        })
    }
}

fn queue_room(settings: &Settings) -> QueueRoom {
    QueueRoom { batches: settings.limits.waiting_batches.0, samples: settings.limits.waiting_samples.0 }
}

fn server_limits(settings: &Settings) -> ServerLimits {
    ServerLimits {
        head_time: settings.limits.head_time.get(),
        head_bytes: settings.limits.head.0,
        take_time: settings.limits.take_time.get(),
    }
}

fn engine_config(settings: &Settings) -> EngineConfig {
    EngineConfig {
        max_series: settings.limits.series.0,
        max_series_per_metric: settings.limits.series_of_metric.0,
        future_skew: settings.limits.future.0,
        ..EngineConfig::default()
    }
}

/// What the threads are made of.
struct Parts<'a> {
    settings: &'a Settings,
    board: Arc<Board>,
    hub: Arc<Hub>,
    writer: Writer,
    metrics: Metrics,
    gateway: Arc<Gateway>,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    /// Learns the name of a thread that panics.
    lost: mpsc::UnboundedSender<&'static str>,
    /// Whether the start is to be given up.
    told_to_stop: Arc<AtomicBool>,
}

impl Parts<'_> {
    /// Reads the store into the hub, then starts the threads; the writer's handle is apart because
    /// it ends last. `None` where a stop came first: the store is as it was.
    fn start(self, store: RedbStore, queue: WriterQueue) -> anyhow::Result<Option<(Threads, JoinHandle<()>)>> {
        let took = Stopwatch::start();
        let now = clock::now();
        tracing::info!(store = %store.path().display(), "reading the store");
        let told_to_stop = || self.told_to_stop.load(Ordering::Acquire);
        let Some((engine, recovery)) =
            hub::recover(&self.board, engine_config(self.settings), &store, now, &told_to_stop)?
        else {
            return Ok(None);
        };
        let alerts = alerting::restore(&self.board, &store.alerts()?, now);
        let Recovery { series, points, series_left_out, points_left_out, damaged } = recovery;
        let took = took.elapsed();
        tracing::info!(series, points, series_left_out, points_left_out, damaged, ?took, "the store is read");

        let mut threads = Threads::new(self.lost.clone());
        let webhook = self.webhook(&mut threads)?;
        let watch = Watch::new(Arc::clone(&self.board), self.writer.clone(), self.metrics.clone(), webhook, &alerts);
        // Of its own after each start: what pages held before cannot be gone on with, for what was sent of late is
        // forgotten, and a store may have been put back to an older state.
        self.hub.install(engine, alerts, clock::random_bits() & EPOCH_MASK, store.seq());
        self.hub.install_restated(store.restated()?);
        let (hub, metrics) = (Arc::clone(&self.hub), self.metrics.clone());
        let own = Arc::clone(&self.gateway.own);
        let retention = Retention {
            raw: self.settings.store.retention.0,
            raw_bytes: Some(self.settings.store.retention_size.0 as u64),
            rollups: ROLLUP_RETENTION,
        };
        let (restate, orders) = writer::orders();
        let writer = self.writer.clone();
        // It ends with the writer, who alone gives orders.
        let _restating = threads::spawn("restating", &self.lost, move || orders.run(&writer))?;
        let mut writing = WriterThread::new(store, hub, metrics, own, retention, queue, restate);
        let writing = threads::spawn("writer", &self.lost, move || writing.run())?;
        let rounds = Rounds::new();
        let due = rounds.clone();
        let call = threads.start("courier", move |called| rounds.run(&called))?;
        self.hub.employ(Some(due.called_by(call)));
        self.pulse(&mut threads, watch)?;
        self.sampler(&mut threads)?;
        if self.settings.page.demo {
            self.simulation(&mut threads)?;
        }
        Ok(Some((threads, writing)))
    }

    fn webhook(&self, threads: &mut Threads) -> anyhow::Result<Option<Webhook>> {
        let Some(url) = self.settings.alerts.webhook.clone() else { return Ok(None) };
        let bearer = self.settings.alerts.webhook_token.clone().map(BearerFile::new);
        let mut dispatcher = Dispatcher::new(url.0, bearer, self.writer.clone(), self.metrics.clone());
        let wake = threads.start("webhook", move |wake| dispatcher.run(&wake))?;
        Ok(Some(Webhook { wake, address: shown(self.address, self.tls.as_deref()) }))
    }

    fn pulse(&self, threads: &mut Threads, mut watch: Watch) -> anyhow::Result<()> {
        let hub = Arc::clone(&self.hub);
        threads.start("pulse", move |stop| pulse::evaluate(&hub, &mut watch, &stop))?;
        Ok(())
    }

    fn sampler(&self, threads: &mut Threads) -> anyhow::Result<()> {
        let host = if self.settings.page.no_host_metrics {
            None
        } else {
            Host::open().inspect_err(|error| tracing::warn!(%error, "going on without this machine's figures")).ok()
        };
        let sampler = Sampler {
            host,
            telemetry: OwnTelemetry::default(),
            work: Arc::clone(&self.gateway.own),
            metrics: self.metrics.clone(),
            writer: self.writer.clone(),
        };
        threads.start("sampler", move |stop| sampler.run(&stop))?;
        Ok(())
    }

    fn simulation(&self, threads: &mut Threads) -> anyhow::Result<()> {
        let now = clock::now();
        let demo = Demo::new(DEMO_SEED, now)?;
        let newest = |metric| Ok::<_, anyhow::Error>(self.hub.newest(&MetricName::new(metric)?));
        let bookings = pulse::resume(newest("booking_response_time")?, BOOKINGS_HISTORY, now);
        let cases = pulse::resume(newest("resolution_time")?, CASES_HISTORY, now);
        let writer = self.writer.clone();
        threads.start("simulation", move |stop| pulse::simulate(&demo, &writer, bookings, cases, &stop))?;
        Ok(())
    }
}
