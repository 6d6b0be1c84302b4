"""Log-in accounts and the roles they hold, each for one organization and a time."""

from itertools import permutations

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from union_portal.access import INCOMPATIBLE, Role
from union_portal.models.organizations import Organization
from union_portal.triggers import Trigger

SESSION_SALT = "union_portal.Account.session"


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, username: str, password: str | None = None, **extra: object) -> "Account":
        account = self.model(username=username, **extra)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(self, username: str, password: str, **extra: object) -> "Account":
        return self.create_user(username, password, is_staff=True, is_superuser=True, **extra)


class Account(AbstractBaseUser):
    """Someone who may log in. Rights come only from roles: `is_superuser` opens no door."""

    username = models.CharField(_("log-in name"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=60)
    # allauth reads it; the portal sends nothing by e-mail and staff may leave it empty.
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("May open the staff site.")
    )
    is_superuser = models.BooleanField(_("superuser"), default=False, editable=False)
    # Somebody else chose the password and has seen it: nothing opens before it is changed.
    is_password_first = models.BooleanField(_("first password"), default=False, editable=False)
    password_set_at = models.DateTimeField(
        _("password set at"), default=timezone.now, editable=False
    )
    # Counted up to end every session at once: those of an earlier round open nothing.
    session_round = models.PositiveIntegerField(_("round of sessions"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = AccountManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must match to be let in: it ends with the password and with its round."""
        held = f"{self.password}|{self.session_round}"
        return salted_hmac(SESSION_SALT, held, secret=secret, algorithm="sha256").hexdigest()

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's question, answered by the roles (see `backends.RoleBackend`)."""
        from union_portal.backends import RoleBackend

        return self.is_active and RoleBackend().has_perm(self, perm, obj)

    def has_perms(self, perms: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff


class PastPassword(models.Model):
    """The hash of a password that was used before, kept where the rules forbid to use it again."""

    account = models.ForeignKey(
        Account, models.CASCADE, verbose_name=_("account"), related_name="past_passwords"
    )
    password = models.CharField(_("password"), max_length=128)
    replaced_at = models.DateTimeField(_("replaced at"), default=timezone.now)

    class Meta:
        verbose_name = _("past password")
        verbose_name_plural = _("past passwords")
        ordering = ["-replaced_at", "-id"]

    def __str__(self) -> str:
        return str(self.account)


_PAIRS = ", ".join(
    sorted(f"'{one}+{other}'" for pair in INCOMPATIBLE for one, other in permutations(sorted(pair)))
)
# The account's row is locked: of two grants at once, the second sees the first.
_INCOMPATIBLE = f"""
    PERFORM 1 FROM union_portal_account WHERE id = NEW.account_id FOR UPDATE;
    IF EXISTS (
        SELECT 1 FROM union_portal_roleassignment held
        WHERE held.account_id = NEW.account_id AND held.id <> NEW.id
          AND held.role || '+' || NEW.role IN ({_PAIRS})
          AND daterange(held.valid_from, held.valid_to, '[]')
              && daterange(NEW.valid_from, NEW.valid_to, '[]')
    ) THEN
        RAISE EXCEPTION 'role: one account cannot hold both'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'role_incompatible';
    END IF;
    RETURN NEW;
"""  # noqa: S608


class RoleAssignment(models.Model):
    """One role of one account for one organization and everything below it."""

    account = models.ForeignKey(
        Account, models.CASCADE, verbose_name=_("account"), related_name="roles"
    )
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="roles"
    )
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    granted_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("granted by"), null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "role", "organization"], name="role_once_per_organization"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="role_ends_after_start",
            ),
        ]
        triggers = [
            Trigger(
                name="role_incompatible",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_INCOMPATIBLE,
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {Role(self.role).label} – {self.organization}"
