//! How the samples of a metric are spread, over time and altogether: counts from the engine's sketches.

use bellwether_core::engine::Engine;
use bellwether_core::heat::HeatMap;
use bellwether_core::query::{Aggregation, Quantile, Query};
use bellwether_core::sample::Kind;
use bellwether_core::time::{DurationMs, TimestampMs};

use super::csv;
use super::cursor::Move;
use super::sheet::{Bar, Cell, Content, Sheet};
use crate::format::{self, Formatted, Part, Precision, Unit};
use crate::texts::Text;

/// Most columns.
const MOST_COLUMNS: usize = 48;
/// Most ranges that hold samples.
const MOST_RANGES: usize = 12;
/// Most series: the sketches of all of them are merged at each evaluation, and a hundred of them take 40 ms.
pub const MOST_SERIES: usize = 40;
/// Shades of a map at most.
pub const SHADES: usize = 5;

/// Values from `lower` to `upper`.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The lesser bound.
    pub lower: f64,
    /// The greater bound.
    pub upper: f64,
    /// Number of samples; 0 for what lies between two ranges that hold some.
    pub count: u64,
    /// What lies in it, in words: percentiles and the target.
    pub marks: String,
}

/// A stretch of time, `(from, to]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Left edge, not included.
    pub from: TimestampMs,
    /// Right edge, included.
    pub to: TimestampMs,
    /// Number of samples.
    pub count: u64,
}

/// How many samples lie where.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// What it is of, as an id.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Left edge of the time axis.
    pub from: TimestampMs,
    /// Right edge of the time axis.
    pub to: TimestampMs,
    /// Ranges of values without a hole between them, the highest first.
    pub ranges: Vec<Range>,
    /// Stretches of time, the earliest first.
    pub stretches: Vec<Stretch>,
    /// Number of samples of each range in each stretch: the first range's first.
    pub cells: Vec<u64>,
    /// The greatest number of each shade, ascending.
    pub shades: Vec<u64>,
    /// p50, p95 and p99 in words.
    pub percentiles: String,
    /// Bound of the relative error of those.
    pub relative_error: f64,
    /// Why there is none, where that is not for want of samples.
    pub failure: Option<String>,
}

/// What `of` is asked: its metric, its conditions and the unit of its values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'a> {
    pub(super) id: &'a str,
    pub(super) query: &'a Query,
    pub(super) unit: &'a Unit,
    pub(super) target: Option<f64>,
}

/// The distribution over `(from, to]`; `None` where the metric is no observation, which alone has one, or nothing came.
///
/// Cost: O(time buckets in the range) for each of at most [`MOST_SERIES`] series.
pub(super) fn distribution(engine: &Engine, of: Of<'_>, from: TimestampMs, to: TimestampMs) -> Option<Distribution> {
    let Of { id, query, unit, target } = of;
    if engine.kind(&query.metric) != Some(Kind::Observation) {
        return None;
    }
    let mut found = Distribution {
        id: id.to_owned(),
        title: Text::Distribution.say().to_owned(),
        unit: unit.clone(),
        from,
        to,
        ranges: Vec::new(),
        stretches: Vec::new(),
        cells: Vec::new(),
        shades: Vec::new(),
        percentiles: String::new(),
        relative_error: 0.0,
        failure: None,
    };
    let series = engine.matching(&query.metric, &query.matchers).count();
    if series > MOST_SERIES {
        let count = |number: usize| format::count(number as u64);
        found.failure = Some(Text::DistributionTooMany.fill(&[&count(series), &count(MOST_SERIES)]));
        return Some(found);
    }
    let query = Query { by: Vec::new(), window: to.since(from), ..query.clone() };
    let map = engine.heat_maps(&query, from, to, MOST_COLUMNS, MOST_RANGES).ok()?.into_iter().next()?;
    found.fill(&map);
    if found.ranges.is_empty() {
        return None;
    }
    let mut said = Vec::new();
    for (name, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        let aggregation = Aggregation::Quantile(Quantile::new(q)?);
        let answer = engine.query(&Query { aggregation, ..query.clone() }, to).ok()?;
        let value = answer.value?;
        said.push(format!("{name} {}", format::figure(value, unit).text()));
        found.relative_error = found.relative_error.max(answer.relative_error);
        found.mark(value, name);
    }
    found.percentiles = said.join(", ");
    if let Some(target) = target {
        found.mark(target, Text::TargetMark.say());
    }
    Some(found)
}

