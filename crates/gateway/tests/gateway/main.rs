//! The gateway from outside: the real binary on a free port, real HTTP, real WebSockets, real kills.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where and ends; its helpers are no #[test] functions themselves"
)]

mod access;
mod alerts;
mod archive;
mod bygone;
mod corrections;
mod crashes;
mod damage;
mod doors;
mod durability;
mod feed;
mod hostile;
mod ingest;
mod lines;
mod live;
mod openapi;
mod otlp;
mod page;
mod producers;
mod prometheus;
mod proxies;
mod query;
mod remote_write;
mod restart;
mod resume;
mod running;
mod scripts;
mod settings;
mod start;
mod tls;
mod viewers;
mod years;
