//! `GET /ws`: the handshake and the life of one live connection.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use bellwether_wire::frame::{ClientFrame, ErrorFrame, PROTOCOL, ServerFrame, Subscribe};
use bellwether_wire::start_of;
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;

use serde::Deserialize;

use super::allowance::Allowance;
use super::caller::Caller;
use super::errors::ApiError;
use super::produce::{Pace, Produced};
use super::socket::WriteSide;
use super::{Gateway, archive, guard, produce, seats, security};
use crate::auth::{Ended, Principal, Scope};
use crate::clock::{self, Stopwatch};
use crate::hub::{AskedPast, ConnectionId, Frame, Outbound, Past, QueueReceiver, Replies, SubscribeError};
use crate::settings::LimitSettings;
use crate::websocket::{self, Breach};

/// Most bytes of what is said of a message that is refused.
const MAX_ERROR_BYTES: usize = 2_048;
/// How much a connection may send before it has said who it is.
const MAX_INTRODUCTION_BYTES: usize = 8 * 1024;
/// How long a goodbye may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// Upgrades to the live feed.
pub(super) async fn live(
    State(gateway): State<Arc<Gateway>>,
    Extension(caller): Extension<Caller>,
    Extension(allowance): Extension<Allowance>,
    line: Option<Extension<WriteSide>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    gateway.allow.check_origin(&headers)?;
    let upgrade = upgrade.map_err(|rejection| ApiError::Handshake {
        message: format!("this address speaks WebSocket only: {rejection}"),
    })?;
    gateway.ready()?;
    let upgrade = websocket::bounded(upgrade.protocols([PROTOCOL]), websocket::longest(&gateway.limits));
    if upgrade.selected_protocol().is_none() {
        return Err(ApiError::Handshake {
            message: format!("ask for the subprotocol {PROTOCOL} (Sec-WebSocket-Protocol)"),
        });
    }
    let principal = announced(&gateway, &caller, query.as_deref(), &headers).await?;
    let user = principal.as_ref().and_then(|principal| principal.user.as_ref());
    let seat = gateway.seats.take(caller.address, user)?;
    Ok(upgrade.on_upgrade(move |socket| async move {
        let alive = gateway.connections.clone();
        serve(gateway, socket, line.map(|Extension(line)| line), caller, allowance, principal).await;
        drop((seat, alive));
    }))
}

/// Who connects, where the handshake says so: by a ticket, a token or a sign-in. `None` where the first
/// message is to say it; a page of ours cannot, so it is refused at once.
async fn announced(
    gateway: &Gateway,
    caller: &Caller,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Option<Principal>, ApiError> {
    let ticket = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).find(|(name, _)| name == "ticket");
    let announced = match ticket {
        Some((_, ticket)) => {
            gateway.access.use_ticket(&ticket, seats::counted_as(caller.address)).map(Some).map_err(ApiError::from)
        }
        None => match guard::by_headers(gateway, headers, Some(caller), &Method::GET).await {
            Err(ApiError::TokenNeeded) if !security::is_own_page(headers) => Ok(None),
            known => known.map(Some),
        },
    };
    announced.inspect_err(|error| gateway.metrics.refuse(error.code()))
}

/// What a connection that has not said who it is says first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Introduction {
    #[serde(rename = "type")]
    kind: String,
    token: String,
}

impl Introduction {
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|introduction: &Self| introduction.kind == "auth")
    }
}

/// Waits for the first message of a connection and finds out who it is.
async fn introduced(gateway: &Gateway, caller: &Caller, stream: &mut SplitStream<WebSocket>) -> Option<Principal> {
    let first = async {
        loop {
            match stream.next().await?.ok()? {
                Message::Text(text) => return Introduction::read(text.as_str()),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Binary(_) | Message::Close(_) => return None,
            }
        }
    };
    let introduction = timeout(gateway.limits.introduction_time.get(), first).await.ok()??;
    gateway.access.token(&introduction.token, seats::counted_as(caller.address)).await.ok()
}

/// Why a connection ended from our side.
struct Farewell {
    code: u16,
    reason: Cow<'static, str>,
}

impl Farewell {
    const STOPPING: Self = Self::new(close_code::AWAY, "the gateway is stopping; connect again");
    // The first word is for programs: who was let go while its history came does better to wait longer.
    const TOO_SLOW: Self = Self::new(close_code::AGAIN, "slow: this connection does not keep up; connect again");
    const FILLING: Self = Self::new(
        close_code::AGAIN,
        "filling: this connection is too slow for its history and live values; connect again, later",
    );
    const BUSY: Self = Self::new(close_code::AGAIN, "busy: too much history waits to be sent to others; connect again");
    const RESTATED: Self = Self::new(
        close_code::AGAIN,
        "restated: stored samples were corrected; connect again, and the history comes anew",
    );
    const SIGNED_OUT: Self = Self::new(close_code::POLICY, "token: the sign-in has ended; sign in again");
    const WITHDRAWN: Self =
        Self::new(close_code::POLICY, "token: this token is no longer taken; connect with another one");

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    fn too_many(limits: &LimitSettings) -> Self {
        let reason = format!("more than {} messages in a minute", limits.messages.0);
        Self { code: close_code::POLICY, reason: reason.into() }
    }

