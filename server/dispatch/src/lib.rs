//! The sans-IO dispatch engine: (state, input, now) -> (state, effects).
