/** M4 over typed arrays, as a careful JavaScript programmer would write it: four places for each of `columns`. */
export function m4(x, y, columns) {
  const places = new Uint32Array(4 * columns);
  const width = y.length / columns;
  for (let column = 0; column < columns; column += 1) {
    const first = Math.floor(column * width);
    const end = column === columns - 1 ? y.length : Math.floor((column + 1) * width);
    let least = first;
    let greatest = first;
    let low = y[first];
    let high = low;
    for (let place = first + 1; place < end; place += 1) {
      const value = y[place];
      if (value < low) {
        low = value;
        least = place;
      } else if (value > high) {
        high = value;
        greatest = place;
      }
    }
    const at = 4 * column;
    places[at] = first;
    places[at + 1] = Math.min(least, greatest);
    places[at + 2] = Math.max(least, greatest);
    places[at + 3] = end - 1;
  }
  return places;
}

export function prepare(x, y) {
  return (columns) => m4(x, y, columns);
}
