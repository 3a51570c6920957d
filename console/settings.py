"""Settings: each variable is read once, with its type and default; a bad value stops the start.

Every secret is also read from NAME_FILE. Without DATABASE_URL and REDIS_URL the addresses come
from the running `manage.py up` of the data directory (spec section 2).

The comment above a variable is its line in docs/settings.md (`manage.py settings_page` writes that
page). It ends with "Default: ..." where the default is not a plain value.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from console.api.rest_settings import REST_FRAMEWORK as REST_FRAMEWORK
from console.api.rest_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# --- Data directory and stores -------------------------------------------------------------
# Where `manage.py up` keeps the stores, logs and passwords of its run, and where other commands look
# for a run that goes on. Default: `var` beside `manage.py`.
DATA_DIR = Path(env.str("TIDEGATE_DATA", default=str(BASE_DIR / "var"))).resolve()
_running: dict[str, str] = {}
if (DATA_DIR / "env.json").is_file():
    _running = json.loads((DATA_DIR / "env.json").read_text())

# PostgreSQL, as `postgresql://user:password@host:5432/name`. Default: that of the running
# `manage.py up`, which brings its own.
DATABASE_URL = env.str("DATABASE_URL", default=_running.get("DATABASE_URL", ""))
# Redis, as `redis://host:6379/0`, for caches and wake-up hints; nothing in it must survive.
# Default: that of the running `manage.py up`.
REDIS_URL = env.str("REDIS_URL", default=_running.get("REDIS_URL", ""))
# Redis for the queue of tasks. Default: `REDIS_URL`.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)
# Redis for live pages. Default: `REDIS_URL`.
CHANNEL_REDIS_URL = env.str("CHANNEL_REDIS_URL", default=REDIS_URL)

DATABASES = {
    "default": {
        **environ.Env.db_url_config(
            DATABASE_URL or "postgresql:///no-database-url-set",
            # Without a database nothing waits for one: makemigrations --check needs none.
            engine="django.db.backends.postgresql" if DATABASE_URL else "console.no_database",
        ),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "pool": {
                "min_size": 1,
                # Connections to PostgreSQL that one process holds at most.
                "max_size": env.int("DATABASE_POOL_SIZE", default=8),
                "timeout": 10,
            }
        },
        "ATOMIC_REQUESTS": False,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Keys and addresses --------------------------------------------------------------------
# Error pages with source text and settings: for development on your own machine only.
DEBUG = env.bool("DEBUG", default=False)
# Signs sessions, forms and the tokens of own metrics: 50 random characters or more, the same for all
# processes. The start is refused without it. Default: that of the running `manage.py up`, which
# makes one.
SECRET_KEY = env.str("SECRET_KEY", default=_running.get("SECRET_KEY", ""))
# Earlier values of SECRET_KEY that still verify, while a new one is brought in.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# How people reach the console. With https, cookies are only sent over TLS. Default:
# `http://127.0.0.1:8080`, or where the running `manage.py up` listens.
PUBLIC_URL = env.str("PUBLIC_URL", default=_running.get("PUBLIC_URL", "http://127.0.0.1:8080"))
# Where agents reach the gateway, as pages show it. Default: the host of the page, port 4320,
# `/v1/opamp`.
OPAMP_URL = env.str("OPAMP_URL", default="")
# Pages say what to try, and where the passwords of the demo's people are: `manage.py up --demo` sets it.
DEMO = env.bool("TIDEGATE_DEMO", default=False)
# Names in the Host header that the console answers to; others get 400.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
_PUBLIC_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(PUBLIC_URL))
# Origins that forms may come from. TLS may end in front of us, and forwarded headers are not read:
# then a browser's https origin is not what the request looks like, and every form would be refused.
# Default: the origin of `PUBLIC_URL`.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[_PUBLIC_ORIGIN])
_MANAGEMENT_ONLY = {
    "certs",
    "collectstatic",
    "help",
    "makemigrations",
    "simulate",
    "spectacular",
    "up",
}
if not SECRET_KEY:
    if not _MANAGEMENT_ONLY.isdisjoint(sys.argv[1:2]):
        SECRET_KEY = "only-for-commands-that-serve-nobody"  # noqa: S105  commands that sign nothing
    else:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set SECRET_KEY (or SECRET_KEY_FILE), "
            "or start everything with `make up`, which makes one."
        )

# --- Applications --------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "channels",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "agents",
    "rollouts",
    "certs",
    "console",
]
AUTH_USER_MODEL = "accounts.User"
# Outermost first: what makes headers stands inside what compresses, and all of it inside HEAD.
MIDDLEWARE = [
    "console.middleware.context.RequestContextMiddleware",
    "console.middleware.policy.PolicyMiddleware",
    "console.middleware.hosts.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "console.middleware.static_files.StaticFilesMiddleware",
    "console.middleware.heads.HeadMiddleware",
    "console.middleware.compression.CompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.middleware.problems.ProblemMiddleware",
]
ROOT_URLCONF = "console.urls"
ASGI_APPLICATION = "console.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "console.lib.lean_templates.LeanLoader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.pages.frame.context.frame",
            ],
        },
    }
]

# --- People --------------------------------------------------------------------------------
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "fleet:overview"
LOGOUT_REDIRECT_URL = "accounts:login"
SESSION_ENGINE = "console.session_store"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Browsers keep cookies by host, not by port: two consoles on one machine must not sign each other out.
_COOKIE_SUFFIX = f"_{urlsplit(PUBLIC_URL).port}" if urlsplit(PUBLIC_URL).port else ""
SESSION_COOKIE_NAME = f"tidegate_session{_COOKIE_SUFFIX}"
CSRF_COOKIE_NAME = f"tidegate_csrf{_COOKIE_SUFFIX}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Language and time ---------------------------------------------------------------------
# The language of pages for a browser that asks for none we have.
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English")]
# The zone of times on pages until a person chooses another one; the API always says UTC.
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True

# --- Static files --------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Where `collectstatic` puts the files of pages and the console finds them. Default: `staticfiles` in
# `TIDEGATE_DATA`.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "staticfiles")))
# Names with hashes once they are collected; `collectstatic` itself makes them.
_HASHED = (STATIC_ROOT / "staticfiles.json").is_file() or sys.argv[1:2] == ["collectstatic"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _HASHED

# --- Redis: caches, live pages, tasks ------------------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or "redis://127.0.0.1:6379/0",
        "KEY_PREFIX": "tidegate",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [CHANNEL_REDIS_URL or "redis://127.0.0.1:6379/0"],
            "prefix": "tidegate",
        },
    }
}

# --- Engine --------------------------------------------------------------------------------
# Seconds from one look at what is due to the next.
TICK_INTERVAL_S = env.float("TIDEGATE_TICK_INTERVAL_S", default=1.0)
TASK_SOFT_LIMIT_S, TASK_HARD_LIMIT_S = 20, 30
# Seconds after which PostgreSQL cancels a statement of a worker. Less than the 20 after which the
# task itself is stopped: PostgreSQL would go on with it when nobody waits any more.
WORKER_STATEMENT_TIMEOUT_S = env.float("WORKER_STATEMENT_TIMEOUT_S", default=15.0)
if not 0 < WORKER_STATEMENT_TIMEOUT_S < TASK_SOFT_LIMIT_S:
    raise ImproperlyConfigured(
        f"WORKER_STATEMENT_TIMEOUT_S is {WORKER_STATEMENT_TIMEOUT_S:g}; it must be more than 0 and "
        f"less than {TASK_SOFT_LIMIT_S}, the seconds after which a task is stopped."
    )
# A server of the Prometheus HTTP API that gates may ask; without one they judge by what agents
# report.
PROMETHEUS_URL = env.str("PROMETHEUS_URL", default="")
# Sent as `X-Scope-OrgID`, for servers with tenants.
PROMETHEUS_TENANT = env.str("PROMETHEUS_TENANT", default="")
# Sent as a bearer token.
PROMETHEUS_TOKEN = env.str("PROMETHEUS_TOKEN", default="")
# Certificates (PEM) that the server's own is checked against, instead of the usual ones.
PROMETHEUS_CA_FILE = env.str("PROMETHEUS_CA_FILE", default="")
# Labels of Prometheus that name an agent, strongest first. `host_name` carries the attribute
# `host.name` of the agent; `node=host.name` says it where the names differ. A series that fits no
# agent is a stranger's and decides nothing.
PROMETHEUS_AGENT_LABELS = env.list(
    "PROMETHEUS_AGENT_LABELS",
    default=["service_instance_id", "instance", "host_name", "k8s_pod_name"],
)
_BAD_LABELS = [
    word
    for word in PROMETHEUS_AGENT_LABELS
    if word.strip() and not re.fullmatch(r"\s*[A-Za-z_]\w*\s*(?:=.*)?", word, re.ASCII)
]
if _BAD_LABELS:
    raise ImproperlyConfigured(
        f"PROMETHEUS_AGENT_LABELS names {_BAD_LABELS[0]!r}, which is not a label of Prometheus; "
        "write it like host_name, or node=host.name"
    )
# Days that the readings of gates are kept after their rollout is over.
MEASUREMENTS_KEEP_DAYS = env.int("MEASUREMENTS_KEEP_DAYS", default=90)
# Hours that own metrics of agents are kept while a rollout watches the agent.
OWN_METRICS_KEEP_H = env.int("OWN_METRICS_KEEP_H", default=72)
# Hours that they are kept otherwise; the "before" of a comparison must fit into it.
OWN_METRICS_BASELINE_H = env.int("OWN_METRICS_BASELINE_H", default=3)
# Hosts with private addresses that Tidegate may call (webhooks and the like). The host of
# `PROMETHEUS_URL` is allowed by being named there.
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])

# --- Signed configuration ------------------------------------------------------------------
# RSA key (PEM, mode 0600) that signs config versions. Only the worker of the queue `certs` reads it;
# without one versions are not signed. With `CONFIG_SIGNER_COMMAND`: the public key of what it signs
# with.
CONFIG_SIGNING_KEY_FILE = env.str("CONFIG_SIGNING_KEY_FILE", default="")
# Signs instead of the key file, e.g. a client of a KMS: gets the bytes on standard input and prints
# the signature (RSA PKCS#1 v1.5, SHA-256) in base64.
CONFIG_SIGNER_COMMAND = env.str("CONFIG_SIGNER_COMMAND", default="")
# Only versions with a valid signature are sent to agents.
CONFIG_SIGNING_REQUIRED = env.bool("CONFIG_SIGNING_REQUIRED", default=False)
# Stands in the manifest of each signed version; hosts refuse one of another environment.
CONFIG_SIGNING_ENVIRONMENT = env.str("CONFIG_SIGNING_ENVIRONMENT", default="production")

# --- Agents: TLS and proxies ---------------------------------------------------------------
# The gateway's certificate: a PEM file with the server's own first, then what stands between it and its
# CA. A new one is taken within seconds, without a restart.
OPAMP_TLS_CERT = env.str("OPAMP_TLS_CERT", default="")
# The key of `OPAMP_TLS_CERT`: a PEM file that only its owner may read.
OPAMP_TLS_KEY = env.str("OPAMP_TLS_KEY", default="")
# Whether the gateway speaks TLS. Default: when `OPAMP_TLS_CERT` is set.
OPAMP_TLS_ENABLED = env.bool("OPAMP_TLS_ENABLED", default=bool(OPAMP_TLS_CERT))
# A PEM file of authorities whose certificates agents may show, beside those that `manage.py certs trust`
# keeps in the database.
OPAMP_TLS_CLIENT_CA = env.str("OPAMP_TLS_CLIENT_CA", default="")
# Whose a certificate of `OPAMP_TLS_CLIENT_CA` is: a regular expression on a URI of its SAN, else its CN,
# with a group `uid` or `name`. Default: the uid in `spiffe://.../agent/UID`, else whoever has that name.
OPAMP_TLS_IDENTITY_RULE = env.str("OPAMP_TLS_IDENTITY_RULE", default="")
# `optional`, or `required`: then there is no handshake without a client certificate, and no sentence
# either for who has none.
OPAMP_TLS_CLIENT_CERT = env.str("OPAMP_TLS_CLIENT_CERT", default="optional")
# The least version of TLS, `1.3` or `1.2`.
OPAMP_TLS_MIN_VERSION = env.str("OPAMP_TLS_MIN_VERSION", default="1.3")
# Refuse an expired client certificate in the handshake, where no sentence can tell the agent why.
OPAMP_TLS_STRICT_HANDSHAKE = env.bool("OPAMP_TLS_STRICT_HANDSHAKE", default=False)
# Proxies in front of the gateway, as addresses or networks: only from these are forwarded addresses and
# certificates read.
OPAMP_TRUSTED_PROXIES = env.list("OPAMP_TRUSTED_PROXIES", default=[])
# The header in which such a proxy hands on the client's certificate: `X-SSL-Client-Cert`, `Client-Cert`
# or `X-Forwarded-Client-Cert`. Then certificates are taken from nowhere else.
OPAMP_CLIENT_CERT_HEADER = env.str("OPAMP_CLIENT_CERT_HEADER", default="")

# --- Certificates --------------------------------------------------------------------------
# The certificate (PEM) of the authority that signs for agents; without one nothing is issued.
CERTIFICATES_CA_FILE = env.str("CERTIFICATES_CA_FILE", default="")
# Its key (PEM, unencrypted), of mode 0600. Only the process `issuer` reads it, so only that process
# needs it; never put it where the console or a gateway can read it.
CERTIFICATES_CA_KEY_FILE = env.str("CERTIFICATES_CA_KEY_FILE", default="")
# The trust domain in the names of agents: `spiffe://DOMAIN/agent/UID`.
CERTIFICATES_DOMAIN = env.str("CERTIFICATES_DOMAIN", default="tidegate")
# Hours that a certificate of an agent lives.
CERTIFICATES_LIFETIME_H = env.float("CERTIFICATES_LIFETIME_H", default=720.0)
# Hours before its end at which a certificate is renewed, at most a third of its life.
CERTIFICATES_RENEW_BEFORE_H = env.float("CERTIFICATES_RENEW_BEFORE_H", default=168.0)
# Seconds that an agent has to take a certificate, and again to connect with it.
CERTIFICATES_OFFER_TIMEOUT_S = env.float("CERTIFICATES_OFFER_TIMEOUT_S", default=600.0)
# Certificates issued in a second at most.
CERTIFICATES_PER_S = env.float("CERTIFICATES_PER_S", default=5.0)
# Agents that may be changing their certificate at the same time.
CERTIFICATES_IN_FLIGHT = env.int("CERTIFICATES_IN_FLIGHT", default=50)
# Who asks for a first certificate with a token that others share, or without one: `auto` gives it,
# `manual` waits for a person. A second one while the first is good always waits.
CERTIFICATES_APPROVAL = env.str("CERTIFICATES_APPROVAL", default="auto")
if CERTIFICATES_APPROVAL not in {"auto", "manual"}:
    raise ImproperlyConfigured(
        f"CERTIFICATES_APPROVAL is {CERTIFICATES_APPROVAL!r}; it must be auto or manual."
    )
# Whether a gateway may make the key of an agent that cannot, and send it with its certificate.
CERTIFICATES_PUSH = env.bool("CERTIFICATES_PUSH", default=False)
# The certificates (PEM) that verify the gateway's own, given to agents with each offer. Default: the
# system's.
OPAMP_SERVER_CA_FILE = env.str("OPAMP_SERVER_CA_FILE", default="")

# --- REST API ------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- Logs ----------------------------------------------------------------------------------
# `DEBUG`, `INFO`, `WARNING` or `ERROR`.
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
# `text`, or `json` with one object a line.
LOG_FORMAT = env.str("LOG_FORMAT", default="text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "console.lib.logs.TextFormatter"},
        "json": {"()": "console.lib.logs.JsonFormatter"},
    },
    "filters": {"brief": {"()": "console.lib.logs.Brief"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "brief": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["brief"],
        },
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # Mistakes of callers: a line each, never a traceback that hides those of ours.
        "django.security": {"handlers": ["brief"], "propagate": False},
        "uvicorn.access": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