impl Distribution {
    /// Puts the engine's map upside down, for the highest values stand on top, and with what lies between its ranges.
    fn fill(&mut self, map: &HeatMap) {
        let mut places = vec![0; map.rows.len()];
        let mut above: Option<f64> = None;
        for (place, row) in map.rows.iter().enumerate().rev() {
            if let Some(above) = above.filter(|above| *above > row.upper) {
                self.ranges.push(Range { lower: row.upper, upper: above, count: 0, marks: String::new() });
            }
            places[place] = self.ranges.len();
            self.ranges.push(Range { lower: row.lower, upper: row.upper, count: row.count, marks: String::new() });
            above = Some(row.lower);
        }
        self.cells = vec![0; self.ranges.len() * map.columns.len()];
        for (column, found) in map.columns.iter().enumerate() {
            self.stretches.push(Stretch { from: found.from, to: found.to, count: found.count });
            for (row, count) in &found.cells {
                self.cells[places[*row] * map.columns.len() + column] = *count;
            }
        }
        self.shades = shades(self.cells.iter().copied().max().unwrap_or_default());
    }

    /// Says of the range that holds `value` that it does.
    fn mark(&mut self, value: f64, name: &str) {
        let holds = |range: &&mut Range| range.lower <= value && value <= range.upper;
        if let Some(range) = self.ranges.iter_mut().find(holds) {
            if !range.marks.is_empty() {
                range.marks.push_str(", ");
            }
            range.marks.push_str(name);
        }
    }

