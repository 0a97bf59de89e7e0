//! A secret: made of random bits, kept as its digest, compared in constant time, never printed.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// A secret that somebody is to be given.
pub(crate) struct Secret(String);

impl Secret {
    /// 256 random bits; `None` where the system gives none.
    pub(crate) fn new() -> Option<Self> {
        let mut bits = [0_u8; 32];
        getrandom::fill(&mut bits).ok()?;
        Some(Self(hex(&bits)))
    }

    /// The secret itself, for whoever is to have it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret. Secrets have too many bits to be guessed, so one round without salt is enough.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of `secret`.
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))?;
        }
        Some(Self(bytes))
    }

    /// As [`Digest::from_hex`] reads it.
    pub(crate) fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Whether both are the same, in the same time whether they are or not.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sha_256() {
        // FIPS 180-4, the example "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc").hex(), abc);
        assert!(Digest::from_hex(abc).unwrap().is(&Digest::of("abc")));
        assert!(!Digest::of("abd").is(&Digest::of("abc")));
        for text in ["", "ba78", &abc.replace('b', "g"), &abc.replacen("ba", "+a", 1)] {
            assert!(Digest::from_hex(text).is_none(), "{text}");
        }
    }

    #[test]
    fn secrets_differ_and_are_not_printed() {
        let (one, other) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), 64);
        assert!(!format!("{one:?} {:?}", Digest::of(one.reveal())).contains(&one.reveal()[..8]));
    }
}
