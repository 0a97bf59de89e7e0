"""Records a grants office's cases with a Bellwether gateway and reads its scorecard.

Only the standard library is used. The gateway's address is BELLWETHER_URL, or http://127.0.0.1:4000.
"""

import json
import os
import urllib.error
import urllib.request


class MonitoringError(Exception):
    """The gateway refused a request; `code` is stable, the text is for people."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class MonitoringModule:
    def __init__(self, url=None):
        self.url = (url or os.environ.get("BELLWETHER_URL", "http://127.0.0.1:4000")).rstrip("/")

    def record_resolution_time(self, case_id, days):
        self._record(name="resolution_time", value=days, unit="days", ref=case_id)

    def record_satisfaction(self, case_id, score):
        self._record(name="satisfaction", value=score, ref=case_id)

    def record_conflict(self, case_id):
        # An event: the samples are counted, not averaged.
        self._record(name="conflict", value=1, kind="event", ref=case_id)

    def get_dashboard(self):
        return json.loads(self._ask("/api/v1/dashboard"))

    def _record(self, **sample):
        # The case goes along as `ref`: kept with the sample, and no label, so that cases do not become series.
        self._ask("/ingest", json.dumps(sample).encode())

    def _ask(self, path, body=None):
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read()
        except urllib.error.HTTPError as refusal:
            raise self._error(json.loads(refusal.read())) from None

    @staticmethod
    def _error(answer):
        # One refused sample is named under "rejected", a refused request under "error".
        reason = answer["rejected"][0] if "rejected" in answer else answer["error"]
        return MonitoringError(reason["code"], reason["message"])
