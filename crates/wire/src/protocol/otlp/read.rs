//! What a request says, as samples and histograms.

use std::borrow::Cow;

use bellwether_core::labels::{LabelError, LabelName, Labels, MAX_LABELS, MAX_VALUE_BYTES, MetricName, SeriesKey};
use bellwether_core::sample::{Kind, Sample};
use bellwether_core::sketch::exchange::{self, ExponentialBuckets};
use bellwether_core::time::TimestampMs;

use super::super::explicit::{self, MAX_BOUNDS};
use super::super::{
    Course, Delivered, HistogramPoint, IngestedHistogram, LabelBytes, Places, ProtocolError, not_finite, unnamed,
};
use super::message::{
    AnyValue, Buckets, ExponentialPoint, ExportRequest, HistogramPoint as ExplicitPoint, KeyValue, Metric, NumberPoint,
};
use crate::ingest::{IngestedSample, MAX_UNIT_BYTES, NAMED_BYTES, Rejection, RejectionCode, Repeats};
use crate::start::start_of;

const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;
/// The flag of a point without a value: the series has ended.
const NO_RECORDED_VALUE: u32 = 1;
const NANOS: u64 = 1_000_000;

/// Labels in the making.
type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

struct Reader {
    places: Places,
    label_bytes: LabelBytes,
    delivered: Delivered,
}

/// What points of one metric have in common.
struct Common<'a> {
    name: &'a str,
    unit: Option<&'a str>,
    /// The labels of resource and scope, or why they are none, which is the fault of each point then.
    labels: &'a Result<Pairs<'a>, LabelError>,
}

pub(super) fn request(request: &ExportRequest) -> Result<Delivered, ProtocolError> {
    let mut reader =
        Reader { places: Places::default(), label_bytes: LabelBytes::default(), delivered: Delivered::default() };
    for resource in &request.resource_metrics {
        let of_resource = resource_labels(resource.resource.as_ref().map_or(&[][..], |resource| &resource.attributes));
        for scope in &resource.scope_metrics {
            let name = scope.scope.as_ref().map_or("", |scope| &scope.name);
            let labels = of_resource.clone().and_then(|mut labels| {
                if !name.is_empty() {
                    put(&mut labels, "otel_scope_name", name.into())?;
                }
                Ok(labels)
            });
            for metric in &scope.metrics {
                reader.metric(metric, &labels)?;
            }
        }
    }
    Ok(reader.delivered)
}

/// Adds a label of a resource, which each of its points is to have.
///
/// # Errors
/// [`LabelError`] where it is one too many, or outside its own limits: no point is the better for a copy of it.
fn put<'a>(labels: &mut Pairs<'a>, name: &'a str, value: Cow<'a, str>) -> Result<(), LabelError> {
    LabelName::new(name)?;
    if value.len() > MAX_VALUE_BYTES {
        return Err(LabelError::ValueTooLong { label: name.to_owned(), bytes: value.len() });
    }
    if labels.len() >= MAX_LABELS {
        return Err(LabelError::TooMany { count: labels.len() + 1 });
    }
    labels.push((name.into(), value));
    Ok(())
}

/// The labels of a resource: who the service is, as Prometheus calls it, and where it runs. What tells
/// only of the library or of one process is left out: each restart would begin series anew.
///
/// # Errors
/// [`LabelError`] where no series can have them.
fn resource_labels(attributes: &[KeyValue]) -> Result<Pairs<'_>, LabelError> {
    let mut labels = Pairs::new();
    let text = |name: &str| {
        let attribute = attributes.iter().find(|attribute| attribute.key == name);
        attribute.and_then(|attribute| attribute.value.as_ref()).and_then(scalar)
    };
    if let Some(service) = text("service.name") {
        let job = text("service.namespace").map(|namespace| format!("{namespace}/{service}").into());
        put(&mut labels, "job", job.unwrap_or(service))?;
    }
    if let Some(instance) = text("service.instance.id") {
        put(&mut labels, "instance", instance)?;
    }
    for KeyValue { key, value } in attributes {
        let is_taken = !matches!(key.as_str(), "service.name" | "service.namespace" | "service.instance.id")
            && !key.starts_with("telemetry.")
            && !key.starts_with("process.");
        if let Some(value) = value.as_ref().and_then(scalar).filter(|_| is_taken) {
            put(&mut labels, key, value)?;
        }
    }
    Ok(labels)
}

