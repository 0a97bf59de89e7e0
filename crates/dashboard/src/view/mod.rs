//! What is on screen: small components that only draw the values they are given.

mod alerts;
mod app;
mod banner;
mod card;
mod explore;
mod figure;
mod filter;
mod focus;
mod header;
mod icon;
mod others;
mod overview;
mod panel;
mod screens;
mod sheet;
mod spark;
mod strip;
mod table;

pub use app::App;
pub use banner::{MOST_BANNERS, banners};
pub use card::card;
pub use panel::panel;
pub use strip::StripCanvas;
