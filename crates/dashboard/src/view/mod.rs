//! What is on screen: small components that only draw the values they are given.

mod alerts;
mod app;
mod banner;
mod card;
mod distribution;
mod explore;
mod figure;
mod filter;
mod focus;
mod header;
mod icon;
mod kpi;
mod others;
mod overview;
mod panel;
mod screens;
mod sheet;
mod sources;
mod spans;
mod spark;
mod stage;
mod strip;
mod table;

pub use app::App;
pub use banner::{MOST_BANNERS, banners};
pub use card::card;
pub(crate) use focus::focus;
pub use panel::panel;
pub(crate) use spans::time_bar;
pub(crate) use stage::{Stage, views};
pub use strip::{Pen, StripCanvas};
