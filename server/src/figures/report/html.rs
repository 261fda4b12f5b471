//! Writes a page that is well-formed by construction: elements close where their content ends, and text is escaped.

/// A page, or a part of one, in the making.
#[derive(Debug, Default)]
pub(super) struct Html(String);

/// Attributes: names of our own, values of anybody's.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Html {
    /// An element with content.
    pub(super) fn el(&mut self, tag: &str, attributes: Attributes<'_>, content: impl FnOnce(&mut Self)) {
        self.open(tag, attributes);
        self.0.push('>');
        content(self);
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
    }

    /// An element with nothing but text.
    pub(super) fn leaf(&mut self, tag: &str, attributes: Attributes<'_>, text: &str) {
        self.el(tag, attributes, |html| html.text(text));
    }

    /// An element that never has content.
    pub(super) fn void(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.open(tag, attributes);
        self.0.push_str("/>");
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // What HTML and XML have no place for.
                c if c.is_control() && c != '\n' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }

    /// A style sheet of our own, which holds no `<`.
    pub(super) fn style(&mut self, css: &str) {
        self.el("style", &[], |html| html.0.push_str(css));
    }

    /// The whole page.
    pub(super) fn into_page(self) -> String {
        format!("<!DOCTYPE html>\n{}\n", self.0)
    }

    fn open(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_stays_text() {
        let mut html = Html::default();
        html.el("p", &[("title", "\"><script>")], |p| p.text("a < b & 'c' \u{1b}[0m"));
        html.void("br", &[]);
        assert_eq!(html.0, "<p title=\"&quot;&gt;&lt;script&gt;\">a &lt; b &amp; &#39;c&#39; \u{fffd}[0m</p><br/>");
    }
}
