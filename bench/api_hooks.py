"""What schemathesis has to be told before it can make our requests."""

import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