    /// Number of all samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|range| range.count).sum()
    }

    /// Number of samples of a range in a stretch; 0 where there is no such place.
    #[must_use]
    pub fn cell(&self, range: usize, stretch: usize) -> u64 {
        self.cells.get(range * self.stretches.len() + stretch).copied().unwrap_or_default()
    }

    /// The shade of a number of samples; `None` of none, which has none.
    #[must_use]
    pub fn shade(&self, count: u64) -> Option<usize> {
        self.shades.iter().position(|most| count <= *most).filter(|_| count > 0)
    }

    /// What each shade stands for, in words: `3 to 6`.
    #[must_use]
    pub fn legend(&self) -> Vec<String> {
        let mut least = 1;
        let say = |most: &u64| {
            let (from, to) = (format::count(least), format::count(*most));
            least = most + 1;
            if from == to { from } else { Text::RangeTo.fill(&[&from, &to]) }
        };
        self.shades.iter().map(say).collect()
    }

    /// The fields of one shade as an outline of rectangles, one unit wide and high each; those side by side are one.
    #[must_use]
    pub fn outline(&self, shade: usize) -> String {
        let mut outline = String::new();
        let width = self.stretches.len();
        for range in 0..self.ranges.len() {
            let mut stretch = 0;
            while stretch < width {
                let begin = stretch;
                while stretch < width && self.shade(self.cell(range, stretch)) == Some(shade) {
                    stretch += 1;
                }
                if stretch > begin {
                    let length = (stretch - begin).to_string();
                    for part in ["M", &begin.to_string(), " ", &range.to_string(), "h", &length, "v1h-", &length, "z"] {
                        outline.push_str(part);
                    }
                }
                stretch += usize::from(stretch == begin);
            }
        }
        outline
    }

    /// A range in words.
    #[must_use]
    pub fn say(&self, range: &Range) -> String {
        let (lower, upper) = (format::figure(range.lower, &self.unit), format::figure(range.upper, &self.unit));
        let to = upper.text();
        if lower == upper {
            return to;
        }
        // What both are in is said once.
        let units = |formatted: &Formatted| {
            let units = formatted.0.iter().filter(|(part, _)| *part == Part::Unit);
            units.map(|(_, text)| text.clone()).collect::<String>()
        };
        let is_first = matches!(upper.0.first(), Some((Part::Unit, _)));
        let from = if units(&lower) == units(&upper) && !is_first { lower.number() } else { lower.text() };
        Text::RangeTo.fill(&[&from, &to])
    }

    /// What share of `all` samples `count` of them are.
    #[must_use]
    pub fn share(count: u64, all: u64) -> String {
        format::text((all > 0).then(|| count as f64 / all as f64), &Unit::Ratio)
    }

    /// What it shows, in a few sentences.
    #[must_use]
    pub fn summary(&self) -> String {
        if let Some(failure) = &self.failure {
            return failure.clone();
        }
        let over = format::length(self.to.since(self.from));
        let (count, mut most) = (self.count(), None::<&Range>);
        for range in &self.ranges {
            if most.is_none_or(|most| range.count > most.count) {
                most = Some(range);
            }
        }
        let Some(most) = most else { return Text::NoDataInWindow.say().to_owned() };
        let share = Self::share(most.count, count);
        Text::DistributionSummary.count(count, &[&over, &self.percentiles, &share, &self.say(most)])
    }

    /// How far percentiles may be off, and that counts are not.
    #[must_use]
    pub fn note(&self) -> String {
        Text::DistributionNote.say().to_owned() + &off_by(self.relative_error)
    }

    /// The stretch that holds `at`.
    #[must_use]
    pub fn stretch_at(&self, at: TimestampMs) -> Option<usize> {
        self.stretches.iter().position(|stretch| stretch.from < at && at <= stretch.to)
    }

    /// The stretch that a key leads to from another one, or from none.
    #[must_use]
    pub fn moved(&self, from: Option<usize>, by: Move) -> usize {
        let last = self.stretches.len().saturating_sub(1);
        match (by, from) {
            (Move::First, _) => 0,
            (Move::Last, _) | (_, None) => last,
            (Move::Back(times), Some(from)) => from.saturating_sub(times as usize),
            (Move::On(times), Some(from)) => from.saturating_add(times as usize).min(last),
        }
    }

    /// The range with the most samples of a stretch.
    #[must_use]
    pub fn fullest(&self, stretch: usize) -> usize {
        let mut fullest = 0;
        for range in 1..self.ranges.len() {
            if self.cell(range, stretch) > self.cell(fullest, stretch) {
                fullest = range;
            }
        }
        fullest
    }

    /// What one field says: when, which values, how many of how many.
    #[must_use]
    pub fn spoken(&self, range: usize, stretch: usize) -> String {
        let (Some(values), Some(when)) = (self.ranges.get(range), self.stretches.get(stretch)) else {
            return String::new();
        };
        let count = self.cell(range, stretch);
        let time = |at| self.time(at, Precision::Seconds);
        Text::DistributionCell.count(
            when.count,
            &[
                &time(when.from),
                &time(when.to),
                &self.say(values),
                &format::count(count),
                &Self::share(count, when.count),
            ],
        )
    }

    /// An instant on the axis; with the date where the map goes over more than most of a day.
    #[must_use]
    pub fn time(&self, at: TimestampMs, precision: Precision) -> String {
        if self.to.since(self.from) > DurationMs::from_hours(20) {
            format::date_and_time(at)
        } else {
            format::time_of_day(at, precision)
        }
    }

    /// The instants that are written below the map: its ends and its middle.
    #[must_use]
    pub fn times(&self) -> [String; 3] {
        let half = DurationMs::from_millis(self.to.since(self.from).as_millis() / 2);
        [self.from, self.from + half, self.to].map(|at| self.time(at, Precision::Minutes))
    }

    /// The table behind it: each range with its number, its share, and the share that lies within or below it.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let figures = Content::Figures;
        let columns = [
            (Text::Range.say(), Content::Words),
            (Text::Samples.say(), figures),
            (Text::Share.say(), figures),
            (Text::ShareUpTo.say(), figures),
            (Text::RangeHolds.say(), Content::Words),
        ];
        let mut sheet = Sheet::new(&self.title, &columns);
        let all = self.count();
        let mut within = all;
        for range in &self.ranges {
            sheet.push([
                self.say(range).into(),
                format::count(range.count).into(),
                Self::share(range.count, all).into(),
                Self::share(within, all).into(),
                range.marks.as_str().into(),
            ]);
            within -= range.count;
        }
        sheet
    }

    /// The bar of a range, as long as its number is a share of the greatest.
    #[must_use]
    pub fn bar(&self, range: &Range) -> Cell {
        let most = self.ranges.iter().map(|range| range.count).max().unwrap_or_default().max(1);
        // At most a thousand.
        let to = (range.count as f64 / most as f64 * 1_000.0) as u16;
        Cell { bars: vec![Bar { from: 0, to, class: "bar-line" }], ..Cell::default() }
    }

    /// Every field that holds samples, as RFC 4180 lines: its time in UTC, its bounds with every digit, its number.
    #[must_use]
    pub fn csv(&self) -> String {
        let unit = self.unit.name();
        let head = |name: &str| if unit.is_empty() { name.to_owned() } else { csv::cell(&format!("{name} ({unit})")) };
        let mut text = format!("from,to,{},{},samples\r\n", head("at least"), head("at most"));
        for (place, stretch) in self.stretches.iter().enumerate() {
            for (range, values) in self.ranges.iter().enumerate().rev() {
                let count = self.cell(range, place);
                if count > 0 {
                    let cells = [
                        format::iso(stretch.from),
                        format::iso(stretch.to),
                        format::exact(values.lower),
                        format::exact(values.upper),
                        count.to_string(),
                    ];
                    text.push_str(&cells.join(","));
                    text.push_str("\r\n");
                }
            }
        }
        text
    }
}

