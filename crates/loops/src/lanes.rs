//! Two floats that are worked on side by side.
//!
//! Compilers make vector instructions of pairs by themselves where they see them, which in
//! WebAssembly they seldom do; there a comparison of floats costs as much as several additions.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod pair {
    use std::arch::wasm32::{f64x2, f64x2_add, f64x2_extract_lane, f64x2_mul, f64x2_pmax, f64x2_pmin, f64x2_sub, v128};

    #[derive(Clone, Copy)]
    pub(crate) struct Pair(v128);

    impl Pair {
        pub(crate) fn new(one: f64, other: f64) -> Self {
            Self(f64x2(one, other))
        }

        pub(crate) fn plus(self, other: Self) -> Self {
            Self(f64x2_add(self.0, other.0))
        }

        pub(crate) fn minus(self, other: Self) -> Self {
            Self(f64x2_sub(self.0, other.0))
        }

        pub(crate) fn times(self, other: Self) -> Self {
            Self(f64x2_mul(self.0, other.0))
        }

        pub(crate) fn least(self, other: Self) -> Self {
            Self(f64x2_pmin(self.0, other.0))
        }

        pub(crate) fn greatest(self, other: Self) -> Self {
            Self(f64x2_pmax(self.0, other.0))
        }

        pub(crate) fn both(self) -> [f64; 2] {
            [f64x2_extract_lane::<0>(self.0), f64x2_extract_lane::<1>(self.0)]
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod pair {
    #[derive(Clone, Copy)]
    pub(crate) struct Pair([f64; 2]);

    impl Pair {
        pub(crate) fn new(one: f64, other: f64) -> Self {
            Self([one, other])
        }

        #[inline]
        fn each(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
            Self([of(self.0[0], other.0[0]), of(self.0[1], other.0[1])])
        }

        pub(crate) fn plus(self, other: Self) -> Self {
            self.each(other, |a, b| a + b)
        }

        pub(crate) fn minus(self, other: Self) -> Self {
            self.each(other, |a, b| a - b)
        }

        pub(crate) fn times(self, other: Self) -> Self {
            self.each(other, |a, b| a * b)
        }

        pub(crate) fn least(self, other: Self) -> Self {
            self.each(other, |a, b| if b < a { b } else { a })
        }

        pub(crate) fn greatest(self, other: Self) -> Self {
            self.each(other, |a, b| if b > a { b } else { a })
        }

        pub(crate) fn both(self) -> [f64; 2] {
            self.0
        }
    }
}

pub(crate) use pair::Pair;
