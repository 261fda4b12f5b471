//! The printable report: one page that loads nothing, with charts, their tables, and how everything was computed.

mod chart;
mod html;
mod words;

use super::{
    facts::Fact,
    suppress::{Cell, OTHERS, hidden},
    table::{Wish, table},
};
use chart::{Bar, Chart};
use firstlight_protocol::{
    figures::{FigureTable, Figures, GroupBy, TimeFigure},
    policy::Millis,
};
use html::Html;
use words::{NOTHING, WITHHELD};

const STYLE: &str = include_str!("style.css");

/// The page.
pub(super) fn page(facts: &[Fact], wish: &Wish) -> String {
    let months = table(facts, GroupBy::Month, wish);
    let mut html = Html::default();
    html.el("html", &[("lang", "en")], |html| {
        html.el("head", &[], |head| {
            head.void("meta", &[("charset", "utf-8")]);
            head.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            head.void("meta", &[("name", "robots"), ("content", "noindex")]);
            head.leaf("title", &[], "Callouts: how they were answered");
            head.style(STYLE);
        });
        html.el("body", &[], |body| {
            heading(body, wish);
            summary(body, &months.total);
            body.el("main", &[], |main| {
                times(main, &months, "arrive", "Until somebody was there", |f| f.to_arrive);
                times(main, &months, "accept", "Until somebody was going", |f| f.to_accept);
                within_target(main, &months);
                hours(main, facts, wish);
                unanswered(main, &months);
                figures(main, "By month", &months);
                figures(main, "By zone", &table(facts, GroupBy::Zone, wish));
                figures(main, "By agency", &table(facts, GroupBy::Agency, wish));
            });
            method(body, wish);
        });
    });
    html.into_page()
}

fn heading(body: &mut Html, wish: &Wish) {
    let date = |at| wish.calendar.date(at).strftime("%-d %B %Y").to_string();
    let last = firstlight_protocol::Timestamp(wish.period.until.0.saturating_sub(1));
    body.el("header", &[], |header| {
        header.leaf("h1", &[], "Callouts: how they were answered");
        let period = format!("Opened from {} to {} ({})", date(wish.period.from), date(last), wish.calendar.name());
        header.leaf("p", &[("class", "soft")], &format!("{period}. Made on {}.", date(wish.now)));
        let badge = if wish.outside {
            "May leave the organisation: small cells are withheld"
        } else {
            "For the organisation itself: holds small cells, don't pass it on"
        };
        header.leaf("span", &[("class", "badge")], badge);
    });
}

/// The whole in one sentence and five numbers.
fn summary(body: &mut Html, total: &Figures) {
    let callouts = match total.callouts {
        Some(0) => "There was no callout in this time.".to_owned(),
        Some(1) => "There was one callout in this time.".to_owned(),
        Some(n) => format!("There were {n} callouts in this time."),
        None => "There were too few callouts in this time to say anything about them outside.".to_owned(),
    };
    let mut sentence = callouts;
    if let Some(TimeFigure { median_ms: Some(median), p90_ms: Some(p90), .. }) = total.to_arrive {
        sentence += &format!(
            " In half of them somebody was there within {}, in nine of ten within {}.",
            words::took(median),
            words::took(p90)
        );
    }
    body.leaf("p", &[("class", "lead")], &sentence);
    let voids = match (total.duplicates, total.cancelled) {
        (Some(duplicates), Some(cancelled)) => format!("{duplicates} duplicates, {cancelled} cancelled"),
        _ => "with duplicates and cancelled ones".to_owned(),
    };
    let median = |time| words::both(time, words::took).into_iter().next().unwrap_or_default();
    let p90 = |time: Option<TimeFigure>| {
        let p90 = time.and_then(|time| time.p90_ms);
        p90.map_or_else(String::new, |time| format!("nine of ten within {}", words::took(time)))
    };
    let tiles = [
        (words::count(total.callouts), "callouts", voids),
        (median(total.to_accept), "median until somebody was going", p90(total.to_accept)),
        (median(total.to_arrive), "median until somebody was there", p90(total.to_arrive)),
        (words::per_cent(total.within_target), "there within the target", String::new()),
        (words::count(total.unanswered), "unanswered at first", "everyone called, nobody going yet".to_owned()),
    ];
    body.el("ul", &[("class", "tiles")], |list| {
        for (number, label, more) in tiles {
            list.el("li", &[], |tile| {
                let class = if number == WITHHELD || number == NOTHING { "n small" } else { "n" };
                tile.leaf("span", &[("class", class)], &number);
                tile.leaf("span", &[("class", "l")], label);
                if !more.is_empty() {
                    tile.leaf("span", &[("class", "m")], &more);
                }
            });
        }
    });
}

