"""The server's options: from the command line, `ELASTICLAKE_…` variables, and a TOML file, in that order."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ByteSize, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from elasticlake.config.database_url import require_database_url
from elasticlake.model.egress import EgressPolicy


class Address(NamedTuple):
    """A host and a port to listen at."""

    host: str
    port: int


class Settings(BaseSettings):
    """Every option of `elasticlake serve`. The description of each is its help text."""

    model_config = SettingsConfigDict(env_prefix="ELASTICLAKE_", extra="forbid", frozen=True)

    data: Path = Field(Path("data"), description="The folder that holds everything: metadata, blobs, keys, history.")
    role: Literal["all", "gateway", "dispatcher"] = Field(
        "all", description="What runs here: gateways (S3 and REST), a dispatcher (deliveries), or both."
    )
    metadata: str | None = Field(
        None,
        repr=False,
        description="Where the metadata is: postgresql://USER:PASSWORD@HOST/DATABASE; SQLite in DATA if not given.",
    )
    blobs: str | None = Field(
        None,
        description="Where large bodies are: s3://BUCKET/PREFIX?endpoint=URL, gs://…, az://…; DATA/blobs if not given.",
    )
    listen: str = Field("127.0.0.1:9000", description="Where to listen, as HOST:PORT; port 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Gateway processes. One is fastest on SQLite.")
    tls_cert: Path | None = Field(None, description="The certificate chain (PEM) to serve TLS with.")
    tls_key: Path | None = Field(None, description="The certificate's private key (PEM).")
    public_url: str | None = Field(None, description="How clients reach this server, for links in answers and pages.")
    trusted_proxy: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Proxies (CIDR) whose X-Forwarded-… headers are believed."
    )
    domain: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Serve bucket.DOMAIN as that bucket (virtual-hosted addressing)."
    )
    egress_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Networks (CIDR) that webhooks may call beside public ones."
    )
    egress_http: bool = Field(False, description="Allow webhooks' endpoints to be plain http.")
    master_key: SecretStr | None = Field(None, description="The master key in base64, instead of DATA/master.key.")
    master_key_file: Path | None = Field(None, description="A file with the master key, instead of DATA/master.key.")
    min_free_space: ByteSize = Field(
        ByteSize(512 * 1024**2), description="Refuse writes while the disk has less than this free, as 512MiB."
    )
    history: bool = Field(True, description="Keep a record of every delivery attempt.")
    history_days: int = Field(30, ge=1, description="For how many days delivery attempts are kept.")
    event_retention_days: int = Field(30, ge=0, description="For how many days events are kept; 0 for ever.")
    event_retention_size: ByteSize = Field(
        ByteSize(0), description="About how much of its events each bucket keeps, as 10GiB; 0 is no limit."
    )
    activity_retention_days: int = Field(400, ge=0, description="For how many days the audit log is kept; 0 for ever.")
    blob_grace_seconds: int = Field(3600, ge=0, description="How long a deleted object's blob stays for its readers.")
    access_log: bool = Field(False, description="Log every S3 request, not only those answered with 5xx.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least severe log lines.")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, json elsewhere.")
    root_access_key: str | None = Field(None, description="The root account's access key id.")
    root_secret_key: SecretStr | None = Field(None, description="The root account's secret access key.")
    api_token: SecretStr | None = Field(None, description="The root token of the REST API.")
    dashboard_password: SecretStr | None = Field(None, description="The dashboard's password.")

    @model_validator(mode="before")
    @classmethod
    def _own_folder(cls, values: Any) -> Any:
        """The embedded default may be written out: sqlite:///DATA/metadata.db, file://DATA/blobs."""
        if not isinstance(values, dict):
            return values
        data = Path(values.get("data") or "data").resolve()
        for name, scheme, own in (("metadata", "sqlite://", "metadata.db"), ("blobs", "file://", "blobs")):
            value = values.get(name)
            if isinstance(value, str) and value.startswith(scheme):
                path = value.removeprefix(scheme)
                # Three slashes are a relative path to some and an absolute one to others.
                if not {Path(path).resolve(), Path(path.lstrip("/")).resolve()} & {data, data / own}:
                    raise ValueError(f"--{name}: {scheme}… lies in the data folder: name that with --data.")
                values = {**values, name: None}
        return values

    @field_validator("trusted_proxy", "egress_allow", "domain", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Variables hold lists as `a,b`."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxy", "egress_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ipaddress.ip_network(text, strict=False)
        return value

    @field_validator("domain")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Hosts are compared in lower case."""
        return tuple(domain.lower() for domain in value)

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        parse_address(value)
        return value

    @field_validator("metadata")
    @classmethod
    def _metadata(cls, value: str | None) -> str | None:
        if value is not None:
            require_database_url(value)
        return value

    @field_validator("blobs")
    @classmethod
    def _blobs(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("s3://", "gs://", "az://")):
            raise ValueError("write s3://BUCKET/PREFIX, gs://… or az://…, or leave it out for files in DATA.")
        return value

    @model_validator(mode="after")
    def _whole_role(self) -> Settings:
        if self.role != "all" and self.metadata is None:
            raise ValueError(f"--role {self.role} needs --metadata postgresql://…: SQLite is for one server alone.")
        return self

    @model_validator(mode="after")
    def _complete_tls(self) -> Settings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key go together.")
        return self

    @model_validator(mode="after")
    def _one_master_key(self) -> Settings:
        if self.master_key is not None and self.master_key_file is not None:
            raise ValueError("--master-key-file and ELASTICLAKE_MASTER_KEY are both given: leave one of them out.")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def address(self) -> Address:
        return parse_address(self.listen)

    @property
    def is_developers(self) -> bool:
        """Whether only this machine reaches the server: it listens on loopback, and nothing says that a proxy is in
        front."""
        host = self.address.host
        loopback = host == "localhost" or _is_loopback(host)
        return loopback and self.public_url is None and not self.trusted_proxy

    def local_url(self, port: int) -> str:
        """How this machine reaches a server that listens at `port`."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address.host, self.address.host)
        return f"{'https' if self.tls_cert else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def egress_policy(self, port: int) -> EgressPolicy:
        """Where webhooks may call, for a server that listens at `port`."""
        allow = tuple(ipaddress.ip_network(text, strict=False) for text in self.egress_allow)
        return EgressPolicy(allow, self.egress_http, self.is_developers, frozenset({port}))


def load_settings(options: dict[str, Any], toml: Path | None = None) -> Settings:
    """The settings; `options` are those given on the command line. Raises pydantic's `ValidationError` on a bad
    value."""

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=toml)

    given = {name: value for name, value in options.items() if value is not None and value != []}
    return FromFile(**given)


def parse_address(text: str) -> Address:
    """`HOST:PORT` or `[IPV6]:PORT`; raises ValueError."""
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is no address: write HOST:PORT, as 127.0.0.1:9000.")
    return Address(host.strip("[]"), int(port))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
