//! A value that comes from elsewhere.

/// Where the value stands; each of the four has a screen of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Remote<T> {
    /// Nobody has asked for it.
    #[default]
    NotAsked,
    /// It is on its way.
    Loading,
    /// It is here.
    Ready(T),
    /// It will not come; the sentence says why and how to mend it.
    Failed(String),
}

impl<T> Remote<T> {
    /// The value, where it is here.
    pub const fn ready(&self) -> Option<&T> {
        match self {
            Self::Ready(value) => Some(value),
            Self::NotAsked | Self::Loading | Self::Failed(_) => None,
        }
    }
}