/// A bar for each month that has a row of its own.
fn monthly(months: &FigureTable, bar: impl Fn(&Figures) -> Bar) -> Vec<Bar> {
    let rows = months.rows.iter().filter(|row| row.key != OTHERS).enumerate();
    rows.map(|(i, row)| Bar { label: words::short_month(&row.key, i == 0), ..bar(&row.figures) }).collect()
}

fn times(main: &mut Html, months: &FigureTable, id: &str, title: &str, get: fn(&Figures) -> Option<TimeFigure>) {
    let longest = months.rows.iter().filter_map(|row| get(&row.figures)?.p90_ms).max().unwrap_or(Millis(0));
    let (unit, ms) = match longest.0 {
        0..180_000 => ("s", 1_000.0),
        180_000..10_800_000 => ("min", 60_000.0),
        _ => ("h", 3_600_000.0),
    };
    let value = |time: Option<Millis>| time.map(|time| time.0 as f64 / ms);
    let bars = monthly(months, |f| {
        let time = get(f);
        Bar {
            value: value(time.and_then(|time| time.median_ms)),
            behind: value(time.and_then(|time| time.p90_ms)),
            withheld: time.is_none(),
            ..Bar::default()
        }
    });
    let told = |row: &firstlight_protocol::figures::FigureRow| {
        let [median, p90] = words::both(get(&row.figures), words::took);
        format!("{}: median {median}, p90 {p90}", words::month(&row.key))
    };
    let description = format!("Median and p90 by month. {}.", list(months, told));
    section(main, title, |section| {
        let chart = Chart { id, title, description: &description, unit, class: "median", at_least: 1.0, bars };
        figure(section, &chart, |caption| {
            caption.leaf("span", &[("class", "key k-median")], "");
            caption.text("median");
            caption.leaf("span", &[("class", "key k-p90")], "");
            caption.text("p90: nine of ten took no longer");
        });
    });
}

fn within_target(main: &mut Html, months: &FigureTable) {
    let bars = monthly(months, |f| {
        let share = f.within_target.and_then(|share| share.per_cent);
        Bar {
            value: share.map(f64::from),
            note: share.map_or_else(String::new, |n| format!("{n} %")),
            withheld: f.within_target.is_none(),
            ..Bar::default()
        }
    });
    let told = |row: &firstlight_protocol::figures::FigureRow| {
        format!("{}: {}", words::month(&row.key), words::per_cent(row.figures.within_target))
    };
    let description = format!("Share of callouts by month. {}.", list(months, told));
    let title = "Somebody there within the target";
    section(main, title, |section| {
        let chart =
            Chart { id: "target", title, description: &description, unit: "%", class: "bar", at_least: 100.0, bars };
        figure(section, &chart, |caption| caption.text("Share of the callouts of each month that are decided."));
    });
}

