"""What each deployment does by the clock."""
