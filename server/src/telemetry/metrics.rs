//! Counters and histograms, written as things happen: an atomic or an uncontended lock each, after the commit that made
//! the thing true.

use firstlight_protocol::{
    callout::{FailReason, Purpose},
    policy::Channel,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use std::{sync::Arc, time::Duration};

/// Every metric that is counted as it happens. Cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    opened: Family<Opened, Counter>,
    pages: Family<PageLabels, Counter>,
    handover: Family<Way, Histogram, fn() -> Histogram>,
    acknowledge: Histogram,
    accept: Histogram,
    arrive: Histogram,
    commit: Histogram,
    jobs: Family<Outcome, Counter>,
    bus: Family<Outcome, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Opened {
    purpose: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PageLabels {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    channel: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Something that a transaction has made true; counted once that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A callout was opened.
    Opened(Purpose),
    /// A channel took a page, this long after it was ordered.
    HandedOver(Channel, Duration),
    /// A device has a page.
    Delivered(Channel),
    /// A channel could not take a page.
    Failed(Channel, FailReason),
    /// Somebody is awake, this long after the callout.
    Acknowledged(Duration),
    /// Somebody is going.
    Accepted(Duration),
    /// Somebody is there.
    Arrived(Duration),
}

/// What became of a message between nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BusTraffic {
    /// Redis took it.
    Sent,
    /// Another node's came.
    Received,
    /// There was no link, no room, or no seal: nobody heard it.
    Dropped,
}

impl BusTraffic {
    fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Dropped => "dropped",
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        // A page within the goal of 50 ms, and one that a provider holds up for as long as it may.
        let quick =
            || Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0]);
        let commit = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
        // Around the timers of DOMAIN.md: backup after 3 min, supervisor after 6, everyone after 10.
        let answer = || Histogram::new([5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 360.0, 600.0, 1_200.0, 3_600.0]);
        // Around its targets: on scene within 30, 60, 90 minutes.
        let arrive = Histogram::new([600.0, 1_200.0, 1_800.0, 2_700.0, 3_600.0, 5_400.0, 7_200.0, 14_400.0]);
        // A first failure is an increase only over a series that is there.
        let jobs: Family<Outcome, Counter> = Family::default();
        for outcome in ["kept", "failed"] {
            jobs.get_or_create(&Outcome { outcome }).inc_by(0);
        }
        Self(Arc::new(Counted {
            opened: Family::default(),
            pages: Family::default(),
            handover: Family::new_with_constructor(quick),
            acknowledge: answer(),
            accept: answer(),
            arrive,
            commit: Histogram::new(commit),
            jobs,
            bus: Family::default(),
        }))
    }
}

impl Metrics {
    /// Counts what has happened.
    pub(crate) fn happened(&self, what: Happening) {
        let m = &self.0;
        let count = |channel, outcome| {
            m.pages.get_or_create(&PageLabels { channel: way(channel), outcome }).inc();
        };
        match what {
            Happening::Opened(purpose) => {
                m.opened.get_or_create(&Opened { purpose: purpose.as_str() }).inc();
            }
            Happening::HandedOver(channel, after) => {
                count(channel, "handed_over");
                m.handover.get_or_create(&Way { channel: way(channel) }).observe(after.as_secs_f64());
            }
            Happening::Delivered(channel) => count(channel, "delivered"),
            Happening::Failed(channel, reason) => count(channel, reason.as_str()),
            Happening::Acknowledged(after) => m.acknowledge.observe(after.as_secs_f64()),
            Happening::Accepted(after) => m.accept.observe(after.as_secs_f64()),
            Happening::Arrived(after) => m.arrive.observe(after.as_secs_f64()),
        }
    }

    /// Counts one group transaction of the store.
    pub(crate) fn committed(&self, jobs: usize, kept: bool, took: Duration) {
        let outcome = if kept { "kept" } else { "failed" };
        self.0.jobs.get_or_create(&Outcome { outcome }).inc_by(jobs as u64);
        self.0.commit.observe(took.as_secs_f64());
    }

    /// Counts messages between nodes.
    pub(crate) fn bus(&self, what: BusTraffic, messages: usize) {
        if messages > 0 {
            self.0.bus.get_or_create(&Outcome { outcome: what.word() }).inc_by(messages as u64);
        }
    }

    /// How many there were.
    #[cfg(test)]
    pub(crate) fn bus_count(&self, what: BusTraffic) -> u64 {
        self.0.bus.get_or_create(&Outcome { outcome: what.word() }).get()
    }

    /// A registry of all of them, under their documented names.
    pub(super) fn registry(&self) -> Registry {
        let m = &self.0;
        let mut registry = Registry::with_prefix("firstlight");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The server's version", version);
        registry.register("callouts_opened", "Callouts opened", m.opened.clone());
        registry.register("pages", "Pages by what became of them", m.pages.clone());
        let mut times = |name, help, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        times("acknowledge", "From a callout until somebody was awake", &m.acknowledge);
        times("accept", "From a callout until somebody was going", &m.accept);
        times("arrive", "From a callout until somebody was there", &m.arrive);
        times("store_commit", "One group transaction until it was durable", &m.commit);
        let handover = "From the order of a page until its channel took it";
        registry.register_with_unit("page_handover", handover, Unit::Seconds, m.handover.clone());
        registry.register("store_jobs", "Jobs of the store's writer", m.jobs.clone());
        registry.register("bus_messages", "Messages between nodes", m.bus.clone());
        registry
    }
}

fn way(channel: Channel) -> &'static str {
    match channel {
        Channel::InApp => "in_app",
        Channel::Webhook { .. } => "webhook",
        Channel::Push { .. } => "push",
        Channel::Sms { .. } => "sms",
        Channel::Voice { .. } => "voice",
        Channel::Email { .. } => "email",
        Channel::Ntfy { .. } => "ntfy",
    }
}
