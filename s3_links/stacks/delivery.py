"""One declared delivery of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.document import rendered_once
from s3_cross_account.service_delivery import ServiceDelivery

from .linked import LinkedStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.delivery import ServiceDeliveryLink
    from s3_links.declarations.state import State


class ServiceDeliveryStack(LinkedStack):
    """Lets a service of other accounts deliver into a bucket, with a state of its own."""

    @rendered_once()
    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        link: ServiceDeliveryLink,
        accounts: Mapping[str, LinkAccount],
        state: State,
    ) -> None:
        super().__init__(scope, id_, link=link, accounts=accounts, state=state)
        bucket = self.bucket(link.bucket, link.bucket.id)
        declared = link.delivery(
            lambda alias: self.account(alias).account_id,
            lambda alias: accounts[alias].region,
        )
        delivery = ServiceDelivery(self, "delivery", bucket=bucket, delivery=declared)
        self.outputs(delivery_settings=delivery.settings)
        self.share()
        self.bucket_outputs(link.bucket.label, bucket)
        self.kept_outputs()