    fn no_room(limits: &LimitSettings) -> Self {
        let reason = format!("busy: there was no room for {} batches in a minute; connect again", limits.messages.0);
        Self { code: close_code::AGAIN, reason: reason.into() }
    }

    fn too_long(limits: &LimitSettings) -> Self {
        let reason = format!("a message is longer than {} bytes, or a batch than a body may be", limits.message.0);
        Self { code: Breach::TooLong.close_code(), reason: reason.into() }
    }

    fn breach(breach: Breach, limits: &LimitSettings) -> Self {
        let reason = match breach {
            Breach::TooLong => return Self::too_long(limits),
            Breach::NotText => "a text frame holds UTF-8",
            Breach::Rule => "this is not WebSocket as RFC 6455 has it",
        };
        Self::new(breach.close_code(), reason)
    }

    fn unknown(limits: &LimitSettings) -> Self {
        let time = limits.introduction_time.0;
        let reason =
            format!("token: say who you are within {time}, first of all: {{\"type\":\"auth\",\"token\":\"…\"}}");
        Self { code: close_code::POLICY, reason: reason.into() }
    }

    fn silent(limits: &LimitSettings) -> Self {
        let reason = format!("no sign of life for {}; connect again", limits.idle_time.0);
        Self { code: close_code::AWAY, reason: reason.into() }
    }
}

/// Serves one connection until either side ends it.
async fn serve(
    gateway: Arc<Gateway>,
    socket: WebSocket,
    line: Option<WriteSide>,
    caller: Caller,
    allowance: Allowance,
    principal: Option<Principal>,
) {
    let (mut sink, mut stream) = socket.split();
    let principal = match principal {
        Some(principal) => Some(principal),
        None => {
            allowance.limit(MAX_INTRODUCTION_BYTES);
            let introduced = introduced(&gateway, &caller, &mut stream).await;
            allowance.lift();
            introduced
        }
    };
    let Some(principal) = principal else {
        gateway.metrics.refuse(ApiError::TokenNeeded.code());
        return say_goodbye(&mut sink, &mut stream, Farewell::unknown(&gateway.limits)).await;
    };
    let (id, queue) = if principal.scopes.have(Scope::Read) {
        gateway.hub.connect(clock::now())
    } else {
        gateway.hub.connect_producer(clock::now())
    };
    gateway.metrics.subscribers.inc();
    let replies = queue.replies();
    if let Some(line) = line {
        queue.write_to(Arc::new(line.go_live(gateway.metrics.frames_sent.clone())));
    }
    // Each with a waker of its own: a frame to send must not have the others looked at, hundreds of times each second.
    let farewell = {
        let mut parts: FuturesUnordered<Pin<Box<dyn Future<Output = Option<Farewell>> + Send + '_>>> =
            FuturesUnordered::new();
        parts.push(Box::pin(send(&gateway, &mut sink, queue)));
        parts.push(Box::pin(receive(&gateway, id, &principal, &replies, &mut stream)));
        parts.push(Box::pin(ended(&gateway, &principal)));
        parts.push(Box::pin(stopped(&gateway)));
        parts.next().await.flatten()
    };
    gateway.hub.disconnect(id);
    gateway.metrics.subscribers.dec();
    if let Some(farewell) = farewell {
        say_goodbye(&mut sink, &mut stream, farewell).await;
    }
}

/// Waits until the token or the sign-in of a connection has ended.
async fn ended(gateway: &Gateway, principal: &Principal) -> Option<Farewell> {
    Some(match gateway.access.ended(principal).await {
        Ended::Session => Farewell::SIGNED_OUT,
        Ended::Token => Farewell::WITHDRAWN,
    })
}

/// Waits until the gateway stops.
async fn stopped(gateway: &Gateway) -> Option<Farewell> {
    super::stopping(gateway.stopping.clone()).await;
    Some(Farewell::STOPPING)
}

async fn say_goodbye(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    Farewell { code, reason }: Farewell,
) {
    let close = Message::Close(Some(CloseFrame { code, reason: reason.as_ref().into() }));
    let goodbye = async {
        // The other side may be gone already; there is nobody left to tell.
        let _gone = sink.send(close).await;
        // Until it says goodbye too: to hang up on what it is just sending would lose our last word.
        while let Some(Ok(_)) = stream.next().await {}
    };
    let _late = timeout(GOODBYE_LIMIT, goodbye).await;
}

