"""What a deployment with Wisdom does by the clock."""

SCHEDULE = {
    "feeds.refresh_due": {
        "task": "feeds.refresh_due",
        "schedule": 60.0,  # seconds; a list edited by hand serves within two minutes
        "options": {"expires": 55, "queue": "feeds"},  # a tick that waited is not worth running
    },
    "wisdom.publish": {
        "task": "wisdom.publish",
        "schedule": 60.0,
        "options": {"expires": 55, "queue": "feeds"},
    },
}
