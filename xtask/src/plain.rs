//! What is missing on this machine, said in one sentence, with the command that mends it.

use std::fmt;

/// An obstacle that the reader can remove: a sentence and a command (or a short instruction where no command can).
#[derive(Debug)]
pub(crate) struct Plain {
    sentence: String,
    mend: String,
}

impl Plain {
    /// The obstacle as an error that `main` prints without any further wrapping.
    pub(crate) fn error(sentence: impl Into<String>, mend: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self { sentence: sentence.into(), mend: mend.into() })
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nTo mend it:  {}", self.sentence, self.mend)
    }
}

impl std::error::Error for Plain {}

/// The text that `main` prints for `error`: a [`Plain`] one alone, anything else with its chain of causes.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Plain>() {
        Some(plain) => plain.to_string(),
        None => format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_error_stands_alone_and_another_keeps_its_causes() {
        let plain = Plain::error("Port 4000 is taken.", "cargo xtask run --port 4001").context("starting");
        assert_eq!(describe(&plain), "Port 4000 is taken.\nTo mend it:  cargo xtask run --port 4001");
        let other = anyhow::anyhow!("no such file").context("reading x");
        assert_eq!(describe(&other), "reading x: no such file");
    }
}
