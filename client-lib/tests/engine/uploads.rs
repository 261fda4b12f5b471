//! Files on their way: what a crash costs, and what a dishonest server can do to one.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    attachment::{AttachmentError, Download, Survey, Surveyor, Upload, UploadRecord},
    storage::LineBody,
    testing::{Peer, now, settle},
};
use firstlight_protocol::{
    AttachmentId, MessageId, Role, RoomKind, api::AttachmentView, attachment::FileKey, limits::ATTACHMENT_CHUNK,
    mls::Content,
};

const ID: AttachmentId = AttachmentId([3; 16]);

fn file(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|i| (i as u8).wrapping_mul(31) ^ (i >> 8) as u8 ^ seed).collect()
}

fn survey(file: &[u8]) -> Survey {
    let mut surveyor = Surveyor::default();
    surveyor.see(file).unwrap();
    surveyor.finish()
}

fn record(file: &[u8], key: u8) -> UploadRecord {
    let ids = (ID, MessageId([4; 16]));
    UploadRecord::new(ROOM, ids, FileKey([key; 32]), survey(file), ("../a/plan.pdf", "application/pdf"), now())
}

/// What a server holds of a file.
fn sealed(upload: &mut Upload, file: &[u8]) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    while let Some(n) = upload.next_chunk() {
        let span = upload.span(n);
        chunks.push(upload.seal(n, file[span.start as usize..span.end as usize].to_vec()).unwrap());
        upload.accepted(n);
    }
    chunks
}

fn open(record: &UploadRecord, chunks: &[Vec<u8>]) -> Result<Vec<u8>, AttachmentError> {
    let mut download = Download::new(&record.attachment)?;
    let mut file = Vec::new();
    for chunk in chunks {
        file.extend(download.open(chunk.clone())?);
    }
    download.finish().map(|()| file)
}

/// One write of either of them fails: a file is begun, its chunks go, it is announced.
fn story(who: usize, n: u64, after: bool) -> u32 {
    let content = file(1_000, 0);
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Advocate, SUITE, &mut a, &mut [&mut b]);
    let victim = if who == 0 { &mut a } else { &mut b };
    match after {
        false => victim.host.storage_mut().fail_at(n),
        true => victim.host.storage_mut().fail_after(n),
    }
    let begun = record(&content, 1);
    a.wish(|e| e.begin_upload(&begun));
    a.restart();
    // The command again: it finds what was begun, and goes on with that key.
    let known = a.host.engine().uploads();
    assert!(known.len() == 1 && known[0].is_of(ROOM, "plan.pdf", &survey(&content)));
    a.wish(|e| e.announce_upload(ID, now()));
    a.wish(|e| e.announce_upload(ID, now()));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    agree(&mut [&mut a, &mut b]);
    assert_eq!(a.host.engine().uploads(), []);
    let files = |peer: &mut Peer| {
        let lines = peer.lines(ROOM).into_iter();
        lines.filter(|l| l.body == LineBody::Message(Content::Attachment(begun.attachment.clone()))).count()
    };
    assert_eq!((files(&mut a), files(&mut b)), (1, 1), "announced once: write {n} of {who}, after: {after}");
    a.crashes + b.crashes
}

#[test]
fn a_crash_anywhere_neither_loses_a_file_nor_announces_it_twice() {
    for who in 0..2 {
        for after in [false, true] {
            assert!((1..).take_while(|n| story(who, *n, after) > 0).count() >= 1, "there are writes to lose");
        }
    }
}

