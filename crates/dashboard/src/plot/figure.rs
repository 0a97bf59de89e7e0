//! Traces, layout and settings of the focus chart.

use bellwether_core::time::TimestampMs;
use js_sys::Array;
use plotly::common::{Anchor, DashType, Fill, Font, HoverInfo, Label, Line as Stroke, Mode, Orientation};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin, Shape, ShapeLine, ShapeType};
use plotly::{Configuration, Layout, Scatter};
use wasm_bindgen::JsValue;

use super::glue::to_js;
use crate::chart::palette::{LINES, Palette};
use crate::figures::{Focus, Line, Quantiles};
use crate::format::{self, Unit};

/// All that Plotly is given.
pub(super) struct Figure {
    /// What remembers the reader's zoom: it is forgotten when the panel or the window changes.
    pub(super) revision: String,
    /// The band of the first line, then the lines.
    pub(super) traces: Array,
    /// Axes, legend and threshold.
    pub(super) layout: JsValue,
    /// What the reader may do.
    pub(super) configuration: JsValue,
}

/// What one trace is drawn from: `None` parts two runs.
struct Course {
    /// Local milliseconds.
    x: Vec<f64>,
    /// Figures.
    y: Vec<Option<f64>>,
    name: String,
    colour: String,
    width: f64,
    dash: DashType,
    fill: Fill,
    hover: HoverInfo,
}

const DASHES: [DashType; LINES] =
    [DashType::Solid, DashType::Dash, DashType::Dot, DashType::DashDot, DashType::LongDash, DashType::LongDashDot];

/// The figure of `focus` in the colours of `palette`.
///
/// # Errors
/// A sentence where it cannot be handed over.
pub(super) fn figure(focus: &Focus, palette: &Palette) -> Result<Figure, String> {
    let strip = &*focus.strip;
    // Plotly knows no time zones: it shows what UTC would show at these positions.
    let shift = f64::from(format::zone_offset_minutes(strip.to)) * 60_000.0;
    let local = |at: TimestampMs| at.get() as f64 + shift;
    let percent = if strip.unit == Unit::Percent { 0.01 } else { 1.0 };
    let mut courses = Vec::new();
    // One band is legible; six would hide each other.
    if strip.lines.len() == 1 || focus.quantiles == Quantiles::Drawn {
        courses.extend(strip.lines.first().map(|line| band(line, &local, percent, &palette.lines[0])));
    }
    for (place, line) in strip.lines.iter().enumerate() {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for run in &line.runs {
            part(&mut x, &mut y, run.first().map(|point| local(point.at)));
            x.extend(run.iter().map(|point| local(point.at)));
            y.extend(run.iter().map(|point| Some(point.value * percent)));
        }
        let name = if line.name.is_empty() { &strip.title } else { &line.name };
        courses.push(Course {
            x,
            y,
            name: as_text(name),
            colour: palette.lines[place % LINES].clone(),
            width: 1.75,
            dash: DASHES[place % LINES].clone(),
            fill: Fill::None,
            hover: HoverInfo::All,
        });
    }
    let traces = Array::new();
    for course in courses {
        traces.push(&trace(course)?);
    }
    let revision = format!("{} {}", strip.id, strip.to.since(strip.from));
    let layout = layout(focus, palette, local(strip.from), local(strip.to), percent)?;
    Ok(Figure { revision, traces, layout, configuration: configuration()? })
}

/// Ends a run before the next one, which begins at `next`.
fn part(x: &mut Vec<f64>, y: &mut Vec<Option<f64>>, next: Option<f64>) {
    if let (Some(last), Some(next)) = (x.last(), next) {
        x.push((last + next) / 2.0);
        y.push(None);
    }
}

fn band(line: &Line, local: &impl Fn(TimestampMs) -> f64, percent: f64, colour: &str) -> Course {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for run in &line.runs {
        part(&mut x, &mut y, run.first().map(|point| local(point.at)));
        for point in run {
            if let Some((_, greatest)) = point.band {
                x.push(local(point.at));
                y.push(Some(greatest * percent));
            }
        }
        for point in run.iter().rev() {
            if let Some((least, _)) = point.band {
                x.push(local(point.at));
                y.push(Some(least * percent));
            }
        }
    }
    Course {
        x,
        y,
        name: "lowest to highest".to_owned(),
        colour: colour.to_owned(),
        width: 0.0,
        dash: DashType::Solid,
        fill: Fill::ToSelf,
        hover: HoverInfo::Skip,
    }
}

