//! A random policy and random people, for the engine and, in plain numbers, for the model.

use crate::{
    history::{PEOPLE, START},
    model::{Aim, Numbers, Rung, Someone},
    random::Random,
};
use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, policy::*, profile::Bar, *};

const TIERS: [Tier; 3] = [Tier::Primary, Tier::Backup, Tier::Supervisor];

/// The policy, and the same in numbers.
pub(crate) fn random(random: &mut Random) -> (Policy, Numbers) {
    let backup = random.between(30, 240);
    let supervisor = backup + random.between(30, 240);
    let everyone = supervisor + random.between(30, 300);
    let plain = [0, backup, supervisor].into_iter().enumerate();
    let mut rungs: Vec<Rung> =
        plain.map(|(tier, after)| Rung { aims: vec![Aim::Tier(tier)], after, tell: false, calls: None }).collect();
    rungs.push(Rung { aims: vec![Aim::Everyone], after: everyone, tell: true, calls: None });
    let own = random.chance(60);
    let mut rounds = 1;
    if own {
        rungs = steps(random);
        rounds = random.between(1, 3) as u8;
    }
    let numbers = Numbers {
        repeat: random.between(20, 120),
        rungs,
        rounds,
        relax: [0, 1, 2, 3].map(|_| if random.chance(20) { 0 } else { random.between(1, 240) }),
        company: random.chance(25),
        slow: random.between(60, 400),
        grace: random.between(20, 200),
        stall: random.between(5, 60),
        target: random.between(600, 5400),
        review: random.between(600, 6000),
        calls: random.between(1, 4),
    };
    let mut policy = Policy::new("555-0199".parse().unwrap());
    let t = &mut policy.timers;
    t.repeat_every_ms = Millis::seconds(numbers.repeat);
    t.backup_after_ms = Millis::seconds(backup);
    t.supervisor_after_ms = Millis::seconds(supervisor);
    t.everyone_after_ms = Millis::seconds(everyone);
    t.slow_repeat_ms = Millis::seconds(numbers.slow);
    t.acknowledge_grace_ms = Millis::seconds(numbers.grace);
    t.channel_stall_ms = Millis::seconds(numbers.stall);
    t.target_on_scene_ms = Millis::seconds(numbers.target);
    t.review_within_ms = Millis::seconds(numbers.review);
    policy.calls_per_turn = numbers.calls as u16;
    let [zone, training, preference, language] = numbers.relax.map(Millis::seconds);
    policy.matching = Matching {
        relax_zone_after_ms: zone,
        relax_training_after_ms: training,
        relax_preference_after_ms: preference,
        relax_language_after_ms: language,
    };
    policy.never_alone = if numbers.company { NeverAlone::Always } else { NeverAlone::UnsafeScene };
    let hook = OutsideWebhook { url: "https://example.org/call".into(), keys: vec![] };
    policy.outside.insert("outside".parse().unwrap(), hook);
    if own {
        let escalation = Escalation { steps: numbers.rungs.iter().map(step).collect(), rounds };
        match random.chance(50) {
            true => policy.escalation = Some(escalation),
            false => drop(policy.zone_escalations.insert("north".parse().unwrap(), escalation)),
        }
    }
    assert_eq!(policy.validate(), Ok(()));
    (policy, numbers)
}

fn steps(random: &mut Random) -> Vec<Rung> {
    let mut rungs = vec![];
    let mut after = 0;
    for _ in 0..random.between(0, 4) {
        let mut aims = vec![];
        while aims.is_empty() || random.chance(30) {
            let aim = match random.between(0, 9) {
                0..6 => Aim::Tier(random.between(0, 2) as usize),
                6 | 7 => Aim::Person(random.between(1, PEOPLE) as u8),
                8 => Aim::Outside,
                _ => Aim::Everyone,
            };
            if !aims.contains(&aim) {
                aims.push(aim);
            }
        }
        let calls = random.chance(30).then(|| random.between(1, 5));
        rungs.push(Rung { aims, after, tell: random.chance(15), calls });
        after += random.between(20, 240);
    }
    rungs.push(Rung { aims: vec![Aim::Everyone], after, tell: true, calls: None });
    rungs
}