fn unanswered(main: &mut Html, months: &FigureTable) {
    let bars = monthly(months, |f| Bar {
        value: f.unanswered.map(|n| n as f64),
        note: f.unanswered.filter(|n| *n > 0).map_or_else(String::new, |n| n.to_string()),
        withheld: f.unanswered.is_none(),
        ..Bar::default()
    });
    let told = |row: &firstlight_protocol::figures::FigureRow| {
        format!("{}: {}", words::month(&row.key), words::count(row.figures.unanswered))
    };
    let description = format!("Callouts by month. {}.", list(months, told));
    let title = "Unanswered at first";
    section(main, title, |section| {
        let chart =
            Chart { id: "unanswered", title, description: &description, unit: "", class: "warm", at_least: 1.0, bars };
        figure(section, &chart, |caption| {
            caption.text("Callouts in which everyone qualified had been called and nobody had accepted yet.");
        });
    });
}

fn hours(main: &mut Html, facts: &[Fact], wish: &Wish) {
    let mut counts = [0u64; 24];
    for fact in facts {
        if let Some(count) = counts.get_mut(wish.calendar.hour(fact.times.opened_at)) {
            *count += 1;
        }
    }
    let all = facts.len() as u64;
    let cells = counts.map(|part| Cell { part, rest: all - part });
    let whole = Cell { part: all, rest: 0 };
    let withheld = if wish.outside { hidden(&cells, whole) } else { vec![false; counts.len()] };
    let shown: Vec<Option<u64>> = counts.iter().zip(withheld).map(|(n, hide)| (!hide).then_some(*n)).collect();
    let bars = shown.iter().enumerate().map(|(hour, count)| Bar {
        label: if hour % 3 == 0 { format!("{hour:02}:00") } else { String::new() },
        value: count.map(|n| n as f64),
        note: count.filter(|n| *n > 0).map_or_else(String::new, |n| n.to_string()),
        withheld: count.is_none(),
        ..Bar::default()
    });
    let told: Vec<String> =
        shown.iter().enumerate().map(|(hour, count)| format!("{hour:02}:00: {}", words::count(*count))).collect();
    let description = format!("Callouts by the hour in which they were opened, local time. {}.", told.join("; "));
    let title = "Callouts by hour of day";
    section(main, title, |section| {
        let (id, class, bars) = ("hours", "bar", bars.collect());
        let chart = Chart { id, title, description: &description, unit: "", class, at_least: 1.0, bars };
        figure(section, &chart, |caption| {
            caption.text(&format!("The hour in which they were opened, {}.", wish.calendar.name()));
        });
        section.el("div", &[("class", "wide")], |wide| {
            wide.el("table", &[], |table| {
                marks(table, "Callouts.", wish.outside);
                for (begin, half) in [("Hours 0 to 11", &shown[..12]), ("Hours 12 to 23", &shown[12..])] {
                    table.el("tbody", &[], |body| {
                        body.el("tr", &[], |row| {
                            row.leaf("th", &[("scope", "row")], begin);
                            half.iter().for_each(|count| cell(row, &words::count(*count)));
                        });
                    });
                }
            });
        });
    });
}

fn list(months: &FigureTable, told: impl Fn(&firstlight_protocol::figures::FigureRow) -> String) -> String {
    let told: Vec<String> = months.rows.iter().map(told).collect();
    if told.is_empty() { "Nothing to show".to_owned() } else { told.join("; ") }
}

fn section(main: &mut Html, title: &str, content: impl FnOnce(&mut Html)) {
    main.el("section", &[], |section| {
        section.leaf("h2", &[], title);
        content(section);
    });
}

fn figure(section: &mut Html, chart: &Chart<'_>, caption: impl FnOnce(&mut Html)) {
    section.el("figure", &[], |figure| {
        if chart.is_empty() {
            figure.leaf("p", &[("class", "soft")], "Nothing to show in this time.");
        } else {
            chart.draw(figure);
        }
        figure.el("figcaption", &[], |html| {
            caption(html);
            if chart.bars.iter().any(|bar| bar.withheld) {
                html.text(" Dashed: withheld.");
            }
        });
    });
}

