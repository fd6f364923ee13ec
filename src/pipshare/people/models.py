"""The person who signs in, as Django knows it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from pipshare.people.roles import ROLES, may

_ROLE_CHOICES = [(role.code, role.name) for role in ROLES.values()]


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the person with this e-mail address. Raises User.DoesNotExist."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """One person. `role` says what he may do; a partner also names his `partner_code`."""

    email = models.EmailField("e-mail address", max_length=254)
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=30, choices=_ROLE_CHOICES)
    partner_code = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    factor_exempt = models.BooleanField(default=False, db_default=False)
    added_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        """One address, one person; a partner's sign-in belongs to a partner, others to none."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="people_user_email"),
            models.CheckConstraint(
                condition=models.Q(role="partner") ^ models.Q(partner_code=""),
                name="people_user_partner",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=sorted(ROLES)), name="people_user_role"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def may(self, permission: str) -> bool:
        """Whether this person has a permission of people.roles."""
        return bool(self.is_active) and may(self.role, permission)

    @property
    def role_name(self) -> str:
        """The role as people call it."""
        return ROLES[self.role].name

    def set_password(self, raw_password: Any) -> None:
        """Set a password of the person's own choice: nothing more to change after it."""
        super().set_password(raw_password)
        self.must_change_password = False
