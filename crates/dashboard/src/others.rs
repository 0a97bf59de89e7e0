//! Metrics that the gateway has and the board does not name: which there are, and which of them are drawn.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;
use bellwether_core::query::Expression;
use bellwether_core::time::DurationMs;
use serde_json::Value;

use crate::clock::Monotonic;
use crate::format;
use crate::remote::Remote;
use crate::texts::Text;

/// How far each point of such a chart looks back.
pub const LOOKS_BACK: DurationMs = DurationMs::from_minutes(1);
/// Most series of all metrics that are drawn, so that drawing them takes no more than the board's own.
pub const MOST_SERIES: usize = 200;
/// Most series of one metric that is drawn.
const MOST_OF_ONE: usize = 50;
/// How many metrics are drawn at first, and how many more each time that the reader asks for more.
const STEP: usize = 12;
/// Most metrics that are drawn.
const MOST_DRAWN: usize = 60;
/// The list is asked for anew after so long.
pub const LISTED_EVERY: DurationMs = DurationMs::from_secs(10);
/// Metrics that are too large to be drawn and are named.
const NAMED: usize = 5;

/// A metric of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: MetricName,
    /// How many series it has.
    pub series: usize,
}

/// The metrics of a gateway, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that the gateway listed.
    pub metrics: Vec<Metric>,
    /// How many it has beyond those.
    pub left_out: usize,
}

impl Listing {
    /// Reads the gateway's answer; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let answer: Value = serde_json::from_str(text).ok()?;
        let count = |value: &Value| value.as_u64().and_then(|count| usize::try_from(count).ok());
        let metrics = answer.get("metrics")?.as_array()?.iter().map(|metric| {
            let name = MetricName::new(metric.get("name")?.as_str()?).ok()?;
            Some(Metric { name, series: count(metric.get("series")?)? })
        });
        Some(Self { metrics: metrics.collect::<Option<_>>()?, left_out: count(answer.get("left_out")?)? })
    }
}

/// Whether the reader wants to see them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// Only their heading stands there, and nothing is asked of the gateway.
    #[default]
    Closed,
    /// They are listed and drawn.
    Open,
}

/// What the page knows of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Others {
    /// Whether the reader wants to see them.
    pub section: Section,
    /// The gateway's list.
    pub list: Remote<Rc<Listing>>,
    /// When it was last asked for.
    pub asked_at: Option<Monotonic>,
    /// How many metrics the reader wants drawn at most.
    pub wanted: usize,
    /// Those that are drawn.
    pub drawn: Rc<[MetricName]>,
    /// Whether there was no memory left for them.
    pub given_up: bool,
}

impl Default for Others {
    fn default() -> Self {
        Self {
            section: Section::Closed,
            list: Remote::NotAsked,
            asked_at: None,
            wanted: STEP,
            drawn: [].into(),
            given_up: false,
        }
    }
}

/// What is and what is not drawn, to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The metrics that are drawn.
    pub drawn: Rc<[MetricName]>,
    /// All that the board does not name.
    pub all: usize,
    /// Metrics with too many series, at most as many as are named.
    pub too_large: Vec<Metric>,
    /// How many more there are of those.
    pub more_too_large: usize,
    /// How many wait for the reader to ask for more.
    pub waiting: usize,
}

impl Others {
    /// Chooses what to draw of the list, in the order of the names; `None` while there is no list.
    #[must_use]
    pub fn choose(&self, board: &Board) -> Option<Choice> {
        let listing = self.list.ready()?;
        let mut choice =
            Choice { drawn: [].into(), all: listing.left_out, too_large: Vec::new(), more_too_large: 0, waiting: 0 };
        let (mut drawn, mut series) = (Vec::new(), 0);
        for metric in &listing.metrics {
            if is_shown(board, &metric.name) {
                continue;
            }
            choice.all += 1;
            if metric.series > MOST_OF_ONE {
                if choice.too_large.len() < NAMED {
                    choice.too_large.push(metric.clone());
                } else {
                    choice.more_too_large += 1;
                }
            } else if drawn.len() < self.wanted && series + metric.series <= MOST_SERIES {
                series += metric.series;
                drawn.push(metric.name.clone());
            } else {
                choice.waiting += 1;
            }
        }
        choice.drawn = drawn.into();
        Some(choice)
    }

    /// Whether asking for more would draw more than `choice`.
    #[must_use]
    pub fn can_draw_more(&self, choice: &Choice) -> bool {
        choice.waiting > 0 && self.wanted < MOST_DRAWN && choice.drawn.len() == self.wanted
    }

    /// Draws some more metrics from now on.
    pub fn want_more(&mut self) {
        self.wanted = (self.wanted + STEP).min(MOST_DRAWN);
    }
}

/// Whether a KPI or a panel of the board shows the metric.
fn is_shown(board: &Board, metric: &MetricName) -> bool {
    let shows = |figure: &Expression| match figure {
        Expression::Single(query) => query.metric == *metric,
        Expression::Ratio(over, under) => over.metric == *metric || under.metric == *metric,
    };
    board.kpis.iter().any(|kpi| shows(&kpi.figure)) || board.panels.iter().any(|panel| shows(&panel.figure))
}

