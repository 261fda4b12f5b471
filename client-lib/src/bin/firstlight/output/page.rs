//! A page of text: a headline, aligned labels, tables, lines. Everything printed goes through here, and is cleaned.

use super::{Style, When, clean};
use firstlight_protocol::Timestamp;

/// The widest column of labels.
const LABEL: usize = 14;

/// Text being laid out for a person.
#[derive(Debug)]
pub(crate) struct Page {
    style: Style,
    when: When,
    text: String,
}

impl Page {
    /// Empty.
    pub(crate) fn new(style: Style, when: When) -> Self {
        Self { style, when, text: String::new() }
    }

    /// For speaking of times.
    pub(crate) fn when(&self) -> &When {
        &self.when
    }

    /// A headline. An empty line stands before it, unless it is the first.
    pub(crate) fn title(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.raw(&self.style.bold(&clean(text)));
    }

    /// One line of plain text.
    pub(crate) fn line(&mut self, text: &str) {
        self.raw(&clean(text));
    }

    /// One line beside the point.
    pub(crate) fn note(&mut self, text: &str) {
        self.raw(&self.style.dim(&clean(text)));
    }

    /// One line that somebody has to act on.
    pub(crate) fn alarm(&mut self, text: &str) {
        self.raw(&self.style.alarm(&clean(text)));
    }

    /// A label and its value; several lines of a value stand under each other. Nothing for an empty value.
    pub(crate) fn row(&mut self, label: &str, value: &str) {
        self.dressed_row(label, value, |_, line| line.to_owned());
    }

    /// A label and a time.
    pub(crate) fn time(&mut self, label: &str, at: Timestamp) {
        let text = self.when.both(at);
        self.row(label, &text);
    }

    /// A label and a value in a colour.
    pub(crate) fn dressed_row(&mut self, label: &str, value: &str, dress: impl Fn(Style, &str) -> String) {
        for (i, line) in clean(value).lines().filter(|l| !l.trim().is_empty()).enumerate() {
            let label = if i == 0 { label } else { "" };
            let label = format!("{label:<LABEL$}");
            self.raw(&format!("  {}  {}", self.style.dim(&label), dress(self.style, line)));
        }
    }

    /// A table with aligned columns; nothing but `empty` if it has no rows.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>], empty: &str) {
        if rows.is_empty() {
            self.note(&format!("  {empty}"));
            return;
        }
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| clean(cell).replace('\n', " ")).collect()).collect();
        let width = |i: usize| {
            let cells = rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count());
            cells.chain(head.get(i).map(|h| h.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let lay = |cells: &mut dyn Iterator<Item = &str>| {
            let line: String = cells
                .zip(&widths)
                .map(|(cell, width)| format!("  {cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()))))
                .collect();
            line.trim_end().to_owned()
        };
        self.raw(&self.style.dim(&lay(&mut head.iter().copied())));
        for row in &rows {
            let line = lay(&mut row.iter().map(String::as_str));
            self.raw(&line);
        }
    }

    /// The finished text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Text that is already clean and dressed.
    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page::new(Style::Plain, When::utc(Timestamp(0)))
    }

    #[test]
    fn labels_and_tables_are_aligned() {
        let mut p = page();
        p.title("Callout 4f2k1a");
        p.row("state", "paging");
        p.row("nothing", "  ");
        p.row("notes", "one\ntwo");
        p.title("Responders");
        p.table(
            &["NAME", "STATE"],
            &[vec!["Advocate 10".into(), "paged".into()], vec!["Ana".into(), "declined".into()]],
            "nobody",
        );
        p.table(&["X"], &[], "none yet");
        let expected = "Callout 4f2k1a\n  state           paging\n  notes           one\n                  two\n\nResponders\n  NAME         STATE\n  Advocate 10  paged\n  Ana          declined\n  none yet\n";
        assert_eq!(p.into_text(), expected);
    }

    #[test]
    fn a_cell_can_not_break_out_of_its_line() {
        let mut p = page();
        p.table(&["NAME"], &[vec!["a\nb\x1b[31m".into()]], "");
        p.line("x\x07");
        assert_eq!(p.into_text(), "  NAME\n  a b\u{fffd}[31m\nx\u{fffd}\n");
    }
}
