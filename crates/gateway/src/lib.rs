//! The Bellwether gateway: ingest, store, live feed, rules, notifications.
