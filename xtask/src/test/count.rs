//! How many tests ran, read from the runners' own closing lines.

use std::ops::AddAssign;

/// Tests that passed, failed and were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Count {
    /// Adds what `line` reports, if it is a closing line of Rust's test runners (native or wasm):
    /// `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    pub(crate) fn read_rust(&mut self, line: &str) {
        let Some((_, numbers)) = line.trim().strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in numbers.split(';') {
            let mut words = part.split_whitespace();
            let (Some(Ok(number)), Some(word)) = (words.next().map(str::parse::<u64>), words.next()) else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// Adds what `line` reports, if it is a closing line of Node's `spec` reporter: `ℹ pass 3`.
    pub(crate) fn read_node(&mut self, line: &str) {
        let mut words = line.strip_prefix('ℹ').into_iter().flat_map(str::split_whitespace);
        let (Some(word), Some(Ok(number)), None) = (words.next(), words.next().map(str::parse::<u64>), words.next())
        else {
            return;
        };
        match word {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(read: fn(&mut Count, &str), lines: &[&str], passed: u64, failed: u64, skipped: u64) {
        let mut count = Count::default();
        for line in lines {
            read(&mut count, line);
        }
        assert_eq!(count, Count { passed, failed, skipped });
    }

    #[test]
    fn rusts_closing_lines() {
        check(
            Count::read_rust,
            &[
                "running 3 tests",
                "test a ... ok",
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                "test result: ok. 4 passed; 0 failed; 0 ignored; 0 filtered out",
            ],
            8,
            2,
            1,
        );
    }

    #[test]
    fn nodes_closing_lines() {
        let lines = [
            "✔ a (1ms)",
            "ℹ tests 9",
            "ℹ suites 1",
            "ℹ pass 5",
            "ℹ fail 1",
            "ℹ cancelled 1",
            "ℹ skipped 2",
            "ℹ todo 1",
        ];
        check(Count::read_node, &lines, 5, 2, 3);
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        check(Count::read_rust, &["the test result: ok. 3 passed; nothing"], 0, 0, 0);
        check(Count::read_node, &["pass 3", "ℹ pass 3 of them"], 0, 0, 0);
    }
}
