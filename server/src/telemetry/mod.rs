//! What the server says about itself: logs to standard error, traces, and metrics for Prometheus on an address of their own.
//!
//! Metrics (`metrics.enabled`) are OpenMetrics text at `http://<metrics.listen>/metrics`. No label holds an id, a name, a
//! place or anything else that a person wrote: all are words from fixed lists, so there are only so many series. They say
//! how busy the night is, so their address is never the public one. Times are in seconds.
//!
//! | name | labels | what |
//! |---|---|---|
//! | `firstlight_build_info` | version | 1 |
//! | `firstlight_callouts_open` | state, purpose | callouts that run |
//! | `firstlight_callouts_opened_total` | purpose | callouts opened |
//! | `firstlight_reviews_overdue` | | closed and not reviewed in time |
//! | `firstlight_pages_total` | channel, outcome | pages taken (`handed_over`), on a device (`delivered`), or failed and why |
//! | `firstlight_page_handover_seconds` | channel | from the engine's order until the channel took the page |
//! | `firstlight_acknowledge_seconds` | | from the callout until somebody was awake; real callouts only, like the next two |
//! | `firstlight_accept_seconds` | | … until somebody was going |
//! | `firstlight_arrive_seconds` | | … until somebody was there |
//! | `firstlight_timers` | | timers that wait |
//! | `firstlight_timers_overdue` | | of them, due for more than 3 s and claimed by nobody |
//! | `firstlight_outbox_waiting` | | pages and notices that wait to be sent, or to be sent again |
//! | `firstlight_sweeper_found_total` | | what the safety net had to put right; each is a defect |
//! | `firstlight_canaries_total` | outcome | canary callouts that `succeeded`, or `failed` |
//! | `firstlight_canary_age_seconds` | | since one has come through; absent before the first |
//! | `firstlight_canary_page_seconds` | | the newest one, until its first page was handed over |
//! | `firstlight_canary_escalation_seconds` | | the newest one: how late its second page was |
//! | `firstlight_heartbeats_total` | outcome | heartbeats `sent`, `failed`, or `withheld` since something does not work |
//! | `firstlight_readiness_red` | | people on duty now or next whom a page would perhaps not wake |
//! | `firstlight_legal_holds` | | legal holds that stand |
//! | `firstlight_backup_age_seconds` | | since the newest backup was made; absent before the first |
//! | `firstlight_disk_free_bytes` | | free space where the data are |
//! | `firstlight_nodes_alive` | | nodes that live, as this one sees it; absent where the database is SQLite |
//! | `firstlight_node_leads` | | 1 on the node that does what is done once for all; like the one before |
//! | `firstlight_database_up` | | 1 while the database answers; without it, what is read from it is absent |
//! | `firstlight_tls_certificate_days` | | days until the certificate ends, less than 0 afterwards; absent where a proxy does TLS |
//! | `firstlight_tls_certificate_stale` | | 1 while the certificate in the files can't be used and an older one is shown; like the one before |
//! | `firstlight_sockets` | | websockets of signed-in devices |
//! | `firstlight_store_queue` | | jobs that wait for the writer |
//! | `firstlight_store_commit_seconds` | | one group transaction, until it is durable |
//! | `firstlight_store_jobs_total` | outcome | jobs that were `kept`, or whose group `failed` |
//! | `firstlight_bus_connected` | | 1 while other nodes are told of work through Redis; absent where none is configured |
//! | `firstlight_bus_messages_total` | outcome | messages between nodes: `sent`, `received`, or `dropped` |
//!
//! | file | what |
//! |---|---|
//! | `log` | logs |
//! | `traces` | spans for a collector, if one is configured |
//! | `metrics` | counters and histograms that are written as things happen |
//! | `sample` | gauges that are read when somebody asks |
//! | `scrape` | all of them as text; the listener is `operations` |

mod log;
mod metrics;
mod sample;
mod scrape;
mod traces;

pub use log::{Telemetry, init};
pub(crate) use metrics::BusTraffic;
pub use metrics::{Happening, Metrics};
pub(crate) use scrape::scrape;
