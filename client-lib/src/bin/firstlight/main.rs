//! `firstlight`: everything a person does with Firstlight, on a terminal and for scripts (`--json`).
//!
//! One module per group of commands; each has its arguments beside what it does. Answers go to standard output, all
//! else to standard error. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server can't be reached, 4 the
//! callout is paging but its room could not be built.

mod agencies;
mod callout;
mod contacts;
mod context;
mod devices;
mod drill;
mod failure;
mod figures;
mod files;
mod happenings;
mod intake;
mod invite;
mod join;
mod lines;
mod on_call;
mod org;
mod output;
mod passphrase;
mod people;
mod pick;
mod policy;
mod profile;
mod readiness;
mod recover;
mod room;
mod rota;
mod sync;
mod values;
mod watch;
mod words;

use clap::{Parser, Subcommand};
use context::{Context, Global};
use failure::Failure;
use output::{Answer, Output};
use std::process::ExitCode;

/// Firstlight: call a responder at night, and talk end-to-end encrypted.
#[derive(Debug, Parser)]
#[command(name = "firstlight", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Found an organisation; see and approve partners
    #[command(subcommand)]
    Org(org::Org),
    /// Invite a person's device, or a partner organisation
    #[command(subcommand)]
    Invite(invite::Invite),
    /// Set this device up with an invite link
    Join(join::Join),
    /// Restore your organisation from its recovery sheet, if no device is left that can sign
    Recover(recover::Recover),
    /// Approve, list and revoke devices
    #[command(subcommand)]
    Devices(devices::Devices),
    /// People of your organisation: languages, profiles, PINs
    #[command(subcommand)]
    People(people::People),
    /// How somebody is reached besides the app, and when by which way
    Contacts(contacts::Contacts),
    /// Who is on call, tier by tier
    OnCall(on_call::OnCall),
    /// The rota: the next two weeks, and everything that changes it
    Rota(rota::Rota),
    /// Agencies' lines to the duty number, for officers without an app
    #[command(subcommand)]
    Lines(lines::Lines),
    /// The intake for agencies' dispatch systems
    #[command(subcommand)]
    Intake(intake::Intake),
    /// Escalation policy: duty number, timers, zones and sites
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Other agencies: whom the policy notifies of a callout, and the notices
    #[command(subcommand)]
    Agencies(agencies::Agencies),
    /// Open a callout and act on it
    #[command(subcommand)]
    Callout(callout::Callout),
    /// Whether pages would reach the people on duty; tests
    Readiness(readiness::Readiness),
    /// Drills: schedule, list, report
    #[command(subcommand)]
    Drill(drill::Drill),
    /// How callouts were answered, by zone, agency or month
    Figures(figures::FiguresCommand),
    /// The figures as a page to read and print
    Report(figures::ReportCommand),
    /// Stay connected: pages, callouts, messages as they come
    Watch(watch::Watch),
    /// End-to-end encrypted rooms
    #[command(subcommand)]
    Room(room::Room),
    /// Receive and send everything that waits, once
    Sync(sync::Sync),
    /// Who this device is, as the server sees it
    Me,
    /// End this device's sign-in; its keys and rooms stay
    SignOut,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let out = Output::new(cli.global.json);
    let context = Context::new(cli.global, out.clone());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.failure(&Failure::Usage(format!("This machine gives no event loop: {error}.")));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(run(&context, cli.command));
    // A lookup or a file lock that still runs in the background must not keep a finished command.
    runtime.shutdown_background();
    match result {
        Ok(answer) => {
            out.answer(&answer);
            match answer.partly {
                Some(failure) => fail(&out, &failure),
                None => ExitCode::SUCCESS,
            }
        }
        Err(failure) => fail(&out, &failure),
    }
}

fn fail(out: &Output, failure: &Failure) -> ExitCode {
    out.failure(failure);
    ExitCode::from(failure.exit_code())
}

/// Help and version are answers; anything else is wrong usage, in the form that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|arg| arg == "--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Output::new(true).failure(&Failure::Usage(first));
    } else {
        let _ = error.print();
    }
    ExitCode::from(2)
}

