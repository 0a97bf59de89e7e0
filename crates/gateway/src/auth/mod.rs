//! Who may do what: tokens with scopes, sign-ins of readers, tickets of live connections, and users whom a
//! trusted proxy names.

mod attempts;
mod kept;
mod scope;
mod secret;
mod tokens;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::http::HeaderName;
use tokio::sync::watch;

pub(crate) use scope::{Scope, Scopes};
pub(crate) use secret::Secret;
use tokens::Token;
pub(crate) use tokens::{Tokens, make};

use crate::clock::Stopwatch;
use attempts::{Attempts, Verdict};
use kept::{Kept, Room};
use secret::Digest;

/// Who asks, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    /// The token's name or the user's; nothing secret.
    pub(crate) name: Arc<str>,
    pub(crate) scopes: Scopes,
    /// The person whose connections are counted together; a service has no such limit.
    pub(crate) user: Option<Arc<str>>,
    /// After so long a live connection must be asked for again.
    pub(crate) ends_in: Option<Duration>,
    /// What that stands on.
    ground: Ground,
}

/// On what somebody is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ground {
    /// Nobody is asked, or a trusted proxy says so: nothing that could be withdrawn here.
    Given,
    /// A token.
    Token(Token),
    /// A sign-in: its token, and what the sign-in is kept by.
    Session(Token, Digest),
}

/// Why a live connection may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The token is none any more.
    Token,
    /// The sign-in has ended.
    Session,
}

impl Principal {
    /// Whoever asks a gateway that asks nobody.
    fn anyone() -> Self {
        Self { name: "anyone".into(), scopes: Scopes::ALL, user: None, ends_in: None, ground: Ground::Given }
    }

    fn of(token: &Token) -> Self {
        let (name, scopes) = (Arc::clone(&token.name), token.scopes);
        Self { name, scopes, user: None, ends_in: None, ground: Ground::Token(token.clone()) }
    }
}

/// The users whom a trusted proxy names.
#[derive(Clone, Debug)]
pub(crate) struct ProxyUsers {
    /// The header that names them.
    pub(crate) header: HeaderName,
    /// What they may do.
    pub(crate) scopes: Scopes,
}

/// How access is given.
#[derive(Debug)]
pub(crate) struct AccessRules {
    pub(crate) tokens: Tokens,
    pub(crate) users: Option<ProxyUsers>,
    /// How long a sign-in lasts.
    pub(crate) session_time: Duration,
    /// How long a ticket may wait to be used.
    pub(crate) ticket_time: Duration,
    /// Most wrong tokens of one address in a minute.
    pub(crate) most_wrong: usize,
}

/// How long a token is held up where too many wrong ones came from its address.
const GUESS_WAIT: Duration = Duration::from_secs(1);
/// Most sign-ins that are kept; the oldest makes room.
const MOST_SESSIONS: usize = 10_000;
/// Most tickets that wait to be used; the oldest makes room.
const MOST_TICKETS: usize = 10_000;

/// A sign-in: the token it came of, as it was.
#[derive(Clone, Debug)]
struct Granted {
    token: Token,
    session: u64,
}

/// Why nobody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Too many wrong tokens came from the address.
    TooManyWrong,
    /// There is no such token, sign-in or ticket, or it has ended.
    Wrong,
}

/// Gives access.
#[derive(Debug)]
pub(crate) struct Access {
    tokens: RwLock<Tokens>,
    users: Option<ProxyUsers>,
    /// Whether nobody is asked who they are.
    open: bool,
    session_time: Duration,
    ticket_time: Duration,
    started: Stopwatch,
    sessions: Mutex<Kept<Granted>>,
    tickets: Mutex<Kept<Principal>>,
    attempts: Mutex<Attempts>,
    next_session: std::sync::atomic::AtomicU64,
    /// Changes whenever a token or a sign-in may have ended before its time.
    withdrawals: watch::Sender<u64>,
}

impl Access {
    /// Access by `rules`; where they name neither tokens nor a proxy's users, nobody is asked.
    pub(crate) fn new(rules: AccessRules) -> Self {
        Self {
            open: rules.tokens.is_empty() && rules.users.is_none(),
            tokens: RwLock::new(rules.tokens),
            users: rules.users,
            session_time: rules.session_time,
            ticket_time: rules.ticket_time,
            started: Stopwatch::start(),
            sessions: Mutex::new(Kept::new(MOST_SESSIONS)),
            tickets: Mutex::new(Kept::new(MOST_TICKETS)),
            attempts: Mutex::new(Attempts::new(rules.most_wrong)),
            next_session: std::sync::atomic::AtomicU64::new(0),
            withdrawals: watch::Sender::default(),
        }
    }

