import java.nio.charset.StandardCharsets;
import java.util.Properties;
import javax.mail.Authenticator;
import javax.mail.Message;
import javax.mail.PasswordAuthentication;
import javax.mail.Session;
import javax.mail.Transport;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;

/** Sends one message with JavaMail, from the environment of python.py. */
public class Send {
	public static void main(String[] args) throws Exception {
		String login = System.getenv("LOGIN");
		boolean logsIn = login != null && !login.isEmpty();
		Properties settings = new Properties();
		settings.put("mail.smtp.host", System.getenv("HOST"));
		settings.put("mail.smtp.port", System.getenv("PORT"));
		settings.put("mail.smtp.auth", String.valueOf(logsIn));
		Session session = Session.getInstance(settings, !logsIn ? null : new Authenticator() {
			@Override
			protected PasswordAuthentication getPasswordAuthentication() {
				return new PasswordAuthentication(login, System.getenv("SECRET"));
			}
		});
		MimeMessage message = new MimeMessage(session);
		message.setFrom(new InternetAddress(System.getenv("FROM")));
		message.setRecipients(Message.RecipientType.TO, System.getenv("TO"));
		message.setSubject(System.getenv("SUBJECT"), "UTF-8");
		message.setText(new String(System.in.readAllBytes(), StandardCharsets.UTF_8), "UTF-8");
		for (boolean again = System.getenv("AGAIN") != null && !System.getenv("AGAIN").isEmpty(); ; again = false) {
			try {
				Transport.send(message);
				return;
			} catch (Exception e) {
				if (!again) {
					System.err.println(e);
					System.exit(1);
				}
			}
		}
	}
}