/// Sends what the hub queues, and a ping now and then.
async fn send(
    gateway: &Gateway,
    sink: &mut SplitSink<WebSocket, Message>,
    mut queue: QueueReceiver,
) -> Option<Farewell> {
    let mut ping = tokio::time::interval(gateway.limits.ping_time.get());
    let deadline = gateway.limits.send_time.get();
    // The first tick of an interval comes at once.
    ping.tick().await;
    loop {
        let outbound = tokio::select! {
            outbound = queue.next() => outbound,
            _ = ping.tick() => {
                deliver(sink, deadline, Message::Ping(Bytes::new())).await.ok()?;
                continue;
            }
        };
        if queue.restated() {
            return Some(Farewell::RESTATED);
        }
        if queue.overflowed() {
            return Some(too_slow(gateway, &queue));
        }
        let sent = match outbound? {
            Outbound::Reply(frame) => {
                let bytes = frame.bytes();
                let sent = deliver(sink, deadline, message(frame)).await;
                queue.replied(bytes);
                sent
            }
            Outbound::Live(frame) => {
                let bytes = frame.bytes();
                gateway.metrics.frames_sent.inc();
                let sent = deliver(sink, deadline, message(frame)).await;
                queue.sent(bytes);
                sent
            }
            Outbound::Begun(bytes) => {
                let sent = in_time(deadline, sink.flush()).await;
                queue.sent(bytes);
                sent
            }
            Outbound::Past(past) => {
                let sent = send_past(sink, deadline, &past, &queue).await;
                if sent.is_ok() {
                    queue.sent_past(&past);
                }
                sent
            }
        };
        match sent {
            Ok(()) => {}
            Err(Undelivered::TooSlow) => return Some(too_slow(gateway, &queue)),
            Err(Undelivered::Gone) => return None,
        }
    }
}

/// Counts a connection that does not keep up, and says with what.
fn too_slow(gateway: &Gateway, queue: &QueueReceiver) -> Farewell {
    gateway.metrics.subscribers_too_slow.inc();
    if queue.filling() { Farewell::FILLING } else { Farewell::TOO_SLOW }
}

