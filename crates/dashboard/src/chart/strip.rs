//! The geometry of a strip: from figures to positions, without a canvas.

use bellwether_core::time::{DurationMs, TimestampMs};

use crate::chart::palette::LINES;
use crate::chart::scale::{ValueAxis, time_ticks};
use crate::figures::{Line, Point, Strip};
use crate::format::{self, Plan, Precision, Unit};

/// Size of the canvas in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// The part of the canvas that holds the lines, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Bottom edge.
    pub bottom: f64,
}

impl Area {
    /// Where `at` stands between the left edge, which is `strip.from`, and the right one, `strip.to`.
    #[must_use]
    pub fn place_of(&self, strip: &Strip, at: TimestampMs) -> f64 {
        let span = strip.to.since(strip.from).as_millis().max(1) as f64;
        self.left + (at.get() - strip.from.get()) as f64 / span * (self.right - self.left)
    }

    /// The instant at `place`; beyond an edge that of the edge.
    #[must_use]
    pub fn instant_of(&self, strip: &Strip, place: f64) -> TimestampMs {
        let share = ((place - self.left) / (self.right - self.left).max(1.0)).clamp(0.0, 1.0);
        let span = strip.to.since(strip.from).as_millis() as f64;
        strip.from + DurationMs::from_millis((share * span) as u64)
    }

    /// Where `value` stands between the lower and the upper edge, the ends of `axis`.
    #[must_use]
    pub fn height_of(&self, axis: ValueAxis, value: f64) -> f64 {
        self.bottom - axis.place(value) * (self.bottom - self.top)
    }
}

/// A position on the canvas in CSS pixels.
pub type Position = (f64, f64);

/// Points that are drawn as one stroke.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The line, left to right.
    pub line: Vec<Position>,
    /// The outline of least and greatest samples, as a closed polygon; empty where there is none.
    pub band: Vec<Position>,
}

/// Everything that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Where the lines are.
    pub area: Area,
    /// What heights stand for.
    pub axis: ValueAxis,
    /// Height and text of the value labels; a grid line goes through each.
    pub values: Vec<(f64, String)>,
    /// Place and text of the time labels.
    pub times: Vec<(f64, String)>,
    /// Height of the threshold, where it is within the axis.
    pub threshold: Option<f64>,
    /// The runs of each line.
    pub lines: Vec<Vec<Run>>,
}

const LABEL_HEIGHT: f64 = 22.0;
/// Distance of two time labels at the least.
const TIME_LABEL: f64 = 64.0;

/// Where everything of `strip` goes on a canvas of `size`; `width_of` measures a label in pixels.
///
/// A chart without lines and without a threshold has no value labels: there is nothing to read off it.
pub fn drawing(strip: &Strip, size: Size, width_of: impl Fn(&str) -> f64) -> Drawing {
    let axis = value_axis(strip, if size.height < 120.0 { 3 } else { 4 });
    let plan = Plan::for_axis(axis.high.abs().max(axis.low.abs()), axis.step, &strip.unit);
    let bare = strip.lines.is_empty() && strip.threshold.is_none();
    let label = |value| if bare { String::new() } else { plan.format(value).text() };
    let values: Vec<_> = axis.ticks().map(|value| (value, label(value))).collect();
    let widest = values.iter().map(|(_, text)| width_of(text)).fold(0.0, f64::max);
    let area = Area {
        left: (widest.ceil() + 7.0).min(size.width / 2.0),
        top: 7.0,
        right: (size.width - 6.0).max(1.0),
        bottom: (size.height - LABEL_HEIGHT).max(8.0),
    };
    let height_of = |value: f64| area.height_of(axis, value);
    let place_of = |at: TimestampMs| area.place_of(strip, at);
    let most = ((area.right - area.left) / TIME_LABEL) as usize;
    let (step, times) = time_ticks(strip.from, strip.to, most);
    let precision = match step {
        step if step < DurationMs::from_minutes(1) => Precision::Seconds,
        step if step < DurationMs::from_days(1) => Precision::Minutes,
        _ => Precision::Days,
    };
    // A label near an edge moves inwards rather than being cut, and gives way where that is too near.
    let mut free_from = 0.0;
    let mut labels = Vec::with_capacity(times.len());
    for at in times {
        let text = format::time_of_day(at, precision);
        let half = width_of(&text) / 2.0;
        // Not clamp: what that says where its edges are the wrong way round is 5 KB of the page.
        let place = place_of(at).min((size.width - half).max(half)).max(half);
        if place - half >= free_from {
            free_from = place + half + 8.0;
            labels.push((place, text));
        }
    }
    Drawing {
        area,
        axis,
        values: values.into_iter().map(|(value, text)| (height_of(value), text)).collect(),
        times: labels,
        threshold: strip.threshold.filter(|value| (axis.low..=axis.high).contains(value)).map(height_of),
        lines: strip.lines.iter().take(LINES).map(|line| runs(line, &place_of, &height_of)).collect(),
    }
}

