//! What an engine watches: the KPIs and rules of a board, and the alerts that came of them.

use bellwether_core::alerts::{Alert, Alerts};
use bellwether_core::board::Board;
use bellwether_core::engine::Engine;
use bellwether_core::kpi::{Kpi, KpiFigure, Standing, Trend};
use bellwether_core::query::Answer;
use bellwether_core::rule::AlertState;
use bellwether_core::time::TimestampMs;
use bellwether_core::watch::Watches;
use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::answer;
use crate::error::Refusal;
use crate::shapes;

/// A board and its alerts.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) board: Board,
    alerts: Alerts,
    /// What the rules' figures are made of, kept from one evaluation to the next.
    watches: Watches,
}

impl Watch {
    /// `[{ id, title, …, result, …, previous, … }]`, in the board's order.
    ///
    /// # Errors
    /// What a query of the KPI is refused with.
    pub(crate) fn kpis(&self, engine: &Engine, now: TimestampMs) -> Result<JsValue, Refusal> {
        let list = Array::new();
        for kpi in &self.board.kpis {
            list.push(&figure_of(kpi, kpi.evaluate(engine, now)?));
        }
        Ok(list.into())
    }

    /// Evaluates the rules: `{ transitions, failures }`.
    pub(crate) fn evaluate(&mut self, engine: &Engine, now: TimestampMs) -> JsValue {
        let transitions = Array::new();
        for transition in self.alerts.evaluate_watched(&self.board.rules, &mut self.watches, engine, now) {
            let (from, to) = (transition.from.as_str(), transition.to.as_str());
            transitions.push(&shapes::transition(&alert(&transition.alert), from, to));
        }
        let failures = Array::new();
        for failure in self.alerts.failures() {
            failures.push(&failure.to_string().into());
        }
        shapes::evaluation(&transitions, &failures)
    }

    /// The alerts that are pending, firing, or were resolved lately.
    pub(crate) fn alerts(&self) -> JsValue {
        let list = Array::new();
        for one in self.alerts.iter() {
            list.push(&alert(one));
        }
        list.into()
    }
}

fn alert(alert: &Alert) -> JsValue {
    let labels = answer::labels(&alert.labels);
    let object = shapes::alert(&alert.rule, &labels, alert.severity.as_str(), alert.value, alert.stale);
    let (active, fired, resolved) = match alert.state {
        AlertState::Inactive => (None, None, None),
        AlertState::Pending { active_at } => (Some(active_at), None, None),
        AlertState::Firing { active_at, fired_at, .. } => (Some(active_at), Some(fired_at), None),
        AlertState::Resolved { active_at, fired_at, at } => (Some(active_at), Some(fired_at), Some(at)),
    };
    let [active, fired, resolved] = [active, fired, resolved].map(|instant| instant.map(answer::number));
    shapes::state(&object, alert.state.as_str(), active, fired, resolved)
}

fn figure_of(kpi: &Kpi, figure: KpiFigure) -> JsValue {
    let standing = match figure.standing {
        Standing::Met => "met",
        Standing::NotMet => "not_met",
        Standing::NoTarget => "no_target",
        Standing::NoFigure => "no_figure",
    };
    let (change, percent, points) = match figure.trend {
        None => (None, None, None),
        Some(Trend::Points(points)) => (None, None, Some(points)),
        Some(Trend::Change { by, percent }) => (Some(by), percent, None),
    };
    let KpiFigure { value, count, from, to, relative_error, .. } = figure;
    shapes::joined(
        &shapes::kpi(&kpi.id, &kpi.title, &kpi.unit, standing, kpi.target),
        &answer::figure(&Answer { value, count, from, to, relative_error }),
        &shapes::trend(figure.previous, change, percent, points),
    )
}
