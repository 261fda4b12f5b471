//! The server's binary: reads its arguments and its configuration, nothing else.

use clap::{Parser, Subcommand};
use firstlight_protocol::callout::Code;
use firstlight_server::{
    Result,
    admin::{self, Outcome, Output},
    clock::Clock,
    config::{self, Config, Loaded, Traces},
    retention::Subject,
    serve::serve,
    shutdown::Signals,
    telemetry,
};
use std::{
    io::{self, Stderr, Stdout, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// The configuration that is read if it is there and none is named.
const DEFAULT_FILE: &str = "firstlight-server.toml";
/// Debug builds of openmls overflow tokio's default of 2 MiB. The memory is used only as far as it is touched.
const STACK: usize = 8 << 20;
/// How long threads that are still busy may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Firstlight: secure messaging and first-responder dispatch.
///
/// Exit codes: 0 all is well; 1 it failed; 2 the arguments or the configuration are wrong; 3 the audit trail does not
/// verify.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    /// The configuration file; without it ./firstlight-server.toml if that exists. FIRSTLIGHT_... variables override it.
    #[arg(long, global = true, env = "FIRSTLIGHT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server until SIGTERM or SIGINT.
    Serve,
    /// Prints the effective configuration, or everything that is wrong with it.
    CheckConfig {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Says whether the running server is ready for clients: exits with 0 if it is, with 1 otherwise.
    Ready,
    /// Has the running server send its clients elsewhere and take no new ones, and waits until they have gone.
    Drain {
        /// Wait at most so many seconds.
        #[arg(long, default_value_t = 60)]
        wait: u64,
    },
    /// The tamper-evident record of who did what.
    #[command(subcommand)]
    Audit(Audit),
    /// Moves everything from the SQLite file in data_dir to the empty PostgreSQL database of the configuration, and compares
    /// every row. The server must not run; the file stays as it is.
    MoveToPostgres {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Says that the PostgreSQL database was restored from a backup, or that the nodes' keys are lost. No node may run.
    Restored {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Legal holds: what must not be purged, whatever its age. Safe while the server runs; the audit trail says what was
    /// done.
    #[command(subcommand)]
    Hold(Hold),
    /// Makes the keys that all nodes share, where they are not there yet: before the first start of several nodes.
    Keys {
        /// Where to; without it, where the configuration has them (node.keys_dir, or data_dir).
        folder: Option<PathBuf>,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Prints the one-time token that founds the host organisation, as long as there is none. It is the same on all nodes.
    BootstrapToken {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Copies the database while the server runs, and checks the copy.
    Backup {
        /// A file that does not exist yet, or a directory.
        target: PathBuf,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Hold {
    /// Keeps a callout (with its room) or a room (with its callout) until this hold is released.
    Add(Held),
    /// Releases a hold.
    Release(Held),
    /// Prints the holds that stand.
    List {
        /// For programs: one object per line.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Held {
    /// What is held: callout:ID or room:ID.
    subject: Subject,
    /// Why: a code word such as court-order, never a name.
    #[arg(long, value_name = "WORD")]
    reason: Code,
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Checks the whole trail; exits with 3 if it does not verify.
    Verify {
        /// A hash that an earlier `verify` printed: it must still be in the trail.
        #[arg(long, value_name = "HASH")]
        expect_head: Option<String>,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Prints entries in order.
    Show {
        /// Begin after this entry.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// Print at most so many.
        #[arg(long, default_value_t = 1_000)]
        limit: i64,
        /// For programs: one object per line.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let default = Path::new(DEFAULT_FILE);
    let file = arguments.config.as_deref().or_else(|| default.exists().then_some(default));
    let loaded = config::load(file);
    let stderr = io::stderr();
    if let Command::CheckConfig { json } = arguments.command {
        return code(check_config(&loaded, json, &stderr));
    }
    if !tell(&loaded, &stderr) {
        return ExitCode::from(2);
    }
    // Only a server has anything to trace.
    let traces = if matches!(arguments.command, Command::Serve) { &loaded.config.traces } else { &Traces::default() };
    let telemetry = match telemetry::init(&loaded.config.log, traces) {
        Ok(telemetry) => telemetry,
        Err(error) => return code(Err(error)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return code(Err(firstlight_server::Error::internal(error))),
    };
    let result = runtime.block_on(run(arguments.command, loaded.config));
    runtime.shutdown_timeout(LAST_WAIT);
    telemetry.flush();
    code(result.map(|outcome| match outcome {
        Outcome::Good => 0,
        Outcome::Broken => 3,
    }))
}

async fn run(command: Command, config: Config) -> Result<Outcome> {
    match command {
        Command::CheckConfig { .. } => Ok(Outcome::Good),
        Command::Serve => {
            let mut signals = Signals::listen().map_err(firstlight_server::Error::internal)?;
            let running = serve(config, Clock::System).await?;
            let signal = signals.stop(|| running.reload()).await;
            tracing::info!(signal, "stopping; the same signal again ends it at once");
            tokio::select! {
                () = running.shutdown() => {}
                signal = signals.stop(|| {}) => tracing::warn!(signal, "ended at once"),
            }
            Ok(Outcome::Good)
        }
        Command::Ready => admin::ready(&config.metrics).await,
        Command::Drain { wait } => admin::drain(&config.metrics, Duration::from_secs(wait)).await,
        Command::Audit(Audit::Verify { expect_head, json }) => {
            admin::verify(&config, expect_head.as_deref(), &mut stdout(json)).await
        }
        Command::Audit(Audit::Show { after, limit, json }) => {
            admin::show(&config, after, limit, &mut stdout(json)).await
        }
        Command::MoveToPostgres { json } => admin::move_to_postgres(&config, &mut stdout(json)).await,
        Command::Restored { json } => admin::restored(&config, &mut stdout(json)).await,
        Command::Hold(Hold::List { json }) => admin::list_holds(&config, &mut stdout(json)).await,
        Command::Hold(Hold::Add(Held { subject, reason, json })) => {
            admin::add_hold(&config, subject, reason, Clock::System.now(), &mut stdout(json)).await
        }
        Command::Hold(Hold::Release(Held { subject, reason, json })) => {
            admin::release_hold(&config, subject, reason, Clock::System.now(), &mut stdout(json)).await
        }
        Command::Keys { folder, json } => admin::make_keys(&config, folder.as_deref(), &mut stdout(json)).await,
        Command::BootstrapToken { json } => admin::print_bootstrap_token(&config, &mut stdout(json)).await,
        Command::Backup { target, json } => {
            admin::backup(&config, &target, Clock::System.now(), &mut stdout(json)).await
        }
    }
}

fn stdout(json: bool) -> Output<Stdout> {
    Output { to: io::stdout(), json }
}

/// Tells the operator what is odd or wrong; whether the configuration can be used.
fn tell(loaded: &Loaded, mut stderr: &Stderr) -> bool {
    for note in &loaded.notes {
        let _ = writeln!(stderr, "note: {note}");
    }
    for problem in &loaded.problems {
        let _ = writeln!(stderr, "error: {problem}");
    }
    loaded.problems.is_empty()
}

fn check_config(loaded: &Loaded, json: bool, stderr: &Stderr) -> Result<u8> {
    let good = tell(loaded, stderr);
    let text = if json {
        let value = serde_json::json!({ "ok": good, "problems": loaded.problems, "config": loaded.config });
        serde_json::to_string_pretty(&value).map_err(firstlight_server::Error::internal)?
    } else {
        loaded.config.to_toml()
    };
    if good || json {
        let _ = writeln!(io::stdout(), "{text}");
    }
    Ok(if good { 0 } else { 2 })
}

fn code(result: Result<u8>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(1)
        }
    }
}
