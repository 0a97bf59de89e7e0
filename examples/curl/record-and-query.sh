#!/bin/sh
# Records samples with a Bellwether gateway and asks for figures. The gateway's address is BELLWETHER_URL.
set -eu
gateway=${BELLWETHER_URL:-http://127.0.0.1:4000}

# One sample; without a timestamp it is of now.
curl --silent --show-error --fail-with-body "$gateway/ingest" \
  -H 'Content-Type: application/json' \
  -d '{"name": "booking_response_time", "value": 120, "unit": "ms", "labels": {"route": "/book"}}'

# Several at once.
curl --silent --show-error --fail-with-body "$gateway/ingest" \
  -H 'Content-Type: application/json' \
  -d '[{"name": "booking_response_time", "value": 140, "labels": {"route": "/book"}},
       {"name": "booking_response_time", "value": 130, "labels": {"route": "/cancel"}}]'

# One sample a line.
printf '%s\n' '{"name": "conflict", "value": 1, "kind": "event"}' '{"name": "conflict", "value": 1}' |
  curl --silent --show-error --fail-with-body "$gateway/ingest" \
    -H 'Content-Type: application/x-ndjson' --data-binary @-

# The average of the last five minutes, the same by route, and how many conflicts there were today.
curl --silent --show-error --fail-with-body "$gateway/query?name=booking_response_time&window=5m&agg=avg"
echo
curl --silent --show-error --fail-with-body "$gateway/query?name=booking_response_time&window=5m&agg=avg&by=route"
echo
curl --silent --show-error --fail-with-body "$gateway/query?name=conflict&window=1d&agg=increase"
echo
