//! Rooms and lines as the contract says them.

use crate::contract::*;
use firstlight_client::{
    engine::{self, OutOfSync, Pending, PendingKind, RoomState, RoomSummary},
    session::now,
    storage::{self, Unreadable},
};
use firstlight_protocol::{DeviceId, OrgKind, PersonId, attachment::safe_name, mls::Content};
use std::collections::BTreeSet;

/// A room in a list.
pub(super) fn row(room: &RoomSummary, last: Option<Line>) -> RoomRow {
    let people: BTreeSet<_> = room.members.iter().map(|member| member.person).collect();
    RoomRow {
        room: room.room,
        kind: room.context.kind,
        org: room.context.org,
        callout: room.context.callout,
        name: room.name.clone(),
        state: match room.state {
            RoomState::Creating => RoomStanding::Creating,
            RoomState::Joined => RoomStanding::Joined,
            RoomState::OutOfSync(_) => RoomStanding::OutOfSync,
            RoomState::Rejoining => RoomStanding::Rejoining,
            RoomState::Left => RoomStanding::Left,
        },
        unread: room.unread,
        people: u32::try_from(people.len()).unwrap_or(u32::MAX),
        police_can_read: room.members.iter().any(|member| member.org_kind == OrgKind::LawEnforcement),
        last,
    }
}

/// One room.
pub(super) fn room(room: RoomSummary, last: Option<Line>, own: Option<DeviceId>, pending: Vec<Pending>) -> Room {
    let summary = row(&room, last);
    let me = room.members.iter().find(|member| own == Some(member.device)).map(|member| member.person);
    let asks = room.asks.into_iter().filter(|ask| ask.until > now());
    let asks = asks.map(|ask| asked(ask, me)).collect();
    let out_of_sync = match room.state {
        RoomState::OutOfSync(why) => Some(out_of_sync(why)),
        _ => None,
    };
    let revoked = room.revoked_members;
    let member = |identity: firstlight_protocol::cert::DeviceIdentity| Member {
        own: own == Some(identity.device),
        revoked: revoked.contains(&identity.device),
        identity,
    };
    Room {
        members: room.members.into_iter().map(member).collect(),
        unsent: pending.into_iter().filter(|pending| pending.room == summary.room).map(unsent).collect(),
        asks,
        out_of_sync,
        suite: room.suite,
        epoch: room.epoch,
        summary,
    }
}

fn asked(ask: engine::Ask, me: Option<PersonId>) -> Ask {
    Ask {
        id: ask.id,
        org_kind: ask.org_kind,
        own: me == Some(ask.by.person),
        by: ask.by,
        until: ask.until,
        agreed: ask.agreed,
        may_agree: ask.may_agree,
        answers: ask.answers.into_iter().map(|answer| Answered { by: answer.by, agrees: answer.agrees }).collect(),
    }
}

fn out_of_sync(why: OutOfSync) -> OutOfSyncReason {
    match why {
        OutOfSync::BadCommit => OutOfSyncReason::BadCommit,
        OutOfSync::UntrustedMember => OutOfSyncReason::UntrustedMember,
        OutOfSync::ForbiddenCommit => OutOfSyncReason::ForbiddenCommit,
        OutOfSync::UnseenConsent => OutOfSyncReason::UnseenConsent,
        OutOfSync::LogExpired => OutOfSyncReason::LogExpired,
        OutOfSync::LostState => OutOfSyncReason::LostState,
        OutOfSync::ServerForgot => OutOfSyncReason::ServerForgot,
    }
}

fn unsent(pending: Pending) -> Unsent {
    let what = match pending.what {
        PendingKind::Send(Content::Text { text, reply_to }) => UnsentKind::Text { text, reply_to },
        PendingKind::Send(Content::Details(details)) => UnsentKind::Details { details },
        PendingKind::Send(Content::Profile { name }) => UnsentKind::Named { name },
        PendingKind::Send(Content::Attachment(file)) => {
            UnsentKind::Attachment { name: safe_name(&file.name), size: file.size }
        }
        PendingKind::Send(Content::AskToAdmit { org_kind }) => UnsentKind::AskToAdmit { org_kind },
        PendingKind::Send(Content::Agree { .. }) => UnsentKind::Answer { agrees: true },
        PendingKind::Send(Content::Disagree { .. }) => UnsentKind::Answer { agrees: false },
        PendingKind::Create => UnsentKind::Create {},
        PendingKind::Add(devices) => UnsentKind::Add { devices },
        PendingKind::Remove(devices) => UnsentKind::Remove { devices },
        PendingKind::Update | PendingKind::Rejoin => UnsentKind::Keys {},
    };
    Unsent { id: pending.id, room: pending.room, at: pending.at, what, refused: pending.failed }
}

/// A line of a log.
pub(super) fn line(line: storage::Line) -> Line {
    let body = match line.body {
        storage::LineBody::Message(Content::Text { text, reply_to }) => LineBody::Text { text, reply_to },
        storage::LineBody::Message(Content::Details(details)) => LineBody::Details { details },
        storage::LineBody::Message(Content::Profile { name }) => LineBody::Named { name },
        storage::LineBody::Message(Content::Attachment(file)) => {
            LineBody::Attachment { name: safe_name(&file.name), size: file.size }
        }
        storage::LineBody::Message(Content::AskToAdmit { org_kind }) => LineBody::AskToAdmit { org_kind },
        storage::LineBody::Message(Content::Agree { ask, .. }) => LineBody::Answer { ask, agrees: true },
        storage::LineBody::Message(Content::Disagree { ask }) => LineBody::Answer { ask, agrees: false },
        storage::LineBody::Unreadable(why) => LineBody::Unreadable {
            why: match why {
                Unreadable::BadBytes => UnreadableReason::BadBytes,
                Unreadable::UntrustedSender => UnreadableReason::UntrustedSender,
                Unreadable::NewerVersion => UnreadableReason::NewerVersion,
                Unreadable::OwnUnknown => UnreadableReason::OwnUnknown,
            },
        },
        storage::LineBody::Members { added, removed } => LineBody::Members { added, removed },
        storage::LineBody::Joined { members, .. } => LineBody::Joined { members },
        storage::LineBody::Gap { after, reason } => LineBody::Gap { after, why: reason.map(out_of_sync) },
    };
    Line { room: line.room, seq: line.seq, at: line.at, id: line.id, sender: line.sender, own: line.own, body }
}
