//! The demonstration in browsers: a link for each person, and admins who approve whoever opens one.
//!
//! A link makes the browser a further device of somebody who is on the rota already, so that everything works at once and
//! the terminal's commands go on working beside it.

use firstlight_tests::process::{Cli, Result, ServerProcess, World, fail};
use serde_json::Value;
use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// How often admins look whether somebody waits: quick enough for a person who watches the page.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Browsers that open a profile of their own when told so, the first that is found.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A person for whom there is a link.
struct Role<'a> {
    device: &'a Cli,
    admin: &'a Cli,
    does: &'static str,
}

fn roles(world: &World) -> [Role<'_>; 6] {
    let host = |device, does| Role { device, admin: &world.admin, does };
    [
        Role { device: &world.officer, admin: &world.police_admin, does: "opens callouts and sees who is coming" },
        host(&world.primary, "on call as primary: is called first"),
        host(&world.backup, "on call as backup: is called when Advocate 1 does not answer"),
        host(&world.supervisor, "on call as supervisor: sees every page, receipt and timer"),
        host(&world.caseworker, "in the rooms after the callout"),
        host(&world.admin, "people, agencies, rota and policy; who joins is approved by the first device, here"),
    ]
}

/// Prints a link for each role and a short path through the night.
pub(crate) fn invite(server: &ServerProcess, world: &World, dir: &Path, backup_after_s: u64) -> Result<()> {
    let browser = browser();
    let mut text = format!("\nThe app is open at {}. Each link opens it as one person, once.\n", server.url());
    text += match browser {
        Some(_) => "The command below each link opens it in a browser window of that person's own:\n",
        None => "Open each in a browser profile of its own: one profile is one device.\n",
    };
    for role in roles(world) {
        let link = link(&role)?;
        let _ = writeln!(text, "\n{}: {}\n  {link}", role.device.who, role.does);
        if let Some(browser) = &browser {
            let _ = writeln!(text, "  {}", opener(browser, dir, &role.device.who, &link)?.display());
        }
    }
    let _ = write!(
        text,
        "\nA path through it:\n\
         \x20 1. Open Officer 1, Advocate 1 and Advocate 2, choose a passphrase in each, and wait some seconds: the demo's\n\
         \x20    admins approve them. Then Supervisor 1, to watch.\n\
         \x20 2. Advocates: allow notifications, and run the self-test.\n\
         \x20 3. Officer 1: \"New callout\", a site, one young person, Send. Watch who is called, and what happens next.\n\
         \x20 4. Advocate 1: do nothing. After {backup_after_s} s Advocate 2 is called as well.\n\
         \x20 5. Advocate 2: hold to accept, 35 minutes. Officer 1 sees it; Advocate 1 stops ringing.\n\
         \x20 6. Advocate 2: on the way, arrived, with the young person, handed over, close. Supervisor 1 reviews it.\n\
         \nWhoever joins is told here, with a new link for another browser.\n"
    );
    say(&text)
}

/// Approves whoever opened a link, until told to stop.
pub(crate) fn approve_all(world: &World, stop: &AtomicBool) {
    thread::scope(|scope| {
        for admin in [&world.admin, &world.police_admin] {
            scope.spawn(move || {
                let mut failed = false;
                while !stop.load(Ordering::Relaxed) {
                    // One look that fails is followed by the next one: everything is stopping, or was busy.
                    let looked = approve(world, admin);
                    if let (true, Err(error)) = (failed, &looked) {
                        let _ = writeln!(io::stderr(), "{}: {error}", admin.who);
                    }
                    failed = looked.is_err();
                    thread::sleep(LOOK_EVERY);
                }
            });
        }
    });
}

fn approve(world: &World, admin: &Cli) -> Result<()> {
    let waiting = admin.run(&["devices", "pending"])?;
    if waiting["pending"].as_array().is_none_or(Vec::is_empty) {
        return Ok(());
    }
    let approved = admin.run(&["devices", "approve", "--all"])?;
    for device in approved["approved"].as_array().into_iter().flatten() {
        let name = device["work_name"].as_str().unwrap_or_default();
        let again = roles(world).iter().find(|role| role.device.who == name).map(link).transpose()?;
        let again = again.map(|link| format!(" Another browser: {link}")).unwrap_or_default();
        say(&format!("{name} has joined in a browser.{again}\n"))?;
    }
    Ok(())
}

fn link(role: &Role<'_>) -> Result<String> {
    let made: Value = role.admin.run(&["invite", "create", "--person", &role.device.who])?;
    made["link"].as_str().map(str::to_owned).ok_or_else(|| fail("an invite without a link"))
}

fn browser() -> Option<&'static str> {
    let paths = env::var_os("PATH")?;
    let found = |name: &str| env::split_paths(&paths).any(|dir| dir.join(name).is_file());
    BROWSERS.into_iter().find(|name| found(name))
}

/// A command that opens the link in a window with a profile of its own, which goes when the demo ends.
fn opener(browser: &str, dir: &Path, who: &str, link: &str) -> Result<PathBuf> {
    let name = who.to_lowercase().replace(' ', "-");
    let (profile, command) = (dir.join("browsers").join(&name), dir.join(format!("open-{name}")));
    let window = if ["officer", "advocate"].iter().any(|role| name.starts_with(role)) { "430,900" } else { "1280,900" };
    fs::write(
        &command,
        format!(
            "#!/bin/sh\nexec {browser} --no-first-run --window-size={window} --user-data-dir='{}' '{link}'\n",
            profile.display()
        ),
    )?;
    fs::set_permissions(&command, fs::Permissions::from_mode(0o700))?;
    Ok(command)
}

fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
