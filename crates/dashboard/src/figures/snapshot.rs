//! All that one view shows at one instant.

use std::rc::Rc;

use bellwether_core::board::Board;
use bellwether_core::labels::MetricName;
use bellwether_core::time::TimestampMs;

use super::filtered::Choice;
use super::sheet::{Picks, Sheet};
use super::{AlertCard, Distribution, KpiCard, Strip, Tally};
use crate::ended::EndedAlert;
use crate::feed::AlertNotice;
use crate::filter::Filter;
use crate::others::Listing;
use crate::route::Route;

/// The instant that a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instant {
    /// The gateway's now.
    Now,
    /// The last one that the engine on screen knows of: the page is cut off.
    LastKnown,
    /// A fixed one: the picture is paused.
    Fixed(TimestampMs),
    /// The one that the engine of the past stands at.
    Bygone,
}

/// What is to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// KPIs, panels and rules.
    pub board: Rc<Board>,
    /// What is on screen, of which series and how far it looks back; alerts are of all.
    pub route: Route,
    /// The instant that is shown.
    pub at: Instant,
    /// The alerts that the gateway told last.
    pub alerts: Rc<[AlertNotice]>,
    /// How many more there are that it did not tell.
    pub alerts_left_out: u64,
    /// The names of the rules that cannot be judged as of then.
    pub unjudged: Rc<[String]>,
    /// Those that are over, where the gateway has listed them.
    pub ended: Option<Rc<[EndedAlert]>>,
    /// The metrics of the gateway, where it has listed them.
    pub listing: Option<Rc<Listing>>,
    /// Metrics to be drawn that the board does not name.
    pub others: Rc<[MetricName]>,
}

/// One section of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Its heading; empty for the first where the board names none.
    pub title: String,
    /// Its KPIs, in the order of the board.
    pub kpis: Vec<Rc<KpiCard>>,
    /// Its live charts, in the order of the board.
    pub strips: Vec<Rc<Strip>>,
}

/// The one panel in focus.
#[derive(Clone, Debug, PartialEq)]
pub struct Focus {
    /// Its lines, finer than on the overview.
    pub strip: Rc<Strip>,
    /// Whether the lines after the first are quantiles of it.
    pub quantiles: Quantiles,
}

/// Whether a focus chart adds quantiles to its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantiles {
    /// p50, p95 and p99 are drawn beside the panel's own figure.
    Drawn,
    /// The metric is no observation, or the panel has several lines.
    Absent,
}

/// The figures of one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The instant.
    pub at: TimestampMs,
    /// The gateway's time when it was evaluated.
    pub now: TimestampMs,
    /// The sections of the overview; empty in other views.
    pub sections: Vec<Rc<Section>>,
    /// The charts of metrics that the board does not name; empty in other views.
    pub others: Vec<Rc<Strip>>,
    /// Which series the figures are of; alerts are of all.
    pub filter: Filter,
    /// The labels and values that can be filtered by.
    pub choices: Rc<[Choice]>,
    /// A sentence about the rules on the filtered view; empty where all is shown.
    pub preview: String,
    /// How the KPIs stand.
    pub tally: Rc<Tally>,
    /// Current alerts, most urgent first.
    pub alerts: Rc<[AlertCard]>,
    /// How many rules cannot be judged as of then; none where the gateway says how they stand.
    pub unjudged_rules: u64,
    /// Series in the engine: none means that nothing has ever come.
    pub series: usize,
    /// The KPI in focus, where one is on screen and known.
    pub kpi: Option<Rc<KpiCard>>,
    /// The chart of the view, where it has one of its own.
    pub chart: Option<Rc<Strip>>,
    /// How the samples behind the KPI in focus are spread, where its metric has such.
    pub distribution: Option<Rc<Distribution>>,
    /// What else the view can be of.
    pub picks: Vec<Picks>,
    /// The tables of the view.
    pub sheets: Vec<Sheet>,
    /// The panel in focus, where one is on screen and known.
    pub focus: Option<Rc<Focus>>,
}
