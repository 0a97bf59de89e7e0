"""Sends what a service would, with OpenTelemetry's SDK for Python: URL, service name and temporality by argument."""
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

url, service, temporality = sys.argv[1:]
chosen = AggregationTemporality.DELTA if temporality == "delta" else AggregationTemporality.CUMULATIVE
exporter = OTLPMetricExporter(
    endpoint=url + "/v1/metrics",
    compression=Compression.Gzip,
    preferred_temporality={Counter: chosen, Histogram: chosen, UpDownCounter: AggregationTemporality.CUMULATIVE},
)
# Nothing is exported but when it is asked for.
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
provider = MeterProvider(
    metric_readers=[reader],
    resource=Resource.create({"service.name": service}),
    views=[View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())],
)
meter = provider.get_meter("peers")
orders = meter.create_counter("orders", unit="1")
queue = meter.create_up_down_counter("queue")
meter.create_observable_gauge("temperature", callbacks=[lambda _: [Observation(21.5, {"room": "a"})]])
explicit = meter.create_histogram("explicit", unit="ms")
exponential = meter.create_histogram("exponential", unit="ms")
for half in range(2):
    for number in range(500):
        value = number * 2 + 1 + half
        explicit.record(value, {"route": "/a"})
        exponential.record(value, {"route": "/a"})
        orders.add(1)
    queue.add(5 if half == 0 else -2)
    assert provider.force_flush(), "the export failed"
provider.shutdown()
