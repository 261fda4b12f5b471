//! Gauges that are read from the truth when somebody asks.

use crate::store::sql;
use crate::{Result, Shared, bus::LinkState, store::word};
use firstlight_protocol::{
    Timestamp,
    callout::{CalloutState, Purpose},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};
use std::{collections::BTreeMap, fmt, time::Duration};

/// How long something may be due before it counts as overdue.
const PATIENCE: Duration = Duration::from_secs(3);

/// One look at the server.
#[derive(Debug, Default)]
pub(super) struct Sample {
    open: BTreeMap<(CalloutState, Purpose), i64>,
    gauges: Vec<(&'static str, &'static str, i64)>,
    /// In seconds.
    times: Vec<(&'static str, &'static str, f64)>,
    days_left: Vec<(&'static str, &'static str, f64)>,
    swept: u64,
    canaries: [(&'static str, u64); 2],
    heartbeats: [(&'static str, u64); 3],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Open {
    state: &'static str,
    purpose: &'static str,
}

impl Sample {
    /// Reads everything; what the process knows by itself even where the database doesn't answer.
    pub(super) async fn take(app: &Shared) -> Self {
        let mut sample = Self::of_process(app);
        let up = match sample.read(app).await {
            Ok(()) => 1,
            Err(error) => {
                tracing::error!(%error, "metrics could not be read from the database");
                0
            }
        };
        sample.gauges.push(("database_up", "Whether the database answers", up));
        sample
    }

    async fn read(&mut self, app: &Shared) -> Result<()> {
        let now = app.clock.now();
        let mut conn = app.store.read().acquire().await?;
        let states = CalloutState::ALL.iter().filter(|state| state.is_open());
        let zero = states.flat_map(|state| [Purpose::Real, Purpose::Drill].map(|purpose| ((*state, purpose), 0)));
        let mut open: BTreeMap<_, _> = zero.collect();
        for row in sql::query(
            "SELECT f.state, f.purpose, count(*) AS n FROM callouts c JOIN callout_facts f ON f.callout = c.callout
             WHERE c.closed = 0 GROUP BY f.state, f.purpose",
        )
        .fetch_all(&mut *conn)
        .await?
        {
            open.insert((word(row.get("state"))?, word(row.get("purpose"))?), row.get("n"));
        }
        let row = sql::query(
            "SELECT (SELECT count(*) FROM timers) AS timers,
                 (SELECT count(*) FROM timers WHERE due_at <= $1 AND coalesce(lease_until, 0) <= $2) AS overdue,
                 (SELECT count(*) FROM outbox WHERE next_at IS NOT NULL) AS outbox,
                 (SELECT count(*) FROM callout_facts f JOIN callouts c ON c.callout = f.callout
                      WHERE f.purpose = $3 AND f.state = $4 AND f.review_due_at <= $2) AS reviews,
                 (SELECT count(*) FROM holds) AS holds,
                 (SELECT at FROM newest_backup) AS backup",
        )
        .bind((now - PATIENCE).0)
        .bind(now.0)
        .bind(Purpose::Real.as_str())
        .bind(CalloutState::Closed.as_str())
        .fetch_one(&mut *conn)
        .await?;
        drop(conn);
        let red = crate::proof::red(app).await?;
        self.open = open;
        self.gauges.extend([
            ("timers", "Timers that wait", row.get("timers")),
            ("timers_overdue", "Timers that are due for more than 3 s and claimed by nobody", row.get("overdue")),
            ("outbox_waiting", "Pages and notices that wait to be sent", row.get("outbox")),
            ("reviews_overdue", "Callouts that were closed and not reviewed in time", row.get("reviews")),
            ("legal_holds", "Legal holds that stand", row.get("holds")),
            ("readiness_red", "People on duty now or next whom a page would perhaps not wake", whole(red)),
        ]);
        if let Some(at) = row.get::<Option<i64>>("backup") {
            let age = now.since(Timestamp(at)).as_secs_f64();
            self.times.push(("backup_age", "Since the newest backup was made", age));
        }
        Ok(())
    }

    fn of_process(app: &Shared) -> Self {
        let now = app.clock.now();
        let mut gauges = vec![
            ("sockets", "Websockets of signed-in devices", whole(app.bus.connections())),
            ("store_queue", "Jobs that wait for the store's writer", whole(app.store.queued())),
        ];
        if app.store.is_shared() {
            gauges.push(("nodes_alive", "Nodes that live, as this one sees it", whole(app.nodes.alive())));
            let help = "Whether this node does what is done once for all";
            gauges.push(("node_leads", help, i64::from(app.nodes.leads())));
        }
        match app.bus.link_state() {
            LinkState::Alone => {}
            state => gauges.push((
                "bus_connected",
                "Whether other nodes are told of work through Redis; they find it by polling otherwise",
                i64::from(state == LinkState::Connected),
            )),
        }
        if let Some(free) = crate::proof::free_bytes(&app.config.data_dir) {
            gauges.push(("disk_free_bytes", "Free space where the data are", i64::try_from(free).unwrap_or(i64::MAX)));
        }
        let mut days_left = Vec::new();
        if let Some(tls) = &app.tls {
            let days = (tls.ends_at().0 - now.0) as f64 / 86_400_000.0;
            days_left.push(("tls_certificate_days", "Days until the TLS certificate ends", days));
            let help = "Whether the TLS certificate in the files can't be used, and an older one is shown";
            gauges.push(("tls_certificate_stale", help, i64::from(tls.trouble().is_some())));
        }
        let (canary, heartbeat) = (app.proof.canary(), app.proof.heartbeat());
        let seconds = |ms: u64| Duration::from_millis(ms).as_secs_f64();
        let mut times = vec![
            (
                "canary_page",
                "From opening the newest canary until its first page was handed over",
                seconds(canary.page_ms()),
            ),
            ("canary_escalation", "How late the newest canary's second page was", seconds(canary.escalation_ms())),
        ];
        if let Some(at) = canary.last_success_at() {
            times.push(("canary_age", "Since a canary has come through", now.since(at).as_secs_f64()));
        }
        Self {
            open: BTreeMap::new(),
            gauges,
            times,
            days_left,
            swept: app.runner.swept(),
            canaries: [("succeeded", canary.succeeded()), ("failed", canary.failed())],
            heartbeats: [
                ("sent", heartbeat.sent()),
                ("failed", heartbeat.failed()),
                ("withheld", heartbeat.withheld()),
            ],
        }
    }
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Collector for Sample {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Callouts that run";
        let gauge = ConstGauge::new(0i64);
        let mut open = encoder.encode_descriptor("callouts_open", help, None, gauge.metric_type())?;
        for ((state, purpose), n) in &self.open {
            let labels = Open { state: state.as_str(), purpose: purpose.as_str() };
            ConstGauge::new(*n).encode(open.encode_family(&labels)?)?;
        }
        for (name, help, n) in &self.gauges {
            let gauge = ConstGauge::new(*n);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, n) in &self.days_left {
            let gauge = ConstGauge::new(*n);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, n) in &self.times {
            let gauge = ConstGauge::new(*n);
            gauge.encode(encoder.encode_descriptor(name, help, Some(&Unit::Seconds), gauge.metric_type())?)?;
        }
        let counted = [
            ("canaries", "Canaries by how they came through", self.canaries.as_slice()),
            ("heartbeats", "Heartbeats for an outside monitor", self.heartbeats.as_slice()),
        ];
        for (name, help, outcomes) in counted {
            let kind = ConstCounter::new(0u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (outcome, n) in outcomes {
                ConstCounter::new(*n).encode(family.encode_family(&Outcome { outcome })?)?;
            }
        }
        let swept = ConstCounter::new(self.swept);
        let help = "What the safety net had to put right";
        swept.encode(encoder.encode_descriptor("sweeper_found", help, None, swept.metric_type())?)
    }
}
