//! Files in rooms, sealed and opened as the client does it, over the real API.

mod bucket;
mod kept;
mod room;

use firstlight_client::attachment::{Download, Surveyor, Upload, UploadRecord};
use firstlight_protocol::{
    AttachmentId, Problem, RoomId, RoomKind,
    api::AttachmentView,
    attachment::{Attachment, FileKey},
    mls::{Content, RoomContext},
};
use firstlight_tests::{
    inproc::Cast,
    world::{Device, Member, random},
};

/// Bytes that don't repeat.
fn file(length: usize) -> Vec<u8> {
    let mut state = 7u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Two advocates in a room of their own.
async fn room(cast: &Cast) -> (Member, Member, RoomId) {
    let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
    let (a, b) = (cast.member(a).await, cast.member(b).await);
    let context = RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None };
    let room = a.create_room(context, vec![b.device.id], cast.now()).await.unwrap();
    b.sync(cast.now()).await;
    (a, b, room)
}

/// A file that its sender's engine keeps.
fn begin(cast: &Cast, by: &Member, room: RoomId, file: &[u8]) -> UploadRecord {
    let mut surveyor = Surveyor::default();
    surveyor.see(file).unwrap();
    let ids = (AttachmentId(random()), firstlight_protocol::MessageId(random()));
    let about = ("plan.pdf", "application/pdf");
    let record = UploadRecord::new(room, ids, FileKey(random()), surveyor.finish(), about, cast.now());
    by.apply(|engine| engine.begin_upload(&record)).unwrap();
    record
}

fn path(record: &UploadRecord, rest: &str) -> String {
    format!("/v1/rooms/{}/attachments/{}{rest}", record.room, record.attachment.attachment)
}

/// Sends what the server has not got, at most so many chunks. Says how much was there before, in bytes of the file.
async fn send(by: &Device, record: &UploadRecord, file: &[u8], most: usize) -> Result<u64, Problem> {
    let mut upload = Upload::new(record.clone()).unwrap();
    let view: AttachmentView = by.post(format!("/v1/rooms/{}/attachments", record.room), &upload.begin()).await?;
    upload.server_has(&view).unwrap();
    for _ in 0..most {
        let Some(n) = upload.next_chunk() else { break };
        let span = upload.span(n);
        let sealed = upload.seal(n, file[span.start as usize..span.end as usize].to_vec()).unwrap();
        by.put_bytes(path(record, &format!("/chunks/{n}")), sealed).await?;
        upload.accepted(n);
    }
    Ok(upload.progress().before)
}

/// Completes it, and sends the message that announces it.
async fn announce(cast: &Cast, by: &Member, record: &UploadRecord) {
    let view: AttachmentView = by.device.post(path(record, "/complete"), &()).await.unwrap();
    assert!(view.complete);
    let id = record.attachment.attachment;
    let wanted = by.apply(|engine| engine.announce_upload(id, cast.now())).unwrap();
    by.drive(wanted, cast.now()).await;
}

/// All of it, announced.
async fn share(cast: &Cast, by: &Member, room: RoomId, file: &[u8]) -> UploadRecord {
    let record = begin(cast, by, room, file);
    send(&by.device, &record, file, usize::MAX).await.unwrap();
    announce(cast, by, &record).await;
    record
}

/// The file that a member's newest message announces.
fn announced(member: &Member, room: RoomId) -> Attachment {
    match member.read(room).pop() {
        Some(Content::Attachment(attachment)) => attachment,
        other => panic!("not a file: {other:?}"),
    }
}

/// Fetches and opens a file.
async fn fetch(by: &Device, room: RoomId, attachment: &Attachment) -> Result<Vec<u8>, Problem> {
    let mut download = Download::new(attachment).unwrap();
    let mut file = Vec::new();
    for n in download.missing() {
        let path = format!("/v1/rooms/{room}/attachments/{}/chunks/{n}", attachment.attachment);
        file.extend(download.open(by.get_bytes(path).await?).expect("what was sealed"));
    }
    download.finish().expect("what was announced");
    Ok(file)
}
