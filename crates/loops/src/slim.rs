//! Slim samples: twelve bytes each, counted from a base that neighbours share.

/// A sample in twelve bytes: milliseconds since a base, then the halves of the value's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slim([u32; 3]);

impl Slim {
    /// A value so many milliseconds after the base.
    #[inline(always)]
    #[must_use]
    pub const fn new(since_ms: u32, value: f64) -> Self {
        let bits = value.to_bits();
        Self([since_ms, bits as u32, (bits >> 32) as u32])
    }

    /// Milliseconds since the base.
    #[inline(always)]
    #[must_use]
    pub const fn since_ms(self) -> u32 {
        self.0[0]
    }

    /// The value.
    #[inline(always)]
    #[must_use]
    pub const fn value(self) -> f64 {
        f64::from_bits(self.0[1] as u64 | (self.0[2] as u64) << 32)
    }
}

/// How many of some samples in order of time lie at most `most_ms` after their base: looked at from the first on.
#[must_use]
#[inline(never)]
pub fn count_until(slims: &[Slim], most_ms: u32) -> usize {
    // Eight at a time: the last of them says whether any is beyond.
    let (blocks, rest) = slims.as_chunks::<8>();
    let place = blocks.iter().position(|block| block[7].since_ms() > most_ms).unwrap_or(blocks.len());
    let block = blocks.get(place).map_or(rest, |block| &block[..]);
    8 * place + block.iter().map(|slim| usize::from(slim.since_ms() <= most_ms)).sum::<usize>()
}

/// [`count_until`], looked for from a guess on, in steps that double. A search by halves would guess wrong at each of its
/// steps, which takes longer than the steps.
#[must_use]
pub fn count_near(slims: &[Slim], guess: usize, most_ms: u32) -> usize {
    let is_in = |place: usize| slims.get(place).is_some_and(|slim| slim.since_ms() <= most_ms);
    let guess = guess.min(slims.len());
    let (mut low, mut high, mut step) = (guess, guess, 1);
    if is_in(guess) {
        while is_in(high) {
            (low, high) = (high, high + step);
            step *= 2;
        }
    } else {
        while low > 0 && !is_in(low - 1) {
            (high, low) = (low - 1, (low - 1).saturating_sub(step));
            step *= 2;
        }
    }
    let (low, high) = (low.min(slims.len()), high.min(slims.len()));
    low + slims[low..high].partition_point(|slim| slim.since_ms() <= most_ms)
}

/// Counts samples from a base that is so much earlier; what a number of 32 bits does not hold is for the caller to know.
pub fn move_by(slims: &mut [Slim], by_ms: u32) {
    for slim in slims {
        slim.0[0] = slim.0[0].wrapping_add(by_ms);
    }
}

/// So many samples make the largest chunk of them.
pub const CHUNK: usize = 128;

/// For how many samples memory is taken where `room` are asked for: pieces of memory that are nearly as large as a chunk
/// are as large, so that each finds room where another was, and nothing is left over.
const fn memory_for(room: usize) -> usize {
    if room >= CHUNK / 4 * 3 && room < CHUNK { CHUNK } else { room }
}

/// A copy of samples with room for `room` of them, where that is more, filled up with empty ones.
#[inline(never)]
#[must_use]
pub fn copied(from: &[Slim], room: usize) -> Vec<Slim> {
    let room = room.max(from.len());
    let mut slims = Vec::with_capacity(memory_for(room));
    slims.extend_from_slice(from);
    slims.resize(room, Slim::default());
    slims
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_looked_for_is_what_a_count_finds(
            mut sinces in proptest::collection::vec(0_u32..40, 0..30),
            guess in 0_usize..40,
            most in 0_u32..45,
        ) {
            sinces.sort_unstable();
            let slims: Vec<Slim> = sinces.iter().map(|since| Slim::new(*since, 1.0)).collect();
            let expected = sinces.iter().filter(|since| **since <= most).count();
            proptest::prop_assert_eq!(count_near(&slims, guess, most), expected);
            proptest::prop_assert_eq!(count_until(&slims, most), expected);
        }

        #[test]
        fn a_sample_is_what_it_was_made_of(since in proptest::num::u32::ANY, value in proptest::num::f64::ANY) {
            let slim = Slim::new(since, value);
            proptest::prop_assert_eq!((slim.since_ms(), slim.value().to_bits()), (since, value.to_bits()));
        }
    }

    #[test]
    fn the_ends_of_a_base_are_found() {
        let slims = [Slim::new(0, 1.0), Slim::new(u32::MAX, 2.0)];
        for guess in 0..3 {
            for (most, expected) in [(0, 1), (u32::MAX - 1, 1), (u32::MAX, 2)] {
                assert_eq!(count_near(&slims, guess, most), expected, "{guess} {most}");
            }
        }
        assert_eq!((count_until(&[], 5), count_near(&[], 5, 5)), (0, 0));
    }

    #[test]
    fn samples_move_with_their_base() {
        let mut slims = [Slim::new(3, 1.0), Slim::new(9, -2.0)];
        move_by(&mut slims, 1_000);
        assert_eq!(slims, [Slim::new(1_003, 1.0), Slim::new(1_009, -2.0)]);
        move_by(&mut slims, 1_000_u32.wrapping_neg());
        assert_eq!(slims, [Slim::new(3, 1.0), Slim::new(9, -2.0)]);
    }

    #[test]
    fn pieces_of_memory_are_as_large_as_a_chunk_where_they_nearly_are() {
        let slims = [Slim::new(3, 1.0), Slim::new(9, -2.0)];
        for (room, expected) in [(2, 2), (95, 95), (96, CHUNK), (127, CHUNK), (CHUNK, CHUNK), (129, 129)] {
            let mut found = copied(&slims, room);
            assert_eq!((found.len(), found.capacity()), (room, expected));
            found.truncate(2);
            assert_eq!(found, slims);
        }
    }
}
