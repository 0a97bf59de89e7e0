//! The Yew page of Bellwether.
//!
//! Facts become [`message::Msg`]; [`update::update`] turns them into a new [`state::State`] and
//! [`effect::Effect`]s; `effects` carries those out. Samples stay in the engine that [`feed::Feed`]
//! holds and reach the state only as figures, once for each animation frame at most. Everything but the
//! views, the effects and the chart glue builds and is tested without a browser.

pub mod calls;
pub mod cause;
pub mod chart;
pub mod clock;
#[cfg(target_arch = "wasm32")]
mod code;
pub mod connection;
pub mod effect;
#[cfg(target_arch = "wasm32")]
pub mod effects;
pub mod ended;
pub mod feed;
pub mod figures;
pub mod filter;
pub mod format;
pub mod lazy;
pub mod message;
pub mod others;
#[cfg(target_arch = "wasm32")]
pub mod plot;
pub mod remote;
pub mod route;
pub mod settings;
pub mod span;
pub mod state;
pub mod texts;
pub mod theme;
pub mod update;
#[cfg(target_arch = "wasm32")]
pub mod view;
pub mod window;
