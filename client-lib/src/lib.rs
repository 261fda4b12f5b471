//! The Firstlight client: sans-IO MLS engine, sealed storage, transport and the firstlight command.
