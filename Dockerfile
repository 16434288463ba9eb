# The service as an image: two stages, so that pip and its caches stay behind.
FROM python:3.11-slim AS build
RUN python -m venv /opt/sameface
COPY pyproject.toml README.md LICENSE NOTICE /src/
COPY src /src/src
RUN /opt/sameface/bin/pip install --no-cache-dir '/src[serve,postgres,encryption]'
# Networks are converted here, once, so that the running container writes nothing but its data.
ENV SAMEFACE_CACHE=/opt/sameface/cache
RUN /opt/sameface/bin/python -c "import sameface; sameface.Recognizer()"

FROM python:3.11-slim
RUN useradd --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin sameface
COPY --from=build /opt/sameface /opt/sameface
ENV PATH=/opt/sameface/bin:$PATH \
    SAMEFACE_CACHE=/opt/sameface/cache \
    SAMEFACE_GALLERIES=/data/galleries \
    SAMEFACE_KEYS=/data/keys.json \
    PYTHONDONTWRITEBYTECODE=1
# By number: Kubernetes lets only a number pass for "not root".
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v1/health', timeout=4)"]
# Beyond loopback it starts only with keys: `docker run … keys add admin` makes the first.
ENTRYPOINT ["sameface"]
CMD ["serve", "--host", "0.0.0.0"]
