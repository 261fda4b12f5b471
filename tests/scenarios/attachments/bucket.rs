//! The same in a bucket of a real server that speaks S3.

use super::{announced, begin, fetch, file, room, send, share};
use firstlight_protocol::ErrorCode;
use firstlight_server::{
    blobs::collect::{collect, compare},
    config::Place,
    health::{Condition, WholeHealth},
};
use firstlight_tests::{
    inproc::{Cast, run},
    providers::Moto,
    world::soon,
};
use std::time::Duration;

const BUCKET: &str = "firstlight-attachments";

/// Moves the clock to the next look at the place, until health says this about it.
async fn health(cast: &Cast, reachable: bool) {
    let told = async {
        loop {
            let health: WholeHealth = cast.supervisor.get("/v1/health/details").await.unwrap();
            let unreachable = health.reasons.iter().any(|reason| reason.contains("attachments"));
            if unreachable != reachable {
                assert!(reachable || health.status == Condition::Degraded, "pages go out: {health:?}");
                return;
            }
            cast.seconds(20);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    soon("health to say so", told).await;
}

#[test]
fn a_bucket_holds_them_and_its_failure_is_told() {
    run(async {
        let mut moto = Moto::start(BUCKET).await;
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "testing").unwrap();
        let endpoint = moto.endpoint();
        let cast = Cast::with(|config| {
            config.attachments.place = Place::S3;
            let s3 = &mut config.attachments.s3;
            (s3.bucket, s3.endpoint, s3.allow_http) = (BUCKET.into(), endpoint, true);
            (s3.key_id, s3.secret_file) = ("testing".into(), secret);
        })
        .await;
        let (a, b, room) = room(&cast).await;
        let app = cast.server.app();
        let content = file(900_000);
        let kept = share(&cast, &a, room, &content).await;
        let lone = begin(&cast, &a, room, &content);
        send(&a.device, &lone, &content, 2).await.unwrap();
        b.sync(cast.now()).await;
        assert_eq!(fetch(&b.device, room, &announced(&b, room)).await.unwrap(), content);
        let lies = async |moto: &Moto, id: firstlight_protocol::AttachmentId| {
            moto.list(BUCKET).await.matches(&format!("<Key>{id}/")).count()
        };
        let (kept, lone) = (kept.attachment.attachment, lone.attachment.attachment);
        assert_eq!((lies(&moto, kept).await, lies(&moto, lone).await), (4, 2));

        cast.server.advance(Duration::from_secs(25 * 3_600));
        collect(app).await.unwrap();
        compare(app).await.unwrap();
        assert_eq!((lies(&moto, kept).await, lies(&moto, lone).await), (4, 0), "what nobody announced is gone");

        moto.stop();
        health(&cast, false).await;
        let waiting = begin(&cast, &b, room, &content);
        assert_eq!(send(&b.device, &waiting, &content, 1).await.unwrap_err().code, ErrorCode::Unavailable);
        moto.go_on(BUCKET).await;
        health(&cast, true).await;
        assert_eq!(send(&b.device, &waiting, &content, usize::MAX).await.unwrap(), 0, "nothing was taken for sent");
        assert_eq!(lies(&moto, waiting.attachment.attachment).await, 4);
    });
}
