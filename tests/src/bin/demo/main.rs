//! `demo`: a server and everybody's devices as real processes on this machine, in a temporary directory.
//!
//! Without options it sets the world up, says how to act as each person, and runs until Ctrl-C; with `--web` in browsers.
//! With `--once` it plays a whole night unattended and measures it. `deploy/demo` builds and starts it.

mod forge;
mod night;
mod show;
mod telephone;
mod timeline;
mod web;

use clap::Parser;
use firstlight_protocol::policy::Millis;
use firstlight_tests::process::{Plan, Result, ServerProcess, World};
use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use timeline::Timeline;

/// Debug builds of openmls need more than 2 MiB.
const STACK: usize = 8 << 20;

/// Firstlight on this machine, to try it out.
#[derive(Debug, Parser)]
#[command(name = "deploy/demo", max_term_width = 100)]
struct Arguments {
    /// Play one whole night unattended, print its timeline, and end; fails if any step is missing
    #[arg(long)]
    once: bool,
    /// With --once: the timeline as JSON, alone on standard output
    #[arg(long, requires = "once")]
    json: bool,
    /// Open the app in browsers: a link for each person, approved as they join, until Ctrl-C
    #[arg(long, conflicts_with = "once")]
    web: bool,
    /// Say how to act as each person in a terminal, even where the app is built
    #[arg(long, conflicts_with_all = ["once", "web"])]
    terminal: bool,
    /// How long one minute of the escalation policy lasts, in milliseconds [default: 1000 with --once, else 10000]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(200..=60_000))]
    minute: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let built = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(error) => {
            timeline::complain(&format!("This machine gives no event loop: {error}."));
            return ExitCode::FAILURE;
        }
    };
    match run(&arguments, &runtime) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            timeline::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, runtime: &tokio::runtime::Runtime) -> Result<bool> {
    let dir = tempfile::Builder::new().prefix("firstlight-demo-").tempdir()?;
    let minute = Millis(arguments.minute.unwrap_or(if arguments.once { 1_000 } else { 10_000 }));
    let mut plan = Plan::fast(minute)?;
    plan.policy.zones = vec!["north".parse()?, "south".parse()?];
    if arguments.web {
        show::places(&mut plan.policy)?;
    }
    let mut timeline = Timeline::begin(arguments.json, minute);
    let telephones = telephone::Telephones::start(dir.path())?;
    let mut server = ServerProcess::start(dir.path(), |config| telephones.configure(config))?;
    timeline.done("server_started", "Operator", &format!("one process, an empty SQLite database, {}", server.url()));
    let founded = World::found(&server, &dir.path().join("devices"), &plan, |name, actor, what| {
        timeline.done(name, actor, what);
    });
    let world = match founded {
        Ok(world) => world,
        Err(error) => {
            timeline.failed("world_founded", "Admins", "", &error.with(&server.log_tail()));
            return Ok(timeline.finish(&[]));
        }
    };
    if !arguments.once {
        if arguments.web {
            web::invite(&server, &world, dir.path(), plan.policy.timers.backup_after_ms.0 / 1000)?;
        } else {
            show::how_to_act(&server, &world, &plan.policy);
        }
        let stop = AtomicBool::new(!arguments.web);
        thread::scope(|scope| {
            scope.spawn(|| web::approve_all(&world, &stop));
            runtime.block_on(show::until_told_to_stop());
            stop.store(true, Ordering::Relaxed);
        });
        return server.stop().map(|()| true);
    }
    let played = night::play(&mut timeline, runtime, &server, &world, &plan.policy.timers)
        .and_then(|()| telephone::play(&mut timeline, runtime, &server, &world, &telephones));
    if let Err(error) = played {
        timeline.complain(&error.with(&server.log_tail()));
    }
    let complete = timeline.finish(&[night::STEPS, telephone::STEPS].concat());
    server.stop()?;
    Ok(complete)
}
