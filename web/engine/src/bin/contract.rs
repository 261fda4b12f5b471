//! Writes the contract between the pages and the engine as JSON, for the generator of the TypeScript types.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let document = firstlight_web::contract::schema::document().map_err(io::Error::other)?;
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    io::stdout().write_all(text.as_bytes())
}
