//! How much there may be, and what goes when.

use super::{announce, announced, begin, fetch, file, room, send, share};
use firstlight_protocol::{AttachmentId, ErrorCode, MessageId, RoomId};
use firstlight_server::{
    blobs::collect::{collect, compare},
    retention::purge,
    store::sql,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Member, random},
};
use std::{fs, path::Path, time::Duration};

const HOUR: Duration = Duration::from_secs(3_600);

/// How many chunks of an attachment lie in the folder.
fn chunks(folder: &Path, attachment: AttachmentId) -> usize {
    fs::read_dir(folder.join(attachment.to_string())).map_or(0, Iterator::count)
}

/// Commits since the last snapshot are what a room's public state is rebuilt from; a new one lets the log begin later.
async fn make_snapshot(cast: &Cast, by: &Member, room: RoomId) {
    for _ in 0..34 {
        let renewed = by.apply(|engine| engine.update(room, MessageId(random()), cast.now())).unwrap();
        by.drive(renewed, cast.now()).await;
    }
}

#[test]
fn quotas_hold_and_nothing_stays_for_ever() {
    run(async {
        let cast = Cast::with(|config| {
            config.retention.advocate_days = 7;
            config.attachments.max_mib = 2;
            config.attachments.room_mib = 4;
            config.attachments.device_daily_mib = 3;
        })
        .await;
        let (a, b, room) = room(&cast).await;
        let (app, folder) = (cast.server.app(), cast.server.dir().join("data/attachments"));
        let content = file(1_300_000);

        let refused = async |by: &Member, length: usize| {
            let content = file(length);
            let record = begin(&cast, by, room, &content);
            let problem = send(&by.device, &record, &content, 1).await.unwrap_err();
            by.apply(|engine| engine.drop_upload(record.attachment.attachment)).unwrap();
            problem
        };
        assert_eq!(refused(&a, 2_500_000).await.code, ErrorCode::TooLarge, "one file");
        let announced_one = share(&cast, &a, room, &content).await;
        let lone = begin(&cast, &a, room, &content);
        send(&a.device, &lone, &content, usize::MAX).await.unwrap();
        let problem = refused(&a, 1_300_000).await;
        assert_eq!(problem.code, ErrorCode::RateLimited, "one device, one day");
        assert_eq!(problem.retry_after_ms, Some(86_400_000), "{problem}");
        let half = begin(&cast, &b, room, &content);
        send(&b.device, &half, &content, 2).await.unwrap();
        assert_eq!(refused(&b, 1_300_000).await.code, ErrorCode::TooLarge, "the whole room");

        // What was begun and not announced goes a day after its last chunk came; what was announced stays.
        let ids = [&announced_one, &lone, &half].map(|record| record.attachment.attachment);
        let lying = || ids.map(|id| chunks(&folder, id));
        cast.server.advance(23 * HOUR);
        send(&b.device, &half, &content, 1).await.unwrap();
        collect(app).await.unwrap();
        assert_eq!(lying(), [5, 5, 3]);
        cast.server.advance(2 * HOUR);
        collect(app).await.unwrap();
        assert_eq!(lying(), [5, 0, 3], "a chunk came for the other one two hours ago");
        cast.server.advance(23 * HOUR);
        collect(app).await.unwrap();
        assert_eq!(lying(), [5, 0, 0]);
        b.sync(cast.now()).await;
        assert_eq!(fetch(&b.device, room, &announced(&b, room)).await.unwrap(), content);
        // Its sender comes back after all: it begins anew, under the same ids.
        assert_eq!(send(&a.device, &lone, &content, usize::MAX).await.unwrap(), 0);
        announce(&cast, &a, &lone).await;

        // A deletion that a crash broke off, a chunk that no row names, and what is not this server's.
        let orphan = AttachmentId([9; 16]);
        fs::create_dir(folder.join(orphan.to_string())).unwrap();
        fs::write(folder.join(format!("{orphan}/0")), b"orphan").unwrap();
        fs::write(folder.join("note.txt"), b"the operator's").unwrap();
        let first = ids[0];
        let begun = app.store.write(move |tx| {
            Box::pin(async move {
                let mark = sql::query("UPDATE attachments SET going = 1 WHERE attachment = $1").bind(first.0.to_vec());
                Ok(mark.execute(&mut *tx.conn).await?.rows_affected())
            })
        });
        assert_eq!(begun.await.unwrap(), 1);
        let reading = fetch(&b.device, room, &announced_one.attachment).await;
        assert_eq!(reading.unwrap_err().code, ErrorCode::NotFound);
        collect(app).await.unwrap();
        compare(app).await.unwrap();
        assert_eq!(lying(), [0, 5, 0]);
        cast.server.advance(25 * HOUR);
        compare(app).await.unwrap();
        assert_eq!((chunks(&folder, orphan), lying()), (0, [0, 5, 0]));
        assert!(folder.join("note.txt").exists());

        // The message goes with its time, and the file with it.
        make_snapshot(&cast, &a, room).await;
        cast.server.advance(8 * 24 * HOUR);
        a.say(room, "new", cast.now()).await;
        purge(app).await.unwrap();
        collect(app).await.unwrap();
        assert_eq!(lying(), [0, 0, 0]);
        let rows: i64 =
            sql::query_scalar("SELECT COUNT(*) FROM attachments").fetch_one(app.store.read()).await.unwrap();
        let left: i64 =
            sql::query_scalar("SELECT COUNT(*) FROM attachment_chunks").fetch_one(app.store.read()).await.unwrap();
        assert_eq!((rows, left), (0, 0));
    });
}