fn trace(course: Course) -> Result<JsValue, String> {
    let Course { x, y, name, colour, width, dash, fill, hover } = course;
    let fill_colour = translucent(&colour);
    let stroke = Stroke::new().color(colour).width(width).dash(dash);
    let scatter: Scatter<f64, Option<f64>> = *Scatter::new(x, y)
        .mode(Mode::Lines)
        .name(name)
        .line(stroke)
        .fill(fill)
        .fill_color(fill_colour)
        .hover_info(hover);
    to_js(&scatter)
}

fn layout(focus: &Focus, palette: &Palette, from: f64, to: f64, percent: f64) -> Result<JsValue, String> {
    let strip = &*focus.strip;
    let (tick_format, hover_format, suffix) = formats(&strip.unit);
    let axis = || {
        Axis::new()
            .grid_color(palette.grid.clone())
            .zero_line_color(palette.grid.clone())
            .line_color(palette.grid.clone())
            .color(palette.muted.clone())
            .auto_margin(true)
    };
    let font = Font::new().family(&palette.font).size(12).color(palette.ink.clone());
    let shapes = strip.threshold.map(|threshold| {
        Shape::new()
            .shape_type(ShapeType::Line)
            .x_ref("paper")
            .x0(0.0)
            .x1(1.0)
            .y0(threshold * percent)
            .y1(threshold * percent)
            .line(ShapeLine::new().color(palette.threshold.clone()).width(1.25).dash(DashType::Dash))
    });
    let label = Label::new().background_color(palette.surface.clone()).font(font.clone());
    let layout = Layout::new()
        .auto_size(true)
        .font(font)
        .paper_background_color(palette.surface.clone())
        .plot_background_color(palette.surface.clone())
        .hover_mode(HoverMode::XUnified)
        .hover_label(label)
        .margin(Margin::new().left(8).right(8).top(8).bottom(8).auto_expand(true))
        .show_legend(true)
        .legend(Legend::new().orientation(Orientation::Horizontal).x(0.0).y(-0.18).y_anchor(Anchor::Top))
        .x_axis(axis().type_(AxisType::Date).range(vec![from, to]))
        .y_axis(axis().tick_format(tick_format).hover_format(hover_format).tick_suffix(&suffix))
        .shapes(shapes.into_iter().collect());
    to_js(&layout)
}

fn configuration() -> Result<JsValue, String> {
    let configuration =
        Configuration::new().responsive(true).display_logo(false).show_send_to_cloud(false).scroll_zoom(false);
    to_js(&configuration)
}

/// Formats of d3 for labels and hover, and what stands behind the number.
fn formats(unit: &Unit) -> (&'static str, &'static str, String) {
    match unit {
        Unit::Ratio | Unit::Percent => (".0~%", ".2~%", String::new()),
        Unit::Bytes => ("~s", ".4~s", "B".to_owned()),
        Unit::BytesPerSec => ("~s", ".4~s", "B/s".to_owned()),
        Unit::Secs => ("~s", ".4~s", "s".to_owned()),
        Unit::Millis => (",~g", ",.4~r", " ms".to_owned()),
        Unit::Minutes => (",~g", ",.4~r", " min".to_owned()),
        Unit::Hours => (",~g", ",.4~r", " h".to_owned()),
        Unit::Days => (",~g", ",.4~r", " days".to_owned()),
        Unit::PerSec => (",~g", ",.4~r", "/s".to_owned()),
        Unit::None => (",~g", ",.4~r", String::new()),
        Unit::Other(text) => (",~g", ",.4~r", as_text(&format!(" {text}"))),
    }
}

/// Plotly takes some tags in texts for markup; a label is only ever text.
fn as_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A resolved colour, made see-through.
fn translucent(colour: &str) -> String {
    match colour.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        Some(parts) => format!("rgba({parts}, 0.16)"),
        None => format!("{colour}29"),
    }
}
