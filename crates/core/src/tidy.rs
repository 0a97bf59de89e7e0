//! Tidy: sealing and evicting, a few series at a time, so that no call takes long.

use bellwether_loops::apart::first_apart;

use crate::engine::Engine;
use crate::series::LOT;

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
    /// The finest tier's newest time bucket that was evicted, of each series: beside each other, since most that are
    /// looked at need nothing.
    evicted: Vec<i64>,
}

impl Rounds {
    pub(crate) const fn stored(&self) -> (usize, usize, i64) {
        (self.next, self.samples, self.steps)
    }

    /// Goes on where the rounds of so many series stood.
    pub(crate) fn restore(&mut self, (next, samples, steps): (usize, usize, i64)) {
        self.next = if next < self.evicted.len() { next } else { 0 };
        self.samples = samples % SAMPLES_A_SERIES;
        self.steps = steps.clamp(i64::MIN / 2, 0);
    }

    /// The finest tier's newest time bucket that was evicted of a series.
    pub(crate) fn evicted(&self, index: usize) -> i64 {
        self.evicted.get(index).copied().unwrap_or(i64::MIN)
    }

    /// Sets what [`Rounds::evicted`] says of a series, or of the next one.
    pub(crate) fn set_evicted(&mut self, index: usize, number: i64) {
        match self.evicted.get_mut(index) {
            Some(evicted) => *evicted = number,
            None => self.evicted.push(number),
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
        let gone = self.horizon.gone(0);
        let mut left = most.min(self.series.len());
        while left > 0 && self.rounds.steps > 0 {
            let Rounds { next, steps, evicted, .. } = &mut self.rounds;
            let ahead = left.min(evicted.len() - *next).min(usize::try_from(*steps).unwrap_or(usize::MAX));
            let idle = first_apart(&evicted[*next..*next + ahead], gone, LOT.unsigned_abs());
            let place = *next + idle;
            let seen = (idle + 1).min(ahead);
            *steps -= seen as i64;
            *next = (*next + seen) % evicted.len();
            left -= seen;
            if idle < ahead {
                evicted[place] = gone;
                *steps -= self.series[place].tidy(&self.horizon, &mut self.scratch) as i64;
            }
        }
        // What is not needed now is not saved for one long call later.
        self.rounds.steps = self.rounds.steps.min(0);
    }
}
