"""Sends one message with Django, from the same environment as python.py."""
import os
import sys

from django.conf import settings
from django.core.mail import EmailMessage

e = os.environ
settings.configure(EMAIL_HOST=e["HOST"], EMAIL_PORT=int(e["PORT"]), EMAIL_HOST_USER=e.get("LOGIN", ""),
                   EMAIL_HOST_PASSWORD=e.get("SECRET", ""), EMAIL_TIMEOUT=20)
m = EmailMessage(e["SUBJECT"], sys.stdin.read(), e["FROM"], [e["TO"]])
for again in [True, False] if e.get("AGAIN") else [False]:
    try:
        m.send()
        break
    except Exception:
        if not again:
            raise