    /// Whoever it is, where nobody is asked.
    pub(crate) fn open(&self) -> Option<Principal> {
        self.open.then(Principal::anyone)
    }

    /// The users whom a trusted proxy names.
    pub(crate) fn users(&self) -> Option<&ProxyUsers> {
        self.users.as_ref()
    }

    /// A user whom a trusted proxy names.
    pub(crate) fn user(&self, name: &str) -> Option<Principal> {
        let users = self.users.as_ref()?;
        let name: Arc<str> = name.into();
        let user = Some(Arc::clone(&name));
        Some(Principal { name, scopes: users.scopes, user, ends_in: None, ground: Ground::Given })
    }

    /// The holder of a token. Cost: one hash, and a comparison for each token, whichever it is.
    ///
    /// Where too many wrong ones came from the address, a token that was right from there before is heard all the
    /// same, and any other one after a wait, at most ten at a time: guesses are held up, and whoever is right gets in where
    /// not too many wait.
    ///
    /// # Errors
    /// [`Unknown`] where there is no such token, or too many came that are not.
    pub(crate) async fn token(&self, secret: &str, from: IpAddr) -> Result<Principal, Unknown> {
        self.look_up(secret, from).await.map(|token| Principal::of(&token))
    }

    /// The holder of a token, where there is one, without counting it as wrong where not: for what a trusted proxy
    /// says of itself.
    pub(crate) fn token_of_proxy(&self, secret: &str) -> Option<Principal> {
        self.find(secret).map(|token| Principal::of(&token))
    }

    fn find(&self, secret: &str) -> Option<Token> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).find(secret).cloned()
    }

    async fn look_up(&self, secret: &str, from: IpAddr) -> Result<Token, Unknown> {
        let found = self.find(secret);
        let digest = found.as_ref().map(|_| Digest::of(secret));
        let verdict = held(&self.attempts).verdict(from, digest, self.started.elapsed());
        match verdict {
            Verdict::Heard => {}
            // Said of right ones too: the answer tells a guesser nothing.
            Verdict::Refused => return Err(Unknown::TooManyWrong),
            Verdict::Waits => {
                let _waiting = Waiting { attempts: &self.attempts, from };
                tokio::time::sleep(GUESS_WAIT).await;
            }
        }
        let was_held_up = verdict == Verdict::Waits;
        let mut attempts = held(&self.attempts);
        match found.zip(digest) {
            Some((token, digest)) => {
                attempts.was_right(from, digest);
                Ok(token)
            }
            None => {
                attempts.was_wrong(from, self.started.elapsed());
                Err(if was_held_up { Unknown::TooManyWrong } else { Unknown::Wrong })
            }
        }
    }

    /// Signs a reader in: what the browser is to keep, and who it is.
    ///
    /// # Errors
    /// [`Unknown`] as for [`Access::token`].
    pub(crate) async fn sign_in(&self, secret: &str, from: IpAddr) -> Result<(Secret, Principal), Unknown> {
        let token = self.look_up(secret, from).await?;
        let session = self.next_session.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let granted = Granted { token, session };
        let key = Secret::new().ok_or(Unknown::Wrong)?;
        let principal = self.principal(&granted, Digest::of(key.reveal()), self.session_time);
        let room = held(&self.sessions).put(&key, granted, self.started.elapsed() + self.session_time);
        if room == Room::Made {
            self.withdraw();
        }
        Ok((key, principal))
    }

    /// Who signed in, as long as the sign-in lasts and its token is known.
    pub(crate) fn session(&self, key: &str) -> Option<Principal> {
        let now = self.started.elapsed();
        let (granted, ends) = held(&self.sessions).get(key, now)?;
        let is_known = self.holds(&granted.token);
        is_known.then(|| self.principal(&granted, Digest::of(key), ends.saturating_sub(now)))
    }

    /// Ends a sign-in, and the live connections of it.
    pub(crate) fn sign_out(&self, key: &str) {
        held(&self.sessions).take(key, self.started.elapsed());
        self.withdraw();
    }

    /// Waits until somebody may not go on any more; for ever where nothing ends it.
    pub(crate) async fn ended(&self, principal: &Principal) -> Ended {
        let mut withdrawals = self.withdrawals.subscribe();
        let of_itself = async {
            match principal.ends_in {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(of_itself);
        loop {
            if let Some(ended) = self.has_ended(principal) {
                return ended;
            }
            tokio::select! {
                () = &mut of_itself => return Ended::Session,
                // Its other end is `self`, so that it does not close.
                _changed = withdrawals.changed() => {}
            }
        }
    }

    fn has_ended(&self, principal: &Principal) -> Option<Ended> {
        match &principal.ground {
            Ground::Given => None,
            Ground::Token(token) => (!self.holds(token)).then_some(Ended::Token),
            Ground::Session(token, key) => {
                let lasts = held(&self.sessions).holds(key, self.started.elapsed());
                (!lasts || !self.holds(token)).then_some(Ended::Session)
            }
        }
    }

    /// Has every live connection look whether it may go on.
    fn withdraw(&self) {
        self.withdrawals.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// How long a sign-in lasts.
    pub(crate) const fn session_time(&self) -> Duration {
        self.session_time
    }

    /// A ticket for one live connection of `principal`, and how long it may wait; `None` where the system
    /// gives no random number.
    pub(crate) fn ticket(&self, principal: &Principal) -> Option<(Secret, Duration)> {
        let key = Secret::new()?;
        held(&self.tickets).put(&key, principal.clone(), self.started.elapsed() + self.ticket_time);
        Some((key, self.ticket_time))
    }

    /// The holder of a ticket, which is then used up.
    ///
    /// # Errors
    /// [`Unknown`] where it is none, was used or has ended.
    pub(crate) fn use_ticket(&self, key: &str, from: IpAddr) -> Result<Principal, Unknown> {
        let now = self.started.elapsed();
        // Nobody guesses what has 256 random bits and lasts half a minute, so that nothing is held up here.
        held(&self.tickets).take(key, now).map(|(principal, _)| principal).ok_or_else(|| {
            held(&self.attempts).was_wrong(from, now);
            Unknown::Wrong
        })
    }

    /// Takes other tokens from now on; sign-ins and live connections of tokens that are gone end.
    ///
    /// A gateway that asked somebody goes on asking: without any token nobody is let in.
    pub(crate) fn replace(&self, tokens: Tokens) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        self.withdraw();
    }

    fn holds(&self, token: &Token) -> bool {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).holds(token)
    }

    fn principal(&self, granted: &Granted, key: Digest, ends_in: Duration) -> Principal {
        let Granted { token, session } = granted;
        // Several people may sign in with one token: each sign-in is a person.
        let user = Some(format!("{}#{session}", token.name).into());
        let ground = Ground::Session(token.clone(), key);
        Principal { user, ends_in: Some(ends_in), ground, ..Principal::of(token) }
    }
}

