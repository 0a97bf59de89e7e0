//! The pure engine of Bellwether: samples, windows, sketches, queries, rules and scorecards.
