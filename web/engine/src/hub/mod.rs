//! The engine of one browser, as the worker holds it: answers commands, tells events, keeps the session alive.

mod admin;
mod callouts;
mod device;
mod joining;
mod live;
mod refusal;
mod rooms;
mod view;

use crate::contract::*;
use firstlight_client::session::{Session, State, now};
use firstlight_protocol::{ErrorCode, Problem, Secret, Timestamp};
use refusal::{Done, Refusal};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;

/// The engine, as the worker's script holds it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine(Rc<Hub>);

#[wasm_bindgen]
impl Engine {
    /// For the pages of one origin; `tell` is called with each event as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(origin: String, tell: js_sys::Function) -> Self {
        Self(Rc::new(Hub::new(origin, tell)))
    }

    /// Carries a command out: resolves to its answer as JSON, or rejects with a problem as JSON.
    pub fn call(&self, command: String, argument: String) -> js_sys::Promise {
        let hub = self.0.clone();
        future_to_promise(async move {
            match hub.dispatch(&command, &argument).await {
                Ok(answer) => Ok(JsValue::from_str(&answer)),
                Err(refusal) => Err(JsValue::from_str(&json(&refusal.0))),
            }
        })
    }

    /// Somebody is at the screen.
    pub fn active(&self) {
        self.0.active_at.set(now());
    }

    /// Whether nobody has been at the screen for too long: the worker ends then.
    #[wasm_bindgen(getter)]
    pub fn idle(&self) -> bool {
        self.0.open.borrow().is_some() && now().since(self.0.active_at.get()) >= self.0.lock_after.get()
    }
}

/// What the worker holds.
struct Hub {
    origin: String,
    tell: js_sys::Function,
    open: RefCell<Option<Open>>,
    connected: Cell<bool>,
    revoked: Cell<bool>,
    active_at: Cell<Timestamp>,
    lock_after: Cell<std::time::Duration>,
    token: RefCell<Option<Secret>>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}

/// An unlocked device.
#[derive(Clone)]
struct Open {
    state: Arc<State>,
    /// Once it is enrolled.
    session: Option<Session>,
}

impl Hub {
    fn new(origin: String, tell: js_sys::Function) -> Self {
        Self {
            origin,
            tell,
            open: RefCell::new(None),
            connected: Cell::new(false),
            revoked: Cell::new(false),
            active_at: Cell::new(now()),
            lock_after: Cell::new(device::LOCK_AFTER),
            token: RefCell::new(None),
        }
    }

    fn state(&self) -> Done<Arc<State>> {
        let open = self.open.borrow();
        open.as_ref().map(|open| open.state.clone()).ok_or(Refusal(ErrorCode::NeedsUnlock.into()))
    }

    fn session(&self) -> Done<Session> {
        self.state()?;
        let open = self.open.borrow();
        let session = open.as_ref().and_then(|open| open.session.clone());
        session.ok_or_else(|| firstlight_client::session::SessionError::NotEnrolled.into())
    }

    fn tell(&self, event: &EngineEvent) {
        // The listener is this program's own, and answers nothing.
        let _ = self.tell.call1(&JsValue::NULL, &JsValue::from_str(&json(event)));
    }
}

macro_rules! dispatch {
    ($($(#[$doc:meta])+ $name:ident($argument:ident) -> $answer:ident;)+) => {
        impl Hub {
            async fn dispatch(self: &Rc<Self>, command: &str, argument: &str) -> Done<String> {
                match command {
                    $(stringify!($name) => {
                        let argument: $argument = serde_json::from_str(argument).map_err(misunderstood)?;
                        let answer: $answer = Box::pin(self.$name(argument)).await?;
                        Ok(json(&answer))
                    })+
                    _ => Err(Refusal(ErrorCode::BadRequest.into())),
                }
            }
        }
    };
}
crate::commands!(dispatch);

/// What does not fit the contract, without what it says.
fn misunderstood(error: serde_json::Error) -> Refusal {
    Refusal(Problem::with(ErrorCode::BadRequest, format!("The argument is wrong at column {}.", error.column())))
}

/// Types of the contract always encode.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
