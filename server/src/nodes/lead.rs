//! Work that one node does for all.

use crate::Shared;
use tokio_util::sync::CancellationToken;

/// Runs `work` while this node leads, until `stop`. It is cut off where it stands when another node leads, and begun anew.
pub(crate) async fn while_leading<W: Future<Output = ()>>(
    app: Shared,
    stop: CancellationToken,
    begin: impl Fn(Shared) -> W,
) {
    let mut leads = app.nodes.leads.subscribe();
    let work = async {
        loop {
            // The sender lives as long as the app does.
            if leads.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            let mut ended = leads.clone();
            tokio::select! {
                () = begin(Shared::clone(&app)) => return,
                _ = ended.wait_for(|leads| !*leads) => {}
            }
        }
    };
    stop.run_until_cancelled(work).await;
}
