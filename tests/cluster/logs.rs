//! What a person wrote, a name or a telephone number stands in no node's log: JSON, the default filter, files in rooms, wake-ups
//! over Redis, and a PostgreSQL and a Redis that go away in the middle.

use firstlight_protocol::policy::Millis;
use firstlight_tests::{
    cluster::Cluster,
    process::{Cli, Plan, Result, World, enrol, fail},
};
use serde_json::{Value, json};
use std::{fs, path::Path, thread, time::Duration};

/// Found nowhere by accident.
const NAME: &str = "Zqname Kxw";
const NUMBER: &str = "+15557391846";
const CALL_BACK: &str = "+15558264917";
const TEXTS: [&str; 5] = ["zqnotes", "zqsaid", "zqroomname", "zqfilename", "zqfilecontent"];
/// So long everything is away.
const AWAY: Duration = Duration::from_millis(1_500);

#[test]
#[ignore = "minutes, on a slow disk: tests/soak plays it"]
fn no_node_logs_what_people_wrote_or_who_they_are() -> Result<()> {
    let mut cluster = Cluster::start(2, |_| {})?;
    let played = play(&mut cluster);
    played.map_err(|e| e.with(&cluster.report()))
}

fn play(cluster: &mut Cluster) -> Result<()> {
    let devices = cluster.path().join("devices");
    let world = World::found(&cluster.nodes[0].server, &devices, &Plan::fast(Millis::seconds(1))?, |_, _, _| {})?;
    let somebody = Cli::with_key_file(NAME, devices.join("somebody"));
    enrol(&world.admin, &[(&somebody, "advocate")])?;
    // Nobody sends text messages here: that it can't be verified is said, and not to whom.
    let _ = world.admin.refused(&["contacts", "--person", NAME, "add", "sms", NUMBER]);
    write(&world, &somebody, cluster.path())?;

    // In the middle of requests that carry all of it.
    cluster.redis.kill9();
    cluster.postgres.kill9();
    let last = thread::scope(|scope| {
        let (world, somebody, path) = (&world, &somebody, cluster.path().to_owned());
        let writing = scope.spawn(move || write(world, somebody, &path));
        thread::sleep(AWAY);
        cluster.postgres.restart()?;
        cluster.redis.restart()?;
        writing.join().unwrap_or_else(|_| Err(fail("writing panicked")))
    });
    // Whether it came through is others' business; here somebody tries again.
    last.or_else(|_| write(&world, &somebody, cluster.path()))?;

    let mut complaints = 0;
    for node in &cluster.nodes {
        let log = fs::read_to_string(node.server.log())?;
        for line in log.lines() {
            let entry: Value = serde_json::from_str(line)?;
            complaints += usize::from(entry["level"] == "ERROR" || entry["level"] == "WARN");
        }
        let said = log.to_lowercase();
        let digits = said.replace(['-', ' '], "");
        for (mark, text) in [NAME, "Kxw", "Advocate 1", "Officer 1"]
            .into_iter()
            .chain(TEXTS)
            .map(|mark| (mark, &said))
            .chain([NUMBER, CALL_BACK].map(|mark| (&mark[2..], &digits)))
        {
            if let Some(at) = text.find(&mark.to_lowercase()) {
                let line = text.get(text[..at].rfind('\n').map_or(0, |n| n + 1)..).and_then(|from| from.lines().next());
                return Err(fail(format!("{mark} stands in a log: {}", line.unwrap_or_default())));
            }
        }
    }
    // It is no proof if nothing went wrong.
    if complaints < 2 { Err(fail("no node complained of anything")) } else { Ok(()) }
}

/// A callout with free text, a room, a message and a file.
fn write(world: &World, somebody: &Cli, dir: &Path) -> Result<()> {
    let [notes, said, room, file, content] = TEXTS;
    let details = json!({ "notes": notes, "address": notes }).to_string();
    let open = ["callout", "open", "--call-back", CALL_BACK, "--zone", "north", "--details-file", "-"];
    world.officer.run_with_input(&open, Some(&details))?;
    world.officer.run(&["room", "send", "latest", said])?;
    let path = dir.join(format!("{file}.txt"));
    fs::write(&path, content.repeat(1_000))?;
    world.officer.run(&["room", "send-file", "latest", &path.to_string_lossy()])?;
    let with = ["--with", &world.primary.who];
    let made = somebody.run(&[&["room", "create", "--kind", "advocate", "--name", room][..], &with].concat())?;
    let made = made["room"].as_str().ok_or_else(|| fail("a room without an id"))?;
    somebody.run(&["room", "send", made, said]).map(drop)
}
