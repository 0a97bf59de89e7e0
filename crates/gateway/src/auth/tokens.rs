//! The tokens: a line for each, `<name> <scopes> <secret>`, the secret in clear or as its SHA-256.

use std::sync::Arc;

use super::Scopes;
use super::secret::Digest;

/// The shortest secret: what is shorter can be guessed.
const SHORTEST: usize = 16;
/// What stands before a secret that is given as its digest.
const DIGEST_MARK: &str = "sha256:";

/// One token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) name: Arc<str>,
    pub(super) scopes: Scopes,
    digest: Digest,
}

/// Why a list of tokens cannot be used. The secrets are not in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    #[error("line {line} is no token; write `<name> <scopes> <secret>`, such as `booking ingest sha256:9f86d0…`")]
    Form { line: usize },
    #[error("line {line}: {wanted}")]
    Scopes { line: usize, wanted: String },
    #[error("line {line}: a secret has at least {SHORTEST} characters; `bellwether token` makes one")]
    TooShort { line: usize },
    #[error("line {line}: after sha256: come 64 hexadecimal digits; `bellwether token` makes them")]
    BadDigest { line: usize },
    #[error("line {line}: there is another token of the name {name}; give each its own")]
    SameName { line: usize, name: String },
    #[error("line {line}: there is another token of this secret; give each its own")]
    SameSecret { line: usize },
}

/// All tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens(Vec<Token>);

impl Tokens {
    /// Adds the tokens of `text`: one a line, or with `;` between them; empty lines and those that begin
    /// with `#` are left out.
    ///
    /// # Errors
    /// [`TokenFault`] for the first line that is wrong.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), TokenFault> {
        for (index, row) in text.lines().enumerate().filter(|(_, row)| !row.trim_start().starts_with('#')) {
            for token in row.split(';').map(str::trim).filter(|token| !token.is_empty()) {
                self.add_one(token, index + 1)?;
            }
        }
        Ok(())
    }

    fn add_one(&mut self, text: &str, line: usize) -> Result<(), TokenFault> {
        let mut words = text.split_whitespace();
        let (Some(name), Some(scopes), Some(secret), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(TokenFault::Form { line });
        };
        let scopes = Scopes::read(scopes).map_err(|wanted| TokenFault::Scopes { line, wanted })?;
        let digest = match secret.strip_prefix(DIGEST_MARK) {
            Some(hex) => Digest::from_hex(hex).ok_or(TokenFault::BadDigest { line })?,
            None if secret.len() < SHORTEST => return Err(TokenFault::TooShort { line }),
            None => Digest::of(secret),
        };
        if self.0.iter().any(|token| &*token.name == name) {
            return Err(TokenFault::SameName { line, name: name.to_owned() });
        }
        if self.0.iter().any(|token| token.digest.is(&digest)) {
            return Err(TokenFault::SameSecret { line });
        }
        self.0.push(Token { name: name.into(), scopes, digest });
        Ok(())
    }

    /// The token of a secret. Every one is compared, each in constant time.
    pub(super) fn find(&self, secret: &str) -> Option<&Token> {
        let digest = Digest::of(secret);
        let mut found = None;
        for token in &self.0 {
            if token.digest.is(&digest) {
                found = Some(token);
            }
        }
        found
    }

    /// Whether this very token is among them.
    pub(super) fn holds(&self, token: &Token) -> bool {
        self.0.contains(token)
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// `bellwether token`: the line of a token file for a new secret of `name`, and the secret itself.
///
/// # Errors
/// The scopes are none, the name is not one word, or the system gives no random number.
pub(crate) fn make(name: &str, scopes: &str) -> anyhow::Result<(String, super::Secret)> {
    anyhow::ensure!(
        !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || ";#".contains(letter)),
        "the name {name:?} is not one word; give one such as booking"
    );
    let scopes = Scopes::read(scopes).map_err(anyhow::Error::msg)?;
    let secret = super::Secret::new().ok_or_else(|| anyhow::anyhow!("the system gives no random number"))?;
    let line = format!("{name} {} {DIGEST_MARK}{}", scopes.text(), Digest::of(secret.reveal()).hex());
    Ok((line, secret))
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;

    const A: &str = "0123456789abcdef";

    fn read(text: &str) -> Result<Tokens, TokenFault> {
        let mut tokens = Tokens::default();
        tokens.add(text).map(|()| tokens)
    }

    #[test]
    fn tokens_are_read() {
        let digest = Digest::of("another-secret-here").hex();
        let tokens =
            read(&format!("# for the wall\n\nwall read {A}\nall ingest,read,admin sha256:{digest}\n")).unwrap();
        assert_eq!(tokens.len(), 2);
        assert_eq!(&*tokens.find(A).unwrap().name, "wall");
        assert!(tokens.find("another-secret-here").unwrap().scopes.have(Scope::Admin));
        assert!(tokens.find("").is_none() && tokens.find(&digest).is_none());
        assert_eq!(read(&format!("a read {A}; b ingest {A}b;")).unwrap().len(), 2);
        assert!(read("").unwrap().is_empty());
        assert!(read(&format!(" # a read {A}; b ingest,read,admin {A}b")).unwrap().is_empty(), "all is a comment");
    }

    #[track_caller]
    fn check(text: &str, expected: TokenFault) {
        let fault = read(text).unwrap_err();
        assert_eq!(fault, expected);
        assert!(!fault.to_string().contains(A), "{fault}");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_secret() {
        check(&format!("wall {A}"), TokenFault::Form { line: 1 });
        check(&format!("\nwall read {A} more"), TokenFault::Form { line: 2 });
        check("wall read short", TokenFault::TooShort { line: 1 });
        check(&format!("wall read sha256:{A}"), TokenFault::BadDigest { line: 1 });
        check(&format!("a read {A}\na read {A}b"), TokenFault::SameName { line: 2, name: "a".to_owned() });
        check(&format!("a read {A}\nb read {A}"), TokenFault::SameSecret { line: 2 });
        assert!(matches!(read(&format!("a write {A}")), Err(TokenFault::Scopes { line: 1, .. })));
    }

    #[test]
    fn a_new_token_is_its_own() {
        let (line, secret) = make("wall", "read").unwrap();
        let tokens = read(&line).unwrap();
        assert_eq!(&*tokens.find(secret.reveal()).unwrap().name, "wall");
        assert!(!line.contains(secret.reveal()));
        assert!(make("a b", "read").is_err() && make("a", "write").is_err());
    }
}
