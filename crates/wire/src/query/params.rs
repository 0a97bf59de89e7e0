//! The parameters of `GET /query`, checked.

use bellwether_core::labels::{LabelError, LabelName, MetricName};
use bellwether_core::query::{Across, Aggregation, AggregationError, Expression, Query};
use bellwether_core::selector::Matcher;
use bellwether_core::time::{DurationError, DurationMs, TimestampMs};

use crate::condition::{self, NoCondition};
use crate::json::{nearest, shortened};

/// The parameters that are known, as the message about an unknown one lists them.
const PARAMETERS: [&str; 11] =
    ["name", "window", "agg", "by", "where", "across", "at", "over", "over_agg", "over_where", "over_window"];

/// Which of the two answers is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One figure over all series: `{"result": …}`.
    One,
    /// One figure for each group of the labels in `by`: `{"groups": […]}`.
    Groups,
}

/// What a `GET /query` asks.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryRequest {
    /// The figure.
    pub expression: Expression,
    /// One figure or one for each group.
    pub shape: Shape,
    /// The instant that the window ends at; `None` for now.
    pub at: Option<TimestampMs>,
}

/// What is wrong with the parameters of a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryParamError {
    /// `name`, `window` or `agg` is not there.
    #[error("the parameter {name} is missing; ask like /query?name=booking_response_time&window=5m&agg=avg")]
    Missing {
        /// The parameter.
        name: &'static str,
    },
    /// A parameter is given twice that can be given once.
    #[error("the parameter {name} is given twice; give it once")]
    Repeated {
        /// The parameter.
        name: String,
    },
    /// A parameter has a name that nothing is known of.
    #[error("the parameter {name:?} is not known; {hint}")]
    Unknown {
        /// Its name, or the start of it.
        name: String,
        /// How to mend it.
        hint: String,
    },
    /// `name` or `over` is no metric name.
    #[error("{name}: {reason}")]
    Name {
        /// The parameter.
        name: &'static str,
        /// Why.
        reason: LabelError,
    },
    /// `window` is no length of time.
    #[error("{name}: {reason}")]
    Window {
        /// The parameter.
        name: &'static str,
        /// Why.
        reason: DurationError,
    },
    /// `window` is zero.
    #[error("{name}: a window of no length holds no sample; write it like 30s, 5m, 1h30m or 90d")]
    ZeroWindow {
        /// The parameter.
        name: &'static str,
    },
    /// `agg` names no aggregation.
    #[error("{name}: {reason}")]
    Aggregation {
        /// The parameter.
        name: &'static str,
        /// Why.
        reason: AggregationError,
    },
    /// A `where` has no colon or no label.
    #[error("{name}: {text:?} is no condition; write label:value, such as route:/book")]
    Where {
        /// The parameter.
        name: &'static str,
        /// The text that was given.
        text: String,
    },
    /// A label in `by` or `where` is outside its limits.
    #[error("{name}: {reason}")]
    Label {
        /// The parameter.
        name: &'static str,
        /// Why.
        reason: LabelError,
    },
    /// `across` is none of its words.
    #[error("across: {text:?} is none of merge, sum, avg, min, max")]
    Across {
        /// The text that was given.
        text: String,
    },
    /// `at` is no instant.
    #[error("at: {text:?} is no whole number of milliseconds since 1970, UTC")]
    At {
        /// The text that was given.
        text: String,
    },
    /// `over_agg`, `over_where` or `over_window` without `over`.
    #[error("{name} says how to read the metric of \"over\", but there is no \"over\"")]
    WithoutOver {
        /// The parameter.
        name: &'static str,
    },
}

impl QueryParamError {
    /// A word that programs can rely on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing_parameter",
            Self::Repeated { .. } => "repeated_parameter",
            Self::Unknown { .. } => "unknown_parameter",
            Self::Name { .. } => "bad_name",
            Self::Window { .. } | Self::ZeroWindow { .. } => "bad_window",
            Self::Aggregation { .. } => "bad_aggregation",
            Self::Where { .. } => "bad_where",
            Self::Label { .. } => "bad_label",
            Self::Across { .. } => "bad_across",
            Self::At { .. } => "bad_at",
            Self::WithoutOver { .. } => "missing_over",
        }
    }
}

/// The request that the query string of a URL (without its `?`) makes.
///
/// `%41` and `+` are decoded. Bytes that are no UTF-8 become the replacement character; a `%` that begins
/// no byte stays.
///
/// # Errors
/// [`QueryParamError`] for the first parameter that is wrong.
///
/// ```
/// use bellwether_wire::query::{Shape, from_query_string};
/// let request = from_query_string("name=booking_response_time&window=5m&agg=p95&where=route:/book")?;
/// assert_eq!(request.shape, Shape::One);
/// # Ok::<(), bellwether_wire::query::QueryParamError>(())
/// ```
pub fn from_query_string(query: &str) -> Result<QueryRequest, QueryParamError> {
    from_pairs(form_urlencoded::parse(query.as_bytes()))
}

