"""What made a webhook, where its owner did not, as the API writes it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from elasticlake.api.documents import Document
from elasticlake.model.notifications import Notification


class ManagedByDocument(Document):
    """The entry of the bucket's S3 notification configuration that made the webhook, and the webhook that it was made
    from. Change one of these: of the webhook itself, only its status can be changed."""

    by: Literal["s3"] = "s3"
    configuration: str = Field(examples=["uploads"])
    webhook: str = Field(examples=["wh_mfrggzdfmztwq2lk"])
    events: list[str] = Field(examples=[["s3:ObjectCreated:*"]], description="In S3's words.")

    @classmethod
    def of(cls, entry: Notification | None) -> ManagedByDocument | None:
        if entry is None:
            return None
        return cls(configuration=entry.id, webhook=entry.webhook_id, events=list(entry.events))
