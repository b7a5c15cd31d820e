"""What every engine does by the clock."""

SCHEDULE = {
    "analytics.retain": {
        "task": "analytics.retain",
        "schedule": 3600.0,  # seconds; retention is counted in hours and days
        "options": {"expires": 3000, "queue": "analyse"},
    },
    "tenants.deliver": {
        "task": "tenants.deliver",
        "schedule": 60.0,  # seconds; a mail goes out on commit, this is for one that could not
        "options": {"expires": 55, "queue": "deliver"},
    },
    "tenants.tidy": {
        "task": "tenants.tidy",
        "schedule": 900.0,  # seconds; what is tidied is judged by its own time wherever it is read
        "options": {"expires": 800, "queue": "deliver"},
    },
    "console.tidy": {
        "task": "console.tidy",
        "schedule": 900.0,  # seconds; who has no authenticator cannot sign in meanwhile either
        "options": {"expires": 800, "queue": "deliver"},
    },
}
