"""M4 of tsdownsample, native: reads n timestamps and n values (float64) from a file, prints milliseconds and places as JSON."""
import json
import sys
import time

import numpy
import tsdownsample

path, points, columns, repetitions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
both = numpy.fromfile(path, dtype=numpy.float64)
x, y = both[:points].copy(), both[points:].copy()
downsampler = tsdownsample.M4Downsampler()
times = []
for _ in range(repetitions):
    start = time.perf_counter()
    places = downsampler.downsample(x, y, n_out=4 * columns)
    times.append((time.perf_counter() - start) * 1e3)
print(json.dumps({"ms": float(numpy.median(times)), "places": [int(place) for place in places]}))