/// The request that decoded parameters make.
///
/// # Errors
/// [`QueryParamError`] for the first parameter that is wrong.
pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (N, V)>,
) -> Result<QueryRequest, QueryParamError> {
    let mut given = Given::default();
    for (name, value) in pairs {
        given.take(name.as_ref(), value.as_ref())?;
    }
    given.request()
}

/// The parameters as text.
#[derive(Default)]
struct Given {
    name: Option<String>,
    window: Option<String>,
    aggregation: Option<String>,
    by: Option<Vec<LabelName>>,
    matchers: Vec<Matcher>,
    across: Option<String>,
    at: Option<String>,
    over: Option<String>,
    over_aggregation: Option<String>,
    over_matchers: Vec<Matcher>,
    over_window: Option<String>,
}

impl Given {
    fn take(&mut self, name: &str, value: &str) -> Result<(), QueryParamError> {
        let place = match name {
            "by" => {
                let by = self.by.get_or_insert_default();
                for label in value.split(',').map(str::trim).filter(|label| !label.is_empty()) {
                    let label =
                        LabelName::new(label).map_err(|reason| QueryParamError::Label { name: "by", reason })?;
                    if !by.contains(&label) {
                        by.push(label);
                    }
                }
                return Ok(());
            }
            "where" => {
                self.matchers.push(matcher("where", value)?);
                return Ok(());
            }
            "over_where" => {
                self.over_matchers.push(matcher("over_where", value)?);
                return Ok(());
            }
            "name" => &mut self.name,
            "window" => &mut self.window,
            "agg" => &mut self.aggregation,
            "across" => &mut self.across,
            "at" => &mut self.at,
            "over" => &mut self.over,
            "over_agg" => &mut self.over_aggregation,
            "over_window" => &mut self.over_window,
            _ => return Err(unknown(name)),
        };
        if place.replace(value.to_owned()).is_some() {
            return Err(QueryParamError::Repeated { name: name.to_owned() });
        }
        Ok(())
    }

    fn request(self) -> Result<QueryRequest, QueryParamError> {
        let Self {
            name,
            window,
            aggregation,
            by,
            matchers,
            across,
            at,
            over,
            over_aggregation,
            over_matchers,
            over_window,
        } = self;
        let missing = |name| QueryParamError::Missing { name };
        let metric = metric("name", &name.ok_or(missing("name"))?)?;
        let window = length("window", &window.ok_or(missing("window"))?)?;
        let aggregation = aggregation_of("agg", &aggregation.ok_or(missing("agg"))?)?;
        let across = across.map_or(Ok(Across::Merge), |text| {
            Across::from_word(&text).ok_or_else(|| QueryParamError::Across { text: shortened(&text).into_owned() })
        })?;
        let at = at
            .map(|text| match text.parse::<i64>() {
                Ok(ms) if ms >= 0 => Ok(TimestampMs::new(ms)),
                _ => Err(QueryParamError::At { text: shortened(&text).into_owned() }),
            })
            .transpose()?;
        let shape = if by.is_some() { Shape::Groups } else { Shape::One };
        let by = by.unwrap_or_default();
        let first = Query { metric, matchers, window, aggregation, by, across };
        let expression = match over {
            Some(over) => {
                let second = Query {
                    metric: self::metric("over", &over)?,
                    matchers: over_matchers,
                    window: over_window.map_or(Ok(window), |text| length("over_window", &text))?,
                    aggregation: over_aggregation.map_or(Ok(aggregation), |text| aggregation_of("over_agg", &text))?,
                    by: first.by.clone(),
                    across,
                };
                Expression::Ratio(first, second)
            }
            None => {
                let stray = [
                    ("over_agg", over_aggregation.is_some()),
                    ("over_where", !over_matchers.is_empty()),
                    ("over_window", over_window.is_some()),
                ];
                if let Some((name, _)) = stray.into_iter().find(|(_, given)| *given) {
                    return Err(QueryParamError::WithoutOver { name });
                }
                Expression::Single(first)
            }
        };
        Ok(QueryRequest { expression, shape, at })
    }
}

fn unknown(name: &str) -> QueryParamError {
    let hint = match nearest(name, &PARAMETERS) {
        Some(known) => format!("did you mean {known}?"),
        None => format!("known are {}", PARAMETERS.join(", ")),
    };
    QueryParamError::Unknown { name: shortened(name).into_owned(), hint }
}

fn metric(name: &'static str, text: &str) -> Result<MetricName, QueryParamError> {
    MetricName::new(text).map_err(|reason| QueryParamError::Name { name, reason })
}

fn length(name: &'static str, text: &str) -> Result<DurationMs, QueryParamError> {
    let length: DurationMs = text.parse().map_err(|_| {
        let reason = DurationError { text: shortened(text).into_owned() };
        QueryParamError::Window { name, reason }
    })?;
    if length == DurationMs::ZERO { Err(QueryParamError::ZeroWindow { name }) } else { Ok(length) }
}

