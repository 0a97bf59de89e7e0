//! The theme's colours as the style sheet resolves them.

use web_sys::CssStyleDeclaration;

use crate::chart::palette::{LINE_PROPERTIES, Palette};

/// Reads the custom properties of the root; the light theme's colours where the style sheet is missing.
pub(super) fn read() -> Palette {
    let root = super::document().and_then(|document| document.document_element());
    let style = root.and_then(|root| super::window()?.get_computed_style(&root).ok().flatten());
    let mut palette = Palette::default();
    let Some(style) = style else { return palette };
    let set = |place: &mut String, property: &str| {
        if let Some(colour) = value(&style, property) {
            *place = colour;
        }
    };
    for (place, property) in palette.lines.iter_mut().zip(LINE_PROPERTIES) {
        set(place, property);
    }
    set(&mut palette.ink, "--ink");
    set(&mut palette.muted, "--ink-muted");
    set(&mut palette.grid, "--grid");
    set(&mut palette.threshold, "--threshold");
    set(&mut palette.surface, "--surface");
    set(&mut palette.font, "font-family");
    palette
}

fn value(style: &CssStyleDeclaration, property: &str) -> Option<String> {
    let value = style.get_property_value(property).ok()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
