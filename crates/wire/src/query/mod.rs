//! `GET /query`: its parameters and its answers.

mod answer;
mod params;

pub use answer::{ErrorBody, GroupsBody, RejectionsBody, ResultBody, ScorecardBody};
pub use params::{QueryParamError, QueryRequest, Shape, from_pairs, from_query_string};
