# Built by hand (`docker build -t elasticlake .`): no test builds this image.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/elasticlake
# One image for both shapes: the embedded default, and many machines over PostgreSQL and an object store.
COPY requirements/cluster.lock requirements/cluster.lock
RUN /opt/elasticlake/bin/pip install --no-cache-dir --require-hashes --requirement requirements/cluster.lock
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN /opt/elasticlake/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
# The data directory belongs to the server's user before it becomes a volume, so that a fresh volume is writable.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin elasticlake \
    && install --directory --owner=elasticlake --group=elasticlake --mode=0700 /data
COPY --from=build /opt/elasticlake /opt/elasticlake
ENV PATH=/opt/elasticlake/bin:$PATH PYTHONUNBUFFERED=1
USER elasticlake
WORKDIR /data
VOLUME /data
EXPOSE 9000
STOPSIGNAL SIGTERM
# The slim image has no curl; urlopen raises, and so exits 1, on anything but a 2xx.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9000/v1/health', timeout=2)"]
ENTRYPOINT ["elasticlake", "serve", "--data", "/data", "--listen", "0.0.0.0:9000"]