fn runs(line: &Line, place_of: &impl Fn(TimestampMs) -> f64, height_of: &impl Fn(f64) -> f64) -> Vec<Run> {
    let position = |(at, value)| (place_of(at), height_of(value));
    let run = |points: &Vec<Point>| Run {
        line: points.iter().map(|point| position((point.at, point.value))).collect(),
        band: Line::outline(points).map(position).collect(),
    };
    line.runs.iter().map(run).collect()
}

/// An axis that holds all lines and bands, and the threshold where that costs at most two thirds of the
/// height.
fn value_axis(strip: &Strip, steps: u32) -> ValueAxis {
    let mut extent: Option<(f64, f64)> = None;
    let mut hold = |least: f64, greatest: f64| {
        extent = Some(extent.map_or((least, greatest), |(low, high)| (low.min(least), high.max(greatest))));
    };
    for point in strip.lines.iter().take(LINES).flat_map(Line::points) {
        hold(point.value, point.value);
        if let Some((least, greatest)) = point.band {
            hold(least, greatest);
        }
    }
    // A share is read against the whole.
    let whole = match strip.unit {
        Unit::Ratio => Some(1.0),
        Unit::Percent => Some(100.0),
        _ => None,
    };
    let (low, high) = extent.unwrap_or((0.0, strip.threshold.or(whole).unwrap_or(1.0)));
    if let Some(whole) = whole.filter(|whole| low >= 0.0 && high <= *whole && high > whole / 4.0) {
        return ValueAxis { low: 0.0, high: whole, step: whole / 4.0 };
    }
    let high = strip.threshold.filter(|value| *value > high && *value <= high * 3.0).unwrap_or(high);
    let low = strip.threshold.filter(|value| *value < low && *value >= 0.0).unwrap_or(low);
    // Round in the unit that is written: 2 h, 4 h and not 5,000 s.
    let factor = Plan::for_value(high.abs().max(low.abs()), &strip.unit).factor;
    if strip.unit != Unit::Secs || factor >= 1.0 {
        return ValueAxis::holding(low, high, steps);
    }
    let axis = ValueAxis::holding(low * factor, high * factor, steps);
    ValueAxis { low: axis.low / factor, high: axis.high / factor, step: axis.step / factor }
}

#[cfg(test)]
mod tests {
    use bellwether_core::time::DurationMs;

    use super::*;

    fn drawing(strip: &Strip, size: Size) -> Drawing {
        super::drawing(strip, size, |text| text.chars().count() as f64 * 7.0)
    }

    fn strip(unit: Unit, points: &[(i64, f64, f64, f64)], threshold: Option<f64>) -> Strip {
        let points = points
            .iter()
            .map(|(secs, least, value, greatest)| Point {
                at: TimestampMs::new(secs * 1_000),
                value: *value,
                band: Some((*least, *greatest)),
            })
            .collect();
        Strip {
            id: String::new(),
            title: String::new(),
            unit,
            from: TimestampMs::new(0),
            to: TimestampMs::new(300_000),
            looks_back: None,
            restated: None,
            threshold,
            lines: vec![Line::new(String::new(), points, DurationMs::from_minutes(5))],
            hidden_lines: 0,
            idle_lines: 0,
            failure: None,
        }
    }

    const SIZE: Size = Size { width: 400.0, height: 160.0 };

