"""SigV4 against Amazon's published examples and botocore's own signers, and every refusal S3 makes."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.s3 import authorization, credentials, sigv4
from elasticlake.s3.canonical import canonical_query, canonical_uri, decode_query, encode, encode_query
from elasticlake.s3.credentials import parse_date_header, parse_timestamp

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()
NOW = datetime(2013, 5, 24, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
KEY = sigv4.signing_key(SECRET, "20130524", "us-east-1")
HOST = "examplebucket.s3.amazonaws.com"

Pairs = list[tuple[bytes, bytes]]


def verify(method: str, target: str, headers: Pairs, *, now_ms: int = NOW_MS, key: bytes = KEY) -> str:
    path, _, query = target.partition("?")
    credentials = sigv4.parse(query.encode(), headers)
    assert credentials is not None
    return sigv4.verify(credentials, key, method, path.encode(), query.encode(), headers, now_ms)


def refusal(method: str, target: str, headers: Pairs, **options: Any) -> sigv4.SignatureError:
    with pytest.raises(sigv4.SignatureError) as caught:
        verify(method, target, headers, **options)
    return caught.value


def as_pairs(headers: Any) -> Pairs:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def signed(method: str = "GET", path: str = "/key", **headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return sigv4.sign(method, HOST, path.encode(), (), named, KEY_ID, SECRET, "us-east-1", NOW_MS)


def presigned(expires_seconds: int = 60, query: tuple[tuple[str, str], ...] = ()) -> str:
    made = sigv4.presign("GET", HOST, b"/key", query, KEY_ID, SECRET, "us-east-1", expires_seconds, NOW_MS)
    return f"/key?{made}"


def example(headers: dict[str, str], signature: str) -> Pairs:
    """One of the documentation's requests, its Authorization header put together."""
    names = ";".join(sorted(headers))
    credential = f"Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 {credential},SignedHeaders={names},Signature={signature}"
    return as_pairs({**headers, "authorization": authorization})


# Amazon S3 API Reference, "Examples: Signature Calculations".
DATED = {"host": HOST, "x-amz-date": "20130524T000000Z"}
EXAMPLES = [
    (
        "GET",
        "/test.txt",
        {**DATED, "range": "bytes=0-9", "x-amz-content-sha256": EMPTY},
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    (
        "PUT",
        "/test$file.text",
        {
            "date": "Fri, 24 May 2013 00:00:00 GMT",
            **DATED,
            "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
        },
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    (
        "GET",
        "/?lifecycle",
        {**DATED, "x-amz-content-sha256": EMPTY},
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    (
        "GET",
        "/?max-keys=2&prefix=J",
        {**DATED, "x-amz-content-sha256": EMPTY},
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
]


@pytest.mark.parametrize(("method", "target", "headers", "signature"), EXAMPLES)
def test_published_header_examples(method: str, target: str, headers: dict[str, str], signature: str) -> None:
    assert verify(method, target, example(headers, signature)) == signature


def test_published_presigned_example() -> None:
    made = sigv4.presign("GET", HOST, b"/test.txt", (), KEY_ID, SECRET, "us-east-1", 86400, NOW_MS)
    assert dict(parse_qsl(made))["X-Amz-Signature"] == (
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    assert verify("GET", f"/test.txt?{made}", [(b"host", HOST.encode())])


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
# Hypothesis tries the constants it finds in the code, and some would make these requests carry two signatures.
NAMES = KEYS.filter(lambda name: not name.startswith("X-Amz-") and name != "Signature")
PARAMETERS = st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]), max_size=20)), max_size=4)


