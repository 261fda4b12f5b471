//! A new view for everyone whose view a step has changed: the opener and their watch commanders, whoever was asked, and
//! the supervisors, on each of their live devices.

use super::world::World;
use crate::store::sql::{self, Conn};
use crate::{
    Result,
    store::{Tx, id, word},
};
use firstlight_dispatch::{Actor, Callout, view};
use firstlight_protocol::{
    DeviceId, OrgId, Role, Timestamp, api::Notice, callout::CalloutView, limits::MAX_FRAME, wire::to_cbor,
};

/// Largest view in an inbox: a frame has room for it and what is around it.
const MAX_VIEW: usize = MAX_FRAME - 1_024;

/// Somebody who may see a callout.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) actor: Actor,
    pub(super) devices: Vec<DeviceId>,
}

/// Whoever opened the callout and the watch commanders of their agency; nobody where the host itself opened it, whose
/// supervisors see everything anyway.
pub(super) async fn agency(conn: &mut Conn, callout: &Callout, host: OrgId) -> Result<Vec<Watcher>> {
    let org = callout.agency();
    let mut watchers: Vec<Watcher> = Vec::new();
    if org == host {
        return Ok(watchers);
    }
    for row in sql::query(
        "SELECT p.person, p.role, d.device FROM people p JOIN devices d ON d.person = p.person
         WHERE p.org = $1 AND (p.person = $2 OR p.role = $3) AND d.revoked_at IS NULL ORDER BY p.person, d.device",
    )
    .bind(org.as_bytes())
    .bind(callout.opened_by().as_bytes())
    .bind(Role::WatchCommander.as_str())
    .fetch_all(conn)
    .await?
    {
        let (person, device) = (id(row.get("person"))?, id(row.get("device"))?);
        match watchers.last_mut().filter(|last| last.actor.person == person) {
            Some(last) => last.devices.push(device),
            None => {
                let actor = Actor { person, org, role: word(row.get("role"))?, host: false };
                watchers.push(Watcher { actor, devices: vec![device] });
            }
        }
    }
    Ok(watchers)
}

impl Tx<'_> {
    /// Puts the new views into inboxes.
    pub(super) async fn push_views(
        &mut self,
        world: &World,
        agency: &[Watcher],
        before: Option<&Callout>,
        after: &Callout,
        now: Timestamp,
    ) -> Result<()> {
        let ctx = world.context();
        let host = world
            .people
            .iter()
            .map(|p| (Actor { person: p.person, org: world.host, role: p.role, host: true }, p.devices.as_slice()));
        let watchers: Vec<_> = host.chain(agency.iter().map(|w| (w.actor, w.devices.as_slice()))).collect();
        for (actor, devices) in watchers {
            let Some(new) = view(after, actor, &ctx) else { continue };
            let old = before.and_then(|before| view(before, actor, &ctx));
            let same = old.is_some_and(|old| CalloutView { revision: new.revision, ..old } == new);
            if !same {
                self.push_all(devices, now, &Notice::Callout { view: fit(new) }).await?;
            }
        }
        Ok(())
    }
}

/// Leaves out the oldest pages and the oldest history until a view fits into a frame: only a supervisor's view of a very
/// long callout ever doesn't. Over HTTP it is whole.
fn fit(mut view: CalloutView) -> CalloutView {
    while to_cbor(&view).len() > MAX_VIEW {
        match &mut view.pages {
            Some(pages) if !pages.is_empty() => drop(pages.drain(..pages.len().div_ceil(2))),
            _ if view.timeline.len() > 1 => drop(view.timeline.drain(1..=view.timeline.len() / 2)),
            _ => break,
        }
    }
    view
}
