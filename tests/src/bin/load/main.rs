//! The benchmark of DESIGN.md's figures: a real server process on loopback, clients in this one or in a browser, bounded
//! in time.
//!
//! What it can't be taken for: client and server share the machine's cores, and the clients are generators, not apps.
//! Throughput runs send correctly framed MLS messages around random bytes (a server can't tell), so that encryption on
//! the client isn't what is measured; commits, rooms, certificates and everything else are real.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark: what fails here ends it")]
#![allow(clippy::print_stdout, reason = "the table is the answer")]

mod browser;
mod catch_up;
mod channels;
mod cluster;
mod commits;
mod dispatch;
mod files;
mod idle;
mod latency;
mod on_call;
mod pipe;
mod report;
mod setting;
mod throughput;
mod wire;

use clap::Parser;
use report::Report;
use std::{path::PathBuf, time::Duration};

/// Measures the figures of DESIGN.md and writes target/bench/report.json.
#[derive(Debug, Parser)]
struct Arguments {
    /// A tenth of the time: shows that it runs, not how fast the server is.
    #[arg(long)]
    quick: bool,
    /// Only the parts whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Where the report goes.
    #[arg(long, default_value = "target/bench/report.json")]
    report: PathBuf,
}

impl Arguments {
    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| part.contains(only.as_str()))
    }

    /// How long one measurement lasts.
    fn measure(&self) -> Duration {
        if self.quick { Duration::from_secs(1) } else { Duration::from_secs(10) }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut report = Report::default();
    if arguments.wants("on-call") {
        on_call::measure(&mut report, arguments.quick);
    }
    runtime.block_on(run(&arguments, &mut report));
    if arguments.wants("catch-up") {
        catch_up::measure(&mut report, arguments.quick);
    }
    if arguments.wants("files") {
        files::measure(&mut report, arguments.quick);
    }
    if arguments.wants("browser") {
        browser::measure(&mut report, arguments.quick);
    }
    report.print();
    report.write(&arguments.report);
}

async fn run(arguments: &Arguments, report: &mut Report) {
    if arguments.wants("dispatch") {
        dispatch::measure(report, arguments.measure()).await;
    }
    if arguments.wants("channels") {
        channels::measure(report, arguments.measure()).await;
    }
    if arguments.wants("idle") {
        // A server of its own: memory that others have used and given back would make the sockets look cheap, and
        // thousands of sockets that close would disturb whatever is measured next.
        idle::measure(report, &setting::Town::build(400).await, 5_000).await;
    }
    if arguments.wants("cluster") {
        cluster::measure(report, arguments.measure(), arguments.quick).await;
    }
    if !["throughput", "latency", "commits"].iter().any(|part| arguments.wants(part)) {
        return;
    }
    let town = setting::Town::build(1_000).await;
    if arguments.wants("throughput") || arguments.wants("latency") {
        let small = town.rooms(100, 10).await;
        if arguments.wants("latency") {
            latency::measure(report, &town, &small, arguments.measure()).await;
        }
        if arguments.wants("throughput") {
            throughput::measure(report, &town, &small, arguments.measure()).await;
            let large = town.rooms(10, 100).await;
            throughput::measure(report, &town, &large, arguments.measure()).await;
        }
    }
    if arguments.wants("commits") {
        commits::measure(report, &town, if arguments.quick { 20 } else { 250 }).await;
    }
}
