#!/bin/sh
# JavaMail loses the reason of a server that is shutting down, or takes no more for now.
#
# JavaMail 1.6.5 (libmail-java 1.6.5-2 with libactivation-java) of Debian 12, on the Java of this
# machine (11 or later, with its compiler; seen with 17). The server answers the end of
# the message with "421 4.3.2 shutting down" and closes, as RFC 5321 section 3.8 has it.
#
# Expected: an exception with the reply, as for 451, which names code and text: 421 says
# that the message was not taken and that a later try may work.
# Seen: MessagingException "Can't send command to SMTP host" about the socket, without
# the reply, in getMessage, in getNextException and in the causes. JavaMail tries RSET after the
# refused message, and the failure of that replaces the refusal.
# Output seen: the two lines that the script prints and compares.
#
# Why it matters: a program can't tell "not taken, try later" from a lost reply, after which
# a second try may deliver the message twice. A server that wants its reason to reach the user
# answers 451 and keeps the connection until the client says QUIT.
set -eu
command -v java >/dev/null || { echo "needs a JDK"; exit 2; }
work=$(mktemp -d)
trap 'kill $server 2>/dev/null || :; rm -rf "$work"' EXIT
server=
cd "$work"
apt-get -q download libmail-java=1.6.5-2 libactivation-java >apt.log 2>&1 || { cat apt.log; exit 2; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
cat >server.py <<'EOS'
import socket
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
for reply in (b'451 4.3.0 store trouble', b'421 4.3.2 shutting down'):
    c = s.accept()[0]
    f = c.makefile('rwb')
    def say(text):
        f.write(text + b'\r\n'); f.flush()
    say(b'220 server.example.test ESMTP')
    for line in f:
        verb = line[:4].upper()
        if verb == b'DATA':
            say(b'354 go ahead')
            while f.readline() not in (b'.\r\n', b''):
                pass
            say(reply)
            if reply.startswith(b'421'):
                break
        elif verb == b'QUIT':
            say(b'221 bye'); break
        else:
            say(b'250 server.example.test')
    f.close(); c.close()
EOS
cat >Send.java <<'EOS'
import java.util.Properties;
import javax.mail.*;
import javax.mail.internet.*;
public class Send {
	static String all(Throwable e) {
		return e == null ? "" : e + " " + all(e.getCause()) + (e instanceof MessagingException ? all(((MessagingException) e).getNextException()) : "");
	}
	public static void main(String[] args) throws Exception {
		for (String code : new String[] {"451", "421"}) {
			Properties p = new Properties();
			p.put("mail.smtp.host", "127.0.0.1");
			p.put("mail.smtp.port", args[0]);
			MimeMessage m = new MimeMessage(Session.getInstance(p));
			m.setFrom("a@example.org");
			m.setRecipients(Message.RecipientType.TO, "b@example.org");
			m.setText("x");
			try {
				Transport.send(m);
				System.out.println("sent");
			} catch (MessagingException e) {
				System.out.println("the exception has " + code + ": " + all(e).contains(code));
			}
		}
	}
}
EOS
python3 server.py >port &
server=$!
while ! [ -s port ]; do sleep 0.1; done
java -cp root/usr/share/java/javax.mail.jar:root/usr/share/java/javax.activation.jar Send.java "$(cat port)" 2>error.log | tee seen
cat >want <<'WANT'
the exception has 451: true
the exception has 421: false
WANT
cmp -s want seen || { cat error.log; echo "the behaviour has changed"; exit 1; }