async fn run(context: &Context, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Org(command) => command.run(context).await,
        Command::Invite(command) => command.run(context).await,
        Command::Join(command) => command.run(context).await,
        Command::Recover(command) => command.run(context).await,
        Command::Devices(command) => command.run(context).await,
        Command::People(command) => command.run(context).await,
        Command::Contacts(command) => command.run(context).await,
        Command::OnCall(command) => command.run(context).await,
        Command::Rota(command) => command.run(context).await,
        Command::Lines(command) => command.run(context).await,
        Command::Intake(command) => command.run(context).await,
        Command::Policy(command) => command.run(context).await,
        Command::Agencies(command) => command.run(context).await,
        Command::Callout(command) => command.run(context).await,
        Command::Readiness(command) => command.run(context).await,
        Command::Drill(command) => command.run(context).await,
        Command::Figures(command) => command.run(context).await,
        Command::Report(command) => command.run(context).await,
        Command::Watch(command) => command.run(context).await,
        Command::Room(command) => command.run(context).await,
        Command::Sync(command) => command.run(context).await,
        Command::Me => people::me(context).await,
        Command::SignOut => people::sign_out(context).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every form that the documents show parses.
    #[test]
    fn the_documented_forms_parse() {
        let forms = [
            "org create --server http://127.0.0.1:8080 --bootstrap token --name Host --kind victim_services --admin-name Admin",
            "org create --invite LINK --name Police --kind law_enforcement --admin-name Admin --json",
            "org show",
            "org sheet",
            "recover --admin-name Admin",
            "recover --sheet - --admin-name Admin --person per_00000000000000000000000000",
            "org partners",
            "org approve abc123",
            "org approve --all",
            "org withdraw abc123",
            "invite create --role advocate --name Advocate --expires 24h",
            "invite create --role advocate --name Advocate --person abcdef",
            "invite partner --kind law_enforcement --name Police",
            "invite list",
            "invite withdraw abcdef",
            "join LINK --no-wait",
            "join",
            "devices list",
            "devices pending",
            "devices approve abcdef",
            "devices approve --all",
            "devices refuse abcdef",
            "devices revoke abcdef",
            "people list",
            "people set-languages Advocate es en",
            "people profile",
            "people profile --presents woman --bar zone=south --bar site=station-4",
            "people profile --person Advocate --language es --training care --clear zones --lift zone=south --json",
            "agencies list",
            "agencies acknowledge abc123",
            "agencies rules",
            "agencies notify Probation --zone north --age-band early --remind-every 5m --escalate-after 15m --alarm-after 30m --drills",
            "agencies forget Probation",
            "contacts --person Advocate add webhook https://hook.example.org/page --webhook-key-file key",
            "people pin Advocate --pin-file -",
            "people pin Advocate --remove",
            "contacts list --person Advocate",
            "contacts --person Advocate remove abcdef",
            "on-call --at 2026-03-08T22:00:00Z",
            "rota shift add --tier primary --person Advocate --from 2026-03-08T22:00 --until 2026-03-09T06:00 --repeat daily",
            "lines list",
            "lines add --agency Police --zone north --site station-1 --language es --quota 20 --digits 6",
            "lines change abcdef --active no",
            "lines code abcdef",
            "lines remove abcdef",
            "intake key create abcdef --scope open --scope read --expires 90d",
            "intake key list abcdef",
            "intake key revoke abcdef ghjkmn",
            "rota",
            "rota schedule --days 30",
            "rota show",
            "rota set rota.json",
            "rota shift remove night",
            "rota layer add --id nights --tier primary --person Advocate --person Other --starts 2026-03-02T22:00 --unit days --every 2 --every 3 --only mon,tue:22:00-06:00 --on-holidays off --tz Asia/Manila",
            "rota layer remove nights",
            "rota holiday add 2026-12-25 christmas",
            "rota holiday remove 2026-12-25",
            "rota override add Advocate --replaces Other --from 2026-03-08T22:00 --until 2026-03-09T06:00",
            "rota override remove over-1",
            "rota absence add --from 2026-07-01T00:00 --until 2026-07-15T00:00",
            "rota absence import away.ics --person Advocate",
            "rota absence remove away-1",
            "rota swap list",
            "rota swap offer --of nights --begins 2026-03-04T22:00 --to Other --return-of nights --return-begins 2026-03-06T22:00",
            "rota swap accept swap-1",
            "rota swap decline swap-1",
            "rota swap withdraw swap-1",
            "rota gaps",
            "rota fairness",
            "rota feed create --tier primary",
            "rota feed list",
            "rota feed revoke abcdef",
            "policy show",
            "policy set policy.json",
            "policy set --duty-number 555-0100 --backup-after 3s --supervisor-after 6s --everyone-after 10s",
            "callout open --zone north --site hospital --young-people 1 --age-band early --language es --language en --wanted 1 --prefer woman --scene-safe yes --emergency no --call-back 555-0101 --address A --arrival B --needs C --kit S --notes N --no-room",
            "callout open --zone north --call-back 555-0101 --details-file -",
            "callout list",
            "callout show latest",
            "callout timeline",
            "callout ack",
            "callout accept abcdef --eta 35",
            "callout decline",
            "callout eta --eta 20",
            "callout en-route",
            "callout arrived",
            "callout with",
            "callout handover",
            "callout close --reason called_late --support accepted --kits 1",
            "callout review --welfare well",
            "callout cancel --reason mistake",
            "callout left",
            "callout merge --into abcdef",
            "callout call-more --wanted 3 --person Advocate",
            "callout build-room",
            "readiness",
            "readiness unreachable",
            "readiness me",
            "readiness test Advocate",
            "readiness confirm 123456 --json",
            "readiness confirm",
            "drill schedule --at 2026-03-08T22:00:00Z --zone north --call-back 555-0101 --ends-after 30m",
            "drill list",
            "drill cancel abcdef",
            "drill report abcdef",
            "callout record",
            "callout record abcdef --json",
            "callout welfare --how follow_up",
            "figures",
            "figures --by month --from 2026-01-01 --until 2026-07-01T00:00:00Z --csv --outside",
            "figures --each-callout --from 2026-01-01",
            "report --out report.html --from 2026-01-01 --until 2026-07-01 --outside",
            "watch --until page --timeout 30s --json",
            "watch --once",
            "room create --kind advocate --name Plan --with Advocate --with Caseworker",
            "room list",
            "room add abcdef Advocate",
            "room remove abcdef Advocate",
            "room send abcdef hello",
            "room read abcdef --last 20",
            "room send-file abcdef plan.pdf",
            "room save abcdef ghjkmn --to /tmp",
            "room save latest latest",
            "room members abcdef",
            "room rejoin abcdef",
            "sync",
            "me",
            "sign-out",
        ];
        for form in forms {
            let args = std::iter::once("firstlight").chain(form.split(' '));
            if let Err(error) = Cli::try_parse_from(args) {
                panic!("{form}: {error}");
            }
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let forms = [
            "org create --name Host --kind victim_services --admin-name Admin",
            "org create --server http://h --bootstrap a --invite b --name H --kind care --admin-name A",
            "org create --bootstrap a --name H --kind care --admin-name A",
            "callout open --zone north",
            "callout open --zone North! --call-back 555-0101",
            "callout open --zone north --call-back 555-0101 --scene-safe maybe",
            "callout accept",
            "devices approve abcdef --all",
            "devices approve",
            "invite create --role king --name X",
            "watch --once --until page",
            "people profile --bar north",
            "agencies acknowledge",
            "room send abcdef",
            "figures --each-callout --outside",
            "figures --by moon",
            "report",
        ];
        for form in forms {
            let args = std::iter::once("firstlight").chain(form.split(' '));
            assert!(Cli::try_parse_from(args).is_err(), "{form}");
        }
    }
}