/// A token that waits, until it is heard or whoever brought it is gone.
struct Waiting<'a> {
    attempts: &'a Mutex<Attempts>,
    from: IpAddr,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        held(self.attempts).waited(self.from);
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tokens of a file and of a variable together.
///
/// # Errors
/// One sentence about the first fault; no secret is in it.
pub(crate) fn read_tokens(file: Option<&Path>, variable: Option<&str>) -> anyhow::Result<Tokens> {
    let mut tokens = Tokens::default();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            anyhow::anyhow!("the tokens {} cannot be read ({error}); --tokens names a text file", path.display())
        })?;
        tokens.add(&text).map_err(|fault| anyhow::anyhow!("the tokens {}: {fault}", path.display()))?;
    }
    if let Some(text) = variable {
        tokens.add(text).map_err(|fault| anyhow::anyhow!("the variable BELLWETHER_TOKEN_LIST: {fault}"))?;
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const READS: &str = "a-secret-of-readers-1";
    const SENDS: &str = "a-secret-of-booking-1";

    fn access() -> Access {
        let mut tokens = Tokens::default();
        tokens.add(&format!("wall read {READS}\nbooking ingest {SENDS}")).unwrap();
        Access::new(AccessRules {
            tokens,
            users: None,
            session_time: Duration::from_secs(3_600),
            ticket_time: Duration::from_secs(30),
            most_wrong: 3,
        })
    }

    #[test]
    fn scopes_are_read_and_written() {
        let scopes = Scopes::read("read, ingest").unwrap();
        assert!(scopes.have(Scope::Read) && scopes.have(Scope::Ingest) && !scopes.have(Scope::Admin));
        assert_eq!(scopes.text(), "ingest,read");
        assert!(Scopes::read("").is_err() && Scopes::read("write").is_err());
        assert_eq!(Scopes::read("ingest,read,admin"), Ok(Scopes::ALL));
    }

    #[tokio::test]
    async fn a_sign_in_ends_with_its_token_and_when_it_is_told_to() {
        let access = access();
        let (key, principal) = access.sign_in(READS, HOME).await.unwrap();
        assert_eq!(&*principal.name, "wall");
        let (other, second) = access.sign_in(READS, HOME).await.unwrap();
        assert_ne!(principal.user, second.user, "each sign-in is a person");
        assert!(access.session(key.reveal()).is_some());
        access.sign_out(key.reveal());
        assert_eq!(access.session(key.reveal()), None);
        assert!(access.session(other.reveal()).is_some());
        access.replace(Tokens::default());
        assert_eq!(access.session(other.reveal()), None);
        assert_eq!(access.open(), None, "who asked goes on asking");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_connected_is_told_when_that_ends() {
        let access = Arc::new(access());
        let (key, signed_in) = access.sign_in(READS, HOME).await.unwrap();
        let (_, other) = access.sign_in(READS, HOME).await.unwrap();
        let sends = access.token(SENDS, HOME).await.unwrap();
        let reads = access.token(READS, HOME).await.unwrap();
        let (ticket, _) = access.ticket(&signed_in).unwrap();
        let by_ticket = access.use_ticket(ticket.reveal(), HOME).unwrap();
        let wait = |principal: &Principal| {
            let (access, principal) = (Arc::clone(&access), principal.clone());
            tokio::spawn(async move { access.ended(&principal).await })
        };
        let waiting = [&signed_in, &by_ticket, &other, &sends, &reads].map(wait);
        let nobody = wait(&Principal::anyone());
        access.sign_out(key.reveal());
        let [signed_in, by_ticket, other, sends, reads] = waiting;
        assert_eq!((signed_in.await.unwrap(), by_ticket.await.unwrap()), (Ended::Session, Ended::Session));
        let mut left = Tokens::default();
        left.add(&format!("booking ingest {SENDS}")).unwrap();
        access.replace(left);
        assert_eq!((other.await.unwrap(), reads.await.unwrap()), (Ended::Session, Ended::Token));
        assert!(!sends.is_finished() && !nobody.is_finished(), "what is still right goes on");
    }

    #[tokio::test]
    async fn a_ticket_is_used_once() {
        let access = access();
        let principal = access.token(READS, HOME).await.unwrap();
        let (key, _) = access.ticket(&principal).unwrap();
        assert_eq!(access.use_ticket(key.reveal(), HOME).unwrap().scopes, principal.scopes);
        assert_eq!(access.use_ticket(key.reveal(), HOME), Err(Unknown::Wrong));
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_is_held_up_and_who_is_right_gets_in() {
        let access = Arc::new(access());
        let began = tokio::time::Instant::now();
        assert!(access.token(SENDS, HOME).await.is_ok());
        for _ in 0..3 {
            assert_eq!(access.token("guess", HOME).await, Err(Unknown::Wrong));
        }
        assert!(access.token(SENDS, HOME).await.is_ok(), "it was right from there before");
        assert!(access.token(READS, IpAddr::from([192, 0, 2, 1])).await.is_ok(), "it is elsewhere");
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(access.token(READS, HOME).await.is_ok());
        assert_eq!(began.elapsed(), GUESS_WAIT, "it is new there");
        assert_eq!(access.token("guess", HOME).await, Err(Unknown::TooManyWrong));
        assert_eq!(began.elapsed(), 2 * GUESS_WAIT);
        // So many at once wait, the others are not looked at.
        let guesses: Vec<_> = (0..100)
            .map(|_| {
                let access = Arc::clone(&access);
                tokio::spawn(async move { access.token("guess", HOME).await })
            })
            .collect();
        tokio::time::sleep(GUESS_WAIT / 2).await;
        assert_eq!(guesses.iter().filter(|guess| !guess.is_finished()).count(), attempts::MOST_WAITING);
        for guess in guesses {
            assert_eq!(guess.await.unwrap(), Err(Unknown::TooManyWrong));
        }
        assert_eq!(began.elapsed(), 3 * GUESS_WAIT);
        assert!(access.token(READS, HOME).await.is_ok(), "by now it is known there");
        // Who goes away while it waits leaves its place to others.
        for _ in 0..2 * attempts::MOST_WAITING {
            let given_up = tokio::time::timeout(GUESS_WAIT / 100, access.token("guess", HOME)).await;
            assert!(given_up.is_err(), "it waits");
        }
    }
}
