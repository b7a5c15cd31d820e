"""One settings module a deployment: ``embedded`` (default), ``cloud``, ``engine``, ``test``."""
