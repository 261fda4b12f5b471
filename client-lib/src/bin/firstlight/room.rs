//! End-to-end encrypted rooms.

use super::{
    callout,
    context::Context,
    failure::Failure,
    files,
    happenings::{self, person},
    output::{Answer, Page, clean},
    people::{find_people, find_person},
    pick::pick,
    values::word,
};
use clap::Subcommand;
use firstlight_client::{
    engine::{Ask, RoomState, RoomSummary},
    session::{self, Session},
};
use firstlight_protocol::{ErrorCode, OrgKind, PersonId, RoomId, RoomKind, cert::is_valid_name, mls::Content};
use serde_json::{Value, json};
use std::{io::Read, path::PathBuf};

/// Most bytes of a message's text; with its padding and encryption it stays below the wire's bound.
const MAX_TEXT: usize = 32 << 10;
/// Longest name of a room.
const MAX_NAME: usize = 80;

/// Commands about rooms. ROOM is a room's id, its end, its name, the end of its callout's id, or "latest" (a callout's).
#[derive(Debug, Subcommand)]
pub(crate) enum Room {
    /// Create a room; its kind fixes for good who can be a member
    Create {
        /// callout, advocate, case_team, operation or agency
        #[arg(long, value_parser = word(RoomKind::ALL))]
        kind: RoomKind,
        /// Its name, which only members see
        #[arg(long)]
        name: String,
        /// First members: work name, or id, or its end; repeat for each
        #[arg(long = "with", value_name = "PERSON")]
        people: Vec<String>,
    },
    /// List rooms
    List,
    /// Add people; every member sees it. The first of another kind of organisation: "room ask" comes before
    Add {
        /// The room
        room: String,
        /// Work names, or ids, or their ends (another organisation's people: whole ids)
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Ask to let another kind of organisation in, which takes two people; every member sees it
    Ask {
        /// The room
        room: String,
        /// victim_services, law_enforcement, child_welfare, probation, prosecution or care
        #[arg(value_parser = word(OrgKind::ALL))]
        kind: OrgKind,
    },
    /// Agree to such a question: whoever asked may add people of that kind, within a day of asking
    Agree {
        /// The room
        room: String,
        /// What was asked for
        #[arg(value_parser = word(OrgKind::ALL))]
        kind: OrgKind,
    },
    /// Don't agree to such a question; takes a question of your own back
    Disagree {
        /// The room
        room: String,
        /// What was asked for
        #[arg(value_parser = word(OrgKind::ALL))]
        kind: OrgKind,
    },
    /// Remove people; every member sees it
    Remove {
        /// The room
        room: String,
        /// Work names, or ids, or their ends
        #[arg(required = true)]
        people: Vec<String>,
    },
    /// Send a message
    Send {
        /// The room
        room: String,
        /// The text; "-" reads it from standard input
        text: String,
    },
    /// Read messages
    Read {
        /// The room
        room: String,
        /// How many of the newest lines
        #[arg(long, default_value_t = 50)]
        last: usize,
        /// Don't ask the server for new ones first
        #[arg(long)]
        offline: bool,
    },
    /// Send a file of at most 100 MiB, encrypted, as it is: photographs keep the place and time in them. Repeat the command
    /// to go on after an interruption
    SendFile {
        /// The room
        room: String,
        /// The file
        file: PathBuf,
    },
    /// Save a file of a room; it never overwrites one. Repeat the command to go on after an interruption
    Save {
        /// The room
        room: String,
        /// The message that announces it: its id or its end, the file's name, or "latest"
        message: String,
        /// The folder to save it in
        #[arg(long, value_name = "DIR", default_value = ".")]
        to: PathBuf,
    },
    /// List members, as their certificates say who they are
    Members {
        /// The room
        room: String,
    },
    /// Rejoin a room that is out of sync, with whoever is in it by now
    Rejoin {
        /// The room
        room: String,
    },
}

impl Room {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::Create { kind, name, people } => {
                if !is_valid_name(&name) || name.chars().count() > MAX_NAME {
                    return Err(Failure::Usage("A room's name has 1 to 64 visible characters.".into()));
                }
                let people = find_people(&session, &people).await?;
                let room = session.create_room(kind, &name, &people).await?;
                Ok(members(context, &room))
            }
            Self::List => {
                context.catch_up(&session).await?;
                list(context, &session).await
            }
            Self::Add { room, people } => {
                context.catch_up(&session).await?;
                let room = find(&session, &room).await?;
                let people = find_people(&session, &people).await?;
                Ok(members(context, &session.add_people(room, &people).await?))
            }
            Self::Ask { room, kind } => {
                context.catch_up(&session).await?;
                let room = find(&session, &room).await?;
                Ok(members(context, &session.ask_to_admit(room, kind).await?))
            }
            Self::Agree { room, kind } => answer(context, &session, &room, kind, true).await,
            Self::Disagree { room, kind } => answer(context, &session, &room, kind, false).await,
            Self::Remove { room, people } => {
                context.catch_up(&session).await?;
                let room = find(&session, &room).await?;
                let people = present(&session, room, &people).await?;
                Ok(members(context, &session.remove_people(room, &people).await?))
            }
            Self::Send { room, text } => send(context, &session, &room, text).await,
            Self::Read { room, last, offline } => read(context, &session, &room, last, offline).await,
            Self::SendFile { room, file } => files::send(context, &session, &room, &file).await,
            Self::Save { room, message, to } => files::save(context, &session, &room, &message, &to).await,
            Self::Members { room } => {
                context.catch_up(&session).await?;
                let room = find(&session, &room).await?;
                Ok(members(context, &session.summary(room).await?))
            }
            Self::Rejoin { room } => {
                let room = find(&session, &room).await?;
                Ok(members(context, &session.rejoin(room).await?))
            }
        }
    }
}

