"""The hasher that deployments have, at a fraction of its cost."""

from django.contrib.auth.hashers import Argon2PasswordHasher

HASHERS = ["tests.console.hashing.QuickArgon2"]


class QuickArgon2(Argon2PasswordHasher):
    """Argon2id in its usual form; how long one hash takes is no matter of these tests."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
