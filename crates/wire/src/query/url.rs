//! Parameters of a URL's query string.

/// The `(name, value)` pairs of a query string, in order, with `%41` and `+` decoded.
///
/// Bytes that are no UTF-8 become the replacement character; a `%` that begins no byte stays.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (*first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The value of an ASCII hex digit.
fn digit(letter: u8) -> u8 {
    match letter {
        b'0'..=b'9' => letter - b'0',
        _ => (letter | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = pairs(query).collect();
        let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn pairs_are_decoded() {
        check("", &[]);
        check("name=a&&window=5m", &[("name", "a"), ("window", "5m")]);
        check("where=route%3A%2Fbook&where=q%20x+y", &[("where", "route:/book"), ("where", "q x y")]);
        check("name=%C3%A9%E2%82%AC&x", &[("name", "é€"), ("x", "")]);
        check("a=b=c&n=100%&m=%zz%4", &[("a", "b=c"), ("n", "100%"), ("m", "%zz%4")]);
        check("n=%ff", &[("n", "\u{fffd}")]);
    }
}