fn figures(main: &mut Html, title: &str, table: &FigureTable) {
    const HEAD: [&str; 12] = [
        "Callouts",
        "Contact to callout",
        "Awake, median",
        "p90",
        "Going, median",
        "p90",
        "There, median",
        "p90",
        "Within target",
        "Unan\u{ad}swered",
        "Dupli\u{ad}cates",
        "Lan\u{ad}guage match",
    ];
    section(main, title, |section| {
        section.el("div", &[("class", "wide")], |wide| {
            wide.el("table", &[], |html| {
                let words = "Times in minutes and seconds, from one hour on in hours, minutes and seconds.";
                marks(html, words, table.outside);
                html.el("thead", &[], |head| {
                    head.el("tr", &[], |row| {
                        row.leaf("th", &[("scope", "col")], "");
                        HEAD.iter().for_each(|title| row.leaf("th", &[("scope", "col")], title));
                    });
                });
                html.el("tbody", &[], |body| {
                    for row in &table.rows {
                        let key = match table.by {
                            GroupBy::Month => words::month(&row.key),
                            _ => row.name.clone().unwrap_or_else(|| words::others(&row.key)),
                        };
                        line(body, &key, &row.figures);
                    }
                });
                html.el("tfoot", &[], |foot| line(foot, "All", &table.total));
            });
        });
    });
}

fn line(body: &mut Html, key: &str, f: &Figures) {
    body.el("tr", &[], |row| {
        row.leaf("th", &[("scope", "row")], key);
        let times = [f.to_acknowledge, f.to_accept, f.to_arrive];
        cell(row, &words::count(f.callouts));
        cell(row, &words::both(f.first_contact_to_callout, words::clock)[0]);
        for time in times {
            words::both(time, words::clock).iter().for_each(|time| cell(row, time));
        }
        cell(row, &words::per_cent(f.within_target));
        cell(row, &words::count(f.unanswered));
        cell(row, &words::count(f.duplicates));
        cell(row, &words::per_cent(f.language_match));
    });
}

/// A cell; a withheld one has a mark that the words below the table explain, since the word itself has no room there.
fn cell(row: &mut Html, text: &str) {
    match text {
        WITHHELD => row.leaf("td", &[("class", "none"), ("aria-label", WITHHELD)], "*"),
        NOTHING => row.leaf("td", &[("class", "none")], NOTHING),
        text => row.leaf("td", &[], text),
    }
}

/// What the marks of a table mean.
fn marks(table: &mut Html, words: &str, outside: bool) {
    let star = if outside { " *: withheld." } else { "" };
    table.leaf("caption", &[], format!("{words}{star}").trim());
}

/// How everything was computed.
fn method(body: &mut Html, wish: &Wish) {
    let mut terms = vec![
        (
            "Times",
            "From the moment at which the callout was received until somebody was awake, going, there for the first \
          time. Contact to callout: the median from the officer's first contact.",
        ),
        (
            "Median, p90",
            "The nearest rank: half, or nine of ten, of the measured times were no longer. Each is a time that \
          was really measured.",
        ),
        (
            "Within target",
            "Somebody was there within the target that held when the callout was opened. It counts once it \
          is decided; nobody there in time counts as not within target, whatever the reason.",
        ),
        (
            "Unanswered",
            "Everyone qualified had been called and nobody had accepted yet. The calls go on until somebody does.",
        ),
        ("Duplicates", "Merged into another callout. They and cancelled callouts count in no time and no share."),
        (
            "Language match",
            "Of the callouts that named a language and that somebody accepted: one of those who did spoke it.",
        ),
        ("Drills", "Drills and the server's own tests are in no figure."),
    ];
    if wish.outside {
        terms.push((
            "Withheld",
            "Fewer than five callouts, or a number from which such a cell could be computed. Groups of fewer than five are \
             taken together.",
        ));
    }
    body.el("footer", &[], |footer| {
        footer.leaf("h2", &[], "How this was computed");
        footer.el("dl", &[], |list| {
            for (term, meaning) in terms {
                list.leaf("dt", &[], term);
                list.leaf("dd", &[], meaning);
            }
        });
    });
}
