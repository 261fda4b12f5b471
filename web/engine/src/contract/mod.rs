//! What the pages may ask of the engine, what it answers, and what it tells by itself.
//!
//! One table names every command with the type of its argument and of its answer. The worker's dispatch and the
//! TypeScript types are both made from it, so that neither can drift from the other.

mod admin;
mod callouts;
mod device;
mod event;
mod people;
mod rooms;
#[cfg(feature = "contract")]
pub mod schema;

pub use admin::*;
pub use callouts::*;
pub use device::*;
pub use event::*;
pub use people::*;
pub use rooms::*;

/// Calls a macro with the table of all commands: a line of documentation, the name, its argument and its answer.
///
/// Until the browser is `unlocked`, all but `status`, `create`, `unlock` and `erase` answer `needs_unlock`.
#[macro_export]
macro_rules! commands {
    ($with:ident) => {
        $with! {
            /// How this browser stands. Always answered.
            status(Nothing) -> Status;
            /// Makes the sealed store in a browser that has none; it is unlocked then. Needed once, before joining or founding.
            create(Unlocking) -> Status;
            /// Opens the store. A wrong passphrase is `unauthenticated`, and changes nothing but the count of failures;
            /// after five, `rate_limited` with the time to wait.
            unlock(Unlocking) -> Status;
            /// Drops every key from memory. The worker ends; a new one starts with the next command.
            lock(Nothing) -> Nothing;
            /// Wipes this browser's store, locked or not, for good: for a device that is lost to its owner, after they confirmed it.
            erase(Nothing) -> Status;
            /// Sets or replaces the passphrase.
            set_passphrase(SetPassphrase) -> Status;
            /// Adds a passkey as a second way to unlock, or replaces it.
            set_passkey(Passkey) -> Status;
            /// Takes the passkey away; there must be a passphrase.
            remove_passkey(Nothing) -> Status;
            /// Sets after how many idle minutes the session locks: 1 to 30.
            set_lock_after(SetLockAfter) -> Status;

            /// What an invite link is, before it is used. Sends nothing.
            read_invite(LinkText) -> InviteInfo;
            /// Uses a device's invite link. Waiting for the signature goes on by itself, after a reload and unlock too; the
            /// end is an event `enrolled` or `refused`.
            join(LinkText) -> Status;
            /// Founds the host organisation of an empty server, with its root key made here.
            found(Found) -> Founded;
            /// Founds a partner organisation with the host's invite.
            found_partner(FoundPartner) -> Founded;
            /// What an admin prints and locks away: who holds it can restore the organisation's root.
            recovery_sheet(Nothing) -> RecoverySheet;

            /// A token for `Authorization: Bearer`, valid for a while. Ask again for each request.
            access_token(AccessTokenFor) -> AccessToken;

            /// All rooms, newest activity first.
            rooms(Nothing) -> Rooms;
            /// One room.
            room(OfRoom) -> Room;
            /// A page of a room's lines, oldest first: the newest, or those before or after a place.
            lines(LinesOf) -> Lines;
            /// Sends a text. The answer means that it is kept here; the event `sent` that the server has it, and
            /// `not_sent` that it was refused.
            send(Send) -> Kept;
            /// Tries something that was refused once more.
            retry(OfMessage) -> Nothing;
            /// Gives something up that was refused.
            discard(OfMessage) -> Nothing;
            /// A person has seen a room up to its newest line.
            mark_read(OfRoom) -> Nothing;
            /// Which kinds of rooms there are, who may be in them, and which this person may create.
            room_kinds(Nothing) -> RoomKinds;
            /// Creates a room with people, all of them or nothing. Where it takes two people to let another class of
            /// organisation in, it begins with the own one.
            create_room(CreateRoom) -> Room;
            /// Adds people, all of them or nobody; every member sees it. The first of another class of organisation are refused
            /// with `needs_consent` until a second person agreed.
            add_people(PeopleOf) -> Room;
            /// Asks to let another class of organisation into a room, which takes two people; every member sees it.
            ask_to_admit(AskToAdmit) -> Room;
            /// Answers such a question. Whoever asked may add people once another person agreed, and takes the question back
            /// by not agreeing.
            answer_ask(AnswerAsk) -> Room;
            /// Removes people with all their devices; every member sees it.
            remove_people(PeopleOf) -> Room;
            /// Rejoins a room that is out of sync, with whoever is in it by now.
            rejoin(OfRoom) -> Room;
            /// The number that members compare aloud: the same for all of them in the same epoch.
            safety_number(OfRoom) -> SafetyNumber;

            /// Opens a callout: answered when the server has it and the page is out. The room is built after it, with the
            /// details as its first message; see the events `room_built` and `trouble`.
            open_callout(OpenCalloutWith) -> CalloutView;
            /// Sends (more) details of a callout, end-to-end encrypted, and builds its room if it has none yet: also for a
            /// callout that was opened over HTTP, with the duty key.
            send_details(SendDetails) -> Nothing;
            /// What this device can read of a callout's details.
            details(OfCallout) -> Details;
            /// Acts on a callout. The same action again, while its answer is open, is the same action.
            act(ActOn) -> CalloutView;
            /// Pages, stand-downs, alarms and views that arrived here, oldest first; the newest 500.
            notices(Nothing) -> Notices;

            /// Requests that wait for this admin, checked with the secrets of the invites that this browser made.
            pending_requests(Nothing) -> PendingRequests;
            /// Signs a waiting device's certificate.
            approve_device(OfDevice) -> PendingDevice;
            /// Refuses a waiting device.
            refuse_device(OfDevice) -> Nothing;
            /// States a founded partner: its devices are believed from now on.
            approve_partner(OfOrg) -> PendingPartner;
            /// Withdraws a partner: nothing of it is believed any more.
            withdraw_partner(OfOrg) -> Nothing;
            /// Makes an invite. The link is shown once and given to the person by another way than the server.
            invite(MakeInvite) -> MadeInvite;
            /// Invites of this organisation; those made here with their link, while they are open.
            invites(Nothing) -> Invites;
            /// Withdraws an invite that was not used.
            withdraw_invite(OfInvite) -> Nothing;
            /// People of this organisation, with what their devices' certificates say.
            people(Nothing) -> People;
            /// Revokes devices of this organisation, for good.
            revoke(Revoke) -> Nothing;
        }
    };
}
