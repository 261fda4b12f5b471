//! Files in rooms: sending and saving them, with their progress.

use super::{
    callout,
    context::Context,
    failure::Failure,
    output::{Answer, clean},
    pick::pick,
    room::find,
    words,
};
use firstlight_client::{
    attachment::Progress,
    session::{Session, SessionError},
    storage::LineBody,
};
use firstlight_protocol::{
    ErrorCode, MessageId, RoomId,
    attachment::{Attachment, safe_name},
    mls::Content,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::{
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

/// How many of a room's newest lines are searched for a file.
const SEARCHED: usize = 10_000;
/// Where nobody watches a bar, a line is written this often.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// What stands in front of every file that is sent.
const AS_IT_IS: &str = "The file is sent as it is, with what it says about itself: a photograph may hold the place and \
                        time where it was taken. Its size is seen roughly by the server, its name and content are not.";

/// Sends a file.
pub(crate) async fn send(context: &Context, session: &Session, room: &str, path: &Path) -> Result<Answer, Failure> {
    context.out.aside(callout::FREE_TEXT);
    context.out.aside(AS_IT_IS);
    context.catch_up(session).await?;
    let room = find(session, room).await?;
    let mut shown = Shown::new(context, "sending");
    let sent = whole(session.send_file(room, path, |progress| shown.show(progress))).await;
    shown.end();
    let sent = sent?;
    let summary = session.summary(room).await?;
    let mut page = context.page();
    page.title("Sent");
    page.row("file", &format!("{}, {}", sent.name, words::bytes(sent.progress.total)));
    if sent.progress.before > 0 {
        page.row("went on at", &words::bytes(sent.progress.before));
    }
    page.row("who can read", summary.context.kind.who_can_read());
    page.row("devices", &summary.members.len().to_string());
    let json = json!({
        "room": room, "id": sent.message, "name": sent.name, "size": sent.progress.total,
        "went_on_at": sent.progress.before,
    });
    Ok(Answer::new(&json, page))
}

/// Saves a file.
pub(crate) async fn save(
    context: &Context,
    session: &Session,
    room: &str,
    message: &str,
    to: &Path,
) -> Result<Answer, Failure> {
    context.catch_up(session).await?;
    let room = find(session, room).await?;
    let attachment = named(session, room, message).await?;
    let (mut shown, mut before) = (Shown::new(context, "saving"), 0);
    let saving = session.save_file(room, &attachment, to, |progress| {
        before = progress.before;
        shown.show(progress);
    });
    let saved = whole(saving).await;
    shown.end();
    let path = saved?;
    let mut page = context.page();
    page.title("Saved");
    page.row("file", &path.display().to_string());
    page.row("size", &words::bytes(attachment.size));
    if before > 0 {
        page.row("went on at", &words::bytes(before));
    }
    page.note(
        "It is not encrypted there. Look at what it is before you open it: its name was chosen by whoever sent it.",
    );
    let json = json!({ "room": room, "path": path, "size": attachment.size, "went_on_at": before });
    Ok(Answer::new(&json, page))
}

/// How a file is told of in a room.
pub(crate) fn said(attachment: &Attachment, room: RoomId, message: MessageId) -> String {
    let (name, size) = (safe_name(&attachment.name), words::bytes(attachment.size));
    format!("file \"{name}\", {size}; to save it: firstlight room save {} {}", room.short(), message.short())
}

/// The file of a message: by the message's id or its end, by the file's name, or the latest.
async fn named(session: &Session, room: RoomId, text: &str) -> Result<Attachment, Failure> {
    let lines = session.state().lines_before(room, u64::MAX, SEARCHED).await?;
    let file = |line: firstlight_client::storage::Line| match line.body {
        LineBody::Message(Content::Attachment(attachment)) => Some((line.id, attachment)),
        _ => None,
    };
    let files: Vec<(MessageId, Attachment)> = lines.into_iter().rev().filter_map(file).collect();
    let mut same = files.iter().filter(|(_, file)| text == "latest" || safe_name(&file.name) == text);
    let found = match same.next() {
        Some((id, _)) => *id,
        None => pick("message with a file", text, files.iter().map(|(id, _)| *id))?,
    };
    let file = files.into_iter().find(|(id, _)| *id == found).map(|(_, file)| file);
    file.ok_or_else(|| Failure::missing("There is no such file in this room."))
}

/// Runs to the end, or until the person interrupts: what was done until then is kept either way.
async fn whole<T>(work: impl Future<Output = Result<T, SessionError>>) -> Result<T, Failure> {
    tokio::select! {
        done = work => Ok(done?),
        _ = tokio::signal::ctrl_c() => {
            let sentence = "Interrupted. The same command goes on where this one stopped.";
            Err(Failure::local(ErrorCode::Unavailable, sentence))
        }
    }
}

/// Progress on standard error: a bar on a terminal, a line now and then elsewhere, nothing for programs.
struct Shown {
    what: &'static str,
    bar: Option<ProgressBar>,
    out: super::output::Output,
    told: Option<Instant>,
}

impl Shown {
    fn new(context: &Context, what: &'static str) -> Self {
        let out = context.out.clone();
        let style =
            ProgressStyle::with_template("{msg} [{bar:30}] {bytes} of {total_bytes} {percent}% {bytes_per_sec} {eta}");
        let bar = out.has_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.with_message(what)
        });
        Self { what, bar, out, told: None }
    }

    fn show(&mut self, Progress { done, total, before }: Progress) {
        match &self.bar {
            Some(bar) => {
                if bar.length().is_none() {
                    bar.set_length(total);
                    // The rate is that of this time.
                    bar.set_position(before);
                    bar.reset_eta();
                }
                bar.set_position(done);
            }
            None if self.told.is_none_or(|at| at.elapsed() > TELL_EVERY) => {
                self.told = Some(Instant::now());
                let percent = (done * 100).checked_div(total).unwrap_or(100);
                let (done, total) = (words::bytes(done), words::bytes(total));
                self.out.aside(&clean(&format!("{}: {done} of {total}, {percent}%", self.what)));
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
