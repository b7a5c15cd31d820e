"""Other people's lists: fetched under guard, kept by release, never trusted blindly."""
