//! How to act as each person, to copy and paste.

use firstlight_protocol::policy::{Place, Policy};
use firstlight_tests::process::{Cli, Result, ServerProcess, World, binaries};
use std::{
    fmt::Write as _,
    io::{self, Write as _},
};
use tokio::signal::unix::{SignalKind, signal};

/// Prints what to do.
pub(crate) fn how_to_act(server: &ServerProcess, world: &World, policy: &Policy) {
    let program = binaries::client().unwrap_or_else(|_| "firstlight".into());
    let program = program.display().to_string();
    let officer = [
        "watch",
        "callout open --zone north --call-back 555-0101 --age-band early --language es \\\n         \
         --address \"12 Example Street\" --arrival \"side door\" --needs \"warm clothes\" --kit M",
        "room send latest \"She is awake and hungry\"",
        "callout show",
    ];
    let advocate = [
        "watch",
        "callout ack",
        "callout accept --eta 35",
        "room read latest",
        "callout en-route",
        "callout arrived",
        "callout with",
        "callout handover",
        "callout close --support accepted --kits 1",
    ];
    let privileged = [
        "room create --kind advocate --name Plan --with \"Advocate 1\" --with \"Caseworker 1\"",
        "room send Plan \"Safety plan tomorrow\"",
    ];
    let supervisor = ["watch", "on-call", "callout timeline", "callout review --welfare well"];
    let admin = ["people list", "devices list", "policy show", "invite create --role advocate --name \"Advocate 3\""];
    let backup = policy.timers.backup_after_ms.0 / 1000;
    let mut text = format!(
        "\nThe server listens on {}. Agency A hosts it; Agency B is a police agency.\n\
         Open a terminal for each person and paste their first line; then `fl` is their device.\n\
         If Advocate 1 does not answer, Advocate 2 is called after {backup} s.\n",
        server.url()
    );
    let all: [(&Cli, &str, &[&str]); 6] = [
        (&world.officer, "opens callouts and sees that somebody is coming", &officer),
        (&world.primary, "on call as primary", &advocate),
        (&world.backup, "on call as backup; the same commands, and", &privileged),
        (&world.caseworker, "in the advocates' rooms", &["watch", "room read Plan"]),
        (&world.supervisor, "sees every page, receipt and timer", &supervisor),
        (&world.admin, "accounts, rota and policy; no content", &admin),
    ];
    for (who, what, commands) in all {
        let _ = writeln!(text, "\n{}: {what}\n  fl() {{ {} \"$@\"; }}", who.who, who.typed(&program));
        for command in commands {
            let _ = writeln!(text, "  fl {command}");
        }
    }
    let data = server.data_dir().display();
    let _ = writeln!(text, "\nThe server's database is in {data}: look for anything that somebody wrote.");
    let _ = writeln!(text, "Ctrl-C stops the server and removes everything.");
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Sites to choose from, by names.
pub(crate) fn places(policy: &mut Policy) -> Result<()> {
    for (site, name, zone) in [
        ("station-1", "Station 1", "north"),
        ("station-2", "Station 2", "south"),
        ("hospital-1", "Hospital 1", "north"),
        ("hotline", "No fixed place", "north"),
    ] {
        policy.sites.push(site.parse()?);
        policy.places.insert(site.parse()?, Place { name: Some(name.into()), zone: Some(zone.parse()?) });
    }
    for (zone, name) in [("north", "North"), ("south", "South")] {
        policy.places.insert(zone.parse()?, Place { name: Some(name.into()), zone: None });
    }
    Ok(())
}

/// Waits for Ctrl-C, or for being told to end.
pub(crate) async fn until_told_to_stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    let _ = writeln!(io::stdout(), "\nStopping the server.");
}
