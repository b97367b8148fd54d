from standardwebhooks import Webhook

from elasticlake.clock import SystemClock
from elasticlake.model.delivery_headers import delivery_headers, standing_headers
from elasticlake.model.ids import DeliveryId
from elasticlake.signing import generate_secret, page_signature

DELIVERY = DeliveryId("wh_mfrggzdfmztwq2lk", 7, 5)
BODY = b'{"event":"object:created"}'


def test_the_first_secret_signs_ours_and_all_sign_the_standard_one() -> None:
    secrets = (generate_secret(), generate_secret())
    now_ms = SystemClock().now_ms()
    headers = dict(delivery_headers("object:created", "evt_1", DELIVERY, 2, secrets, now_ms, BODY))
    assert headers["X-ElasticLake-Signature"] == page_signature(secrets[0], BODY)
    assert headers["X-ElasticLake-Delivery"] == str(DELIVERY)
    assert (headers["X-ElasticLake-Attempt"], headers["webhook-id"]) == ("2", "evt_1")
    for secret in secrets:
        Webhook(secret).verify(BODY, headers)


def test_every_attempt_says_who_calls_and_takes_no_compression() -> None:
    assert dict(standing_headers("1.2.3")) == {
        "User-Agent": "ElasticLake/1.2.3 (webhooks)",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
