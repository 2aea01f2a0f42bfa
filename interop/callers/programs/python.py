"""Sends one message with Python: smtp with smtplib, sendmail with subprocess.

usage: python.py smtp|sendmail

The environment has FROM, TO and SUBJECT, for smtp also HOST, PORT, LOGIN and
SECRET; standard input has the text. With AGAIN, what fails is tried again, like
programs do it: the same object is handed to the library a second time.
"""
import email.message
import os
import smtplib
import subprocess
import sys

e = os.environ
m = email.message.EmailMessage()
if e.get("FROM"):
    m["From"] = e["FROM"]
m["To"] = e["TO"]
m["Subject"] = e["SUBJECT"]
m.set_content(sys.stdin.read())
if sys.argv[1] == "sendmail":
    subprocess.run(["/usr/sbin/sendmail", "-oi", "-t"], input=m.as_bytes(), check=True)
else:
    for again in [True, False] if e.get("AGAIN") else [False]:
        try:
            with smtplib.SMTP(e["HOST"], int(e["PORT"]), timeout=20) as s:
                if e.get("LOGIN"):
                    s.login(e["LOGIN"], e["SECRET"])
                s.send_message(m)
            break
        except Exception:
            if not again:
                raise
