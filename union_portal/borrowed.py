"""Texts of Django and allauth that this portal words itself, named for the catalogue.

Our catalogue is read last, so its wording wins: one word for one thing on every page.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

# One word for one thing in English too: what allauth calls a security key is a passkey here.
IN_ENGLISH = {
    "Add Security Key": "Add a passkey",
    "Are you sure you want to remove this security key?": (
        "Are you sure you want to remove this passkey?"
    ),
    "Edit Security Key": "Rename a passkey",
    "No security keys have been added.": "No passkey has been added.",
    "Remove Security Key": "Remove a passkey",
    "Periodic Tasks": "Portal",
    "Security Keys": "Passkeys",
    "Security key": "Passkey",
    "Security key added.": "Passkey added.",
    "Security key removed.": "Passkey removed.",
    "Use a security key": "Use a passkey",
    ("You have added %(count)s security key.", "You have added %(count)s security keys."): (
        "You have added %(count)s passkey.",
        "You have added %(count)s passkeys.",
    ),
}
# The package's name for its part of the staff site: its list is one of the portal's own.
TASKS = (gettext_noop("Periodic Tasks"),)
FORMS = (
    gettext_noop("Enter a complete value."),
    gettext_noop("Enter a number."),
    gettext_noop("Enter a valid date."),
    gettext_noop("Enter a valid email address."),
    gettext_noop("Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."),
    gettext_noop("Enter a valid value."),
    gettext_noop("Enter a whole number."),
    gettext_noop("Ensure this value is greater than or equal to %(limit_value)s."),
    gettext_noop("Ensure this value is less than or equal to %(limit_value)s."),
    gettext_noop("No file was submitted."),
    gettext_noop("Select a valid choice. %(value)s is not one of the available choices."),
    gettext_noop("Select a valid choice. That choice is not one of the available choices."),
    gettext_noop("The submitted file is empty."),
    gettext_noop("This field is required."),
    gettext_noop("Are you sure?"),
    gettext_noop("You don’t have permission to view or edit anything."),
    gettext_noop("Your password can’t be too similar to your other personal information."),
)
LENGTHS = (
    ngettext_lazy(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    ngettext_lazy(
        "Ensure this filename has at most %(max)d character (it has %(length)d).",
        "Ensure this filename has at most %(max)d characters (it has %(length)d).",
        "max",
    ),
)
SECOND_FACTOR = (
    gettext_noop("A new set of recovery codes has been generated."),
    gettext_noop("Activate Authenticator App"),
    gettext_noop("Add Security Key"),
    gettext_noop("Alternative options"),
    gettext_noop("An authenticator app is not active."),
    gettext_noop("Are you sure you want to remove this security key?"),
    gettext_noop("Authentication using an authenticator app is active."),
    gettext_noop("Authenticator App"),
    gettext_noop("Authenticator app activated."),
    gettext_noop("Authenticator app deactivated."),
    gettext_noop("Authenticator code"),
    gettext_noop("Authenticator secret"),
    gettext_noop("Backup key"),
    gettext_noop("Code"),
    gettext_noop("Create Passkey"),
    gettext_noop("Deactivate Authenticator App"),
    gettext_noop("Download codes"),
    gettext_noop("Edit Security Key"),
    gettext_noop(
        "Enabling passwordless operation allows you to sign in using just this key, but imposes"
        " additional requirements such as biometrics or PIN protection."
    ),
    gettext_noop("Enter an authenticator code:"),
    gettext_noop("Generate new codes"),
    gettext_noop("I have saved my recovery codes"),
    gettext_noop("Incorrect code."),
    gettext_noop("Key"),
    gettext_noop("Key nr. {number}"),
    gettext_noop("MFA"),
    gettext_noop("Master key"),
    gettext_noop("No recovery codes set up."),
    gettext_noop("No security keys have been added."),
    gettext_noop("Passkey"),
    gettext_noop("Passwordless"),
    gettext_noop("Please reauthenticate to safeguard your account."),
    gettext_noop("Recovery Codes"),
    gettext_noop("Recovery codes"),
    gettext_noop("Remove Security Key"),
    gettext_noop("Security Keys"),
    gettext_noop("Security key"),
    gettext_noop("Security key added."),
    gettext_noop("Security key removed."),
    gettext_noop("TOTP Authenticator"),
    gettext_noop("This action will invalidate your existing codes."),
    gettext_noop("This key does not indicate whether it is a passkey."),
    gettext_noop(
        "To protect your account with two-factor authentication, scan the QR code below with your"
        " authenticator app. Then, input the verification code generated by the app below."
    ),
    gettext_noop("Two-Factor Authentication"),
    gettext_noop("Unused codes"),
    gettext_noop("Use a security key"),
    gettext_noop("Use authenticator app or code"),
    gettext_noop("WebAuthn"),
    gettext_noop(
        "You are about to deactivate authenticator app based authentication. Are you sure?"
    ),
    gettext_noop("You are about to generate a new set of recovery codes for your account."),
    gettext_noop(
        "You can store this secret and use it to reinstall your authenticator app at a later time."
    ),
    gettext_noop(
        "You cannot add an email address to an account protected by two-factor authentication."
    ),
    gettext_noop("You cannot deactivate two-factor authentication."),
    gettext_noop(
        "You cannot generate recovery codes without having two-factor authentication enabled."
    ),
    gettext_noop(
        "Your account is protected by two-factor authentication."
        " Please enter an authenticator code:"
    ),
)
KEYS = (
    ngettext_lazy(
        "You have added %(count)s security key.", "You have added %(count)s security keys.", "count"
    ),
    ngettext_lazy(
        "There is %(unused_count)s out of %(total_count)s recovery codes available.",
        "There are %(unused_count)s out of %(total_count)s recovery codes available.",
        "unused_count",
    ),
)