def boto_signed(signer: Any, method: str, key: str, parameters: list[tuple[str, str]], headers: dict[str, str]) -> Any:
    query = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in parameters)
    url = f"http://127.0.0.1:9000/bucket/{quote(key, safe='/~')}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, headers=headers, data=b"payload" if method == "PUT" else b"")
    # botocore reads the time by itself.
    with patch.object(botocore.auth, "get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None)):
        signer.add_auth(request)
    return request


@given(key=KEYS, parameters=PARAMETERS, value=st.text("ab \t", max_size=8))
def test_requests_that_botocore_signs_in_headers_verify(
    key: str, parameters: list[tuple[str, str]], value: str
) -> None:
    signer = botocore.auth.S3SigV4Auth(BotoCredentials(KEY_ID, SECRET), "s3", "us-east-1")
    headers = {"x-amz-meta-note": f"x{value}x", "content-type": "text/plain"}
    request = boto_signed(signer, "PUT", key, parameters, headers)
    parts = urlsplit(request.url)
    arrived = [*as_pairs(request.headers), (b"host", b"127.0.0.1:9000"), (b"accept", b"*/*")]
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    assert verify("PUT", target, arrived)
    credentials = sigv4.parse(parts.query.encode(), arrived)
    assert credentials is not None
    assert credentials.payload_sha256 == hashlib.sha256(b"payload").hexdigest()
    assert refusal("GET", target, arrived).code == "SignatureDoesNotMatch"


@given(key=KEYS, parameters=PARAMETERS)
def test_urls_that_botocore_presigns_verify(key: str, parameters: list[tuple[str, str]]) -> None:
    signer = botocore.auth.S3SigV4QueryAuth(BotoCredentials(KEY_ID, SECRET), "s3", "us-east-1", expires=900)
    # botocore rebuilds the query from a dict here, so that only one parameter of a name and no empty one survives.
    unique = [(name, value) for name, value in dict(parameters).items() if value]
    request = boto_signed(signer, "GET", key, unique, {})
    parts = urlsplit(request.url)
    assert verify("GET", f"{parts.path}?{parts.query}", [(b"host", b"127.0.0.1:9000")])


@given(key=KEYS, parameters=PARAMETERS)
def test_presign_equals_botocore(key: str, parameters: list[tuple[str, str]]) -> None:
    signer = botocore.auth.S3SigV4QueryAuth(BotoCredentials(KEY_ID, SECRET), "s3", "us-east-1", expires=900)
    unique = [(name, value) for name, value in dict(parameters).items() if value]
    request = boto_signed(signer, "GET", key, unique, {})
    path = urlsplit(request.url).path.encode()
    made = sigv4.presign("GET", "127.0.0.1:9000", path, unique, KEY_ID, SECRET, "us-east-1", 900, NOW_MS)
    assert sorted(parse_qsl(made)) == sorted(parse_qsl(urlsplit(request.url).query))


@pytest.mark.parametrize("expires_seconds", [0, -1, 604_801])
def test_presign_refuses_lifetimes_that_s3_refuses(expires_seconds: int) -> None:
    with pytest.raises(ValueError):
        presigned(expires_seconds)


def test_sign_equals_botocore() -> None:
    signer = botocore.auth.S3SigV4Auth(BotoCredentials(KEY_ID, SECRET), "s3", "eu-west-9")
    request = boto_signed(signer, "PUT", "a b+ü", [("partNumber", "2"), ("uploadId", "x/y=")], {"x-amz-acl": "private"})
    path = urlsplit(request.url).path.encode()
    query = [("uploadId", "x/y="), ("partNumber", "2")]
    digest = hashlib.sha256(b"payload").hexdigest()
    headers = sigv4.sign(
        "PUT", "127.0.0.1:9000", path, query, {"x-amz-acl": "private"}, KEY_ID, SECRET, "eu-west-9", NOW_MS, digest
    )
    assert headers["authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (b"/a/b-._~", b"/a/b-._~"),
        (b"", b"/"),
        (b"//a/../b/", b"//a/../b/"),
        (b"/%7euser/%c3%bc", b"/~user/%C3%BC"),
        (b"/it's(1)!*", b"/it%27s%281%29%21%2A"),
        (b"/1+1%2B1", b"/1%2B1%2B1"),
        (b"/a%2Fb", b"/a/b"),
        (b"/100%", b"/100%25"),
        (b"/a%2fb%41%2D%20%3a", b"/a/bA-%20%3A"),
        ("/ü".encode(), b"/%C3%BC"),
    ],
)
def test_canonical_uri(sent: bytes, canonical: bytes) -> None:
    assert canonical_uri(sent) == canonical


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (b"acl", b"acl="),
        (b"b=2&a=2&a=1&&", b"a=1&a=2&b=2"),
        (b"prefix=a+b%20c%2Bd", b"prefix=a%20b%20c%2Bd"),
        (b"marker=a=b/c", b"marker=a%3Db%2Fc"),
        (b"p=%7e%c3%bc", b"p=~%C3%BC"),
        (b"p=%41%2F%zz%", b"p=A%2F%25zz%25"),
        # Encoding first and sorting then: "%" comes before letters.
        (b"aa=1&a/=2", b"a%2F=2&aa=1"),
    ],
)
def test_canonical_query(sent: bytes, canonical: bytes) -> None:
    assert canonical_query(sent) == canonical


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=5), st.data())
def test_every_spelling_of_a_query_has_one_canonical_form(
    pairs: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    parameters = [(name, value) for name, value in pairs if name or value]

    def spell(raw: bytes) -> bytes:
        return b"".join(
            data.draw(st.sampled_from([encode(raw[i : i + 1]), b"%%%02x" % raw[i]])) for i in range(len(raw))
        )

    sent = b"&".join(spell(name) + b"=" + spell(value) for name, value in parameters)
    assert decode_query(sent) == parameters
    assert canonical_query(sent) == encode_query(parameters)
    assert canonical_uri(b"/" + spell(b"".join(name for name, _ in pairs))) == b"/" + encode(
        b"".join(name for name, _ in pairs), safe="/"
    )


def test_repeated_headers_are_joined_in_order() -> None:
    headers = as_pairs(signed(x_amz_meta_a="1,2"))
    split = [pair for pair in headers if pair[0] != b"x-amz-meta-a"]
    assert verify("GET", "/key", [*split, (b"x-amz-meta-a", b" 1 "), (b"x-amz-meta-a", b"2")])


def test_any_region_is_taken_as_given() -> None:
    headers = sigv4.sign("GET", HOST, b"/key", (), {}, KEY_ID, SECRET, "mars-north-7", NOW_MS)
    credentials = sigv4.parse(b"", as_pairs(headers))
    assert credentials is not None
    assert (credentials.region, credentials.service, credentials.kind) == ("mars-north-7", "s3", "header")
    assert verify("GET", "/key", as_pairs(headers), key=sigv4.signing_key(SECRET, "20130524", "mars-north-7"))


def test_a_request_without_credentials_is_anonymous() -> None:
    assert sigv4.parse(b"list-type=2&prefix=%2F", [(b"host", b"h"), (b"x-amz-acl", b"private")]) is None
    assert sigv4.parse(b"X-Amz-Credential=a", {b"host": b"h"}) is None


@pytest.mark.parametrize("name", ["method", "path", "query", "header", "payload", "secret", "signature"])
def test_a_change_to_anything_signed_is_refused(name: str) -> None:
    headers = as_pairs(signed("PUT", "/key", x_amz_meta_a="1"))
    swap = {
        "header": (b"x-amz-meta-a", b"2"),
        "payload": (b"x-amz-content-sha256", b"0" * 64),
        "signature": (b"authorization", dict(headers)[b"authorization"][:-2] + b"\xff0"),
    }
    if name in swap:
        headers = [swap[name] if pair[0] == swap[name][0] else pair for pair in headers]
    error = refusal(
        "POST" if name == "method" else "PUT",
        {"path": "/key2", "query": "/key?acl"}.get(name, "/key"),
        headers,
        key=b"other" if name == "secret" else KEY,
    )
    assert error.code == "SignatureDoesNotMatch"
    assert error.details["AWSAccessKeyId"] == KEY_ID
    assert error.details["StringToSign"].startswith("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/")
    assert bytes.fromhex(error.details["CanonicalRequestBytes"]).decode() == error.details["CanonicalRequest"]


def test_a_signed_header_that_did_not_arrive_is_a_mismatch() -> None:
    headers = [pair for pair in as_pairs(signed(content_type="text/plain")) if pair[0] != b"content-type"]
    error = refusal("GET", "/key", headers)
    assert error.code == "SignatureDoesNotMatch"
    assert "\ncontent-type:\n" in error.details["CanonicalRequest"]


MALFORMED = "The authorization header is malformed; "
GOOD = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        (
            GOOD,
            f"AWS {KEY_ID}:c2ln",
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported.",
        ),
        (GOOD, "Bearer abc", "InvalidArgument", "Unsupported Authorization Type"),
        (GOOD, "AWS4-ECDSA-P256-SHA256 Credential=a", "InvalidArgument", "Unsupported Authorization Type"),
        (
            GOOD,
            "AWS4-HMAC-SHA256",
            "InvalidArgument",
            "Authorization header is invalid -- one and only one ' ' (space)",
        ),
        (", Signature=0", "", "AuthorizationHeaderMalformed", MALFORMED + "the authorization header requires three"),
        (", Signature=0", ", Signature", "AuthorizationHeaderMalformed", MALFORMED + "the authorization component"),
        (
            "Signature=0",
            "Signature=0, Signature=1",
            "AuthorizationHeaderMalformed",
            MALFORMED + "the authorization comp",
        ),
        ("/aws4_request", "", "AuthorizationHeaderMalformed", MALFORMED + "the Credential is mal-formed; expecting"),
        (KEY_ID, "", "AuthorizationHeaderMalformed", MALFORMED + "the Credential is mal-formed; expecting"),
        ("/20130524", "/today", "AuthorizationHeaderMalformed", MALFORMED + 'incorrect date format "today".'),
        ("us-east-1", "", "AuthorizationHeaderMalformed", MALFORMED + "a non-empty region must be provided"),
        ("/s3/", "/iam/", "AuthorizationHeaderMalformed", MALFORMED + 'incorrect service "iam". This endpoint'),
        ("aws4_request", "aws5", "AuthorizationHeaderMalformed", MALFORMED + 'incorrect terminal "aws5". This'),
        ("20130524/", "20130523/", "AuthorizationHeaderMalformed", MALFORMED + "Invalid credential date. Date is not"),
        ("=host,", "=x-amz-date;x-amz-content-sha256,", "AccessDenied", "There were headers present in the request"),
    ],
)
def test_refused_authorization_headers(old: str, new: str, code: str, message: str) -> None:
    assert old in GOOD
    headers = as_pairs({"host": HOST, "x-amz-date": "20130524T000000Z", "authorization": GOOD.replace(old, new, 1)})
    error = refusal("GET", "/key", headers)
    assert (error.code, error.message[: len(message)]) == (code, message)