#[test]
fn sending_goes_on_where_the_server_is_and_never_with_another_file() {
    let content = file(ATTACHMENT_CHUNK * 4 + 77, 0);
    let record = record(&content, 1);
    assert_eq!(record.attachment.name, "plan.pdf", "no part of its path is told");
    let all = sealed(&mut Upload::new(record.clone()).unwrap(), &content);
    let mut upload = Upload::new(record.clone()).unwrap();
    let begin = upload.begin();
    let view = |received: Vec<u32>, complete| AttachmentView {
        id: ID,
        size: begin.size,
        chunks: all.len() as u32,
        received,
        complete,
    };
    assert_eq!(upload.server_has(&AttachmentView { size: 1, ..view(vec![], false) }), Err(AttachmentError::OtherShape));
    upload.server_has(&view(vec![0, 2, 3], false)).unwrap();
    assert_eq!(upload.progress().before, ATTACHMENT_CHUNK as u64 * 3);
    assert_eq!((upload.next_chunk(), upload.next_chunk(), upload.next_chunk()), (Some(1), Some(4), None));
    let mut changed = content[ATTACHMENT_CHUNK..2 * ATTACHMENT_CHUNK].to_vec();
    assert_eq!(upload.seal(1, changed.clone()).unwrap(), all[1], "sealed again it is the same");
    changed[5] ^= 1;
    assert_eq!(upload.seal(1, changed), Err(AttachmentError::Changed), "one key never seals two files");
    assert_eq!(upload.seal(4, content[4 * ATTACHMENT_CHUNK..][..76].to_vec()), Err(AttachmentError::Changed));
    upload.accepted(1);
    assert!(!upload.is_sent());
    upload.accepted(4);
    assert!(upload.is_sent() && upload.progress().done == content.len() as u64);
    upload.server_has(&view(vec![], true)).unwrap();
    assert!(upload.is_sent(), "complete, and only its message was not sent");
}

#[test]
fn a_server_can_withhold_a_file_and_not_change_it() {
    let content = file(ATTACHMENT_CHUNK * 4 + 77, 0);
    let record = record(&content, 1);
    let chunks = sealed(&mut Upload::new(record.clone()).unwrap(), &content);
    assert_eq!(open(&record, &chunks).unwrap(), content);
    let other_content = file(content.len(), 9);
    let other = self::record(&other_content, 2);
    let foreign = sealed(&mut Upload::new(other).unwrap(), &other_content);
    let with = |change: fn(&mut Vec<Vec<u8>>, &[Vec<u8>])| {
        let mut chunks = chunks.clone();
        change(&mut chunks, &foreign);
        open(&record, &chunks)
    };
    /// Changes the chunks of one file, given those of another.
    type Attack = fn(&mut Vec<Vec<u8>>, &[Vec<u8>]);
    let attacks: [Attack; 8] = [
        |c, _| drop(c.pop()),
        |c, _| c.swap(0, 1),
        |c, _| c[2] = c[1].clone(),
        |c, _| drop(c.remove(1)),
        |c, _| c[3][100] ^= 1,
        |c, _| c[3].truncate(100),
        |c, _| c.push(c[0].clone()),
        |c, foreign| c[1] = foreign[1].clone(),
    ];
    for (n, attack) in attacks.into_iter().enumerate() {
        assert_eq!(with(attack), Err(AttachmentError::Tampered), "attack {n}");
    }
    // A sender whose announcement and file differ is found out at the end.
    let mut lie = record.clone();
    lie.attachment.sha256 = vec![0; 32].into();
    assert_eq!(open(&lie, &chunks), Err(AttachmentError::Tampered));
    lie.attachment.size = u64::MAX;
    assert_eq!(open(&lie, &chunks), Err(AttachmentError::TooLarge));
    // What was saved before goes on in whole chunks.
    let mut download = Download::new(&record.attachment).unwrap();
    assert!(download.go_on_with(&content[..ATTACHMENT_CHUNK]) && !download.go_on_with(&content[..100]));
    assert_eq!((download.missing(), download.progress().before), (1..chunks.len() as u32, ATTACHMENT_CHUNK as u64));
    for chunk in &chunks[1..] {
        download.open(chunk.clone()).unwrap();
    }
    download.finish().unwrap();
    // The empty file is one, too.
    let empty = self::record(&[], 3);
    assert!(open(&empty, &sealed(&mut Upload::new(empty.clone()).unwrap(), &[])).unwrap().is_empty());
}
