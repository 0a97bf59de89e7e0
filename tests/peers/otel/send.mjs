// Sends what a service would, with OpenTelemetry's SDK for JavaScript: URL, service name, form and temporality by
// argument.
import { OTLPMetricExporter as JsonExporter, AggregationTemporalityPreference } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';

const [url, service, form, temporality] = process.argv.slice(2);
const Exporter = form === 'json' ? JsonExporter : ProtobufExporter;
const exporter = new Exporter({
  url: `${url}/v1/metrics`,
  compression: 'gzip',
  temporalityPreference:
    temporality === 'delta' ? AggregationTemporalityPreference.DELTA : AggregationTemporalityPreference.CUMULATIVE,
});
// Nothing is exported but when it is asked for.
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
const provider = new MeterProvider({
  readers: [reader],
  resource: resourceFromAttributes({ 'service.name': service }),
  views: [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
});
const meter = provider.getMeter('peers');
const orders = meter.createCounter('orders', { unit: '1' });
const queue = meter.createUpDownCounter('queue');
meter.createObservableGauge('temperature').addCallback((result) => result.observe(21.5, { room: 'a' }));
const explicit = meter.createHistogram('explicit', { unit: 'ms' });
const exponential = meter.createHistogram('exponential', { unit: 'ms' });
for (let half = 0; half < 2; half += 1) {
  for (let number = 0; number < 500; number += 1) {
    const value = number * 2 + 1 + half;
    explicit.record(value, { route: '/a' });
    exponential.record(value, { route: '/a' });
    orders.add(1);
  }
  queue.add(half === 0 ? 5 : -2);
  await provider.forceFlush();
}
await provider.shutdown();
