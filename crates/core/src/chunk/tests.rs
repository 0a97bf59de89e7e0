use super::*;
use crate::part::Part;
use crate::time::DurationMs;

fn terms() -> Terms {
    Terms { grid: Grid::new(DurationMs::from_secs(1)).unwrap(), kind: Kind::Observation }
}

fn samples(timestamps: &[i64]) -> Trail {
    let mut trail = Trail::new();
    for timestamp in timestamps.iter().map(|timestamp| TimestampMs::new(*timestamp)) {
        assert!(trail.fit(timestamp, terms().grid) && trail.insert(Sample::new(timestamp, 2.5).unwrap()));
    }
    trail
}

/// Time buckets −1, 1, 2 and 9, the second of which holds three samples.
fn chunks() -> [Chunk; 2] {
    let samples = samples(&[-1_500, 1, 500, 1_000, 1_001, 9_000]);
    let of_samples = Chunk::of_trail(samples, terms()).unwrap();
    let mut scratch = Scratch::default();
    let mut put = |part: Part<'_>, chunk: Option<&mut Chunk>| {
        scratch.spread.clear();
        scratch.spread.add(&part.values);
        match chunk {
            Some(chunk) => {
                assert!(chunk.append_packed(part.number, &part.summary, terms(), &mut scratch));
                None
            }
            None => Some(Chunk::of_packed(part.number, &part.summary, terms(), &mut scratch, 0)),
        }
    };
    let mut packed = None;
    of_samples.parts(i64::MIN, i64::MAX, terms()).each(&mut |part| {
        let first = put(part, packed.as_mut());
        packed = packed.take().or(first);
    });
    [of_samples, packed.unwrap()]
}

#[test]
fn time_buckets_are_counted_as_they_are_read() {
    for mut chunk in chunks() {
        for gone in [i64::MIN, -2, -1, 0, 1, 2, 8, 9, i64::MAX] {
            let mut numbers = Vec::new();
            chunk.parts(i64::MIN, i64::MAX, terms()).each(&mut |part| numbers.push(part.number));
            assert_eq!(numbers, [-1, 1, 2, 9]);
            let left = numbers.iter().filter(|number| **number > gone).count();
            assert_eq!(chunk.time_buckets(gone, terms()), left, "{gone} of {chunk:?}");
        }
        assert_eq!(chunk.evict(1, terms()).unwrap().timestamp(), TimestampMs::new(1_000));
        assert_eq!(chunk.time_buckets(i64::MIN, terms()), 2);
    }
}