def without(headers: dict[str, str], name: str) -> Pairs:
    return [pair for pair in as_pairs(headers) if pair[0] != name.encode()]


def test_x_amz_headers_have_to_be_signed() -> None:
    added = [(b"x-amz-copy-source", b"/secret/object"), (b"x-amz-acl", b"public-read")]
    for target, headers in (("/key", as_pairs(signed())), (presigned(), [(b"host", HOST.encode())])):
        error = refusal("GET", target, headers + added)
        assert (error.code, error.details) == ("AccessDenied", {"HeadersNotSigned": "x-amz-copy-source, x-amz-acl"})


def test_a_payload_hash_is_required_in_header_form() -> None:
    error = refusal("GET", "/key", without(signed(), "x-amz-content-sha256"))
    assert (error.code, error.message) == (
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
    )


@pytest.mark.parametrize("value", ["abc", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "unsigned-payload", ""])
def test_an_impossible_payload_hash(value: str) -> None:
    headers = {**signed(), "x-amz-content-sha256": value}
    error = refusal("GET", "/key", as_pairs(headers))
    assert error.code == "InvalidArgument"
    assert error.details == {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": value}


@pytest.mark.parametrize(
    "date", ["20130524T000000", "2013-05-24T00:00:00Z", "20130524T240000Z", "Fri, 24 May 2013", ""]
)
def test_an_unreadable_date(date: str) -> None:
    error = refusal("GET", "/key", as_pairs({**signed(), "x-amz-date": date}))
    message = "AWS authentication requires a valid Date or x-amz-date header"
    assert (error.code, error.message) == ("AccessDenied", message)


def test_no_date_at_all() -> None:
    assert refusal("GET", "/key", without(signed(), "x-amz-date")).code == "AccessDenied"


@pytest.mark.parametrize("date", ["Fri, 24 May 2013 00:00:00 GMT", "20130524T000000Z"])
def test_the_date_header_serves_where_x_amz_date_is_missing(date: str) -> None:
    headers = {"host": HOST, "date": date, "x-amz-content-sha256": sigv4.UNSIGNED_PAYLOAD}
    error = refusal("GET", "/key", example(headers, "0"))
    # The signature itself is right once it covers the time in the form that is signed.
    assert error.details["StringToSign"].split("\n")[1] == "20130524T000000Z"
    to_sign = error.details["StringToSign"].encode()
    signature = botocore.auth.SigV4Auth(None, "s3", "us-east-1")._sign(KEY, to_sign.decode(), hex=True)
    assert verify("GET", "/key", example(headers, signature)) == signature


def test_what_strangers_send_is_not_remembered_at_any_length() -> None:
    """The caches hold thousands of entries: of anybody's headers they would take gigabytes."""
    long = "Credential=A/20260101/r/s3/aws4_request,SignedHeaders=" + "h" * 500 + ",Signature=-"
    before = authorization._read_components.cache_info().currsize, credentials._read_timestamp.cache_info().currsize
    assert authorization._parse_components(long)[4] == ("h" * 500,)
    assert parse_timestamp("20260101T000000Z" * 1000) is None
    assert parse_timestamp("") is None
    after = authorization._read_components.cache_info().currsize, credentials._read_timestamp.cache_info().currsize
    assert after == before
    authorization._parse_components(long.replace("h" * 500, "host"))
    assert authorization._read_components.cache_info().currsize == before[0] + 1


@pytest.mark.parametrize(
    "value", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_the_three_http_dates(value: str) -> None:
    assert parse_date_header(value) == 784_111_777_000


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_none(value: str) -> None:
    assert parse_timestamp(value) is None or len(value) == 16
    assert parse_date_header(value) is None or value


def test_clock_skew() -> None:
    headers = as_pairs(signed())
    edge_ms = 15 * 60 * 1000
    assert verify("GET", "/key", headers, now_ms=NOW_MS + edge_ms)
    assert verify("GET", "/key", headers, now_ms=NOW_MS - edge_ms)
    for now_ms in (NOW_MS + edge_ms + 1, NOW_MS - edge_ms - 1):
        assert refusal("GET", "/key", headers, now_ms=now_ms).code == "RequestTimeTooSkewed"
    assert refusal("GET", "/key", headers, now_ms=NOW_MS + 3_600_000).details == {
        "RequestTime": "20130524T000000Z",
        "ServerTime": "2013-05-24T01:00:00Z",
        "MaxAllowedSkewMilliseconds": "900000",
    }


def test_a_presigned_url_lives_as_long_as_it_says() -> None:
    headers = [(b"host", HOST.encode())]
    assert verify("GET", presigned(3600), headers, now_ms=NOW_MS + 3_600_000)
    expired = refusal("GET", presigned(3600), headers, now_ms=NOW_MS + 3_600_001)
    assert (expired.code, expired.message) == ("AccessDenied", "Request has expired")
    assert expired.details == {
        "X-Amz-Expires": "3600",
        "Expires": "2013-05-24T01:00:00Z",
        "ServerTime": "2013-05-24T01:00:00Z",
    }
    early = refusal("GET", presigned(60), headers, now_ms=NOW_MS - 900_001)
    assert (early.code, early.message) == ("AccessDenied", "Request is not yet valid")
    assert early.details["X-Amz-Date"] == str(NOW_MS)


def test_a_presigned_url_says_what_its_body_may_be() -> None:
    digest = hashlib.sha256(b"body").hexdigest()
    headers = {b"host": HOST.encode()}
    for query, expected in (((), sigv4.UNSIGNED_PAYLOAD), ((("X-Amz-Content-Sha256", digest),), digest)):
        credentials = sigv4.parse(presigned(60, query).partition("?")[2].encode(), headers)
        assert credentials is not None
        assert (credentials.payload_hash, credentials.expires_seconds) == (expected, 60)


CREDENTIAL = "Error parsing the X-Amz-Credential parameter; "


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
        ("X-Amz-Algorithm", "X-Amz-A", "Query-string authentication version 4 requires the X-Amz-Algorithm, "),
        ("X-Amz-Signature", "X-Amz-S", "Query-string authentication version 4 requires the X-Amz-Algorithm, "),
        ("X-Amz-Expires", "X-Amz-E", "Query-string authentication version 4 requires the X-Amz-Algorithm, "),
        ("Date=20130524T000000Z", "Date=20130524", "X-Amz-Date must be in the ISO8601 Long Format"),
        ("Expires=60", "Expires=", "X-Amz-Expires should be a number"),
        ("Expires=60", "Expires=6_0", "X-Amz-Expires should be a number"),
        ("Expires=60", "Expires=1e3", "X-Amz-Expires should be a number"),
        ("Expires=60", "Expires=9223372036854775808", "X-Amz-Expires should be a number"),
        ("Expires=60", "Expires=-1", "X-Amz-Expires must be non-negative"),
        ("Expires=60", "Expires=604801", "X-Amz-Expires must be less than a week (in seconds); that is, the given"),
        ("%2Faws4_request", "", CREDENTIAL + "the Credential is mal-formed; expecting"),
        ("%2Fs3%2F", "%2Fec2%2F", CREDENTIAL + 'incorrect service "ec2". This endpoint belongs to "s3".'),
        ("%2F20130524", "%2F20130525", 'Invalid credential date "20130525". This date is not the same as X-Amz-Date: '),
    ],
)
def test_refused_presigned_urls(old: str, new: str, message: str) -> None:
    target = presigned()
    assert old in target
    error = refusal("GET", target.replace(old, new, 1), [(b"host", HOST.encode())])
    assert (error.code, error.message[: len(message)]) == ("AuthorizationQueryParametersError", message)


