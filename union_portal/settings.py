"""Settings, read from the environment; `.env.example` lists every variable.

Each variable may instead be the content of a file: NAME_FILE names it, and wins.

`./portal` sets PORTAL_EMBEDDED=1 for its private servers: only then do unsafe
conveniences (generated secrets, plain HTTP cookies) apply.
"""

import gc
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from union_portal import keepalive, logs, secret_files, skin

# What a process of Django loads, it keeps: to look through it for garbage after each 700 new things
# takes a twentieth of a page and a seventh of `migrate`.
gc.set_threshold(20_000, 20, 50)

BASE_DIR = Path(__file__).resolve().parent.parent

env = secret_files.Env()

EMBEDDED = env.bool("PORTAL_EMBEDDED", False)
DEBUG = env.bool("PORTAL_DEBUG", False)

# -- secrets ----------------------------------------------------------------------
# The fixed values serve checks that need no secret (makemigrations --check, mypy);
# `manage.py check --deploy` and the web server refuse them (union_portal/checks.py).
INSECURE_SECRET = "insecure-only-for-checks-and-tests-0123456789abcdefghij"  # noqa: S105
SECRET_KEY = env.str("PORTAL_SECRET_KEY", INSECURE_SECRET)
# What older ones signed is still good, until they are taken out: comma separated.
SECRET_KEY_FALLBACKS = env.list("PORTAL_OLD_SECRET_KEYS", default=[])
# "version:algorithm:base64 of 32 bytes", comma separated; the last one named seals, all open.
INSECURE_KEYRING = "1:aes:aW5zZWN1cmUtb25seS1mb3ItY2hlY2tzLWFuZC10ZXM="
PORTAL_KEYRING = env.str("PORTAL_KEYRING", INSECURE_KEYRING)
INSECURE_INDEX_KEY = "aW5zZWN1cmUtaW5kZXgta2V5LWZvci1jaGVja3MtMTI="
PORTAL_INDEX_KEY = env.str("PORTAL_INDEX_KEY", INSECURE_INDEX_KEY)
# Whoever asks for health and figures shows it; without one nobody gets an answer.
PROBE_TOKEN = env.str("PORTAL_PROBE_TOKEN", "")

ALLOWED_HOSTS = env.list("PORTAL_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("PORTAL_TRUSTED_ORIGINS", default=[])

# -- places -----------------------------------------------------------------------
VAR_DIR = Path(env.str("PORTAL_VAR", str(BASE_DIR / "var" / "local")))
MEDIA_ROOT = Path(env.str("PORTAL_MEDIA_DIR", str(VAR_DIR / "media")))
# The sent register must live on another host than the database: mount it there.
REGISTER_DIR = Path(env.str("PORTAL_REGISTER_DIR", str(VAR_DIR / "register")))
BANK_DIR = Path(env.str("PORTAL_BANK_DIR", str(VAR_DIR / "bank")))

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "union_portal.staff_site.StaffSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "pgtrigger",
    "rest_framework",
    "drf_spectacular",
    "union_portal",
    "members",
    "welfare",
    "welfare.disbursement",
    "awards",
    "events",
]

MIDDLEWARE = [
    "union_portal.probes.ProbeMiddleware",
    "union_portal.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "union_portal.headers.HeadersMiddleware",
    "union_portal.headers.KnownRequestsMiddleware",
    # Below the headers: files carry them, too.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "union_portal.middleware.StaffPolicyMiddleware",
    "union_portal.api.addresses.CookielessMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "union_portal.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "union_portal.middleware.ReaderMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "union_portal.middleware.NoStoreMiddleware",
    "union_portal.middleware.TimeOutMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "union_portal.middleware.FirstPasswordMiddleware",
    "union_portal.middleware.SecondFactorMiddleware",
    "union_portal.middleware.ProblemMiddleware",
    "union_portal.middleware.OnceMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "union_portal.urls"
WSGI_APPLICATION = "union_portal.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "union_portal.context.portal",
            ],
            # Every form's csrf_token brings the key that lets the form be carried out once.
            "builtins": ["union_portal.templatetags.once"],
        },
    },
]

