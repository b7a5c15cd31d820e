"""The engine's HTTP API: thin doors, one file a resource."""