def test_an_encoded_parameter_name_is_still_a_credential() -> None:
    target = presigned().replace("X-Amz-", "X%2DAmz%2D")
    assert verify("GET", target, [(b"host", HOST.encode())])


def test_version_two_in_the_query() -> None:
    error = refusal("GET", "/key?AWSAccessKeyId=a&Expires=1&Signature=b", [])
    assert (error.code, error.message.split(".")[1]) == ("InvalidRequest", " Please use AWS4-HMAC-SHA256")


@pytest.mark.parametrize("query", [presigned().partition("?")[2], "Signature=a&AWSAccessKeyId=b", "X-Amz-Signature=a"])
def test_only_one_mechanism_at_a_time(query: str) -> None:
    error = refusal("GET", f"/key?{query}", as_pairs(signed()))
    assert (error.code, error.message[:32]) == ("InvalidArgument", "Only one auth mechanism allowed;")
    assert error.details["ArgumentName"] == "Authorization"


def test_both_versions_in_the_query() -> None:
    error = refusal("GET", presigned() + "&Signature=a", [(b"host", HOST.encode())])
    assert (error.code, error.details) == ("InvalidArgument", {"ArgumentName": "Authorization"})


@given(authorization=st.binary(max_size=80), query=st.binary(max_size=80), date=st.binary(max_size=20))
def test_hostile_bytes_are_refused_and_never_crash(authorization: bytes, query: bytes, date: bytes) -> None:
    tail = b" Credential=a/20130524/r/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=" + authorization
    for value in (b"AWS4-HMAC-SHA256 " + authorization, b"AWS4-HMAC-SHA256" + tail):
        for parameters in (query, b"X-Amz-Algorithm=AWS4-HMAC-SHA256&" + query):
            with pytest.raises(sigv4.SignatureError):
                sigv4.parse(parameters, [(b"authorization", value), (b"x-amz-date", date)])


