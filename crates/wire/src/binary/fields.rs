//! Numbers of the fields: the standard's, and from 1000 our own.
//!
//! Source: Prometheus remote-write 2.0-rc.4, `io.prometheus.write.v2`.

/// Fields of `Request`.
pub(crate) mod request {
    pub(crate) const SYMBOLS: u32 = 4;
    pub(crate) const TIMESERIES: u32 = 5;
    pub(crate) const EPOCH: u32 = 1_000;
    pub(crate) const SEQ: u32 = 1_001;
    pub(crate) const SUBSCRIPTION: u32 = 1_002;
    pub(crate) const HISTORY: u32 = 1_003;
    pub(crate) const STEP_MS: u32 = 1_004;
    pub(crate) const MORE: u32 = 1_005;
}

/// Fields of `TimeSeries`.
pub(crate) mod time_series {
    pub(crate) const LABELS_REFS: u32 = 1;
    pub(crate) const SAMPLES: u32 = 2;
    pub(crate) const HISTOGRAMS: u32 = 3;
    #[cfg(feature = "protocols")]
    pub(crate) const EXEMPLARS: u32 = 4;
    pub(crate) const METADATA: u32 = 5;
    pub(crate) const KIND: u32 = 1_000;
}

/// Fields of `Sample`.
pub(crate) mod sample {
    pub(crate) const VALUE: u32 = 1;
    pub(crate) const TIMESTAMP: u32 = 2;
}

/// Fields of `Metadata`.
pub(crate) mod metadata {
    pub(crate) const TYPE: u32 = 1;
    #[cfg(feature = "protocols")]
    pub(crate) const UNIT_REF: u32 = 4;
    pub(crate) const COUNTER: u64 = 1;
    pub(crate) const GAUGE: u64 = 2;
    pub(crate) const GAUGE_HISTOGRAM: u64 = 4;
    #[cfg(feature = "protocols")]
    pub(crate) const INFO: u64 = 6;
    #[cfg(feature = "protocols")]
    pub(crate) const STATE_SET: u64 = 7;
}

/// Fields of `Histogram`.
pub(crate) mod histogram {
    pub(crate) const COUNT_INT: u32 = 1;
    pub(crate) const COUNT_FLOAT: u32 = 2;
    pub(crate) const SUM: u32 = 3;
    pub(crate) const SCHEMA: u32 = 4;
    #[cfg(feature = "protocols")]
    pub(crate) const ZERO_THRESHOLD: u32 = 5;
    pub(crate) const ZERO_COUNT_INT: u32 = 6;
    pub(crate) const ZERO_COUNT_FLOAT: u32 = 7;
    pub(crate) const NEGATIVE_SPANS: u32 = 8;
    pub(crate) const NEGATIVE_DELTAS: u32 = 9;
    pub(crate) const NEGATIVE_COUNTS: u32 = 10;
    pub(crate) const POSITIVE_SPANS: u32 = 11;
    pub(crate) const POSITIVE_DELTAS: u32 = 12;
    pub(crate) const POSITIVE_COUNTS: u32 = 13;
    pub(crate) const RESET_HINT: u32 = 14;
    pub(crate) const TIMESTAMP: u32 = 15;
    pub(crate) const CUSTOM_VALUES: u32 = 16;
    pub(crate) const MIN: u32 = 1_000;
    pub(crate) const MAX: u32 = 1_001;
    pub(crate) const FIRST: u32 = 1_002;
    pub(crate) const LAST: u32 = 1_003;
    pub(crate) const INCREASE: u32 = 1_004;
    pub(crate) const M2: u32 = 1_005;
    pub(crate) const FIRST_TIMESTAMP: u32 = 1_006;
    pub(crate) const LAST_TIMESTAMP: u32 = 1_007;
    pub(crate) const RESET_HINT_GAUGE: u64 = 3;
}

/// Fields of `BucketSpan`.
pub(crate) mod span {
    pub(crate) const OFFSET: u32 = 1;
    pub(crate) const LENGTH: u32 = 2;
}