fn aggregation_of(name: &'static str, text: &str) -> Result<Aggregation, QueryParamError> {
    text.parse().map_err(|_| {
        let reason = AggregationError { text: shortened(text).into_owned() };
        QueryParamError::Aggregation { name, reason }
    })
}

/// The condition `label:value`.
fn matcher(name: &'static str, text: &str) -> Result<Matcher, QueryParamError> {
    condition::from_text(text).map_err(|fault| match fault {
        NoCondition::Colon => QueryParamError::Where { name, text: shortened(text).into_owned() },
        NoCondition::Label(reason) => QueryParamError::Label { name, reason },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bellwether_core::selector::Condition;

    #[track_caller]
    fn check(query: &str, code: &str, part: &str) {
        let error = from_query_string(query).unwrap_err();
        assert_eq!(error.code(), code, "{query}: {error}");
        assert!(error.to_string().contains(part), "{query}: {error}");
    }

    #[test]
    fn the_question_of_the_seeds() {
        let request = from_query_string("name=booking_response_time&window=5m&agg=avg").unwrap();
        let metric = MetricName::new("booking_response_time").unwrap();
        let expected = Query::new(metric, DurationMs::from_minutes(5), Aggregation::Avg);
        assert_eq!(request, QueryRequest { expression: Expression::Single(expected), shape: Shape::One, at: None });
    }

    #[test]
    fn every_parameter() {
        let request = from_query_string(
            "name=errors_total&window=1h&agg=increase&by=route,method&by=host&where=url:http://x:80/&where=a:\
             &across=sum&at=1700000000000&over=requests_total&over_where=a:b&over_agg=rate&over_window=30m",
        )
        .unwrap();
        assert_eq!(request.shape, Shape::Groups);
        assert_eq!(request.at, Some(TimestampMs::new(1_700_000_000_000)));
        let Expression::Ratio(first, second) = request.expression else { panic!("no ratio") };
        assert_eq!(first.by.iter().map(LabelName::as_str).collect::<Vec<_>>(), ["route", "method", "host"]);
        assert_eq!(first.matchers[0].label.as_str(), "url");
        assert_eq!(first.matchers[0].condition, Condition::Equal("http://x:80/".into()));
        assert_eq!(first.matchers[1].condition, Condition::Equal(String::new()));
        assert_eq!((first.across, second.across), (Across::Sum, Across::Sum));
        assert_eq!(second.metric.as_str(), "requests_total");
        assert_eq!(second.matchers.len(), 1);
        assert_eq!((second.window, second.aggregation), (DurationMs::from_minutes(30), Aggregation::Rate));
        assert_eq!(second.by, first.by);
    }

    /// The conditions of a query, of which `given` is the encoded text.
    #[track_caller]
    fn check_decoded(given: &str, expected: &[(&str, &str)]) {
        let request = from_query_string(&format!("name=a&&window=5m&agg=avg&{given}")).unwrap();
        let Expression::Single(query) = request.expression else { panic!("a ratio") };
        let expected: Vec<_> = expected
            .iter()
            .map(|(label, value)| Matcher {
                label: LabelName::new(label).unwrap(),
                condition: Condition::Equal((*value).to_owned()),
            })
            .collect();
        assert_eq!(query.matchers, expected, "{given}");
    }

    #[test]
    fn parameters_are_decoded() {
        check_decoded("", &[]);
        check_decoded("where=route%3A%2Fbook&where=q:%20x+y", &[("route", "/book"), ("q", " x y")]);
        check_decoded("where=%C3%A9:%E2%82%AC%2b", &[("é", "€+")]);
        check_decoded("where=b:c=d&where=n:100%&where=m:%zz%4", &[("b", "c=d"), ("n", "100%"), ("m", "%zz%4")]);
        check_decoded("wh%65re=n:%ff", &[("n", "\u{fffd}")]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        check("", "missing_parameter", "name is missing");
        check("name=a&agg=avg", "missing_parameter", "window");
        check("name=a&window=5m", "missing_parameter", "agg");
        check("name=a&window=5m&agg=avg&agg=max", "repeated_parameter", "agg");
        check("name=a&windw=5m&agg=avg", "unknown_parameter", "did you mean window?");
        check("name=a&zzzzzzzzzz=5m", "unknown_parameter", "known are name, window");
        check("name=&window=5m&agg=avg", "bad_name", "empty");
        check("name=a&window=5&agg=avg", "bad_window", "write it like");
        check("name=a&window=0s&agg=avg", "bad_window", "no length");
        check("name=a&window=5m&agg=mean", "bad_aggregation", "use avg");
        check("name=a&window=5m&agg=avg&where=route", "bad_where", "label:value");
        check("name=a&window=5m&agg=avg&where=:x", "bad_label", "empty");
        check("name=a&window=5m&agg=avg&across=max_of", "bad_across", "merge");
        check("name=a&window=5m&agg=avg&at=-1", "bad_at", "milliseconds");
        check("name=a&window=5m&agg=avg&over_agg=sum", "missing_over", "over_agg");
        check("name=a&window=5m&agg=avg&over=b&over_window=x", "bad_window", "over_window");
    }
}
