//! Bytes to checked samples and back: JSON and binary frames, boards, ingest bodies.
