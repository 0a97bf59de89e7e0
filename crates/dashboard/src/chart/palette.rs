//! The colours of the theme, as canvas and Plotly want them.

/// How many lines of a chart can be told apart by colour and dash; further ones are in the table.
pub const LINES: usize = 6;

/// Dash patterns in pixels, one for each colour: a line is never known by its colour alone.
///
/// Whole numbers: the library's way to write others is 10 KB of the page.
pub const DASHES: [&[u8]; LINES] = [&[], &[7, 3], &[2, 2], &[9, 3, 2, 3], &[4, 2], &[12, 4]];

/// CSS colours, resolved from the custom properties of the theme in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Lines and their bands.
    pub lines: [String; LINES],
    /// Labels and the values of a legend.
    pub ink: String,
    /// Labels of axes.
    pub muted: String,
    /// Lines behind the chart.
    pub grid: String,
    /// The threshold.
    pub threshold: String,
    /// What the chart stands on.
    pub surface: String,
    /// The font family of the page.
    pub font: String,
}

/// The custom properties that [`Palette::lines`] are read from, in order.
pub const LINE_PROPERTIES: [&str; LINES] = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];

impl Default for Palette {
    /// The light theme, for the moment before the style sheet has been read.
    fn default() -> Self {
        Self {
            lines: ["#0060a8", "#b34700", "#00705a", "#8a3a86", "#6b5b00", "#3d4f5c"].map(str::to_owned),
            ink: "#14191f".to_owned(),
            muted: "#55606b".to_owned(),
            grid: "#e3e7eb".to_owned(),
            threshold: "#b3261e".to_owned(),
            surface: "#ffffff".to_owned(),
            font: "sans-serif".to_owned(),
        }
    }
}
