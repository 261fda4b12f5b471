//! Who sends and reads a file, and what a break costs.

use super::{announce, announced, begin, fetch, file, path, room, send, share};
use firstlight_client::attachment::Upload;
use firstlight_protocol::{
    AttachmentId, ErrorCode, MessageId, Problem,
    api::{AttachmentView, BeginAttachment},
    limits::{ATTACHMENT_CHUNK, MAX_ATTACHMENT},
    mls::SUITE_CLASSIC,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, random},
};
use std::time::{Duration, Instant};

async fn code<T: std::fmt::Debug>(answer: impl Future<Output = Result<T, Problem>>) -> ErrorCode {
    answer.await.unwrap_err().code
}

#[test]
fn an_interrupted_file_goes_on_and_only_the_room_reads_it() {
    run(async {
        let mut cast = Cast::new().await;
        let (a, b, room) = room(&cast).await;
        let outsider = cast.advocate("Advocate 5").await;
        let content = file(2_900_000);
        let record = begin(&cast, &a, room, &content);
        send(&a.device, &record, &content, 5).await.unwrap();
        let early = a.device.post::<AttachmentView>(path(&record, "/complete"), &());
        assert_eq!(code(early).await, ErrorCode::WrongState, "chunks are missing");
        cast.server.restart(Duration::from_secs(60)).await;

        let before = send(&a.device, &record, &content, usize::MAX).await.unwrap();
        assert_eq!(before, 5 * ATTACHMENT_CHUNK as u64, "what was there is not sent again");
        assert_eq!(code(b.device.get::<AttachmentView>(path(&record, ""))).await, ErrorCode::NotFound, "not announced");
        announce(&cast, &a, &record).await;
        b.sync(cast.now()).await;
        assert_eq!(announced(&b, room), record.attachment);
        assert_eq!(fetch(&b.device, room, &record.attachment).await.unwrap(), content);
        assert_eq!(fetch(&a.device, room, &record.attachment).await.unwrap(), content);

        // Whoever joins later reads neither the message nor the file.
        let later = cast.advocate("Advocate 6").await;
        let later = cast.member(later).await;
        let claimed = a.device.claim(SUITE_CLASSIC, vec![later.device.id]).await.unwrap();
        let added = a.apply(|engine| engine.add(room, &claimed, MessageId(random()), cast.now())).unwrap();
        a.drive(added, cast.now()).await;
        later.sync(cast.now()).await;
        assert_eq!(code(fetch(&later.device, room, &record.attachment)).await, ErrorCode::NotFound);
        let second = share(&cast, &a, room, &content[..10_000]).await;
        later.sync(cast.now()).await;
        assert_eq!(fetch(&later.device, room, &announced(&later, room)).await.unwrap(), content[..10_000]);

        // Who is no member gets nothing, whatever they know.
        let closed = async |device: &Device| {
            let begin = BeginAttachment { id: AttachmentId(random()), message: MessageId(random()), size: 4_112 };
            let begun = device.post::<AttachmentView>(format!("/v1/rooms/{room}/attachments"), &begin);
            assert_eq!(code(begun).await, ErrorCode::NotAMember);
            assert_eq!(code(device.get::<AttachmentView>(path(&second, ""))).await, ErrorCode::NotAMember);
            assert_eq!(code(fetch(device, room, &second.attachment)).await, ErrorCode::NotAMember);
            assert_eq!(code(device.put_bytes(path(&second, "/chunks/0"), vec![0; 4_112])).await, ErrorCode::NotAMember);
        };
        cast.changes_nothing(closed(&outsider)).await;
        let (device, store) = (b.device.id, &cast.server.app().store);
        store.write(move |tx| Box::pin(async move { tx.suspend_members(room, &[device]).await })).await.unwrap();
        cast.changes_nothing(closed(&b.device)).await;
        store.write(move |tx| Box::pin(async move { tx.resume_members(room, &[device]).await })).await.unwrap();
        assert!(fetch(&b.device, room, &second.attachment).await.is_ok());
        let gone = a.apply(|engine| engine.remove(room, &[device], MessageId(random()), cast.now())).unwrap();
        a.drive(gone, cast.now()).await;
        cast.changes_nothing(closed(&b.device)).await;
    });
}

