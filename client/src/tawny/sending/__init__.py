"""From files to the service: walk, read, map, cut into batches, deliver, account for it all."""
