//! Who may do what: tokens with scopes, sign-ins of readers, tickets of live connections, and users whom a
//! trusted proxy names.

mod attempts;
mod kept;
mod secret;
mod tokens;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::http::HeaderName;

pub(crate) use secret::Secret;
use tokens::Token;
pub(crate) use tokens::{Tokens, make};

use crate::clock::Stopwatch;
use attempts::Attempts;
use kept::Kept;

/// One thing that a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Send samples.
    Ingest,
    /// See figures, alerts, the board and the counters.
    Read,
    /// Change what is stored.
    Admin,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Ingest, Self::Read, Self::Admin];

    /// The scope of a word.
    pub(crate) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// The word for it in files and messages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(u8);

impl Scopes {
    /// Everything.
    pub(crate) const ALL: Self = Self(0b111);

    /// `self` and `scope`.
    pub(crate) const fn with(self, scope: Scope) -> Self {
        Self(self.0 | (1 << scope as u8))
    }

    /// Whether `scope` is among them.
    pub(crate) const fn have(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Reads words with commas between them.
    ///
    /// # Errors
    /// What would be right.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut scopes = Self::default();
        for word in text.split(',') {
            scopes = scopes.with(
                Scope::read(word.trim())
                    .ok_or_else(|| format!("{word:?} is no scope; there are ingest, read and admin"))?,
            );
        }
        Ok(scopes)
    }

    /// As [`Scopes::read`] reads them.
    pub(crate) fn text(self) -> String {
        let words: Vec<_> = Scope::ALL.into_iter().filter(|scope| self.have(*scope)).map(Scope::as_str).collect();
        words.join(",")
    }
}

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
}

impl Principal {
    /// Whoever asks a gateway that asks nobody.
    fn anyone() -> Self {
        Self { name: "anyone".into(), scopes: Scopes::ALL, user: None, ends_in: None }
    }

    fn of(token: &Token) -> Self {
        Self { name: Arc::clone(&token.name), scopes: token.scopes, user: None, ends_in: None }
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
        Some(Principal { name: Arc::clone(&name), scopes: users.scopes, user: Some(name), ends_in: None })
    }

    /// The holder of a token. Cost: one hash, and a comparison for each token, whichever it is.
    ///
    /// # Errors
    /// [`Unknown`] where there is no such token, or too many came that are not.
    pub(crate) fn token(&self, secret: &str, from: IpAddr) -> Result<Principal, Unknown> {
        self.look_up(secret, from).map(|token| Principal::of(&token))
    }

    fn look_up(&self, secret: &str, from: IpAddr) -> Result<Token, Unknown> {
        let now = self.started.elapsed();
        let mut attempts = held(&self.attempts);
        if !attempts.may(from, now) {
            return Err(Unknown::TooManyWrong);
        }
        let token = self.tokens.read().unwrap_or_else(PoisonError::into_inner).find(secret).cloned();
        token.ok_or_else(|| {
            attempts.was_wrong(from, now);
            Unknown::Wrong
        })
    }

    /// Signs a reader in: what the browser is to keep, and who it is.
    ///
    /// # Errors
    /// [`Unknown`] as for [`Access::token`].
    pub(crate) fn sign_in(&self, secret: &str, from: IpAddr) -> Result<(Secret, Principal), Unknown> {
        let token = self.look_up(secret, from)?;
        let session = self.next_session.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let granted = Granted { token, session };
        let principal = self.principal(&granted, self.session_time);
        let key = Secret::new().ok_or(Unknown::Wrong)?;
        held(&self.sessions).put(&key, granted, self.started.elapsed() + self.session_time);
        Ok((key, principal))
    }

    /// Who signed in, as long as the sign-in lasts and its token is known.
    pub(crate) fn session(&self, key: &str) -> Option<Principal> {
        let now = self.started.elapsed();
        let (granted, ends) = held(&self.sessions).get(key, now)?;
        self.still(&granted).then(|| self.principal(&granted, ends.saturating_sub(now)))
    }

    /// Ends a sign-in.
    pub(crate) fn sign_out(&self, key: &str) {
        held(&self.sessions).take(key, self.started.elapsed());
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
        let mut attempts = held(&self.attempts);
        if !attempts.may(from, now) {
            return Err(Unknown::TooManyWrong);
        }
        held(&self.tickets).take(key, now).map(|(principal, _)| principal).ok_or_else(|| {
            attempts.was_wrong(from, now);
            Unknown::Wrong
        })
    }

    /// Takes other tokens from now on; sign-ins of tokens that are gone end.
    ///
    /// A gateway that asked somebody goes on asking: without any token nobody is let in.
    pub(crate) fn replace(&self, tokens: Tokens) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    fn still(&self, granted: &Granted) -> bool {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).holds(&granted.token)
    }

    fn principal(&self, granted: &Granted, ends_in: Duration) -> Principal {
        // Several people may sign in with one token: each sign-in is a person.
        let user = Some(format!("{}#{}", granted.token.name, granted.session).into());
        Principal { user, ends_in: Some(ends_in), ..Principal::of(&granted.token) }
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

    fn access() -> Access {
        let mut tokens = Tokens::default();
        tokens.add(&format!("wall read {READS}\nbooking ingest a-secret-of-booking-1")).unwrap();
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

    #[test]
    fn a_sign_in_ends_with_its_token_and_when_it_is_told_to() {
        let access = access();
        let (key, principal) = access.sign_in(READS, HOME).unwrap();
        assert_eq!(&*principal.name, "wall");
        let (other, second) = access.sign_in(READS, HOME).unwrap();
        assert_ne!(principal.user, second.user, "each sign-in is a person");
        assert!(access.session(key.reveal()).is_some());
        access.sign_out(key.reveal());
        assert_eq!(access.session(key.reveal()), None);
        assert!(access.session(other.reveal()).is_some());
        access.replace(Tokens::default());
        assert_eq!(access.session(other.reveal()), None);
        assert_eq!(access.open(), None, "who asked goes on asking");
    }

    #[test]
    fn a_ticket_is_used_once() {
        let access = access();
        let principal = access.token(READS, HOME).unwrap();
        let (key, _) = access.ticket(&principal).unwrap();
        assert_eq!(access.use_ticket(key.reveal(), HOME).unwrap().scopes, principal.scopes);
        assert_eq!(access.use_ticket(key.reveal(), HOME), Err(Unknown::Wrong));
    }

    #[test]
    fn who_guesses_is_held_up_and_nobody_else() {
        let access = access();
        for _ in 0..3 {
            assert_eq!(access.token("guess", HOME), Err(Unknown::Wrong));
        }
        assert_eq!(access.token(READS, HOME), Err(Unknown::TooManyWrong));
        assert!(access.token(READS, IpAddr::from([192, 0, 2, 1])).is_ok());
    }
}
