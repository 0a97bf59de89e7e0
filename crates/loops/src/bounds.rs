//! Where the value buckets of the finest scale begin, as bits of a float's mantissa.

/// 2^(1/2), 2^(1/4), … 2^(1/256) in units of 2^−63, rounded down.
const ROOTS: [u64; 8] = [
    0xb504_f333_f9de_6484,
    0x9837_f051_8db8_a96f,
    0x8b95_c1e3_ea8b_d6e6,
    0x85aa_c367_cc48_7b14,
    0x82cd_8698_ac2b_a1d7,
    0x8164_d1f3_bc03_0773,
    0x80b1_ed4f_d999_ab6c,
    0x8058_d7d2_d5e5_f6b0,
];

/// Number of bounds within a power of two.
pub(crate) const BOUNDS: u32 = 256;

/// 2^(n/16) in units of 2^−63.
static SIXTEENTHS: [u64; 16] = powers(0);
/// 2^(n/256) in units of 2^−63.
static REST: [u64; 16] = powers(4);

/// The products of four neighbouring roots, the last of which stands for a one.
const fn powers(first: usize) -> [u64; 16] {
    let mut powers = [1 << 63; 16];
    let mut n = 1;
    while n < powers.len() {
        // Its lowest bit is that of one more root.
        let lowest = n.trailing_zeros() as usize;
        powers[n] = product(powers[n & (n - 1)], ROOTS[first + 3 - lowest]);
        n += 1;
    }
    powers
}

const fn product(one: u64, other: u64) -> u64 {
    ((one as u128 * other as u128) >> 63) as u64
}

/// The least 52-bit mantissa `m` with `1 + m/2^52 > 2^(part/256)`, for a part below [`BOUNDS`].
///
/// It is made each time: a table of them is 2 KB of every page that cannot be compressed.
pub(crate) const fn mantissa(part: u32) -> u64 {
    // Seven products are rounded at most, which leaves more bits than are asked for; that no bound lies so near to a
    // whole mantissa that it would matter, a test shows.
    let power = product(SIXTEENTHS[part as usize / 16], REST[part as usize % 16]);
    (power >> 11) - (1 << 52) + 1
}

/// Bits of a mantissa that lie below the number of its cell.
pub(crate) const CELL_BITS: u32 = 43;
/// Cells of equal width that a power of two is cut into: so many that none holds two bounds, as the
/// logarithm's slope is below 1.443.
pub(crate) const CELLS: usize = 1 << (52 - CELL_BITS);

/// Bits that stand for the place within a value bucket, if all were of equal width: two cells.
pub(crate) const ROW_BITS: u32 = CELL_BITS + 1;

/// `(mantissa + STEP[cell]) >> ROW_BITS`, added modulo 2^64, is the number of bounds that are at most
/// `mantissa`, which lies in `cell`: what is added carries over exactly from the cell's bound on. There are as many
/// rows in a power of two as bounds, so that what lies above the mantissa may stay where it is.
pub(crate) static STEP: [u64; CELLS] = {
    let mut steps = [0_u64; CELLS];
    let mut below = 0;
    let mut cell = 0;
    while cell < CELLS {
        let end = (cell as u64 + 1) << CELL_BITS;
        // A cell without a bound is as one whose bound is its end.
        let mut bound = end;
        let count = below;
        if below < BOUNDS && mantissa(below) < end {
            bound = mantissa(below);
            below += 1;
        }
        assert!(below == BOUNDS || mantissa(below) >= end, "a cell holds one bound at most");
        steps[cell] = ((count as u64 + 1) << ROW_BITS).wrapping_sub(bound);
        cell += 1;
    }
    steps
};