impl Choice {
    /// What is drawn and what is left out, and how that is mended, in a few sentences.
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.all == 0 {
            return Text::OthersNone.say().to_owned();
        }
        let mut text = Text::OthersSome.count(self.all as u64, &[&format::count(self.drawn.len() as u64)]);
        if !self.too_large.is_empty() {
            let named = |metric: &Metric| Text::MetricSeries.count(metric.series as u64, &[metric.name.as_str()]);
            let mut large = self.too_large.iter().map(named).collect::<Vec<_>>().join(", ");
            if self.more_too_large > 0 {
                large.push_str(&Text::AndMoreMetrics.count(self.more_too_large as u64, &[]));
            }
            text.push_str(&Text::OthersLarge.fill(&[&large]));
        }
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use bellwether_core::board::Panel;
    use bellwether_core::query::{Aggregation, Query};

    use super::*;

    fn listing(metrics: &[(&str, usize)]) -> Others {
        let metrics = metrics
            .iter()
            .map(|(name, series)| Metric { name: MetricName::new(name).unwrap(), series: *series })
            .collect();
        Others { list: Remote::Ready(Rc::new(Listing { metrics, left_out: 0 })), ..Others::default() }
    }

    fn names(choice: &Choice) -> Vec<&str> {
        choice.drawn.iter().map(MetricName::as_str).collect()
    }

    fn board(metric: &str) -> Board {
        let query = Query::new(MetricName::new(metric).unwrap(), LOOKS_BACK, Aggregation::Avg);
        let panel = Panel {
            id: "x".into(),
            title: "X".into(),
            unit: String::new(),
            figure: Expression::Single(query),
            threshold: None,
            section: String::new(),
        };
        Board { panels: vec![panel], ..Board::default() }
    }

    #[test]
    fn a_list_is_read_and_what_is_none_is_not() {
        let text = r#"{"metrics": [{"name": "a", "kind": "gauge", "series": 2}], "left_out": 3, "later": true}"#;
        let metric = Metric { name: MetricName::new("a").unwrap(), series: 2 };
        assert_eq!(Listing::parse(text), Some(Listing { metrics: vec![metric], left_out: 3 }));
        for text in
            ["", "[]", "{}", r#"{"metrics": [{"name": ""}], "left_out": 0}"#, r#"{"metrics": 1, "left_out": 0}"#]
        {
            assert_eq!(Listing::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_board_shows_is_no_other() {
        let others = listing(&[("a", 1), ("b", 2), ("c", 3)]);
        let choice = others.choose(&board("b")).unwrap();
        assert_eq!((names(&choice), choice.all), (vec!["a", "c"], 2));
        assert_eq!(Others::default().choose(&board("b")), None);
        let none = listing(&[("b", 2)]).choose(&board("b")).unwrap();
        assert!(none.sentence().starts_with("The board names every metric"), "{}", none.sentence());
    }

    #[test]
    fn a_large_metric_is_named_and_not_drawn() {
        let choice = listing(&[("huge", 10_000), ("small", 3)]).choose(&board("b")).unwrap();
        assert_eq!(names(&choice), ["small"]);
        let sentence = choice.sentence();
        assert!(sentence.starts_with("2 metrics that the board does not name, 1 of them drawn. "), "{sentence}");
        assert!(sentence.contains("here: huge (10000 series); a panel of the board"), "{sentence}");
        let many: Vec<_> = (0..9).map(|number| (format!("huge{number}"), 51)).collect();
        let many: Vec<_> = many.iter().map(|(name, series)| (name.as_str(), *series)).collect();
        let sentence = listing(&many).choose(&board("b")).unwrap().sentence();
        assert!(sentence.contains("huge4 (51 series) and 4 more metrics;"), "{sentence}");
        let sentence = listing(&many[..6]).choose(&board("b")).unwrap().sentence();
        assert!(sentence.contains("huge4 (51 series) and 1 more metric;"), "{sentence}");
    }

    #[test]
    fn a_page_draws_a_few_then_more_and_never_all_of_a_thousand() {
        let many: Vec<_> = (0..1_000).map(|number| (format!("m{number:04}"), 1)).collect();
        let many: Vec<_> = many.iter().map(|(name, series)| (name.as_str(), *series)).collect();
        let mut others = listing(&many);
        let mut counts = Vec::new();
        for _ in 0..7 {
            let choice = others.choose(&board("b")).unwrap();
            assert_eq!(choice.drawn.len() + choice.waiting, 1_000);
            counts.push((choice.drawn.len(), others.can_draw_more(&choice)));
            others.want_more();
        }
        assert_eq!(counts, [(12, true), (24, true), (36, true), (48, true), (60, false), (60, false), (60, false)]);
        // Series count as well: four metrics of fifty are all that is drawn.
        let wide: Vec<_> = many.iter().map(|(name, _)| (*name, 50)).collect();
        let others = listing(&wide);
        let choice = others.choose(&board("b")).unwrap();
        assert_eq!((choice.drawn.len(), others.can_draw_more(&choice)), (4, false));
    }
}
