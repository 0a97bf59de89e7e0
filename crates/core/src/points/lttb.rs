//! Largest-Triangle-Three-Buckets (Steinarsson, "Downsampling Time Series for Visual
//! Representation", 2013).

use super::Points;

/// Writes `count` of the points at `places` into `chosen`: the first, the last, and of each of
/// `count − 2` stretches of as many points the one that spans the largest triangle with the point
/// chosen before and the mean of the next stretch. There are at least three, or all of them.
pub(super) fn choose(points: &Points, places: &[u32], count: usize, chosen: &mut Vec<u32>) {
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return };
    if places.len() <= count {
        chosen.extend_from_slice(places);
        return;
    }
    let at = |place: &u32| (points.timestamps[*place as usize], points.values[*place as usize]);
    // Stretches between the first and the last point, of equal length but for rounding.
    let stretches = count - 2;
    let edge = |stretch: usize| 1 + (places.len() - 2) * stretch / stretches;
    chosen.push(*first);
    let (mut x, mut y) = at(first);
    for stretch in 0..stretches {
        let next = if stretch + 1 < stretches {
            &places[edge(stretch + 1)..edge(stretch + 2)]
        } else {
            std::slice::from_ref(last)
        };
        let (to_x, to_y) = mean(next.iter().map(at));
        let own = &places[edge(stretch)..edge(stretch + 1)];
        let mut largest = (-1.0, own[0]);
        for place in own {
            let (own_x, own_y) = at(place);
            // Twice the triangle's area.
            let area = ((x - to_x) * (own_y - y) - (x - own_x) * (to_y - y)).abs();
            if area > largest.0 {
                largest = (area, *place);
            }
        }
        chosen.push(largest.1);
        (x, y) = at(&largest.1);
    }
    chosen.push(*last);
}

fn mean(points: impl ExactSizeIterator<Item = (f64, f64)>) -> (f64, f64) {
    let count = points.len() as f64;
    let (x, y) = points.fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (x / count, y / count)
}
