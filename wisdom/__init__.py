"""What is known of a destination: an index of everybody's lists, scored with reasons."""
