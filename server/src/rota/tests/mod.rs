//! The rota with a real store and a clock that the test moves.

pub(crate) use super::{
    plan::{get_rota, put_rota},
    reads::{At, on_call},
};
