"""People: who may sign in, in which role, with which second factor.

What comes in: an e-mail address, a password, a code of an authenticator. What goes out: a User, and
what that role may do. Guarantee: passwords are stored as argon2id, the secrets of authenticators
sealed; each sign-in, refusal and change of a person is in the audit trail; people are disabled,
never deleted.

The model is `pipshare.people.models.User`; it is not imported here, as Django has to be set up
first.
"""

from pipshare.people.roles import PERMISSIONS, ROLES, Role, may

__all__ = ["PERMISSIONS", "ROLES", "Role", "may"]
