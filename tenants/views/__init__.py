"""What strangers and new tenants ask for."""
