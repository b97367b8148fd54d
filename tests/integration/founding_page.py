"""The code that the project's founding page shows its readers, verbatim: what it shows must work as written."""

REGISTER = """\
import requests

response = requests.post(
    'https://api.elasticlake.com/v1/webhooks',
    headers={'Authorization': 'Bearer YOUR_TOKEN'},
    json={
        'bucket': 'lake1--pond1--my-bucket',
        'endpoint': 'https://myapp.com/webhooks/storage',
        'events': ['object:created', 'object:deleted'],
        'secret': 'my-webhook-secret'
    }
)
"""

PAYLOAD = """\
{
  "event": "object:created",
  "timestamp": "2025-10-30T14:22:33Z",
  "bucket": "lake1--pond1--my-bucket",
  "object": {
    "key": "uploads/document.pdf",
    "size": 1048576,
    "etag": "d41d8cd98f00b204e9800998ecf8427e",
    "contentType": "application/pdf"
  },
  "lake": "production",
  "pond": "documents"
}
"""

RECEIVE = """\
import hmac
import hashlib

def verify_webhook(payload, signature, secret):
    expected = hmac.new(
        secret.encode(),
        payload.encode(),
        hashlib.sha256
    ).hexdigest()

    return hmac.compare_digest(f'sha256={expected}', signature)

# In your webhook handler
@app.route('/webhooks/storage', methods=['POST'])
def handle_webhook():
    signature = request.headers.get('X-ElasticLake-Signature')

    if not verify_webhook(request.data.decode(), signature, WEBHOOK_SECRET):
        return 'Invalid signature', 401

    event = request.json
    # Process event...

    return 'OK', 200
"""

PROCESS_IMAGE = """\
def handle_upload(event):
    if event['object']['contentType'].startswith('image/'):
        # Trigger thumbnail generation
        generate_thumbnails.delay(
            bucket=event['bucket'],
            key=event['object']['key']
        )
"""

AUDIT = """\
def handle_any_event(event):
    audit_log.create({
        'action': event['event'],
        'resource': f"{event['bucket']}/{event['object']['key']}",
        'timestamp': event['timestamp'],
        'metadata': event
    })
"""

START_PIPELINE = """\
def handle_data_upload(event):
    if event['object']['key'].endswith('.csv'):
        # Trigger ETL job
        start_etl_pipeline(
            source=f"s3://{event['bucket']}/{event['object']['key']}"
        )
"""
