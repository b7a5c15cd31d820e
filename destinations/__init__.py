"""The vocabulary that engine and Wisdom share: names, addresses, networks, flags, reports."""
