//! Stand-ins for the outside: providers that behave like the real ones, their faults included, on loopback.
//!
//! | module | stands for |
//! |---|---|
//! | `twilio` | an SMS and voice provider with the telephones behind it: what they show, and what their people do |
//! | `push` | a browser's push service and the browser: it checks the sender's token and really decrypts |
//! | `moto` | a service that speaks S3: a real server, in memory |
//! | `smtp` | a mail server: a real one (aiosmtpd), with the mailbox to look into |

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness: what fails here fails the test")]

mod background;
pub mod moto;
pub mod push;
pub mod smtp;
pub mod twilio;

pub use moto::Moto;
pub use push::Push;
pub use smtp::Smtp;
pub use twilio::{Answering, Keys, Phone, Shown, Texting, Trouble, Twilio};