/// How far percentiles may be off, as a sentence that follows others; empty where they are exact.
pub(super) fn off_by(relative_error: f64) -> String {
    if relative_error > 0.0 {
        Text::PercentileError.fill(&[&format::figure(relative_error, &Unit::Ratio).text()])
    } else {
        String::new()
    }
}

/// The greatest number of each of at most [`SHADES`] shades, for numbers up to `most`: each holds as many times the one
/// before, so that one crowded field leaves the others apart.
fn shades(most: u64) -> Vec<u64> {
    if most <= SHADES as u64 {
        return (1..=most).collect();
    }
    let step = |shade: usize| {
        // The root of a round number is one too, whatever its last bits say.
        ((most as f64).powf(shade as f64 / SHADES as f64) - 1e-9).ceil() as u64
    };
    let mut shades: Vec<u64> = Vec::with_capacity(SHADES);
    for shade in 1..SHADES {
        let least = shades.last().map_or(1, |last| last + 1);
        shades.push(step(shade).max(least));
    }
    shades.push(most);
    shades
}

#[cfg(test)]
mod tests {
    use bellwether_core::engine::EngineConfig;
    use bellwether_core::labels::{Labels, MetricName, SeriesKey};
    use bellwether_core::query::Across;
    use bellwether_core::sample::Sample;

    use super::*;

    const fn at(secs: i64) -> TimestampMs {
        TimestampMs::new(secs * 1_000)
    }

    fn of_samples(samples: &[(i64, f64)], series: usize) -> Option<Distribution> {
        let mut engine = Engine::new(EngineConfig::page()).unwrap();
        let metric = MetricName::new("days").unwrap();
        engine.declare(&metric, Kind::Observation).unwrap();
        for place in 0..series {
            let labels = Labels::new([("office", place.to_string().as_str())]).unwrap();
            let id = engine.series(&SeriesKey { metric: metric.clone(), labels }, None).unwrap();
            for (secs, value) in samples.iter().filter(|_| place == 0) {
                engine.record(id, Sample::new(at(*secs), *value).unwrap(), at(480)).unwrap();
            }
        }
        let query = Query {
            metric,
            matchers: Vec::new(),
            window: DurationMs::from_minutes(1),
            aggregation: Aggregation::Avg,
            across: Across::Merge,
            by: Vec::new(),
        };
        let of = Of { id: "k", query: &query, unit: &Unit::Days, target: Some(8.0) };
        distribution(&engine, of, at(0), at(480))
    }

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn every_sample_is_in_the_field_of_its_time_and_value() {
        let found = of_samples(&[(5, 3.0), (7, 3.0), (100, 9.0), (480, 9.0), (480, 0.0)], 1).unwrap();
        assert_eq!(found.count(), 5);
        assert_eq!(found.stretches.len(), 44, "of 11 s each: time buckets of 1 s are not cut");
        let filled: Vec<_> = (0..found.ranges.len())
            .flat_map(|range| (0..44).map(move |stretch| (range, stretch)))
            .filter(|(range, stretch)| found.cell(*range, *stretch) > 0)
            .map(|(range, stretch)| {
                let values = &found.ranges[range];
                (values.lower <= 9.0 && 9.0 <= values.upper, stretch, found.cell(range, stretch))
            })
            .collect();
        assert_eq!(filled, [(true, 9, 1), (true, 43, 1), (false, 0, 2), (false, 43, 1)], "the highest on top");
        for pair in found.ranges.windows(2) {
            assert_eq!(pair[0].lower, pair[1].upper, "no hole between ranges");
        }
        let gap = found.ranges.iter().find(|range| range.lower < 8.0 && 8.0 < range.upper).unwrap();
        assert_eq!((gap.count, gap.marks.as_str()), (0, "target"));
        assert_eq!(found.ranges[0].marks, "p95, p99");
    }

