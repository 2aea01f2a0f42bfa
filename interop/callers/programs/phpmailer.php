<?php
// Sends one message with PHPMailer, from the environment of python.py:
//
//	php phpmailer.php smtp|mail|sendmail
require '/usr/share/php/libphp-phpmailer/autoload.php';
$m = new PHPMailer\PHPMailer\PHPMailer(true);
switch ($argv[1]) {
case 'mail':
	$m->isMail();
	break;
case 'sendmail':
	$m->isSendmail();
	break;
default:
	$m->isSMTP();
	$m->Host = getenv('HOST');
	$m->Port = getenv('PORT');
	if (getenv('LOGIN')) {
		$m->SMTPAuth = true;
		$m->Username = getenv('LOGIN');
		$m->Password = getenv('SECRET');
	}
}
try {
	$m->CharSet = 'UTF-8';
	$m->setFrom(getenv('FROM'));
	$m->addAddress(getenv('TO'));
	$m->Subject = getenv('SUBJECT');
	$m->Body = stream_get_contents(STDIN);
	try {
		$m->send();
	} catch (Exception $e) {
		if (!getenv('AGAIN')) {
			throw $e;
		}
		$m->send();
	}
} catch (Exception $e) {
	fwrite(STDERR, $e->getMessage() . "\n" . $m->ErrorInfo . "\n");
	exit(1);
}
