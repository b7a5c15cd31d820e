"""The people of a tenant, the mails to them, and the links in those mails."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models.rows import TenantModel


class MemberRole(models.TextChoices):
    """What a person may do with a tenant's account."""

    OWNER = "owner"  # may have a lost key replaced by mail
    MEMBER = "member"


class Member(TenantModel):
    """A person of a tenant: name and addresses sealed under the tenant's key.

    ``mail_index`` is the blind index of the normalised e-mail address, under the tenant's own key.
    ``mail_tag`` is set once the address is proven: the keyed hash of the deployment under which a
    lost key's owner is found across tenants (docs/adr/0010).
    """

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    role = models.CharField(max_length=8, choices=MemberRole)
    mail_index = models.BinaryField(max_length=16)
    mail_tag = models.BinaryField(max_length=16, null=True)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "member"
        constraints = [
            models.UniqueConstraint(fields=("tenant_id", "mail_index"), name="member_mail"),
            models.CheckConstraint(
                name="member_role_known", condition=models.Q(role__in=MemberRole.values)
            ),
            models.CheckConstraint(
                name="member_tag_is_proven",
                condition=models.Q(mail_tag=None) | models.Q(verified_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=("mail_tag",),
                name="member_mail_tag",
                condition=models.Q(mail_tag__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.id}"


class Letter(models.Model):
    """A mail that waits to be written and sent. It names nobody: what it says is sealed."""

    id = models.UUIDField(primary_key=True)
    sealed = models.BinaryField()
    due_at = models.DateTimeField()
    attempt = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "letter"
        indexes = [models.Index(fields=("due_at",), name="letter_due")]

    def __str__(self) -> str:
        return f"letter {self.id}"


class Link(models.Model):
    """A link in a mail that works once: the MAC of its token, and sealed whom it is for."""

    mac = models.BinaryField(primary_key=True, max_length=32)
    sealed = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "mail_link"
        indexes = [models.Index(fields=("expires_at",), name="mail_link_age")]

    def __str__(self) -> str:
        return f"link until {self.expires_at:%Y-%m-%d}"