/// A value as the text of a label; lists, maps and bytes are no labels.
fn scalar(value: &AnyValue) -> Option<Cow<'_, str>> {
    let AnyValue { string_value, bool_value, int_value, double_value } = value;
    string_value
        .as_deref()
        .map(Cow::Borrowed)
        .or_else(|| bool_value.map(|value| value.to_string().into()))
        .or_else(|| int_value.map(|value| value.to_string().into()))
        .or_else(|| double_value.map(|value| value.to_string().into()))
}

impl Common<'_> {
    /// The series of a point with these attributes. Of two labels of one name the point's own counts. Cost: at most
    /// [`MAX_LABELS`] labels are compared with each other, however many attributes come.
    ///
    /// # Errors
    /// [`ProtocolError::LabelsTooLong`] where the body's labels together are; a fault of the labels is inside.
    fn key(
        &self,
        attributes: &[KeyValue],
        label_bytes: &mut LabelBytes,
    ) -> Result<Result<SeriesKey, LabelError>, ProtocolError> {
        let metric = match MetricName::new(self.name) {
            Ok(metric) => metric,
            Err(error) => return Ok(Err(error)),
        };
        let common = match self.labels {
            Ok(common) => common,
            Err(error) => return Ok(Err(error.clone())),
        };
        let own = || attributes.iter().filter_map(|each| Some((each.key.as_str(), scalar(each.value.as_ref()?)?)));
        let count = own().count();
        if count > MAX_LABELS {
            return Ok(Err(LabelError::TooMany { count }));
        }
        let mut labels: Pairs<'_> = Vec::with_capacity(common.len() + count);
        labels.extend(own().map(|(name, value)| (name.into(), value)));
        for (name, value) in common {
            if !labels.iter().any(|(known, _)| known == name) {
                labels.push((Cow::Borrowed(name), Cow::Borrowed(value)));
            }
        }
        label_bytes.add(self.name, &labels)?;
        Ok(Labels::new(labels).map(|labels| SeriesKey { metric, labels }))
    }

    fn unit(&self) -> Option<String> {
        self.unit.map(str::to_owned)
    }
}

/// A timestamp in milliseconds, rounded down; `None` for 0, which stands for a missing one.
fn time(unix_nano: u64) -> Option<TimestampMs> {
    i64::try_from(unix_nano / NANOS).ok().filter(|_| unix_nano > 0).map(TimestampMs::new)
}

impl Reader {
    fn metric(&mut self, metric: &Metric, labels: &Result<Pairs<'_>, LabelError>) -> Result<(), ProtocolError> {
        let fits =
            |unit: &&str| !unit.is_empty() && unit.len() <= MAX_UNIT_BYTES && !unit.chars().any(char::is_control);
        let unit = Some(metric.unit.as_str()).filter(fits);
        let common = Common { name: &metric.name, unit, labels };
        if let Some(gauge) = &metric.gauge {
            self.numbers(&common, &gauge.data_points, Some(Kind::Gauge), CUMULATIVE)?;
        }
        if let Some(sum) = &metric.sum {
            let kind = if sum.is_monotonic { Kind::Counter } else { Kind::Gauge };
            self.numbers(&common, &sum.data_points, Some(kind), sum.aggregation_temporality)?;
        }
        if let Some(histogram) = &metric.histogram {
            for point in &histogram.data_points {
                self.explicit(&common, point, histogram.aggregation_temporality)?;
            }
        }
        if let Some(histogram) = &metric.exponential_histogram {
            for point in &histogram.data_points {
                self.exponential(&common, point, histogram.aggregation_temporality)?;
            }
        }
        for _ in metric.summary.iter().flat_map(|summary| &summary.data_points) {
            let name = start_of(&metric.name, NAMED_BYTES);
            let message =
                format_args!("{name} is a summary, whose quantiles cannot be merged; let the sender use a histogram");
            let index = self.places.next()?;
            self.delivered.rejected.push(Rejection::new(index, RejectionCode::BadHistogram, message));
        }
        Ok(())
    }

