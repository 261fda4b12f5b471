//! The only devices that can sign are lost, those of the host and of its partner. The recovery sheets bring both back, by
//! the commands that the runbook names; a slip of the pen changes nothing.

use firstlight_protocol::policy::Millis;
use firstlight_tests::process::{Cli, Plan, Result, ServerProcess, World, enrol, person};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// What stands on the paper.
fn sheet(of: &Cli) -> Result<String> {
    let told = of.run(&["org", "sheet"])?;
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let host = if told["host_root"].is_null() {
        String::new()
    } else {
        format!("Host's fingerprint: {}\n", text("host_root"))
    };
    let (server, root, key) = (text("server"), text("root"), text("root_key"));
    Ok(format!(
        "Recovery sheet\nServer: {server}\nOrganisation's fingerprint: {root}\n{host}Root key (secret): {key}\nA note\n"
    ))
}

/// The last digit of a line, exchanged for another.
fn slip(sheet: &str, label: &str) -> String {
    let line = sheet.lines().find(|line| line.starts_with(label)).unwrap();
    let (rest, last) = line.split_at(line.len() - 1);
    sheet.replace(line, &format!("{rest}{}", if last == "0" { '1' } else { '0' }))
}

fn device(of: &Cli) -> Result<String> {
    Ok(of.run(&["me"])?["device"].as_str().unwrap().to_owned())
}

fn recover(dir: &Path, who: &str, sheet: &str, options: &[&str]) -> Result<(Cli, Value)> {
    let cli = Cli::with_key_file(who, dir.join(who.replace(' ', "-")));
    let told =
        cli.run_with_input(&[&["recover", "--sheet", "-", "--admin-name", who][..], options].concat(), Some(sheet))?;
    Ok((cli, told))
}

#[test]
fn an_organisation_whose_only_signing_device_is_lost_is_restored_from_its_sheet() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let server = ServerProcess::start(&dir.path().join("server"), |_| {})?;
    let devices = dir.path().join("devices");
    let world = World::found(&server, &devices, &Plan::fast(Millis::seconds(60))?, |_, _, _| {})?;
    let host = sheet(&world.admin)?;
    let partner = sheet(&world.police_admin)?;
    let (lost, was) = (device(&world.admin)?, person(&world.admin)?);
    assert_eq!(world.primary.refused(&["org", "sheet"])?.code, "forbidden");
    for gone in [&world.admin, &world.police_admin] {
        fs::remove_dir_all(gone.state())?;
    }

    // Slips: each is said, and leaves no device behind.
    let new = Cli::with_key_file("Admin 1", devices.join("new"));
    let command = ["recover", "--sheet", "-", "--admin-name", "Admin 1"];
    let partial = partner.lines().filter(|line| !line.starts_with("Host")).collect::<Vec<_>>().join("\n");
    for (sheet, exit, said) in [
        (slip(&host, "Root key"), 1, "root key does not belong"),
        (slip(&host, "Organisation's"), 1, "knows no organisation with that fingerprint"),
        (slip(&partner, "Host's"), 1, "knows no host with that fingerprint"),
        (host.replace("Root key", "Rot key"), 2, "\"Root key (secret): …\" is missing"),
        (host.replacen('-', "x-", 1), 2, "group 1 is not four of the digits"),
        (partial, 1, "is a partner: the fingerprint of its host is needed"),
    ] {
        let refused = new.refused_with_input(&command, Some(&sheet))?;
        assert!(refused.exit == exit && refused.sentence.contains(said), "{refused:?}");
        assert!(!new.state().exists(), "{said}");
    }
    let heads = server.audit(None)?;

    // The host: the same person on a new device, which revokes the lost one and signs again.
    let (admin, told) = recover(&devices, "Admin 1", &host, &["--person", &was])?;
    assert_eq!((told["status"].as_str(), person(&admin)?), (Some("host"), was));
    let again = admin.refused_with_input(&command, Some(&host))?;
    assert!(again.sentence.contains("There is a device in this state directory already"), "{again:?}");
    admin.run(&["devices", "revoke", &lost])?;
    let advocate = Cli::with_key_file("Advocate 9", devices.join("advocate-9"));
    enrol(&admin, &[(&advocate, "advocate")])?;
    assert_eq!(advocate.run(&["me"])?["work_name"], "Advocate 9");
    // Who was there before believes the new signer, and the partner that the lost one stated.
    let with = ["--with", "Advocate 9"];
    let room =
        world.primary.run(&[&["room", "create", "--kind", "advocate", "--name", "After"][..], &with].concat())?;
    world.primary.run(&["room", "send", room["room"].as_str().unwrap(), "welcome"])?;
    let read = advocate.run(&["room", "read", room["room"].as_str().unwrap()])?;
    assert!(read["lines"].to_string().contains("welcome"), "{read}");

    // The partner: somebody new, who trusts the host by the sheet.
    let (police, told) = recover(&devices, "Admin 8", &partner, &[])?;
    assert_eq!(told["status"], "partner");
    let officer = Cli::with_key_file("Officer 9", devices.join("officer-9"));
    enrol(&police, &[(&officer, "police_officer")])?;
    let opened = officer.run(&["callout", "open", "--zone", "north", "--call-back", "555-0101"])?;
    // Everybody believes everybody: nobody's device was left out of the room.
    assert!(opened["room"].is_string() && opened["left_out"] == json!([]), "{opened}");

    // The sheet goes on being right, and the trail tells of it.
    assert_eq!(sheet(&admin)?, host);
    assert_eq!(sheet(&police)?, partner);
    server.audit(Some(&heads))?;
    let trail = server.run(&["audit", "show", "--limit", "10000"])?;
    assert_eq!(trail.iter().filter(|entry| entry["action"] == "org.restore").count(), 2);
    Ok(())
}
