//! What went wrong with a process, in sentences with everything that helps to find out why.

use std::{error::Error, fmt};

/// Something that a process did not do. Prints as its text, in tests too.
pub struct Failed(String);

/// With [`Failed`].
pub type Result<T> = std::result::Result<T, Failed>;

/// A failure in one's own words.
pub fn fail(text: impl Into<String>) -> Failed {
    Failed(text.into())
}

impl Failed {
    /// Says what was being done.
    #[must_use]
    pub fn while_doing(self, what: impl fmt::Display) -> Self {
        Self(format!("{what}: {}", self.0))
    }

    /// Adds what helps to find out why, below the sentence.
    #[must_use]
    pub fn with(self, more: &str) -> Self {
        if more.trim().is_empty() { self } else { Self(format!("{}\n{}", self.0, more.trim_end())) }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// `Failed` itself is no `Error`, so that this can be for all that are.
impl<E: Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
