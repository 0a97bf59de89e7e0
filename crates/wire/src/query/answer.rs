//! The bodies that HTTP answers carry.

use std::iter::repeat;

use bellwether_core::query::{Answer, Group};
use bellwether_core::scorecard::Scorecard;
use bellwether_core::time::TimestampMs;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::ingest::{Ingested, Rejection};
use crate::json::{Figure, LabelMap};

/// `{"result": 130, …}`: one figure, null where there is none, and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct ResultBody<'a> {
    /// The figure.
    pub answer: &'a Answer,
    /// When a sample of its window was changed last, where one was.
    pub restated: Option<TimestampMs>,
}

impl Serialize for ResultBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AnswerJson::of(self.answer, self.restated).serialize(serializer)
    }
}

#[derive(Serialize)]
struct AnswerJson {
    result: Option<Figure>,
    count: u64,
    from: i64,
    to: i64,
    relative_error: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    restated: Option<i64>,
}

impl AnswerJson {
    fn of(answer: &Answer, restated: Option<TimestampMs>) -> Self {
        let Answer { value, count, from, to, relative_error } = *answer;
        Self {
            result: value.map(Figure),
            count,
            from: from.get(),
            to: to.get(),
            relative_error: Figure(relative_error),
            restated: restated.map(TimestampMs::get),
        }
    }
}

/// `{"groups": [{"labels": {…}, "result": 130, …}, …]}`: one figure for each group.
#[derive(Clone, Copy, Debug)]
pub struct GroupsBody<'a> {
    /// The groups.
    pub groups: &'a [Group],
    /// As of [`ResultBody`], of each group in their order; of those beyond its end none is.
    pub restated: &'a [Option<TimestampMs>],
}

#[derive(Serialize)]
struct GroupJson<'a> {
    labels: LabelMap<'a>,
    #[serde(flatten)]
    answer: AnswerJson,
}

struct GroupList<'a>(GroupsBody<'a>);

impl Serialize for GroupList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let GroupsBody { groups, restated } = self.0;
        let mut list = serializer.serialize_seq(Some(groups.len()))?;
        for (Group { labels, answer }, restated) in groups.iter().zip(restated.iter().copied().chain(repeat(None))) {
            let answer = AnswerJson::of(answer, restated);
            list.serialize_element(&GroupJson { labels: LabelMap(labels), answer })?;
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
        Body { groups: GroupList(*self) }.serialize(serializer)
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

    fn result(value: Option<f64>, restated: Option<i64>) -> String {
        let restated = restated.map(TimestampMs::new);
        serde_json::to_string(&ResultBody { answer: &answer(value), restated }).unwrap()
    }

    fn answer(value: Option<f64>) -> Answer {
        Answer { value, count: 2, from: TimestampMs::new(1_000), to: TimestampMs::new(2_000), relative_error: 0.0 }
    }

    #[test]
    fn the_result_stays_a_plain_number() {
        let text = result(Some(130.0), None);
        assert_eq!(text, r#"{"result":130,"count":2,"from":1000,"to":2000,"relative_error":0}"#);
        let text = result(None, None);
        assert_eq!(text, r#"{"result":null,"count":2,"from":1000,"to":2000,"relative_error":0}"#);
        let text = result(Some(130.0), Some(9));
        assert_eq!(text, r#"{"result":130,"count":2,"from":1000,"to":2000,"relative_error":0,"restated":9}"#);
        let text = result(Some(f64::INFINITY), None);
        assert!(text.starts_with(r#"{"result":null,"#), "{text}");
    }

    #[test]
    fn groups_carry_their_labels() {
        let labels = Labels::new([("route", "/b\"ook"), ("a", "1")]).unwrap();
        let groups = [Group { labels, answer: answer(Some(-0.5)) }];
        let text = |groups: &[Group], restated: &[Option<TimestampMs>]| {
            serde_json::to_string(&GroupsBody { groups, restated }).unwrap()
        };
        assert_eq!(
            text(&groups, &[]),
            r#"{"groups":[{"labels":{"a":"1","route":"/b\"ook"},"result":-0.5,"count":2,"from":1000,"to":2000,"relative_error":0}]}"#
        );
        assert!(text(&groups, &[Some(TimestampMs::new(9))]).ends_with(r#""relative_error":0,"restated":9}]}"#));
        assert_eq!(text(&[], &[]), r#"{"groups":[]}"#);
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
