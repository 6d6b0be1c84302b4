# The portal for production: web server, Celery worker and beat run from this one image.
# Checked by its tests as text; not yet built on a Docker engine.
FROM python:3.13-slim-trixie AS packages
COPY requirements.lock /
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /requirements.lock

FROM python:3.13-slim-trixie
# Pango draws the PDF reports; their fonts come with the Python packages.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent portal \
 && install --directory --owner=portal --group=portal --mode=0700 \
      /srv/portal /srv/portal/media /srv/portal/bank /srv/portal/register
COPY --from=packages /opt/venv /opt/venv
WORKDIR /opt/portal
COPY manage.py ./
COPY union_portal union_portal
COPY members members
COPY welfare welfare
COPY awards awards
COPY events events
COPY templates templates
COPY static static
COPY locale locale
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=union_portal.settings \
    PORTAL_VAR=/srv/portal \
    PORTAL_STATIC_DIR=/opt/portal-static \
    PORTAL_HASHED_STATIC=true \
    XDG_CACHE_HOME=/tmp
# The private servers of ./portal are not part of production.
RUN rm -r union_portal/embedded \
 && python manage.py collectstatic --no-input --verbosity 0
USER 10001:10001
EXPOSE 8000
# Whether visitors may be sent here; it shows the token of PORTAL_PROBE_TOKEN.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["python", "union_portal/offline/ask_health.py"]
CMD ["gunicorn", "--config", "python:union_portal.webserver", "union_portal.wsgi:application", \
     "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