fn step(rung: &Rung) -> Step {
    let target = |aim: &Aim| match aim {
        Aim::Tier(tier) => Target::Tier { tier: TIERS[*tier] },
        Aim::Person(n) => Target::Person { person: PersonId([*n; 16]) },
        Aim::Everyone => Target::Everyone,
        Aim::Outside => Target::Outside { code: "outside".parse().unwrap() },
    };
    Step {
        targets: rung.aims.iter().map(target).collect(),
        after_ms: Millis::seconds(rung.after),
        tell_officer: rung.tell,
        repeat: rung.calls.map(|calls| calls as u16),
    }
}

pub(crate) fn someone(random: &mut Random) -> Someone {
    let channels = random.between(1, 3) as u8;
    let mut rules = vec![];
    if random.chance(40) {
        let mut after = 0;
        while rules.is_empty() || random.chance(60) {
            rules.push((random.between(0, u64::from(channels) - 1) as u8, after));
            after += if random.chance(20) { 0 } else { random.between(10, 90) };
        }
    }
    let meets = [0, 1, 2, 3].map(|_| random.chance(60));
    Someone { channels, rules, meets, conflict: random.chance(8) }
}

/// Which wishes the callout has: zone, training, preference, language. A callout always has a zone.
pub(crate) fn wishes(random: &mut Random) -> [bool; 4] {
    [true, random.chance(30), random.chance(30), random.chance(40)]
}

pub(crate) fn qualified(n: u8, someone: &Someone) -> Qualified {
    let hook = |n: u8| Channel::Webhook { id: ContactId([n; 16]) };
    let channels = [Channel::InApp, hook(1), hook(2)];
    let [zone, training, preference, language] = someone.meets;
    let rule = |(channel, after): &(u8, u64)| Rule {
        channel: channels[usize::from(*channel)],
        after: Millis::seconds(*after),
    };
    Qualified {
        person: PersonId([n; 16]),
        work_name: format!("Advocate {n}"),
        languages: vec![if language { "es-MX" } else { "en" }.parse().unwrap()],
        meets: if preference { Preference::Woman } else { Preference::Any },
        training: if training { vec!["forensic".parse().unwrap()] } else { vec![] },
        zones: if zone { vec![] } else { vec!["south".parse().unwrap()] },
        bars: if someone.conflict { vec![Bar::Zone { code: "north".parse().unwrap() }] } else { vec![] },
        channels: channels[..usize::from(someone.channels)].to_vec(),
        rules: someone.rules.iter().map(rule).collect(),
    }
}

pub(crate) fn routing(wanted: u8, [_, training, preference, language]: [bool; 4]) -> Routing {
    Routing {
        call_back: "555-0100".parse().unwrap(),
        zone: "north".parse().unwrap(),
        site: None,
        first_contact_at: START,
        young_people: 1,
        age_band: AgeBand::Unknown,
        languages: if language { vec!["es".parse().unwrap()] } else { vec![] },
        preference: if preference { Preference::Woman } else { Preference::Any },
        scene_safe: true,
        emergency_needed: false,
        wanted,
        training: if training { vec!["forensic".parse().unwrap()] } else { vec![] },
    }
}

/// The wishes that were relaxed, in their order.
pub(crate) fn relaxed(effects: &[Effect]) -> Vec<Constraint> {
    let relaxed = |effect: &Effect| match effect {
        Effect::Record { event: Event::Relaxed, constraint, .. } => *constraint,
        _ => None,
    };
    effects.iter().filter_map(relaxed).collect()
}

/// A step that has somebody to call calls somebody in the moment in which it begins, whoever else is held back.
pub(crate) fn first_page_is_never_delayed(effects: &[Effect]) {
    let begins = |e: &Effect| matches!(e, Effect::Record { event: Event::TierPaged | Event::PersonPaged, .. });
    if effects.iter().any(begins) {
        assert!(effects.iter().any(|e| matches!(e, Effect::Page { .. })), "the first page waits for nothing");
    }
}
