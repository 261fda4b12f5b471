//! Bounds that both sides keep. A server may be configured to be stricter, never laxer.

use std::time::Duration;

/// Largest HTTP request body, in bytes: a commit bundle for [`MAX_ROOM_DEVICES`] fits.
pub const MAX_BODY: usize = 4 << 20;
/// Largest websocket frame and message that a client sends, in bytes.
pub const MAX_FRAME: usize = 256 << 10;
/// Largest that a server sends: the log entry of a commit that came in one request body.
pub const MAX_SERVER_FRAME: usize = MAX_BODY;
/// Largest MLS application message, in bytes, as it goes over the wire (after padding and encryption).
pub const MAX_MESSAGE: usize = 64 << 10;
/// Padding of application messages: plaintexts are padded to a multiple of this many bytes.
pub const PADDING: usize = 256;
/// Largest number of devices in a room.
pub const MAX_ROOM_DEVICES: usize = 1_000;
/// Largest number of rooms one device may be a member of.
pub const MAX_ROOMS_PER_DEVICE: usize = 2_000;
/// Most log entries in one answer.
pub const MAX_LOG_PAGE: usize = 500;
/// Most one-time key packages that the server keeps for a device.
pub const MAX_KEY_PACKAGES: usize = 200;
/// How many one-time key packages a client keeps on the server.
pub const KEY_PACKAGE_TARGET: usize = 50;
/// Most devices in one claim of key packages.
pub const MAX_CLAIM: usize = 500;
/// Largest key package, in bytes (an X.509 chain of three and a hybrid public key fit in a third of it).
pub const MAX_KEY_PACKAGE: usize = 16 << 10;
/// Past epochs whose messages a client can still read; the server refuses messages from older ones.
pub const MAX_PAST_EPOCHS: u64 = 5;
/// Longest name of an organisation, or work name of a person, in characters.
pub const MAX_NAME: usize = 80;
/// Largest certificate, in bytes of DER.
pub const MAX_CERTIFICATE: usize = 4 << 10;
/// Longest rota: shifts in one document.
pub const MAX_SHIFTS: usize = 5_000;
/// Largest attachment, in bytes, before it is sealed and with its padding.
pub const MAX_ATTACHMENT: u64 = 100 << 20;
/// What an attachment is cut into, in bytes before sealing. On a line of 15 kB/s one of them still arrives within a
/// request's deadline, and little is sent twice when the line breaks.
pub const ATTACHMENT_CHUNK: usize = 256 << 10;
/// What sealing adds to a chunk, in bytes: the tag of ChaCha20-Poly1305.
pub const ATTACHMENT_TAG: usize = 16;

/// A websocket must present its ticket within this time.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// How long a websocket ticket is good for.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30);
/// How long a sign-in challenge is good for.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_secs(60);
/// How long an access token is good for.
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(600);
/// How long an access token of scope `duty` is good for.
pub const DUTY_ACCESS_LIFETIME: Duration = Duration::from_secs(300);
/// How long a refresh token is good for; each use starts it again.
pub const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
/// Longest life of an invite.
pub const MAX_INVITE_LIFETIME: Duration = Duration::from_secs(14 * 86_400);
/// A revoked device's sockets are closed within this time.
pub const REVOCATION_DEADLINE: Duration = Duration::from_secs(5);
/// Clock difference that signatures and tokens tolerate.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(60);
