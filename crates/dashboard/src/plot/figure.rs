//! Traces, layout and settings of the focus chart.

use bellwether_core::time::TimestampMs;
use js_sys::{Array, JSON, Reflect};
use plotly::common::{Anchor, DashType, Fill, Font, HoverInfo, Label, Line as Stroke, Mode, Orientation};
use plotly::layout::{Axis, AxisType, HoverMode, Legend, Margin};
use plotly::{Layout, Scatter};
use wasm_bindgen::JsValue;

use super::glue::{object, set, to_js};
use crate::chart::palette::{LINES, Palette};
use crate::figures::{Focus, Line, Quantiles, Strip};
use crate::format::{self, Plan, Style};
use crate::texts::{self, Language, Text};

/// All that Plotly is given.
pub(super) struct Figure {
    /// What remembers the reader's zoom: it is forgotten when the panel or the window changes.
    pub(super) revision: String,
    /// The band of the first line, then the lines, then the threshold.
    pub(super) traces: Array,
    /// Axes and legend.
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

/// Labels of the time axis for readers whose clock has a noon: with seconds where it is zoomed in.
const TWELVE_HOURS: &str =
    r#"[{"dtickrange":[null,59999],"value":"%-I:%M:%S %p"},{"dtickrange":[60000,null],"value":"%-I:%M %p"}]"#;

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
    let scale = Scale::of(strip);
    let mut courses = Vec::new();
    // One band is legible; six would hide each other.
    if strip.lines.len() == 1 || focus.quantiles == Quantiles::Drawn {
        courses.extend(strip.lines.first().map(|line| band(line, &local, scale.factor, &palette.lines[0])));
    }
    for (place, line) in strip.lines.iter().enumerate() {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for run in &line.runs {
            part(&mut x, &mut y, run.first().map(|point| local(point.at)));
            x.extend(run.iter().map(|point| local(point.at)));
            y.extend(run.iter().map(|point| Some(point.value * scale.factor)));
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
    if let Some(threshold) = strip.threshold {
        // One that is far above would press the lines flat: it is only named.
        let near = threshold <= scale.greatest * 3.0;
        courses.push(Course {
            x: vec![local(strip.from), local(strip.to)],
            y: vec![near.then_some(threshold * scale.factor); 2],
            name: as_text(&Text::Threshold.fill(&[&format::figure(threshold, &strip.unit).text()])),
            colour: palette.threshold.clone(),
            width: 1.25,
            dash: DashType::Dash,
            fill: Fill::None,
            hover: HoverInfo::Skip,
        });
    }
    let traces = Array::new();
    for course in courses {
        traces.push(&trace(course)?);
    }
    let revision = format!("{} {}", strip.id, strip.to.since(strip.from));
    let layout = layout(palette, local(strip.from), local(strip.to), &scale)?;
    set(&layout, "separators", &format::separators().into());
    if format::has_noon() {
        // d3 counts hours to 24 unless it is told otherwise.
        let axis = Reflect::get(&layout, &"xaxis".into()).unwrap_or_default();
        set(&axis, "tickformatstops", &JSON::parse(TWELVE_HOURS).unwrap_or_default());
        set(&axis, "hoverformat", &"%-I:%M:%S %p".into());
    }
    Ok(Figure { revision, traces, layout, configuration: configuration(texts::language()) })
}

/// Ends a run before the next one, which begins at `next`.
fn part(x: &mut Vec<f64>, y: &mut Vec<Option<f64>>, next: Option<f64>) {
    if let (Some(last), Some(next)) = (x.last(), next) {
        x.push((last + next) / 2.0);
        y.push(None);
    }
}

fn band(line: &Line, local: &impl Fn(TimestampMs) -> f64, factor: f64, colour: &str) -> Course {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for run in &line.runs {
        part(&mut x, &mut y, run.first().map(|point| local(point.at)));
        for (at, value) in Line::outline(run) {
            x.push(local(at));
            y.push(Some(value * factor));
        }
    }
    Course {
        x,
        y,
        name: Text::LowestToHighest.say().to_owned(),
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

fn layout(palette: &Palette, from: f64, to: f64, scale: &Scale) -> Result<JsValue, String> {
    let axis = || {
        Axis::new()
            .grid_color(palette.grid.clone())
            .zero_line_color(palette.grid.clone())
            .line_color(palette.grid.clone())
            .color(palette.muted.clone())
            .auto_margin(true)
    };
    let font = Font::new().family(&palette.font).size(12).color(palette.ink.clone());
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
        .legend(Legend::new().orientation(Orientation::Horizontal).x(0.0).y(1.02).y_anchor(Anchor::Bottom))
        .x_axis(axis().type_(AxisType::Date).range(vec![from, to]))
        .y_axis(axis().tick_format(scale.ticks).hover_format(scale.hover).tick_suffix(&scale.suffix));
    to_js(&layout)
}

fn configuration(language: Language) -> JsValue {
    let fields =
        [("responsive", true), ("displaylogo", false), ("scrollZoom", false)].map(|(name, is)| (name, is.into()));
    let configuration = object(&fields);
    set(&configuration, "locale", &language.code().into());
    configuration
}

/// One scale and one unit for the whole chart, chosen by the greatest figure in it.
struct Scale {
    /// The greatest figure.
    greatest: f64,
    /// What each figure is multiplied with.
    factor: f64,
    /// Formats of d3 for labels and for the hover.
    ticks: &'static str,
    hover: &'static str,
    /// What stands behind a number.
    suffix: String,
}

impl Scale {
    fn of(strip: &Strip) -> Self {
        let bands =
            strip.lines.iter().flat_map(Line::points).map(|point| point.band.map_or(point.value, |(_, high)| high));
        let greatest = bands.map(f64::abs).fold(0.0, f64::max);
        let plan = Plan::for_value(greatest, &strip.unit);
        match plan.style {
            // d3 writes the percent sign itself.
            Style::Percent => {
                Self { greatest, factor: plan.factor, ticks: ".0~%", hover: ".2~%", suffix: String::new() }
            }
            _ => {
                Self { greatest, factor: plan.factor, ticks: ",~g", hover: ",.4~r", suffix: as_text(&plan.unit_text()) }
            }
        }
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