    #[test]
    fn positions_are_within_the_area() {
        let drawing =
            drawing(&strip(Unit::Millis, &[(1, 10.0, 50.0, 90.0), (2, 20.0, 60.0, 380.0)], Some(300.0)), SIZE);
        let Area { left, top, right, bottom } = drawing.area;
        assert!(left > 0.0 && right < SIZE.width && bottom < SIZE.height);
        for (x, y) in drawing.lines[0].iter().flat_map(|run| run.line.iter().chain(&run.band)) {
            assert!((left..=right).contains(x) && (top..=bottom).contains(y), "{x} {y}");
        }
        assert_eq!(drawing.lines[0][0].band.len(), 4);
        assert!(drawing.threshold.is_some_and(|height| (top..bottom).contains(&height)));
        assert_eq!(drawing.values.first().map(|(height, _)| *height), Some(bottom));
        assert_eq!(drawing.times.len(), 6, "{:?}", drawing.times);
    }

    #[test]
    fn a_band_is_as_thin_as_the_line_where_a_point_has_none() {
        let mut strip = strip(Unit::Millis, &[(1, 5.0, 5.0, 5.0), (2, 5.0, 5.0, 5.0), (3, 0.0, 5.0, 9.0)], None);
        for point in &mut strip.lines[0].runs[0][..2] {
            point.band = None;
        }
        let drawing = drawing(&strip, SIZE);
        let Run { line, band } = &drawing.lines[0][0];
        assert_eq!(band[..2], line[..2]);
        assert_eq!([band[5], band[4]], line[..2]);
        assert!(band[2].1 < line[2].1 && line[2].1 < band[3].1);
    }

    #[test]
    fn a_greater_value_stands_higher() {
        let drawing = drawing(&strip(Unit::None, &[(1, 1.0, 1.0, 1.0), (2, 2.0, 2.0, 2.0)], None), SIZE);
        let line = &drawing.lines[0][0].line;
        assert!(line[1].1 < line[0].1 && line[1].0 > line[0].0);
    }

    #[test]
    fn a_far_threshold_does_not_flatten_the_line() {
        let near = drawing(&strip(Unit::Millis, &[(1, 150.0, 150.0, 150.0)], Some(300.0)), SIZE);
        assert!(near.threshold.is_some());
        let far = drawing(&strip(Unit::Millis, &[(1, 10.0, 10.0, 10.0)], Some(300.0)), SIZE);
        assert_eq!(far.threshold, None);
    }

    #[test]
    fn a_share_is_read_against_the_whole() {
        let drawing = drawing(&strip(Unit::Ratio, &[(1, 0.3, 0.4, 0.5)], Some(0.9)), SIZE);
        let labels: Vec<_> = drawing.values.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(labels, ["0%", "25%", "50%", "75%", "100%"]);
        assert!(drawing.threshold.is_some());
    }

    #[test]
    fn an_axis_of_hours_is_round_in_hours() {
        let drawing = drawing(&strip(Unit::Secs, &[(1, 15_000.0, 15_660.0, 16_000.0)], None), SIZE);
        let labels: Vec<_> = drawing.values.iter().map(|(_, text)| text.replace('\u{a0}', " ")).collect();
        assert_eq!(labels, ["0 h", "2 h", "4 h", "6 h"]);
    }

    #[test]
    fn no_data_still_has_axes() {
        let drawing = drawing(&strip(Unit::Millis, &[], None), Size { width: 0.0, height: 0.0 });
        assert!(!drawing.values.is_empty());
        assert!(drawing.lines[0].is_empty());
    }

    #[test]
    fn labels_do_not_touch() {
        for width in [120.0, 200.0, 333.0, 400.0, 1_000.0] {
            let drawing = drawing(&strip(Unit::Millis, &[(1, 1.0, 1.0, 1.0)], None), Size { width, height: 160.0 });
            for pair in drawing.times.windows(2) {
                assert!(pair[1].0 - pair[0].0 >= 35.0 + 8.0, "{:?}", drawing.times);
            }
            for (place, _) in &drawing.times {
                assert!((17.5..=width - 17.5).contains(place), "{width}: {:?}", drawing.times);
            }
        }
    }
}