# -- data -------------------------------------------------------------------------
DATABASES = {
    "default": env.db("DATABASE_URL", default="postgres://union:union@127.0.0.1:5432/union")
}
# The password apart from the address: as a file of its own it stands in no environment.
DATABASES["default"]["PASSWORD"] = (
    env.str("PORTAL_DATABASE_PASSWORD", "") or DATABASES["default"]["PASSWORD"]
)
# Persistent connections: a page without them costs three times as much.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("PORTAL_CONN_MAX_AGE", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# After so many seconds without a sign of life a connection to database or broker is given up.
_SILENCE = keepalive.Silence(env.int("PORTAL_SILENCE_SECONDS", 60))
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 10,
    **_SILENCE.of_database(),
    **DATABASES["default"].get("OPTIONS", {}),
}
# A role that may replicate, for `manage.py backup` alone.
BACKUP_DATABASE_URL = env.str("PORTAL_BACKUP_DATABASE_URL", "") or env.str("DATABASE_URL", "")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = secret_files.with_password(
    env.str("REDIS_URL", "redis://127.0.0.1:6379/0"), env.str("PORTAL_REDIS_PASSWORD", "")
)
# What is cached are used one-time codes and counted tries: they may not be lost with Redis, and
# nobody may be kept out because it is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "union_portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# -- accounts ---------------------------------------------------------------------
AUTH_USER_MODEL = "union_portal.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "union_portal.backends.RoleBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "union_portal.passwords.RulesValidator"},
]
# "asvs" or "dengbao" (docs/adr/0010-password-rules.md).
PASSWORD_RULES = env.str("PORTAL_PASSWORD_RULES", "asvs")
PASSWORD_LENGTH = env.int("PORTAL_PASSWORD_LENGTH", 12)
# Words that a guesser who knows the place tries first.
PASSWORD_WORDS = env.list(
    "PORTAL_PASSWORD_WORDS",
    default=["union", "portal", "gonghui", "zonggonghui", "yulin", "shaanxi", "工会", "榆林"],
)
# A file of SHA-1 hashes of leaked passwords, in order; empty where there is none.
BREACHED_PASSWORDS = env.str("PORTAL_BREACHED_PASSWORDS", "")
# A first password that is not taken up for so long opens nothing.
FIRST_PASSWORD_HOURS = env.int("PORTAL_FIRST_PASSWORD_HOURS", 72)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "portal:home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_FORMS = {"login": "union_portal.log_in_forms.LogInForm"}
ACCOUNT_ADAPTER = "union_portal.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.int("PORTAL_REAUTHENTICATION_SECONDS", 600)
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
MFA_ADAPTER = "union_portal.adapters.FactorAdapter"
MFA_FORMS = {
    "activate_totp": "union_portal.factor_forms.ActivateAppForm",
    "add_webauthn": "union_portal.factor_forms.AddPasskeyForm",
    "edit_webauthn": "union_portal.factor_forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED
# Tolerance stays 0: allauth remembers a used code for one period only, and a longer life would
# let it be used twice.
MFA_TOTP_TOLERANCE = 0
MFA_TOTP_ISSUER = "Union Portal"
USERSESSIONS_TRACK_ACTIVITY = False
# A session ends so long after the log-in, however busy it is.
SESSION_COOKIE_AGE = env.int("PORTAL_SESSION_SECONDS", 8 * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# Whoever does nothing for this long is logged out.
IDLE_SECONDS = env.int("PORTAL_IDLE_SECONDS", 30 * 60)

# The longest time for which a person is granted a role; 0 for no end.
ROLE_DAYS = env.int("PORTAL_ROLE_DAYS", 366)
# Whoever does not log in for so long is listed, to be closed.
UNUSED_DAYS = env.int("PORTAL_UNUSED_DAYS", 90)

# A factory shares one address: lock the pair of name and address, never the address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("PORTAL_LOGIN_ATTEMPTS", 6)
AXES_COOLOFF_TIME = env.float("PORTAL_LOCKOUT_HOURS", 0.25)
AXES_RESET_ON_SUCCESS = True
# Counted tries are forgotten with the next right one; that they were made is not.
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_USERNAME_CALLABLE = "union_portal.tries.name_of"
AXES_CLIENT_IP_CALLABLE = "union_portal.tries.address_of"
# Proxies that the visitor's address passes through; 0 where nothing stands in front.
PROXY_COUNT = env.int("PORTAL_PROXY_COUNT", 0)
# Per address only what a whole factory at the change of shift stays below; `key` is name and
# address together, or the account whose one-time codes are tried.
ACCOUNT_RATE_LIMITS = {"login": "600/m/ip", "login_failed": "60/m/ip,6/5m/key"}
AXES_SENSITIVE_PARAMETERS = ["username", "login", "ip_address", "password"]

# -- language, time ---------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["union_portal.formats"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# -- files ------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("PORTAL_STATIC_DIR", str(VAR_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG and env.bool("PORTAL_HASHED_STATIC", False)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
UPLOAD_MAX_BYTES = env.int("PORTAL_UPLOAD_MAX_BYTES", 20 * 1024 * 1024)
FILE_UPLOAD_PERMISSIONS = 0o600

# -- transport and content security --------------------------------------------------
SECURE = not EMBEDDED and not DEBUG
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
if SECURE:
    # Browsers keep such a cookie only if this very host set it over TLS for all its paths: no
    # neighbouring host and no plain page can plant one.
    SESSION_COOKIE_NAME = "__Host-portal"
    CSRF_COOKIE_NAME = "__Host-portal-csrf"
    LANGUAGE_COOKIE_NAME = "__Host-portal-language"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_SSL_REDIRECT = SECURE and env.bool("PORTAL_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
# Whether a domain is preloaded into browsers is decided by who owns it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A message names what was done: it stays on the server and comes with no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "union_portal.views.problems.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# The staff site's skin evaluates expressions in attributes: there, and only there.
STAFF_CONTENT_SECURITY_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

PORTAL_OFFICE = env.str("PORTAL_OFFICE", "榆林市总工会")
UNFOLD = skin.of_staff_site(PORTAL_OFFICE)

# -- Celery -------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
# A bell is acknowledged when it is heard: what it rings for stands in a row. Held back until the
# end it would only be lost with its worker, and a lost broker would end the worker (kombu 5.7).
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# A bell is rung once and briefly: with the broker away a page doesn't wait for it. Nor does the
# beat: a retry that fails leaves its producer with a closed channel (kombu 5.7).
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 0,
    "socket_keepalive": True,
    "socket_keepalive_options": _SILENCE.of_socket(),
}
# How often bells that were lost are rung again. What a killed worker held is taken up by the first
# ring after its lease: within the lease and one round, which together stay below a minute.
BEAT_SECONDS = env.float("PORTAL_BEAT_SECONDS", 20.0)
CELERY_BEAT_SCHEDULE = {
    "ring-lost-jobs": {"task": "union_portal.ring_lost_jobs", "schedule": BEAT_SECONDS},
    "seal-audit": {"task": "union_portal.seal_audit", "schedule": 2 * BEAT_SECONDS},
    "send-witnesses": {"task": "union_portal.send_witnesses", "schedule": 3600.0},
    "send-messages": {"task": "union_portal.send_messages", "schedule": 2 * BEAT_SECONDS},
    "count-figures": {"task": "union_portal.count_figures", "schedule": 3600.0},
    "forget-the-past": {"task": "union_portal.forget_the_past", "schedule": 3600.0},
    "lapse-roles": {"task": "union_portal.lapse_roles", "schedule": 3600.0},
    "drive-batches": {"task": "disbursement.wake", "schedule": BEAT_SECONDS},
    "mark-unanswered": {"task": "disbursement.mark_unanswered", "schedule": 3600.0},
    "check-invariants": {
        "task": "disbursement.check_invariants",
        "schedule": crontab(hour=3, minute=10),
    },
    "forget-imports": {"task": "members.sweep", "schedule": 3600.0},
    # What one round counts is removed by the next, a week later.
    "retention": {"task": "members.retain", "schedule": crontab(day_of_week=0, hour=4, minute=10)},
}
# Bank days after which a line without an answer counts as unanswered, never as paid.
PAYOUT_ANSWER_DAYS = env.int("PORTAL_PAYOUT_ANSWER_DAYS", 5)
# Further approvals by amount, beside those a fund asks for:
# [{"from_fen": 100000000, "steps": ["second_releaser"]}]
PAYOUT_APPROVAL_TIERS = env.json("PORTAL_PAYOUT_APPROVAL_TIERS", default=[])
QUEUE_LEASE_SECONDS = env.int("PORTAL_LEASE_SECONDS", 30)

# -- notifications ------------------------------------------------------------------
SMS_GATEWAY = env.str("PORTAL_SMS_GATEWAY", "union_portal.notifications.OutboxGateway")
SMS_HTTP_URL = env.str("PORTAL_SMS_HTTP_URL", "")
SMS_HTTP_KEY = env.str("PORTAL_SMS_HTTP_KEY", "")
# E-mail goes to offices alone: smtp+tls://user:password@host:587, consolemail://, or a folder
# (filemail:////folder) that stands for the mail server until one is named.
EMAIL_URL = env.str("PORTAL_EMAIL_URL", "") or f"filemail:///{VAR_DIR / 'mail'}"
vars().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("PORTAL_EMAIL_FROM", "union-portal@localhost")

# -- the API --------------------------------------------------------------------------
# Calls within one minute; a market hall may share one address.
API_CALLS_PER_ACCOUNT = env.int("PORTAL_API_CALLS_PER_ACCOUNT", 120)
API_CALLS_PER_ADDRESS = env.int("PORTAL_API_CALLS_PER_ADDRESS", 600)
# How long a token of a till or a member serves; one of staff serves as long as a session.
API_LOG_IN_DAYS = env.int("PORTAL_API_LOG_IN_DAYS", 30)
# An endpoint that does not say who calls it opens for nobody.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["union_portal.api.gates.Gate"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "union_portal.api.schema.Described",
    "EXCEPTION_HANDLER": "union_portal.api.problems.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Union Portal",
    "DESCRIPTION": "What programs may ask and do. How to go about it: docs/api.md.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "union_portal.api.schema.shut",
    ],
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        "Role": "union_portal.access.Role",
        "CardState": "members.states.CardState",
        "RedemptionState": "members.states.RedemptionState",
        "MembershipState": "members.states.MembershipState",
        "StatementState": "welfare.states.StatementState",
        "StatementLineState": "welfare.states.StatementLineState",
        "OfferKind": "members.models.OfferKind",
        "Need": "members.models.Need",
        "UnionLevel": "union_portal.models.OrganizationLevel",
    },
}

# -- the log ------------------------------------------------------------------------
LOGGING_CONFIG = "union_portal.logs.configure"
LOGGING = logs.configuration(
    form=env.str("PORTAL_LOG_FORM", "plain" if EMBEDDED else "json"),
    level=env.str("PORTAL_LOG_LEVEL", "INFO"),
)
DEFAULT_EXCEPTION_REPORTER_FILTER = "union_portal.secret_files.ReportFilter"
logs.hide(
    secret_files.in_values(
        *(SECRET_KEY, *SECRET_KEY_FALLBACKS, PORTAL_KEYRING, PORTAL_INDEX_KEY, PROBE_TOKEN),
        *(DATABASES["default"]["PASSWORD"], REDIS_URL, BACKUP_DATABASE_URL, SMS_HTTP_KEY),
        EMAIL_URL,
    )
)
