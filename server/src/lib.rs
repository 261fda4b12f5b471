//! The Firstlight server: MLS delivery, dispatch and identity in one binary.
