//! What a caller may do.

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
