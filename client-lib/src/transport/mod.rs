//! JSON over HTTP and the websocket `/v1/stream`: over the system's sockets, or in a browser by what it offers. It moves
//! bytes and keeps deadlines; what they mean is the engine's and the session's business.

pub mod api;
mod backoff;
mod error;
mod http;
mod servers;
mod stream;
mod tokens;
mod url;

pub use api::{Api, FigurePeriod};
pub use backoff::Backoff;
pub(crate) use backoff::jitter;
pub use error::TransportError;
pub use http::Http;
pub(crate) use servers::Servers;
pub use stream::{Stream, StreamEnd};
pub use tokens::{Mobile, SignIn, TokenVault, VaultError};
pub use url::{InvalidServer, ServerUrl};
