"""How much each plan may ask, with the reason of each number.

Measured against what existing clients do: one posts every 30 s a kind or at 65,535 events (11 MB),
another sends 20 stored batches again at once after an outage. A full plan is bounded where one
tenant would take a machine from the others, not where it is used.
"""

from tenants.plans import Limits, Plan, Rate

MIB = 1 << 20

LIMITS: dict[Plan, Limits] = {
    Plan.FULL: Limits(
        # requests: a hundred sensors of five kinds every 30 s are 17 a second
        key_requests=Rate(per_second=100, burst=1_000),
        tenant_requests=Rate(per_second=200, burst=2_000),
        # octets as received: 64 MiB/s is more than one web process decodes; the burst is four
        # requests at the cap of a body (512 MiB)
        key_octets=Rate(per_second=64 * MIB, burst=2_048 * MIB),
        tenant_octets=Rate(per_second=128 * MIB, burst=4_096 * MIB),
        events_a_day=None,
        days=None,
    ),
    Plan.PROVISIONAL: Limits(
        # requests: one sensor of five kinds that polls every 5 s, and its 20 stored batches
        key_requests=Rate(per_second=2, burst=100),
        tenant_requests=Rate(per_second=2, burst=100),
        # octets: a day's events (17 MB) at once and then some
        key_octets=Rate(per_second=MIB, burst=64 * MIB),
        tenant_octets=Rate(per_second=MIB, burst=64 * MIB),
        events_a_day=100_000,  # a small office's day: enough to see what the product finds
        days=30,
    ),
}
