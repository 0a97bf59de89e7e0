//! The bodies that HTTP answers carry.

use bellwether_core::query::{Answer, Group};
use bellwether_core::scorecard::Scorecard;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::ingest::{Ingested, Rejection};
use crate::json::{Figure, LabelMap};

/// `{"result": 130, …}`: one figure, null where there is none, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct ResultBody<'a>(pub &'a Answer);

impl Serialize for ResultBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AnswerJson::of(self.0).serialize(serializer)
    }
}

#[derive(Serialize)]
struct AnswerJson {
    result: Option<Figure>,
    count: u64,
    from: i64,
    to: i64,
    relative_error: Figure,
}

impl AnswerJson {
    fn of(answer: &Answer) -> Self {
        let Answer { value, count, from, to, relative_error } = *answer;
        Self {
            result: value.map(Figure),
            count,
            from: from.get(),
            to: to.get(),
            relative_error: Figure(relative_error),
        }
    }
}

/// `{"groups": [{"labels": {…}, "result": 130, …}, …]}`: one figure for each group.
#[derive(Clone, Copy, Debug)]
pub struct GroupsBody<'a>(pub &'a [Group]);

#[derive(Serialize)]
struct GroupJson<'a> {
    labels: LabelMap<'a>,
    #[serde(flatten)]
    answer: AnswerJson,
}

struct GroupList<'a>(&'a [Group]);

impl Serialize for GroupList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for Group { labels, answer } in self.0 {
            list.serialize_element(&GroupJson { labels: LabelMap(labels), answer: AnswerJson::of(answer) })?;
        }
        list.end()
    }
}

impl Serialize for GroupsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Body<'a> {
            groups: GroupList<'a>,
        }
        Body { groups: GroupList(self.0) }.serialize(serializer)
    }
}

/// `{"avg_resolution_time": 4.5, "avg_satisfaction": 4.2, "total_conflicts": 1}`: the scorecard.
#[derive(Clone, Copy, Debug)]
pub struct ScorecardBody<'a>(pub &'a Scorecard);

impl Serialize for ScorecardBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Body {
            avg_resolution_time: Figure,
            avg_satisfaction: Figure,
            total_conflicts: Figure,
        }
        let Scorecard { avg_resolution_time, avg_satisfaction, total_conflicts } = *self.0;
        Body {
            avg_resolution_time: Figure(avg_resolution_time),
            avg_satisfaction: Figure(avg_satisfaction),
            total_conflicts: Figure(total_conflicts),
        }
        .serialize(serializer)
    }
}

/// `{"error": {"code": …, "message": …}}`: why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// A word that programs can rely on.
    pub code: &'a str,
    /// One sentence for people.
    pub message: &'a str,
}

impl Serialize for ErrorBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            error: Inner<'a>,
        }
        let Self { code, message } = *self;
        Body { error: Inner { code, message } }.serialize(serializer)
    }
}

/// `{"accepted": 3, "rejected": [{"index": …, "code": …, "message": …}, …]}`: what became of a body
/// that was taken in part.
#[derive(Clone, Debug, Serialize)]
pub struct RejectionsBody<'a> {
    /// How many samples were stored.
    pub accepted: usize,
    /// The refused ones, in the order of the body.
    pub rejected: &'a [Rejection],
}

impl<'a> From<&'a Ingested> for RejectionsBody<'a> {
    fn from(ingested: &'a Ingested) -> Self {
        Self { accepted: ingested.accepted.len(), rejected: &ingested.rejected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::labels::Labels;
    use bellwether_core::time::TimestampMs;

    fn answer(value: Option<f64>) -> Answer {
        Answer { value, count: 2, from: TimestampMs::new(1_000), to: TimestampMs::new(2_000), relative_error: 0.0 }
    }

    #[test]
    fn the_result_stays_a_plain_number() {
        let text = serde_json::to_string(&ResultBody(&answer(Some(130.0)))).unwrap();
        assert_eq!(text, r#"{"result":130,"count":2,"from":1000,"to":2000,"relative_error":0}"#);
        let text = serde_json::to_string(&ResultBody(&answer(None))).unwrap();
        assert_eq!(text, r#"{"result":null,"count":2,"from":1000,"to":2000,"relative_error":0}"#);
        let text = serde_json::to_string(&ResultBody(&answer(Some(f64::INFINITY)))).unwrap();
        assert!(text.starts_with(r#"{"result":null,"#), "{text}");
    }

    #[test]
    fn groups_carry_their_labels() {
        let labels = Labels::new([("route", "/b\"ook"), ("a", "1")]).unwrap();
        let groups = [Group { labels, answer: answer(Some(-0.5)) }];
        assert_eq!(
            serde_json::to_string(&GroupsBody(&groups)).unwrap(),
            r#"{"groups":[{"labels":{"a":"1","route":"/b\"ook"},"result":-0.5,"count":2,"from":1000,"to":2000,"relative_error":0}]}"#
        );
        assert_eq!(serde_json::to_string(&GroupsBody(&[])).unwrap(), r#"{"groups":[]}"#);
    }

    #[test]
    fn a_whole_scorecard_has_no_fractions() {
        let scorecard = Scorecard { avg_resolution_time: 4.5, avg_satisfaction: 0.0, total_conflicts: 1.0 };
        assert_eq!(
            serde_json::to_string(&ScorecardBody(&scorecard)).unwrap(),
            r#"{"avg_resolution_time":4.5,"avg_satisfaction":0,"total_conflicts":1}"#
        );
    }

    #[test]
    fn errors_have_a_code_and_a_sentence() {
        let body = ErrorBody { code: "bad_window", message: "window: …" };
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"error":{"code":"bad_window","message":"window: …"}}"#);
    }
}
