"""``/healthz`` says that the process lives, ``/readyz`` that it can serve."""

from django.db import Error as DatabaseError, connections
from django.http import HttpRequest, JsonResponse

from config.methods import reads


@reads
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process answers at all."""
    return JsonResponse({"status": "alive"})


@reads
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 once every database answers; 503 with what does not."""
    missing = []
    for alias in connections:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            missing.append(alias)
    status = 503 if missing else 200
    return JsonResponse(
        {"status": "ready" if not missing else "waiting", "missing": missing}, status=status
    )
