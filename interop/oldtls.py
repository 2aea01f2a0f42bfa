# A small SMTP server over Python's ssl, which is OpenSSL. oldtls.py CERT KEY CIPHERS MAX:
# prints its port, then serves connections one after the other until its input ends.
# MAX is 1.2 or 1.3. AUTH PLAIN is unknown to it, though it offers it; AUTH LOGIN works.
import socket, ssl, sys, threading

cert, key, ciphers, most = sys.argv[1:5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
if ciphers != "-":
    context.set_ciphers(ciphers)
context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[most]
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(20)
print(listener.getsockname()[1], flush=True)


def serve(raw):
    try:
        with context.wrap_socket(raw, server_side=True) as conn, conn.makefile("rb") as lines:
            def say(text):
                conn.sendall(text.encode() + b"\r\n")
            say("220 old.example.test ESMTP")
            for line in lines:
                verb = line.split(b" ")[0].strip().upper()
                if verb == b"EHLO":
                    say("250-old.example.test\r\n250 AUTH PLAIN LOGIN")
                elif line.upper().startswith(b"AUTH PLAIN"):
                    say("504 5.5.4 Unrecognized authentication type")
                elif line.upper().startswith(b"AUTH LOGIN"):
                    say("334 VXNlcm5hbWU6")
                    lines.readline()
                    say("334 UGFzc3dvcmQ6")
                    lines.readline()
                    say("235 2.7.0 ok, over %s %s" % (conn.version(), conn.cipher()[0]))
                elif verb == b"DATA":
                    say("354 go")
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                    say("250 2.0.0 queued as OLD1")
                elif verb == b"QUIT":
                    say("221 bye")
                    return
                else:
                    say("250 ok")
    except (ssl.SSLError, OSError):
        pass


def accept():
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw,), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
