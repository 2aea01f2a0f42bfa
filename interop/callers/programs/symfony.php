<?php
// Sends one message with Symfony Mailer, from the environment of python.py:
//
//	php symfony.php smtp|bs|t|native
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Email;

$login = getenv('LOGIN') ? rawurlencode(getenv('LOGIN')) . ':' . rawurlencode(getenv('SECRET')) . '@' : '';
$dsn = [
	'smtp' => "smtp://$login" . getenv('HOST') . ':' . getenv('PORT'),
	'bs' => 'sendmail://default',
	't' => 'sendmail://default?command=' . rawurlencode('/usr/sbin/sendmail -t'),
	'native' => 'native://default',
][$argv[1]];
try {
	$mailer = new Mailer(Transport::fromDsn($dsn));
	$m = (new Email())->from(getenv('FROM'))->to(getenv('TO'))->subject(getenv('SUBJECT'))->text(stream_get_contents(STDIN));
	try {
		$mailer->send($m);
	} catch (Exception $e) {
		if (!getenv('AGAIN')) {
			throw $e;
		}
		$mailer->send($m);
	}
} catch (Exception $e) {
	fwrite(STDERR, $e->getMessage() . "\n");
	exit(1);
}
