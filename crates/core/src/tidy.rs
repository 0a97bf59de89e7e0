//! Tidy: sealing and evicting, a few series at a time, so that no call takes long.

use crate::engine::Engine;

/// A series is seen to after so many samples.
const SAMPLES_A_SERIES: usize = 24;
/// Steps of work that a sample brings with it; a step is about as long as recording a sample.
const STEPS_A_SAMPLE: i64 = 8;
/// Most series and most steps of one look at idle series.
const LEISURE: (usize, i64) = (1_024, 20_000);

/// Where the rounds through the series stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    /// The series that is seen to next.
    next: usize,
    /// Samples that came since the last series was seen to.
    samples: usize,
    /// Steps that may be taken; what one series takes beyond them is saved at the next ones.
    steps: i64,
}

impl Rounds {
    pub(crate) const fn stored(&self) -> (usize, usize, i64) {
        (self.next, self.samples, self.steps)
    }

    /// The rounds as they stood, for so many series.
    pub(crate) fn restored((next, samples, steps): (usize, usize, i64), series: usize) -> Self {
        Self {
            next: if next < series { next } else { 0 },
            samples: samples % SAMPLES_A_SERIES,
            steps: steps.clamp(i64::MIN / 2, 0),
        }
    }
}

impl Engine {
    /// Sees to as many series as so many new samples call for.
    #[inline]
    pub(crate) fn tidy(&mut self, samples: usize) {
        self.rounds.samples += samples;
        if self.rounds.samples >= SAMPLES_A_SERIES {
            self.rounds.steps += STEPS_A_SAMPLE * self.rounds.samples as i64;
            let series = self.rounds.samples / SAMPLES_A_SERIES;
            self.rounds.samples %= SAMPLES_A_SERIES;
            self.see_to(series);
        }
    }

    /// Sees to all series, or as many as take little time.
    pub(crate) fn tidy_at_leisure(&mut self) {
        let (series, steps) = LEISURE;
        self.rounds.steps = self.rounds.steps.max(0) + steps;
        self.see_to(series);
    }

    fn see_to(&mut self, most: usize) {
        for _ in 0..most.min(self.series.len()) {
            if self.rounds.steps <= 0 {
                return;
            }
            let next = self.rounds.next;
            self.rounds.next = (next + 1) % self.series.len();
            let Some(series) = self.series.get_mut(next) else { return };
            self.rounds.steps -= 1 + series.tidy(&self.horizon, &mut self.scratch) as i64;
        }
        // What is not needed now is not saved for one long call later.
        self.rounds.steps = self.rounds.steps.min(0);
    }
}
