//! Which of many numbers lies apart from one.

/// The place of the first number that is greater than `from` or less than it by `distance` or more, as an `i64` wraps; the
/// number of numbers where there is none.
#[inline(never)]
#[must_use]
pub fn first_apart(numbers: &[i64], from: i64, distance: u64) -> usize {
    let is_apart = |number: &i64| from.wrapping_sub(*number) as u64 >= distance;
    numbers.iter().position(is_apart).unwrap_or(numbers.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_greater_or_much_less_lies_apart() {
        #[track_caller]
        fn check(numbers: &[i64], expected: usize) {
            assert_eq!(first_apart(numbers, 100, 60), expected, "{numbers:?}");
        }
        check(&[], 0);
        check(&[100, 99, 41], 3);
        check(&[100, 40, 101], 1);
        check(&[100, 99, 101], 2);
        check(&[i64::MIN], 0);
    }
}
