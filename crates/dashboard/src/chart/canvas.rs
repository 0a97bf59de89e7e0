//! Drawing a strip on a canvas.

use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::chart::palette::{DASHES, Palette};
use crate::chart::scale::ValueAxis;
use crate::chart::strip::{Area, Drawing, Position, Size, drawing};
use crate::figures::Strip;

/// How solid the band of least and greatest samples is.
const BAND_ALPHA: f64 = 0.16;
const LINE_WIDTH: f64 = 1.75;

/// Draws `strip` over the whole of `canvas`, sharp on any screen, and says where its lines are and what heights stand for.
///
/// Where the canvas has no size yet, nothing is drawn. Cost: O(columns · lines).
pub fn draw(canvas: &HtmlCanvasElement, strip: &Strip, palette: &Palette) -> Option<(Area, ValueAxis)> {
    let size = Size { width: f64::from(canvas.client_width()), height: f64::from(canvas.client_height()) };
    let context = canvas.get_context("2d").ok().flatten();
    let context = context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok())?;
    if size.width < 1.0 || size.height < 1.0 {
        return None;
    }
    let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
    let (width, height) = ((size.width * ratio).round() as u32, (size.height * ratio).round() as u32);
    // Setting a size clears the canvas and takes memory anew, also where it is the same size.
    if canvas.width() != width || canvas.height() != height {
        canvas.set_width(width);
        canvas.set_height(height);
    }
    let _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
    context.clear_rect(0.0, 0.0, size.width, size.height);
    context.set_font(&format!("11px {}", palette.font));
    let width_of = |text: &str| context.measure_text(text).map_or(0.0, |measured| measured.width());
    let drawing = drawing(strip, size, width_of);
    axes(&context, &drawing, size, palette);
    lines(&context, &drawing, strip, palette);
    threshold(&context, &drawing, palette);
    Some((drawing.area, drawing.axis))
}

fn axes(context: &CanvasRenderingContext2d, drawing: &Drawing, size: Size, palette: &Palette) {
    context.set_stroke_style_str(&palette.grid);
    context.set_fill_style_str(&palette.muted);
    context.set_line_width(1.0);
    dash(context, &[]);
    context.set_text_align("right");
    context.set_text_baseline("middle");
    context.begin_path();
    for (height, text) in &drawing.values {
        // Half a pixel: a line of one pixel is sharp between two rows of pixels.
        let height = height.round() + 0.5;
        context.move_to(drawing.area.left, height);
        context.line_to(drawing.area.right, height);
        let _ = context.fill_text(text, drawing.area.left - 6.0, height);
    }
    context.stroke();
    context.set_text_align("center");
    context.set_text_baseline("alphabetic");
    for (place, text) in &drawing.times {
        let _ = context.fill_text(text, *place, size.height - 4.0);
    }
}

fn lines(context: &CanvasRenderingContext2d, drawing: &Drawing, strip: &Strip, palette: &Palette) {
    for (place, runs) in drawing.lines.iter().enumerate() {
        let colour = &palette.lines[place % palette.lines.len()];
        context.set_fill_style_str(colour);
        context.set_global_alpha(BAND_ALPHA);
        for run in runs {
            path(context, &run.band);
            context.fill();
        }
        context.set_global_alpha(1.0);
    }
    context.set_line_width(LINE_WIDTH);
    context.set_line_join("round");
    for (place, runs) in drawing.lines.iter().enumerate() {
        let colour = &palette.lines[place % palette.lines.len()];
        context.set_stroke_style_str(colour);
        context.set_fill_style_str(colour);
        dash(context, DASHES[place % DASHES.len()]);
        for run in runs {
            path(context, &run.line);
            context.stroke();
            if let [alone] = run.line.as_slice() {
                dot(context, *alone, 2.0);
            }
        }
        // A dot at the end says that the line goes on.
        let goes_on = strip.lines.get(place).is_some_and(|line| line.is_current(strip.to));
        if let Some(latest) = runs.last().and_then(|run| run.line.last()).filter(|_| goes_on) {
            dot(context, *latest, 2.75);
        }
    }
    dash(context, &[]);
}

fn threshold(context: &CanvasRenderingContext2d, drawing: &Drawing, palette: &Palette) {
    let Some(height) = drawing.threshold else { return };
    context.set_stroke_style_str(&palette.threshold);
    context.set_line_width(1.25);
    dash(context, &[4, 3]);
    context.begin_path();
    context.move_to(drawing.area.left, height.round() + 0.5);
    context.line_to(drawing.area.right, height.round() + 0.5);
    context.stroke();
    dash(context, &[]);
}

fn path(context: &CanvasRenderingContext2d, positions: &[Position]) {
    context.begin_path();
    for (place, (x, y)) in positions.iter().enumerate() {
        if place == 0 { context.move_to(*x, *y) } else { context.line_to(*x, *y) }
    }
}

fn dot(context: &CanvasRenderingContext2d, (x, y): Position, radius: f64) {
    context.begin_path();
    let _ = context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
    context.fill();
}

fn dash(context: &CanvasRenderingContext2d, pattern: &[u8]) {
    let pattern: Array = pattern.iter().map(|length| JsValue::from(*length)).collect();
    let _ = context.set_line_dash(&pattern);
}