/// Finds a room of this device.
pub(crate) async fn find(session: &Session, text: &str) -> Result<RoomId, Failure> {
    let rooms = session.state().read(|engine| engine.rooms()).await?;
    if let Ok(room) = text.trim().parse() {
        return Ok(room);
    }
    let wanted = text.trim().to_lowercase();
    let mut named = rooms.iter().filter(|room| room.name.as_ref().is_some_and(|name| name.to_lowercase() == wanted));
    if let (Some(one), None) = (named.next(), named.next()) {
        return Ok(one.room);
    }
    if wanted == "latest" {
        return latest(session, &rooms).await?.ok_or_else(|| Failure::missing("This device is in no callout's room."));
    }
    let of_callouts = rooms.iter().filter_map(|room| Some((room.context.callout?, room.room)));
    if let Ok(callout) = pick("callout", &wanted, of_callouts.clone().map(|(callout, _)| callout))
        && let Some((_, room)) = of_callouts.clone().find(|(known, _)| *known == callout)
    {
        return Ok(room);
    }
    pick("room", &wanted, rooms.iter().map(|room| room.room))
}

/// Answers the newest question for a kind of organisation: to agree, somebody else's.
async fn answer(
    context: &Context,
    session: &Session,
    room: &str,
    kind: OrgKind,
    agrees: bool,
) -> Result<Answer, Failure> {
    context.catch_up(session).await?;
    let room = find(session, room).await?;
    let asks = session.summary(room).await?.asks.into_iter().rev();
    let asks: Vec<Ask> = asks.filter(|ask| ask.org_kind == kind && ask.until > session::now()).collect();
    let ask = asks.iter().find(|ask| ask.may_agree || !agrees).or(asks.first());
    let ask = ask.ok_or_else(|| Failure::missing("Nobody asks to let that kind of organisation in."))?;
    Ok(members(context, &session.answer_ask(room, ask.id, agrees).await?))
}

/// The callout's room that this device joined last: what goes on in an older one must not make a message go there.
async fn latest(session: &Session, rooms: &[RoomSummary]) -> Result<Option<RoomId>, Failure> {
    let mut newest = None;
    for room in rooms.iter().filter(|room| room.context.callout.is_some()) {
        let at = session.state().lines(room.room, 0, 1).await?.pop().map(|line| line.at);
        newest = newest.max(Some((at, room.room)));
    }
    Ok(newest.map(|(_, room)| room))
}

/// People who are members, by what their certificates say; others as in the directory.
async fn present(session: &Session, room: RoomId, texts: &[String]) -> Result<Vec<PersonId>, Failure> {
    let members = session.summary(room).await?.members;
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        let wanted = text.trim().to_lowercase();
        let mut named: Vec<PersonId> =
            members.iter().filter(|m| m.work_name.to_lowercase() == wanted).map(|m| m.person).collect();
        named.dedup();
        found.push(match named[..] {
            [one] => one,
            _ => match pick("member", text, members.iter().map(|m| m.person)) {
                Ok(person) => person,
                Err(_) => find_person(session, text).await?.person,
            },
        });
    }
    Ok(found)
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let rooms = session.state().read(|engine| engine.rooms()).await?;
    let mut page = context.page();
    page.title("Rooms");
    let rows: Vec<Vec<String>> = rooms
        .iter()
        .map(|room| {
            let name = room.name.clone().or_else(|| room.context.callout.map(|c| format!("callout {}", c.short())));
            vec![
                room.room.short(),
                room.context.kind.to_string(),
                name.unwrap_or_default(),
                room.members.len().to_string(),
                room.unread.to_string(),
                standing(room),
            ]
        })
        .collect();
    page.table(&["ID", "KIND", "NAME", "DEVICES", "UNREAD", "STATE"], &rows, "none");
    let list: Vec<Value> = rooms.iter().map(summary).collect();
    Ok(Answer::new(&json!({ "rooms": list }), page))
}

fn standing(room: &RoomSummary) -> String {
    match &room.state {
        RoomState::Creating => "being created".into(),
        RoomState::Joined => "".into(),
        RoomState::OutOfSync(why) => format!("OUT OF SYNC: {why}"),
        RoomState::Rejoining => "rejoining".into(),
        RoomState::Left => "left".into(),
    }
}