    #[test]
    fn it_is_in_words_and_in_a_table() {
        let found = of_samples(&[(5, 3.0), (7, 3.0), (8, 3.0), (100, 9.0)], 1).unwrap();
        assert_eq!(
            plain(&found.summary()),
            "4 samples in the last 8 min: p50 3.00 days, p95 3.00 days, p99 3.00 days. 75% of them are 2.99 to 3.02 days."
        );
        assert_eq!(plain(&found.spoken(2, 0)), "00:00:00 to 00:00:11: 2.99 to 3.02 days, 3 of 3 samples (100%)");
        let rows: Vec<Vec<_>> =
            found.sheet().rows.iter().map(|row| row.iter().map(|cell| plain(&cell.text)).collect()).collect();
        assert_eq!(rows[0][1..], ["1", "25%", "100%", ""]);
        assert_eq!(rows[1][1..], ["0", "0%", "75%", "target"]);
        assert_eq!(rows[2][1..], ["3", "75%", "75%", "p50, p95, p99"]);
        let csv = found.csv();
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[0], "from,to,at least (days),at most (days),samples");
        assert!(lines[1].starts_with("1970-01-01T00:00:00.000Z,1970-01-01T00:00:11.000Z,2.9"), "{}", lines[1]);
        assert!(lines[1].ends_with(",3") && lines.len() == 3);
        assert_eq!(found.times()[2], "00:08");
        assert!(plain(&found.note()).contains("0.54%"), "{}", found.note());
    }

    #[test]
    fn shades_grow_by_the_same_share() {
        assert_eq!(shades(0), Vec::<u64>::new());
        assert_eq!(shades(3), [1, 2, 3]);
        assert_eq!(shades(6), [2, 3, 4, 5, 6]);
        assert_eq!(shades(100_000), [10, 100, 1_000, 10_000, 100_000]);
        for most in 1..2_000 {
            let found = shades(most);
            assert!(found.len() <= SHADES && found.is_sorted() && found.last() == Some(&most), "{most}: {found:?}");
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{most}: {found:?}");
        }
        let found = of_samples(&[(5, 3.0), (7, 3.0), (15, 3.0), (16, 3.0), (100, 9.0)], 1).unwrap();
        assert_eq!(found.legend(), ["1", "2"]);
        assert_eq!([0, 1, 2].map(|count| found.shade(count)), [None, Some(0), Some(1)]);
        assert_eq!([0, 1].map(|shade| found.outline(shade)), ["M9 0h1v1h-1z", "M0 2h2v1h-2z"]);
    }

    #[test]
    fn keys_go_from_stretch_to_stretch() {
        let found = of_samples(&[(5, 3.0), (470, 9.0), (471, 9.0), (472, 3.0)], 1).unwrap();
        assert_eq!(found.moved(None, Move::Back(1)), 43);
        assert_eq!(found.moved(Some(3), Move::Back(10)), 0);
        assert_eq!(found.moved(Some(40), Move::On(10)), 43);
        assert_eq!(found.moved(Some(40), Move::First), 0);
        assert_eq!((found.fullest(0), found.fullest(43)), (2, 0));
        assert_eq!([at(0), at(1), at(480), at(481)].map(|at| found.stretch_at(at)), [None, Some(0), Some(43), None]);
    }

    #[test]
    fn where_there_is_nothing_or_too_much_nothing_is_drawn() {
        assert_eq!(of_samples(&[], 1), None);
        let many = of_samples(&[(5, 3.0)], MOST_SERIES + 1).unwrap();
        assert!(many.ranges.is_empty() && many.summary().contains("41 series"), "{}", many.summary());
    }
}
