//! The class `Table`.

use std::rc::{Rc, Weak};

use bellwether_core::table::Table as Core;
use js_sys::{Array, Float64Array};
use wasm_bindgen::prelude::*;

use crate::answer;
use crate::engine::Shared;
use crate::error::{BellwetherError, Refusal};
use crate::options::optional_instant;
use crate::query::TableQuestion;
use crate::shapes;

/// Several figures of each series or group of series, asked again and again.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Table {
    core: Core,
    engine: Weak<Shared>,
    /// The aggregations as they were written.
    words: Array,
    /// The labels of the rows; a new array when there are new rows.
    rows: Array,
}

#[wasm_bindgen]
impl Table {
    /// The figures over the window that ends at `now`.
    ///
    /// # Errors
    /// `BellwetherError` as a query of each of its figures.
    #[wasm_bindgen(unchecked_return_type = "object")]
    pub fn answer(
        &mut self,
        #[wasm_bindgen(unchecked_optional_param_type = "number")] now: &JsValue,
    ) -> Result<JsValue, BellwetherError> {
        Ok(self.figures(now)?)
    }
}

impl Table {
    pub(crate) fn new(question: TableQuestion, engine: &Rc<Shared>) -> Self {
        let TableQuestion { query, aggregations, words, rows } = question;
        Self { core: Core::new(query, aggregations, rows), engine: Rc::downgrade(engine), words, rows: Array::new() }
    }

    fn figures(&mut self, now: &JsValue) -> Result<JsValue, Refusal> {
        let engine = self.engine.upgrade().ok_or_else(|| {
            Refusal::new("freed", "answer: the engine of this table was freed; make a new one with `new Engine()`")
        })?;
        let now = optional_instant("answer", now)?.map_or_else(|| engine.now(), Ok)?;
        let figures = self.core.answer(&engine.core.borrow(), now)?;
        let rows = self.core.rows();
        if rows.len() > self.rows.length() as usize {
            self.rows = self.rows.slice(0, self.rows.length());
            for labels in &rows[self.rows.length() as usize..] {
                self.rows.push(&answer::labels(labels));
            }
        }
        let values = Float64Array::from(&figures.values[..]);
        Ok(shapes::columns(&self.rows, &self.words, values, figures.relative_error))
    }
}