fn summary(room: &RoomSummary) -> Value {
    json!({
        "room": room.room,
        "kind": room.context.kind,
        "org": room.context.org,
        "callout": room.context.callout,
        "name": room.name,
        "state": room.state,
        "epoch": room.epoch,
        "suite": room.suite,
        "cursor": room.cursor,
        "unread": room.unread,
        "members": room.members.iter().map(person).collect::<Vec<_>>(),
        "revoked_members": room.revoked_members,
        "asks": room.asks.iter().map(asked).collect::<Vec<_>>(),
    })
}

fn asked(ask: &Ask) -> Value {
    json!({
        "id": ask.id,
        "org_kind": ask.org_kind,
        "by": person(&ask.by),
        "until": ask.until,
        "agreed": ask.agreed,
        "may_agree": ask.may_agree,
        "answers": ask.answers.iter().map(|a| json!({ "by": person(&a.by), "agrees": a.agrees })).collect::<Vec<_>>(),
    })
}

fn members(context: &Context, room: &RoomSummary) -> Answer {
    let mut page = context.page();
    let title = room.name.clone().unwrap_or_else(|| format!("{} room {}", room.context.kind, room.room.short()));
    page.title(&title);
    describe(&mut page, room);
    page.title("Members");
    let rows: Vec<Vec<String>> = room
        .members
        .iter()
        .map(|m| {
            let revoked = if room.revoked_members.contains(&m.device) { "REVOKED, being removed" } else { "" };
            vec![m.work_name.clone(), m.role.to_string(), m.org_kind.to_string(), m.device.short(), revoked.into()]
        })
        .collect();
    page.table(&["NAME", "ROLE", "ORGANISATION", "DEVICE", ""], &rows, "nobody");
    for ask in room.asks.iter().filter(|ask| ask.until > session::now()) {
        let (name, kind) = (clean(&ask.by.work_name), ask.org_kind.plain());
        page.note(&match ask.agreed {
            true => format!("{name} asked to let {kind} in, and a second person agreed: {name} can add them now."),
            false => format!("{name} asks to let {kind} in: it takes a second person, \"firstlight room agree\"."),
        });
    }
    Answer::new(&summary(room), page)
}

fn describe(page: &mut Page, room: &RoomSummary) {
    page.row("room", &room.room.to_string());
    page.row("kind", room.context.kind.as_str());
    page.row("who can read", room.context.kind.who_can_read());
    page.row("state", &standing(room));
}

async fn send(context: &Context, session: &Session, room: &str, text: String) -> Result<Answer, Failure> {
    let text = match text.as_str() {
        "-" => {
            let mut input = String::new();
            let read = std::io::stdin().lock().take(MAX_TEXT as u64 + 1).read_to_string(&mut input);
            read.map_err(|e| Failure::Usage(format!("The text can't be read: {e}.")))?;
            input.trim_end().to_owned()
        }
        _ => text,
    };
    if text.is_empty() || text.len() > MAX_TEXT {
        return Err(Failure::local(ErrorCode::TooLarge, format!("A message has 1 to {MAX_TEXT} bytes.")));
    }
    context.out.aside(callout::FREE_TEXT);
    context.catch_up(session).await?;
    let room = find(session, room).await?;
    let content = Content::Text { text, reply_to: None };
    let id = session.message_id(room, &content).await?;
    let events = session.send(room, content, id).await?;
    let seq = events.iter().find_map(|event| match event {
        firstlight_client::engine::Event::Sent { id: sent, seq, .. } if *sent == id => Some(*seq),
        _ => None,
    });
    let summary = session.summary(room).await?;
    let mut page = context.page();
    page.title("Sent");
    page.row("who can read", summary.context.kind.who_can_read());
    page.row("devices", &summary.members.len().to_string());
    Ok(Answer::new(&json!({ "room": room, "id": id, "seq": seq }), page))
}

async fn read(context: &Context, session: &Session, room: &str, last: usize, offline: bool) -> Result<Answer, Failure> {
    if !offline {
        context.catch_up(session).await?;
    }
    let room = find(session, room).await?;
    let summary = session.summary(room).await?;
    let lines = session.state().lines_before(room, u64::MAX, last.clamp(1, 10_000)).await?;
    let mut told = Vec::with_capacity(lines.len());
    for line in &lines {
        told.push(happenings::line(session, line).await);
    }
    session.state().apply(|engine, _| engine.mark_read(room)).await?;
    let mut page = context.page();
    page.note(&format!("Who can read: {}", summary.context.kind.who_can_read()));
    for (line, told) in lines.iter().zip(&told) {
        happenings::write(&mut page, line.at, told);
    }
    if lines.is_empty() {
        page.note("nothing yet");
    }
    let json: Vec<Value> = told.into_iter().map(|told| told.json).collect();
    Ok(Answer::new(&json!({ "room": room, "state": summary.state, "lines": json }), page))
}