async fn send_past(
    sink: &mut SplitSink<WebSocket, Message>,
    deadline: Duration,
    past: &Past,
    queue: &QueueReceiver,
) -> Result<(), Undelivered> {
    for frame in past.frames() {
        if queue.overflowed() {
            return Err(Undelivered::TooSlow);
        }
        deliver(sink, deadline, message(frame)).await?;
        // Encoding the past is work: let the others of this thread have their turn.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Why a message did not leave.
enum Undelivered {
    TooSlow,
    Gone,
}

async fn deliver(
    sink: &mut SplitSink<WebSocket, Message>,
    deadline: Duration,
    message: Message,
) -> Result<(), Undelivered> {
    in_time(deadline, sink.send(message)).await
}

async fn in_time(
    deadline: Duration,
    sending: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Undelivered> {
    match timeout(deadline, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Undelivered::Gone),
        Err(_) => Err(Undelivered::TooSlow),
    }
}

fn message(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::Text(text),
        Frame::Binary(bytes) => Message::Binary(bytes),
    }
}

/// How many messages of a reader came in this minute.
struct Minute {
    began: Stopwatch,
    messages: usize,
    most: usize,
}

impl Minute {
    /// Counts one more.
    ///
    /// # Errors
    /// [`TooMany`] where it is one too many.
    fn count(&mut self) -> Result<(), TooMany> {
        if self.began.elapsed() >= Duration::from_secs(60) {
            *self = Self { began: Stopwatch::start(), messages: 0, ..*self };
        }
        self.messages += 1;
        if self.messages > self.most { Err(TooMany) } else { Ok(()) }
    }
}

/// More messages came in a minute than may.
struct TooMany;

/// Takes what the other side says.
async fn receive(
    gateway: &Gateway,
    id: ConnectionId,
    principal: &Principal,
    replies: &Replies,
    stream: &mut SplitStream<WebSocket>,
) -> Option<Farewell> {
    let limits = &gateway.limits;
    let mut minute = Minute { began: Stopwatch::start(), messages: 0, most: limits.messages.0 };
    loop {
        replies.room().await;
        let message = match timeout(limits.idle_time.get(), stream.next()).await {
            Err(_) => return Some(Farewell::silent(limits)),
            Ok(None) => return None,
            Ok(Some(Err(error))) => return Breach::of(error).map(|breach| Farewell::breach(breach, limits)),
            Ok(Some(Ok(message))) => message,
        };
        let heard = match message {
            Message::Text(text) => heard(gateway, id, principal, &mut minute, text.as_str()).await,
            Message::Binary(_) => {
                reply_error(gateway, id, "not_supported", "frames to the gateway are text; binary ones are not taken");
                minute.count().map_err(|TooMany| Farewell::too_many(limits))
            }
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            // The library says it back while it is read on, then the stream ends.
            Message::Close(_) => {
                replies.last();
                Ok(())
            }
        };
        if let Err(farewell) = heard {
            return Some(farewell);
        }
    }
}

/// Acts on one text frame.
///
/// # Errors
/// [`Farewell`] where the connection is to end.
async fn heard(
    gateway: &Gateway,
    id: ConnectionId,
    principal: &Principal,
    minute: &mut Minute,
    text: &str,
) -> Result<(), Farewell> {
    let limits = &gateway.limits;
    let frame = match ClientFrame::decode(text) {
        Ok(ClientFrame::Samples(batch)) if principal.scopes.have(Scope::Ingest) => {
            let Produced { answer, pace } = produce::produce(gateway, batch).await;
            gateway.hub.reply(id, &answer);
            return match pace {
                Pace::Disk => Ok(()),
                Pace::Nothing => minute.count().map_err(|TooMany| Farewell::too_many(limits)),
                Pace::NothingAndNoRoom => minute.count().map_err(|TooMany| Farewell::no_room(limits)),
            };
        }
        frame => frame,
    };
    if text.len() > limits.message.0 {
        return Err(Farewell::too_long(limits));
    }
    minute.count().map_err(|TooMany| Farewell::too_many(limits))?;
    let (needed, batch) = match frame {
        Ok(ClientFrame::Subscribe(subscription)) if principal.scopes.have(Scope::Read) => {
            return subscribe(gateway, id, subscription).await;
        }
        Ok(ClientFrame::Subscribe(_)) => (Scope::Read, None),
        Ok(ClientFrame::Samples(batch)) => (Scope::Ingest, Some(batch.id)),
        Ok(_) => {
            reply_error(gateway, id, "not_supported", "the gateway does not take such frames");
            return Ok(());
        }
        // Who it is was known already, or nobody is asked; a client cannot know that when it says so first of all.
        Err(_) if Introduction::read(text).is_some() => return Ok(()),
        Err(error) => {
            reply_error(gateway, id, error.code(), &error.to_string());
            return Ok(());
        }
    };
    let error = ApiError::ScopeMissing { needed, has: principal.scopes };
    let said = ErrorFrame { batch, ..ErrorFrame::new(error.code(), &error.to_string()) };
    gateway.hub.reply(id, &ServerFrame::Error(said));
    Ok(())
}

async fn subscribe(gateway: &Gateway, id: ConnectionId, subscription: Subscribe) -> Result<(), Farewell> {
    let of = subscription.id;
    let subscribed = match subscription.until {
        None => gateway.hub.subscribe(id, subscription, clock::now()).await,
        Some(until) => match gateway.hub.ask_past(id, subscription, until, clock::now()) {
            Ok(asked) => match past(gateway, asked).await {
                Ok(sent) => sent,
                Err(error) => {
                    refuse(gateway, id, of, error.code(), &error.to_string());
                    return Ok(());
                }
            },
            Err(error) => Err(error),
        },
    };
    match subscribed {
        Ok(()) => Ok(()),
        // An error would say that asking again is of no use.
        Err(SubscribeError::Busy) => Err(Farewell::BUSY),
        Err(error) => {
            refuse(gateway, id, of, error.code(), &error.to_string());
            Ok(())
        }
    }
}

/// Says that the subscription `of` is refused.
fn refuse(gateway: &Gateway, id: ConnectionId, of: u32, code: &str, message: &str) {
    let said = ErrorFrame::new(code, &start_of(message, MAX_ERROR_BYTES));
    gateway.hub.reply(id, &ServerFrame::Error(ErrorFrame { subscription: Some(of), ..said }));
}

/// Sends what was known at an instant of the past, read from the store on a thread of its own.
async fn past(gateway: &Gateway, asked: AskedPast) -> Result<Result<(), SubscribeError>, ApiError> {
    let (permit, snapshot) = archive::ask(gateway).await?;
    let hub = Arc::clone(&gateway.hub);
    let sending = tokio::task::spawn_blocking(move || {
        let sent = hub.send_past(&snapshot, asked);
        drop(permit);
        sent
    });
    // It panics for nobody, and is given up only when the gateway ends.
    Ok(sending.await.map_err(|_| ApiError::Stopping)??)
}

fn reply_error(gateway: &Gateway, id: ConnectionId, code: &str, message: &str) {
    // A message may have a fault in every field.
    let message = start_of(message, MAX_ERROR_BYTES);
    gateway.hub.reply(id, &ServerFrame::Error(ErrorFrame::new(code, &message)));
}