#[test]
fn what_is_not_in_order_changes_nothing() {
    run(async {
        let cast = Cast::new().await;
        let (a, b, room) = room(&cast).await;
        let content = file(600_000);
        let record = begin(&cast, &a, room, &content);
        send(&a.device, &record, &content, 1).await.unwrap();
        let upload = Upload::new(record.clone()).unwrap();
        let begun = upload.begin();
        let attempts = format!("/v1/rooms/{room}/attachments");
        let refused = [
            (BeginAttachment { size: begun.size + 1, ..begun.clone() }, ErrorCode::Conflict),
            (BeginAttachment { message: MessageId([1; 16]), ..begun.clone() }, ErrorCode::Conflict),
            (BeginAttachment { id: AttachmentId([1; 16]), ..begun.clone() }, ErrorCode::Conflict),
            (BeginAttachment { size: 16, ..begun.clone() }, ErrorCode::InvalidValue),
            (BeginAttachment { size: MAX_ATTACHMENT + 401 * 16, ..begun.clone() }, ErrorCode::TooLarge),
        ];
        for (body, expected) in refused {
            let attempt = a.device.post::<AttachmentView>(&attempts, &body);
            assert_eq!(code(cast.changes_nothing(attempt)).await, expected, "{body:?}");
        }
        let theirs = b.device.post::<AttachmentView>(&attempts, &begun);
        assert_eq!(code(cast.changes_nothing(theirs)).await, ErrorCode::Conflict, "another device's id");
        let whole = ATTACHMENT_CHUNK + 16;
        for (n, length, expected) in [
            (1, whole - 1, ErrorCode::InvalidValue),
            (1, 0, ErrorCode::InvalidValue),
            (1, whole + 1, ErrorCode::TooLarge),
            (3, whole, ErrorCode::NotFound),
            (u32::MAX, whole, ErrorCode::NotFound),
        ] {
            let attempt = a.device.put_bytes(path(&record, &format!("/chunks/{n}")), vec![0; length]);
            assert_eq!(code(cast.changes_nothing(attempt)).await, expected, "chunk {n} of {length}");
        }
        let foreign = b.device.put_bytes(path(&record, "/chunks/1"), vec![0; whole]);
        assert_eq!(code(cast.changes_nothing(foreign)).await, ErrorCode::NotFound);

        // The same chunk again does no harm, and once it is complete nothing changes it.
        let sealed = |n: usize| {
            let chunk = content[n * ATTACHMENT_CHUNK..((n + 1) * ATTACHMENT_CHUNK).min(content.len())].to_vec();
            upload.seal(n as u32, chunk).unwrap()
        };
        for n in [2, 1, 1] {
            a.device.put_bytes(path(&record, &format!("/chunks/{n}")), sealed(n)).await.unwrap();
        }
        announce(&cast, &a, &record).await;
        a.device.put_bytes(path(&record, "/chunks/1"), vec![0; whole]).await.unwrap();
        b.sync(cast.now()).await;
        assert_eq!(fetch(&b.device, room, &record.attachment).await.unwrap(), content);
    });
}

#[test]
fn a_large_file_is_quick_and_whole() {
    run(async {
        let cast = Cast::new().await;
        let (a, b, room) = room(&cast).await;
        let content = file(20 << 20);
        let began = Instant::now();
        let record = share(&cast, &a, room, &content).await;
        let sent = began.elapsed();
        b.sync(cast.now()).await;
        let began = Instant::now();
        let came = fetch(&b.device, room, &record.attachment).await.unwrap();
        let rate = |time: Duration| 20.0 / time.as_secs_f64();
        eprintln!("20 MiB on loopback: {:.1} MiB/s up, {:.1} MiB/s down", rate(sent), rate(began.elapsed()));
        assert!(came == content);
    });
}