    /// The series and the time of a point, or `None` where it is refused or has ended.
    ///
    /// # Errors
    /// [`ProtocolError`] where the body is refused for its labels.
    fn begin(
        &mut self,
        index: usize,
        common: &Common<'_>,
        attributes: &[KeyValue],
        time_unix_nano: u64,
        flags: u32,
    ) -> Result<Option<(SeriesKey, TimestampMs)>, ProtocolError> {
        let key = match common.key(attributes, &mut self.label_bytes)? {
            Ok(key) => key,
            Err(error) => {
                self.delivered.rejected.push(unnamed(index, &error));
                return Ok(None);
            }
        };
        let Some(at) = time(time_unix_nano) else {
            let series = start_of(&key, NAMED_BYTES);
            let message = format_args!("{series} has no time that can be kept: {time_unix_nano} ns");
            self.delivered.rejected.push(Rejection::new(index, RejectionCode::BadTimestamp, message));
            return Ok(None);
        };
        if flags & NO_RECORDED_VALUE != 0 {
            self.delivered.ended.push((key, at));
            return Ok(None);
        }
        Ok(Some((key, at)))
    }

    fn numbers(
        &mut self,
        common: &Common<'_>,
        points: &[NumberPoint],
        kind: Option<Kind>,
        temporality: i32,
    ) -> Result<(), ProtocolError> {
        for point in points {
            let index = self.places.next()?;
            self.delivered.exemplars += point.exemplars.len();
            let NumberPoint { time_unix_nano, as_double, as_int, attributes, flags, .. } = point;
            let Some((key, at)) = self.begin(index, common, attributes, *time_unix_nano, *flags)? else { continue };
            let value = as_double.or_else(|| as_int.map(|value| value as f64)).unwrap_or(f64::NAN);
            let Ok(sample) = Sample::new(at, value) else {
                self.delivered.rejected.push(not_finite(index, &key, value));
                continue;
            };
            // What adds is no state: it cannot be taken for one of a metric that is known as such.
            let (declared, suggested, repeats) = match temporality {
                DELTA => (Some(Kind::Event), None, Repeats::Count),
                CUMULATIVE => (None, kind, Repeats::Once),
                other => {
                    self.delivered.rejected.push(unknown_temporality(index, &key, other));
                    continue;
                }
            };
            let unit = common.unit();
            let (kind, reference) = (declared, None);
            self.delivered.samples.push(IngestedSample {
                index,
                key,
                sample,
                kind,
                suggested,
                repeats,
                unit,
                reference,
            });
        }
        Ok(())
    }

