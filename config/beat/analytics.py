"""What every engine does by the clock."""

SCHEDULE = {
    "analytics.retain": {
        "task": "analytics.retain",
        "schedule": 3600.0,  # seconds; retention is counted in hours and days
        "options": {"expires": 3000, "queue": "analyse"},
    },
}
