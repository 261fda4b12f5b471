//! One step of the engine in one transaction: load, decide, write down, and everything that follows from it.

use super::{record::load, views, world::World};
use crate::{Result, Shared, caller::Caller, store::Tx};
use firstlight_dispatch::{Actor, Callout, Effect, Input, Open, step, view};
use firstlight_protocol::{
    CalloutId, DeviceId, ErrorCode, Problem, Timestamp,
    api::ActOnCallout,
    callout::{Action, CalloutView, OpenCallout, Phone, Purpose},
};
use tracing::{Span, field};

/// Who caused a step, and when it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    /// The device that acted; absent where the server itself did.
    pub(crate) device: Option<DeviceId>,
    pub(crate) now: Timestamp,
}

/// The callout's timer has come.
pub(super) async fn tick(app: &Shared, callout: CalloutId) -> Result<()> {
    let cause = Cause { device: None, now: app.clock.now() };
    app.store.write(move |tx| Box::pin(async move { tx.step_callout(callout, Input::Timer, cause).await })).await
}

impl Tx<'_> {
    /// Opens a callout; the same request again is answered as it stands now.
    ///
    /// # Errors
    /// `conflict` where the id belongs to another request, and what the engine refuses.
    pub(crate) async fn open_callout(
        &mut self,
        by: &Caller,
        request: OpenCallout,
        now: Timestamp,
    ) -> Result<CalloutView> {
        if request.purpose == Purpose::Canary {
            return Err(Problem::with(ErrorCode::InvalidValue, "purpose: real or drill.").into());
        }
        let world = World::read(self.conn, now).await?;
        let actor = world.actor(by);
        self.open_as(world, actor, request, None, Cause { device: Some(by.device), now }).await
    }

    /// Opens a callout as somebody who was found to be `by`.
    pub(super) async fn open_as(
        &mut self,
        world: World,
        by: Actor,
        request: OpenCallout,
        caller: Option<Phone>,
        cause: Cause,
    ) -> Result<CalloutView> {
        let OpenCallout { id, routing, purpose } = request;
        let world = world.with_duplicates(self.conn, by.org, &routing.zone).await?;
        let open = Open { id, by, routing, purpose, caller };
        let callout = match load(self.conn, id).await? {
            Some(existing) if existing.is_retried_by(&open) => existing,
            Some(_) => return Err(ErrorCode::Conflict.into()),
            None => {
                let opened = firstlight_dispatch::open(open, &world.context(), cause.now).map_err(Problem::from)?;
                // What follows refers to it.
                self.save_callout(&opened.0).await?;
                self.follow(&world, None, opened, cause).await?
            }
        };
        Ok(view(&callout, by, &world.context()).ok_or(ErrorCode::NotFound)?)
    }

    /// Does what a person asks for; the same action again does nothing more.
    ///
    /// # Errors
    /// `not_found` where the caller may not know of the callout, and what the engine refuses.
    pub(crate) async fn act_on_callout(
        &mut self,
        by: &Caller,
        callout: CalloutId,
        request: ActOnCallout,
        now: Timestamp,
    ) -> Result<CalloutView> {
        let world = World::read(self.conn, now).await?;
        let actor = world.actor(by);
        self.act_as(world, actor, callout, request, Cause { device: Some(by.device), now }).await
    }

    /// Acts as somebody who was found to be `by`.
    pub(super) async fn act_as(
        &mut self,
        mut world: World,
        by: Actor,
        callout: CalloutId,
        request: ActOnCallout,
        cause: Cause,
    ) -> Result<CalloutView> {
        let ActOnCallout { id, action } = request;
        let before = load(self.conn, callout).await?.ok_or(ErrorCode::NotFound)?;
        if let Action::Merge { into } = &action {
            world = world.with_callout(self.conn, *into).await?;
        }
        let ctx = world.context();
        view(&before, by, &ctx).ok_or(ErrorCode::NotFound)?;
        let answers = matches!(action, Action::Acknowledge | Action::Accept { .. } | Action::Decline);
        let stepped = step(&before, Input::Act { by, id, action }, &ctx, cause.now).map_err(Problem::from)?;
        if answers && stepped.0 != before {
            self.drop_pages(callout, by.person).await?;
        }
        let after = self.follow(&world, Some(&before), stepped, cause).await?;
        Ok(view(&after, by, &ctx).ok_or(ErrorCode::NotFound)?)
    }

    /// Gives a callout an input of the server's own.
    ///
    /// # Errors
    /// `not_found` for an unknown callout, and what the engine refuses.
    pub(crate) async fn step_callout(&mut self, callout: CalloutId, input: Input, cause: Cause) -> Result<()> {
        let before = load(self.conn, callout).await?.ok_or(ErrorCode::NotFound)?;
        let world = World::around(self.conn, &before, cause.now).await?;
        if let Input::Receipts(receipts) = &input {
            self.note_receipts(receipts, cause.now).await?;
        }
        let stepped = step(&before, input, &world.context(), cause.now).map_err(Problem::from)?;
        self.follow(&world, Some(&before), stepped, cause).await?;
        Ok(())
    }

    /// Carries out what a step decided, and what follows from that, and writes the callout down as it is then.
    pub(super) async fn follow(
        &mut self,
        world: &World,
        before: Option<&Callout>,
        (mut after, mut effects): (Callout, Vec<Effect>),
        cause: Cause,
    ) -> Result<Callout> {
        Span::current().record("callout", field::display(after.id()));
        let agency = views::agency(self.conn, &after, world.host).await?;
        for person in before.into_iter().flat_map(|before| silenced(before, &after)) {
            self.drop_pages(after.id(), person).await?;
        }
        loop {
            // Ends: only in-app pages are answered at once, and a call uses each of a person's channels once.
            let receipts = self.carry_out(world, &agency, &after, effects, cause).await?;
            if receipts.is_empty() {
                break;
            }
            self.note_receipts(&receipts, cause.now).await?;
            let stepped =
                step(&after, Input::Receipts(receipts), &world.context(), cause.now).map_err(Problem::from)?;
            (after, effects) = stepped;
        }
        if before != Some(&after) {
            self.save_callout(&after).await?;
            self.save_responders(before, &after).await?;
            if after.purpose() != Purpose::Canary {
                self.save_facts(world, before, &after).await?;
                self.count_step(world, before, &after);
                self.follow_agencies(world, before, &after, cause.now).await?;
            }
            self.tend_room(world, before, &after, cause.now).await?;
            self.push_views(world, &agency, before, &after, cause.now).await?;
        }
        self.set_timer(after.id(), after.next_wake()).await?;
        self.after.dispatch();
        Ok(after)
    }
}

/// People who had been called and need not answer any more: what still waits to be sent to them is dropped.
fn silenced<'a>(before: &'a Callout, after: &'a Callout) -> impl Iterator<Item = firstlight_protocol::PersonId> {
    let called = before.responders().filter(|(_, state)| state.is_called()).map(|(person, _)| person);
    called.filter(|person| after.responders().any(|(known, state)| known == *person && !state.is_called()))
}
