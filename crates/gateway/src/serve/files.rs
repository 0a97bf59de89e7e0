//! The files that the settings name, read and checked before anything is started.

use std::sync::Arc;

use bellwether_core::board::Board;

use crate::alerting::BearerFile;
use crate::auth::{self, Access, AccessRules, ProxyUsers, Scopes};
use crate::board;
use crate::http::tls::{CertificateFiles, Tls};
use crate::settings::Settings;

/// What the files hold that the settings name.
pub(super) struct Files {
    pub(super) board: Arc<Board>,
    pub(super) access: Access,
    pub(super) tls: Option<Arc<Tls>>,
}

/// Reads them.
///
/// # Errors
/// One plain sentence that says which is wrong, and how to mend it.
pub(super) fn read(settings: &Settings) -> anyhow::Result<Files> {
    let board = Arc::new(board::load(settings.page.board.as_deref())?);
    if let Some(token) = settings.alerts.webhook_token.clone() {
        anyhow::ensure!(
            settings.alerts.webhook.is_some(),
            "alerts.webhook_token is for alerts.webhook, which is not set"
        );
        BearerFile::new(token).header()?;
    }
    Ok(Files { board, access: access(settings)?, tls: tls(settings)? })
}

/// The certificate, where one is named.
///
/// # Errors
/// It cannot be used.
fn tls(settings: &Settings) -> anyhow::Result<Option<Arc<Tls>>> {
    let (Some(chain), Some(key)) = (settings.tls.certificate.clone(), settings.tls.key.clone()) else {
        return Ok(None);
    };
    Ok(Some(Arc::new(Tls::open(CertificateFiles { chain, key })?)))
}

/// The variable that holds tokens, as a file of tokens would.
const TOKEN_LIST: &str = "BELLWETHER_TOKEN_LIST";

/// Who may ask.
///
/// # Errors
/// The tokens cannot be read, or more than this machine could ask and nobody would be asked.
fn access(settings: &Settings) -> anyhow::Result<Access> {
    let auth = &settings.auth;
    let tokens = tokens(settings)?;
    let scopes = auth.user_scopes.iter().fold(Scopes::default(), |scopes, scope| scopes.with(*scope));
    let users = auth.user_header.0.clone().map(|header| ProxyUsers { header, scopes });
    let host = settings.server.host;
    anyhow::ensure!(
        host.is_loopback() || !tokens.is_empty() || users.is_some() || auth.allow_anyone,
        "whoever reaches {host} could read everything and send samples: give a file of tokens with --tokens \
         (`bellwether token` makes them), or say with --allow-anyone that nobody is to be asked"
    );
    if !tokens.is_empty() {
        tracing::info!(tokens = tokens.len(), "tokens are read");
    }
    Ok(Access::new(AccessRules {
        tokens,
        users,
        session_time: auth.session_time.get(),
        ticket_time: auth.ticket_time.get(),
        most_wrong: settings.limits.wrong_tokens.0,
    }))
}

/// The tokens of the file and of the environment.
///
/// # Errors
/// They cannot be read, or there is none in a file that was named.
pub(super) fn tokens(settings: &Settings) -> anyhow::Result<auth::Tokens> {
    let file = settings.auth.tokens.as_deref();
    let list = std::env::var(TOKEN_LIST).ok();
    let tokens = auth::read_tokens(file, list.as_deref())?;
    if let Some(file) = file {
        anyhow::ensure!(!tokens.is_empty(), "the tokens {} are none; `bellwether token` makes one", file.display());
    }
    Ok(tokens)
}
