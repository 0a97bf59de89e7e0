//! The one chart in focus, drawn by Plotly: the `plotly` crate's types build the figure, a binding of our
//! own hands it over, and the bundle is loaded from the site itself when first needed.

pub mod bundle;
mod chosen;
mod figure;
mod glue;

use web_sys::Element;

use crate::chart::palette::Palette;
use crate::figures::Focus;

/// Draws `focus` in `element`, keeping the reader's zoom.
///
/// # Errors
/// A sentence where Plotly is missing or refuses the figure at once; where it refuses later, `failed` gets
/// the sentence.
pub fn draw(
    element: &Element,
    focus: &Focus,
    palette: &Palette,
    failed: impl FnOnce(String) + 'static,
) -> Result<(), String> {
    glue::react(element, &figure::figure(focus, palette)?, failed)
}

/// Frees what Plotly keeps for `element`.
pub fn discard(element: &Element) {
    glue::purge(element);
}
