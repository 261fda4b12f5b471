//! Scenario, crash, canary and load tests: the only crate that sees both sides.
