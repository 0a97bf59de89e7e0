# example_usage.py
from monitoring import MonitoringModule

mon = MonitoringModule()

# Record events
mon.record_resolution_time(case_id="HA-001", days=5)
mon.record_satisfaction(case_id="HA-001", score=4.2)
mon.record_conflict(case_id="HA-002")

# Fetch aggregated dashboard
dashboard = mon.get_dashboard()
print(dashboard)
