//! Runs a scenario on threads with room for unoptimised openmls.

use std::future::Future;

/// Debug builds of openmls overflow the default of 2 MiB.
const STACK: usize = 16 << 20;

/// Runs a scenario to its end on two threads, as the server would have them.
///
/// # Panics
/// When the scenario does.
pub fn run(scenario: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .expect("a runtime");
    if let Err(failed) = runtime.block_on(runtime.spawn(scenario)) {
        std::panic::resume_unwind(failed.into_panic());
    }
}
