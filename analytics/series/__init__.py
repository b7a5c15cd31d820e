"""Time series: how batches become sealed segments, and how those are read back."""
