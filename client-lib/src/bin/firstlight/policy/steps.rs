//! An escalation in plain words: "step 2 of 4: the backups, 3 min after the first page".

use crate::{
    output::{Page, took},
    words,
};
use firstlight_protocol::{
    PersonId,
    callout::Constraint,
    policy::{Escalation, Millis, NeverAlone, Policy, Step, Target},
};

/// Describes who is called after whom, everywhere and in zones with their own order, and how people are matched.
pub(super) fn describe(page: &mut Page, policy: &Policy, name: impl Fn(PersonId) -> String) {
    page.title("Escalation");
    let general = policy.escalation.clone().unwrap_or_else(|| Escalation::of(&policy.timers));
    lines(&general, policy, &name).iter().for_each(|line| page.line(line));
    for (zone, escalation) in &policy.zone_escalations {
        page.title(&format!("Escalation in the zone {zone}"));
        lines(escalation, policy, &name).iter().for_each(|line| page.line(line));
    }
    page.title("Matching");
    for wish in Constraint::ALL {
        page.row(&wish.to_string(), &held(policy.matching.relax_after(*wish)));
    }
    page.row("never alone", alone(policy.never_alone));
    if !policy.outside.is_empty() {
        page.title("Outside");
        for (code, outside) in &policy.outside {
            page.row(code.as_str(), &outside.url);
        }
    }
}

fn lines(escalation: &Escalation, policy: &Policy, name: &impl Fn(PersonId) -> String) -> Vec<String> {
    let of = escalation.steps.len();
    let mut lines: Vec<String> =
        escalation.steps.iter().enumerate().map(|(i, step)| format!("  {}", line(i + 1, of, step, name))).collect();
    let slow = time(policy.timers.slow_repeat_ms);
    lines.push(match escalation.rounds {
        1 => format!("  then everyone who has not answered again, every {slow}, until somebody accepts"),
        rounds => format!("  all of it {rounds} times, {slow} apart; then everyone again, every {slow}"),
    });
    lines
}

fn line(number: usize, of: usize, step: &Step, name: &impl Fn(PersonId) -> String) -> String {
    let targets: Vec<String> = step.targets.iter().map(|target| target_in_words(target, name)).collect();
    let when = match step.after_ms.0 {
        0 => "at once".to_owned(),
        _ => format!("{} after the first page", time(step.after_ms)),
    };
    let calls = step.repeat.map(|n| format!(", {n} calls each")).unwrap_or_default();
    let officer = if step.tell_officer { ", and the officer is told \"nobody yet: call this number\"" } else { "" };
    format!("step {number} of {of}: {}, {when}{calls}{officer}", targets.join(" and "))
}

fn target_in_words(target: &Target, name: &impl Fn(PersonId) -> String) -> String {
    match target {
        Target::Tier { tier } => words::tier(*tier).into(),
        Target::Person { person } => name(*person),
        Target::Everyone => "everyone qualified".into(),
        Target::Outside { code } => format!("outside: {code}"),
    }
}

fn held(after: Millis) -> String {
    match after.0 {
        0 => "orders only".into(),
        _ => format!("holds others back for {} at most", time(after)),
    }
}

fn alone(rule: NeverAlone) -> &'static str {
    match rule {
        NeverAlone::Never => "no rule: as many as the officer asks for",
        NeverAlone::UnsafeScene => "two at least where the scene is not confirmed safe",
        NeverAlone::Always => "two at least, always",
    }
}

fn time(ms: Millis) -> String {
    took(u128::from(ms.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Style, When};
    use firstlight_protocol::{Timestamp, callout::Tier};

    #[test]
    fn the_default_reads_as_domain_md_writes_it() {
        let mut page = Page::new(Style::Plain, When::utc(Timestamp(0)));
        describe(&mut page, &Policy::new("555-0100".parse().unwrap()), |p| p.short());
        let text = page.into_text();
        for line in [
            "step 1 of 4: primary, at once",
            "step 2 of 4: backup, 3 min after the first page",
            "step 4 of 4: everyone qualified, 10 min after the first page, and the officer is told",
            "then everyone who has not answered again, every 3 min, until somebody accepts",
        ] {
            assert!(text.contains(line), "{line}\n---\n{text}");
        }
    }

    #[test]
    fn people_are_named_and_calls_counted() {
        let person = PersonId([1; 16]);
        let targets = vec![Target::Person { person }, Target::Tier { tier: Tier::Backup }];
        let step = Step { targets, after_ms: Millis::minutes(2), tell_officer: false, repeat: Some(2) };
        let text = line(2, 3, &step, &|_| "Advocate 1".into());
        assert_eq!(text, "step 2 of 3: Advocate 1 and backup, 2 min after the first page, 2 calls each");
    }
}
