//! The rehearsal for SQLite: the script of deploy/backup makes and thins out copies, and the newest one is restored.

use firstlight_protocol::api::Notice;
use firstlight_tests::{
    inproc::{Cast, run},
    process::binaries,
    world::routing,
};
use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

fn names(dir: &Path) -> BTreeSet<String> {
    fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// What `date` makes of a time, as the copies' names have it.
fn stamp(time: &str) -> String {
    let date = Command::new("date").args(["-u", "-d", time, "+firstlight-%Y%m%dT%H%M%S.db"]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

#[test]
fn copies_are_made_and_thinned_out_and_the_newest_one_is_restored() {
    run(async {
        let mut cast = Cast::new().await;
        if cast.server.app().store.is_shared() {
            return; // See shared/restoring.
        }
        let before = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let dir = cast.server.dir().join("copies");
        fs::create_dir(&dir).unwrap();
        let day = stamp("3 days ago");
        let (day, hour) = (day.split_at(19).0, stamp("5 hours ago"));
        let (recent, hour) = ([stamp("50 minutes ago"), stamp("51 minutes ago")], hour.split_at(22).0.to_owned());
        let stay = [format!("{day}T220000.db"), format!("{hour}5000.db"), recent[0].clone(), recent[1].clone()];
        let go =
            [format!("{day}T210000.db"), format!("{day}T030000.db"), format!("{hour}1000.db"), stamp("36 days ago")];
        for file in stay.iter().chain(&go) {
            fs::write(dir.join(file), "").unwrap();
        }
        let config = cast.server.dir().join("server.toml");
        fs::write(&config, cast.server.app().config.to_toml()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/backup/sqlite/firstlight-backup");
        let made = Command::new(script)
            .arg(&dir)
            .env("FIRSTLIGHT_CONFIG", &config)
            .env("FIRSTLIGHT_SERVER", binaries::server().unwrap())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut left = names(&dir);
        for file in &stay {
            assert!(left.remove(file), "{file} has gone");
        }
        let copy = dir.join(left.pop_first().expect("a new copy"));
        assert_eq!(left, BTreeSet::new(), "these should have gone");
        let noted = "SELECT at FROM newest_backup";
        let noted: i64 =
            firstlight_server::store::sql::query_scalar(noted).fetch_one(cast.server.app().store.read()).await.unwrap();
        let age = firstlight_server::clock::Clock::System.now().since(firstlight_protocol::Timestamp(noted));
        assert!(age < Duration::from_secs(600), "the running server knows of it");

        // The machine is lost with what came after the copy.
        let after = cast.officer.open_callout(routing("east", cast.now())).await.unwrap();
        let known = cast.primary.inbox().await.last().map(|item| item.seq).unwrap();
        cast.server.restore(&copy).await;
        assert!(cast.supervisor.callout(before.id).await.is_ok());
        assert!(cast.supervisor.callout(after.id).await.is_err());
        let opened = cast.officer.open_callout(routing("south", cast.now())).await.unwrap();
        let page = cast.primary.inbox().await.into_iter().find(
            |item| matches!(item.notice, Notice::Page { callout, .. } if callout == opened.id && item.seq > known),
        );
        assert!(page.is_some(), "a device that knows more than the server gets its page");
        assert_eq!(cast.server.app().store.audit_verify().await.unwrap().broken_at, None);
    });
}
