//! Few colours, with one meaning each: they repeat what the words say and never replace them.

/// How text is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// For a terminal.
    Colour,
}

impl Style {
    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Colour if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }

    /// A headline.
    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What is beside the point: labels, ids, seconds ago.
    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// As it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Waiting for somebody.
    pub(crate) fn waiting(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Somebody has to do something now.
    pub(crate) fn alarm(self, text: &str) -> String {
        self.wrap("1;31", text)
    }
}

/// Text from another person or machine, safe to print: a message must not move the cursor, colour the screen, or turn
/// the reading direction around to forge a line.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            '\t' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_can_not_dress_up_as_something_else() {
        assert_eq!(clean("a\x1b[2Jb\r\u{202e}c\td\ne"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c d\ne");
        assert_eq!(clean("niña, 李, 35'"), "niña, 李, 35'");
    }

    #[test]
    fn plain_adds_nothing() {
        assert_eq!(Style::Plain.alarm("x"), "x");
        assert_eq!(Style::Colour.good("x"), "\x1b[32mx\x1b[0m");
        assert_eq!(Style::Colour.good(""), "");
    }
}