@given(st.lists(st.sampled_from(["host", "\xff", "ä;b", "x-amz-date"]), min_size=1), st.binary(max_size=30))
def test_hostile_bytes_in_a_presigned_url_never_crash(names: list[str], signature: bytes) -> None:
    target = presigned().replace("SignedHeaders=host", "SignedHeaders=host;" + quote(";".join(names)))
    target = target[: target.index("X-Amz-Signature=")] + "X-Amz-Signature=" + quote(signature)
    assert refusal("GET", target, [(b"host", HOST.encode())]).code == "SignatureDoesNotMatch"


def test_signing_keys_are_bounded_and_right() -> None:
    keys = sigv4.SigningKeys(limit=2)
    for region in ("a", "b", "c", "a"):
        assert keys.get(SECRET, "20130524", region) == sigv4.signing_key(SECRET, "20130524", region)
        assert keys.get(SECRET, "20130524", region) is keys.get(SECRET, "20130524", region)
        assert len(keys) <= 2
    assert keys.get("other", "20130524", "a") != keys.get(SECRET, "20130524", "a")
    assert keys.get(SECRET, "20130524", "r" * 65) == sigv4.signing_key(SECRET, "20130524", "r" * 65)
    assert len(keys) == 2
    with pytest.raises(ValueError):
        sigv4.SigningKeys(limit=0)
