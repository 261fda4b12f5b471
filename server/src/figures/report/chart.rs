//! Bar charts as inline SVG, each with a title and a description for whoever can't see it.

use super::html::Html;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 6.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 28.0;
/// The widest bar.
const WIDEST: f64 = 44.0;

/// One place on the horizontal axis.
#[derive(Debug, Clone, Default)]
pub(super) struct Bar {
    /// What stands under it; empty: nothing.
    pub(super) label: String,
    /// Its value; absent: nothing was measured.
    pub(super) value: Option<f64>,
    /// A second, larger one behind it.
    pub(super) behind: Option<f64>,
    /// What stands above it.
    pub(super) note: String,
    /// Nothing is drawn, since it is withheld.
    pub(super) withheld: bool,
}

/// A chart.
#[derive(Debug)]
pub(super) struct Chart<'a> {
    /// Tells its title and description apart from those of other charts.
    pub(super) id: &'a str,
    /// What it is.
    pub(super) title: &'a str,
    /// What it shows, in words.
    pub(super) description: &'a str,
    /// What stands after the numbers of the vertical axis.
    pub(super) unit: &'a str,
    /// The class of its bars.
    pub(super) class: &'a str,
    /// The axis ends here at least.
    pub(super) at_least: f64,
    /// The bars.
    pub(super) bars: Vec<Bar>,
}

impl Chart<'_> {
    /// Nothing was measured, and nothing is withheld.
    pub(super) fn is_empty(&self) -> bool {
        self.bars.iter().all(|bar| bar.value.is_none() && bar.behind.is_none() && !bar.withheld)
    }

    /// Draws it.
    pub(super) fn draw(&self, html: &mut Html) {
        let (title, description) = (format!("{}-title", self.id), format!("{}-description", self.id));
        let names = format!("{title} {description}");
        let size = format!("0 0 {WIDTH} {HEIGHT}");
        html.el("svg", &[("viewBox", &size), ("role", "img"), ("aria-labelledby", &names)], |svg| {
            svg.leaf("title", &[("id", &title)], self.title);
            svg.leaf("desc", &[("id", &description)], self.description);
            let (step, end) = axis(self.largest());
            self.lines(svg, step, end);
            for (i, bar) in self.bars.iter().enumerate() {
                self.bar(svg, i, bar, end);
            }
        });
    }

    fn largest(&self) -> f64 {
        self.bars.iter().flat_map(|bar| [bar.value, bar.behind]).flatten().fold(self.at_least, f64::max)
    }

    fn lines(&self, svg: &mut Html, step: f64, end: f64) {
        let mut tick = 0.0;
        while tick <= end + step / 2.0 {
            let y = height(tick, end);
            let class = if tick == 0.0 { "base" } else { "grid" };
            let (x1, x2, at) = (place(LEFT), place(WIDTH - RIGHT), place(y));
            svg.void("line", &[("class", class), ("x1", &x1), ("x2", &x2), ("y1", &at), ("y2", &at)]);
            let (x, y) = (place(LEFT - 8.0), place(y + 4.0));
            let text = if self.unit.is_empty() { plain(tick) } else { format!("{} {}", plain(tick), self.unit) };
            svg.leaf("text", &[("x", &x), ("y", &y), ("text-anchor", "end")], &text);
            tick += step;
        }
    }

    fn bar(&self, svg: &mut Html, i: usize, bar: &Bar, end: f64) {
        let room = (WIDTH - LEFT - RIGHT) / self.bars.len().max(1) as f64;
        let width = (room * 0.62).min(WIDEST);
        let middle = LEFT + room * (i as f64 + 0.5);
        let rect = |svg: &mut Html, class: &str, width: f64, value: f64| {
            let top = height(value, end);
            let tall = height(0.0, end) - top;
            let (x, y, w, h) = (place(middle - width / 2.0), place(top), place(width), place(tall));
            svg.void("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &w), ("height", &h), ("rx", "2")]);
        };
        if bar.withheld {
            rect(svg, "withheld", width, end * 0.06);
        }
        if let Some(behind) = bar.behind {
            rect(svg, "p90", width, behind);
        }
        if let Some(value) = bar.value.filter(|value| *value > 0.0) {
            let narrower = if bar.behind.is_some() { width * 0.56 } else { width };
            rect(svg, self.class, narrower, value);
        }
        let x = place(middle);
        if !bar.note.is_empty() {
            let highest = bar.behind.into_iter().chain(bar.value).fold(0.0, f64::max);
            let y = place(height(highest, end) - 6.0);
            svg.leaf("text", &[("class", "value"), ("x", &x), ("y", &y), ("text-anchor", "middle")], &bar.note);
        }
        if !bar.label.is_empty() {
            let y = place(HEIGHT - 8.0);
            svg.leaf("text", &[("x", &x), ("y", &y), ("text-anchor", "middle")], &bar.label);
        }
    }
}

/// Where a value is on the page.
fn height(value: f64, end: f64) -> f64 {
    HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / end
}

fn place(at: f64) -> String {
    plain((at * 10.0).round() / 10.0)
}

fn plain(n: f64) -> String {
    format!("{n}")
}

/// The step between two lines and the end of an axis that reaches `largest` in at most five steps of 1, 2 or 5.
fn axis(largest: f64) -> (f64, f64) {
    let mut step = 1.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(60) {
        if step * 5.0 >= largest {
            break;
        }
        step *= factor;
    }
    (step, step * (largest / step).ceil().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps_and_reach_far_enough() {
        for (largest, expected) in
            [(0.0, (1.0, 1.0)), (3.0, (1.0, 3.0)), (7.0, (2.0, 8.0)), (23.0, (5.0, 25.0)), (100.0, (20.0, 100.0))]
        {
            assert_eq!(axis(largest), expected);
        }
        for largest in 1..5_000 {
            let (step, end) = axis(f64::from(largest));
            assert!(end >= f64::from(largest) && end / step <= 5.0, "{largest}: {step} {end}");
        }
    }
}