    fn explicit(&mut self, common: &Common<'_>, point: &ExplicitPoint, temporality: i32) -> Result<(), ProtocolError> {
        let index = self.places.next()?;
        self.delivered.exemplars += point.exemplars.len();
        let begun = self.begin(index, common, &point.attributes, point.time_unix_nano, point.flags)?;
        let Some((key, at)) = begun else { return Ok(()) };
        let ExplicitPoint { bucket_counts, explicit_bounds: bounds, .. } = point;
        // Without bounds there is one value bucket, and without counts there are none.
        let fits = bucket_counts.len() == bounds.len() + 1 || (bucket_counts.is_empty() && bounds.is_empty());
        let is_ascending =
            bounds.windows(2).all(|pair| pair[0] < pair[1]) && bounds.iter().all(|bound| bound.is_finite());
        let sketch = if !fits || !is_ascending {
            Err("its bounds do not ascend, or do not fit its counts".to_owned())
        } else if bounds.len() > MAX_BOUNDS {
            Err(format!("it has more than {MAX_BOUNDS} bounds"))
        } else {
            explicit::carrier(bucket_counts).map_err(|error| error.to_string())
        };
        let extremes = extremes(point.min, point.max);
        let since = time(point.start_time_unix_nano);
        let sketch = sketch.map(|sketch| (sketch, Some(bounds.clone())));
        self.histogram(index, common, key, (at, since, temporality), sketch, point.sum, extremes);
        Ok(())
    }

    fn exponential(
        &mut self,
        common: &Common<'_>,
        point: &ExponentialPoint,
        temporality: i32,
    ) -> Result<(), ProtocolError> {
        let index = self.places.next()?;
        self.delivered.exemplars += point.exemplars.len();
        let begun = self.begin(index, common, &point.attributes, point.time_unix_nano, point.flags)?;
        let Some((key, at)) = begun else { return Ok(()) };
        let buckets = |side: &Option<Buckets>| match side {
            None => ExponentialBuckets::default(),
            Some(Buckets { offset, bucket_counts }) => {
                ExponentialBuckets { offset: *offset, counts: bucket_counts.clone() }
            }
        };
        let histogram = exchange::ExponentialHistogram {
            scale: point.scale,
            zero_threshold: point.zero_threshold,
            zero_count: point.zero_count,
            positive: buckets(&point.positive),
            negative: buckets(&point.negative),
        };
        let sketch = histogram.sketch().map(|sketch| (sketch, None)).map_err(|error| error.to_string());
        let extremes = extremes(point.min, point.max);
        let since = time(point.start_time_unix_nano);
        self.histogram(index, common, key, (at, since, temporality), sketch, point.sum, extremes);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the two kinds of histograms have these in common and no more")]
    fn histogram(
        &mut self,
        index: usize,
        common: &Common<'_>,
        key: SeriesKey,
        (at, since, temporality): (TimestampMs, Option<TimestampMs>, i32),
        sketch: Result<(bellwether_core::sketch::Sketch, Option<Vec<f64>>), String>,
        sum: Option<f64>,
        extremes: Option<(f64, f64)>,
    ) {
        let course = match temporality {
            DELTA => Course::Increment,
            CUMULATIVE => Course::Cumulative { since, restarted: false },
            other => {
                self.delivered.rejected.push(unknown_temporality(index, &key, other));
                return;
            }
        };
        let sum = sum.unwrap_or(0.0);
        let sketch = if sum.is_finite() { sketch } else { Err(format!("its sum is {sum}")) };
        match sketch {
            Ok((sketch, bounds)) => {
                let point = HistogramPoint { at, sketch, bounds, sum, extremes, course };
                self.delivered.histograms.push(IngestedHistogram { index, key, point, unit: common.unit() });
            }
            Err(reason) => {
                let series = start_of(&key, NAMED_BYTES);
                let message = format_args!("{series} is a histogram that cannot be kept: {reason}");
                self.delivered.rejected.push(Rejection::new(index, RejectionCode::BadHistogram, message));
            }
        }
    }
}

fn extremes(min: Option<f64>, max: Option<f64>) -> Option<(f64, f64)> {
    min.zip(max).filter(|(min, max)| min.is_finite() && max.is_finite() && min <= max)
}

fn unknown_temporality(index: usize, key: &SeriesKey, temporality: i32) -> Rejection {
    let series = start_of(key, NAMED_BYTES);
    let message = format_args!("{series} has the temporality {temporality}; delta (1) and cumulative (2) are taken");
    Rejection::new(index, RejectionCode::BadKind, message)
}
